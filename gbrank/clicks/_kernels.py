"""Compiled loops over sessions: click probabilities, clicks drawn from them, and the steps of expectation maximisation.

There are two families, see `ContextModel` and `ChainModel`.  Rows are those of a `ClickLog`; `attraction` and
`satisfaction` hold a number for each row, or in the steps for each pair.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compile import kernel

LEAST_BUFFER = 128


@kernel
def context_rows(ptr: Any, attraction: Any, high: Any, low: Any, uniform: Any, click: Any, out: Any) -> None:
    """Write the probability of each click given those above it; where there are `uniform`, draw the clicks by them."""
    draw = len(uniform) > 0
    for s in range(len(ptr) - 1):
        last = 0
        for row in range(ptr[s], ptr[s + 1]):
            r = row - ptr[s]
            out[row] = low[last, r] + attraction[row] * (high[last, r] - low[last, r])
            if draw:
                click[row] = uniform[row] < out[row]
            if click[row]:
                last = r + 1


@kernel
def context_marginals(ptr: Any, attraction: Any, high: Any, low: Any, out: Any) -> None:
    """Write the probability of each click, by how likely each rank is to hold the last click above."""
    chance = np.empty(max(LEAST_BUFFER, len(high) + 1))
    for s in range(len(ptr) - 1):
        chance[0] = 1.0
        for row in range(ptr[s], ptr[s + 1]):
            r = row - ptr[s]
            total = 0.0
            for last in range(r + 1):
                p = low[last, r] + attraction[row] * (high[last, r] - low[last, r])
                total += chance[last] * p
                chance[last] *= 1.0 - p
            out[row] = total
            chance[r + 1] = total


@kernel
def context_step(
    pair: Any, context: Any, clicks: Any, skips: Any, attraction: Any, high: Any, low: Any, sums: Any, high_sums: Any,
    low_sums: Any,
) -> float:  # fmt: skip
    """Add, for cells of one pair and one context, the expected successes and trials; return the log-likelihood.

    Column 0 of the sums takes successes, column 1 trials.
    """
    total = 0.0
    for i in range(len(pair)):
        a, h, g = attraction[pair[i]], high[context[i]], low[context[i]]
        p = g + a * (h - g)
        attracted_click, attracted_skip = 0.0, 0.0
        if clicks[i] > 0:
            attracted_click = clicks[i] * (a * h / p)
            total += clicks[i] * np.log(p)
        if skips[i] > 0:
            attracted_skip = skips[i] * (a * (1.0 - h) / (1.0 - p))
            total += skips[i] * np.log1p(-p)
        attracted, shown = attracted_click + attracted_skip, clicks[i] + skips[i]
        sums[pair[i], 0] += attracted
        sums[pair[i], 1] += shown
        high_sums[context[i], 0] += attracted_click
        high_sums[context[i], 1] += attracted
        low_sums[context[i], 0] += clicks[i] - attracted_click
        low_sums[context[i], 1] += shown - attracted
    return total


@kernel
def chain_rows(
    ptr: Any, attraction: Any, satisfaction: Any, after_click: Any, after_skip: float, uniform: Any, click: Any,
    out: Any,
) -> None:  # fmt: skip
    """Write the probability of each click given those above it; where there are `uniform`, draw the clicks by them."""
    draw = len(uniform) > 0
    for s in range(len(ptr) - 1):
        examined = 1.0
        for row in range(ptr[s], ptr[s + 1]):
            p = attraction[row] * examined
            out[row] = p
            if draw:
                click[row] = uniform[row] < p
            if click[row]:
                examined = (1.0 - satisfaction[row]) * after_click[row - ptr[s]]
            elif p < 1.0:
                examined *= (1.0 - attraction[row]) * after_skip / (1.0 - p)
            else:
                examined = 0.0


@kernel
def chain_marginals(
    ptr: Any, attraction: Any, satisfaction: Any, after_click: Any, after_skip: float, out: Any
) -> None:
    """Write the probability of each click."""
    for s in range(len(ptr) - 1):
        examined = 1.0
        for row in range(ptr[s], ptr[s + 1]):
            a = attraction[row]
            out[row] = a * examined
            examined *= a * (1.0 - satisfaction[row]) * after_click[row - ptr[s]] + (1.0 - a) * after_skip


@kernel
def chain_step(
    ptr: Any, pair: Any, click: Any, attraction: Any, satisfaction: Any, after_click: Any, after_skip: float,
    attraction_sums: Any, satisfaction_sums: Any, click_sums: Any, skip_sums: Any,
) -> float:  # fmt: skip
    """Add the expected successes (column 0) and trials (column 1) of each session; return the log-likelihood.

    Down to the last click all was examined.  `tail[r]` is the probability that the documents from r on get no click,
    given that r is examined.
    """
    total = 0.0
    width = LEAST_BUFFER
    for s in range(len(ptr) - 1):
        width = max(width, ptr[s + 1] - ptr[s] + 1)
    tail = np.empty(width)
    for s in range(len(ptr) - 1):
        start, n = ptr[s], ptr[s + 1] - ptr[s]
        last = -1
        for r in range(n):
            if click[start + r]:
                last = r
        tail[n] = 1.0
        for r in range(n - 1, last, -1):
            more = 1.0 - after_skip + after_skip * tail[r + 1] if r < n - 1 else 1.0
            tail[r] = (1.0 - attraction[pair[start + r]]) * more
        for r in range(last + 1):
            d = pair[start + r]
            a, stay = attraction[d], 1.0 - satisfaction[d]
            attraction_sums[d, 1] += 1.0
            if click[start + r]:
                attraction_sums[d, 0] += 1.0
                total += np.log(a)
                if r < last:
                    satisfaction_sums[d, 1] += 1.0
                    click_sums[r, 0] += 1.0
                    click_sums[r, 1] += 1.0
                    total += np.log(stay * after_click[r])
            else:
                skip_sums[0] += 1.0
                skip_sums[1] += 1.0
                total += np.log((1.0 - a) * after_skip)
        examined = 1.0
        if last == n - 1:
            continue
        if last >= 0:
            d = pair[start + last]
            left, g = 1.0 - satisfaction[d], after_click[last]
            z = satisfaction[d] + left * (1.0 - g) + left * g * tail[last + 1]
            total += np.log(z)
            satisfaction_sums[d, 0] += satisfaction[d] / z
            satisfaction_sums[d, 1] += 1.0
            examined = left * g * tail[last + 1] / z
            click_sums[last, 0] += examined
            click_sums[last, 1] += 1.0 - satisfaction[d] / z
        else:
            total += np.log(tail[0])
        for r in range(last + 1, n):
            attraction_sums[pair[start + r], 1] += examined
            if r < n - 1:
                on = after_skip * tail[r + 1]
                skip_sums[1] += examined
                examined *= on / (1.0 - after_skip + on) if on > 0.0 else 0.0
                skip_sums[0] += examined
    return total
