"""Learning to rank with gradient-boosted trees.

A query is never split, a number means what it says, and a loss written in NumPy runs at C++ speed on every booster.
Names are imported when they are first used, so that ``import gbrank`` costs little more than ``import numpy``.
"""

from typing import TYPE_CHECKING

from ._checks import DataError, GbrankError, GbrankWarning, ParameterError
from ._optional import lazy_attributes
from ._version import __version__

if TYPE_CHECKING:
    from .data import LetorFold as LetorFold
    from .data import RankingData as RankingData
    from .data import concat as concat
    from .data import make_letor as make_letor
    from .data import read_letor as read_letor
    from .data import read_letor_fold as read_letor_fold
    from .data import write_letor as write_letor
    from .evaluation import Evaluation as Evaluation
    from .evaluation import evaluate as evaluate
    from .explain import importances as importances
    from .metrics import Convention as Convention
    from .metrics import Measure as Measure
    from .metrics import measure as measure
    from .objectives import Objective as Objective
    from .objectives import objective as objective
    from .objectives import pair_loss as pair_loss
    from .objectives import point_loss as point_loss
    from .rankers import GBRanker as GBRanker
    from .rankers import LambdaMART as LambdaMART
    from .rankers import load as load
    from .reports import Report as Report
    from .reports import report as report
    from .splits import QueryKFold as QueryKFold
    from .splits import QueryPredefinedSplit as QueryPredefinedSplit
    from .splits import QueryShuffleSplit as QueryShuffleSplit
    from .splits import QueryStratifiedKFold as QueryStratifiedKFold
    from .splits import QueryTimeSplit as QueryTimeSplit
    from .splits import nested_folds as nested_folds
    from .splits import three_parts as three_parts
    from .splits import train_test_split as train_test_split
    from .tuning import TuneResult as TuneResult
    from .tuning import tune as tune

_WHERE = {
    "GBRanker": ".rankers",
    "LambdaMART": ".rankers",
    "Objective": ".objectives",
    "LetorFold": ".data",
    "RankingData": ".data",
    "concat": ".data",
    "make_letor": ".data",
    "read_letor": ".data",
    "read_letor_fold": ".data",
    "write_letor": ".data",
    "Convention": ".metrics",
    "Evaluation": ".evaluation",
    "Measure": ".metrics",
    "QueryKFold": ".splits",
    "QueryPredefinedSplit": ".splits",
    "QueryShuffleSplit": ".splits",
    "QueryStratifiedKFold": ".splits",
    "QueryTimeSplit": ".splits",
    "nested_folds": ".splits",
    "three_parts": ".splits",
    "evaluate": ".evaluation",
    "importances": ".explain",
    "load": ".rankers",
    "measure": ".metrics",
    "objective": ".objectives",
    "pair_loss": ".objectives",
    "point_loss": ".objectives",
    "report": ".reports",
    "Report": ".reports",
    "train_test_split": ".splits",
    "TuneResult": ".tuning",
    "tune": ".tuning",
}

__all__ = ["DataError", "GbrankError", "GbrankWarning", "ParameterError", "__version__", *_WHERE]

__getattr__, __dir__ = lazy_attributes(__name__, _WHERE)
