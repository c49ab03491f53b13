"""A/B tests of two rankings before simulated users: half of the sessions see the one, half the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import check_confidence, check_whole
from ..data import RankingData
from ._duel import Duel, Outcome
from ._model import ClickModel
from ._simulate import Relevance
from ._tables import PairTable


@dataclass(frozen=True)
class ABTest(Outcome):
    """Outcome of an A/B test of clicks in a session; made by `simulate_ab_test`.

    Parameters
    ----------
    n_a, n_b : int
        Sessions of each arm.
    mean_a, mean_b, deviation_a, deviation_b : float
        Of the clicks in a session.
    confidence : float
        Of the interval.

    Examples
    --------
    >>> found = ABTest(1000, 1000, 0.55, 0.5, 0.8, 0.8)
    >>> round(found.difference, 3), [round(end, 3) for end in found.interval], round(found.p, 3)
    (0.05, [-0.02, 0.12], 0.162)
    >>> found.sessions_needed()
    8038
    """

    TOLD: ClassVar[tuple[str, ...]] = (
        "n_a", "n_b", "mean_a", "mean_b", "deviation_a", "deviation_b", "difference", "p",
    )  # fmt: skip

    n_a: int
    n_b: int
    mean_a: float
    mean_b: float
    deviation_a: float
    deviation_b: float
    confidence: float = 0.95

    @property
    def difference(self) -> float:
        """Clicks in a session of a less those of b."""
        return self.mean_a - self.mean_b

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of `difference` by Welch's t."""
        from scipy.special import stdtrit

        error, freedom = self._error
        half = float(stdtrit(freedom, (1 + self.confidence) / 2)) * error if error else 0.0
        return self.difference - half, self.difference + half

    @property
    def p(self) -> float:
        """The p of Welch's two-sided test (Biometrika 34, 1947)."""
        from scipy.special import stdtr

        error, freedom = self._error
        if not error:
            return 1.0 if self.difference == 0 else 0.0
        return float(2 * stdtr(freedom, -abs(self.difference) / error))

    @property
    def _error(self) -> tuple[float, float]:
        """Standard error of the difference, and its degrees of freedom."""
        a, b = self.deviation_a**2 / self.n_a, self.deviation_b**2 / self.n_b
        freedom = (a + b) ** 2 / (a**2 / (self.n_a - 1) + b**2 / (self.n_b - 1)) if a + b else float("inf")
        return float(np.sqrt(a + b)), freedom

    def sessions_needed(self, *, power: float = 0.8, level: float = 0.05) -> float:
        """Return how many sessions, in both arms together, find the difference if it is the one found here.

        2 (z_level + z_power)^2 (s_a^2 + s_b^2) / difference^2, with z_level two-sided; infinite for no difference.
        """
        from scipy.special import ndtri

        if self.difference == 0:
            return float("inf")
        z = ndtri(1 - level / 2) + ndtri(power)
        return int(np.ceil(2 * z**2 * (self.deviation_a**2 + self.deviation_b**2) / self.difference**2))

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"clicks in a session: a {self.mean_a:.4f} ({self.n_a:,} sessions), b {self.mean_b:.4f} ({self.n_b:,})\n"
            f"difference {self.difference:+.4f} [{low:+.4f}, {high:+.4f}], p = {self.p:.4g}; {self._needed()}"
        )


def simulate_ab_test(
    a: Any,
    b: Any,
    model: ClickModel,
    *,
    sessions: int,
    k: int = 10,
    data: RankingData | None = None,
    attraction: PairTable | Relevance | None = None,
    satisfaction: PairTable | Relevance | None = None,
    confidence: float = 0.95,
    random_state: int | None = None,
) -> ABTest:
    """Show half of the sessions, at random, the one ranking and half the other, and count clicks.

    Each session has a query at random, in proportion to their weight where `data` have any.

    Parameters
    ----------
    a, b, model, k, data, attraction, satisfaction, confidence, random_state
        As those of `simulate_interleaving`.
    sessions : int
        At least 4, of both arms together.

    Raises
    ------
    DataError, ParameterError
        As `simulate_interleaving`.
    """
    check_whole("sessions", sessions, lowest=4)
    check_confidence(confidence)
    duel = Duel.make(a, b, model, k, data, {"attraction": attraction, "satisfaction": satisfaction})
    rng = np.random.default_rng(random_state)
    is_a = rng.permutation(sessions) < sessions // 2
    query = duel.queries(sessions, rng)
    lists = [(duel.a if arm else duel.b)[q] for arm, q in zip(is_a.tolist(), query, strict=True)]
    ptr, click = duel.clicks(lists, rng)
    found = np.add.reduceat(click, ptr[:-1], dtype=np.int64)
    arms = found[is_a], found[~is_a]
    means, deviations = ([float(value(arm)) for arm in arms] for value in (np.mean, lambda arm: arm.std(ddof=1)))
    return ABTest(len(arms[0]), len(arms[1]), means[0], means[1], deviations[0], deviations[1], confidence)
