"""The frame of objectives that correct another one: its parameters, its state, and data or scores put otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..._checks import ParameterError
from ..._registry import unknown
from .._base import Bound, Gradients, Labelled, Objective, State, Vector
from .._combined import PROMISES, as_part
from .._listwise import Softmax

DEFAULT = Softmax()
SMALLEST_CURVATURE = 0.05  # of a term of negative weight, relative to the gradient


@dataclass(frozen=True, repr=False)
class Wrapped(Objective):
    """What objectives share that correct a base objective; raw scores and their meaning are those of the base.

    Parameters
    ----------
    base : Objective
        What is corrected; also a name, or a table ``{"name": ..., "gamma": ...}`` of name and parameters.
    """

    base: Objective = DEFAULT

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", as_part(self.base))
        for promise in PROMISES:
            object.__setattr__(self, promise, getattr(self.base, promise))

    def alone(self, state: State) -> tuple[Objective, State]:
        return self.base.alone(state)

    @property
    def reads_pairs(self) -> bool:
        return self.base.reads_pairs

    def label_columns(self) -> frozenset[int]:
        return self.base.label_columns()

    def transform(self, score: npt.NDArray[Any], state: State) -> npt.NDArray[Any]:
        return self.base.transform(score, state)

    def position_bias(self, state: State) -> dict[str, Vector]:
        return self.base.position_bias(state)

    def params(self, deep: bool = False) -> dict[str, Any]:
        own = super().params()
        inner = self.base.params(deep=True) if deep else {}
        return own | {f"base__{name}": value for name, value in inner.items()}

    def with_params(self, **params: Any) -> Self:
        """Return the same correction with some parameters replaced: `base`, or ``base__truncation`` of it."""
        known = self.params(deep=True)
        for path in params:
            if path not in known:
                raise unknown(f"parameter of {self.name}", path, known)
        made = super().with_params(**{name: value for name, value in params.items() if "__" not in name})
        inner = {path.removeprefix("base__"): value for path, value in params.items() if "__" in path}
        return super(Wrapped, made).with_params(base=made.base.with_params(**inner)) if inner else made

    def refused(self, why: str) -> ParameterError:
        """Return the error for a base that cannot be corrected so."""
        return ParameterError(f"{self.name}: cannot correct {self.base}: {why}")


class WrappedBound(Bound):
    """A base tied to data: whatever is not overridden is done by it."""

    def __init__(self, base: Bound) -> None:
        self.base = base

    def init_score(self) -> Vector:
        return self.base.init_score()

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        return self.base.gradient_hessian(score, round)

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        return self.base.loss(score)

    def end_round(self, score: npt.NDArray[Any]) -> None:
        self.base.end_round(score)

    def state(self) -> State:
        return self.base.state()

    def begin(self, score: npt.NDArray[Any]) -> None:
        self.base.begin(score)

    def resume(self, state: State, rounds: int) -> None:
        self.base.resume(state, rounds)


class Altered:
    """Data, with some of the fields that an objective reads replaced."""

    def __init__(self, data: Labelled, **fields: Any) -> None:
        vars(self).update(fields)
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def floored(gradient: npt.NDArray[Any], hessian: npt.NDArray[Any], where: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Return the hessian, made at least a twentieth of the gradient's size in some places."""
    return np.where(where, np.maximum(hessian, SMALLEST_CURVATURE * np.abs(gradient)), hessian)


def taken_by_rank(state: State, name: str, own: Vector) -> Vector:
    """Return numbers of ranks from the state of an earlier training; ranks that it does not have keep their own."""
    earlier = np.asarray(state.get(name, ()), dtype=np.float64)
    longer = max(len(earlier), len(own))
    known, here = (np.pad(each, (0, longer - len(each)), constant_values=np.nan) for each in (earlier, own))
    return np.where(np.isnan(known), here, known)
