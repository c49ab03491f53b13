"""Noise by which rankings are drawn, the same in both engines."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compile import kernel
from .._scalar_math import log
from ._noise import uniform

KINDS = ("none", "gumbel", "logistic", "gauss")
GUMBEL, LOGISTIC, GAUSS = 1, 2, 3


@kernel
def noise(kind: int, seed: int, count: int) -> Any:
    """Return `count` numbers of the distribution ``KINDS[kind]``: standard, and independent of each other."""
    if kind == GAUSS:
        return gauss(seed, count)
    if kind == GUMBEL:
        return gumbel(seed, count)
    return logistic(seed, count) if kind == LOGISTIC else np.zeros(count)


@kernel
def gumbel(seed: int, count: int) -> Any:
    """Return standard Gumbel noise: scores with it, sorted, are a draw of the Plackett-Luce model."""
    out = uniform(seed, count)
    for i in range(count):
        out[i] = -log(-log(out[i]))
    return out


@kernel
def logistic(seed: int, count: int) -> Any:
    """Return standard logistic noise."""
    out = uniform(seed, count)
    for i in range(count):
        out[i] = log(out[i] / (1.0 - out[i]))
    return out


@kernel
def gauss(seed: int, count: int) -> Any:
    """Return standard normal noise, two numbers from two uniform ones (Box and Muller, 1958)."""
    half = (count + 1) // 2
    out = uniform(seed, 2 * half)
    for i in range(half):
        radius, angle = np.sqrt(-2.0 * log(out[i])), 2.0 * np.pi * out[half + i]
        out[i], out[half + i] = radius * np.cos(angle), radius * np.sin(angle)
    return out[:count]
