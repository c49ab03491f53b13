"""The frame of losses of whole lists: one query's documents together.

A list loss is a plain NumPy function of one list that returns its value, gradient and hessian::

    def loss(s, gain, discount, w, ideal, seed, *params) -> (value, gradient, hessian)

with the documents in rank order where the loss depends on ranks, else in row order:

s : scores, shape (n,)
gain : what each document is worth, by its label
discount : of each document's rank
w : document weights
ideal : a number of the query, as its best DCG
seed : of the list's random numbers in this round, see `_frames.noise.uniform`
params : the objective's parameters, as numbers

The numpy engine calls it for each query; the compiled engine compiles the same function, or a `kernel` that is faster
or compiles sooner, into a loop over queries.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._checks import IntArray
from ..._compile import fixed_tuple, kernel, list_pointer, over_queries, plain
from .._base import HESSIAN_FLOOR, Bound, Gradients, Labelled, Vector, check_engine
from .noise import mixed, stream
from .ranking import Ranking, RankOptions

ListFunction = Callable[..., tuple[float, Vector, Vector]]

LIST = "float64[::1]"
SIGNATURE = f"void({LIST}, {LIST}, {LIST}, {LIST}, float64, int64, {LIST}, {LIST}, {LIST})"

LN2 = 0.6931471805599453

LEAST_BUFFER = 128
"""Least length of an array that a kernel writes to.

Loops over arrays that lie near each other are run number by number, and then add up in another order: the result would
depend on where the arrays happen to be.
"""


class ListLoss(NamedTuple):
    """A loss of lists: the definition, and how it is compiled.

    `kernel` makes the pointer (`_compile.list_pointer`) to a function of `SIGNATURE`, which is given the arguments of
    the definition, the parameters as one array, and the arrays to write gradient and hessian to; by default the
    definition itself is compiled.
    """

    definition: ListFunction
    ranked: bool = False
    kernel: Callable[[], Any] | None = None


@dataclass(frozen=True)
class ListTargets:
    """What a list loss learns from: one number a document, one a query, and one a rank (by default NDCG's discount).

    With `query_norm`, a query's gradient and hessian are normalised, see `_frames.stabilisers.QueryNormed`.
    """

    gain: Vector
    ideal: Vector
    options: RankOptions = field(default_factory=RankOptions)
    hessian_factor: float = 1.0
    discount: Vector | None = None
    query_norm: bool = False


class ListBound(Bound):
    """A list loss tied to labels."""

    def __init__(
        self, loss: ListLoss, params: tuple[float, ...], targets: ListTargets, data: Labelled, engine: str,
        n_jobs: int | None,
    ) -> None:  # fmt: skip
        check_engine(engine)
        self.list_loss, self.targets, self.engine, self.n_jobs = loss, targets, engine, n_jobs
        self.params = np.array(params, dtype=np.float64)
        self.gain, self.ideal = np.ascontiguousarray(targets.gain), targets.ideal
        self.query_ptr: IntArray = data.query_ptr
        sizes = np.diff(data.query_ptr)
        self.weight = data.sample_weight
        self.query_weight = None if data.query_weight is None else np.repeat(data.query_weight, sizes)
        self.discount = 1 / np.log2(np.arange(2, sizes.max() + 2)) if targets.discount is None else targets.discount
        self.ranking = Ranking(data.query_ptr, targets.options, engine, n_jobs, targets.discount)
        self.pointer = None if engine == "numpy" else self.compiled()

    def compiled(self) -> Any:
        """Return the pointer to the compiled loss."""
        loss = self.list_loss
        return loss.kernel() if loss.kernel else compile_list(loss.definition, len(self.params))

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        score = np.ascontiguousarray(score, dtype=np.float64)
        if self.list_loss.ranked:
            self.ranking.update(score, round)
        gradient, hessian = np.empty(len(score)), np.empty(len(score))
        seed = mixed(self.targets.options.seed, round)
        if self.engine == "numpy":
            self._define(score, seed, gradient, hessian)
        else:
            weight = np.empty(0) if self.weight is None else self.weight
            self._compute(score, seed, weight, gradient, hessian)
        if self.targets.query_norm:
            normalise(self.query_ptr, gradient, hessian)
        if self.targets.hessian_factor != 1:
            hessian *= self.targets.hessian_factor
        np.maximum(hessian, HESSIAN_FLOOR * np.abs(gradient), out=hessian)
        if self.query_weight is not None:
            gradient *= self.query_weight
            hessian *= self.query_weight
        return gradient, hessian

    def _compute(self, score: Vector, seed: int, weight: Vector, gradient: Vector, hessian: Vector) -> None:
        """Call the compiled loss on each list; write gradient and hessian."""
        over_queries(
            each_list, self.query_ptr, self.pointer, score, self.ranking.rows, self.gain, weight, self.discount,
            self.ranking.smooth_discount, self.ideal, seed, self.params, gradient, hessian, n_jobs=self.n_jobs,
        )  # fmt: skip

    def loss(self, score: npt.NDArray[Any], round: int = 0) -> Vector:
        """Return the loss of each query, with the ranks and draws of `round`."""
        score = np.ascontiguousarray(score, dtype=np.float64)
        ranking = self.ranking
        if self.list_loss.ranked:
            ranking = Ranking(self.query_ptr, self.targets.options, "numpy", None, self.targets.discount)
            ranking.update(score, round)
        value = self._define(score, mixed(self.targets.options.seed, round), ranking=ranking)
        return value if self.query_weight is None else value * self.query_weight[self.query_ptr[:-1]]

    def _define(
        self, score: Vector, seed: int, gradient: Vector | None = None, hessian: Vector | None = None,
        ranking: Ranking | None = None,
    ) -> Vector:  # fmt: skip
        """Call the definition on each list; write gradient and hessian, and return the values."""
        ranking = ranking or self.ranking
        value = np.empty(len(self.ideal))
        w = np.ones(len(score)) if self.weight is None else self.weight
        for q in range(len(self.ideal)):
            a, b = self.query_ptr[q], self.query_ptr[q + 1]
            rows = ranking.rows[a:b]
            discount = ranking.smooth_discount[a:b] if len(ranking.smooth_discount) else self.discount[: b - a]
            with np.errstate(over="ignore", under="ignore"):
                value[q], g, h = self._define_rows(
                    rows, score[rows], self.gain[rows], discount, w[rows], self.ideal[q], int(stream(seed, q)),
                    *self.params,
                )  # fmt: skip
            if gradient is not None and hessian is not None:
                gradient[rows], hessian[rows] = g, h
        return value

    def _define_rows(self, rows: IntArray, *args: Any) -> tuple[float, Vector, Vector]:
        """Call the definition on the list of these rows."""
        return self.list_loss.definition(*args)


@kernel
def norm_factor(total: float) -> float:
    """Return log2(1 + S) / S of the sum S of a query's absolute gradients; of 0, the limit."""
    some = max(total, 1e-300)
    return float(np.log1p(some)) / some / LN2


@kernel
def normalise(query_ptr: Any, gradient: Any, hessian: Any) -> None:
    """Multiply the gradient and hessian of each query by `norm_factor`."""
    for q in range(len(query_ptr) - 1):
        total = 0.0
        for i in range(query_ptr[q], query_ptr[q + 1]):
            total += abs(gradient[i])
        factor = norm_factor(total)
        for i in range(query_ptr[q], query_ptr[q + 1]):
            gradient[i] *= factor
            hessian[i] *= factor


@kernel
def differ(s: Any) -> bool:
    """Tell whether any two of the scores differ."""
    others = 0
    for i in range(len(s)):
        others += s[i] != s[0]
    return others > 0


@kernel
def each_list(
    first: int, last: int, query_ptr: Any, of_list: Any, score: Any, rows: Any, gain: Any, weight: Any, discount: Any,
    smooth_discount: Any, ideal: Any, seed: int, params: Any, gradient: Any, hessian: Any,
) -> None:  # fmt: skip
    """Hand each query's documents, in the order of `rows`, to `of_list`, and put its answer back in its rows."""
    size = LEAST_BUFFER
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    s, worth, w, g, h = np.empty(size), np.empty(size), np.ones(size), np.empty(size), np.empty(size)
    for q in range(first, last):
        start, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
        for i in range(n):
            at = rows[start + i]
            s[i], worth[i] = score[at], gain[at]
            if len(weight) > 0:
                w[i] = weight[at]
            g[i] = h[i] = 0.0
        places = smooth_discount[start : start + n] if len(smooth_discount) > 0 else discount[:n]
        of_list(s[:n], worth[:n], places, w[:n], ideal[q], stream(seed, q), params, g[:n], h[:n])
        for i in range(n):
            at = rows[start + i]
            gradient[at], hessian[at] = g[i], h[i]


def _loss(*args: Any) -> Any:  # the place in the template below that a loss is put into
    raise NotImplementedError


N_PARAMS = 0


def _whole_list(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    _, gradient, hessian = _loss(s, gain, discount, w, ideal, seed, *fixed_tuple(params, N_PARAMS))
    for i in range(len(s)):  # an assignment of slices takes seconds to compile, for its error message alone
        g[i], h[i] = gradient[i], hessian[i]


@functools.lru_cache(maxsize=256)
def compile_list(definition: ListFunction, n_params: int) -> Any:
    """Return the pointer to a definition, compiled as it stands."""
    return list_pointer(_whole_list, SIGNATURE, fast=True, compile=plain, _loss=definition, N_PARAMS=n_params)
