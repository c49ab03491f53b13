"""Documents in whole queries: the container, its readers and writers, and synthetic data."""

from ._ranking_data import RankingData, concat

__all__ = ["RankingData", "concat"]
