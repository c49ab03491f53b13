"""What proposes losses: random search and evolution; the controller has a module of its own.

A searcher is asked for programs, and told of each its reward: the mean gain in the measure over LambdaRank, 0 where it
is as good.  A rejected loss comes with the reason; where nothing was measured, its reward is minus infinity.  A
searcher has no other source of chance than the generator it is asked with, so that one that is asked and told the same
again is the same: that is how a search goes on after its process was killed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque

import numpy as np

from .._checks import check_whole
from .._registry import Registry
from ._changes import crossed, mutated
from ._graph import Graph, Space

REJECTED = float("-inf")
"""Reward of a loss that was rejected before anything was measured."""


class Searcher(ABC):
    """What proposes losses of a space."""

    def __init__(self, space: Space) -> None:
        self.space = space

    @abstractmethod
    def ask(self, rng: np.random.Generator) -> Graph:
        """Return a program to try."""

    @abstractmethod
    def tell(self, graph: Graph, reward: float, reason: str | None) -> None:
        """Learn of a program's reward, and of the reason if it was rejected ("duplicate": the reward is known).

        Programs may be told that were never asked for: those that a search begins with.
        """


SEARCHERS: Registry[type[Searcher]] = Registry("searcher")


@SEARCHERS.add("random")
class RandomSearch(Searcher):
    """Draws every program anew, see `Space.random`."""

    def ask(self, rng: np.random.Generator) -> Graph:
        return self.space.random(rng)

    def tell(self, graph: Graph, reward: float, reason: str | None) -> None:
        pass


@SEARCHERS.add("evolution")
class Evolution(Searcher):
    """Aging evolution: the best of a few members of the population, changed, takes the place of the oldest.

    Until the population is full, programs are drawn at random.  A program enters when a reward was measured for it,
    and a program that was rejected for being the duplicate of another with that one's reward.

    Parameters
    ----------
    space : Space
    population : int
        Members at most.
    tournament : int
        Members drawn, of which the best is changed.
    crossover : float
        Probability that a second such member is crossed in, before the change.
    fresh : float
        Probability of a random program instead.

    References
    ----------
    Real, Aggarwal, Huang and Le, "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019; Li et
    al., "AutoLoss-Zero", CVPR 2022, section 3.3.
    """

    def __init__(
        self, space: Space, *, population: int = 20, tournament: int = 5, crossover: float = 0.25, fresh: float = 0.05
    ) -> None:
        super().__init__(space)
        check_whole("population", population, lowest=2)
        check_whole("tournament", tournament)
        self.population, self.tournament, self.crossover, self.fresh = population, tournament, crossover, fresh
        self.members: deque[tuple[Graph, float]] = deque(maxlen=population)

    def ask(self, rng: np.random.Generator) -> Graph:
        if len(self.members) < self.population or rng.random() < self.fresh:
            return self.space.random(rng)
        parent = self._parent(rng)
        if rng.random() < self.crossover:
            parent = crossed(self._parent(rng), parent, rng)
        return mutated(parent, rng)

    def tell(self, graph: Graph, reward: float, reason: str | None) -> None:
        if reward > REJECTED:
            self.members.append((graph, reward))

    def _parent(self, rng: np.random.Generator) -> Graph:
        drawn = rng.choice(len(self.members), size=min(self.tournament, len(self.members)), replace=False)
        return max((self.members[each] for each in drawn), key=lambda member: member[1])[0]
