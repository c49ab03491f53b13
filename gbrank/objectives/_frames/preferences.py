"""Pairs that were observed, instead of pairs made from labels."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._checks import DataError, IntArray
from ..._compile import fixed_tuple, kernel_with, over_queries
from .._base import HESSIAN_FLOOR, Bound, Gradients, Labelled, Vector, check_engine


class Preferences(NamedTuple):
    """Pairs of rows, the preferred first, in the order of their queries."""

    better: IntArray
    worse: IntArray
    weight: Vector
    pair_ptr: IntArray
    """Query q has the pairs ``pair_ptr[q]:pair_ptr[q + 1]``."""


def given_pairs(data: Labelled) -> Preferences:
    """Return the pairs of `data` with their weights, those of documents and queries included."""
    pairs = getattr(data, "pairs", None)
    if pairs is None or len(pairs) == 0:
        raise DataError("pairs='given': the data hold no pairs; give fit or RankingData pairs=[(better, worse), ...].")
    better, worse = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    query = np.searchsorted(data.query_ptr, better, side="right") - 1
    given = getattr(data, "pair_weight", None)
    weight = np.ones(len(better)) if given is None else given.copy()
    if data.sample_weight is not None:
        weight *= data.sample_weight[better] * data.sample_weight[worse]
    if data.query_weight is not None:
        weight *= data.query_weight[query]
    return Preferences(better, worse, weight, np.searchsorted(query, np.arange(len(data.query_ptr))))


class PreferenceBound(Bound):
    """A loss of margins on given pairs."""

    def __init__(
        self, phi: Callable[..., Any], params: tuple[float, ...], pairs: Preferences, hessian_factor: float,
        data: Labelled, engine: str, n_jobs: int | None,
    ) -> None:  # fmt: skip
        check_engine(engine)
        self.phi, self.params, self.pairs, self.hessian_factor, self.n_jobs = phi, params, pairs, hessian_factor, n_jobs
        self.query_ptr = data.query_ptr
        self.kernel = compile_preferences(phi, len(params)) if engine == "compiled" else None

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        score = np.ascontiguousarray(score, dtype=np.float64)
        better, worse, weight, pair_ptr = self.pairs
        gradient, hessian = np.zeros(len(score)), np.zeros(len(score))
        if self.kernel is None:
            with np.errstate(over="ignore"):
                _, d1, d2 = self.phi(score[better] - score[worse], *self.params)
            for rows, sign in ((better, 1.0), (worse, -1.0)):
                gradient += sign * np.bincount(rows, weight * d1, len(score))
                hessian += np.bincount(rows, weight * d2, len(score))
        else:
            over_queries(
                self.kernel, self.query_ptr, pair_ptr, better, worse, weight, score, np.array(self.params), gradient,
                hessian, n_jobs=self.n_jobs,
            )  # fmt: skip
        hessian *= self.hessian_factor
        return gradient, np.maximum(hessian, HESSIAN_FLOOR * np.abs(gradient))

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        better, worse, weight, pair_ptr = self.pairs
        with np.errstate(over="ignore"):
            value = weight * self.phi(score[better] - score[worse], *self.params)[0]
        total = np.concatenate(([0.0], np.cumsum(value)))
        return np.asarray(total[pair_ptr[1:]] - total[pair_ptr[:-1]])


def _phi(*args: Any) -> Any:  # the place in the template below that a loss is put into
    raise NotImplementedError


N_PARAMS = 0


def _pairs_of_queries(
    first: int, last: int, query_ptr: Any, pair_ptr: Any, better: Any, worse: Any, weight: Any, score: Any, params: Any,
    gradient: Any, hessian: Any,
) -> None:  # fmt: skip
    """Add up the given pairs of each query."""
    own = fixed_tuple(params, N_PARAMS)
    for p in range(pair_ptr[first], pair_ptr[last]):
        i, j = better[p], worse[p]
        _, d1, d2 = _phi(score[i] - score[j], *own)
        d1 *= weight[p]
        d2 *= weight[p]
        gradient[i] += d1
        gradient[j] -= d1
        hessian[i] += d2
        hessian[j] += d2


@functools.lru_cache(maxsize=64)
def compile_preferences(phi: Callable[..., Any], n_params: int) -> Callable[..., None]:
    """Return a compiled loop over the given pairs of whole queries."""
    return kernel_with(_pairs_of_queries, _phi=phi, N_PARAMS=n_params)
