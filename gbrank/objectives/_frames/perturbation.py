"""Noise by which rankings are drawn: elementwise functions of two uniform numbers, of which most use one.

The numpy engine calls them on arrays, the compiled engine inlines them; both draw the same uniform numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .noise import uniform

Noise = Callable[[Any, Any], Any]


def gumbel(u: Any, v: Any) -> Any:
    """Return standard Gumbel noise: scores with it, sorted, are a draw of the Plackett-Luce model."""
    return -np.log(-np.log(u))


def logistic(u: Any, v: Any) -> Any:
    """Return standard logistic noise."""
    return np.log(u / (1.0 - u))


def gauss(u: Any, v: Any) -> Any:
    """Return standard normal noise (Box and Muller, 1958)."""
    return np.sqrt(-2.0 * np.log(u)) * np.cos(6.283185307179586 * v)


def no_noise(u: Any, v: Any) -> Any:
    """Return 0."""
    return 0.0 * u


NOISES: dict[str, Noise] = {"gumbel": gumbel, "logistic": logistic, "gauss": gauss, "none": no_noise}


def uniforms(noise: Noise) -> int:
    """Return how many of its two numbers a noise uses."""
    return 2 if noise is gauss else int(noise is not no_noise)


def drawn(noise: Noise, seed: int, draws: int, n: int) -> npt.NDArray[np.float64]:
    """Return noise of shape (draws, n)."""
    if noise is no_noise:
        return np.zeros((draws, n))
    u = uniform(seed, uniforms(noise) * draws * n).reshape(-1, draws, n)
    return np.asarray(noise(u[0], u[-1]))
