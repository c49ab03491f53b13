"""How negatives are drawn: the ways to choose among the items that a request may get.

A pair of request r and item i is the number r * n_items + i; a sorted array of these is the set of forbidden pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector, check_positive, check_whole, require_finite

Vector = npt.NDArray[np.float64]
Ids = npt.NDArray[Any]
Score = Callable[[Ids], npt.ArrayLike]
Pass = tuple[Vector | None, IntArray]  # weight of each item (all alike: None), number wanted of each request

SLOW = 0.1  # share of draws that must be of use, or else a request's items are enumerated
ENUMERATED = 1 << 22  # pairs looked at together


@dataclass(frozen=True, eq=False)
class ByPopularity:
    """Items are drawn with probability proportional to min(popularity, cap) ** exponent.

    Parameters
    ----------
    popularity : array-like of shape (n_items,), optional
        How often each item was seen; by default, its number of positives.  What was never seen is never drawn.
    exponent : float
        1 follows the popularity, 0 is uniform over what was seen; .75 is that of word2vec (Mikolov et al., 2013).
    cap : float, optional
        A popularity above which items are alike.
    """

    popularity: npt.ArrayLike | None = None
    exponent: float = 0.75
    cap: float | None = None

    def __post_init__(self) -> None:
        check_positive("exponent", self.exponent, zero=True)
        if self.cap is not None:
            check_positive("cap", self.cap)

    def weights(self, positives: IntArray, n_items: int) -> Vector:
        """Return the weight of each item."""
        if self.popularity is None:
            seen = np.bincount(positives, minlength=n_items).astype(np.float64)
        else:
            seen = as_vector("popularity", self.popularity, length=n_items, of="items")
            if seen.min() < 0:
                raise DataError(f"popularity: item {int(np.argmin(seen))} has {seen.min():g}; give 0 or more.")
        capped = seen if self.cap is None else np.minimum(seen, self.cap)
        return np.where(capped > 0, np.power(capped, self.exponent, where=capped > 0, out=np.zeros(n_items)), 0.0)


@dataclass(frozen=True, eq=False)
class Hard:
    """Items are drawn, all alike, from those that a ranker scores highest; equal scores are put in random order.

    Parameters
    ----------
    score : array-like of shape (n_requests, n_items), or callable
        The scores, requests in order of first appearance among the positives; or a function from an array of request
        ids to the scores of all items for these, of shape (n_ids, n_items), so that no large table need be held.
    pool : int, optional
        From how many of the highest a request's negatives are drawn; by default as many as it gets, so that these are
        the hardest.  The very hardest are often positives that nobody saw; a larger pool is the remedy.
    """

    score: npt.ArrayLike | Score
    pool: int | None = None

    def __post_init__(self) -> None:
        if self.pool is not None:
            check_whole("pool", self.pool)

    def block(self, request_ids: Ids, first: int, last: int, n_items: int) -> Vector:
        """Return the scores of requests first:last."""
        if callable(self.score):
            scores, rows = np.array(self.score(request_ids[first:last]), dtype=np.float64), last - first
        else:
            scores, rows = np.asarray(self.score, dtype=np.float64), len(request_ids)
        if scores.shape != (rows, n_items):
            raise DataError(
                f"score: of shape {scores.shape} for {rows} requests and {n_items} items; give a row for each request "
                "and a column for each item."
            )
        scores = scores if callable(self.score) else scores[first:last].copy()
        require_finite("score", scores)
        return scores


@dataclass(frozen=True, eq=False)
class Stratified:
    """A request's negatives are shared out to strata of items, within which all are alike.

    The number of each stratum is its share of n, rounded up or down at random so that shares hold on average.

    Parameters
    ----------
    strata : array-like of shape (n_items,)
        The stratum of each item: a category, say, or a decile of popularity.
    shares : mapping from stratum to share, optional
        Of any sum; by default all alike.
    """

    strata: npt.ArrayLike
    shares: Mapping[Any, float] | None = None

    def passes(self, need: IntArray, n_items: int, rng: np.random.Generator) -> list[Pass]:
        """Return a pass for each stratum."""
        import pandas as pd

        strata = np.asarray(self.strata)
        if strata.shape != (n_items,):
            raise DataError(f"strata: of shape {strata.shape} for {n_items} items; give one for each.")
        lost = pd.isna(strata)
        if lost.any():
            raise DataError(f"strata: that of item {int(np.argmax(lost))} is missing; give it one, say 'other'.")
        names = np.unique(strata)
        shares = np.ones(len(names))
        if self.shares is not None:
            known = set(names.tolist())
            other = [name for name in self.shares if name not in known]
            if other:
                raise ParameterError(f"shares: no item is in stratum {other[0]!r}; the strata are {names.tolist()}.")
            shares = as_vector("shares", [self.shares.get(name, 0.0) for name in names.tolist()])
            if shares.min() < 0 or not shares.any():
                raise ParameterError(f"shares={self.shares!r}: give 0 or more, and more than 0 for one stratum.")
        ends = np.concatenate(([0.0], np.cumsum(shares) / shares.sum()))
        ends[-1] = 1.0
        marks = np.floor(need[:, None] * ends + rng.random((len(need), 1))).astype(np.int64)
        quotas = np.diff(marks, axis=1)
        return [((strata == name).astype(np.float64), quotas[:, i]) for i, name in enumerate(names)]


def available(weights: Vector | None, forbidden: IntArray, n_requests: int, n_items: int) -> IntArray:
    """Return how many items of weight above 0 each request may get."""
    if weights is None:
        return n_items - np.bincount(forbidden // n_items, minlength=n_requests)
    taken = forbidden[weights[forbidden % n_items] > 0]
    return np.count_nonzero(weights) - np.bincount(taken // n_items, minlength=n_requests)


def draw(
    weights: Vector | None, need: IntArray, forbidden: IntArray, n_items: int, rng: np.random.Generator
) -> IntArray:
    """Return pairs drawn one after the other without replacement, each with probability proportional to its weight.

    Items are drawn from all, and what is forbidden or was drawn before is passed over, which leaves these
    probabilities as they are.  Where few draws are of use, the rest is found by exponential keys (Efraimidis and
    Spirakis, 2006): the items with the smallest e_i / w_i, for e_i of the exponential distribution, are such a sample.

    Parameters
    ----------
    weights : array of shape (n_items,) or None
        All alike by default.
    need : int64 array of shape (n_requests,)
        No more than there are, see `available`.
    forbidden : sorted int64 array
    n_items : int
    rng : numpy.random.Generator
    """
    cumulative = None if weights is None else np.cumsum(weights)
    left, drawn = need.copy(), [np.empty(0, np.int64)]
    useful = 1.0
    while left.any() and useful > SLOW:
        open_ = np.flatnonzero(left)
        request = np.repeat(open_, left[open_] + left[open_] // 2 + 4)
        pairs = request * n_items + _draw_items(cumulative, len(request), n_items, rng)
        fresh = ~is_in(pairs, forbidden)
        again = np.ones(len(pairs), bool)
        again[np.unique(pairs, return_index=True)[1]] = False
        kept = fresh & ~again
        kept[kept] = places_within(request[kept]) < left[request[kept]]
        useful = kept.sum() / left.sum()
        drawn.append(pairs[kept])
        left -= np.bincount(request[kept], minlength=len(left))
        forbidden = np.sort(np.concatenate((forbidden, pairs[kept])))
    drawn.append(_enumerate(weights, left, forbidden, n_items, rng))
    return np.concatenate(drawn)


def _draw_items(cumulative: Vector | None, size: int, n_items: int, rng: np.random.Generator) -> IntArray:
    if cumulative is None:
        return rng.integers(n_items, size=size)
    found = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    last = np.searchsorted(cumulative, cumulative[-1])  # a product that is rounded up lies behind it
    return np.asarray(np.minimum(found, last), dtype=np.int64)


def _enumerate(
    weights: Vector | None, left: IntArray, forbidden: IntArray, n_items: int, rng: np.random.Generator
) -> IntArray:
    """Draw for the requests that still want items by looking at all items of each."""
    drawn = [np.empty(0, np.int64)]
    open_ = np.flatnonzero(left)
    for block in blocks(open_, n_items):
        keys = rng.exponential(size=(len(block), n_items))
        if weights is not None:
            with np.errstate(divide="ignore"):
                keys /= weights
        keys.reshape(-1)[pairs_of(block, forbidden, n_items)] = np.inf
        ranked = np.argsort(keys, axis=1, kind="stable")[:, : int(left[block].max())]
        wanted = np.arange(ranked.shape[1]) < left[block][:, None]
        drawn.append((block[:, None] * n_items + ranked)[wanted])
    return np.concatenate(drawn)


def draw_hard(
    hard: Hard, request_ids: Ids, need: IntArray, forbidden: IntArray, n_items: int, rng: np.random.Generator
) -> IntArray:
    """Return pairs drawn from the highest scores of each request."""
    drawn = [np.empty(0, np.int64)]
    shuffled = rng.permutation(n_items)
    for block in blocks(np.arange(len(need)), n_items):
        scores = hard.block(request_ids, int(block[0]), int(block[-1]) + 1, n_items)
        scores.reshape(-1)[pairs_of(block, forbidden, n_items)] = -np.inf
        pool = np.maximum(need[block], 0 if hard.pool is None else hard.pool)
        pool = np.minimum(pool, np.isfinite(scores).sum(axis=1))
        width = min(int(pool.max()), n_items)
        if width == 0:
            continue
        ranked = shuffled[np.argsort(-scores[:, shuffled], axis=1, kind="stable")[:, :width]]
        keys = np.where(np.arange(width) < pool[:, None], rng.random(ranked.shape), 2.0)
        if hard.pool is None:
            keys = np.broadcast_to(np.arange(width), ranked.shape)
        chosen = np.take_along_axis(ranked, np.argsort(keys, axis=1, kind="stable"), axis=1)
        wanted = np.arange(width) < need[block][:, None]
        drawn.append((block[:, None] * n_items + chosen)[wanted])
    return np.concatenate(drawn)


def blocks(requests: IntArray, n_items: int) -> list[IntArray]:
    """Return requests in runs whose tables of pairs have a bounded size."""
    step = max(1, ENUMERATED // n_items)
    return [requests[first : first + step] for first in range(0, len(requests), step)]


def pairs_of(block: IntArray, pairs: IntArray, n_items: int) -> IntArray:
    """Return the pairs of some requests, as places in a table with a row for each of these."""
    first = np.searchsorted(pairs, block * n_items)
    last = np.searchsorted(pairs, (block + 1) * n_items)
    sizes = last - first
    ends = np.cumsum(sizes)
    at = np.repeat(first - (ends - sizes), sizes) + np.arange(int(sizes.sum()))
    return np.asarray(pairs[at] + np.repeat((np.arange(len(block)) - block) * n_items, sizes))


def distinct(pairs: IntArray) -> IntArray:
    """Return the distinct pairs, sorted."""
    ordered = np.sort(pairs)
    return np.asarray(ordered[np.concatenate(([True], ordered[1:] > ordered[:-1]))[: len(ordered)]])


def is_in(pairs: IntArray, known: IntArray) -> npt.NDArray[np.bool_]:
    """Tell for each pair whether it is in a sorted array."""
    if len(known) == 0:
        return np.zeros(len(pairs), bool)
    at = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
    return np.asarray(known[at] == pairs)


def places_within(group: IntArray) -> IntArray:
    """Return how many earlier rows have the number of each row, for numbers in ascending order."""
    starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1]))) if len(group) else np.empty(0, np.int64)
    sizes = np.diff(np.append(starts, len(group)))
    return np.arange(len(group)) - np.repeat(starts, sizes)
