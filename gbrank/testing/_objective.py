"""`check_objective`: does an objective do what training and its users rely on?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .. import objectives
from .._checks import GbrankWarning, ParameterError, check_choice
from ..objectives import Objective
from ..objectives._base import check_engine
from ._case import Case
from ._compare import FailedError, SkippedError
from ._data import labels_for
from ._numbers import GATES, OF_NUMBERS
from ._report import Check, CheckReport
from ._values import OF_VALUES

T = TypeVar("T")


def check_objective(
    objective: Objective | str,
    *,
    y: npt.ArrayLike | None = None,
    query_ptr: npt.ArrayLike | None = None,
    score: npt.ArrayLike | None = None,
    random_state: int = 0,
    engines: Sequence[str] = ("numpy", "compiled"),
    on_fail: str | None = "raise",
) -> CheckReport:
    """Check that an objective keeps the promises of `gbrank.Objective`.

    These are: shapes; finite derivatives at scores of 500 and -500 and at ties, for queries of one document, of equal
    labels and of 1,000 documents; the gradient is the slope of the loss and the hessian that of the gradient, where
    the class attributes `gradient_of_loss` and `exact_hessian` do not deny it; nothing depends on a constant added to
    a query's scores, where `shift_invariant` says so; engines agree to 1e-6; weights; repetition; pickling, ``repr``,
    parameters and name.

    Parameters
    ----------
    objective : Objective or str
        A built-in one, one of your own, or a name.
    y : array of shape (n_documents,) or (n_documents, n_columns), optional
        Labels that the objective can use; by default grades from 0 to 4.
    query_ptr : int array of shape (n_queries + 1,), optional
        Where queries begin; by default all of `y` is one query.
    score : array of shape (n_documents,) or (n_documents, n_outputs), optional
        Scores at which derivatives are compared with differences.  No two of a query should be near each other.
    random_state : int
        Seed of labels and scores.
    engines : sequence of {"numpy", "compiled"}
    on_fail : {"raise", "warn", None}
        What happens if a check fails: an `AssertionError`, a `GbrankWarning`, or nothing but the report.

    Returns
    -------
    CheckReport

    Examples
    --------
    >>> print(check_objective("mse"))  # doctest: +ELLIPSIS
    SquaredError(): 17 passed, 1 skipped
    passed   labels are taken
    passed   shapes
    ...
    """
    check_choice("on_fail", on_fail, ("raise", "warn", None))
    found = _objective(objective)
    for engine in engines:
        check_engine(engine)
    if not engines:
        raise ParameterError("engines=(): give at least one.")
    data = labels_for(y, query_ptr, np.random.default_rng(random_state))
    scores = None if score is None else np.array(score, dtype=np.float64)
    report = CheckReport(_told(found), tuple(_run(Case(found, data, scores, random_state, engines))))
    if on_fail == "raise":
        report.raise_if_failed()
    elif on_fail == "warn" and not report.ok:
        warnings.warn(report._failed(), GbrankWarning, stacklevel=2)
    return report


def _objective(given: Objective | str | type[Objective]) -> Objective:
    if isinstance(given, type) and issubclass(given, Objective):
        return given()
    if isinstance(given, Objective | str):
        return objectives.objective(given)
    raise ParameterError(f"objective={given!r}: give an Objective or the name of one.")


def _told(objective: Objective) -> str:
    try:
        return repr(objective)
    except Exception:  # the check of repr will tell
        return type(objective).__name__


def _run(case: Case) -> Iterator[Check]:
    """Yield the checks; those of numbers stop where labels are refused or shapes are wrong, as they would all fail."""
    for name, of_numbers in OF_NUMBERS.items():
        outcome = _outcome(name, of_numbers, case)
        yield outcome
        if not outcome.passed and of_numbers in GATES:
            break
    for name, of_value in OF_VALUES.items():
        yield _outcome(name, of_value, case.objective)


def _outcome(name: str, check: Callable[[T], None], subject: T) -> Check:
    try:
        with np.errstate(all="ignore"):
            check(subject)
    except SkippedError as skipped:
        return Check(name, "skipped", str(skipped))
    except FailedError as failed:
        return Check(name, "failed", str(failed))
    except Exception as error:  # an objective may do anything, and the other checks are to be told as well
        return Check(name, "failed", f"raised {type(error).__name__}: {error}")
    return Check(name, "passed", "")
