"""Learning to rank with gradient-boosted trees.

A query is never split, a number means what it says, and a loss written in NumPy runs at C++ speed on every booster.
Names are imported when they are first used, so that ``import gbrank`` costs little more than ``import numpy``.
"""

from typing import TYPE_CHECKING

from ._checks import DataError, GbrankError, GbrankWarning, ParameterError
from ._optional import lazy_attributes
from ._version import __version__

if TYPE_CHECKING:
    from .backends import bin_cache as bin_cache
    from .clicks import ClickLog as ClickLog
    from .clicks import read_click_log as read_click_log
    from .clicks import simulate_clicks as simulate_clicks
    from .data import LetorFold as LetorFold
    from .data import Qrels as Qrels
    from .data import RankingData as RankingData
    from .data import Run as Run
    from .data import concat as concat
    from .data import make_letor as make_letor
    from .data import read_kuairec as read_kuairec
    from .data import read_letor as read_letor
    from .data import read_letor_fold as read_letor_fold
    from .data import read_qrels as read_qrels
    from .data import read_run as read_run
    from .data import read_scores as read_scores
    from .data import sample_negatives as sample_negatives
    from .data import write_letor as write_letor
    from .data import write_qrels as write_qrels
    from .data import write_run as write_run
    from .data import write_scores as write_scores
    from .evaluation import Calibration as Calibration
    from .evaluation import Comparison as Comparison
    from .evaluation import Evaluation as Evaluation
    from .evaluation import best_decision as best_decision
    from .evaluation import calibration as calibration
    from .evaluation import compare as compare
    from .evaluation import evaluate as evaluate
    from .evaluation import expected_utility as expected_utility
    from .evaluation import explain_difference as explain_difference
    from .evaluation import realised_utility as realised_utility
    from .evaluation import slices as slices
    from .evaluation import worst_losses as worst_losses
    from .explain import Contributions as Contributions
    from .explain import contributions as contributions
    from .explain import curve_over_queries as curve_over_queries
    from .explain import curve_over_trees as curve_over_trees
    from .explain import importances as importances
    from .fusion import ValueModel as ValueModel
    from .fusion import target_weights as target_weights
    from .lossgen import LossSearch as LossSearch
    from .metrics import Convention as Convention
    from .metrics import Measure as Measure
    from .metrics import list_measure as list_measure
    from .metrics import measure as measure
    from .objectives import Objective as Objective
    from .objectives import list_loss as list_loss
    from .objectives import objective as objective
    from .objectives import pair_loss as pair_loss
    from .objectives import point_loss as point_loss
    from .rankers import CalibratedRanker as CalibratedRanker
    from .rankers import GBRanker as GBRanker
    from .rankers import LambdaMART as LambdaMART
    from .rankers import StackedRanker as StackedRanker
    from .rankers import diagnose as diagnose
    from .rankers import load as load
    from .rankers import make_scorer as make_scorer
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
    from .stages import StageLog as StageLog
    from .stages import read_stage_log as read_stage_log
    from .stages import relabel as relabel
    from .tuning import TuneResult as TuneResult
    from .tuning import tune as tune

_WHERE = {
    "bin_cache": ".backends",
    "ClickLog": ".clicks",
    "read_click_log": ".clicks",
    "simulate_clicks": ".clicks",
    "Calibration": ".evaluation",
    "best_decision": ".evaluation",
    "calibration": ".evaluation",
    "expected_utility": ".evaluation",
    "realised_utility": ".evaluation",
    "Contributions": ".explain",
    "contributions": ".explain",
    "curve_over_queries": ".explain",
    "curve_over_trees": ".explain",
    "explain_difference": ".evaluation",
    "worst_losses": ".evaluation",
    "slices": ".evaluation",
    "CalibratedRanker": ".rankers",
    "GBRanker": ".rankers",
    "StackedRanker": ".rankers",
    "make_scorer": ".rankers",
    "LambdaMART": ".rankers",
    "Objective": ".objectives",
    "LetorFold": ".data",
    "Qrels": ".data",
    "RankingData": ".data",
    "Run": ".data",
    "concat": ".data",
    "make_letor": ".data",
    "read_kuairec": ".data",
    "read_letor": ".data",
    "read_letor_fold": ".data",
    "read_qrels": ".data",
    "read_run": ".data",
    "read_scores": ".data",
    "sample_negatives": ".data",
    "write_letor": ".data",
    "write_qrels": ".data",
    "write_run": ".data",
    "write_scores": ".data",
    "Comparison": ".evaluation",
    "Convention": ".metrics",
    "LossSearch": ".lossgen",
    "Evaluation": ".evaluation",
    "Measure": ".metrics",
    "QueryKFold": ".splits",
    "QueryPredefinedSplit": ".splits",
    "QueryShuffleSplit": ".splits",
    "QueryStratifiedKFold": ".splits",
    "QueryTimeSplit": ".splits",
    "nested_folds": ".splits",
    "three_parts": ".splits",
    "diagnose": ".rankers",
    "compare": ".evaluation",
    "evaluate": ".evaluation",
    "importances": ".explain",
    "list_loss": ".objectives",
    "list_measure": ".metrics",
    "load": ".rankers",
    "measure": ".metrics",
    "objective": ".objectives",
    "pair_loss": ".objectives",
    "point_loss": ".objectives",
    "report": ".reports",
    "Report": ".reports",
    "train_test_split": ".splits",
    "StageLog": ".stages",
    "read_stage_log": ".stages",
    "relabel": ".stages",
    "TuneResult": ".tuning",
    "tune": ".tuning",
    "ValueModel": ".fusion",
    "target_weights": ".fusion",
}

__all__ = ["DataError", "GbrankError", "GbrankWarning", "ParameterError", "__version__", *_WHERE]

__getattr__, __dir__ = lazy_attributes(__name__, _WHERE)
