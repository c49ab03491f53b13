"""Operators with their first and second derivatives, everywhere defined.

Second-order forward propagation: a node knows its value v, and v' and v'' by the margin or the score.  An operator f of
one argument a gives v' = f'(a) a' and v'' = f''(a) a'^2 + f'(a) a''.  The functions here are elementwise NumPy; the
numpy engine calls them on arrays, the compiled engine on numbers.

Where mathematics or floating point has no answer, three rules hold, and no NaN or infinity comes out:

* An argument outside an operator's domain is moved to its edge, where the slope is 0: of `log` to 1e-100, of `inverse`
  to 1e-100 if it is nearer to 0, of `exp` to at most 230.
* A value beyond 1e100 in size is 1e100 with its sign, and its slope 0; derivatives end at 1e100.
* At the kink of `max`, `min` and `abs`, derivatives are the mean of those of both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .._frames.points import sides

Jet = tuple[Any, Any, Any]
"""Value, first and second derivative."""

LIMIT, LEAST, HIGHEST_EXPONENT = 1e100, 1e-100, 230.0
STEEPEST = 1e15
"""Size at which derivatives of a whole loss end."""
NEGLIGIBLE = 1e-12
"""Second derivative, relative to the first, that rounding may have left of 0."""


def cut(derivative: Any) -> Any:
    """Keep a derivative within the limit."""
    return np.minimum(np.maximum(derivative, -LIMIT), LIMIT)


def limited(value: Any, d1: Any, d2: Any) -> Any:
    """Keep a value that may go beyond the limit within it, and its derivatives."""
    inside = np.abs(value) <= LIMIT
    return cut(value), np.where(inside, cut(d1), 0.0), np.where(inside, cut(d2), 0.0)


def chained(f: Any, f1: Any, f2: Any, a1: Any, a2: Any) -> Any:
    """Value and derivatives of f(a), given those of f by a, and those of a."""
    return f, cut(f1 * a1), cut(f2 * a1 * a1 + f1 * a2)


def usable(d1: Any, d2: Any) -> Any:
    """Return slope and curvature of a whole loss for boosting: |d1| where d2 is not above 0."""
    first = np.minimum(np.maximum(d1, -STEEPEST), STEEPEST)
    size = np.abs(first)
    return first, np.where(d2 > NEGLIGIBLE * size, np.minimum(d2, STEEPEST), size)


def negate_rule(a: Any, a1: Any, a2: Any) -> Any:
    return -a, -a1, -a2


def abs_rule(a: Any, a1: Any, a2: Any) -> Any:
    sign = np.sign(a)
    return np.abs(a), sign * a1, sign * a2


def square_rule(a: Any, a1: Any, a2: Any) -> Any:
    return limited(a * a, 2.0 * a * a1, 2.0 * (a1 * a1 + a * a2))


def log_rule(a: Any, a1: Any, a2: Any) -> Any:
    x = np.maximum(a, LEAST)
    slope = np.where(a < LEAST, 0.0, 1.0 / x)
    return chained(np.log(x), slope, -slope * slope, a1, a2)


def inverse_rule(a: Any, a1: Any, a2: Any) -> Any:
    near = np.abs(a) < LEAST
    x = 1.0 / np.where(near, np.where(a < 0.0, -LEAST, LEAST), a)
    slope = np.where(near, 0.0, x)
    return chained(x, -slope * slope, 2.0 * slope * slope * slope, a1, a2)


def exp_rule(a: Any, a1: Any, a2: Any) -> Any:
    e = np.exp(np.minimum(a, HIGHEST_EXPONENT))
    slope = np.where(a > HIGHEST_EXPONENT, 0.0, e)
    return chained(e, slope, slope, a1, a2)


def softplus_rule(a: Any, a1: Any, a2: Any) -> Any:
    p, q, rest = sides(a)
    return chained(np.maximum(a, 0.0) + rest, p, p * q, a1, a2)


def sigmoid_rule(a: Any, a1: Any, a2: Any) -> Any:
    p, q, _ = sides(a)
    return chained(p, p * q, p * q * (q - p), a1, a2)


def tanh_rule(a: Any, a1: Any, a2: Any) -> Any:
    t = np.tanh(a)
    slope = 1.0 - t * t
    return chained(t, slope, -2.0 * t * slope, a1, a2)


def add_rule(a: Any, a1: Any, a2: Any, b: Any, b1: Any, b2: Any) -> Any:
    return limited(a + b, a1 + b1, a2 + b2)


def multiply_rule(a: Any, a1: Any, a2: Any, b: Any, b1: Any, b2: Any) -> Any:
    return limited(a * b, a1 * b + a * b1, a2 * b + 2.0 * a1 * b1 + a * b2)


def max_rule(a: Any, a1: Any, a2: Any, b: Any, b1: Any, b2: Any) -> Any:
    share = 0.5 + 0.5 * np.sign(a - b)
    return np.maximum(a, b), share * a1 + (1.0 - share) * b1, share * a2 + (1.0 - share) * b2


def min_rule(a: Any, a1: Any, a2: Any, b: Any, b1: Any, b2: Any) -> Any:
    share = 0.5 - 0.5 * np.sign(a - b)
    return np.minimum(a, b), share * a1 + (1.0 - share) * b1, share * a2 + (1.0 - share) * b2


BINARY: Mapping[str, Callable[..., Jet]] = {
    "add": add_rule,
    "multiply": multiply_rule,
    "max": max_rule,
    "min": min_rule,
}
UNARY: Mapping[str, Callable[..., Jet]] = {
    "negate": negate_rule,
    "square": square_rule,
    "log": log_rule,
    "inverse": inverse_rule,
    "exp": exp_rule,
    "softplus": softplus_rule,
    "sigmoid": sigmoid_rule,
    "tanh": tanh_rule,
    "abs": abs_rule,
}


def jet_of_leaf(value: npt.ArrayLike, variable: bool) -> Jet:
    """Return a leaf: its slope is 1 if it is the variable, else 0."""
    return np.clip(np.asarray(value, dtype=np.float64), -LIMIT, LIMIT), float(variable), 0.0


def jet_of_one(op: str, a: Jet) -> Jet:
    """Return an operator of one argument."""
    return UNARY[op](*a)


def jet_of_two(op: str, a: Jet, b: Jet) -> Jet:
    """Return an operator of two arguments."""
    return BINARY[op](*a, *b)


def shaped(jet: Jet, leaves: Mapping[str, npt.ArrayLike]) -> Jet:
    """Return value and derivatives as arrays of the shape that the leaves have together."""
    shape = np.broadcast_shapes(*(np.shape(each) for each in leaves.values()))
    value, d1, d2 = (np.array(np.broadcast_to(part, shape)) for part in jet)
    return value, d1, d2
