"""A document's value among those of its query, one column at a time.

Each function takes a column and the rows among which its values stand: those of the same query (`Among.queries`), or,
for rows of no query, the rows of the training data (`Among.training`).  Missing values (NaN) stay missing, and are no
part of what others are compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import IntArray
from .._groups import Groups

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Among:
    """What the values of one column stand among, looked up for each row.

    count, lowest, highest, mean, std : arrays that broadcast with the column.
    less, not_more : for each row, the number of values below its own, and of values up to its own.
    next_higher : for each row, the lowest value above its own; its own where there is none.
    """

    count: Any
    lowest: Any
    highest: Any
    mean: Any
    std: Any
    less: Vector
    not_more: Vector
    next_higher: Vector

    @classmethod
    def queries(cls, x: Vector, groups: Groups) -> Among:
        """Rows, standing query by query, among the rows of their query."""
        starts, sizes = groups.query_ptr[:-1], np.diff(groups.query_ptr)
        known = ~np.isnan(x)
        count = np.add.reduceat(known.astype(np.float64), starts)
        mean, std = _mean_and_std(x, known, count, groups.query_ptr)
        query = np.repeat(np.arange(len(sizes)), sizes)
        order = np.lexsort((x, query))
        less, not_more, above = _places(x[order], query[order], groups.query_ptr)
        back = np.empty(len(x), np.int64)
        back[order] = np.arange(len(x))
        lowest, highest = np.fmin.reduceat(x, starts), np.fmax.reduceat(x, starts)
        count, lowest, highest, mean, std = (np.repeat(v, sizes) for v in (count, lowest, highest, mean, std))
        return cls(count, lowest, highest, mean, std, less[back], not_more[back], above[back])

    @classmethod
    def training(cls, x: Vector, ranked: Vector) -> Among:
        """Rows of no query among the known values of the training data, which come sorted."""
        n = len(ranked)
        if n == 0:
            nan = np.full(len(x), np.nan)
            return cls(0.0, np.nan, np.nan, np.nan, np.nan, nan, nan, nan)
        left, right = (np.searchsorted(ranked, x, side) for side in ("left", "right"))
        above = np.where(right < n, ranked[np.minimum(right, n - 1)], x)
        known = np.ones(n, bool)
        (mean,), (std,) = _mean_and_std(ranked, known, np.array([float(n)]), np.array([0, n]))
        return cls(float(n), ranked[0], ranked[-1], mean, std, left.astype(float), right.astype(float), above)


def _mean_and_std(x: Vector, known: npt.NDArray[np.bool_], count: Vector, query_ptr: IntArray) -> tuple[Vector, Vector]:
    """Return each query's mean and standard deviation, taken about the mean, of its known values."""
    starts, n = query_ptr[:-1], np.maximum(count, 1)
    scale = 2.0**-530 if np.abs(x[known]).max(initial=0) > 1e150 else 1.0  # squares of huge values stay finite
    mean = np.add.reduceat(np.where(known, x * scale, 0.0), starts) / n
    off = np.where(known, x * scale - np.repeat(mean, np.diff(query_ptr)), 0.0)
    return mean / scale, np.sqrt(np.add.reduceat(off * off, starts) / n) / scale


def _places(x: Vector, query: IntArray, query_ptr: IntArray) -> tuple[Vector, Vector, Vector]:
    """Return less, not_more and next_higher of rows sorted by query and value, missing values last."""
    n = len(x)
    new = np.ones(n, bool)
    new[1:] = (x[1:] != x[:-1]) | (query[1:] != query[:-1])
    first = np.flatnonzero(new)
    end = np.append(first[1:], n)
    group = np.cumsum(new) - 1
    start = query_ptr[query]
    after = np.minimum(end, n - 1)
    higher = (end < n) & (query[after] == query[first]) & ~np.isnan(x[after])
    return (
        (first[group] - start).astype(np.float64),
        (end[group] - start).astype(np.float64),
        np.where(higher, x[after], x[first])[group],
    )


def minmax(x: Vector, among: Among) -> Vector:
    """Return (x - lowest) / (highest - lowest), 0 where all are equal; halved first, so that no range overflows."""
    lowest, width = among.lowest / 2, np.asarray(among.highest / 2 - among.lowest / 2)
    return _share(x / 2 - lowest, width, x)


def zscore(x: Vector, among: Among) -> Vector:
    """Return (x - mean) / standard deviation (with n), 0 where all are equal."""
    return _share(x - among.mean, np.where(among.highest == among.lowest, 0.0, among.std), x)


def rank(x: Vector, among: Among) -> Vector:
    """Return the share of values below x, and half of those equal to it: about 0 for the lowest, 1 for the highest."""
    return np.where(np.isnan(x), np.nan, (among.less + among.not_more) / 2 / np.maximum(among.count, 1))


def gap_to_best(x: Vector, among: Among) -> Vector:
    """Return highest - x."""
    return np.asarray(among.highest - x)


def gap_to_mean(x: Vector, among: Among) -> Vector:
    """Return x - mean."""
    return np.asarray(x - among.mean)


def gap_to_next(x: Vector, among: Among) -> Vector:
    """Return the next higher value less x, 0 for the highest."""
    return among.next_higher - x


def _share(part: Vector, whole: Vector, x: Vector) -> Vector:
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(whole > 0, part / whole, 0.0)
    return np.where(np.isnan(x), np.nan, values)


KINDS = {each.__name__: each for each in (minmax, zscore, rank, gap_to_best, gap_to_mean, gap_to_next)}
