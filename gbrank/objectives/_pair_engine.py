"""The frame of pairwise losses: every pair of documents of a query with different labels.

A pairwise loss is a plain NumPy function ``phi(d, *params)`` of the margin d = s_i - s_j of a pair with y_i > y_j; it
returns value, first and second derivative, elementwise.  Pairs are weighted by a `LambdaWeight` and by the product of
their documents' weights.  With `truncation`, one document of the pair must rank above that place.  With `norm`, weights
are divided by 0.01 + |d|, and a query's gradient and hessian multiplied by log2(1 + S) / S, S being the sum of both
sides' absolute lambdas, as LightGBM does.

The numpy engine broadcasts ``phi`` over each query's pair matrix and is the definition; the compiled engine hands the
same functions to the compiler, inlined into one loop over queries.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import DataError
from .._compile import inlined, kernel, over_queries, specialised
from ..metrics._ranking import ALL, ideal_dcg, sort_pairs
from ._base import Bound, Gradients, Labelled, Vector, check_engine
from ._lambda_weights import LambdaWeight

Phi = Callable[..., tuple[Any, Any, Any]]

PAIRS_AT_ONCE = 1 << 21  # of the numpy engine, so that a query of 10,000 documents needs no matrix of its size


class PairFrame(NamedTuple):
    """What a pairwise objective is made of."""

    phi: Phi
    params: tuple[float, ...]
    weight: LambdaWeight
    truncation: int | None
    norm: bool


class PairBound(Bound):
    """A pairwise objective tied to labels; `gain` is what a document of its label is worth."""

    def __init__(
        self, frame: PairFrame, y: Vector, gain: Vector, data: Labelled, engine: str, n_jobs: int | None
    ) -> None:
        check_engine(engine)
        require_pairs(y, data.query_ptr)
        self.frame, self.y, self.gain, self.engine, self.n_jobs = frame, y, gain, engine, n_jobs
        self.query_ptr, self.weight = data.query_ptr, data.sample_weight
        sizes = np.diff(data.query_ptr)
        self.query_weight = None if data.query_weight is None else np.repeat(data.query_weight, sizes)
        self.truncation = ALL if frame.truncation is None else frame.truncation
        self.discount = 1 / np.log2(np.arange(2, sizes.max() + 2))
        self.ideal = np.empty(len(sizes))
        over_queries(ideal_dcg, self.query_ptr, gain, self.truncation, self.discount, self.ideal, n_jobs=n_jobs)
        # Each round's ranking starts from the last: scores move little, and what is nearly sorted sorts fast.
        self.order = np.arange(len(y)) - np.repeat(data.query_ptr[:-1], sizes)

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        gradient, hessian = np.zeros(len(score)), np.zeros(len(score))
        if self.engine == "numpy":
            for q in range(len(self.ideal)):
                at = slice(self.query_ptr[q], self.query_ptr[q + 1])
                gradient[at], hessian[at], _ = self._one_query(q, score[at])
        else:
            self._compiled(np.ascontiguousarray(score, dtype=np.float64), gradient, hessian)
        if self.query_weight is not None:
            gradient *= self.query_weight
            hessian *= self.query_weight
        return gradient, hessian

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        """Return each query's sum over pairs of weight times value at these ranks, without the factor of `norm`."""
        spans = zip(self.query_ptr[:-1], self.query_ptr[1:], strict=True)
        value = np.array([self._one_query(q, score[a:b])[2] for q, (a, b) in enumerate(spans)])
        return value if self.query_weight is None else value * self.query_weight[self.query_ptr[:-1]]

    def _compiled(self, score: Vector, gradient: Vector, hessian: Vector) -> None:
        weight = np.empty(0) if self.weight is None else self.weight
        frame = self.frame
        run = compile_pairs(frame.phi, frame.weight)
        over_queries(
            run, self.query_ptr, self.y, self.gain, score, weight, self.ideal, self.discount, self.order,
            self.truncation, frame.norm, frame.params, gradient, hessian, n_jobs=self.n_jobs,
        )  # fmt: skip

    def _one_query(self, q: int, score: npt.NDArray[Any]) -> tuple[Vector, Vector, float]:
        """Return gradient, hessian and loss of query `q`: the definition."""
        frame, at = self.frame, slice(self.query_ptr[q], self.query_ptr[q + 1])
        order = np.argsort(-score, kind="stable")
        s, y, gain = score[order], self.y[at][order], self.gain[at][order]
        w = np.ones(len(s)) if self.weight is None else self.weight[at][order]
        a, b = np.zeros(len(s)), np.zeros(len(s))
        c = frame.weight.prepare(y, gain, self.discount, self.ideal[q], a, b)
        scaled = frame.norm and s[0] != s[-1]
        g, h, value = np.zeros(len(s)), np.zeros(len(s)), 0.0
        for i, j in pair_blocks(len(s), self.truncation):
            sign = np.sign(y[i] - y[j]) * (i < j)
            d = sign * (s[i] - s[j])
            with np.errstate(over="ignore"):
                phi, d1, d2 = frame.phi(d, *frame.params)
            worth = np.abs(sign) * w[i] * w[j] * frame.weight.delta(i, j, y[i], y[j], a[i], a[j], b[i], b[j], c)
            if scaled:
                worth = worth / (0.01 + np.abs(d))
            g[i[:, 0]] += (worth * sign * d1).sum(axis=1)
            g -= (worth * sign * d1).sum(axis=0)
            h[i[:, 0]] += (worth * d2).sum(axis=1)
            h += (worth * d2).sum(axis=0)
            value += float((worth * phi).sum())
        if frame.norm:
            total = self._total_lambda(s, y, w, a, b, c, scaled)
            factor = np.log2(1 + total) / total if total > 0 else 1.0
            g, h = g * factor, h * factor
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return g[back], h[back], value

    def _total_lambda(self, s: Vector, y: Vector, w: Vector, a: Vector, b: Vector, c: float, scaled: bool) -> float:
        frame, total = self.frame, 0.0
        for i, j in pair_blocks(len(s), self.truncation):
            sign = np.sign(y[i] - y[j]) * (i < j)
            d = sign * (s[i] - s[j])
            with np.errstate(over="ignore"):
                d1 = frame.phi(d, *frame.params)[1]
            worth = np.abs(sign) * w[i] * w[j] * frame.weight.delta(i, j, y[i], y[j], a[i], a[j], b[i], b[j], c)
            total += float(2 * np.abs(worth * d1 / (0.01 + np.abs(d) if scaled else 1.0)).sum())
        return total


def pair_blocks(n: int, truncation: int) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Yield the ranks i (as a column) and j (as a row) of the pair matrix in blocks of rows."""
    rows = max(1, PAIRS_AT_ONCE // n)
    ranks, last = np.arange(n), min(truncation, n - 1)
    for start in range(0, last, rows):
        yield ranks[start : min(start + rows, last), None], ranks[None, :]


def require_pairs(y: Vector, query_ptr: npt.NDArray[np.int64]) -> None:
    """Raise a `DataError` that says why, if no query has two documents with different labels."""
    if not np.any(np.maximum.reduceat(y, query_ptr[:-1]) != np.minimum.reduceat(y, query_ptr[:-1])):
        single = int((np.diff(query_ptr) == 1).sum())
        raise DataError(
            f"nothing to learn: none of the {len(query_ptr) - 1} queries has two documents with different labels "
            f"({single} queries have one document only). Check that `qid` names queries, not documents, and the labels."
        )


@kernel
def rank(score: Any, order: Any, key: Any, row: Any, spare_key: Any, spare_row: Any) -> None:
    """Put the rows of one query, best first and ties in row order, in `row` and in `order`, which is a first guess."""
    n = len(score)
    for i in range(n):
        row[i] = order[i]
        key[i] = -score[row[i]]
    sort_pairs(n, key, row, spare_key, spare_row)
    start = 0
    while start < n:
        end, rising = start + 1, True
        while end < n and key[end] == key[start]:
            rising = rising and row[end] > row[end - 1]
            end += 1
        if not rising:
            for i in range(start, end):
                key[i] = row[i]
            sort_pairs(end - start, key[start:end], row[start:end], spare_key, spare_row)
        start = end
    order[:] = row[:n]


@functools.lru_cache(maxsize=256)
def compile_pairs(phi: Phi, weight: LambdaWeight) -> Callable[..., None]:
    """Return a compiled loop over queries and pairs for one loss and one weight."""
    loss, prepare, delta, ranked = inlined(phi), inlined(weight.prepare), inlined(weight.delta), weight.ranked

    def pass_over(
        first: int, last: int, query_ptr: Any, y: Any, gain: Any, score: Any, weight: Any, ideal: Any, discount: Any,
        order: Any, truncation: int, norm: bool, params: Any, gradient: Any, hessian: Any,
    ) -> None:  # fmt: skip
        size = 0
        for q in range(first, last):
            size = max(size, query_ptr[q + 1] - query_ptr[q])
        key, spare_key, row, spare_row = np.empty(size), np.empty(size), np.arange(size), np.empty(size, np.int64)
        s_, y_, gain_, w_, a, b = (
            np.empty(size), np.empty(size), np.empty(size), np.ones(size), np.empty(size), np.empty(size),
        )  # fmt: skip
        g, h = np.empty(size), np.empty(size)
        for q in range(first, last):
            start, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
            if ranked or norm or truncation < n:
                rank(score[start : start + n], order[start : start + n], key, row, spare_key, spare_row)
            for i in range(n):
                at = start + row[i]
                s_[i], y_[i], gain_[i] = score[at], y[at], gain[at]
                g[i] = h[i] = 0.0
                if len(weight) > 0:
                    w_[i] = weight[at]
            c = prepare(y_[:n], gain_[:n], discount, ideal[q], a, b)
            scaled = norm and s_[0] != s_[n - 1]
            total = 0.0
            for i in range(min(truncation, n - 1)):
                for j in range(i + 1, n):
                    if y_[i] == y_[j]:
                        continue
                    sign = 1.0 if y_[i] > y_[j] else -1.0
                    d = sign * (s_[i] - s_[j])
                    _, d1, d2 = loss(d, *params)
                    worth = delta(i, j, y_[i], y_[j], a[i], a[j], b[i], b[j], c) * w_[i] * w_[j]
                    if scaled:
                        worth /= 0.01 + abs(d)
                    d1 *= worth
                    d2 *= worth
                    g[i] += sign * d1
                    g[j] -= sign * d1
                    h[i] += d2
                    h[j] += d2
                    total += 2.0 * abs(d1)
            factor = np.log2(1.0 + total) / total if norm and total > 0.0 else 1.0
            for i in range(n):
                gradient[start + row[i]] = g[i] * factor
                hessian[start + row[i]] = h[i] * factor

    return specialised(pass_over)
