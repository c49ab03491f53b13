"""Losses of clicks whose scores have a term of the position added, in training alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import check_positive
from ._base import OBJECTIVES, Bound, Gradients, Labelled, Objective, State, Vector, row_weights, shown_positions
from ._frames.wrapped import Wrapped, WrappedBound, taken_by_rank
from ._pairwise import LambdaRank

DEFAULT = LambdaRank()
LEAST_SECOND = 0.001  # added to the second derivative that a step divides by, as in LightGBM


@OBJECTIVES.add("position_term", "additive_position")
@dataclass(frozen=True, repr=False)
class PositionTerm(Wrapped):
    r"""Additive position term: trees learn what a term of its own for each position does not explain.

    With the loss :math:`\ell` of the base and the rank :math:`k_i` at which document i was shown, :math:`L = \ell(y, s
    + b_k)`, with a number :math:`b_k` for each rank.  After each round, with the gradients g and hessians h of the
    documents shown at k that its tree was grown from, and their total weight n, :math:`b_k \leftarrow b_k - \nu (\sum
    g_i + \lambda n b_k) / (\sum h_i + \lambda n + 0.001)`: a Newton step with the rate :math:`\nu` and the penalty
    :math:`\lambda`.  They are told relative to the first rank that the data have; if a constant added to all scores
    changes the loss, they are lowered to that after each round.
    To predict, s alone is used: the score as if all were shown at that rank.

    For `Softmax` this is a click model in which the rank multiplies the odds of a click, by :math:`e^{b_k}`; for
    cross-entropy it multiplies the odds of a click against none.  The rank is no feature: it cannot interact with
    features.  Where lists were made by a good ranker, position and relevance go together, and what is due to each is
    not known from such data alone; a large penalty leaves more to the trees.

    Parameters
    ----------
    base : Objective
        Any of one output a document, whose leaves it does not renew; also by name or table.
    learning_rate : float
        :math:`\nu`.  LightGBM's is that of its trees.
    regularisation : float
        :math:`\lambda` of each document; LightGBM's ``lambdarank_position_bias_regularization``.

    References
    ----------
    Ke et al., LightGBM, documentation of the parameter ``lambdarank_position_bias_regularization`` (the update).

    Zhao et al., "Recommending What Video to Watch Next: A Multitask Ranking System", RecSys 2019, section 4.4 (a term
    of the position beside the score).

    Examples
    --------
    Alike but for their rank: what is clicked at rank 1 only is left to the position.

    >>> from gbrank import GBRanker, RankingData
    >>> data = RankingData([[0.0], [1.0]] * 50, [1, 0] * 50, [i // 2 for i in range(100)], position=[1, 2] * 50)
    >>> ranker = GBRanker(PositionTerm("softmax", learning_rate=1.0), n_estimators=5, min_docs_in_leaf=1).fit(data)
    >>> bool(ranker.position_bias_["term"][2] < -1)
    True
    """

    name: ClassVar[str] = "position_term"
    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False

    base: Objective = DEFAULT
    learning_rate: float = 0.1
    regularisation: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("learning_rate", self.learning_rate)
        check_positive("regularisation", self.regularisation, zero=True)
        if not self.base.summable:
            raise self.refused("it has several outputs a document, or leaves that it renews.")

    def position_bias(self, state: State) -> dict[str, Vector]:
        """Return ``term``, :math:`b_k` of each rank; NaN of one that the data do not have."""
        term = np.asarray(state["position_term"])
        return super().position_bias(state) | {"term": term - term[np.argmin(np.isnan(term))]}

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        return TermBound(self, self.base.bind(data, engine=engine, n_jobs=n_jobs), data)


class TermBound(WrappedBound):
    """A base whose scores have the terms added; `step` is the change of each that the last gradient asks for."""

    def __init__(self, objective: PositionTerm, base: Bound, data: Labelled) -> None:
        super().__init__(base)
        if base.n_outputs > 1 or base.renews_leaves:  # and does not say so, being a user's
            raise objective.refused("it has several outputs a document, or leaves that it renews.")
        self.objective, self.place = objective, shown_positions(data, objective.name) - 1
        self.weight = row_weights(data)
        self._begin_at(np.where(np.bincount(self.place) > 0, 0.0, np.nan))

    def _begin_at(self, term: Vector) -> None:
        self.term, self.step = term, np.zeros(len(term))
        self.first = int(np.argmin(np.isnan(term)))
        self.size = self._sum(np.ones(len(self.place)) if self.weight is None else self.weight)

    def _sum(self, values: npt.NDArray[Any]) -> Vector:
        return np.asarray(np.bincount(self.place, values, minlength=len(self.term)), dtype=np.float64)

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        gradient, hessian = self.base.gradient_hessian(score + self.term[self.place], round)
        penalty = self.objective.regularisation * self.size
        first, second = self._sum(gradient) + penalty * self.term, self._sum(hessian) + penalty
        self.step = -self.objective.learning_rate * first / (second + LEAST_SECOND)
        return gradient, hessian

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        return self.base.loss(score + self.term[self.place])

    def end_round(self, score: npt.NDArray[Any]) -> None:
        moved = self.term + self.step
        # Of a loss that knows differences alone they are penalised as they are, as LightGBM does.
        self.term = moved if self.objective.shift_invariant else moved - moved[self.first]
        self.step = np.zeros(len(self.term))
        self.base.end_round(score + self.term[self.place])

    def begin(self, score: npt.NDArray[Any]) -> None:
        self.base.begin(score + self.term[self.place])

    def state(self) -> State:
        return dict(self.base.state()) | {"position_term": self.term.copy()}

    def resume(self, state: State, rounds: int) -> None:
        """Take up the terms; those of ranks that the earlier data did not have begin at 0."""
        self.base.resume({each: value for each, value in state.items() if each != "position_term"}, rounds)
        self._begin_at(taken_by_rank(state, "position_term", self.term))
