"""Compiled loops that build each query's list place by place, each place by what stands above it.

Throughout, `rows` holds the rows of each query, best score first, `rel` is what each row is worth by its score, and
`rank` is written: the place of each row, from 1.  Candidates are looked at in the order of `rows`, so that of equally
good ones the one with the higher score, or else the first row, is taken.

How two documents are alike is read from `table`, a flat array: with a width d of at least 1, it holds d numbers for
each row, and the likeness is their inner product; with a width of 0, a square matrix for each query, one after the
other, which `offset` tells where to find.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compile import fast_kernel, kernel

LEAST_BUFFER = 128  # shorter arrays may lie so near each other that loops over them are run number by number
DEPENDENT = 1e-10  # share of a document's own likeness that is left, from which the chosen ones make it up
NEGATIVE = 1e-6  # as much below 0, a share shows that the matrix is no matrix of inner products


@fast_kernel
def likeness(table: Any, offset: int, width: int, i: int, n: int, out: Any) -> None:
    """Write how alike document i of a query is to each of the query's n documents."""
    if width == 0:
        given = table[offset + i * n : offset + i * n + n]
        for j in range(n):
            out[j] = given[j]
        return
    own = table[offset + i * width : offset + i * width + width]
    for j in range(n):
        other, product = table[offset + j * width : offset + j * width + width], 0.0
        for c in range(width):
            product += own[c] * other[c]
        out[j] = product


@kernel
def mmr_lists(
    first: int, last: int, query_ptr: Any, rows: Any, rel: Any, table: Any, offset: Any, width: int, trade_off: float,
    k: int, rank: Any,
) -> None:  # fmt: skip
    """Rank by trade_off * worth - (1 - trade_off) * the greatest likeness to a document above."""
    size = LEAST_BUFFER
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    near, here = np.empty(size), np.empty(size)
    for q in range(first, last):
        start, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
        for i in range(n):
            rank[start + i], near[i] = 0, 0.0
        for p in range(min(k, n)):
            best, best_value = -1, -np.inf
            for c in range(n):
                i = rows[start + c] - start
                value = trade_off * rel[start + i] - (1.0 - trade_off) * near[i]
                if rank[start + i] == 0 and value > best_value:
                    best, best_value = i, value
            rank[start + best] = p + 1
            likeness(table, offset[q], width, best, n, here)
            for i in range(n):
                near[i] = here[i] if p == 0 else max(near[i], here[i])
        append_others(rows[start : start + n], min(k, n), rank)


@kernel
def dpp_lists(
    first: int, last: int, query_ptr: Any, rows: Any, rel: Any, table: Any, offset: Any, width: int, trade_off: float,
    k: int, ridge: float, rank: Any, failed: Any,
) -> None:  # fmt: skip
    """Rank by trade_off * worth + (1 - trade_off) * what the logarithm of the determinant grows by.

    `left` is the pivot that each document would add to the Cholesky factor of the chosen ones' matrix, its square; a
    row of `factor` for each chosen document holds the factor's entries of all others (Chen et al., algorithm 1).
    """
    size = LEAST_BUFFER
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    left, here, whole = np.empty(size), np.empty(size), np.empty(size)
    for q in range(first, last):
        start, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
        factor = np.empty((min(k, n), max(n, LEAST_BUFFER)))
        for i in range(n):
            own = table[offset[q] + i * n + i] if width == 0 else 1.0
            rank[start + i], whole[i], left[i] = 0, own + ridge, own + ridge
            if own < 0.0:
                failed[q] = True
        taken = 0
        while taken < min(k, n):
            best, best_value = -1, -np.inf
            for c in range(n):
                i = rows[start + c] - start
                if rank[start + i] == 0 and (trade_off == 1.0 or left[i] > DEPENDENT * whole[i]):
                    value = trade_off * rel[start + i]
                    if trade_off < 1.0:
                        value += (1.0 - trade_off) * np.log(left[i])
                    if value > best_value:
                        best, best_value = i, value
            if best < 0:  # the others are made up of what is chosen
                break
            rank[start + best] = taken + 1
            if trade_off < 1.0:
                likeness(table, offset[q], width, best, n, here)
                add_to_factor(factor, taken, best, n, here, left)
                for i in range(n):
                    if left[i] < -NEGATIVE * whole[i] and rank[start + i] == 0:
                        failed[q] = True
            taken += 1
        append_others(rows[start : start + n], taken, rank)


@fast_kernel
def add_to_factor(factor: Any, taken: int, best: int, n: int, here: Any, left: Any) -> None:
    """Add the row of document `best`, of likenesses `here`, to the factor, and take its part from what is left."""
    new, pivot = factor[taken], np.sqrt(left[best])
    for j in range(n):
        new[j] = here[j]
    for t in range(taken):
        old, own = factor[t], factor[t, best]
        for j in range(n):
            new[j] -= own * old[j]
    for j in range(n):
        new[j] /= pivot
        left[j] -= new[j] * new[j]


@kernel
def append_others(rows: Any, taken: int, rank: Any) -> None:
    """Give the rows without a rank those after the first `taken`, in their order."""
    for i in rows:
        if rank[i] == 0:
            taken += 1
            rank[i] = taken


@kernel
def limit_lists(
    first: int, last: int, query_ptr: Any, rows: Any, kind_ptr: Any, kind: Any, limit: Any, within: Any, rank: Any,
    short: Any,
) -> None:  # fmt: skip
    """Give each place to the best row of which no kind is there often enough within its places already.

    Row i is of the kinds ``kind[kind_ptr[i]:kind_ptr[i + 1]]``.  Where there is no such row, the best that is left
    gets the place, and `short` tells so.
    """
    count = np.zeros(len(limit), np.int64)
    longest = 0
    for each in within:
        longest = max(longest, each)
    for q in range(first, last):
        start, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
        for i in range(start, start + n):
            rank[i] = 0
        for p in range(min(longest, n)):
            best = -1
            for c in range(start, start + n):
                i = rows[c]
                if rank[i] > 0:
                    continue
                allowed = True
                for at in range(kind_ptr[i], kind_ptr[i + 1]):
                    allowed = allowed and (p >= within[kind[at]] or count[kind[at]] < limit[kind[at]])
                if allowed:
                    best = i
                    break
            if best < 0:
                short[q] = True
                for c in range(start + n - 1, start - 1, -1):
                    best = rows[c] if rank[rows[c]] == 0 else best
            rank[best] = p + 1
            for at in range(kind_ptr[best], kind_ptr[best + 1]):
                count[kind[at]] += 1
        for i in range(start, start + n):
            for at in range(kind_ptr[i], kind_ptr[i + 1]):
                count[kind[at]] = 0
        append_others(rows[start : start + n], min(longest, n), rank)
