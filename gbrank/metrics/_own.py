"""`list_measure`: a measure made of a user's function of one ranked list."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

from .._checks import ParameterError
from . import _values
from ._definitions import EVERY, MEASURES, ORDERED, TIED, Definition
from ._spelling import read
from ._yours import of_labels, of_labels_and_all

F = TypeVar("F", bound=Callable[..., Any])


@overload
def list_measure(function: F, /) -> F: ...
@overload
def list_measure(
    *, name: str | None = None, binary: bool = False, cutoff: str = "optional", higher_is_better: bool = True
) -> Callable[[F], F]: ...
def list_measure(
    function: Any = None, /, *, name: str | None = None, binary: bool = False, cutoff: str = "optional",
    higher_is_better: bool = True,
) -> Any:  # fmt: skip
    """Make a measure of a function of one ranked list; `gbrank.measure` then finds it by its name.

    Parameters
    ----------
    function : callable
        ``function(labels)``, of a float64 array: the labels in ranked order, down to the cutoff.  With a second
        argument it is also given the labels of all documents of the query, the ranked ones first.  It returns a number.
        It is compiled, and must not change its arguments.
    name : str, optional
        Name of the measure; that of the function by default.
    binary : bool
        Whether labels are given as 1 for those from `relevant_from` up, and 0.
    cutoff : {"optional", "needed", "none"}
        Whether the measure takes a cutoff, as in "first_good@10".
    higher_is_better : bool
        Whether more is better.

    Returns
    -------
    callable
        The function itself.

    Raises
    ------
    ParameterError
        The name is taken, or the function takes other arguments, fails on labels, or returns no number.

    Warns
    -----
    GbrankWarning
        When the measure is first used: the function cannot be compiled, and runs as Python.

    Notes
    -----
    Rules that fit any measure apply: queries with nothing relevant (no label above 0) or nothing retrieved, single and
    unjudged documents, and ties, which are sampled by default since nothing is known of the function.

    Examples
    --------
    >>> from gbrank import measure
    >>> @list_measure
    ... def first_good(labels):
    ...     for place, label in enumerate(labels):
    ...         if label >= 2:
    ...             return 1 / (place + 1)
    ...     return 0.0
    >>> m = measure("first_good@10")
    >>> m([0, 2, 1, 1], [0.9, 0.5, 0.2, 0.1], [0, 3, 4]).tolist()
    [0.5, 0.0]
    """
    if cutoff not in ("optional", "needed", "none"):
        raise ParameterError(f"cutoff={cutoff!r}: choose one of 'optional', 'needed', 'none'.")
    made = functools.partial(_made, name=name, binary=binary, cutoff=cutoff, higher_is_better=higher_is_better)
    return made if function is None else made(function)


def _made(function: F, name: str | None, binary: bool, cutoff: str, higher_is_better: bool) -> F:
    n_arguments = _arguments(function)
    name = function.__name__ if name is None else name
    _check_name(name, function)
    _try(function, name, n_arguments)
    uses = (*TIED, "no_relevant", *EVERY, "unjudged", *(("relevant_from",) if binary else ()))
    definition = Definition(
        of_labels if n_arguments == 1 else of_labels_and_all,
        _values.relevant if binary else _values.labels,
        uses,
        f"own measure {name}",
        source=(inspect.getdoc(function) or "").partition("\n")[0],
        cutoff=cutoff,
        closed_forms=ORDERED,
        whole=n_arguments == 2,
        own=function,
        higher_is_better=higher_is_better,
    )
    MEASURES.put(name, definition)
    return function


def _arguments(function: Any) -> int:
    if not inspect.isfunction(function):
        raise ParameterError(f"list_measure: decorates a function, not {function!r}.")
    given = list(inspect.signature(function).parameters.values())
    if len(given) not in (1, 2) or any(
        each.kind not in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in given
    ):
        raise ParameterError(
            f"{function.__name__}{inspect.signature(function)}: a list_measure takes the labels in ranked order, and "
            "perhaps all labels of the query."
        )
    return len(given)


def _check_name(name: Any, function: Callable[..., Any]) -> None:
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        raise ParameterError(f"a measure named {name!r}: give it a name that Python could use, with name='...'.")
    try:
        taken = read(name).head
    except ParameterError:
        return
    old = MEASURES[taken].own
    if (
        taken != name
        or old is None
        or (old.__module__, old.__qualname__) != (function.__module__, function.__qualname__)
    ):
        raise ParameterError(f"the measure {name!r} exists already; give another name with name='...'.")


def _try(function: Callable[..., Any], name: str, n_arguments: int) -> None:
    """Raise a `ParameterError` where the function fails on labels or returns something else than a number."""
    trial = np.array([1.0, 0.0, 2.0])
    try:
        value = function(*[trial.copy()] * n_arguments)
    except Exception as error:  # a user's function may raise anything
        raise ParameterError(f"{name}: fails on the labels 1, 0, 2 ({type(error).__name__}: {error}).") from error
    if not isinstance(value, int | float | np.number | np.bool_):
        raise ParameterError(f"{name}: returns {value!r} of the labels 1, 0, 2; return a number.")
