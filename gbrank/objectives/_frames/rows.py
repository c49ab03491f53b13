"""The frame of losses with several outputs for each document: grades, quantiles, thresholds.

Such a loss is a plain NumPy function ``row(y, s, g, h, *params)`` that returns the value and writes the first and
second derivative by output k to ``g[k]`` and ``h[k]``.  The numpy engine gives it matrices of shape (n_outputs,
n_documents), so that ``s[k]`` is a vector over the documents; the compiled engine hands the same function the row of
one document, so that ``s[k]`` is a number.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._compile import kernel_with, over_queries
from .._base import Bound, Gradients, Labelled, Vector, check_engine, row_weights, sum_by_query
from .points import LEAST_CURVATURE, blocks

Row = Callable[..., Any]


class RowBound(Bound):
    """A loss of several outputs tied to labels; boosting starts from `start`, of shape (n_outputs,)."""

    def __init__(
        self,
        row: Row,
        params: tuple[Any, ...],
        start: Vector,
        y: npt.NDArray[Any],
        data: Labelled,
        engine: str,
        n_jobs: int | None,
    ) -> None:
        check_engine(engine)
        self.row, self.params, self.start, self.y, self.n_jobs = row, params, start, y, n_jobs
        self.n_outputs = len(start)
        self.query_ptr = data.query_ptr
        self.weight = row_weights(data)
        self.compiled = engine == "compiled"
        self.passing = (compile_row if self.compiled else array_row)(row)
        self.ptr = self.query_ptr if self.compiled else blocks(len(y))

    def init_score(self) -> Vector:
        return self.start.copy()

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        score = np.ascontiguousarray(score)
        gradient, hessian = np.empty(score.shape), np.empty(score.shape)
        over_queries(self.passing, self.ptr, self.y, score, self.params, gradient, hessian, n_jobs=self.n_jobs)
        if self.weight is not None:
            gradient *= self.weight[:, None]
            hessian *= self.weight[:, None]
        return gradient, hessian

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        value = apply_row(self.row, self.y, np.ascontiguousarray(score.T), self.params)[0]
        return sum_by_query(value if self.weight is None else value * self.weight, self.query_ptr)


def apply_row(row: Row, y: npt.NDArray[Any], s: npt.NDArray[Any], params: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Return value, first and second derivatives of all documents; `s` has the shape (n_outputs, n_documents)."""
    g, h = np.empty(s.shape), np.empty(s.shape)
    with np.errstate(over="ignore"):
        return row(y, s, g, h, *params), g, h


def array_row(row: Row) -> Callable[..., None]:
    """Return a pass over blocks of documents that applies `row` to each as arrays."""

    def pass_over(first: int, last: int, ptr: Any, y: Any, score: Any, params: Any, g: Any, h: Any) -> None:
        for start, end in itertools.pairwise(ptr[first : last + 1]):
            _, d1, d2 = apply_row(row, y[start:end], np.ascontiguousarray(score[start:end].T), params)
            g[start:end], h[start:end] = d1.T, np.maximum(d2, LEAST_CURVATURE).T

    return pass_over


def _row(*args: Any) -> Any:  # the place in the template below that a loss is put into
    raise NotImplementedError


def _each_document(first: int, last: int, query_ptr: Any, y: Any, score: Any, params: Any, g: Any, h: Any) -> None:
    start, end = query_ptr[first], query_ptr[last]
    y, score, g, h = y[start:end], score[start:end], g[start:end], h[start:end]
    for at in range(len(y)):
        _row(y[at], score[at], g[at], h[at], *params)
        for k in range(score.shape[1]):
            h[at, k] = max(h[at, k], LEAST_CURVATURE)


@functools.lru_cache(maxsize=256)
def compile_row(row: Row) -> Callable[..., None]:
    """Return a compiled pass over documents that applies `row` to each."""
    return kernel_with(_each_document, _row=row)
