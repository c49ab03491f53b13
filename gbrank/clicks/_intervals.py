"""Intervals of a mean over sessions, which are independent, or over queries with all their sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._checks import IntArray, check_choice, check_confidence, check_whole
from ..evaluation._bootstrap import bca
from ..evaluation._resampling import resampled_means
from ._log import ClickLog

Vector = npt.NDArray[np.float64]
UNITS = ("session", "query")


@dataclass(frozen=True)
class Intervals:
    """How intervals are made.

    Parameters
    ----------
    confidence : float
    kind : {"t", "bootstrap"}
        Student's t of the mean, or its BCa bootstrap, which does not take it for symmetric.  Estimates that are ratios
        come to either as values of which they are the mean to first order.
    unit : {"session", "query"}
        What is drawn at random: sessions, each with its query; or queries, each with all its sessions.
    n_resamples, random_state : int
        Of the bootstrap.
    n_jobs : int, optional
    """

    confidence: float = 0.95
    kind: str = "t"
    unit: str = "session"
    n_resamples: int = 2000
    random_state: int = 0
    n_jobs: int | None = None

    def __post_init__(self) -> None:
        check_confidence(self.confidence)
        check_choice("interval", self.kind, ("t", "bootstrap"))
        check_choice("unit", self.unit, UNITS)
        check_whole("n_resamples", self.n_resamples, lowest=100)

    def of_mean(self, values: Vector, query: IntArray) -> tuple[float, float, float, float]:
        """Return mean, standard error, and the ends of the interval.

        Parameters
        ----------
        values : array of shape (n_sessions,)
        query : int64 array of shape (n_sessions,)
            The query of each session.
        """
        mean = float(values.mean())
        units = mean + self._errors(values - mean, query)
        n = len(units)
        if n < 2:
            return mean, float("nan"), float("nan"), float("nan")
        error = float(units.std(ddof=1)) / np.sqrt(n)
        if self.kind == "t":
            from scipy.special import stdtrit

            half = float(stdtrit(n - 1, (1 + self.confidence) / 2)) * error
            return mean, error, mean - half, mean + half
        means = resampled_means(units[:, None], self.n_resamples, self.random_state, self.n_jobs)[:, 0]
        return mean, error, *bca(mean, units - mean, means, self.confidence)

    def _errors(self, errors: Vector, query: IntArray) -> Vector:
        """Return the errors of units, scaled so that their mean is that of the sessions."""
        if self.unit == "session":
            return errors
        sums, there = np.bincount(query, errors), np.bincount(query) > 0
        return np.asarray(sums[there] * there.sum() / len(errors))


def resampled(log: ClickLog, n_resamples: int, unit: str, random_state: int) -> Iterator[IntArray]:
    """Yield how often each session counts in each resample of a bootstrap.

    Counts are drawn from the Poisson distribution of mean 1, for each session or for each query with all its sessions:
    the bootstrap of a log whose length is random, too (Hanley and MacGibbon, "Creating Non-parametric Bootstrap Samples
    Using Poisson Frequencies", Computer Methods and Programs in Biomedicine 2006).

    Parameters
    ----------
    log : ClickLog
    n_resamples : int
    unit : {"session", "query"}
    random_state : int
    """
    generator = np.random.default_rng(random_state)
    query = np.unique(log.query, return_inverse=True)[1] if unit == "query" else None
    n = log.n_sessions if query is None else int(query.max()) + 1
    for _ in range(n_resamples):
        drawn = generator.poisson(1.0, n)
        yield drawn if query is None else drawn[query]
