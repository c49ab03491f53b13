"""Lambda weights: what a pair of documents is worth, by what swapping them would change.

A weight is a pair of plain functions.  ``prepare`` looks at one ranked list and fills two numbers for each rank and one
for the list; ``delta(i, j, y_i, y_j, a_i, a_j, b_i, b_j, c)`` is the weight of the pair at ranks i < j (from 0),
elementwise, from those numbers.  Both engines call the same two functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class LambdaWeight(NamedTuple):
    """A named weight of pairs; `ranked` tells whether it depends on the ranks."""

    name: str
    prepare: Callable[..., float]
    delta: Callable[..., Any]
    ranked: bool = True


def _prepare_uniform(y: Any, gain: Any, discount: Any, ideal: Any, a: Any, b: Any) -> float:
    return 1.0


def _uniform(i: Any, j: Any, y_i: Any, y_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    return c


def _prepare_ndcg(y: Any, gain: Any, discount: Any, ideal: Any, a: Any, b: Any) -> float:
    for r in range(len(y)):
        a[r] = gain[r]
        b[r] = discount[r]
    return 1.0 / ideal if ideal > 0.0 else 0.0


def _ndcg(i: Any, j: Any, y_i: Any, y_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    return abs(a_i - a_j) * abs(b_i - b_j) * c


UNIFORM = LambdaWeight("uniform", _prepare_uniform, _uniform, ranked=False)
NDCG = LambdaWeight("ndcg", _prepare_ndcg, _ndcg)
