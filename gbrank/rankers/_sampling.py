"""Whole queries drawn anew for each round."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import IntArray

Rows = npt.NDArray[np.bool_]


def drawn_rows(query_ptr: IntArray, share: float, seed: int, number: int) -> Rows:
    """Return which documents a round learns from: those of a share of the queries, one query at least.

    The draw depends on nothing but the number of queries, the seed and the number of the round.

    Examples
    --------
    >>> drawn_rows(np.array([0, 2, 3, 6]), 0.67, seed=0, number=0).tolist()
    [True, True, False, True, True, True]
    """
    n_queries = len(query_ptr) - 1
    drawn = np.zeros(n_queries, bool)
    drawn[np.random.default_rng([seed, number]).permutation(n_queries)[: max(1, round(share * n_queries))]] = True
    return np.repeat(drawn, np.diff(query_ptr))


def only(drawn: Rows, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the gradients or hessians of the documents drawn, and 0 for the others."""
    return np.where(drawn if values.ndim == 1 else drawn[:, None], values, 0.0)


def set_apart(drawn: Rows, leaf: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return leaves with all documents that were not drawn in one more, after the last (of each output's tree)."""
    return np.where(drawn if leaf.ndim == 1 else drawn[:, None], leaf, leaf.max(axis=0) + 1)


def without_last(values: npt.NDArray[Any], leaf: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return the values of leaves without that of the one that `set_apart` adds to `leaf`."""
    if values.ndim == 1:
        return values[: leaf.max() + 1]
    kept = values.copy()
    kept[leaf.max(axis=0) + 1, np.arange(values.shape[1])] = np.nan
    return kept
