"""Comparisons that name the first place where two numbers differ, and difference quotients to compare with.

A quotient is taken at scores that are spread evenly in each query, so that no rank changes on the way.  It is
extrapolated from two steps, and the nearer of a wide and a narrow pair of steps counts: neither a kink close by nor
rounding is then taken for a fault.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._checks import IntArray
from ._data import Array, Data, by_row

STEPS = (2e-3, 2e-5)  # of differences
PROBES = 10  # documents of each query at which differences are taken
EQUAL_BOUND = 1e-6  # of the same number computed in two ways, relative to the largest of its query
NOTHING = 1e-9  # what counts as 0, relative to the largest of all


class FailedError(Exception):
    """A check failed."""


class SkippedError(Exception):
    """A check does not apply."""


class Numbers(NamedTuple):
    """What a bound objective returns."""

    gradient: Array
    hessian: Array
    loss: Array


class Where(NamedTuple):
    """What a check looks at, so that it can name places; `prefix` begins its message."""

    targets: Data
    score: Array
    prefix: str = ""

    def place(self, at: tuple[int, ...], *, of_query: bool) -> str:
        """Return the words for a document or a query."""
        if of_query:
            return f"query {at[0]}"
        query = int(np.searchsorted(self.targets.query_ptr, at[0], side="right")) - 1
        output = f", output {at[1]}" if len(at) > 1 else ""
        label = self.targets.y[at[0]]
        return f"row {at[0]}{output} (query {query}, label {label!s}, score {self.score[at]:.6g})"


def require(good: Array, where: Where, words: str, *values: Array) -> None:
    """Fail at the first place that is not good; `words` has a place for its number in each of `values`."""
    bad = np.argwhere(~good)
    if not len(bad):
        return
    at = tuple(bad[0].tolist())
    told = [f"{each[at]:.6g}" for each in values]
    if len(set(told)) < len(told):
        told = [repr(float(each[at])) for each in values]
    place = where.place(at, of_query=len(good) != len(where.targets.y))
    more = f"; so at {len(bad)} of {good.size} places" if len(bad) > 1 else ""
    raise FailedError(f"{where.prefix}{place}: {words.format(*told)}{more}.")


def require_equal(got: Numbers, wanted: Numbers, where: Where, words: str) -> None:
    """Compare gradients, hessians and losses; `words` has places for what was got and what was wanted."""
    for what, a, b in zip(Numbers._fields, got, wanted, strict=True):
        size = np.abs(np.nan_to_num(b, posinf=0, neginf=0))
        scale = size if what == "loss" else largest(size, where.targets.query_ptr)
        close = np.abs(a - b) <= EQUAL_BOUND * scale + NOTHING * size.max()
        same = (a == b) | (np.isnan(a) & np.isnan(b))  # whether they are numbers is another check
        require(close | same, where, f"{what} {words}", a, b)


def largest(values: Array, query_ptr: IntArray) -> Array:
    """Return for each document the largest absolute value of its query."""
    per_row = np.abs(values).reshape(len(values), -1).max(axis=1)
    return by_row(np.maximum.reduceat(per_row, query_ptr[:-1]), query_ptr, values)


class Quotients(NamedTuple):
    """Difference quotients by each score, one array for each step, and where they were taken."""

    values: Array
    taken: Array


def quotients(
    function: Callable[[Array], Array], query_ptr: IntArray, score: Array, rng: np.random.Generator
) -> Quotients:
    """Return difference quotients of `function` by each score.

    In each query one document is moved at a time, in all queries together.  `function` returns a number for each
    score: the loss of its query, or its own gradient.
    """
    order = [start + rng.permutation(end - start) for start, end in itertools.pairwise(query_ptr)]
    found, taken = np.zeros((len(STEPS), *score.shape)), np.zeros(score.shape, dtype=bool)
    for probe in range(min(PROBES, int(np.diff(query_ptr).max()))):
        rows = np.array([each[probe] for each in order if probe < len(each)])
        for column in np.ndindex(score.shape[1:]):
            at = (rows, *column)
            taken[at] = True
            for k, step in enumerate(STEPS):
                wide, narrow = (_central(function, score, at, h) for h in (step, step / 2))
                found[(k, *at)] = (4 * narrow - wide) / 3  # Richardson: the error falls with the step's fourth power
    return Quotients(found, taken)


def _central(function: Callable[[Array], Array], score: Array, at: tuple[Any, ...], step: float) -> Array:
    up, down = score.copy(), score.copy()
    up[at] += step
    down[at] -= step
    width = up[at] - down[at]
    change = np.broadcast_to(function(up) - function(down), score.shape)
    return np.asarray(change[at] / width)


def require_slopes(what: str, values: Array, slopes: Quotients, slack: Array, where: Where) -> None:
    """Compare with the nearest of the difference quotients."""
    miss = np.abs(slopes.values - values)
    best = np.where(np.isnan(miss), np.inf, miss).argmin(axis=0)[None]
    nearest = np.take_along_axis(slopes.values, best, axis=0)[0]
    good = ~slopes.taken | (np.abs(nearest - values) <= slack)
    require(good, where, f"{what} {{}}, difference quotient {{}}", values, nearest)
