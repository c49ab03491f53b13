"""An objective with data to try it on, and what its engines make of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..objectives import Bound, Objective
from ._compare import Numbers
from ._data import Array, Data, odd_queries, spread_scores


class Trial(NamedTuple):
    """What an engine made of scores of some kind."""

    engine: str
    kind: str
    score: Array
    found: Numbers


class Case:
    """An objective, data to try it on, and what several checks need."""

    def __init__(
        self, objective: Objective, targets: Data, score: Array | None, seed: int, engines: Sequence[str]
    ) -> None:
        self.objective, self.targets, self.seed, self.engines = objective, targets, seed, engines
        self.odd = odd_queries(targets.y, self.rng())
        self._score = score
        self._trials: dict[int, list[Trial]] = {}

    def rng(self) -> np.random.Generator:
        """Return a generator that draws the same each time."""
        return np.random.default_rng(self.seed)

    def bound(self, targets: Data | None = None, engine: str | None = None) -> Bound:
        """Return the objective bound afresh, by default to the usual data with the first engine."""
        return self.objective.bind(targets or self.targets, engine=engine or self.engines[0], n_jobs=1)

    @functools.cached_property
    def score(self) -> Array:
        """Scores of the usual data, no two of a query near each other."""
        if self._score is not None:
            return self._score
        return spread_scores(self.targets.query_ptr, self.bound().n_outputs, self.rng())

    @functools.cached_property
    def weighted(self) -> Data:
        """The usual data with weights of queries, and of documents where the objective takes them."""
        rng, n_queries = self.rng(), len(self.targets.query_ptr) - 1
        weights = rng.uniform(0.5, 2, len(self.targets.y)), rng.uniform(0.5, 1.5, n_queries)
        of_documents = weights[0] if self.objective.document_weights else None
        return self.targets._replace(sample_weight=of_documents, query_weight=weights[1])

    @functools.cached_property
    def draws(self) -> bool:
        """Whether rounds differ although nothing else does."""
        first, second = (self.bound().gradient_hessian(self.score, round)[0] for round in (0, 1))
        return not np.array_equal(first, second)

    def trials(self, targets: Data) -> list[Trial]:
        """Return what each engine makes of usual and of extreme scores, on one of the data of this case."""
        if id(targets) not in self._trials:
            self._trials[id(targets)] = list(self._try(targets))
        return self._trials[id(targets)]

    def _try(self, targets: Data) -> Iterator[Trial]:
        for engine in self.engines:
            bound, rng = self.bound(targets, engine), self.rng()
            shape = (len(targets.y),) if bound.n_outputs == 1 else (len(targets.y), bound.n_outputs)
            scores = {
                "spread scores": spread_scores(targets.query_ptr, bound.n_outputs, rng),
                "scores of 0": np.zeros(shape),
                "tied scores": np.round(rng.normal(size=shape)),
                "scores of 500 and -500": rng.choice([-500.0, 0.0, 500.0], size=shape),
                "scores far apart": rng.uniform(-500, 500, size=shape),
            }
            for kind, score in scores.items():
                yield Trial(engine, kind, score, numbers(bound, score))


def numbers(bound: Bound, score: Array, round: int = 0) -> Numbers:
    """Return copies of gradient, hessian and loss; a bound may keep and change what it returned."""
    gradient, hessian = bound.gradient_hessian(score.copy(), round)
    return Numbers(np.array(gradient), np.array(hessian), np.array(bound.loss(score.copy())))
