"""What each task counts in a value model: its NDCG gap, or its regret, with hard ranks and with smooth ones.

The *gap* of a task is 1 - NDCG@k of the ranking without it, the full score as gain: how much the order suffers when
the task is left out.  The *regret* of a task is 1 - NDCG@k of the full ranking, the task's own predictions as gain:
how much the task suffers from the others.  Fractions are a task's share in the sum over tasks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_choice, check_whole
from .._compile import over_queries
from ..data import RankingData
from ..metrics import Measure, measure
from ..metrics._ranking import ALL, ideal_dcg
from . import _smooth as kernels
from ._value_model import ValueModel

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
KINDS, GAINS = ("gap", "regret"), ("value", "above_lowest")
BLOCK = 64  # queries
TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Problem:
    """Predictions as they enter a value model, of queries with two documents or more.

    terms : (n_documents, n_tasks), what is weighed and summed: predictions, or their logarithms.
    gain : (n_documents, n_tasks), what a document is worth to each task.
    share : (n_queries,), what each query counts in means.
    covariance : (n_tasks, n_tasks), of the terms within queries, averaged over queries.
    query_ids : (n_queries,)
    single : how many queries of one document were left out.
    """

    tasks: tuple[str, ...]
    terms: Matrix
    gain: Matrix
    query_ptr: IntArray
    share: Vector
    ideal: Matrix
    covariance: Matrix
    query_ids: Any
    single: int
    product: bool
    above_lowest: bool
    k: int | None
    n_jobs: int | None

    @classmethod
    def of(cls, model: ValueModel, scores: RankingData, k: int | None, gain: str, n_jobs: int | None) -> Problem:
        """Return the problem of a model and its predictions; see `gbrank.target_weights` for what is refused."""
        check_choice("gain", gain, GAINS)
        if not isinstance(scores, RankingData):
            raise DataError(f"scores: give a RankingData with a feature for each task, not {type(scores).__name__}.")
        if k is not None:
            check_whole("k", k)
        if len(model.tasks) < 2:
            raise ParameterError(f"weights: {model.tasks[0]!r} is the only task; shares need two or more.")
        if scores.sample_weight is not None:
            raise DataError("sample_weight: a document's weight has no meaning in a ranking; give query_weight.")
        several = np.diff(scores.query_ptr) > 1
        single = int((~several).sum())
        if single == len(several):
            raise DataError("scores: every query has one document, so there is nothing to rank; give longer lists.")
        p = model.predictions(scores)
        if single:
            p = p[np.repeat(several, np.diff(scores.query_ptr))]
            scores = scores.take(several)
        ptr = scores.query_ptr
        worth = p
        if gain == "above_lowest":
            worth = p - np.repeat(np.minimum.reduceat(p, ptr[:-1]), np.diff(ptr), axis=0)
        elif p.min() < 0:
            row, column = np.argwhere(p < 0)[0]
            raise DataError(
                f"task {model.tasks[column]!r}: row {row} is {p[row, column]:g} once transformed, and a gain of NDCG "
                "cannot be negative; choose transforms that keep it from 0 on (min_max, rank, sigmoid), or "
                "gain='above_lowest'."
            )
        terms = np.log(p) if model.form == "product" else p
        share = np.ones(len(ptr) - 1) if scores.query_weight is None else scores.query_weight
        return cls(
            tasks=model.tasks,
            terms=_own(terms),
            gain=_own(worth),
            query_ptr=ptr,
            share=_own(share),
            ideal=_ideal(worth, ptr, k, n_jobs),
            covariance=_covariance(model.tasks, terms, ptr, share),
            query_ids=scores.query_ids,
            single=single,
            product=model.form == "product",
            above_lowest=gain == "above_lowest",
            k=k,
            n_jobs=n_jobs,
        )

    @property
    def spread(self) -> Vector:
        """The standard deviation of each task's terms within queries."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def n_queries(self) -> int:
        """How many queries count."""
        return len(self.share)

    @property
    def measure(self) -> Measure:
        """The NDCG that gaps and regrets are made of."""
        return measure("ndcg" if self.k is None else f"ndcg@{self.k}", gain="linear")

    def total(self, weights: Vector) -> Vector:
        """Return the weighted sum of the terms; documents with equal terms get equal sums."""
        total = np.zeros(len(self.terms))
        for t in map(int, np.flatnonzero(weights)):
            total += weights[t] * self.terms[:, t]
        return total

    def value(self, weights: Vector) -> Vector:
        """Return the score of each document as a gain."""
        value, sizes = self.total(weights), np.diff(self.query_ptr)
        if self.product:  # NDCG does not change with the unit of the gain
            value = np.exp(value - np.repeat(np.maximum.reduceat(value, self.query_ptr[:-1]), sizes))
        if self.above_lowest:
            value = value - np.repeat(np.minimum.reduceat(value, self.query_ptr[:-1]), sizes)
        return value

    def hard(self, weights: Vector, by: str) -> Matrix:
        """Return the gap or regret of each task in each query; NaN where nothing has a gain."""
        if by == "regret":
            return self.regrets(weights, range(len(weights)))
        ndcg, out, base = self.measure, np.zeros((self.n_queries, len(weights))), self.value(weights)
        for t in map(int, np.flatnonzero(weights)):
            out[:, t] = 1 - ndcg(base, self.total(_without(weights, t)), self.query_ptr, n_jobs=self.n_jobs)
        out[np.isnan(out).any(axis=1)] = np.nan
        return out

    def regrets(self, weights: Vector, tasks: Iterable[int]) -> Matrix:
        """Return the regret of some tasks in each query; NaN where nothing has a gain."""
        ndcg, score = self.measure, self.total(weights)
        columns = [1 - ndcg(self.gain[:, t], score, self.query_ptr, n_jobs=self.n_jobs) for t in tasks]
        return np.stack(columns, axis=1)

    def mean(self, values: Matrix) -> Vector:
        """Return the weighted mean over the queries that are not skipped."""
        there = ~np.isnan(values)
        return np.asarray((np.where(there, values, 0).T @ self.share) / np.maximum(there.T @ self.share, TINY))

    def deviation(self, weights: Vector) -> float:
        """Return the standard deviation of the scores within queries: the unit of temperatures."""
        largest = float((weights * self.spread).max())
        variance = float(weights @ self.covariance @ weights)
        return max(float(np.sqrt(max(variance, 0.0))), 1e-9 * largest, TINY)

    def smooth(self, weights: Vector, by: str, temperature: float) -> tuple[Vector, Matrix]:
        """Return the means over queries with smooth ranks, and their slopes in the weights.

        Parameters
        ----------
        temperature : float
            In units of the scores, see `deviation`.

        Returns
        -------
        (n_tasks,), and (n_tasks, n_tasks) by task and weight
        """
        n, k = len(weights), np.inf if self.k is None else float(self.k)
        blocks = np.append(np.arange(0, self.n_queries, BLOCK), self.n_queries)
        total, slopes = np.zeros((len(blocks) - 1, n)), np.zeros((len(blocks) - 1, n, n))
        counted = np.zeros((len(blocks) - 1, n))
        common = (blocks, self.query_ptr, self.terms, self.share, weights, k, temperature)
        gaps = by == "gap"
        run, more = (_gaps, (self.product, self.above_lowest)) if gaps else (_regrets, (self.gain, self.ideal))
        documents = self.query_ptr[blocks]  # by which threads get about equal parts
        over_queries(run, documents, *common, *more, total, slopes, counted, n_jobs=self.n_jobs)
        count = np.maximum(counted.sum(axis=0), TINY)
        return total.sum(axis=0) / count, slopes.sum(axis=0) / count[:, None]


def _gaps(first: int, last: int, documents: IntArray, *args: Any) -> None:
    kernels.smooth_gaps(first, last, *args)


def _regrets(first: int, last: int, documents: IntArray, *args: Any) -> None:
    kernels.smooth_regrets(first, last, *args)


def fractions(means: Vector) -> Vector:
    """Return each task's share in the sum; equal shares of a sum of 0."""
    total = means.sum()
    return np.asarray(means / total) if total > 0 else np.full(len(means), 1 / len(means))


def fraction_slopes(means: Vector, slopes: Matrix) -> Matrix:
    """Return the slopes of the fractions, from those of the means."""
    total = means.sum()
    if total <= 0:
        return np.zeros_like(slopes)
    return np.asarray((slopes - np.outer(means / total, slopes.sum(axis=0))) / total)


def _own(array: Any) -> Any:
    """Return a writeable array: kernels are compiled once more for read-only ones."""
    return np.require(array, np.float64, ["C", "W"])


def _without(weights: Vector, task: int) -> Vector:
    rest = weights.copy()
    rest[task] = 0.0
    return rest


def _ideal(gain: Matrix, query_ptr: IntArray, k: int | None, n_jobs: int | None) -> Matrix:
    out = np.empty((len(query_ptr) - 1, gain.shape[1]))
    discount = 1 / np.log2(np.arange(2, np.diff(query_ptr).max() + 2))
    for t in range(gain.shape[1]):
        column, ideal = np.ascontiguousarray(gain[:, t]), np.empty(len(out))
        over_queries(ideal_dcg, query_ptr, column, ALL if k is None else k, discount, ideal, n_jobs=n_jobs)
        out[:, t] = ideal
    return out


def _covariance(tasks: tuple[str, ...], terms: Matrix, query_ptr: IntArray, share: Vector) -> Matrix:
    """Return the mean over queries of the covariance within them.

    Raises
    ------
    DataError
        A task is constant in every query.
    """
    sizes = np.diff(query_ptr)
    lowest, highest = (each.reduceat(terms, query_ptr[:-1]) for each in (np.minimum, np.maximum))
    moving = ((lowest < highest) & (share[:, None] > 0)).any(axis=0)
    if not moving.all():
        raise DataError(
            f"task {tasks[int(np.argmin(moving))]!r}: its predictions are constant in every query, so it moves no "
            "document and no weight can give it a share; leave the task out, or correct its predictions."
        )
    centred = terms - np.repeat(np.add.reduceat(terms, query_ptr[:-1]) / sizes[:, None], sizes, axis=0)
    counts = np.repeat(share / sizes, sizes)
    return np.asarray((centred * counts[:, None]).T @ centred / share.sum())
