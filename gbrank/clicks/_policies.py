"""Logging policies: what decides the lists that users are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import IntArray, as_vector, check_positive
from .._compile import kernel
from ..data import RankingData
from ._pairs import Vector

Keys = Callable[[IntArray, np.random.Generator], Vector]
FEW = 64  # places that are found by insertion


@dataclass(frozen=True, eq=False)
class PlackettLuce:
    """A randomised policy: each place goes to a document that is left, in proportion to exp(score / temperature).

    Parameters
    ----------
    scores : array-like of shape (n_documents,), ranker or callable
        As the `logging_policy` of `simulate_clicks`.
    temperature : float
        Above 0: near 0 the ranking by score, large any ranking.

    Notes
    -----
    Any object with such a method ``bind(data)`` is a randomised policy: it returns a function from row numbers, with
    repetitions, and a generator to a number for each, by which the documents of a session are sorted, highest first.
    """

    scores: Any
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_positive("temperature", self.temperature)

    def bind(self, data: RankingData) -> Keys:
        """Return the function that draws sort keys: scores with Gumbel noise."""
        scaled = scores_of(self.scores, data) / self.temperature
        return lambda rows, generator: scaled[rows] + generator.gumbel(size=len(rows))


def scores_of(policy: Any, data: RankingData) -> Vector:
    """Return the scores of all documents by an array, a ranker (its `predict`), or a function of the data."""
    found = policy.predict(data) if hasattr(policy, "predict") else policy(data) if callable(policy) else policy
    return as_vector("logging_policy", found, length=data.n_documents)


def listed(keys: Vector, ptr: IntArray, top_k: int | None) -> tuple[IntArray, IntArray]:
    """Return offsets of the lists, and the places in `keys` of their documents, highest key first.

    Of equal keys the first stands first.
    """
    sizes = np.diff(ptr)
    shown = sizes if top_k is None else np.minimum(sizes, top_k)
    list_ptr = np.concatenate(([0], np.cumsum(shown)))
    places = np.empty(list_ptr[-1], np.int64)
    _highest(keys, ptr, list_ptr, places)
    return list_ptr, places


@kernel
def _highest(keys: Any, ptr: Any, list_ptr: Any, places: Any) -> None:
    """Write the places of the highest keys of each list."""
    for s in range(len(ptr) - 1):
        first, n, k = ptr[s], ptr[s + 1] - ptr[s], list_ptr[s + 1] - list_ptr[s]
        out = places[list_ptr[s] : list_ptr[s + 1]]
        if k > FEW:
            order = np.argsort(-keys[first : first + n], kind="mergesort")
            for r in range(k):
                out[r] = first + order[r]
            continue
        filled = 0
        for i in range(first, first + n):
            if filled == k and keys[i] <= keys[out[k - 1]]:
                continue
            r = filled if filled < k else k - 1
            filled = min(filled + 1, k)
            while r > 0 and keys[out[r - 1]] < keys[i]:
                out[r] = out[r - 1]
                r -= 1
            out[r] = i
