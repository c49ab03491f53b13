"""Estimators that rank, and their files."""

from ._boosting import RoundInfo
from ._files import load
from ._ranker import GBRanker, LambdaMART

__all__ = ["GBRanker", "LambdaMART", "RoundInfo", "load"]
