"""Losses of the margin d, most by their derivatives, that are given r = exp(-a d), see `_frames.pairs.PairFrame`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._classification import focal_terms

HIGHEST = float(np.exp(30.0))  # from where on the exponential loss is a straight line


def logistic_of_ratio(d: Any, r: Any, sigmoid: Any) -> Any:
    """Derivatives of `logistic` for r = exp(-sigmoid d)."""
    q = 1.0 / (1.0 + r)
    p = r * q
    return -sigmoid * p, sigmoid * sigmoid * p * q


def logistic_value_of_ratio(d: Any, r: Any, sigmoid: Any) -> Any:
    """Value of `logistic` for r = exp(-sigmoid d)."""
    return np.log1p(r)


def exponential_of_ratio(d: Any, r: Any) -> Any:
    """Derivatives of `exponential` for r = exp(-d)."""
    e = np.minimum(r, HIGHEST)
    return -e, e


def focal_of_ratio(d: Any, r: Any, gamma: Any, sigmoid: Any) -> Any:
    """Derivatives of `focal` for r = exp(-sigmoid d)."""
    p, log_p = 1.0 / (1.0 + r), -np.log1p(r)
    _, first, second = focal_terms(p, r * p, log_p, gamma, np.exp(gamma * (log_p - sigmoid * d)))
    return sigmoid * first, sigmoid * sigmoid * np.maximum(second, 0.0)


def focal_squared_of_ratio(d: Any, r: Any, gamma: Any, sigmoid: Any) -> Any:
    """Derivatives of `focal` for a gamma of 2 and r = exp(-sigmoid d)."""
    p = 1.0 / (1.0 + r)
    q = r * p
    _, first, second = focal_terms(p, q, -np.log1p(r), 2.0, q * q)
    return sigmoid * first, sigmoid * sigmoid * np.maximum(second, 0.0)
