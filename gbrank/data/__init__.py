"""Documents in whole queries: the container, its readers and writers, and synthetic data."""

from ._concat import concat
from ._describe import Description, describe
from ._join import Joined, join
from ._letor import LetorFold, read_letor, read_letor_fold
from ._letor_writer import write_letor
from ._ranking_data import RankingData
from ._run_files import read_qrels, read_run, write_qrels, write_run
from ._runs import Qrels, Run, labels_of
from ._scores import read_scores, write_scores
from ._synthetic import make_letor

__all__ = [
    "Description",
    "Joined",
    "LetorFold",
    "Qrels",
    "RankingData",
    "Run",
    "concat",
    "describe",
    "join",
    "labels_of",
    "make_letor",
    "read_letor",
    "read_letor_fold",
    "read_qrels",
    "read_run",
    "read_scores",
    "write_letor",
    "write_qrels",
    "write_run",
    "write_scores",
]
