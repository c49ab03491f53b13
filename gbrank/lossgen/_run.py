"""The search itself: ask, filter, train, tell; the same from the same seed, however many workers, however often killed.

Each program is asked for with a generator of its own, seeded by its number.  What is rejected on the grid, and what is
known, is told at once; what has to be trained waits until a batch of it has come together, is trained by the workers
and told in order.  A search that goes on does all of this again, and reads what is stored where it would have trained.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from .._checks import DataError
from ._filters import Grid, Judged, rescaled, too_large
from ._forms import readable
from ._graph import Graph
from ._proxy import Schedule
from ._searchers import REJECTED, Searcher
from ._store import FULL, GRID, SHORT, Candidate, Store

MOST_ASKED = 2000
"""Programs asked for in one batch at most."""
LONGEST_WAIT = 3600.0
TIMED = ("asking", "filtering", "training", "telling")
FLUSHED = 200
"""Rejected programs written together."""


@dataclass(frozen=True)
class Limits:
    """When a search ends: after so many programs, so many trained, or so many seconds, whichever comes first."""

    n_candidates: float = math.inf
    n_trained: float = math.inf
    timeout: float = math.inf


@dataclass
class Run:
    """One search on its way.

    Attributes
    ----------
    seconds : dict of str to float
        Where time went: "asking", "filtering", "training" (while workers train), "telling".
    best : Candidate or None
        The best so far of those that came to the full proxy; the first of equals.
    """

    searcher: Searcher
    starts: list[Graph]
    grid: Grid
    schedule: Schedule
    store: Store
    limits: Limits
    seed: int
    batch_size: int
    workers: int
    tell: Callable[[Run], None]
    all: list[Candidate] = field(default_factory=list)
    best: Candidate | None = None
    turn: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMED, 0.0))

    def __post_init__(self) -> None:
        self.stored = self.store.candidates()
        self.began = time.perf_counter()
        self.asked = self.trained = 0
        self.timed_out = False  # in the middle of a batch
        self.judged: dict[str, Judged] = {}
        self.first: dict[str, Candidate] = {}  # of each fingerprint
        self.unwritten: list[Candidate] = []

    def __call__(self) -> None:
        """Search until a limit is reached."""
        with ThreadPoolExecutor(self.workers, thread_name_prefix="gbrank-loss") as pool:
            while not self.over():
                self._batch(pool)

    def over(self, waiting: int = 0) -> bool:
        """Tell whether a limit is reached, once those that wait are trained; what is stored takes no time."""
        if self.timed_out or self.asked >= self.limits.n_candidates or self.trained + waiting >= self.limits.n_trained:
            return True
        return self.asked not in self.stored and self.elapsed >= self.limits.timeout

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    def _batch(self, pool: ThreadPoolExecutor) -> None:
        waiting: dict[int, tuple[Graph, Candidate]] = {}
        copies: list[tuple[Graph, Candidate]] = []
        first = self.asked
        while len(waiting) < self.batch_size and self.asked - first < MOST_ASKED and not self.over(len(waiting)):
            with self._timed("asking"):
                graph = self._ask()
            with self._timed("filtering"):
                candidate = self._filtered(graph)
            self.asked += 1
            if candidate.same_as in waiting:
                copies.append((graph, candidate))
            elif candidate.stage == GRID:
                self._learn(graph, candidate)
            else:
                waiting[candidate.number] = graph, candidate
        self._write()
        with self._timed("training"):
            self._train(pool, waiting)
        for graph, candidate in waiting.values():
            self._learn(graph, candidate)
        for graph, candidate in copies:
            if candidate.same_as in waiting:
                self._learn(graph, self._copied(candidate))
        self._write()
        if len(waiting) == self.batch_size or self.asked - first == MOST_ASKED:  # else a search that goes on ends it
            with self._timed("training"):
                self.schedule.end_turn(self.turn, [each for _, each in waiting.values()], self.best, self.store)
        self.turn += 1
        self.tell(self)

    def _ask(self) -> Graph:
        if self.asked < len(self.starts):
            return self.starts[self.asked]
        return self.searcher.ask(np.random.default_rng([self.seed, self.asked]))

    def _filtered(self, graph: Graph) -> Candidate:
        """Return what the grid says of a program, as a candidate; of stage "short" if it has to be trained."""
        number, text = self.asked, graph.text()
        if number in self.stored:
            return self._again(self.stored[number], text)
        rejected = Candidate(number, text, "", "", GRID, "large", REJECTED, turn=self.turn)
        if too_large(graph):
            return rejected
        loss = graph.expression().canonical()
        written = str(loss)
        verdict = self.judged.get(written)
        if verdict is None:
            verdict = self.judged[written] = self.grid.judge(loss)
        if verdict.reason is not None:
            return replace(rejected, loss=written, reason=verdict.reason)
        made = replace(
            rejected,
            loss=str(rescaled(loss, verdict.factor)),
            fingerprint=verdict.fingerprint,
            reason=None,
            stage=SHORT,
        )
        original = self.first.setdefault(verdict.fingerprint, made)
        return made if original is made else replace(made, stage=GRID, reason="duplicate", same_as=original.number)

    def _again(self, stored: Candidate, text: str) -> Candidate:
        if stored.graph != text:
            raise DataError(
                f"storage {self.store.path}: candidate {stored.number} is {readable(stored.loss)}, which this "
                "search would not ask for; it was written by another version of gbrank or another "
                "searcher: give another file."
            )
        if stored.fingerprint:
            self.first.setdefault(stored.fingerprint, stored)
        return stored

    def _train(self, pool: ThreadPoolExecutor, waiting: dict[int, tuple[Graph, Candidate]]) -> None:
        """Have the workers train those that wait and are not stored; each is written as soon as it is known.

        Those that have not begun when time is up are left out, for a search that goes on.
        """
        self.schedule.begin_turn(self.turn, self.store)
        tasks: dict[Future[Candidate], int] = {
            pool.submit(self.schedule.assess, candidate): number
            for number, (_, candidate) in waiting.items()
            if number not in self.stored
        }
        left = set(tasks)
        try:
            while left:
                time_left = None if self.timed_out else max(0.0, min(self.limits.timeout - self.elapsed, LONGEST_WAIT))
                done, left = wait(left, time_left, return_when=FIRST_COMPLETED)
                for each in done:
                    candidate = each.result()
                    self.store.put([candidate])
                    waiting[candidate.number] = waiting[candidate.number][0], candidate
                if self.elapsed >= self.limits.timeout:
                    self.timed_out = True
                    late = {each for each in left if each.cancel()}
                    for each in late:
                        del waiting[tasks[each]]
                    left -= late
        finally:
            for each in left:
                each.cancel()

    def _copied(self, candidate: Candidate) -> Candidate:
        original = self.first[candidate.fingerprint]
        return replace(candidate, reward=original.reward, folds=original.folds)

    def _learn(self, graph: Graph, candidate: Candidate) -> None:
        """Tell the searcher, and keep the candidate."""
        if candidate.same_as is not None:
            candidate = self._copied(candidate)
        elif candidate.fingerprint:
            self.first[candidate.fingerprint] = candidate
        self.all.append(candidate)
        if candidate.stage == GRID and candidate.number not in self.stored:
            self.unwritten.append(candidate)
            if len(self.unwritten) >= FLUSHED:
                self._write()
        self.trained += candidate.stage != GRID
        if candidate.stage == FULL and (self.best is None or candidate.reward > self.best.reward):
            self.best = candidate
        with self._timed("telling"):
            self.searcher.tell(graph, candidate.reward, candidate.reason)

    def _write(self) -> None:
        self.store.put(self.unwritten)
        self.unwritten = []

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began
