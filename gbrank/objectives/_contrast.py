"""Losses of relevant documents against their negatives: draws, definitions and kernels.

Here every list has its relevant documents first, and `ideal` is their number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._checks import IntArray
from .._compile import fast_kernel, kernel, list_pointer
from ._frames.lists import SIGNATURE, ListFunction, ListLoss
from ._frames.noise import stream

NOWHERE = -1e300  # the score of a negative of weight 0
WIDEST = 600.0  # spread of the scores of a list up to which exp(s - s_max) keeps its precision
PAIRS_AT_ONCE = 1 << 18  # of the numpy engine


@kernel
def draw_negatives(seed: int, n_relevant: int, n_others: int, count: int, replace: bool) -> Any:
    """Return which negatives each relevant document gets: `count` of the first, `count` of the second, ..."""
    chosen, pool, first = np.empty(n_relevant * count, np.int64), np.empty(n_others, np.int64), 0
    for j in range(n_others):
        pool[j] = j
    for at in range(len(chosen)):
        found = first + stream(seed, at) % (n_others - first)
        negative = pool[found]
        chosen[at] = negative
        if not replace:  # what is drawn goes to the head of the pool
            pool[found], pool[first] = pool[first], negative
            first = first + 1 if first + 1 < count else 0
    return chosen


def info_nce(
    s: Any, gain: Any, discount: Any, w: Any, ideal: Any, seed: Any, count: Any, replace: Any, temperature: Any,
    corrected: Any,
) -> Any:  # fmt: skip
    """Cross-entropy of each relevant document among itself and its negatives; `count` 0 means all negatives."""
    m, n = int(ideal), len(s)
    value, g, h = 0.0, np.zeros(n), np.zeros(n)
    if 0 < m < n:
        z = s / temperature
        field = np.where(w[m:] > 0.0, z[m:] + np.log(np.maximum(w[m:], 1e-300)), NOWHERE)[None, :]
        chosen, times = np.arange(n - m)[None, :], np.ones(1, np.int64)
        if count:
            chosen = drawn(seed, m, n - m, count, replace)
            times = how_often(chosen) if replace else times
            field = field[0, chosen] + (np.log((n - m) / chosen.shape[1]) if corrected else 0.0)
        highest = field.max(axis=1)
        share = np.exp(field - highest[:, None])  # of each negative among the negatives
        total = share.sum(axis=1)
        share /= total[:, None]
        d = z[:m] - highest - np.log(total)
        lost = 1.0 / (1.0 + np.exp(d))  # the probability of the negatives together
        value = (w[:m] * np.logaddexp(0.0, -d)).sum()
        pull = w[:m] * lost
        g[:m], h[:m] = -pull, pull * (1.0 - lost)
        square = pull * lost
        if not count:
            pull, square = pull.sum(keepdims=True), square.sum(keepdims=True)
        np.add.at(g[m:], chosen, share * pull[:, None])
        np.add.at(h[m:], chosen, share * (pull[:, None] - times * share * square[:, None]))
    return value, g / temperature, h / (temperature * temperature)


def drawn(seed: int, n_relevant: int, n_others: int, count: float, replace: float) -> IntArray:
    """Return which negatives each relevant document gets, shape (n_relevant, size)."""
    size = int(count) if replace else min(int(count), n_others)
    return np.asarray(draw_negatives(seed, n_relevant, n_others, size, replace > 0).reshape(n_relevant, size))


def how_often(chosen: IntArray) -> IntArray:
    """Return how often each number stands in its row."""
    in_row = np.arange(len(chosen))[:, None] * (chosen.max() + 1) + chosen
    _, place, times = np.unique(in_row, return_inverse=True, return_counts=True)
    return np.asarray(times[place].reshape(chosen.shape))


def info_nce_of_all(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `info_nce` with all negatives, whose shares are the same for each relevant document."""
    n, m, scale = len(s), int(ideal), 1.0 / params[2]
    if m == 0 or m == n:
        return
    share = np.empty(n - m)
    for j in range(n - m):
        share[j] = s[m + j] * scale + np.log(w[m + j]) if w[m + j] > 0.0 else NOWHERE
    level, pull, square = to_shares(share), 0.0, 0.0
    for p in range(m):
        lost = 1.0 / (1.0 + np.exp(s[p] * scale - level))
        g[p] = -scale * w[p] * lost
        h[p] = scale * scale * w[p] * lost * (1.0 - lost)
        pull += w[p] * lost
        square += w[p] * lost * lost
    for j in range(n - m):
        g[m + j] = scale * share[j] * pull
        h[m + j] = scale * scale * share[j] * (pull - share[j] * square)


def info_nce_of_drawn(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `info_nce` with drawn negatives: the exponentials of a list serve each relevant document."""
    n, m, scale, replace = len(s), int(ideal), 1.0 / params[2], params[1] > 0.0
    if m == 0 or m == n:
        return
    size = int(params[0]) if replace else min(int(params[0]), n - m)
    chosen = draw_negatives(seed, m, n - m, size, replace)
    field, e, together = np.empty(n), np.empty(n), np.empty(n)
    more = np.log((n - m) / size) if params[3] > 0.0 else 0.0
    lowest, highest = np.inf, -np.inf
    for j in range(n):
        field[j], together[j] = s[j] * scale, 0.0
        if j >= m:
            field[j] = field[j] + np.log(w[j]) + more if w[j] > 0.0 else NOWHERE
        if field[j] > NOWHERE:
            lowest, highest = min(lowest, field[j]), max(highest, field[j])
    for j in range(n):
        e[j] = np.exp(field[j] - highest)
    for p in range(m):
        mine = chosen[p * size : (p + 1) * size]
        if highest - lowest > WIDEST:
            above = field[p]
            for j in mine:
                above = max(above, field[m + j])
            e[p] = np.exp(field[p] - above)
            for j in mine:
                e[m + j] = np.exp(field[m + j] - above)
        total = 0.0
        for j in mine:
            total += e[m + j]
        inverse = 1.0 / (e[p] + total)
        lost = total * inverse
        g[p] = -scale * w[p] * lost
        h[p] = scale * scale * w[p] * lost * (1.0 - lost)
        for j in mine:  # the shares of a negative that is drawn more than once
            together[j] += e[m + j] * inverse
        for j in mine:
            won = together[j]
            g[m + j] += scale * w[p] * won
            h[m + j] += scale * scale * w[p] * won * (1.0 - won)
            together[j] = 0.0


@kernel
def to_shares(x: Any) -> Any:
    """Turn `x` into its softmax; return log(sum(exp(x)))."""
    highest, total = x[0], 0.0
    for each in x:
        highest = each if each > highest else highest
    for j in range(len(x)):
        e = np.exp(x[j] - highest)
        x[j] = e
        total += e
    for j in range(len(x)):
        x[j] /= total
    return highest + np.log(total)


def triplet(
    s: Any, gain: Any, discount: Any, w: Any, ideal: Any, seed: Any, count: Any, replace: Any, margin: Any
) -> Any:  # fmt: skip
    """Hinge loss of relevant documents against their negatives; 1 stands in for its second derivative, which is 0."""
    m, n = int(ideal), len(s)
    value, g, h = 0.0, np.zeros(n), np.zeros(n)
    if m == 0 or m == n:
        return value, g, h
    chosen = drawn(seed, m, n - m, count, replace) if count else np.arange(n - m)[None, :]
    at_once = max(1, PAIRS_AT_ONCE // chosen.shape[1])
    for first in range(0, m, at_once):
        p = np.arange(first, min(first + at_once, m))
        j = m + (chosen[p] if count else chosen)
        lack = margin - (s[p, None] - s[j])
        worth = (lack > 0.0) * w[p, None] * w[j]
        value += (worth * np.maximum(lack, 0.0)).sum()
        own = worth.sum(axis=1)
        theirs = np.bincount(j.ravel(), worth.ravel(), n) if count else np.append(np.zeros(m), worth.sum(axis=0))
        g += theirs
        h += theirs
        g[p] -= own
        h[p] += own
    return value, g, h


def triplet_of_all(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `triplet` with all negatives."""
    m = int(ideal)
    for p in range(m):
        h[p] = against_all(s[p] - params[2], w[p], s[m:], w[m:], g[m:])
        g[p] = -h[p]
    for j in range(m, len(s)):
        h[j] = g[j]


def triplet_of_drawn(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `triplet` with drawn negatives."""
    n, m, replace = len(s), int(ideal), params[1] > 0.0
    if m == 0 or m == n:
        return
    size = int(params[0]) if replace else min(int(params[0]), n - m)
    chosen = draw_negatives(seed, m, n - m, size, replace)
    for at in range(len(chosen)):
        p, j = at // size, m + chosen[at]
        if params[2] > s[p] - s[j]:
            worth = w[p] * w[j]
            g[p] -= worth
            g[j] += worth
            h[p] += worth
            h[j] += worth


@fast_kernel
def against_all(lowest: float, weight: float, s: Any, w: Any, g: Any) -> float:
    """Push down all documents that score above `lowest`; return their weight."""
    total = 0.0
    for j in range(len(s)):
        worth = weight * w[j] if s[j] > lowest else 0.0
        g[j] += worth
        total += worth
    return total


@functools.cache
def _pointer(of_list: Callable[..., None]) -> Any:
    return list_pointer(of_list, SIGNATURE)


class Contrast(NamedTuple):
    """A contrastive loss: its definition, and its kernels for all negatives and for drawn ones."""

    definition: ListFunction
    of_all: Callable[..., None]
    of_drawn: Callable[..., None]

    def loss(self, drawn: bool) -> ListLoss:
        """Return the loss with drawn negatives, or with all."""
        return ListLoss(self.definition, kernel=functools.partial(_pointer, self.of_drawn if drawn else self.of_all))


INFO_NCE = Contrast(info_nce, info_nce_of_all, info_nce_of_drawn)
TRIPLET = Contrast(triplet, triplet_of_all, triplet_of_drawn)
