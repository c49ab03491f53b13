r"""NDCG of a smooth order, and its exact slopes in the weights of a value model.

DCG is a sum over places m of :math:`(d_m - d_{m+1}) \sum_i g_i [i \text{ is among the first } m]`, for discounts d
that are 0 beyond the cutoff.  Smooth, a document is among the first m by :math:`\Phi((x_i - \theta_m) / \tau)`, where
the threshold :math:`\theta_m` is such that these sum to m, and the step :math:`\Phi` rises from 0 at -1 to 1 at 1.
Unlike a logistic function's, its tails are 0: only documents within two temperatures :math:`\tau` of a place are
compared there.  Tied documents share their places, as NDCG has it with expected ties, and as the temperature falls to
0 the order becomes the hard one.

With scores x that move by dx the sum at m moves by :math:`\sum_i \phi_i (g_i - \bar g) dx_i / \tau`, where
:math:`\phi` is the slope of the step and :math:`\bar g` the mean gain at the threshold: a covariance, of little
noise.  (A discount of smooth ranks, as ApproxNDCG has, is so steep at the cutoff that sums over a thousand queries
have slopes of no use.)

Sums over queries are made block by block, each by one thread, so that they do not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compile import fast_kernel, inlined_exactly
from ..metrics._ranking import largest, sort_pairs

LEAST_BUFFER = 128
MOST_STEPS = 60  # of the search for a threshold; some five are usual
NEAR = 1e-12


@inlined_exactly
def step(x: float) -> float:
    """Return the smooth step at x, a polynomial from -1 to 1."""
    if x <= -1.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    square = x * x
    return 0.5 + x * (15.0 - square * (10.0 - 3.0 * square)) / 16.0


@inlined_exactly
def step_slope(x: float) -> float:
    """Return the slope of the smooth step."""
    rest = 1.0 - x * x
    return 0.9375 * rest * rest if rest > 0.0 else 0.0


@fast_kernel
def front(x: Any, n: int, k: float, reach: float, key: Any, row: Any, spare_key: Any, spare_row: Any) -> int:
    """Sort, highest first, the documents that are not more than `reach` below the k-th: rows and values.

    Others touch no place down to k, if the reach is four temperatures.  Returns how many there are.
    """
    least, m = -np.inf, 0
    if k < n:
        least = largest(x[:n], int(k), spare_key) - reach
    for i in range(n):
        row[m], key[m] = i, -x[i]
        m += x[i] >= least
    sort_pairs(m, key, row, spare_key, spare_row)
    for i in range(m):
        key[i] = -key[i]
    return m


@fast_kernel
def threshold(key: Any, first: int, last: int, needed: float, low: float, high: float, scale: float) -> float:
    """Return the threshold between low and high at which the steps of places first to last sum to what is needed."""
    theta = (low + high) / 2
    for _ in range(MOST_STEPS):
        total, slope = -needed, 0.0
        for i in range(first, last):
            x = (key[i] - theta) * scale
            total += step(x)
            slope += step_slope(x)
        if abs(total) < NEAR:
            break
        if total > 0.0:
            low = theta
        else:
            high = theta
        theta = theta + total / (slope * scale) if slope > 0.0 else high
        if theta <= low or theta >= high:
            theta = (low + high) / 2
    return theta


@fast_kernel
def smooth_dcg(
    m: int, n: int, key: Any, row: Any, k: float, temperature: float, terms: Any, gain: Any, soft: Any, mean: Any,
    dcg: Any, slope: Any,
) -> None:  # fmt: skip
    """Write the DCG by each column of gains, its slopes in the weights of the scores, and the discounts.

    Parameters
    ----------
    m : how many documents are in the front, which `key` and `row` hold
    n : how many there are
    terms, gain : (n, n_tasks), (n, n_gains)
    soft : written: the discount that each place of the front gets
    mean : (n_gains,), to work in
    dcg, slope : written: (n_gains,), (n_gains, n_tasks)
    """
    width, gains, scale = terms.shape[1], gain.shape[1], 1.0 / temperature
    for i in range(m):
        soft[i] = 0.0
    for c in range(gains):
        dcg[c] = 0.0
        for u in range(width):
            slope[c, u] = 0.0
    first, last, places = 0, 0, int(min(k, n))
    for place in range(1, places + 1):
        share = 1.0 / np.log2(1.0 + place)
        if place < places:
            share -= 1.0 / np.log2(2.0 + place)
        if place >= m or key[place - 1] - key[place] >= 2.0 * temperature:  # no document stands at the threshold
            for i in range(place):
                soft[i] += share
            continue
        while key[first] >= key[place - 1] + 2.0 * temperature:
            first += 1
        while last < m and key[last] > key[place] - 2.0 * temperature:
            last += 1
        low, high = key[place] - temperature, key[place - 1] + temperature
        theta = threshold(key, first, last, place - first, low, high, scale)
        density = 0.0
        for c in range(gains):
            mean[c] = 0.0
        for i in range(first):
            soft[i] += share
        for i in range(first, last):
            x = (key[i] - theta) * scale
            soft[i] += share * step(x)
            here = step_slope(x)
            density += here
            for c in range(gains):
                mean[c] += here * gain[row[i], c]
        for i in range(first, last):
            here = share * scale * step_slope((key[i] - theta) * scale)
            if here > 0.0:
                for c in range(gains):
                    pull = here * (gain[row[i], c] - mean[c] / density)
                    for u in range(width):
                        slope[c, u] += pull * terms[row[i], u]
    for i in range(m):
        for c in range(gains):
            dcg[c] += soft[i] * gain[row[i], c]


@fast_kernel
def smooth_gaps(
    first: int, last: int, block_ptr: Any, query_ptr: Any, all_terms: Any, share: Any, weights: Any, k: float,
    temperature: float, product: bool, above_lowest: bool, total: Any, slopes: Any, counted: Any,
) -> None:  # fmt: skip
    """Add up the gaps of the queries of blocks first to last, and their slopes in the weights.

    The highest DCG is of a smooth order, too: else every task would seem to have a gap that is only the smoothing's.

    Parameters
    ----------
    block_ptr : first query of each block
    all_terms : (n_documents, n_tasks), predictions or their logarithms
    share : (n_queries,), what each query counts
    product : whether the gain is the exponential of the weighted sum
    above_lowest : whether the query's lowest gain is taken off
    total, slopes, counted : zeros, added to at each block: (n_tasks,), (n_tasks, n_tasks) by task and weight, and the
        sum of `share` over queries that have a gain, (n_tasks,)
    """
    width, longest = all_terms.shape[1], LEAST_BUFFER
    for q in range(block_ptr[first], block_ptr[last]):
        longest = max(longest, query_ptr[q + 1] - query_ptr[q])
    z, x, gain, chain = np.empty(longest), np.empty(longest), np.empty((longest, 1)), np.empty(longest)
    key, spare_key, soft = np.empty(longest), np.empty(longest), np.empty(longest)
    row, spare_row = np.empty(longest, np.int64), np.empty(longest, np.int64)
    mean, dcg, ideal = np.empty(1), np.empty(1), np.empty(1)
    slope, ideal_slope = np.empty((1, width)), np.empty((1, width))
    for block in range(first, last):
        for q in range(block_ptr[block], block_ptr[block + 1]):
            a, n, low = query_ptr[q], query_ptr[q + 1] - query_ptr[q], 0
            terms = all_terms[a : a + n]
            for i in range(n):
                z[i] = 0.0
                for u in range(width):
                    z[i] += weights[u] * terms[i, u]
                low = i if z[i] < z[low] else low
            m = front(z, n, k, 4.0 * temperature, key, row, spare_key, spare_row)
            for i in range(n):
                chain[i] = np.exp(z[i] - key[0]) if product else 1.0
                gain[i, 0] = chain[i] if product else z[i]
            least, least_chain = (gain[low, 0], chain[low]) if above_lowest else (0.0, 0.0)
            for i in range(n):
                gain[i, 0] -= least
            smooth_dcg(m, n, key, row, k, temperature, terms, gain, soft, mean, ideal, ideal_slope)
            add_own_slopes(m, row, soft, terms, chain, low, least_chain, ideal_slope)
            if ideal[0] <= 0.0:
                continue
            for t in range(width):
                for i in range(n):
                    x[i] = z[i] - weights[t] * terms[i, t]
                m = front(x, n, k, 4.0 * temperature, key, row, spare_key, spare_row)
                smooth_dcg(m, n, key, row, k, temperature, terms, gain, soft, mean, dcg, slope)
                slope[0, t] = 0.0
                add_own_slopes(m, row, soft, terms, chain, low, least_chain, slope)
                ndcg = dcg[0] / ideal[0]
                counted[block, t] += share[q]
                total[block, t] += share[q] * (1.0 - ndcg)
                for u in range(width):
                    slopes[block, t, u] -= share[q] * (slope[0, u] - ndcg * ideal_slope[0, u]) / ideal[0]


@fast_kernel
def add_own_slopes(
    m: int, row: Any, soft: Any, terms: Any, chain: Any, low: int, least_chain: float, slope: Any
) -> None:  # fmt: skip
    """Add what the gains themselves, whose slopes in the score are `chain`, do to a DCG."""
    for i in range(m):
        for u in range(terms.shape[1]):
            slope[0, u] += soft[i] * (chain[row[i]] * terms[row[i], u] - least_chain * terms[low, u])


@fast_kernel
def smooth_regrets(
    first: int, last: int, block_ptr: Any, query_ptr: Any, all_terms: Any, share: Any, weights: Any, k: float,
    temperature: float, gain: Any, ideal: Any, total: Any, slopes: Any, counted: Any,
) -> None:  # fmt: skip
    """Add up the regrets of the queries of blocks first to last, and their slopes in the weights.

    Parameters
    ----------
    gain : (n_documents, n_tasks), what a document is worth to each task
    ideal : (n_queries, n_tasks), the highest DCG; 0 where the query does not count for the task

    The others are as in `smooth_gaps`.
    """
    width, longest = all_terms.shape[1], LEAST_BUFFER
    for q in range(block_ptr[first], block_ptr[last]):
        longest = max(longest, query_ptr[q + 1] - query_ptr[q])
    z, key, spare_key, soft = np.empty(longest), np.empty(longest), np.empty(longest), np.empty(longest)
    row, spare_row = np.empty(longest, np.int64), np.empty(longest, np.int64)
    mean, dcg, slope = np.empty(width), np.empty(width), np.empty((width, width))
    for block in range(first, last):
        for q in range(block_ptr[block], block_ptr[block + 1]):
            a, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
            terms = all_terms[a : a + n]
            for i in range(n):
                z[i] = 0.0
                for u in range(width):
                    z[i] += weights[u] * terms[i, u]
            m = front(z, n, k, 4.0 * temperature, key, row, spare_key, spare_row)
            smooth_dcg(m, n, key, row, k, temperature, terms, gain[a : a + n], soft, mean, dcg, slope)
            for t in range(width):
                if ideal[q, t] > 0.0:
                    counted[block, t] += share[q]
                    total[block, t] += share[q] * (1.0 - dcg[t] / ideal[q, t])
                    for u in range(width):
                        slopes[block, t, u] -= share[q] * slope[t, u] / ideal[q, t]
