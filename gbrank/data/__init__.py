"""Documents in whole queries: the container, its readers and writers, and synthetic data."""

from ._letor import LetorFold, read_letor, read_letor_fold
from ._ranking_data import RankingData, concat

__all__ = ["LetorFold", "RankingData", "concat", "read_letor", "read_letor_fold"]
