"""CatBoost's losses by their own names, for those that have no objective here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import numpy.typing as npt

from .._checks import ParameterError
from ._base import Bound, Gradients, Labelled, Objective, Vector, require_varied, single_labels
from ._frames.pairs import require_pairs

PREFIX = "catboost:"
OF_PAIRS = ("PairLogit", "PairLogitPairwise")
OF_QUERIES = (
    *OF_PAIRS,
    *("YetiRank", "YetiRankPairwise", "QueryRMSE", "QuerySoftMax", "StochasticRank", "LambdaMart"),
)
SHAPE = re.compile(r"\w+(:\w+=[^;=]+(;\w+=[^;=]+)*)?")


@dataclass(frozen=True, repr=False)
class CatBoostLoss(Objective):
    """A loss of CatBoost, by its own name and parameters; CatBoost alone knows its value and its gradient.

    For ``GBRanker(backend="catboost", engine="native")``.  The text ``"catboost:QueryRMSE"`` stands for
    ``CatBoostLoss("QueryRMSE")``, wherever an objective has a name.  A model ranks by the raw score.

    Parameters
    ----------
    loss_function : str
        As CatBoost writes it, a name and parameters: "QueryRMSE", "YetiRank:mode=MAP;permutations=20".  One output a
        document; losses with several are the objectives "mcrank" and "quantile".

    References
    ----------
    CatBoost's documentation, "Ranking: objectives and metrics".

    Examples
    --------
    >>> CatBoostLoss("YetiRank:mode=MAP").parameters
    {'mode': 'MAP'}
    """

    name: ClassVar[str] = "catboost"
    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False
    summable: ClassVar[bool] = False
    loss_function: str = "YetiRank"

    def __post_init__(self) -> None:
        if not isinstance(self.loss_function, str) or not SHAPE.fullmatch(self.loss_function):
            raise ParameterError(
                f"loss_function={self.loss_function!r}: write a loss of CatBoost as 'name' or "
                "'name:parameter=value;parameter=value'."
            )
        object.__setattr__(self, "name", PREFIX + self.loss_function)

    @property
    def base(self) -> str:
        """The loss without its parameters."""
        return self.loss_function.partition(":")[0]

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters, as text."""
        _, _, given = self.loss_function.partition(":")
        return dict(each.split("=") for each in given.split(";")) if given else {}

    @property
    def reads_pairs(self) -> bool:
        return self.base in OF_PAIRS

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        if engine == "compiled":
            self._refuse()
        y = single_labels(data, self.name)
        if self.reads_pairs and getattr(data, "pairs", None) is not None:
            return OfCatBoost(self)
        require_varied(y, self.name)
        if self.base in OF_QUERIES:
            require_pairs(y, data.query_ptr)
        return OfCatBoost(self)

    def _refuse(self) -> NoReturn:
        raise ParameterError(
            f"objective={self.name!r}: CatBoost alone computes its loss; give backend='catboost' and engine='native'."
        )


class OfCatBoost(Bound):
    """Stands where a bound objective does, while CatBoost trains."""

    def __init__(self, objective: CatBoostLoss) -> None:
        self.objective = objective

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        self.objective._refuse()

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        self.objective._refuse()
