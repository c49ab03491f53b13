"""Ranked lists: the one place where scores become an order, and where a measure's function meets every query.

Tied documents stand in one group; a rule that orders them (rows, ids, worst first) leaves groups of one document.
A measure is written once, as the mean over the orders within groups, and so serves every rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compile import kernel

SIGNATURE = "float64(float64[::1], int64[::1], int64, float64, float64[::1])"
ALL = np.iinfo(np.int64).max  # the cutoff of a measure that has none
RUN = 32  # lists up to this length are sorted by counting what is below each
LEVELS = 16  # up to so many different gains of a query are counted rather than sorted


@kernel
def rank_lists(
    first: int, last: int, query_ptr: Any, score: Any, known: Any, key: Any, split: bool, k: int,
    row: Any, tie_end: Any, size: Any,
) -> None:  # fmt: skip
    """Rank each query: its rows within it, best first, the ends of their tie groups, and how many there are.

    Documents of score -inf have no place.  Where all is ranked (`k` is `ALL`), their rows follow those with one.

    Parameters
    ----------
    known : bool array, or of length 0 if all are
        Which documents are known at all; the others have score -inf and no row.
    key : float64 array, or of length 0
        Orders tied documents, lowest first; without one they keep their row order.
    split : bool
        Whether every document then is a group of its own.
    k : int
        How many places are needed.
    row, tie_end : int64 arrays with a place for each document of the queries from `first` on
        Written, from the query's first row on; see `_lists` for `tie_end`.
    size : int64 array with two columns and a row for each query from `first` on
        Written: how many documents of the query have a place, and how many a row.
    """
    longest = 0
    for q in range(first, last):
        longest = max(longest, query_ptr[q + 1] - query_ptr[q])
    sort_key, spare_key, spare_row = np.empty(longest), np.empty(longest), np.empty(longest, np.int64)
    for q in range(first, last):
        a, b = query_ptr[q], query_ptr[q + 1]
        here = row[a - query_ptr[first] : b - query_ptr[first]]
        n = top(score[a:b], k, sort_key, here, spare_key, spare_row)
        placed, kept = n, n
        while placed > 0 and sort_key[placed - 1] == np.inf:
            placed -= 1
        if len(known) > 0:
            kept = placed
            for i in range(placed, n):
                if known[a + here[i]]:
                    here[kept] = here[i]
                    kept += 1
        ends = tie_end[a - query_ptr[first] : b - query_ptr[first]]
        tie_groups(placed, key[a:b], split, sort_key, here, spare_key, spare_row, ends)
        size[q - first, 0], size[q - first, 1] = placed, kept


@kernel
def each_list(
    first: int, last: int, query_ptr: Any, measure: Any, row: Any, tie_end: Any, size: Any, value: Any, whole: bool,
    k: int, norm: Any, table: Any, samples: int, seed: int, out: Any,
) -> None:  # fmt: skip
    """Write ``measure(value, tie_end, k, norm, table)`` of each ranked list to `out`.

    The list ends with the tie group at the cutoff, or holds all documents if `whole`.  With `samples` above 0, the
    result is the mean over that many shuffles of the tied.
    """
    longest = 0
    for q in range(first, last):
        longest = max(longest, query_ptr[q + 1] - query_ptr[q])
    ranked, spare_key, sort_key = np.empty(longest), np.empty(longest), np.empty(longest)
    order, spare_row, alone = np.empty(longest, np.int64), np.empty(longest, np.int64), np.arange(1, longest + 1)
    for q in range(first, last):
        a, n = query_ptr[q], size[q - first, 0]
        here, end = row[a - query_ptr[first] :], tie_end[a - query_ptr[first] :]
        if k < n and not whole:
            n = end[k - 1]
        m = size[q - first, 1] if whole else n
        for i in range(m):
            ranked[i] = value[a + here[i]]
        if samples == 0 or not has_ties(end, n):
            out[q] = measure(ranked[:m], end[:n], k, norm[q], table)
            continue
        total = 0.0
        for sample in range(samples):
            for i in range(n):
                order[i] = here[i]
            shuffle_ties(n, end, mixed(seed, sample), order, sort_key, spare_key, spare_row)
            for i in range(n):
                ranked[i] = value[a + order[i]]
            total += measure(ranked[:m], alone[:n], k, norm[q], table)
        out[q] = total / samples


@kernel
def has_ties(tie_end: Any, n: int) -> bool:
    """Tell whether any of the first `n` documents are tied."""
    tied = False
    for i in range(n):
        tied |= tie_end[i] != i + 1
    return tied


@kernel
def shuffle_ties(n: int, tie_end: Any, seed: Any, row: Any, sort_key: Any, spare_key: Any, spare_row: Any) -> None:
    """Order the rows of each tie group by noise that depends on seed and row alone."""
    start = 0
    while start < n:
        end = tie_end[start]
        for i in range(start, end):
            sort_key[i] = np.float64(mixed(seed, row[i]))
        sort_pairs(end - start, sort_key[start:end], row[start:end], spare_key, spare_row)
        start = end


@kernel
def mixed(seed: Any, number: Any) -> Any:
    """Return 63 bits that look random, by the finalizer of splitmix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    bits = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((bits ^ (bits >> np.uint64(31))) >> np.uint64(1))


@kernel
def top(score: Any, k: int, sort_key: Any, row: Any, spare_key: Any, spare_row: Any) -> int:
    """Put the rows that may stand in the first `k` places, best first, in `row` and their negated scores in `sort_key`.

    These are the documents with at least the k-th largest score, so the group tied there is whole.
    """
    n, m = len(score), 0
    if k < n // 4:
        least = largest(score, k, sort_key)
        for i in range(n):
            row[m] = i
            m += score[i] >= least
    else:
        for i in range(n):
            row[i] = i
        m = n
    for i in range(m):
        sort_key[i] = -score[row[i]]
    sort_pairs(m, sort_key, row, spare_key, spare_row)
    return m


@kernel
def tie_groups(
    m: int, key: Any, split: bool, sort_key: Any, row: Any, spare_key: Any, spare_row: Any, tie_end: Any
) -> None:
    """Write the end of the tie group of each of the first `m` places; order groups by `key`, if there is one."""
    start = 0
    while start < m:
        end = start + 1
        while end < m and sort_key[end] == sort_key[start]:
            end += 1
        if len(key) > 0 and end > start + 1:
            for i in range(start, end):
                sort_key[i] = key[row[i]]
            sort_pairs(end - start, sort_key[start:end], row[start:end], spare_key, spare_row)
        for i in range(start, end):
            tie_end[i] = i + 1 if split else end
        start = end


@kernel
def sort_pairs(n: int, key: Any, row: Any, spare_key: Any, spare_row: Any) -> None:
    """Sort the first `n` of `key`, lowest first, and `row` with it; equal keys keep their order."""
    for a in range(0, n, RUN):
        b = min(a + RUN, n)
        for i in range(a, b):  # counting needs no branch, and so no guess of the processor's
            this, place = key[i], a
            for j in range(a, i):
                place += key[j] <= this
            for j in range(i + 1, b):
                place += key[j] < this
            spare_key[place], spare_row[place] = this, row[i]
    for i in range(n):
        key[i], row[i] = spare_key[i], spare_row[i]
    width = RUN
    while width < n:
        for a in range(0, n, 2 * width):
            merge(a, min(a + width, n), min(a + 2 * width, n), key, row, spare_key, spare_row)
        for i in range(n):
            key[i], row[i] = spare_key[i], spare_row[i]
        width *= 2


@kernel
def merge(a: int, middle: int, b: int, key: Any, row: Any, key_to: Any, row_to: Any) -> None:
    """Merge the sorted runs a:middle and middle:b."""
    i, j = a, middle
    for to in range(a, b):
        if j >= b or (i < middle and key[i] <= key[j]):
            key_to[to], row_to[to] = key[i], row[i]
            i += 1
        else:
            key_to[to], row_to[to] = key[j], row[j]
            j += 1


@kernel
def largest(values: Any, k: int, heap: Any) -> float:
    """Gather the `k` largest values in ``heap[:k]`` and return the least of them, which stands first."""
    root = np.int64(0)  # a plain 0 would be of a type of its own, for which `sink` would be compiled once more
    for i in range(k):
        heap[i] = values[i]
    for i in range(k // 2 - 1, -1, -1):
        sink(heap, i, k)
    for i in range(k, len(values)):
        if values[i] > heap[0]:
            heap[0] = values[i]
            sink(heap, root, k)
    least: float = heap[0]
    return least


@kernel
def sink(heap: Any, i: Any, k: int) -> None:
    """Restore the order of a heap (each value at most its two children's) below place `i`."""
    value = heap[i]
    while True:
        child = 2 * i + 1
        if child + 1 < k and heap[child + 1] < heap[child]:
            child += 1
        if child >= k or heap[child] >= value:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = value


@kernel
def ideal_dcg(first: int, last: int, query_ptr: Any, gain: Any, k: int, discount: Any, out: Any) -> None:
    """Write the discounted sum of each query's `k` largest gains."""
    size = LEVELS
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    best, spare = np.empty(size), np.empty(size)
    count, spare_count = np.empty(size, np.int64), np.empty(size, np.int64)
    for q in range(first, last):
        gains = gain[query_ptr[q] : query_ptr[q + 1]]
        n = min(k, len(gains))
        levels = count_levels(gains, best, count) if n >= len(gains) // 4 else 0
        if levels == 0:
            levels = n
            largest(gains, n, best)
            for i in range(n):
                count[i] = 1
        sort_pairs(levels, best, count, spare, spare_count)
        out[q], place = 0.0, 0
        while place < n:
            levels -= 1
            for _ in range(min(count[levels], n - place)):
                out[q] += best[levels] * discount[place]
                place += 1


@kernel
def count_levels(values: Any, level: Any, count: Any) -> int:
    """Gather the different values in `level`, and in `count` how many there are of each; 0 if more than `LEVELS`."""
    levels = 0
    for value in values:
        at = 0
        while at < levels and level[at] != value:
            at += 1
        if at == LEVELS:
            return 0
        if at == levels:
            level[at], count[at] = value, 0
            levels += 1
        count[at] += 1
    return levels
