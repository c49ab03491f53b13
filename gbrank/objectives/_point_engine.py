"""The frame of pointwise losses: each document by itself.

A pointwise loss is a plain NumPy function ``point(y, s, *params)`` that returns value, first and second derivative by
the score, elementwise.  The numpy engine calls it on whole arrays; the compiled engine hands the same function to the
compiler, for one pass over the documents without temporary arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._compile import inlined, over_queries, specialised
from ._base import Bound, Gradients, Labelled, Vector, check_engine, row_weights, sum_by_query

Point = Callable[..., tuple[Any, Any, Any]]

HESSIAN_FLOOR = 1e-6  # of a pointwise loss, relative to a hessian of order 1


class PointBound(Bound):
    """A pointwise loss tied to labels; `params` may be changed between rounds (thresholds)."""

    def __init__(
        self, point: Point, params: tuple[Any, ...], y: Vector, data: Labelled, engine: str, n_jobs: int | None
    ) -> None:
        check_engine(engine)
        self.point, self.params, self.y, self.n_jobs = point, params, y, n_jobs
        self.query_ptr = data.query_ptr
        self.weight = row_weights(data)
        self.kernel = compile_point(point) if engine == "compiled" else None

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        if self.kernel is None:
            with np.errstate(over="ignore"):
                _, gradient, hessian = self.point(self.y, score, *self.params)
            # Surrogates may be constants; every document needs its own.
            gradient, hessian = gradient + np.zeros(len(score)), np.maximum(hessian, HESSIAN_FLOOR) + 0.0 * score
        else:
            gradient, hessian = np.empty(len(score)), np.empty(len(score))
            over_queries(self.kernel, self.query_ptr, self.y, score, self.params, gradient, hessian, n_jobs=self.n_jobs)
        if self.weight is not None:
            gradient *= self.weight
            hessian *= self.weight
        return gradient, hessian

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        with np.errstate(over="ignore"):
            value = self.point(self.y, score, *self.params)[0]
        return sum_by_query(value if self.weight is None else value * self.weight, self.query_ptr)


@functools.lru_cache(maxsize=256)
def compile_point(point: Point) -> Callable[..., None]:
    """Return a compiled pass over documents that applies `point` to each."""
    each = inlined(point)

    def pass_over(first: int, last: int, query_ptr: Any, y: Any, score: Any, params: Any, g: Any, h: Any) -> None:
        for row in range(query_ptr[first], query_ptr[last]):
            _, d1, d2 = each(y[row], score[row], *params)
            g[row] = d1
            h[row] = max(d2, HESSIAN_FLOOR)

    return specialised(pass_over)
