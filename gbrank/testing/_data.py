"""Labels and scores to try an objective on."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import IntArray, ParameterError, require_finite
from .._groups import check_query_ptr

Array = npt.NDArray[Any]

PAIRS = 50  # preferences of a query


class Data(NamedTuple):
    """Labels in whole queries, with preferences for objectives that learn from them."""

    y: Array
    query_ptr: IntArray
    sample_weight: Array | None
    query_weight: Array | None
    pairs: IntArray
    pair_weight: Array
    position: IntArray


def with_pairs(y: Array, query_ptr: IntArray, rng: np.random.Generator) -> Data:
    """Return data shown in row order, whose preferences are some of the pairs that the labels make."""
    grades, pairs = y if y.ndim == 1 else y[:, 0], []
    for start, end in itertools.pairwise(query_ptr):
        found = start + np.argwhere(grades[start:end, None] > grades[None, start:end])
        pairs.append(found[rng.permutation(len(found))[:PAIRS]])
    chosen = np.concatenate(pairs)
    position = np.arange(1, len(y) + 1) - np.repeat(query_ptr[:-1], np.diff(query_ptr))
    return Data(y, query_ptr, None, None, chosen, rng.uniform(0.5, 2, len(chosen)), position)


def reordered(data: Data, order: IntArray) -> tuple[Data, IntArray]:
    """Return data without weights, its queries in another order, and the row that stood in each place."""
    query_ptr = np.append(0, np.cumsum(np.diff(data.query_ptr)[order]))
    rows = np.concatenate([np.arange(data.query_ptr[q], data.query_ptr[q + 1]) for q in order])
    place = np.empty_like(rows)
    place[rows] = np.arange(len(rows))
    pairs = place[data.pairs]
    by_query = np.argsort(np.searchsorted(query_ptr, pairs[:, 0], side="right"), kind="stable")
    weight, position = data.pair_weight[by_query], data.position[rows]
    return Data(data.y[rows], query_ptr, None, None, pairs[by_query], weight, position), rows


def labels_for(y: npt.ArrayLike | None, query_ptr: npt.ArrayLike | None, rng: np.random.Generator) -> Data:
    """Return the labels given, or grades in lists of 1 to 60 documents, the last with nothing relevant."""
    if y is not None:
        labels = np.array(y, dtype=np.float64)
        require_finite("y", labels)
        ptr = check_query_ptr([0, len(labels)] if query_ptr is None else query_ptr, len(labels))
        return with_pairs(labels, ptr, rng)
    if query_ptr is not None:
        raise ParameterError("query_ptr: give y, too.")
    ptr = np.concatenate(([0], np.cumsum((5, 2, 1, 12, 3, 25, 60, 4, 9))))
    labels = rng.choice(5, size=ptr[-1], p=(0.45, 0.25, 0.15, 0.1, 0.05)).astype(np.float64)
    labels[:7] = 4, 0, 1, 3, 2, 0, 2
    labels[ptr[-2] :] = 0
    return with_pairs(labels, ptr, rng)


def odd_queries(y: Array, rng: np.random.Generator) -> Data:
    """Return queries of one document, of equal labels and of 1,000 documents, with labels as in `y`."""
    rows = rng.integers(0, len(y), 1 + 6 + 1000 + 1)
    rows[1:7] = rows[1]
    rows[7 : 7 + min(1000, len(y))] = np.arange(min(1000, len(y)))  # so that no label is missing
    return with_pairs(y[rows], np.array([0, 1, 7, 1007, 1008]), rng)


def spread_scores(query_ptr: IntArray, n_outputs: int, rng: np.random.Generator) -> Array:
    """Return scores between about -3 and 3, evenly spaced up to a jitter in each query and output."""
    score = np.empty((query_ptr[-1], n_outputs))
    for start, end in itertools.pairwise(query_ptr):
        n = end - start
        for column in range(n_outputs):
            places = rng.permutation(n) + rng.uniform(-0.3, 0.3, n)
            score[start:end, column] = (places - (n - 1) / 2 + 0.2) * 6 / (n + 2)
    return score if n_outputs > 1 else score[:, 0]


def by_row(values: Array, query_ptr: IntArray, like: Array) -> Array:
    """Return a value of each query for each of its documents, to be multiplied with `like`."""
    return np.repeat(values, np.diff(query_ptr)).reshape(-1, *(1,) * (like.ndim - 1))
