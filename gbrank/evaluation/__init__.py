"""Evaluation of scores query by query, comparison of systems, and calibration."""

from ._calibration import brier_score, expected_calibration_error, reliability_curve
from ._compare import Comparison, compare
from ._cuts import head_tail
from ._difference import ConventionDifference, explain_difference
from ._evaluate import Evaluation, evaluate
from ._slices import Slices, slices
from ._worst import WorstLosses, worst_losses

__all__ = [
    "Comparison",
    "ConventionDifference",
    "Evaluation",
    "Slices",
    "WorstLosses",
    "brier_score",
    "compare",
    "evaluate",
    "expected_calibration_error",
    "explain_difference",
    "head_tail",
    "reliability_curve",
    "slices",
    "worst_losses",
]
