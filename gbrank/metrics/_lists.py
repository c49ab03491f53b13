"""Each measure as a function of one ranked list, in expectation over the orders of tied documents.

Every function takes the same five arguments and is compiled when first used:

value : float64 array of shape (m,)
    What each document is worth (gain; 1 or 0 for relevant or not; probability of stopping), best ranked first.
tie_end : int64 array of shape (m,)
    Place, from 0, at which the document's tie group ends.  The group at the cutoff is whole, so m may exceed `k`.
k : int
    Cutoff.
norm : float
    What the measure divides by, where that concerns all documents of the query and not only those ranked here.
table : float64 array
    Discount of each place, where the measure has one.

A group of g documents at places start, ..., start + g - 1 holds every order of its members with equal probability.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def dcg(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Each group: its mean gain times the sum of its discounts, added as `ideal_dcg` adds, so that the best is 1."""
    total, start = 0.0, 0
    while start < min(k, len(value)):
        end = tie_end[start]
        mean = value[start:end].sum() / (end - start)
        for i in range(start, min(end, k)):
            total += mean * table[i]
        start = end
    return total / norm


def found(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Expected number of relevant documents in the first k places, divided by `norm`."""
    count, start = 0.0, 0
    while start < min(k, len(value)):
        end = tie_end[start]
        count += value[start:end].sum() * (min(end, k) - start) / (end - start)
        start = end
    return count / norm


def hit(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Probability of a relevant document in the first k places: 1 - C(g - r, t) / C(g, t) where t places are left."""
    start = 0
    while start < min(k, len(value)):
        end = tie_end[start]
        rest, size = end - start - value[start:end].sum(), end - start
        missed = 1.0
        for i in range(min(end, k) - start):
            missed *= (rest - i) / (size - i)
        if missed < 1:
            return 1 - missed
        start = end
    return 0.0


def rr(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """1 / rank of the first relevant document, of which a group with r of them has one at its first place by r / g."""
    start = 0
    while start < min(k, len(value)):
        end = tie_end[start]
        relevant, size = value[start:end].sum(), end - start
        if relevant > 0:
            total, not_yet = 0.0, 1.0
            for i in range(min(end, k) - start):
                total += not_yet * relevant / (size - i) / (start + i + 1)
                not_yet *= (size - relevant - i) / (size - i)
            return total
        start = end
    return 0.0


def ap(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Sum over places of P(relevant there) times the expected precision given that, divided by all relevant.

    Given a relevant document at place i of a group, each other member is relevant by (r - 1) / (g - 1).
    """
    total, before, start = 0.0, 0.0, 0
    while start < min(k, len(value)):
        end = tie_end[start]
        relevant, size = value[start:end].sum(), end - start
        if relevant > 0:
            others = (relevant - 1) / max(size - 1, 1)
            for i in range(min(end, k) - start):
                total += relevant / size * (before + 1 + i * others) / (start + i + 1)
        before += relevant
        start = end
    return total / norm


def err(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Expected 1 / rank of the document at which a user stops who stops at each by the probability in `value`.

    In a group, a[i] is the chance of passing i members: the mean over subsets of i of the product of 1 - value.  Member
    j, added to j - 1 others, is in a subset of i by i / j; no term is ever subtracted.
    """
    total, reached, start = 0.0, 1.0, 0
    while start < min(k, len(value)):
        end = tie_end[start]
        places = min(end, k) - start
        a = np.zeros(places + 1)
        a[0] = 1.0
        for j in range(1, end - start + 1):
            passed = 1 - value[start + j - 1]
            for i in range(min(j, places), 0, -1):
                a[i] = ((j - i) * a[i] + i * passed * a[i - 1]) / j
        for i in range(places):
            total += reached * (a[i] - a[i + 1]) / (start + i + 1)
        reached *= a[places]
        start = end
    return total
