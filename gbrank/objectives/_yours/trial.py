"""A user's function on a grid: is it a loss, and do its derivatives and its compiled form agree with it?"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._checks import GbrankWarning, ParameterError
from ..._compile import inlined

Array = npt.NDArray[np.float64]
Function = Callable[..., tuple[Any, ...]]

# 0 comes last: ties must be finite, but a loss may have a kink there.  The others are no round numbers.
GRID = np.append(np.linspace(-10, 10, 41) + 0.0137, 0.0)
STEP = 1e-5  # of difference quotients
AGREE = 1e-4  # of a derivative and its quotient, relative
ENGINES_AGREE = 1e-6


class Kind(NamedTuple):
    """What a decorated function is given."""

    decorator: str
    arguments: tuple[str, ...]
    summary: str


PAIRS = Kind("pair_loss", ("d",), "The pairwise loss")
POINTS = Kind("point_loss", ("y", "s"), "The pointwise loss")


@functools.lru_cache(maxsize=1024)
def require_loss(
    kind: Kind, name: str, function: Function, params: tuple[float, ...], labels: tuple[float, ...] = (),
    *, gradient_of_loss: bool = True,
) -> int:  # fmt: skip
    """Raise a `ParameterError` unless the function is a loss, and its first derivative that of its value.

    Labels are those of the data where they are known: only for them, a point loss must be finite.

    Returns
    -------
    int
        How many parts it returns: value and first derivative, or the second, too.
    """
    args = grid(kind, labels)
    parts = parts_of(kind, name, function, args, params)
    require_elementwise(kind, name, function, args, params, parts)
    if labels or kind is PAIRS:
        require_finite_parts(kind, name, args, parts)
    require_value(name, parts, sure=bool(labels))
    require_curvature(kind, name, args, parts)
    if kind is PAIRS:
        require_direction(name, args[0], parts[1])
    if gradient_of_loss:
        require_slope(kind, name, function, args, params, parts)
    return len(parts)


def grid(kind: Kind, labels: tuple[float, ...] = ()) -> tuple[Array, ...]:
    """Return the arguments of trials: margins, or labels and scores."""
    if kind is PAIRS:
        return (GRID,)
    y, s = np.meshgrid(np.array(labels or (0.0, 1.0)), GRID)
    return y.ravel(), s.ravel()


def parts_of(
    kind: Kind, name: str, function: Function, args: tuple[Array, ...], params: tuple[float, ...]
) -> tuple[Array, ...]:
    """Return value and derivatives on arrays of arguments."""
    try:
        with np.errstate(all="ignore"):
            found = function(*args, *params)
    except Exception as error:  # a user's function may raise anything
        raise ParameterError(
            f"{name}: fails on arrays ({type(error).__name__}: {error}). Write it elementwise, with NumPy's functions: "
            "np.where in place of `if`, np.exp in place of math.exp."
        ) from error
    if not isinstance(found, tuple) or len(found) not in (2, 3):
        count = len(found) if isinstance(found, tuple) else 1
        raise ParameterError(
            f"{name}: returns {count} thing{'s' * (count != 1)}; return value and first derivative by "
            f"{kind.arguments[-1]}, and best the second derivative, too, as a tuple."
        )
    shape = args[0].shape
    for what, part in zip(("value", "first derivative", "second derivative"), found, strict=False):
        if np.shape(part) != shape and not (what == "second derivative" and np.shape(part) == ()):
            raise ParameterError(
                f"{name}: its {what} has the shape {np.shape(part)} for {' and '.join(kind.arguments)} of the shape "
                f"{shape}; return one number for each."
            )
    return tuple(np.broadcast_to(np.asarray(part, dtype=np.float64), shape) for part in found)


def require_elementwise(
    kind: Kind, name: str, function: Function, args: tuple[Array, ...], params: tuple[float, ...],
    parts: tuple[Array, ...],
) -> None:  # fmt: skip
    """Raise a `ParameterError` where a number depends on the other margins or documents."""
    for at in (5, len(GRID) // 2):
        alone = parts_of(kind, name, function, tuple(each[at : at + 1] for each in args), params)
        if not np.allclose(alone, [part[at : at + 1] for part in parts], rtol=1e-9, atol=0, equal_nan=True):
            raise ParameterError(
                f"{name}: gives another result at {place(kind, args, at)} alone than among others; it must be "
                "elementwise, so leave out sums and means over the array."
            )


def require_finite_parts(kind: Kind, name: str, args: tuple[Array, ...], parts: tuple[Array, ...]) -> None:
    """Raise a `ParameterError` where a part is NaN or infinite."""
    for what, part in zip(("value", "first derivative", "second derivative"), parts, strict=False):
        if not np.isfinite(part).all():
            at = int(np.argmin(np.isfinite(part)))
            raise ParameterError(
                f"{name}: its {what} is {part[at]} at {place(kind, args, at)}; make it finite for every number."
            )


def require_value(name: str, parts: tuple[Array, ...], *, sure: bool) -> None:
    """Raise a `ParameterError` where gradient and hessian stand in the places of value and first derivative.

    What is given for the first derivative is then nowhere below 0.  Of a loss that can be only if it calls all
    documents too high; so where the labels of the data are not known, what is given for the value must be below 0
    somewhere, too.
    """
    if len(parts) == 2 and parts[1].any() and (parts[1] >= 0).all() and (sure or (parts[0] < 0).any()):
        raise ParameterError(
            f"{name}: its second result is nowhere below 0, so that no document would ever rise. It looks like "
            "gradient and hessian, which boosters ask for; return three things, the value of the loss before these two."
        )


def require_curvature(kind: Kind, name: str, args: tuple[Array, ...], parts: tuple[Array, ...]) -> None:
    """Raise a `ParameterError` where a second derivative is given that is above 0 nowhere: no step has a length."""
    if len(parts) == 3 and parts[1].any() and not (parts[2][parts[1] != 0] > 0).any():
        at = int(np.argmax(parts[1] != 0))
        raise ParameterError(
            f"{name}: its second derivative is {parts[2][at]:g} at {place(kind, args, at)}, and nowhere above 0 where "
            "the first is not 0. Boosting divides by it: leave it out, and one is made of the first derivative."
        )


def require_direction(name: str, d: Array, first: Array) -> None:
    """Raise a `ParameterError` where a loss would drive apart pairs in the wrong order."""
    wrong = (d < 0) & (first > 0)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ParameterError(
            f"{name}: its first derivative is {first[at]:g} at d={d[at]:g}, above 0, which pushes the better document "
            "of a pair in the wrong order further down. d is the better document's score less the other's."
        )


def require_slope(
    kind: Kind, name: str, function: Function, args: tuple[Array, ...], params: tuple[float, ...],
    parts: tuple[Array, ...],
) -> None:  # fmt: skip
    """Raise a `ParameterError` where the first derivative given is not that of the value."""
    value, first = parts[:2]
    quotient = slope(kind, name, function, args, params, part=0)
    slack = AGREE * np.abs(first) + 1e-6 * (1 + np.abs(value))
    excess = np.where(args[-1] == 0, 0, np.nan_to_num(np.abs(quotient - first)) / slack)
    at = int(np.argmax(excess))
    if excess[at] > 1:
        raise ParameterError(
            f"{name}: its first derivative is {first[at]:g} at {place(kind, args, at)}, but the difference quotient "
            f"of its value is {quotient[at]:g}; correct one of them, or say gradient_of_loss=False if training shall "
            "follow something else than the slope of the value."
        )


def has_exact_hessian(kind: Kind, name: str, function: Function, params: tuple[float, ...]) -> bool:
    """Tell whether the second derivative given is that of the first; warn where it is not."""
    args = grid(kind)
    _, first, second = parts_of(kind, name, function, args, params)
    quotient = slope(kind, name, function, args, params, part=1)
    miss = np.abs(quotient - second) - AGREE * np.abs(second) - 1e-6 * (1 + np.abs(first))
    miss = np.where(args[-1] == 0, 0, np.nan_to_num(miss))
    at = int(np.argmax(miss))
    if miss[at] > 0:
        warn_of_surrogate(name, second[at], place(kind, args, at), quotient[at], stacklevel=3)
    return bool(miss[at] <= 0)


def warn_of_surrogate(name: str, given: float, where: str, quotient: float, stacklevel: int) -> None:
    """Tell that what is given for the second derivative is another number."""
    text = (
        f"{name}: its second derivative is {given:g} at {where}, but the difference quotient of its first is "
        f"{quotient:g}: not the second derivative, so it is used as a surrogate. If that is meant, say so with "
        "exact_hessian=False."
    )
    warnings.warn(text, GbrankWarning, stacklevel=stacklevel + 1)


def slope(
    kind: Kind, name: str, function: Function, args: tuple[Array, ...], params: tuple[float, ...], *, part: int
) -> Array:
    """Return difference quotients of a part by the margin or the score."""
    up, down = args[-1] + STEP, args[-1] - STEP
    above, below = (parts_of(kind, name, function, (*args[:-1], x), params)[part] for x in (up, down))
    with np.errstate(invalid="ignore"):
        return np.asarray((above - below) / (up - down))


def compiled_differs(kind: Kind, function: Function, params: tuple[float, ...]) -> str | None:
    """Return at which place, if any, the compiled function says something else."""
    each, args = inlined(function), grid(kind)
    wanted = np.array(parts_of(kind, "the loss", function, args, params))
    got = np.array([each(*(float(arg[at]) for arg in args), *params) for at in range(len(args[0]))], dtype=np.float64).T
    close = np.isclose(got, wanted, rtol=ENGINES_AGREE, atol=1e-9, equal_nan=True).all(axis=0)
    if close.all():
        return None
    at = int(np.argmin(close))
    return f"at {place(kind, args, at)} machine code gives {got[:, at].tolist()}, and NumPy {wanted[:, at].tolist()}"


def place(kind: Kind, args: tuple[Array, ...], at: int) -> str:
    """Return the words for a place of the grid."""
    return ", ".join(f"{name}={arg[at]:g}" for name, arg in zip(kind.arguments, args, strict=True))
