"""Evaluation of scores query by query, comparison of systems, and calibration."""

from ._calibration import brier_score, expected_calibration_error, log_loss, reliability_curve
from ._compare import Comparison, compare
from ._cuts import head_tail
from ._difference import ConventionDifference, explain_difference
from ._evaluate import Evaluation, evaluate
from ._reliability import Calibration, calibration
from ._slices import Slices, slices
from ._utility import best_decision, expected_utility, realised_utility
from ._worst import WorstLosses, worst_losses

__all__ = [
    "Calibration",
    "Comparison",
    "ConventionDifference",
    "Evaluation",
    "Slices",
    "WorstLosses",
    "best_decision",
    "brier_score",
    "calibration",
    "compare",
    "evaluate",
    "expected_calibration_error",
    "expected_utility",
    "explain_difference",
    "head_tail",
    "log_loss",
    "realised_utility",
    "reliability_curve",
    "slices",
    "worst_losses",
]
