"""The order of each query's documents while training, and the options that steady it.

Scores jump, ranks more so: the options here let a rank-dependent loss see ranks that change less often (`every`), more
slowly (`smoothing`), or that do not favour the order of rows among ties (`ties`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._checks import IntArray, ParameterError, check_choice, check_positive, check_whole
from ..._compile import kernel, over_queries
from ...metrics._ranking import sort_pairs
from .._base import Vector
from .noise import mixed, uniform_rows


@dataclass(frozen=True)
class RankOptions:
    """How ranks follow scores.

    Parameters
    ----------
    every : int
        Rounds between two rankings.
    smoothing : float
        Weight of the past in each document's rank, at least 0 and below 1: the smoothed rank is
        ``smoothing * before + (1 - smoothing) * rank``.
    ties : {"stable", "shuffled"}
        Tied documents stand in row order, or in a random order, drawn anew in each round.
    seed : int
    """

    every: int = 1
    smoothing: float = 0.0
    ties: str = "stable"
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("rerank_every", self.every)
        check_positive("rank_smoothing", self.smoothing, zero=True)
        if self.smoothing >= 1:
            raise ParameterError(f"rank_smoothing={self.smoothing!r}: must be below 1, or no rank ever moves.")
        check_choice("ties", self.ties, ("stable", "shuffled"))
        check_whole("random_state", self.seed, lowest=0)


class Ranking:
    """The ranked rows of all queries, brought up to date once a round.

    Attributes
    ----------
    rows : int64 array of shape (n_documents,)
        The rows of each query, best first.
    smooth_discount : array of shape (n_documents,), or of length 0
        The discount of each place, where ranks are smoothed and so are no whole numbers.
    """

    def __init__(
        self, query_ptr: IntArray, options: RankOptions, engine: str, n_jobs: int | None, table: Vector | None = None
    ) -> None:
        """Rank with `options`; `table` has the discounts of whole ranks, if they are not those of NDCG."""
        self.query_ptr, self.options, self.engine, self.n_jobs, self.table = query_ptr, options, engine, n_jobs, table
        sizes = np.diff(query_ptr)
        self.query = np.repeat(np.arange(len(sizes)), sizes)
        self.place = np.arange(query_ptr[-1]) - np.repeat(query_ptr[:-1], sizes) + 1.0
        self.rows = np.arange(query_ptr[-1])
        self.smooth_discount = np.empty(0)
        self.round = -1
        self.before: Vector | None = None
        self.smoothed: Vector | None = None

    def update(self, score: Vector, round: int) -> None:
        """Rank by `score`, if the ranks of this round are to be new ones."""
        if self.round >= 0 and round % self.options.every and round != self.round:
            return
        if round != self.round:
            self.before, self.round = self.smoothed, round
        tie = np.empty(0)
        if self.options.ties == "shuffled":
            tie = uniform_rows(mixed(self.options.seed, round), self.query_ptr)
        self._rank(score, tie)
        if self.options.smoothing > 0:
            self._smooth(tie)

    def _rank(self, score: Vector, tie: Vector) -> None:
        if self.engine == "numpy":
            self.rows = np.lexsort((tie if len(tie) else self.place, -score, self.query))
        else:
            over_queries(rank_lists, self.query_ptr, score, tie, self.rows, n_jobs=self.n_jobs)

    def _smooth(self, tie: Vector) -> None:
        rank = np.empty(len(self.rows))
        rank[self.rows] = self.place
        past = self.options.smoothing
        self.smoothed = rank if self.before is None else past * self.before + (1 - past) * rank
        self._rank(-self.smoothed, rank)
        self.smooth_discount = self._discount(self.smoothed[self.rows])

    def _discount(self, rank: Vector) -> Vector:
        """Return the discount of ranks that are no whole numbers; between those of a table, on a straight line."""
        if self.table is None:
            return np.asarray(1 / np.log2(1 + rank))
        return np.interp(rank, np.arange(1.0, len(self.table) + 1), self.table)


@kernel
def rank_lists(first: int, last: int, query_ptr: Any, score: Any, tie: Any, rows: Any) -> None:
    """Put each query's rows in rank order; `rows`, the last ranking, is the first guess.

    Scores move little from round to round, and what is nearly sorted sorts fast.
    """
    size = 0
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    key, spare_key, spare_row = np.empty(size), np.empty(size), np.empty(size, np.int64)
    for q in range(first, last):
        rank(rows[query_ptr[q] : query_ptr[q + 1]], score, tie, key, spare_key, spare_row)


@kernel
def rank(row: Any, score: Any, tie: Any, key: Any, spare_key: Any, spare_row: Any) -> None:
    """Sort `row` by score, best first, and among ties by `tie` or, where that is empty, by row."""
    n = len(row)
    for i in range(n):
        key[i] = -score[row[i]]
    sort_pairs(n, key, row, spare_key, spare_row)
    start = 0
    while start < n:
        end, rising = start + 1, True
        while end < n and key[end] == key[start]:
            rising = rising and row[end] > row[end - 1]
            end += 1
        if end > start + 1 and (len(tie) > 0 or not rising):
            for i in range(start, end):
                key[i] = tie[row[i]] if len(tie) > 0 else row[i]
            sort_pairs(end - start, key[start:end], row[start:end], spare_key, spare_row)
        start = end
