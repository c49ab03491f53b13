"""Learning to rank with gradient-boosted trees.

A query is never split, a number means what it says, and a loss written in NumPy runs at C++ speed on every booster.
Names are imported when they are first used, so that ``import gbrank`` costs little more than ``import numpy``.
"""

from typing import TYPE_CHECKING

from ._checks import DataError, GbrankError, GbrankWarning, ParameterError
from ._optional import lazy_attributes
from ._version import __version__

if TYPE_CHECKING:
    from .data import RankingData as RankingData
    from .data import concat as concat

_WHERE = {
    "RankingData": ".data",
    "concat": ".data",
}

__all__ = ["DataError", "GbrankError", "GbrankWarning", "ParameterError", "__version__", *_WHERE]

__getattr__, __dir__ = lazy_attributes(__name__, _WHERE)
