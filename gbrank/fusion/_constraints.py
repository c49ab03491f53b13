"""What the weights of a value model must keep to while they are searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import ParameterError
from .._registry import unknown

SIDES = ("lower", "upper", "fixed", "ndcg_floor")


@dataclass(frozen=True)
class Constraints:
    """What the weights of a value model must keep to.

    Parameters
    ----------
    lower, upper : mapping of task to float, optional
        Bounds of weights.
    fixed : mapping of task to float, optional
        Weights that stay at a value, which may be 0.
    ndcg_floor : mapping of task to float, optional
        The least mean NDCG@k, the task's own predictions as gain, that the ranking must keep: 1 - its regret.
    sum_to_one : bool
        Whether all weights add up to 1.  Of a sum, where only ratios of weights count, that fixes the scale; False
        keeps the scale near that of the start.

    Raises
    ------
    ParameterError
        Negative or crossing bounds, a floor outside 0 to 1, weights that cannot add up to 1.

    Examples
    --------
    >>> Constraints(lower={"click": 0.1}, fixed={"report": 0.25}).sum_to_one
    True
    """

    lower: Mapping[str, float] = field(default_factory=dict)
    upper: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    ndcg_floor: Mapping[str, float] = field(default_factory=dict)
    sum_to_one: bool = True

    def __post_init__(self) -> None:
        for side in SIDES:
            values = getattr(self, side)
            if not isinstance(values, Mapping):
                raise ParameterError(f"{side}: {values!r} is no mapping; give {{task: number}}.")
            for task, value in values.items():
                _check(side, task, value)
        for task, low in self.lower.items():
            if low > self.upper.get(task, np.inf):
                raise ParameterError(f"lower: {task!r} is {low:g}, above its upper bound; give lower <= upper.")
        for task in self.fixed:
            if task in self.lower or task in self.upper:
                raise ParameterError(f"fixed: {task!r} has bounds, too; give one of them.")

    def check(self, tasks: tuple[str, ...]) -> None:
        """Raise a `ParameterError` for an unknown task, or where the weights of these tasks cannot add up to 1."""
        for side in SIDES:
            for task in getattr(self, side):
                if task not in tasks:
                    raise unknown(f"task of {side}", task, tasks)
        if len(self.fixed) == len(tasks):
            raise ParameterError("fixed: all weights are, so nothing is left to search; leave one free.")
        if not self.sum_to_one:
            return
        least = sum(self.fixed.get(task, self.lower.get(task, 0.0)) for task in tasks)
        most = sum(self.fixed.get(task, self.upper.get(task, np.inf)) for task in tasks)
        if not least < 1 <= most:
            raise ParameterError(
                f"constraints: the weights add up to {least:g} at least and {most:g} at most, so not to 1; change "
                "bounds and fixed weights, or give sum_to_one=False."
            )


def as_constraints(given: Constraints | None) -> Constraints:
    """Return constraints as given, or those that hold where none are."""
    if given is not None and not isinstance(given, Constraints):
        raise ParameterError(f"constraints={given!r}: give gbrank.fusion.Constraints(...).")
    return Constraints() if given is None else given


def _check(side: str, task: Any, value: Any) -> None:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    highest = 1.0 if side == "ndcg_floor" else np.inf
    if not number or not np.isfinite(value) or value < 0 or value > highest:
        raise ParameterError(
            f"{side}: {task!r} is {value!r}; give a number {'from 0 to 1' if highest == 1 else 'of 0 or more'}."
        )
