"""What all estimators share: a log beside a new ranking, with weights, propensities and exposures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, as_vector, check_choice
from ._off_policy import Shown, effective_number, mean_exposure, normalised, session_shares, session_values
from ._rewards import Examination, Reward

Vector = npt.NDArray[np.float64]
EXPOSURES = ("policy", "rank")
TOLD = {"policy": "the mean propensity over the sessions of a query", "rank": "the propensity of the rank"}


@dataclass(frozen=True)
class Problem:
    """A log beside a new ranking.

    Attributes
    ----------
    shown : Shown
    reward : Reward
    weight : array of shape (n_candidates,)
        Of each candidate at its new rank.
    alpha, residual, exposure : array of shape (n_rows,)
        Propensity of the row's rank; click less the noise there; rho.
    by : str
        "policy", "rank" or "given".
    """

    shown: Shown
    reward: Reward
    weight: Vector
    alpha: Vector
    residual: Vector
    exposure: Vector
    by: str

    @classmethod
    def make(cls, shown: Shown, seen: Examination, reward: Reward, exposure: Any, ranks_all: bool) -> Problem:
        """Look up what the ranks have; `DataError` where nothing has a weight.

        Parameters
        ----------
        shown : Shown
        seen : Examination
        reward : Reward
        exposure : {"policy", "rank"}, array-like of shape (n_rows,) or None
        ranks_all : bool
            Whether candidates are all documents of a query; otherwise those of the session.
        """
        alpha = seen.alpha[shown.rank - 1]
        if exposure is None:
            exposure = "policy" if ranks_all else "rank"
        by = exposure if isinstance(exposure, str) else "given"
        if by == "given":
            rho = _given(exposure, len(alpha))
        else:
            check_choice("exposure", by, EXPOSURES)
            if by == "policy" and not ranks_all:
                raise ParameterError(
                    "exposure='policy': scores of the log's rows rank the documents of one session; give a run, or "
                    "`data`, with all documents of each query, or exposure='rank'."
                )
            rho = alpha if by == "rank" else mean_exposure(shown, alpha)
        weight = reward.weight(shown.new_rank)
        if not shown.of_queries(weight).any():
            raise DataError("reward: has no weight at any rank of the new ranking; give one for the first ranks.")
        residual = shown.click - seen.beta[shown.rank - 1]
        return cls(shown, reward, weight, alpha, residual, rho, by)

    def logged(self) -> Vector:
        """Return for each session what the list that it showed brings, by inverse propensities of its own ranks."""
        at = self.shown.rank
        brought = self.reward.weight(at) / self.alpha * self.residual + self.reward.constant(at)
        return self.shown.per_session(brought)

    def values(self, method: str, guess: Vector | None, clip: float) -> Vector:
        """Return for each session a value of which the mean is the estimate."""
        shown, weight = self.shown, self.weight
        constant = shown.of_queries(self.reward.constant(shown.new_rank))
        if method == "direct" and guess is not None:
            return np.asarray(constant + shown.of_queries(weight * guess))
        found = session_values(
            shown,
            weight,
            self.alpha,
            self.residual,
            self.exposure,
            guess=guess if method.endswith("dr") else None,
            clip=clip if method.startswith("clipped") else 0.0,
            pooled=self.by == "policy",
        )
        return np.asarray(constant + (normalised(found, self.shares()) if method == "snips" else found))

    def shares(self) -> Vector:
        """Return what each session's weights sum to, of which the expectation is 1 where all is as it should be."""
        return session_shares(self.shown, self.weight, self.alpha, self.exposure, pooled=self.by == "policy")

    def click_weights(self, clip: float = 0.0) -> Vector:
        """Return what each click counts, of those on documents that have a weight."""
        weight = self.weight[self.shown.candidate]
        counts = (self.shown.click > 0) & (weight > 0)
        return np.asarray(weight[counts] / np.maximum(self.exposure[counts], clip))

    def effective_clicks(self, method: str, clip: float) -> float:
        """Return how many clicks of equal weight would bear the estimate as well; NaN where none bears it."""
        if method == "direct":
            return float("nan")
        return effective_number(self.click_weights(clip if method.startswith("clipped") else 0.0))

    def weight_not_seen(self) -> tuple[float, float]:
        """Return the weight in a session of the documents that its query never showed, and its share in all."""
        missing = self.shown.of_queries(np.where(self.shown.seen, 0.0, self.weight)).mean()
        return float(missing), float(missing / self.shown.of_queries(self.weight).mean())

    def share_not_shown(self) -> float:
        """Return the share of the weight that stands on documents which a session did not show itself."""
        there = self.shown.per_session(self.weight[self.shown.candidate]).mean()
        return float(1 - there / self.shown.of_queries(self.weight).mean())


def _given(exposure: npt.ArrayLike, n_rows: int) -> Vector:
    rho = as_vector("exposure", exposure, length=n_rows, of="rows of the log")
    bad = (rho <= 0) | (rho > 1)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"exposure: row {row} is {rho[row]:g}; what was shown has an expected propensity above 0 and at most 1."
        )
    return rho
