"""Estimators that rank, and their files."""

from ._boosting import RoundInfo
from ._files import load
from ._lambdamart import LambdaMART
from ._ranker import GBRanker

__all__ = ["GBRanker", "LambdaMART", "RoundInfo", "load"]
