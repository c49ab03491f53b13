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
RUN = 16  # lists up to this length are sorted by insertion


@kernel
def each_list(
    first: int, last: int, query_ptr: Any, measure: Any, score: Any, relevance: Any, key: Any, split: bool,
    k: int, norm: Any, table: Any, out: Any,
) -> None:  # fmt: skip
    """Rank each query and write ``measure(relevance, tie_end, k, norm, table)`` of its ranked list to `out`.

    `key` orders tied documents, lowest first; without one (length 0) they keep their row order.  With `split` every
    document then is a group of its own.
    """
    size = 0
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    sort_key, spare_key, value = np.empty(size), np.empty(size), np.empty(size)
    row, spare_row, tie_end = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    for q in range(first, last):
        a, b = query_ptr[q], query_ptr[q + 1]
        m = top(score[a:b], k, sort_key, row, spare_key, spare_row)
        tie_groups(m, key[a:b], split, sort_key, row, spare_key, spare_row, tie_end)
        for i in range(m):
            value[i] = relevance[a + row[i]]
        out[q] = measure(value[:m], tie_end[:m], k, norm[q], table)


@kernel
def top(score: Any, k: int, sort_key: Any, row: Any, spare_key: Any, spare_row: Any) -> int:
    """Put the rows that may stand in the first `k` places, best first, in `row` and their negated scores in `sort_key`.

    These are the documents with at least the k-th largest score, so the group tied there is whole.
    """
    n, m = len(score), 0
    if k < n // 4:
        least = largest(score, k, sort_key)
        for i in range(n):
            if score[i] >= least:
                row[m] = i
                m += 1
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
        for i in range(a + 1, min(a + RUN, n)):
            this, that, j = key[i], row[i], i
            while j > a and key[j - 1] > this:
                key[j], row[j] = key[j - 1], row[j - 1]
                j -= 1
            key[j], row[j] = this, that
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
    for i in range(k):
        heap[i] = values[i]
    for i in range(k // 2 - 1, -1, -1):
        sink(heap, i, k)
    for i in range(k, len(values)):
        if values[i] > heap[0]:
            heap[0] = values[i]
            sink(heap, 0, k)
    least: float = heap[0]
    return least


@kernel
def sink(heap: Any, i: int, k: int) -> None:
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
    size = 0
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    best, spare = np.empty(size), np.empty(size)
    row, spare_row = np.empty(size, np.int64), np.empty(size, np.int64)
    for q in range(first, last):
        gains = gain[query_ptr[q] : query_ptr[q + 1]]
        n = min(k, len(gains))
        largest(gains, n, best)
        sort_pairs(n, best, row, spare, spare_row)
        out[q] = 0.0
        for i in range(n):
            out[q] += best[n - 1 - i] * discount[i]
