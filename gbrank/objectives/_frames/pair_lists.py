"""The compiled engine of pairwise losses.

In each list the documents above the truncation level stand first, by falling label, and the others by rising label.
The worse documents of one above the level then stand together, and so do the better ones below the level: its pairs
are two runs of documents, of which none has its own label.

A loss that needs exp(-a d) of the margin d may have a form that is given this number.  It is the ratio of exp(a s_j)
and exp(a s_i), which are found once for each document instead of once for each pair.

Pairs may be multiplied by a factor of their better document and one of the other, see `_frames.position_pairs`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._compile import fixed_tuple, kernel, list_pointer
from .lambda_weights import LambdaWeight
from .lists import LEAST_BUFFER, LIST, norm_factor

PAIR_SIGNATURE = f"void({', '.join([LIST] * 5)}, float64, int64, {', '.join([LIST] * 7)})"


Phi = Callable[..., tuple[Any, Any, Any]]
OfRatio = Callable[..., tuple[Any, Any]]
ValueOfRatio = Callable[..., Any]


@kernel
def each_pair_list(
    first: int, last: int, query_ptr: Any, of_list: Any, score: Any, rows: Any, by_label: Any, cut: int, gain: Any,
    weight: Any, discount: Any, smooth_discount: Any, ideal: Any, params: Any, gradient: Any, hessian: Any, up: Any,
    down: Any, cost_up: Any, cost_down: Any,
) -> None:  # fmt: skip
    """Hand each query's documents to `of_list` and put its answer back in their rows.

    `rows` has the rows of each query in the order of ranks, `by_label` in that of falling labels.  The last four have
    a length of 0 where pairs have no factors, or no costs are asked for.
    """
    size = LEAST_BUFFER
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    s, worth, w, g, h = np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    place, rank, at = np.empty(size), np.empty(size, np.int64), np.empty(size, np.int64)
    size = size if len(up) > 0 else 0
    u, d, c_up, c_down = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for q in range(first, last):
        start, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
        for k in range(n):
            rank[rows[start + k] - start] = k
        above, below = 0, n - 1
        for k in range(n):
            row = by_label[start + k]
            to = above if rank[row - start] < cut else below
            above, below = (above + 1, below) if rank[row - start] < cut else (above, below - 1)
            at[to] = row
        for k in range(n):
            row = at[k]
            s[k], worth[k], place[k] = score[row], gain[row], rank[row - start]
            w[k] = weight[row] if len(weight) > 0 else 1.0
            g[k] = h[k] = 0.0
        places = smooth_discount[start : start + n] if len(smooth_discount) > 0 else discount[:n]
        if len(up) > 0:
            for k in range(n):
                u[k], d[k], c_up[k], c_down[k] = up[at[k]], down[at[k]], 0.0, 0.0
        of_list(
            s[:n], worth[:n], w[:n], place[:n], places, ideal[q], min(cut, n), params, g[:n], h[:n], u[:n], d[:n],
            c_up[:n], c_down[:n],
        )  # fmt: skip
        for k in range(n):
            gradient[at[k]], hessian[at[k]] = g[k], h[k]
        if len(cost_up) > 0:
            for k in range(n):
                cost_up[at[k]], cost_down[at[k]] = c_up[k], c_down[k]


def _put_in(*args: Any) -> Any:  # what the template below calls is put in when it is compiled
    raise NotImplementedError


_phi = _of_ratio = _value_of_ratio = _equal = _prepare = _delta = _put_in
N_PARAMS = RATIO = PREPARED = SYMMETRIC = TIES = SCORE_NORM = QUERY_NORM = FACTORS = COSTS = 0


def _pairs_of_list(
    s: Any, gain: Any, w: Any, place: Any, discount: Any, ideal: float, cut: int, params: Any, g: Any, h: Any, up: Any,
    down: Any, cost_up: Any, cost_down: Any,
) -> None:  # fmt: skip
    """Add up the lambdas of a list's pairs, one document above the level against two runs of others at a time."""
    n, own = len(s), fixed_tuple(params, N_PARAMS)[2:]
    a, b = np.empty(n + LEAST_BUFFER), np.empty(n + LEAST_BUFFER)
    power, inverse = np.empty(n + LEAST_BUFFER), np.empty(n + LEAST_BUFFER)
    c, lowest, highest, total = 1.0, s[0], s[0], 0.0
    if RATIO or SCORE_NORM:
        for k in range(n):
            lowest, highest = s[k] if s[k] < lowest else lowest, s[k] if s[k] > highest else highest
    if PREPARED:  # in the order of ranks
        ranked, x = np.empty(n), np.empty((2, n))
        for k in range(n):
            ranked[int(place[k])] = gain[k]
        c = _prepare(ranked, discount, ideal, x[0], x[1])
        for k in range(n):
            a[k], b[k] = x[0, int(place[k])], x[1, int(place[k])]
    if RATIO:
        for k in range(n):
            power[k] = np.exp(params[1] * (s[k] - highest))
            inverse[k] = 1.0 / power[k]
    base, slope = (0.01, 1.0) if SCORE_NORM and highest > lowest else (1.0, 0.0)
    group, low, high = 0, n, n  # where the label of document i ends above the level, begins and ends below it
    for i in range(cut):
        s_i, gain_i, w_i, a_i, b_i, place_i = s[i], gain[i], w[i], a[i], b[i], place[i]
        if i == group:
            while group < cut and gain[group] == gain_i:
                group += 1
            while low > cut and gain[low - 1] > gain_i:
                low -= 1
            high = low
            while low > cut and gain[low - 1] == gain_i:
                low -= 1
        g_i, h_i = 0.0, 0.0
        for run in range(1 if TIES else 2):
            start, end, sign, theirs, ours = group, low, 1.0, power, inverse[i]
            if run == 1:
                start, end, sign, theirs, ours = high, n, -1.0, inverse, power[i]
            if FACTORS:
                factor, factors, costs, cost = up[i], down, cost_down, 0.0
                if run == 1:
                    factor, factors, costs = down[i], up, cost_up
            if TIES:
                start, end = i + 1, n
            # Unsigned: an index that cannot be negative needs no check, and only so these become vector instructions.
            for j in range(np.uint64(start), np.uint64(end)):
                margin = s_i - s[j]
                if TIES:
                    sign = (1.0 if gain_i > gain[j] else 0.0) - (1.0 if gain_i < gain[j] else 0.0)
                if SYMMETRIC:
                    worth = _delta(place_i, place[j], gain_i, gain[j], a_i, a[j], b_i, b[j], c)
                else:
                    first = place_i < place[j]
                    worth = _delta(
                        place_i if first else place[j], place[j] if first else place_i,
                        gain_i if first else gain[j], gain[j] if first else gain_i, a_i if first else a[j],
                        a[j] if first else a_i, b_i if first else b[j], b[j] if first else b_i, c,
                    )  # fmt: skip
                worth *= w_i * w[j]
                if SCORE_NORM:
                    worth /= base + slope * abs(margin)
                if RATIO:
                    d1, d2 = _of_ratio(sign * margin, theirs[j] * ours, *own)
                    if COSTS:
                        value = _value_of_ratio(sign * margin, theirs[j] * ours, *own)
                else:
                    value, d1, d2 = _phi(sign * margin, *own)
                if COSTS:
                    cost += worth * value * factors[j]
                    costs[j] += worth * value * factor
                if FACTORS:
                    worth *= factor * factors[j]
                lam, bend = sign * worth * d1, worth * d2
                if TIES:
                    _, e1, e2 = _equal(margin, *own)
                    lam, bend = lam if sign != 0.0 else worth * e1, bend if sign != 0.0 else worth * e2
                g_i += lam
                h_i += bend
                g[j] -= lam
                h[j] += bend
                if QUERY_NORM:
                    total += 2.0 * abs(lam)
            if COSTS:
                if run == 1:
                    cost_down[i] += cost
                else:
                    cost_up[i] += cost
        g[i] += g_i
        h[i] += h_i
    if QUERY_NORM:
        factor = norm_factor(total)
        for k in range(n):
            g[k] *= factor
            h[k] *= factor


def compile_pairs(frame: Any, of_ratio: OfRatio | None) -> Any:
    """Return the pointer to a compiled loop over the pairs of a list, for one loss and one weight."""
    flags = frame.equal is not None, frame.score_norm, frame.query_norm, frame.factors, frame.costs
    value_of_ratio = None if of_ratio is None else frame.value_of_ratio
    return _compile(frame.phi, of_ratio, value_of_ratio, frame.equal, frame.weight, len(frame.params), *map(int, flags))


@functools.lru_cache(maxsize=256)
def _compile(
    phi: Phi, of_ratio: OfRatio | None, value_of_ratio: ValueOfRatio | None, equal: Phi | None, weight: LambdaWeight,
    n_params: int, ties: int, score_norm: int, query_norm: int, factors: int, costs: int,
) -> Any:  # fmt: skip
    return list_pointer(
        _pairs_of_list, PAIR_SIGNATURE, fast=True, _phi=phi, _of_ratio=of_ratio or phi,
        _value_of_ratio=value_of_ratio or phi, _equal=equal or phi, _prepare=weight.prepare, _delta=weight.delta,
        N_PARAMS=n_params + 2, RATIO=int(of_ratio is not None), PREPARED=int(weight.ranked),
        SYMMETRIC=int(weight.symmetric), TIES=ties, SCORE_NORM=score_norm, QUERY_NORM=query_norm, FACTORS=factors,
        COSTS=costs,
    )  # fmt: skip
