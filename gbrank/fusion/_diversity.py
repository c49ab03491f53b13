r"""Ranking again for diversity: a list is built place by place, each place by what stands above it.

How alike two documents are is told by either of

vectors : array of shape (n_documents, n_dimensions)
    A vector for each document, as an embedding, or 1 and 0 for the aspects it is about and not about; the likeness is
    the cosine of two vectors; one of zeros is like no other.
kernel : sequence of arrays of shape (n, n)
    The likeness of each pair of a query's n documents, for each query; symmetric, and of any scale.

Scores stand on a scale of their own, so `mmr` and `dpp` bring them to 0 for the worst and 1 for the best of each query
first (:math:`r` below; all 0 where all are equal).  All functions return ranks from 1, each once in a query, in the
order of the rows; ``-rank`` is a score for what comes next, be it a measure or a further rule.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import (
    DataError,
    GbrankWarning,
    IntArray,
    ParameterError,
    as_vector,
    check_positive,
    check_whole,
    real_numbers,
)
from .._compile import over_queries
from .._groups import check_query_ptr
from ._greedy import dpp_lists, limit_lists, mmr_lists

Vector = npt.NDArray[np.float64]
ALL = np.iinfo(np.int64).max


def mmr(
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    vectors: npt.ArrayLike | None = None,
    *,
    kernel: Sequence[npt.ArrayLike] | None = None,
    trade_off: float,
    k: int | None = None,
    n_jobs: int | None = None,
) -> IntArray:
    r"""Rank by maximal marginal relevance: each place goes to the document that is good and unlike those above.

    That is the greatest :math:`\lambda r_i - (1 - \lambda) \max_{j\ \mathrm{above}} A_{ij}` with :math:`\lambda` =
    `trade_off` and the likeness A.  The first place goes to the best score.

    Parameters
    ----------
    score : array of shape (n_documents,)
    query_ptr : int array of shape (n_queries + 1,)
    vectors, kernel
        How alike documents are, see the head of this module; one of the two.
    trade_off : float
        :math:`\lambda`: 1 ranks by the score, 0 by unlikeness alone.
    k : int, optional
        The places that are filled so; the documents that are left follow by their scores.  All by default.
    n_jobs : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    int64 array of shape (n_documents,)
        The rank of each document in its query, from 1.

    Raises
    ------
    DataError
        Numbers that are not finite, vectors or matrices of another shape, a matrix that is not symmetric.
    ParameterError
        A trade-off outside 0 to 1; both or none of `vectors` and `kernel`.

    References
    ----------
    Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries", SIGIR 1998.

    Examples
    --------
    The second best document is about what the best is about:

    >>> mmr([0.9, 0.8, 0.5], [0, 3], [[1, 0], [1, 0], [0, 1]], trade_off=0.5).tolist()
    [1, 3, 2]
    >>> mmr([0.9, 0.8, 0.5], [0, 3], [[1, 0], [1, 0], [0, 1]], trade_off=1.0).tolist()
    [1, 2, 3]
    """
    given = _lists(score, query_ptr, trade_off, k)
    alike = _alike(vectors, kernel, given.query_ptr)
    rank = np.empty(len(given.rows), np.int64)
    over_queries(
        mmr_lists, given.query_ptr, given.rows, given.worth, *alike, float(trade_off), given.k, rank, n_jobs=n_jobs
    )
    return rank


def dpp(
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    vectors: npt.ArrayLike | None = None,
    *,
    kernel: Sequence[npt.ArrayLike] | None = None,
    trade_off: float,
    k: int | None = None,
    ridge: float = 0.01,
    n_jobs: int | None = None,
) -> IntArray:
    r"""Rank by a determinantal point process: good documents that are unlike each other as a whole, found greedily.

    Each place goes to the document by which :math:`\lambda \sum_i r_i + (1 - \lambda) \log \det (A + \varepsilon I)` of
    the list so far becomes greatest, with :math:`\lambda` = `trade_off`, the likeness A and :math:`\varepsilon` =
    `ridge`.  Unlike `mmr`, it sees that a document is made up of several others.  Greedy lists are not always those of
    the greatest value, which are hard to find.  The Cholesky factor grows by a row for each place, in time of
    O(k^2 n) for a query.

    Parameters
    ----------
    score : array of shape (n_documents,)
    query_ptr : int array of shape (n_queries + 1,)
    vectors, kernel
        How alike documents are, see the head of this module; one of the two.  Matrices have to be positive
        semi-definite, as those of inner products are.
    trade_off : float
        :math:`\lambda`: 1 ranks by the score, 0 by unlikeness alone.  A repetition costs about :math:`-\log 2
        \varepsilon` times :math:`1 - \lambda`, so that values near 1 are those that weigh both.
    k : int, optional
        The places that are filled so; the documents that are left follow by their scores.  All by default.
    ridge : float
        :math:`\varepsilon`, what each document has that no other has: the smaller, the more a repetition costs.  With
        0, a document that is made up of others (as each is, once there are as many as dimensions) gets none of the
        places, but follows by its score.
    n_jobs : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    int64 array of shape (n_documents,)
        The rank of each document in its query, from 1.

    Raises
    ------
    DataError
        Numbers that are not finite, vectors or matrices of another shape, a matrix that is not symmetric or not
        positive semi-definite.
    ParameterError
        A trade-off outside 0 to 1; both or none of `vectors` and `kernel`.

    References
    ----------
    Chen, Zhang and Zhou, "Fast Greedy MAP Inference for Determinantal Point Process to Improve Recommendation
    Diversity", NeurIPS 2018: equations 10 and 11 and algorithm 1.

    Examples
    --------
    >>> dpp([0.9, 0.8, 0.5], [0, 3], [[1, 0], [1, 0], [0, 1]], trade_off=0.8).tolist()
    [1, 3, 2]
    >>> dpp([0.9, 0.8, 0.5], [0, 3], [[1, 0], [1, 0], [0, 1]], trade_off=0.9).tolist()
    [1, 2, 3]
    """
    given = _lists(score, query_ptr, trade_off, k)
    check_positive("ridge", ridge, zero=True)
    alike = _alike(vectors, kernel, given.query_ptr)
    rank, failed = np.empty(len(given.rows), np.int64), np.zeros(len(given.query_ptr) - 1, np.bool_)
    over_queries(
        dpp_lists, given.query_ptr, given.rows, given.worth, *alike, float(trade_off), given.k, float(ridge), rank,
        failed, n_jobs=n_jobs,
    )  # fmt: skip
    if failed.any():
        raise DataError(
            f"kernel: that of query {int(np.argmax(failed))} is not positive semi-definite, so its determinants mean "
            "nothing; give inner products, or a larger `ridge`."
        )
    return rank


def at_most(
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    *rules: tuple[npt.ArrayLike, int, int],
    n_jobs: int | None = None,
) -> IntArray:
    """Rank by score, but with at most so many documents of a kind in the first places.

    Each place goes to the best document that no rule forbids; what is held back follows as soon as the rules let it.
    Where all that are left are forbidden, the best of them gets the place, and a warning says how often.

    Parameters
    ----------
    score : array of shape (n_documents,)
    query_ptr : int array of shape (n_queries + 1,)
    *rules : (kinds, n, k)
        At most n documents of a kind in the first k places.  `kinds` names the kind of each document (numbers or
        text), or, as an array of shape (n_documents, n_kinds) of 1 and 0, says which kinds it is of, also several or
        none.
    n_jobs : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    int64 array of shape (n_documents,)
        The rank of each document in its query, from 1.

    Warns
    -----
    GbrankWarning
        Queries in which the rules cannot be kept.

    Examples
    --------
    At most one document of an author in the first two places, and at most two in the first four:

    >>> author = ["a", "a", "a", "b", "c"]
    >>> at_most([5, 4, 3, 2, 1], [0, 5], (author, 1, 2), (author, 2, 4)).tolist()
    [1, 3, 5, 2, 4]
    """
    given = _lists(score, query_ptr, 1.0, None)
    if not rules:
        raise ParameterError("rules: give at least one, as (kinds, n, k).")
    kind_ptr, kind, limit, within = _kinds(rules, len(given.rows))
    rank, short = np.empty(len(given.rows), np.int64), np.zeros(len(given.query_ptr) - 1, np.bool_)
    over_queries(
        limit_lists, given.query_ptr, given.rows, kind_ptr, kind, limit, within, rank, short, n_jobs=n_jobs
    )  # fmt: skip
    if short.any():
        warnings.warn(
            f"at_most: in {short.sum()} of {len(short)} queries (the first is query {int(np.argmax(short))}) too few "
            "documents of other kinds are there to keep the rules; the best that were held back fill the places.",
            GbrankWarning,
            stacklevel=2,
        )
    return rank


class Lists(NamedTuple):
    """Checked queries: the rows of each, best first, and the scores from 0 to 1."""

    query_ptr: IntArray
    rows: IntArray
    worth: Vector
    k: int


def _lists(score: npt.ArrayLike, query_ptr: npt.ArrayLike, trade_off: float, k: int | None) -> Lists:
    scores = as_vector("score", score)
    ptr = check_query_ptr(query_ptr, len(scores))
    check_positive("trade_off", trade_off, zero=True)
    if trade_off > 1:
        raise ParameterError(f"trade_off={trade_off!r}: must be from 0, diversity alone, to 1, the score alone.")
    if k is not None:
        check_whole("k", k)
    sizes = np.diff(ptr)
    rows = np.lexsort((-scores, np.repeat(np.arange(len(sizes)), sizes)))
    lowest, highest = (np.repeat(each.reduceat(scores, ptr[:-1]), sizes) for each in (np.minimum, np.maximum))
    spread = highest - lowest
    worth = np.divide(scores - lowest, spread, out=np.zeros_like(scores), where=spread > 0)
    return Lists(ptr, rows, worth, ALL if k is None else int(k))


def _alike(
    vectors: npt.ArrayLike | None, kernel: Sequence[npt.ArrayLike] | None, query_ptr: IntArray
) -> tuple[Vector, IntArray, int]:
    """Return the table of likeness, where each query's part begins, and its width, see `_greedy`."""
    if kernel is not None and vectors is None:
        return _matrices(kernel, query_ptr)
    if vectors is None or kernel is not None:
        raise ParameterError("vectors, kernel: give one of them, to tell how alike documents are.")
    table = real_numbers("vectors", vectors)
    if table.ndim != 2 or len(table) != query_ptr[-1] or table.shape[1] == 0:
        raise DataError(
            f"vectors: shape {table.shape} for {query_ptr[-1]} documents; give a row of numbers for each document."
        )
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise DataError(f"vectors: row {row}, column {column} is {table[row, column]}; give finite numbers.")
    length = np.linalg.norm(table, axis=1, keepdims=True)
    table = np.divide(table, length, out=np.zeros_like(table), where=length > 0)
    return table.ravel(), query_ptr[:-1] * table.shape[1], table.shape[1]


def _matrices(kernel: Sequence[npt.ArrayLike], query_ptr: IntArray) -> tuple[Vector, IntArray, int]:
    sizes = np.diff(query_ptr)
    matrices = [real_numbers(f"kernel of query {q}", each) for q, each in enumerate(kernel)]
    if len(matrices) != len(sizes):
        raise DataError(f"kernel: {len(matrices)} matrices for {len(sizes)} queries; give one for each.")
    for q, (matrix, n) in enumerate(zip(matrices, sizes.tolist(), strict=True)):
        if matrix.shape != (n, n):
            raise DataError(f"kernel: that of query {q} has the shape {matrix.shape}, for {n} documents.")
        if not np.isfinite(matrix).all():
            raise DataError(f"kernel: that of query {q} has numbers that are not finite.")
        if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=1e-12):
            raise DataError(f"kernel: that of query {q} is not symmetric; likeness goes both ways.")
    offset = np.concatenate(([0], np.cumsum(sizes**2)[:-1]))
    return np.concatenate([matrix.ravel() for matrix in matrices]), offset, 0


def _kinds(
    rules: Sequence[tuple[npt.ArrayLike, int, int]], n_documents: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return where the kinds of each row begin, the kinds, numbered over all rules, and n and k of each."""
    rows: list[IntArray] = []
    kinds: list[IntArray] = []
    limit: list[IntArray] = []
    within: list[IntArray] = []
    for number, rule in enumerate(rules):
        try:
            names, n, k = rule
        except (TypeError, ValueError):
            raise ParameterError(f"rules: number {number} is no (kinds, n, k).") from None
        check_whole(f"n of rule {number}", n)
        check_whole(f"k of rule {number}", k)
        row, kind, count = _members(names, n_documents, number)
        rows.append(row)
        kinds.append(kind + sum(len(each) for each in limit))
        limit.append(np.full(count, n))
        within.append(np.full(count, k))
    row, kind = np.concatenate(rows), np.concatenate(kinds)
    order = np.argsort(row, kind="stable")
    return (
        np.searchsorted(row[order], np.arange(n_documents + 1)),
        kind[order].astype(np.int64),
        np.concatenate(limit).astype(np.int64),
        np.concatenate(within).astype(np.int64),
    )


def _members(kinds: npt.ArrayLike, n_documents: int, number: int) -> tuple[IntArray, IntArray, int]:
    """Return rows and kinds, one of each for each kind that a document is of, and how many kinds there are."""
    names = np.asarray(kinds)
    if names.ndim not in (1, 2) or len(names) != n_documents:
        raise DataError(
            f"kinds of rule {number}: shape {names.shape} for {n_documents} documents; give a name for each, or a row "
            "of 1 and 0."
        )
    if names.ndim == 1:
        if names.dtype.kind == "f" and np.isnan(names).any():
            raise DataError(f"kinds of rule {number}: row {int(np.argmax(np.isnan(names)))} is NaN; name every kind.")
        distinct, codes = np.unique(names.astype(str) if names.dtype == object else names, return_inverse=True)
        return np.arange(n_documents), codes.astype(np.int64), len(distinct)
    if not np.isin(names, (0, 1)).all():
        row, column = np.argwhere(~np.isin(names, (0, 1)))[0]
        raise DataError(
            f"kinds of rule {number}: row {row}, column {column} is {names[row, column]}; with several columns, 1 is "
            "of the kind and 0 not."
        )
    row, kind = np.nonzero(names)
    return row, kind, names.shape[1]
