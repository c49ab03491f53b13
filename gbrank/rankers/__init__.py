"""Estimators that rank, and their files."""

from ._boosting import RoundInfo
from ._calibrated import CalibratedRanker
from ._diagnosis import Diagnosis, Finding, diagnose
from ._files import load
from ._lambdamart import LambdaMART
from ._ranker import GBRanker
from ._scorer import MeasureScorer, make_scorer
from ._stacked import StackedRanker

__all__ = [
    "CalibratedRanker",
    "Diagnosis",
    "Finding",
    "GBRanker",
    "LambdaMART",
    "MeasureScorer",
    "RoundInfo",
    "StackedRanker",
    "diagnose",
    "load",
    "make_scorer",
]
