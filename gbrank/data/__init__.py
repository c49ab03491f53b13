"""Documents in whole queries: the container, its readers and writers, and synthetic data."""

from ._describe import Description, describe
from ._letor import LetorFold, read_letor, read_letor_fold
from ._letor_writer import write_letor
from ._ranking_data import RankingData, concat
from ._synthetic import make_letor

__all__ = [
    "Description",
    "LetorFold",
    "RankingData",
    "concat",
    "describe",
    "make_letor",
    "read_letor",
    "read_letor_fold",
    "write_letor",
]
