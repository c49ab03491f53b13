"""Explicit preferences: pairs of documents of one query, of which the first is preferred to the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, as_weights
from .._groups import Groups

Weights = npt.NDArray[np.float64]


def check_pairs(
    pairs: npt.ArrayLike | None, pair_weight: npt.ArrayLike | None, groups: Groups
) -> tuple[IntArray | None, Weights | None]:
    """Return pairs and their weights as `RankingData` keeps them: rows of the regrouped data, pairs query by query.

    Parameters
    ----------
    pairs : array-like of int of shape (n_pairs, 2), optional
        Rows, as given, of the preferred and of the other document.
    pair_weight : array-like of shape (n_pairs,), optional
    groups : Groups
        Of the rows as given.

    Raises
    ------
    DataError
        What is no row, or two rows that are no two documents of one query; weights without pairs, or not one for each.
    """
    if pairs is None:
        if pair_weight is not None:
            raise DataError("pair_weight: there are no pairs to weight; give `pairs` as well, or leave it out.")
        return None, None
    given = _rows(pairs, len(groups.order))
    weight = None if pair_weight is None else as_weights("pair_weight", pair_weight, len(given), of="pairs")
    place = np.empty_like(groups.order)
    place[groups.order] = np.arange(len(place))
    rows = place[given]
    query = np.searchsorted(groups.query_ptr, rows, side="right") - 1
    _require_one_query(given, query, groups.query_ids)
    by_query = np.argsort(query[:, 0], kind="stable")
    return rows[by_query], None if weight is None else weight[by_query]


def _rows(pairs: npt.ArrayLike, n: int) -> IntArray:
    try:
        values = np.asarray(pairs)
    except ValueError as error:
        raise DataError(f"pairs: each pair is two row numbers ({error}).") from None
    if values.ndim != 2 or values.shape[1] != 2:
        raise DataError(f"pairs: must have the shape (n_pairs, 2), not {values.shape}: the preferred row, the other.")
    if values.dtype.kind not in "iuf":
        raise DataError(f"pairs: rows are whole numbers, not {values.dtype}; give the rows of X, counted from 0.")
    # NaN compares False, so it is found here too.
    bad = ~((values >= 0) & (values < n) & (values == np.floor(values))).all(axis=1)
    if bad.any():
        number = int(np.argmax(bad))
        raise DataError(
            f"pairs: pair {number} has rows {values[number, 0]} and {values[number, 1]}; rows are whole numbers from 0 "
            f"to {n - 1}, as the documents were given."
        )
    return values.astype(np.int64)


def _require_one_query(given: IntArray, query: IntArray, query_ids: npt.NDArray[Any]) -> None:
    bad = (query[:, 0] != query[:, 1]) | (given[:, 0] == given[:, 1])
    if not bad.any():
        return
    number = int(np.argmax(bad))
    (a, b), (p, q) = given[number].tolist(), query_ids[query[number]].tolist()
    if a == b:
        raise DataError(f"pairs: pair {number} has row {a} (query {p!r}) twice; remove it, or name another document.")
    raise DataError(
        f"pairs: pair {number} has row {a} of query {p!r} and row {b} of query {q!r}; documents compare within a query "
        "only: remove the pair, or correct its rows or qid."
    )


def take_pairs(pairs: IntArray, at: IntArray, rows: IntArray, n: int) -> IntArray:
    """Return the pairs that stand at `at`, renumbered for data that keep of `n` rows only `rows`, in that order."""
    place = np.empty(n, np.int64)
    place[rows] = np.arange(len(rows))
    return np.asarray(place[pairs[at]])
