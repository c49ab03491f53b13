"""The frame of pointwise losses: each document by itself.

A pointwise loss is a plain NumPy function ``point(y, s, *params)`` that returns value, first and second derivative by
the score, elementwise.  The numpy engine calls it on whole arrays; the compiled engine hands the same function to the
compiler, for one pass over the documents without temporary arrays.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._checks import IntArray
from ..._compile import kernel_with, over_queries
from .._base import Bound, Gradients, Labelled, Vector, check_engine, row_weights, sum_by_query

Point = Callable[..., tuple[Any, Any, Any]]
Start = Callable[[npt.NDArray[Any], Vector | None], float]
"""From labels and weights to the constant score from which boosting starts."""

LEAST_CURVATURE = 1e-6  # of a loss of one document, an absolute number: a settled one still weighs a little
HALVINGS = 60  # of the interval that holds the best constant
BLOCK = 4096  # documents at a time: arrays that stay in the cache, and sums that do not depend on the number of threads


class PointBound(Bound):
    """A pointwise loss tied to labels; `params` may be changed between rounds (thresholds).

    Boosting starts from ``start(y, weight)``, or from 0.
    """

    def __init__(
        self,
        point: Point,
        params: tuple[Any, ...],
        y: npt.NDArray[Any],
        data: Labelled,
        engine: str,
        n_jobs: int | None,
        start: Start | None = None,
    ) -> None:
        check_engine(engine)
        self.point, self.params, self.y, self.n_jobs, self.start = point, params, y, n_jobs, start
        self.query_ptr = data.query_ptr
        self.weight = row_weights(data)
        self.compiled = engine == "compiled"
        self.passing = (compile_point if self.compiled else array_point)(point)
        self.ptr = self.query_ptr if self.compiled else blocks(len(y))

    def init_score(self) -> Vector:
        return np.zeros(1) if self.start is None else np.atleast_1d(np.float64(self.start(self.y, self.weight)))

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        gradient, hessian = np.empty(len(score)), np.empty(len(score))
        over_queries(self.passing, self.ptr, self.y, score, self.params, gradient, hessian, n_jobs=self.n_jobs)
        if self.weight is not None:
            gradient *= self.weight
            hessian *= self.weight
        return gradient, hessian

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        with np.errstate(over="ignore"):
            value = self.point(self.y, score, *self.params)[0]
        return sum_by_query(value if self.weight is None else value * self.weight, self.query_ptr)


def blocks(n_documents: int) -> IntArray:
    """Return where blocks of documents begin, and the end of the last."""
    return np.append(np.arange(0, n_documents, BLOCK), n_documents)


def array_point(point: Point) -> Callable[..., None]:
    """Return a pass over blocks of documents that applies `point` to each as arrays."""

    def pass_over(first: int, last: int, ptr: Any, y: Any, score: Any, params: Any, g: Any, h: Any) -> None:
        for start, end in itertools.pairwise(ptr[first : last + 1]):
            with np.errstate(over="ignore"):
                _, g[start:end], hessian = point(y[start:end], score[start:end], *params)
            h[start:end] = np.maximum(hessian, LEAST_CURVATURE)

    return pass_over


def _point(*args: Any) -> Any:  # the place in the template below that a loss is put into
    raise NotImplementedError


def _each_document(first: int, last: int, query_ptr: Any, y: Any, score: Any, params: Any, g: Any, h: Any) -> None:
    start, end = query_ptr[first], query_ptr[last]
    # Slices count from 0, so that the compiler knows where each array ends: without them it cannot tell that none
    # overlaps another, and the loop runs one document at a time, several times as long.
    y, score, g, h = y[start:end], score[start:end], g[start:end], h[start:end]
    for row in range(len(y)):
        _, d1, d2 = _point(y[row], score[row], *params)
        g[row] = d1
        h[row] = max(d2, LEAST_CURVATURE)


@functools.lru_cache(maxsize=256)
def compile_point(point: Point) -> Callable[..., None]:
    """Return a compiled pass over documents that applies `point` to each."""
    return kernel_with(_each_document, _point=point)


def sides(x: Any) -> Any:
    r"""Return :math:`\sigma(x)`, :math:`\sigma(-x)` and :math:`\log(1 + e^{-|x|})`, every digit of each.

    The last is what :math:`\log(1 + e^{\pm x})` exceeds :math:`\max(0, \pm x)` by.  One exponential serves all.
    """
    e = np.exp(-np.abs(x))
    near, far = 1.0 / (1.0 + e), e / (1.0 + e)
    return np.where(x >= 0.0, near, far), np.where(x >= 0.0, far, near), np.log1p(e)


def mean_label(y: npt.NDArray[Any], weight: Vector | None) -> float:
    """Return the weighted mean of the labels: the best constant of squared error."""
    return float(np.average(y, weights=weight))


def best_constant(point: Point, params: tuple[Any, ...], lowest: float | None = None, highest: float = 0.0) -> Start:
    """Return the search for the constant score of least loss, where the loss falls and then rises.

    It lies between `lowest` and `highest`, or between the least and the greatest label.
    """

    def start(y: npt.NDArray[Any], weight: Vector | None) -> float:
        labels, place = np.unique(y, return_inverse=True)
        counts = np.bincount(place, weights=weight)
        low, high = (float(labels[0]), float(labels[-1])) if lowest is None else (lowest, highest)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            slope = np.dot(counts, point(labels, np.full(len(labels), middle), *params)[1])
            low, high = (middle, high) if slope < 0 else (low, middle)
        return 0.5 * (low + high)

    return start
