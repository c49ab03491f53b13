"""What documents are worth to a measure, and what a query's list is divided by: all of it before anything is ranked.

Values are functions (labels, convention, name of the measure) -> float64 array of shape (n_documents,), or, of
aspects, (n_aspects, n_documents).  Norms are functions (value, query_ptr, convention, k, n_jobs) -> one number for
each query.  Tables are functions (convention, n) -> weights of ranks 1, ..., n.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import DataError, IntArray, whole_grades
from .._compile import kernel, over_queries
from ._convention import Convention, Vector, discounts
from ._ranking import ideal_dcg


def labels(y: Vector, convention: Convention, used_by: str) -> Vector:
    """Return the labels themselves."""
    return y


def relevant(y: Vector, convention: Convention, used_by: str) -> Vector:
    """Return 1 for each relevant document, else 0."""
    return (y >= convention.relevant_from).astype(np.float64)


def stopping(y: Vector, convention: Convention, used_by: str) -> Vector:
    """Return the probability (2^y - 1) / 2^max_grade that a user who sees the document looks no further."""
    grades = whole_grades(y, used_by)
    highest = convention.max_grade
    if len(grades) and grades.max() > highest:
        row = int(np.argmax(grades))
        raise DataError(
            f"label {y[row]:g} in row {row}: {used_by} was told that grades end at {highest}; "
            f"give the highest grade of the scale, as in measure('err', max_grade={grades[row]})."
        )
    return np.asarray((np.exp2(grades) - 1) / 2.0**highest)


def judged_relevant(y: Vector, convention: Convention, used_by: str) -> Vector:
    """Return 1 for relevant, 0 for judged otherwise, -1 for unjudged in the pool, -2 for not in the pool."""
    return np.asarray(np.where(is_unjudged(y), y, y >= convention.relevant_from))


def judged(y: Vector, convention: Convention, used_by: str) -> Vector:
    """Return 1 for each judged document, else 0."""
    return np.where(is_unjudged(y), 0.0, 1.0)


def is_unjudged(y: Vector) -> Any:
    """Tell which documents have no judgment: those of label -1 (in the pool) or -2 (not in it)."""
    return (y == -1) | (y == -2)


def about(aspects: Vector, convention: Convention, used_by: str) -> Vector:
    """Return 1 where a document is about an aspect, else 0, by aspect.

    Raises
    ------
    DataError
        An entry is another number; row and column are named.
    """
    wrong = (aspects != 0) & (aspects != 1)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"aspects: row {row}, column {column} is {aspects[row, column]:g}; {used_by} needs 1 where a document is "
            "about the aspect, else 0."
        )
    return np.ascontiguousarray(aspects.T)


def sated(aspects: Vector, convention: Convention, used_by: str) -> Vector:
    """Return `alpha` where a document is about an aspect, else 0: the interest in the aspect that it takes away."""
    return convention.alpha * about(aspects, convention, used_by)


def directions(aspects: Vector, convention: Convention, used_by: str) -> Vector:
    """Return the documents' vectors with length 1, by dimension; one of length 0 stays so."""
    length = np.sqrt((aspects**2).sum(axis=1))
    return np.ascontiguousarray((aspects / np.where(length > 0, length, 1)[:, None]).T)


def information(aspects: Vector, convention: Convention, used_by: str) -> Vector:
    """Return -log2 of each document's popularity.

    Raises
    ------
    DataError
        There is more than one column, or a popularity is not above 0 and at most 1.
    """
    if aspects.shape[1] != 1:
        raise DataError(f"aspects: {aspects.shape[1]} columns; {used_by} needs one, the popularity of each document.")
    wrong = (aspects[:, 0] <= 0) | (aspects[:, 0] > 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"aspects: row {row} is {aspects[row, 0]:g}; {used_by} needs the share of users who know the document, "
            "above 0 and at most 1."
        )
    return np.asarray(-np.log2(aspects[:, 0]))


def total(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return each query's number of relevant documents."""
    return np.add.reduceat(value, query_ptr[:-1])


def total_judged(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return each query's number of relevant documents, where others may have negative values."""
    return np.add.reduceat((value > 0).astype(np.float64), query_ptr[:-1])


def cutoff(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return `k` for each query, however few its documents."""
    return np.full(len(query_ptr) - 1, float(k))


def harmonic(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return what turns the number of relevant documents found into F: (beta^2 R + k) / (1 + beta^2)."""
    square = convention.beta**2
    return np.asarray((square * total(value, query_ptr, convention, k, n_jobs) + k) / (1 + square))


def ideal(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return each query's highest possible DCG; infinite, so that NDCG is 0, where a short list is to count as 0."""
    sizes = np.diff(query_ptr)
    best = np.empty(len(sizes))
    table = discounts(convention, min(k, int(sizes.max())))
    over_queries(ideal_dcg, query_ptr, value, k, table, best, n_jobs=n_jobs)
    return np.where(sizes < k, np.inf, best) if convention.short_list == "zero" else best


def aspects_there(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return the number of aspects that any document of each query is about."""
    return np.asarray(np.maximum.reduceat(value, query_ptr[:-1], axis=1).sum(axis=0))


def ideal_cascade(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return the alpha-DCG of the list that takes the document of highest gain next, place by place."""
    best = np.empty(len(query_ptr) - 1)
    table = discounts(convention, min(k, int(np.diff(query_ptr).max())))
    over_queries(greedy_cascade, query_ptr, value, k, table, best, n_jobs=n_jobs)
    return best


@kernel
def greedy_cascade(first: int, last: int, query_ptr: Any, value: Any, k: int, table: Any, out: Any) -> None:
    """Write the discounted gains of the greedy list; of equal gains, that of the earlier aspects comes first."""
    n_aspects = len(value)
    for q in range(first, last):
        a, b = query_ptr[q], query_ptr[q + 1]
        interest, free = np.ones(n_aspects), np.ones(b - a, np.bool_)
        out[q] = 0.0
        for place in range(min(k, b - a)):
            chosen, highest = -1, -1.0
            for i in range(b - a):
                if not free[i]:
                    continue
                gain = 0.0
                for c in range(n_aspects):
                    gain += interest[c] * value[c, a + i]
                if gain > highest or (gain == highest and comes_first(value, a + i, a + chosen)):
                    chosen, highest = i, gain
            if highest <= 0:
                break
            free[chosen] = False
            out[q] += highest * table[place]
            for c in range(n_aspects):
                interest[c] *= 1 - value[c, a + chosen]


@kernel
def comes_first(value: Any, i: int, j: int) -> bool:
    """Tell whether row i has the higher value in the first column in which rows i and j differ."""
    for column in range(len(value)):
        if value[column, i] != value[column, j]:
            return bool(value[column, i] > value[column, j])
    return False


def reciprocal(convention: Convention, n: int) -> Vector:
    """Return 1 / rank."""
    return 1 / np.arange(1.0, n + 1)


def persistent(convention: Convention, n: int) -> Vector:
    """Return (1 - p) p^(rank - 1), p being the persistence."""
    return np.asarray((1 - convention.persistence) * convention.persistence ** np.arange(n))


def blending(convention: Convention, n: int) -> Vector:
    """Return beta alone, which is the same at every rank."""
    return np.array([convention.beta])
