"""Expectation maximisation: the loop, the smoothing of probabilities and what a fit keeps of its course."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .._checks import GbrankWarning, ParameterError, check_positive, check_whole
from ._log import require_log

P = TypeVar("P", bound=tuple[Any, ...])
Prior = tuple[float, float]
TINY = 1e-300


def check_fit(log: Any, prior: Any, tolerance: Any, max_iterations: Any) -> Prior:
    """Return the prior as two numbers after checking what a fit is given.

    Raises
    ------
    ParameterError
    """
    try:
        successes, failures = (float(each) for each in prior)
    except (TypeError, ValueError):
        successes, failures = -1.0, -1.0
    if not (0 <= successes < np.inf and 0 <= failures < np.inf):
        raise ParameterError(f"prior={prior!r}: give two numbers of 0 or more: successes and failures seen beforehand.")
    check_positive("tolerance", tolerance, zero=True)
    check_whole("max_iterations", max_iterations)
    require_log(log)
    return successes, failures


def shares(sums: npt.NDArray[Any], prior: Prior, old: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return (successes + prior successes) / (trials + prior trials); where both are 0, `old`."""
    successes, trials = sums[..., 0] + prior[0], sums[..., 1] + prior[0] + prior[1]
    found = np.divide(successes, trials, out=np.array(old, dtype=np.float64), where=trials > 0)
    return np.clip(found, 0.0, 1.0)


def log_prior(prior: Prior, parameters: Iterable[npt.NDArray[Any]]) -> float:
    """Return the sum of a log p + b log(1 - p), which the M step adds to the log-likelihood."""
    total = 0.0
    for values in parameters:
        for pseudo, p in zip(prior, (values, 1 - values), strict=True):
            if pseudo:
                total += pseudo * float(np.log(np.maximum(p, TINY)).sum())
    return total


def climb(
    step: Callable[[P], tuple[float, P]], start: P, *, n_sessions: int, tolerance: float, max_iterations: int
) -> tuple[P, tuple[float, ...]]:
    """Repeat an EM step until the objective grows by less than `tolerance` for each session.

    Every two steps are followed by a leap in their direction, which is taken back where it does not go up (SQUAREM:
    Varadhan and Roland, "Simple and Globally Convergent Methods for Accelerating the Convergence of Any EM Algorithm",
    Scandinavian Journal of Statistics 2008, scheme S3).

    Parameters
    ----------
    step : callable
        From parameters, a tuple of arrays, to the objective that they have, and the next parameters.

    Returns
    -------
    parameters, history : the objective of all parameters on the way.
    """
    history: list[float] = []
    here = start
    while len(history) < max_iterations:
        value, one = step(here)
        history.append(value)
        value, two = step(one)
        history.append(value)
        if history[-1] - history[-2] < tolerance * n_sessions:
            return two, tuple(history)
        far = leap(here, one, two)
        value, after = step(far)
        if value >= history[-1]:
            history.append(value)
            here = after
        else:
            here = two
    warnings.warn(
        f"EM has not converged in max_iterations={max_iterations}; raise it, or the tolerance.",
        GbrankWarning,
        stacklevel=4,
    )
    return here, tuple(history)


def leap(here: P, one: P, two: P) -> P:
    """Return where two steps lead to on the long run; what would leave (0, 1) takes the two steps."""
    first = [b - a for a, b in zip(here, one, strict=True)]
    bend = [c - b - d for b, c, d in zip(one, two, first, strict=True)]
    size = sum(float(np.sum(each**2)) for each in bend)
    far = max(1.0, (sum(float(np.sum(each**2)) for each in first) / size) ** 0.5) if size > 0 else 1.0
    found = []
    for a, c, d, e in zip(here, two, first, bend, strict=True):
        there = a + 2 * far * d + far**2 * e
        found.append(np.where((there > 0) & (there < 1), there, c))
    return type(here)(*found) if hasattr(here, "_fields") else tuple(found)  # type: ignore[return-value]
