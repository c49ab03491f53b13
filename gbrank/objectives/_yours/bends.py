"""A second derivative for losses that come without one.

It is the central difference (f(d + h) - f(d - h)) / 2h of the first derivative f, with h = 1e-4 max(1, |d|); but |f(d)|
where that is not above 1e-6 |f(d)|, so that hinges and absolute errors get the usual surrogate, and where f jumps,
which is told by twice the step giving less than two thirds of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._frames.points import Point

Function = Callable[..., tuple[Any, ...]]

STEP = 1e-4
NEGLIGIBLE = 1e-6


def with_bend_of_margin(function: Function) -> Point:
    """Return a loss of the margin together with a second derivative."""

    def loss(d: Any, *params: Any) -> Any:
        value, first = function(d, *params)
        h = STEP * np.maximum(1.0, np.abs(d))
        near = (function(d + h, *params)[1] - function(d - h, *params)[1]) / (2.0 * h)
        far = (function(d + 2.0 * h, *params)[1] - function(d - 2.0 * h, *params)[1]) / (4.0 * h)
        return value, first, bend(first, near, far)

    return loss


def with_bend_of_score(function: Function) -> Point:
    """Return a loss of label and score together with a second derivative."""

    def loss(y: Any, s: Any, *params: Any) -> Any:
        value, first = function(y, s, *params)
        h = STEP * np.maximum(1.0, np.abs(s))
        near = (function(y, s + h, *params)[1] - function(y, s - h, *params)[1]) / (2.0 * h)
        far = (function(y, s + 2.0 * h, *params)[1] - function(y, s - 2.0 * h, *params)[1]) / (4.0 * h)
        return value, first, bend(first, near, far)

    return loss


def bend(first: Any, near: Any, far: Any) -> Any:
    """Return the difference quotient `near` of the first derivative, or what stands for it; `far` is of twice the step.

    Over a jump, quotients fall with the inverse of the step.
    """
    size = np.abs(first)
    return np.where((near > NEGLIGIBLE * size) & (far > near / 1.5), near, size)
