"""Objectives: losses written once in NumPy, for every booster.

`objective` finds one by name; `Objective` says what they all do, `Bound` what training asks of them.
"""

from ._base import OBJECTIVES, Bound, Objective, Targets, objective
from ._catboost_loss import CatBoostLoss
from ._classification import Brier, CrossEntropy, Focal, Hinge
from ._combined import Combined
from ._contrastive import Contrastive, InfoNCE, SampledSoftmax, Triplet
from ._diversity import DiversityPenalty
from ._estimated_relevance import EstimatedRelevance
from ._expression import ExpressionLoss
from ._expressions import Expression
from ._grades import GradeObjective, NoProbabilitiesError, require_grades
from ._inverse_propensity import AffineCorrection, InversePropensity
from ._listwise import XENDCG, ListNet, Softmax
from ._multiclass import McRank, McRankFocal
from ._ordinal import CumulativeLogit, ImmediateThreshold, Ordinal, OrdinalCrossEntropy
from ._pairwise import (
    LambdaRank,
    Pairwise,
    PairwiseContrastive,
    PairwiseExponential,
    PairwiseFocal,
    PairwiseHinge,
    PairwiseLogistic,
)
from ._plackett_luce import PLRank
from ._pointwise import Huber, LogCosh, SquaredError
from ._position_based import PositionBasedClicks
from ._position_term import PositionTerm
from ._quantile import AbsoluteError, Quantile
from ._rank_bce import RankBCE
from ._smooth_ranks import ApproxNDCG
from ._stochastic_rank import StochasticRank
from ._unbiased import UnbiasedLambdaRank
from ._yeti import YetiLoss
from ._yours import list_loss, pair_loss, point_loss

__all__ = [
    "OBJECTIVES",
    "XENDCG",
    "AbsoluteError",
    "AffineCorrection",
    "ApproxNDCG",
    "Bound",
    "Brier",
    "CatBoostLoss",
    "Combined",
    "Contrastive",
    "CrossEntropy",
    "CumulativeLogit",
    "DiversityPenalty",
    "EstimatedRelevance",
    "Expression",
    "ExpressionLoss",
    "Focal",
    "GradeObjective",
    "Hinge",
    "Huber",
    "ImmediateThreshold",
    "InfoNCE",
    "InversePropensity",
    "LambdaRank",
    "ListNet",
    "LogCosh",
    "McRank",
    "McRankFocal",
    "NoProbabilitiesError",
    "Objective",
    "Ordinal",
    "OrdinalCrossEntropy",
    "PLRank",
    "Pairwise",
    "PairwiseContrastive",
    "PairwiseExponential",
    "PairwiseFocal",
    "PairwiseHinge",
    "PairwiseLogistic",
    "PositionBasedClicks",
    "PositionTerm",
    "Quantile",
    "RankBCE",
    "SampledSoftmax",
    "Softmax",
    "SquaredError",
    "StochasticRank",
    "Targets",
    "Triplet",
    "UnbiasedLambdaRank",
    "YetiLoss",
    "list_loss",
    "objective",
    "pair_loss",
    "point_loss",
    "require_grades",
]
