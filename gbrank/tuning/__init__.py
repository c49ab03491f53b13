"""Search for parameters with Optuna, on whole queries and by one measure."""

from ._result import TuneResult
from ._space import DEFAULT_SPACE, default_space
from ._study import tune

__all__ = ["DEFAULT_SPACE", "TuneResult", "default_space", "tune"]
