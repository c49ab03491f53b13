"""`check_measure`: does a measure, yours above all, depend on what it may, and on nothing else?"""

from __future__ import annotations

import itertools
import pickle
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import metrics
from .._checks import GbrankWarning, check_choice
from ..metrics import Measure
from ._compare import FailedError
from ._report import Check, CheckReport

Values = npt.NDArray[np.float64]


class MeasureCase(NamedTuple):
    """A measure, and lists with ties, documents that were not retrieved, and queries with nothing relevant."""

    measure: Measure
    y: Values
    score: Values
    query_ptr: npt.NDArray[np.int64]
    aspects: Any
    doc_id: Any
    rng: np.random.Generator

    def values(self, rows: Any = None, query_ptr: Any = None, score: Any = None, n_jobs: int = 1) -> Values:
        """Return the values, of some rows where these are given."""
        rows = slice(None) if rows is None else rows
        ptr = self.query_ptr if query_ptr is None else query_ptr
        given = self.score if score is None else score
        return self.measure(
            self.y[rows], given[rows], ptr, self.doc_id[rows], aspects=self.aspects[rows], n_jobs=n_jobs
        )


def check_measure(
    measure: str | Measure,
    *,
    aspects: npt.ArrayLike | None = None,
    random_state: int = 0,
    on_fail: str | None = "raise",
) -> CheckReport:
    """Check that a measure keeps the promises of `gbrank.Measure`.

    These are: one number for each query, NaN only where it is skipped; the same on every call and any number of
    threads; nothing depends on the other queries, on a constant added to the scores, on a transform that keeps their
    order, or, unless `ties` says so, on the order of rows; the name reads back, and it pickles.

    Parameters
    ----------
    measure : str or Measure
        A built-in one, one of your own, or a name.
    aspects : array of shape (2000, n_aspects), optional
        Aspects of the 2,000 documents of the trial; by default three columns of 0 and 1.
    random_state : int
        Seed of labels and scores.
    on_fail : {"raise", "warn", None}
        What happens if a check fails: an `AssertionError`, a `GbrankWarning`, or nothing but the report.

    Returns
    -------
    CheckReport

    Examples
    --------
    >>> print(check_measure("ndcg@10"))  # doctest: +ELLIPSIS
    ndcg@10: 8 passed
    passed   one number for each query
    ...
    """
    check_choice("on_fail", on_fail, ("raise", "warn", None))
    case = _case(metrics.measure(measure), aspects, random_state)
    report = CheckReport(str(case.measure), tuple(_outcome(name, check, case) for name, check in CHECKS.items()))
    if on_fail == "raise":
        report.raise_if_failed()
    elif on_fail == "warn" and not report.ok:
        warnings.warn(report._failed(), GbrankWarning, stacklevel=2)
    return report


def _case(measure: Measure, aspects: npt.ArrayLike | None, random_state: int) -> MeasureCase:
    rng = np.random.default_rng(random_state)
    n = 2000
    cuts = np.sort(rng.choice(np.arange(1, n), size=99, replace=False))
    y = rng.integers(0, 4, n) * (rng.random(n) < 0.4)
    score = rng.integers(0, 15, n) / 4
    score[rng.random(n) < 0.1] = -np.inf
    table = rng.integers(0, 2, (n, 3)) if aspects is None else np.asarray(aspects)
    ids = np.array([f"d{row}" for row in rng.permutation(n)])
    return MeasureCase(measure, y.astype(float), score, np.array([0, *cuts, n]), table, ids, rng)


def _outcome(name: str, check: Callable[[MeasureCase], None], case: MeasureCase) -> Check:
    try:
        check(case)
    except FailedError as failed:
        return Check(name, "failed", str(failed))
    except Exception as error:  # a user's function may raise anything, and the other checks are to be told as well
        return Check(name, "failed", f"raised {type(error).__name__}: {error}")
    return Check(name, "passed", "")


def _same(got: Values, wanted: Values, when: str, tolerance: float = 0.0) -> None:
    close = np.isclose(got, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)
    if not close.all():
        query = int(np.argmin(close))
        raise FailedError(f"query {query} has {wanted[query]:.6g}, and {got[query]:.6g} {when}")


def _one_number(case: MeasureCase) -> None:
    values = case.values()
    if values.shape != (len(case.query_ptr) - 1,) or np.isinf(values).any() or np.isnan(values).all():
        raise FailedError(f"{values.shape} values, {int(np.isinf(values).sum())} infinite, {_nans(values)} NaN")


def _nans(values: Values) -> int:
    return int(np.isnan(values).sum())


def _again(case: MeasureCase) -> None:
    _same(case.values(), case.values(), "when asked again")
    _same(case.values(n_jobs=3), case.values(), "on three threads")


def _alone(case: MeasureCase) -> None:
    values = case.values()
    for query in range(0, len(values), 9):
        a, b = case.query_ptr[query : query + 2]
        _same(case.values(slice(a, b), [0, b - a]), values[query : query + 1], f"alone (the query is number {query})")


def _shifted(case: MeasureCase) -> None:
    _same(case.values(score=case.score + 1024), case.values(), "with 1,024 added to all scores")


def _transformed(case: MeasureCase) -> None:
    with np.errstate(invalid="ignore"):
        score = np.where(np.isneginf(case.score), -np.inf, case.score**3 * 8)
    _same(case.values(score=score), case.values(), "with all scores cubed")


def _rows_moved(case: MeasureCase) -> None:
    rows = np.concatenate([case.rng.permutation(np.arange(a, b)) for a, b in itertools.pairwise(case.query_ptr)])
    if case.measure.ties in ("stable", "reversed", "sampled"):  # then the order of the tied is that of the rows
        score = np.where(np.isneginf(case.score), -np.inf, case.score + np.arange(len(case.score)) / 2**20)
    else:
        score = case.score
    _same(case.values(rows, score=score), case.values(score=score), "with its rows in another order", 1e-9)


def _reads_back(case: MeasureCase) -> None:
    if metrics.measure(str(case.measure)) != case.measure:
        raise FailedError(f"{str(case.measure)!r} reads as {metrics.measure(str(case.measure))}")


def _pickles(case: MeasureCase) -> None:
    if pickle.loads(pickle.dumps(case.measure)) != case.measure:
        raise FailedError("another measure comes back")


CHECKS: dict[str, Callable[[MeasureCase], None]] = {
    "one number for each query": _one_number,
    "the same again": _again,
    "nothing depends on other queries": _alone,
    "nothing depends on a constant": _shifted,
    "nothing depends on the scale": _transformed,
    "nothing depends on the order of rows": _rows_moved,
    "the name reads back": _reads_back,
    "pickles": _pickles,
}
