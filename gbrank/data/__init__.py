"""Documents in whole queries: the container, its readers and writers, and synthetic data."""

from ._concat import concat
from ._describe import Description, describe
from ._join import Joined, join
from ._kuairec import KuaiRec, read_kuairec, watched
from ._letor import LetorFold, read_letor, read_letor_fold
from ._letor_writer import write_letor
from ._negative_draws import ByPopularity, Hard, Stratified
from ._negative_rules import disliked, engaged, shown_above, within_hops
from ._negatives import Negatives, bootstrap_negatives, sample_negatives
from ._ranking_data import RankingData
from ._run_files import read_qrels, read_run, write_qrels, write_run
from ._runs import Qrels, Run, labels_of
from ._scores import read_scores, write_scores
from ._synthetic import make_letor

__all__ = [
    "ByPopularity",
    "Description",
    "Hard",
    "Joined",
    "KuaiRec",
    "LetorFold",
    "Negatives",
    "Qrels",
    "RankingData",
    "Run",
    "Stratified",
    "bootstrap_negatives",
    "concat",
    "describe",
    "disliked",
    "engaged",
    "join",
    "labels_of",
    "make_letor",
    "read_kuairec",
    "read_letor",
    "read_letor_fold",
    "read_qrels",
    "read_run",
    "read_scores",
    "sample_negatives",
    "shown_above",
    "watched",
    "within_hops",
    "write_letor",
    "write_qrels",
    "write_run",
    "write_scores",
]
