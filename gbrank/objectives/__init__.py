"""Objectives: losses written once in NumPy, for every booster.

`objective` finds one by name; `Objective` says what they all do, `Bound` what training asks of them.
"""

from ._base import OBJECTIVES, Bound, Objective, Targets, objective
from ._ordinal import Ordinal
from ._pairwise import LambdaRank, PairwiseLogistic
from ._pointwise import Focal, McRank, Quantile, SquaredError

__all__ = [
    "OBJECTIVES",
    "Bound",
    "Focal",
    "LambdaRank",
    "McRank",
    "Objective",
    "Ordinal",
    "PairwiseLogistic",
    "Quantile",
    "SquaredError",
    "Targets",
    "objective",
]
