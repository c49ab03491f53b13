"""Estimators that rank, and their files."""

from ._boosting import RoundInfo
from ._diagnosis import Diagnosis, Finding, diagnose
from ._files import load
from ._lambdamart import LambdaMART
from ._ranker import GBRanker

__all__ = ["Diagnosis", "Finding", "GBRanker", "LambdaMART", "RoundInfo", "diagnose", "load"]
