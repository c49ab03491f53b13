"""Each measure as a function of one ranked list, in expectation over the orders of tied documents.

Every function takes the same five arguments and is compiled when first used:

value : float64 array of shape (m,)
    What each document is worth (gain; 1 or 0 for relevant or not; probability of stopping), best ranked first.  Of a
    measure of whole lists (see `_definitions`), these are all documents of the query, those without a place last.
tie_end : int64 array of shape (n,)
    Place, from 0, at which the document's tie group ends.  The group at the cutoff is whole, so n may exceed `k`.
    It is as long as `value`, or, of a whole list, as there are documents with a place.
k : int
    Cutoff.
norm : float
    What the measure divides by, where that concerns all documents of the query and not only those ranked here.
table : float64 array
    Weight of each place, where the measure has one.

A group of g documents at places start, ..., start + g - 1 holds every order of its members with equal probability.
Measures of pairs of documents, and of aspects, are in `_order` and `_aspects`.
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


def r_precision(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Expected number of relevant documents in the first R places, divided by R, which is `norm`."""
    count, start = 0.0, 0
    while start < min(norm, len(value)):
        end = tie_end[start]
        count += value[start:end].sum() * (min(end, norm) - start) / (end - start)
        start = end
    return count / norm if norm > 0 else 0.0


def mean_value(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Mean value in the first k places, or in all that there are."""
    total, start = 0.0, 0
    while start < min(k, len(value)):
        end = tie_end[start]
        total += value[start:end].sum() * (min(end, k) - start) / (end - start)
        start = end
    return total / min(k, len(value)) if len(value) > 0 else 0.0


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
    """Expected weight (1 / rank) of the place at which a user stops who stops at each document by its `value`.

    In a group, a[i] is the chance of passing i members: the mean over subsets of i of the product of 1 - value.  Member
    j, added to j - 1 others, is in a subset of i by i / j; no term is ever subtracted.
    """
    total, reached, start = 0.0, 1.0, 0
    a = np.empty(len(value) + 1)
    while start < min(k, len(value)):
        end = tie_end[start]
        places = min(end, k) - start
        a[0] = 1.0
        for i in range(places):
            a[i + 1] = 0.0
        for j in range(1, end - start + 1):
            passed = 1 - value[start + j - 1]
            for i in range(min(j, places), 0, -1):
                a[i] = ((j - i) * a[i] + i * passed * a[i - 1]) / j
        for i in range(places):
            total += reached * (a[i] - a[i + 1]) * table[start + i]
        reached *= a[places]
        start = end
    return total / norm


def bpref(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Mean over the R relevant documents of 1 - min(w, R) / min(N, R), where w of N not relevant stand above each.

    `value` is 1, 0, or negative where not judged; the list is whole.  Of the u not relevant documents of its group, a
    relevant one has 0, ..., u above it with equal probability.
    """
    relevant, wrong = 0, 0
    for v in value:
        relevant += v > 0
        wrong += v == 0
    if relevant == 0:
        return 0.0
    worst, total, above, start = min(wrong, relevant), 0.0, 0, 0
    while start < len(tie_end):
        end = tie_end[start]
        here, found = 0, 0
        for v in value[start:end]:
            here += v == 0
            found += v > 0
        if found > 0:
            lost = 0.0
            for w in range(above, above + here + 1):
                lost += min(w, relevant) / max(worst, 1)
            total += found * (1 - lost / (here + 1))
        above += here
        start = end
    return total / relevant


def inferred_ap(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Sum over relevant documents of the precision expected at their ranks, divided by R, which is `norm`.

    `value` is 1, 0, -1 (in the pool, not judged) or -2 (not in the pool).  Above rank r stand r - 1 documents; those of
    the pool are relevant as often as those judged, the others never.
    """
    epsilon = 1e-5  # as in trec_eval: no judged document above is no evidence
    total, found, wrong, pooled = 0.0, 0, 0, 0
    for i in range(min(k, len(value))):
        if value[i] > 0:
            share = (found + epsilon) / (found + wrong + 2 * epsilon)
            total += (1 + (found + wrong + pooled) * share) / (i + 1)
            found += 1
        elif value[i] == 0:
            wrong += 1
        elif value[i] == -1:
            pooled += 1
    return total / norm if norm > 0 else 0.0


def q_measure(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Mean over the R relevant documents (gain above 0) of (C + beta g) / (r + beta g*) at their ranks r.

    C counts the relevant documents down to rank r, g sums their gains, g* the r highest gains of the query; beta is
    ``table[0]``; the list is whole.  In a group, all pairs (relevant document, another above it) are equally likely.
    """
    best, beta, ideal = -np.sort(-value), table[0], 0.0
    relevant = (value > 0).sum()
    total, count, gain, start = 0.0, 0.0, 0.0, 0
    while start < min(k, len(tie_end)):
        end = tie_end[start]
        size = end - start
        here, gains = (value[start:end] > 0).sum(), value[start:end].sum()
        for i in range(min(end, k) - start):
            ideal += best[start + i]
            before = i * (here - 1) / max(size - 1, 1)  # expected, of a relevant document, times the others' shares
            counted = here * (count + 1 + before)
            gained = here * gain + gains * (1 + before)
            total += (counted + beta * gained) / size / (start + i + 1 + beta * ideal)
        count += here
        gain += gains
        start = end
    return total / relevant if relevant > 0 else 0.0
