"""Decisions by utility: what probabilities of grades are worth, what to do then, and what that brought.

All functions share these arguments.  `utility` says what a document is worth by its grade, from 0: one number for each
grade, in a sequence or mapping; or, where there is something to decide, an array of shape (n_decisions, n_grades), or
another one for each document, (n_documents, n_decisions, n_grades).  `value`, one number for each document, multiplies
its utilities: a price, where the utility of a purchase is 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector, whole_grades
from .._groups import check_query_ptr

Vector = npt.NDArray[np.float64]
Utility = Sequence[float] | Mapping[int, float] | npt.ArrayLike


def expected_utility(p: npt.ArrayLike, utility: Utility, *, value: npt.ArrayLike | None = None) -> Vector:
    r"""Return :math:`\sum_g p_g u_g` of each document, times its value: what ranks by worth, not by grade.

    Parameters
    ----------
    p : array-like of shape (n_documents, n_grades)
        Probability of each grade, as `predict_proba` gives it.  It must be calibrated to mean anything.
    utility, value
        See the module.  Grades of `utility` beyond those of `p` do not count.

    Returns
    -------
    array of shape (n_documents,), or (n_documents, n_decisions)

    Raises
    ------
    DataError
        Rows that do not sum to 1, or a number that is not finite.
    ParameterError
        A grade has no utility, or a shape that is none of the above.

    Examples
    --------
    >>> expected_utility([[0.5, 0.5], [0.9, 0.1]], [0.0, 1.0], value=[2.0, 30.0]).tolist()  # price x P(purchase)
    [1.0, 3.0]
    >>> expected_utility([[0.5, 0.5], [0.9, 0.1]], [[0.0, 0.0], [-1.0, 4.0]]).tolist()  # to hide, to show
    [[0.0, 1.5], [0.0, -0.5]]
    """
    given = _probabilities(p)
    n, n_grades = given.shape
    table = _table(utility, n_grades, n)[..., :n_grades]
    expected = np.einsum("ndg,ng->nd", table, given) if table.ndim == 3 else given @ table.T
    return np.asarray(_scaled(expected, value))


def best_decision(p: npt.ArrayLike, utility: npt.ArrayLike, *, value: npt.ArrayLike | None = None) -> IntArray:
    """Return for each document the decision of the highest expected utility; of equal ones the first.

    Parameters
    ----------
    p : array-like of shape (n_documents, n_grades)
    utility : array-like of shape (n_decisions, n_grades) or (n_documents, n_decisions, n_grades)
    value : array-like of shape (n_documents,), optional
        Of 0 or more, it changes no decision but where all utilities become 0.

    Raises
    ------
    DataError, ParameterError
        As `expected_utility`.

    Examples
    --------
    >>> best_decision([[0.5, 0.5], [0.9, 0.1]], [[0.0, 0.0], [-1.0, 4.0]]).tolist()
    [1, 0]
    """
    expected = expected_utility(p, utility, value=value)
    if expected.ndim == 1:
        raise ParameterError("utility: has no decisions; give one row of grades for each.")
    return np.asarray(expected.argmax(axis=1), dtype=np.int64)


def realised_utility(
    y: npt.ArrayLike,
    decision: npt.ArrayLike,
    utility: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    *,
    value: npt.ArrayLike | None = None,
) -> Vector:
    """Return what decisions brought by the labels that came true: the sum over the documents of each query.

    Parameters
    ----------
    y : array-like of shape (n_documents,)
        Whole grades.
    decision : array-like of int of shape (n_documents,)
        As `best_decision` gives it.
    utility : array-like of shape (n_decisions, n_grades) or (n_documents, n_decisions, n_grades)
    query_ptr : array-like of int of shape (n_queries + 1,)
    value : array-like of shape (n_documents,), optional

    Returns
    -------
    array of shape (n_queries,)
        One value for each query, which `gbrank.compare` takes.

    Raises
    ------
    DataError
        Lengths differ, a label is no grade, or no decision has such a number.
    ParameterError
        A grade has no utility.

    Examples
    --------
    >>> realised_utility([0, 1, 1], [1, 1, 0], [[0.0, 0.0], [-1.0, 4.0]], [0, 2, 3]).tolist()
    [3.0, 0.0]
    """
    grades = whole_grades(as_vector("y", y), "a utility")
    chosen = as_vector("decision", decision, length=len(grades))
    table = _table(utility, int(grades.max(initial=0)) + 1, len(grades))
    if table.ndim == 1:
        raise ParameterError("utility: has no decisions; give one row of grades for each.")
    n_decisions = table.shape[-2]
    wrong = (chosen < 0) | (chosen >= n_decisions) | (chosen != np.floor(chosen))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"decision: row {row} is {chosen[row]:g}; there are {n_decisions}, from 0.")
    at = chosen.astype(np.int64), grades
    brought = table[at] if table.ndim == 2 else table[(np.arange(len(grades)), *at)]
    starts = check_query_ptr(query_ptr, len(grades))[:-1]
    return np.asarray(np.add.reduceat(_scaled(brought, value), starts))


def _probabilities(p: npt.ArrayLike) -> Vector:
    given: Vector = np.asarray(p, dtype=np.float64)
    if given.ndim != 2:
        raise DataError(f"p: has the shape {given.shape}; give the probability of each grade, a row for each document.")
    off = ~(np.abs(given.sum(axis=1) - 1) < 1e-6)
    if off.any():
        row = int(np.argmax(off))
        raise DataError(
            f"p: row {row} sums to {given[row].sum():g}; give the probability of each grade, which sum to 1."
        )
    return given


def _table(utility: Utility, n_grades: int, n_documents: int) -> Vector:
    """Return utilities as an array whose last axis is the grade."""
    if isinstance(utility, Mapping):
        missing = [grade for grade in range(n_grades) if grade not in utility]
        if missing:
            raise ParameterError(f"utility: grade {missing[0]} has none; give one for each grade to {n_grades - 1}.")
        utility = [utility[grade] for grade in range(n_grades)]
    try:
        table: Vector = np.asarray(utility, dtype=np.float64)
    except (ValueError, TypeError):
        raise ParameterError("utility: give one number for each grade, in a row for each decision.") from None
    if table.ndim not in (1, 2, 3) or (table.ndim == 3 and len(table) != n_documents):
        raise ParameterError(
            f"utility: has the shape {table.shape} for {n_documents} documents; give (n_grades,), (n_decisions, "
            "n_grades) or (n_documents, n_decisions, n_grades)."
        )
    if table.shape[-1] < n_grades:
        raise ParameterError(f"utility: has {table.shape[-1]} grades, from 0, but there are {n_grades}; give all.")
    if not np.isfinite(table).all():
        raise ParameterError("utility: holds a number that is not finite; give what a grade is worth.")
    return table


def _scaled(utility: Any, value: npt.ArrayLike | None) -> Vector:
    if value is None:
        return np.asarray(utility)
    scale = as_vector("value", value, length=len(utility))
    return np.asarray(utility * (scale if utility.ndim == 1 else scale[:, None]))
