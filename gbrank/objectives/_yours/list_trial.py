"""A user's function on short lists: is it a loss, and do its derivatives agree with it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._checks import IntArray, ParameterError
from .trial import AGREE, STEP, Kind, warn_of_surrogate

Array = npt.NDArray[np.float64]
Lists = list[tuple[Array, Array]]

LISTS = Kind("list_loss", ("scores", "labels"), "The loss of lists")
WEIGHTED_LISTS = Kind("list_loss", ("scores", "labels", "weights"), "The loss of lists")

GRADES = ((2.0, 0.0, 1.0, 0.0, 0.0), (1.0, 0.0), (0.0, 1.0, 3.0), (1.0, 1.0, 1.0), (0.0, 0.0), (1.0,))
PROBES = 5  # documents of a list at which difference quotients are taken
LONGEST = 200  # documents of a list of the data that is tried
PARTS = ("value", "gradient", "hessian")


def lists_of(y: Array | None = None, query_ptr: IntArray | None = None) -> Lists:
    """Return scores and labels of some lists: of the data, the shortest, the longest and some between, else of grades.

    No two scores of a list are near each other, so that no rank changes where one is moved a little.
    """
    if y is None or query_ptr is None:
        labels = [np.array(grades) for grades in GRADES]
    else:
        by_size = np.argsort(np.diff(query_ptr), kind="stable")
        chosen = by_size[np.unique(np.linspace(0, len(by_size) - 1, PROBES).astype(int))]
        labels = [y[query_ptr[q] : min(query_ptr[q + 1], query_ptr[q] + LONGEST)].astype(np.float64) for q in chosen]
    rng = np.random.default_rng(0)
    return [((rng.permutation(len(each)) - len(each) / 2 + 0.2137) * 3.7 / len(each), each) for each in labels]


def parts_of(cls: Any, scores: Array, labels: Array, params: tuple[float, ...]) -> tuple[Any, ...]:
    """Return value, gradient and hessian of a list, checked to be that in their form."""
    given = (scores.copy(), labels.copy(), *((np.ones(len(scores)),) if cls.document_weights else ()))
    try:
        with np.errstate(all="ignore"):
            found = cls.function(*given, *params)
    except Exception as error:  # a user's function may raise anything
        raise ParameterError(
            f"{cls.name}: fails for {told(scores, labels)} ({type(error).__name__}: {error}). It is given the arrays "
            "of one query, which may have one document only, or none that is relevant."
        ) from error
    if not isinstance(found, tuple) or len(found) not in (2, 3):
        count = len(found) if isinstance(found, tuple) else 1
        raise ParameterError(
            f"{cls.name}: returns {count} thing{'s' * (count != 1)}; return value and gradient, and best the hessian, "
            "too, as a tuple."
        )
    for what, part, shape in zip(PARTS, found, ((), scores.shape, scores.shape), strict=False):
        if not isinstance(part, np.ndarray | np.generic | float | int) or np.shape(part) != shape:
            meant = "a number" if shape == () else f"an array of the shape {shape}, one number for each document"
            raise ParameterError(f"{cls.name}: its {what} is {np.asarray(part)!r:.60}; return {meant}.")
    if not (np.array_equal(given[0], scores) and np.array_equal(given[1], labels)):
        raise ParameterError(f"{cls.name}: changes the arrays that it is given; copy what you change.")
    return float(found[0]), *(np.asarray(part, dtype=np.float64) for part in found[1:])


def require_list_loss(cls: Any, params: tuple[float, ...], lists: Lists, *, known: bool = False) -> int:
    """Raise a `ParameterError` unless the function is a loss, and its gradient that of its value.

    Only lists that are `known` to occur must have finite numbers.

    Returns
    -------
    int
        How many parts it returns.
    """
    counts = set()
    for scores, labels in lists:
        parts = parts_of(cls, scores, labels, params)
        counts.add(len(parts))
        for what, part in zip(PARTS, parts, strict=False):
            if known and not np.isfinite(part).all():
                raise ParameterError(
                    f"{cls.name}: its {what} is {part!r:.60} for {told(scores, labels)}; make it finite for every list."
                )
        if cls.gradient_of_loss:
            require_gradient(cls, params, scores, labels, parts)
    if len(counts) > 1:
        raise ParameterError(f"{cls.name}: returns two things for some lists and three for others; settle for one.")
    return counts.pop()


def require_gradient(cls: Any, params: tuple[float, ...], scores: Array, labels: Array, parts: tuple[Any, ...]) -> None:
    """Raise a `ParameterError` where the gradient given is not that of the value."""
    value, gradient = parts[:2]
    for at in range(min(len(scores), PROBES)):
        quotient = slope(cls, params, scores, labels, at)[0]
        if abs(quotient - gradient[at]) > AGREE * np.abs(gradient).max() + 1e-6 * (1 + abs(value)):
            raise ParameterError(
                f"{cls.name}: its gradient is {gradient[at]:g} for document {at} of {told(scores, labels)}, but the "
                f"difference quotient of its value is {quotient:g}; correct one of them, or say gradient_of_loss=False "
                "if training shall follow something else than the slope of the value."
            )


def has_exact_hessian(cls: Any, params: tuple[float, ...], lists: Lists) -> bool:
    """Tell whether the hessian given is the diagonal of the second derivative; warn where it is not."""
    for scores, labels in lists:
        _, gradient, hessian = parts_of(cls, scores, labels, params)
        for at in range(min(len(scores), PROBES)):
            quotient = slope(cls, params, scores, labels, at)[1]
            if abs(quotient - hessian[at]) > AGREE * abs(hessian[at]) + 1e-6 * (1 + np.abs(gradient).max()):
                where = f"document {at} of {told(scores, labels)}"
                warn_of_surrogate(cls.name, hessian[at], where, quotient, stacklevel=3)
                return False
    return True


def is_shift_invariant(cls: Any, params: tuple[float, ...], lists: Lists) -> bool:
    """Tell whether a constant added to all scores changes nothing."""
    for scores, labels in lists:
        before, after = (parts_of(cls, scores + shift, labels, params) for shift in (0.0, 3.0))
        for a, b in zip(before, after, strict=True):
            if not np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True):
                return False
    return True


def slope(cls: Any, params: tuple[float, ...], scores: Array, labels: Array, at: int) -> tuple[float, float]:
    """Return difference quotients of the value and of the own gradient by the score of one document."""
    move = np.where(np.arange(len(scores)) == at, STEP, 0.0)
    up, down = (parts_of(cls, scores + sign * move, labels, params)[:2] for sign in (1, -1))
    width = (scores + move)[at] - (scores - move)[at]
    with np.errstate(invalid="ignore"):
        return float(up[0] - down[0]) / width, float(up[1][at] - down[1][at]) / width


def told(scores: Array, labels: Array) -> str:
    """Return the words for a list."""
    few = 6
    more = ", ..." if len(scores) > few else ""
    texts = (", ".join(f"{value:g}" for value in values[:few]) + more for values in (scores, labels))
    return "the list with scores [{}] and labels [{}]".format(*texts)
