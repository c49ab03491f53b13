"""The table of measures: how labels become the values of `_lists`, what a measure divides by, and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import DataError, IntArray, whole_grades
from .._compile import over_queries
from .._registry import Registry
from . import _lists
from ._convention import Convention, Vector, discounts, gains
from ._ranking import ideal_dcg

ON_LABELS = ("ties", "no_relevant", "relevant_from")
ON_GAINS = ("gain", "discount", "ties", "no_relevant")


@dataclass(frozen=True)
class Definition:
    """A measure without its cutoff and convention.

    of_list : the function of one ranked list; see `_lists`.
    value : (y, convention, name of the measure) -> what each document is worth; 0 means not relevant.
    uses : the fields of the convention that it depends on.
    words : what it is, in a sentence's beginning.
    norm : (value, query_ptr, convention, k, n_jobs) -> what each query's list is divided by; 1 where there is none.
    needs_k : whether it says nothing without a cutoff.
    higher_is_better : whether more is better.
    """

    of_list: Callable[..., Any]
    value: Callable[[Vector, Convention, str], Vector]
    uses: tuple[str, ...]
    words: str
    norm: Callable[[Vector, IntArray, Convention, int, int | None], Vector] | None = None
    needs_k: bool = False
    higher_is_better: bool = True


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


def total(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return each query's number of relevant documents."""
    return np.add.reduceat(value, query_ptr[:-1])


def cutoff(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return `k` for each query, however few its documents."""
    return np.full(len(query_ptr) - 1, float(k))


def ideal(value: Vector, query_ptr: IntArray, convention: Convention, k: int, n_jobs: int | None) -> Vector:
    """Return each query's highest possible DCG; infinite, so that NDCG is 0, where a short list is to count as 0."""
    sizes = np.diff(query_ptr)
    best = np.empty(len(sizes))
    table = discounts(convention, min(k, int(sizes.max())))
    over_queries(ideal_dcg, query_ptr, value, k, table, best, n_jobs=n_jobs)
    return np.where(sizes < k, np.inf, best) if convention.short_list == "zero" else best


MEASURES: Registry[Definition] = Registry("measure")
ALIASES = {"map": "ap", "mrr": "rr", "precision": "p", "recall": "r", "hit_rate": "hit"}

MEASURES.add("ndcg")(
    Definition(_lists.dcg, gains, (*ON_GAINS, "short_list"), "discounted gain divided by its highest value", ideal)
)
MEASURES.add("dcg")(Definition(_lists.dcg, gains, ON_GAINS, "discounted gain"))
MEASURES.add("ap")(
    Definition(
        _lists.ap, relevant, ON_LABELS, "precision summed over relevant ranks, divided by all relevant documents", total
    )
)
MEASURES.add("rr")(Definition(_lists.rr, relevant, ON_LABELS, "1 / rank of the first relevant document"))
MEASURES.add("p")(
    Definition(_lists.found, relevant, ON_LABELS, "relevant documents found, divided by the cutoff", cutoff, True)
)
MEASURES.add("r")(
    Definition(
        _lists.found, relevant, ON_LABELS, "relevant documents found, divided by all relevant documents", total, True
    )
)
MEASURES.add("hit")(
    Definition(_lists.hit, relevant, ON_LABELS, "1 where a relevant document is found, else 0", needs_k=True)
)
MEASURES.add("err")(
    Definition(
        _lists.err,
        stopping,
        ("ties", "no_relevant", "max_grade"),
        "expected 1 / rank at which a user stops, who stops at grade y by (2^y - 1) / 2^max_grade",
    )
)
