r"""Thresholds between grades, fitted to scores that stand still.

The losses depend on the differences of score and threshold, one document at a time, so that one pass over the documents
gives the slope and the curvature of the loss by each threshold; the rest is a Newton step in a few numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._compile import kernel_with, over_queries
from .._base import Vector
from .points import blocks

LONGEST_STEP = 1.0
SMALLEST_GAP = 1e-6  # between thresholds with a grade that no document has
CLOSE_ENOUGH = 0.01  # a Newton step so short leaves an error of its square
FARTHEST = 14.0  # beyond all scores: a probability of a millionth

Slopes = Callable[..., tuple[Any, Any]]


def of_all_thresholds(y: Any, s: Any, threshold: Any, k: Any) -> Any:
    """First and second derivative by threshold k of the all-threshold loss."""
    p = 1.0 / (1.0 + np.exp(threshold - s))
    return np.where(y > k, 1.0, 0.0) - p, p * (1.0 - p)


def of_both_sides(y: Any, s: Any, threshold: Any, k: Any) -> Any:
    """First and second derivative by threshold k of the loss of the thresholds on both sides of the grade."""
    p = 1.0 / (1.0 + np.exp(threshold - s))
    above, near = np.where(y == k + 1, 1.0, 0.0), np.where(y == k, 1.0, 0.0) + np.where(y == k + 1, 1.0, 0.0)
    return above - near * p, near * p * (1.0 - p)


def _slopes(*args: Any) -> Any:  # the place in the template below that the derivatives are put into
    raise NotImplementedError


def _each_block(first: int, last: int, ptr: Any, y: Any, score: Any, weight: Any, t: Any, sums: Any) -> None:
    for block in range(first, last):
        start, end = ptr[block], ptr[block + 1]
        grade, s, w = y[start:end], score[start:end], weight[start:end]
        for k in range(len(t)):
            threshold, slope, curvature = t[k], 0.0, 0.0
            for at in range(len(s)):
                d1, d2 = _slopes(grade[at], s[at], threshold, k)
                slope += w[at] * d1
                curvature += w[at] * d2
            sums[block, 0, k], sums[block, 1, k] = slope, curvature


@functools.lru_cache(maxsize=16)
def compile_sums(slopes: Slopes) -> Callable[..., None]:
    """Return a compiled pass over blocks of documents that sums the derivatives by each threshold."""
    return kernel_with(_each_block, _slopes=slopes)


def array_sums(slopes: Slopes) -> Callable[..., None]:
    """Return a pass over blocks of documents that sums the derivatives by each threshold, in arrays."""

    def pass_over(first: int, last: int, ptr: Any, y: Any, score: Any, weight: Any, t: Any, sums: Any) -> None:
        for block in range(first, last):
            rows = slice(ptr[block], ptr[block + 1])
            for k, threshold in enumerate(t):
                with np.errstate(over="ignore"):
                    d1, d2 = slopes(y[rows], score[rows], threshold, k)
                sums[block, 0, k], sums[block, 1, k] = np.dot(weight[rows], d1), np.dot(weight[rows], d2)

    return pass_over


class Thresholds:
    """The fit of the thresholds of one loss to labels and weights.

    Parameters
    ----------
    slopes : callable
        ``slopes(y, s, threshold, k)`` returns the first and second derivative by threshold k, elementwise.
    counts : array of shape (n_grades,)
        Weight of the documents of each grade.
    apart : bool
        Whether the loss has a term that keeps the thresholds apart, see `gap_barrier`.
    """

    def __init__(
        self,
        slopes: Slopes,
        y: npt.NDArray[np.int64],
        weight: Vector | None,
        counts: Vector,
        *,
        apart: bool = False,
        compiled: bool = True,
        n_jobs: int | None = None,
    ) -> None:
        self.slopes, self.y, self.counts, self.apart, self.n_jobs = slopes, y, counts, apart, n_jobs
        self.weight = np.ones(len(y)) if weight is None else weight
        self.passing = (compile_sums if compiled else array_sums)(slopes)
        # Thresholds on both sides of a grade that no document has are one.
        self.group = np.concatenate(([0], np.cumsum(counts[1:-1] > 0)))

    def start(self) -> Vector:
        """Return the best thresholds for scores of 0, which are those for as many documents as there are grades."""
        below = np.cumsum(self.counts)[:-1] / self.counts.sum()
        below = np.clip(below, 1e-6, 1 - 1e-6)
        first = np.log(below) - np.log1p(-below) + SMALLEST_GAP * np.arange(len(below))
        grades = np.arange(len(self.counts))
        few = Thresholds(self.slopes, grades, self.counts, self.counts, apart=self.apart, compiled=False)
        return few.fit(np.zeros(len(grades)), first, steps=100, close=1e-9)

    def fit(self, score: Vector, start: Vector, *, steps: int = 3, close: float = CLOSE_ENOUGH) -> Vector:
        """Return the thresholds after Newton steps from `start`, until one is shorter than `close`; never falling."""
        lowest, highest = score.min() - FARTHEST, score.max() + FARTHEST
        fitted = start
        for _ in range(steps):
            slope, curvature = self.sums(score, fitted)
            before, fitted = fitted, np.clip(self.step(fitted, slope, curvature), lowest, highest)
            if self.apart:  # the loss is infinite at a gap of 0
                spread = SMALLEST_GAP * np.arange(len(fitted))
                fitted = np.maximum.accumulate(fitted - spread) + spread
            if np.abs(fitted - before).max() < close:
                break
        return fitted

    def sums(self, score: Vector, thresholds: Vector) -> tuple[Vector, Vector]:
        """Return slope and curvature of the loss of all documents by each threshold."""
        ptr = blocks(len(self.y))
        by_block = np.empty((len(ptr) - 1, 2, len(thresholds)))
        over_queries(self.passing, ptr, self.y, score, self.weight, thresholds, by_block, n_jobs=self.n_jobs)
        slope, curvature = by_block.sum(axis=0)
        return slope, curvature

    def step(self, thresholds: Vector, slope: Vector, curvature: Vector) -> Vector:
        """Return the thresholds after one Newton step, in their order."""
        curvature = np.maximum(curvature, 1e-12 * self.counts.sum())
        if not self.apart:
            step = np.clip(slope / curvature, -LONGEST_STEP, LONGEST_STEP)
            return isotonic(thresholds - step, curvature)
        first = np.searchsorted(self.group, np.arange(self.group[-1] + 1))
        at, slope, curvature = thresholds[first], np.add.reduceat(slope, first), np.add.reduceat(curvature, first)
        between = self.counts[1:-1][self.counts[1:-1] > 0]
        extra, hessian = gap_barrier(at, between)
        step = np.linalg.solve(hessian + np.diag(curvature), slope + extra)
        # No step takes more than nine tenths of a gap, which the loss keeps open.
        closing = np.diff(step) / np.diff(at)
        longest = max(np.abs(step).max() / LONGEST_STEP, closing.max(initial=0.0) / 0.9, 1.0)
        return np.asarray((at - step / longest)[self.group])


def gap_barrier(thresholds: Vector, counts: Vector) -> tuple[Vector, npt.NDArray[Any]]:
    r"""Return gradient and hessian of :math:`-\sum_c n_c \log(1 - e^{-(\theta_c - \theta_{c-1})})`."""
    with np.errstate(over="ignore"):
        odds = 1.0 / np.expm1(np.diff(thresholds))
    rate, bend = counts * odds, counts * odds * (1.0 + odds)
    gradient, hessian = np.zeros(len(thresholds)), np.zeros((len(thresholds), len(thresholds)))
    upper, lower = np.arange(1, len(thresholds)), np.arange(len(thresholds) - 1)
    gradient[upper] -= rate
    gradient[lower] += rate
    hessian[upper, upper] += bend
    hessian[lower, lower] += bend
    hessian[upper, lower] = hessian[lower, upper] = -bend
    return gradient, hessian


def isotonic(values: Vector, weight: Vector) -> Vector:
    """Return the weighted least-squares fit to `values` that never falls: neighbours that do are pooled.

    Examples
    --------
    >>> isotonic(np.array([1.0, 4.0, 2.0, 5.0]), np.array([1.0, 1.0, 3.0, 1.0])).tolist()
    [1.0, 2.5, 2.5, 5.0]
    """
    pools: list[tuple[float, float, int]] = []
    for value, w in zip(values, weight, strict=True):
        pool = (float(value), float(w), 1)
        while pools and pools[-1][0] > pool[0]:
            v, u, n = pools.pop()
            pool = ((v * u + pool[0] * pool[1]) / (u + pool[1]), u + pool[1], n + pool[2])
        pools.append(pool)
    return np.repeat([v for v, _, _ in pools], [n for _, _, n in pools])
