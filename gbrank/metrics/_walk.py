"""Going through the queries: ranked block by block, in memory that stays in the cache, for any number of measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import IntArray, as_vector
from .._compile import over_queries
from ._convention import Vector
from ._ranking import rank_lists

BLOCK = 1 << 15  # documents
NONE = np.empty(0)
ALL_KNOWN = np.empty(0, np.bool_)


class Ranking(NamedTuple):
    """How queries are ranked; see `_ranking.rank_lists`."""

    score: Vector
    known: Any = ALL_KNOWN
    key: Vector = NONE
    split: bool = False


class Step(NamedTuple):
    """What is done with ranked lists: ``run(first, last, query_ptr, *before, row, tie_end, size, *after)``."""

    run: Callable[..., None]
    before: tuple[Any, ...]
    after: tuple[Any, ...]


def walk(query_ptr: IntArray, ranking: Ranking, depth: int, steps: list[Step], n_jobs: int | None) -> None:
    """Rank each query down to `depth` places, and take all steps."""
    over_queries(_walk_on, query_ptr, ranking, depth, steps, n_jobs=n_jobs)


def _walk_on(first: int, last: int, query_ptr: IntArray, ranking: Ranking, depth: int, steps: list[Step]) -> None:
    cuts = list(_blocks(first, last, query_ptr))
    longest = max(query_ptr[b] - query_ptr[a] for a, b in cuts)
    row, tie_end = np.empty(longest, np.int64), np.empty(longest, np.int64)
    size = np.empty((max(b - a for a, b in cuts), 2), np.int64)
    for a, b in cuts:
        rank_lists(a, b, query_ptr, *ranking, depth, row, tie_end, size)
        for step in steps:
            step.run(a, b, query_ptr, *step.before, row, tie_end, size, *step.after)


def _blocks(first: int, last: int, query_ptr: IntArray) -> Iterator[tuple[int, int]]:
    """Yield runs of queries of about `BLOCK` documents, or of one query."""
    while first < last:
        end = int(np.searchsorted(query_ptr[first + 1 : last + 1], query_ptr[first] + BLOCK, side="right"))
        yield first, first + max(end, 1)
        first += max(end, 1)


def tied_rows(query_ptr: IntArray, ranking: Ranking, depth: int, n_jobs: int | None) -> IntArray:
    """Return the rows that share their score with another in the first `depth` places."""
    found: list[IntArray] = []

    def gather(a: int, b: int, query_ptr: IntArray, row: IntArray, tie_end: IntArray, size: IntArray) -> None:
        first, place, local = shown_places(query_ptr, a, b, size[: b - a, 0])
        end = tie_end[local]
        alone = end == place + 1
        alone[1:] &= (place[1:] == 0) | (end[:-1] == place[1:])
        found.append(first[~alone] + row[local[~alone]])

    walk(query_ptr, ranking, depth, [Step(gather, (), ())], n_jobs)
    return np.concatenate(found)


def shown_places(query_ptr: IntArray, a: int, b: int, shown: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return, of the first places of queries a to b: first row of the query, place, and index into the block."""
    first = np.repeat(query_ptr[a:b], shown)
    place = np.arange(len(first)) - np.repeat(np.cumsum(shown) - shown, shown)
    return first, place, first - query_ptr[a] + place


def placed_scores(score: npt.ArrayLike, length: int) -> Vector:
    """Return scores as a float64 vector of finite numbers and -inf."""
    try:
        raw = np.asarray(score, dtype=np.float64)
    except (TypeError, ValueError):
        raw = NONE
    lowest = raw.min(initial=np.inf) if raw.ndim == 1 and len(raw) == length else 0.0
    if np.isfinite(lowest) or lowest == np.inf:
        return as_vector("score", score, length=length)
    placed = raw != -np.inf
    return np.where(placed, as_vector("score", np.where(placed, raw, 0)), raw)


def in_float32(score: Vector) -> Vector:
    """Return scores as they are when written in four bytes."""
    with np.errstate(over="ignore", under="ignore"):
        return score.astype(np.float32).astype(np.float64)
