"""The alternating schedule: losses are judged by the next rounds of one model, which the best of them trains on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .._checks import GbrankError, ParameterError
from ..data import RankingData
from ..metrics import Measure
from ..objectives import ExpressionLoss, LambdaRank, Objective
from ..rankers import GBRanker
from ..rankers._changed import quiet_trees, with_params
from ._proxy import Schedule
from ._store import FULL, Advance, Candidate, Store

TURNS = 5
"""Turns in which the model would come to the ranker's number of trees."""
LAMBDARANK = ExpressionLoss("softplus(-d) * (dG * dD / IDCG)", truncation=30, score_norm=True, query_norm=True)
"""The same as `LambdaRank()`, as a formula: a model of formulas is trained on by formulas only."""


def formula_of(baseline: str | Objective) -> ExpressionLoss:
    """Return a baseline as a formula's objective.

    Raises
    ------
    ParameterError
        It is neither LambdaRank nor the objective of a formula.
    """
    if baseline in ("lambdarank", LambdaRank()):
        return LAMBDARANK
    if not isinstance(baseline, ExpressionLoss):
        raise ParameterError(
            f"baseline={baseline!r}: the model of an alternating search is trained on with formulas only; give "
            "'lambdarank', or gbrank.objective('expression', formula=...)."
        )
    return baseline


@dataclass(eq=False)
class Alternating(Schedule):
    """Trainings that go on from the model so far; its boosting steps and the searcher's lessons take turns.

    Parameters
    ----------
    make : callable
        Makes the objective of a loss's text.
    fold : (RankingData, RankingData)
        What the model is trained on, and what it is measured on.
    ranker : GBRanker
    measure : Measure
    baseline : ExpressionLoss
        What gains are over.

    Attributes
    ----------
    model : GBRanker or None
        The model so far.
    value : float
        Its measure; that of no model is minus infinity, or infinity where less is better.
    """

    make: Callable[[str], Objective]
    fold: tuple[RankingData, RankingData]
    ranker: GBRanker
    measure: Measure
    baseline: ExpressionLoss
    model: GBRanker | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.sign = 1.0 if self.measure.higher_is_better else -1.0
        self.value = -self.sign * float("inf")
        self.rounds = max(1, self.ranker.n_estimators // TURNS)
        self.usual = float("nan")

    def begin_turn(self, turn: int, store: Store) -> None:
        """Measure what the baseline makes of the model, and come to the model of the turn if the search goes on."""
        self.usual = self._on(self.baseline)[1]

    def assess(self, candidate: Candidate) -> Candidate:
        """Return the candidate with what it gains over the baseline in the next rounds."""
        began = time.perf_counter()
        try:
            gain = self.sign * (self._on(self.make(candidate.loss))[1] - self.usual)
            found = replace(candidate, stage=FULL, reward=gain, folds=(gain,))
        except GbrankError:
            found = replace(candidate, reason="untrainable")
        return replace(found, seconds=time.perf_counter() - began)

    def end_turn(self, turn: int, candidates: list[Candidate], best: Candidate | None, store: Store) -> None:
        """Train the model on with the best loss so far, else with the best of the turn, if it is no worse then."""
        known = {each.turn: each for each in store.advances()}
        if turn in known:
            if known[turn].kept:
                self.model, self.value = self._on(self.make(known[turn].loss))
            return
        measured = [each for each in candidates if each.stage == FULL]
        tried = [] if best is None else [best, *sorted(measured, key=lambda each: -each.reward)[:1]]
        advance = None
        for loss in dict.fromkeys(each.loss for each in tried):
            model, value = self._on(self.make(loss))
            kept = self.sign * value >= self.sign * self.value
            advance = Advance(turn, loss, self.value, value, kept)
            if kept:
                self.model, self.value = model, value
                break
        if advance is not None:
            store.put_advance(advance)

    def _on(self, objective: Objective) -> tuple[GBRanker, float]:
        """Return the model trained on with a loss, and its measure."""
        train, valid = self.fold
        fresh = with_params(self.ranker, {}, objective=objective, n_estimators=self.rounds, init_model=self.model)
        with quiet_trees():
            fresh.fit(train)
        return fresh, fresh.score(valid)
