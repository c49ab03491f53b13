"""The position-based click model as a loss: trees and examination probabilities by one likelihood."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import GbrankWarning, IntArray, check_whole
from ._base import OBJECTIVES, Bound, Gradients, Labelled, State, Vector, shown_positions, sum_by_query
from ._classification import check_relevant_from, cross_entropy, relevance, two_columns
from ._frames.points import PointBound
from ._frames.wrapped import taken_by_rank
from ._grades import GradeObjective, log_odds, sigmoid

LEAST = 1e-6  # examination of a rank that has a click
FARTHEST = 4.0  # that an examination is multiplied or divided by in a step


@OBJECTIVES.add("position_based", "pbm")
@dataclass(frozen=True, repr=False)
class PositionBasedClicks(GradeObjective):
    r"""Likelihood of clicks in the position-based model, of which trees learn relevance and each rank its examination.

    A document at rank k is clicked if it is examined, with probability :math:`\theta_k`, and relevant, with probability
    :math:`p = \sigma(s)`: :math:`L = -\sum_i c_i \log(\theta_{k_i} p_i) + (1 - c_i) \log(1 - \theta_{k_i} p_i)`.
    The gradient is that of cross-entropy whose target is 1 for a click, and for none the probability :math:`(1 -
    \theta_k) p / (1 - \theta_k p)` that the document is relevant yet not examined: an E-step.  In place of the second
    derivative, which may be negative, stands p (1 - p) of that cross-entropy, which is never less.  After each round
    each :math:`\theta_k` takes Newton steps to its greatest likelihood at the scores reached.  Boosting starts from the
    click rate of the first rank, and with the other ranks' rates divided by it for :math:`\theta`.

    Clicks tell relevance and examination only up to a factor: :math:`\theta` of the first rank that the data have is 1
    and stays so, and no other is above 1.  To predict, s alone is used; the probabilities are those of relevance, which
    is that of a click at the first rank.  Where lists were made by a good ranker, position and relevance go together,
    and what is due to each is not known from such data alone; lists of several rankers, or shuffled ones, tell them
    apart.  Of a rank without a click, the likelihood is greatest with :math:`\theta = 0`, which it gets: its documents
    teach nothing.  For the same of `Softmax`, where :math:`\theta` multiplies odds, see `PositionTerm`.

    Parameters
    ----------
    steps : int
        Newton steps of the examination after each round.
    relevant_from : float
        The lowest label that is a click.

    References
    ----------
    Wang, Golbandi, Bendersky, Metzler and Najork, "Position Bias Estimation for Unbiased Learning to Rank in Personal
    Search", WSDM 2018, section 4 (this likelihood, by EM).

    Guo, Yu, Liu, Tang and Zhang, "PAL: A Position-bias Aware Learning Framework for CTR Prediction in Live Recommender
    Systems", RecSys 2019 (position at training, not at prediction).

    Examples
    --------
    Half as many clicks at rank 2 as at rank 1, so that the skip there says less against the document:

    >>> y, s, position = [1, 1, 1, 0], [0.0, 0.0, 0.0, 0.0], [1, 1, 2, 2]
    >>> PositionBasedClicks().gradient_hessian(y, s, [0, 4], position=position)[0].round(3).tolist()
    [-0.5, -0.5, -0.5, 0.167]
    """

    name: ClassVar[str] = "position_based"
    pointwise: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False

    steps: int = 2
    relevant_from: float = 1.0

    def __post_init__(self) -> None:
        check_whole("steps", self.steps)
        check_relevant_from(self.relevant_from)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        click = relevance(data, self.name, self.relevant_from)
        return ClickBound(self.steps, click, data, engine, n_jobs)

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        return two_columns(score)

    def position_bias(self, state: State) -> dict[str, Vector]:
        r"""Return ``examination``, :math:`\theta_k` by rank; 0 of one without a click, NaN of one not in the data."""
        return {"examination": np.asarray(state["examination"])}


class ClickBound(PointBound):
    """Cross-entropy whose targets follow from clicks, examination and the scores of the round."""

    def __init__(self, steps: int, click: Vector, data: Labelled, engine: str, n_jobs: int | None) -> None:
        super().__init__(cross_entropy, (1.0,), click, data, engine, n_jobs)
        self.click, self.steps, self.place = click, steps, shown_positions(data, PositionBasedClicks.name) - 1
        self.each = np.ones(len(click)) if self.weight is None else self.weight
        shown = np.bincount(self.place)
        self.theta = np.where(shown > 0, 1.0, np.nan)
        self.first = int(self.place.min())
        rate = self._sum(self.each * click) / np.maximum(self._sum(self.each), 1e-300)
        self.never = (shown > 0) & (self._sum(self.each * click) == 0)
        warn_of_a_first_rank_without_clicks(self.never, shown, self.first)
        self._keep(np.where(shown > 0, rate / max(rate[self.first], LEAST), np.nan))
        self.start = lambda y, weight: float(log_odds(rate[self.first]))

    def _keep(self, theta: Vector) -> None:
        """Set the examinations: at most 1, 1 of the first rank, and 0 of others that were shown and never clicked."""
        self.theta = np.clip(theta, LEAST, 1.0)
        self.theta[: len(self.never)][self.never] = 0.0
        self.theta[self.first] = 1.0

    def _sum(self, values: npt.NDArray[Any]) -> Vector:
        return np.asarray(np.bincount(self.place, values, minlength=len(self.theta)), dtype=np.float64)

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        p, skipped, theta = self._skipped(score)
        self.y = np.where(self.click > 0, 1.0, (1 - theta) * p / skipped)
        return super().gradient_hessian(score, round)

    def _skipped(self, score: npt.NDArray[Any]) -> tuple[Vector, Vector, Vector]:
        """Return the probability of relevance, that of no click, and the examination of each document."""
        theta = self.theta[self.place]
        return sigmoid(score), np.maximum(1 - theta + theta * sigmoid(-score), 1e-100), theta

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        _, skipped, theta = self._skipped(score)
        value = np.where(self.click > 0, np.logaddexp(0, -score) - np.log(np.maximum(theta, LEAST)), -np.log(skipped))
        return sum_by_query(self.each * value, self.query_ptr)

    def end_round(self, score: npt.NDArray[Any]) -> None:
        clicks, missed = self._sum(self.each * self.click), self.each * (1 - self.click)
        for _ in range(self.steps):
            p, skipped, _ = self._skipped(score)
            pull, theta = missed * p / skipped, np.maximum(self.theta, LEAST)
            slope = clicks / theta - self._sum(pull)
            bend = clicks / theta**2 + self._sum(pull * p / skipped)
            moved = theta + slope / np.maximum(bend, 1e-300)
            self._keep(np.clip(moved, theta / FARTHEST, theta * FARTHEST))

    def begin(self, score: npt.NDArray[Any]) -> None:
        self.end_round(score)

    def state(self) -> State:
        return {"examination": self.theta.copy()}

    def resume(self, state: State, rounds: int) -> None:
        """Take up the examination; ranks of which the earlier data told nothing begin with their own."""
        earlier = np.asarray(state["examination"], dtype=np.float64)
        known = {"examination": np.where(earlier > 0, earlier, np.nan)}
        self.theta = taken_by_rank(known, "examination", self.theta)
        self.first = int(np.argmin(np.isnan(self.theta)))


def warn_of_a_first_rank_without_clicks(never: npt.NDArray[np.bool_], shown: IntArray, first: int) -> None:
    """Warn that nothing can be relative to the first rank, if that was never clicked."""
    if never[first]:
        warnings.warn(
            f"position_based: no click at rank {first + 1}, of {shown[first]:,} documents shown. The others are "
            f"measured by rank {first + 1}, so none is right; check the positions and labels.",
            GbrankWarning,
            stacklevel=6,
        )
