"""Calibration: whether scores are what they promise, a probability of relevance or an expected grade.

All functions share these arguments.  `relevant_from` says what a score is held against: a number makes the target 1
where the label is at least that number and 0 elsewhere, and scores must lie from 0 to 1; with None the target is the
label itself and the score an expected grade.  Documents are pooled: each counts by its `sample_weight`, 1 by default
(1 / size of its query lets every query count the same).  With `query_ptr` there is one value for each query instead.

Bins: ``bins="width"`` are `n_bins` of the same width, from 0 to 1, or, for grades, from the lowest to the highest
score; ``bins="mass"`` are between the quantiles of all scores, so that each has about the same weight.  A score on an
edge belongs to the lower bin; equal scores are never parted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import xlog1py, xlogy

from .._checks import DataError, IntArray, ParameterError, as_vector, as_weights, check_choice, check_whole
from .._groups import check_query_ptr
from ._resampling import Vector


def reliability_curve(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    relevant_from: float | None = 1.0,
    n_bins: int = 10,
    bins: str = "width",
    sample_weight: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Return the mean target against the mean score, bin by bin.

    Parameters
    ----------
    y, score : array-like of shape (n_documents,)
    relevant_from, n_bins, bins, sample_weight
        See the module.

    Returns
    -------
    DataFrame of shape (n_bins, 6)
        Columns low and high (ends of the bin), score and target (weighted means; NaN where a bin is empty), documents
        and weight.

    Raises
    ------
    DataError
        Lengths differ, a number is not finite, or a score is no probability where one is needed.
    ParameterError
        `bins`, `n_bins` or `relevant_from` is none of the above.

    Examples
    --------
    >>> reliability_curve([0, 1, 2, 0], [0.2, 0.4, 0.9, 0.7], n_bins=2)
       low  high  score  target  documents  weight
    0  0.0   0.5    0.3     0.5          2     2.0
    1  0.5   1.0    0.8     0.5          2     2.0
    """
    given = Scored.read(y, score, relevant_from, sample_weight)
    edges = given.edges(n_bins, bins)
    place = given.places(n_bins, bins)
    weight, by_score, by_target = given.sums(place, n_bins)
    with np.errstate(invalid="ignore"):
        columns = {"low": edges[:-1], "high": edges[1:], "score": by_score / weight, "target": by_target / weight}
    return pd.DataFrame(columns | {"documents": np.bincount(place, minlength=n_bins), "weight": weight})


@overload
def expected_calibration_error(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: None = None,
    *,
    relevant_from: float | None = 1.0,
    n_bins: int = 10,
    bins: str = "width",
    sample_weight: npt.ArrayLike | None = None,
) -> float: ...
@overload
def expected_calibration_error(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    *,
    relevant_from: float | None = 1.0,
    n_bins: int = 10,
    bins: str = "width",
    sample_weight: npt.ArrayLike | None = None,
) -> Vector: ...
def expected_calibration_error(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike | None = None,
    *,
    relevant_from: float | None = 1.0,
    n_bins: int = 10,
    bins: str = "width",
    sample_weight: npt.ArrayLike | None = None,
) -> float | Vector:
    """Return the sum over bins of weight x |mean target - mean score|, divided by all weight.

    Parameters
    ----------
    y, score : array-like of shape (n_documents,)
    query_ptr : array-like of int of shape (n_queries + 1,), optional
        For one value for each query.  The bins are those of all documents; with few documents in a bin the value is
        too high even for a perfect score, so compare queries of like size only.
    relevant_from, n_bins, bins, sample_weight
        See the module.

    Returns
    -------
    float, or array of shape (n_queries,)
        NaN for a query without weight.

    Raises
    ------
    DataError, ParameterError
        As `reliability_curve`.

    References
    ----------
    Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.

    Examples
    --------
    >>> round(expected_calibration_error([0, 1, 2, 0], [0.2, 0.4, 0.9, 0.7], n_bins=2), 6)  # (0.2 + 0.3) / 2
    0.25
    """
    given = Scored.read(y, score, relevant_from, sample_weight)
    place = given.places(n_bins, bins)
    queries, n_queries = given.queries(query_ptr)
    weight, by_score, by_target = (
        each.reshape(n_queries, n_bins) for each in given.sums(queries * n_bins + place, n_queries * n_bins)
    )
    return _by_weight(np.abs(by_target - by_score).sum(axis=1), weight.sum(axis=1), query_ptr)


@overload
def brier_score(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: None = None,
    *,
    relevant_from: float | None = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> float: ...
@overload
def brier_score(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    *,
    relevant_from: float | None = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> Vector: ...
def brier_score(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike | None = None,
    *,
    relevant_from: float | None = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> float | Vector:
    """Return the weighted mean of (score - target)^2.

    Parameters
    ----------
    y, score : array-like of shape (n_documents,)
    query_ptr : array-like of int of shape (n_queries + 1,), optional
        For one value for each query.
    relevant_from, sample_weight
        See the module.

    Returns
    -------
    float, or array of shape (n_queries,)
        NaN for a query without weight.

    Raises
    ------
    DataError, ParameterError
        As `reliability_curve`.

    References
    ----------
    Brier, Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 78 (1950).

    Examples
    --------
    >>> brier_score([0, 2], [0.5, 1.0])
    0.125
    >>> brier_score([0, 2], [0.5, 1.0], [0, 1, 2], relevant_from=None).tolist()  # expected grades, query by query
    [0.25, 1.0]
    """
    given = Scored.read(y, score, relevant_from, sample_weight)
    queries, n_queries = given.queries(query_ptr)
    weight, _, _ = given.sums(queries, n_queries)
    square = np.bincount(queries, given.weight * np.square(given.score - given.target), n_queries)
    return _by_weight(np.asarray(square, np.float64), weight, query_ptr)


@overload
def log_loss(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: None = None,
    *,
    relevant_from: float | None = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> float: ...
@overload
def log_loss(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    *,
    relevant_from: float | None = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> Vector: ...
def log_loss(
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike | None = None,
    *,
    relevant_from: float | None = 1.0,
    sample_weight: npt.ArrayLike | None = None,
) -> float | Vector:
    """Return the weighted mean of -target ln(score) - (1 - target) ln(1 - score).

    It is infinite where a document has what was given probability 0.

    Parameters
    ----------
    y, score : array-like of shape (n_documents,)
    query_ptr : array-like of int of shape (n_queries + 1,), optional
        For one value for each query.
    relevant_from, sample_weight
        See the module; with None, labels must be probabilities from 0 to 1, too.

    Returns
    -------
    float, or array of shape (n_queries,)
        NaN for a query without weight.

    Raises
    ------
    DataError, ParameterError
        As `reliability_curve`; labels or scores that are no probabilities.

    Examples
    --------
    >>> round(log_loss([0, 2], [0.5, 1.0]), 6)  # ln(2) / 2
    0.346574
    """
    given = Scored.read(y, score, relevant_from, sample_weight)
    if relevant_from is None:
        require_probabilities("y", given.target, "give relevant_from, the label that relevance begins with")
        require_probabilities("score", given.score, "calibrate the scores first")
    queries, n_queries = given.queries(query_ptr)
    weight, _, _ = given.sums(queries, n_queries)
    loss = -xlogy(given.target, given.score) - xlog1py(1 - given.target, -given.score)
    counted = given.weight > 0  # 0 times infinity is no number
    total = np.bincount(queries[counted], given.weight[counted] * loss[counted], n_queries)
    return _by_weight(np.asarray(total, np.float64), weight, query_ptr)


@dataclass(frozen=True)
class Scored:
    """Targets, scores and weights that were checked."""

    target: Vector
    score: Vector
    weight: Vector
    binary: bool

    @classmethod
    def read(
        cls, y: npt.ArrayLike, score: npt.ArrayLike, relevant_from: float | None, sample_weight: npt.ArrayLike | None
    ) -> Scored:
        labels = as_vector("y", y)
        scores = as_vector("score", score, length=len(labels))
        if not len(labels):
            raise DataError("y: there are no documents; give at least one.")
        weights = np.ones(len(labels))
        if sample_weight is not None:
            weights = as_weights("sample_weight", sample_weight, len(labels))
        if relevant_from is None:
            return cls(labels, scores, weights, False)
        if isinstance(relevant_from, bool | str) or not np.isfinite(relevant_from):
            raise ParameterError(f"relevant_from={relevant_from!r}: must be a finite number, or None for grades.")
        remedy = "calibrate the scores first, or give relevant_from=None where they are expected grades"
        require_probabilities("score", scores, remedy)
        return cls((labels >= relevant_from).astype(np.float64), scores, weights, True)

    def edges(self, n_bins: int, bins: str) -> Vector:
        """Return the ends of the bins."""
        check_whole("n_bins", n_bins)
        check_choice("bins", bins, ("width", "mass"))
        if bins == "mass":
            shares = np.arange(n_bins + 1) / n_bins
            return np.asarray(np.quantile(self.score, shares, weights=self.weight, method="inverted_cdf"))
        low, high = (0.0, 1.0) if self.binary else (self.score.min(), self.score.max())
        return np.linspace(low, high, n_bins + 1)

    def places(self, n_bins: int, bins: str) -> IntArray:
        """Return the number of each document's bin."""
        return np.searchsorted(self.edges(n_bins, bins)[1:-1], self.score)

    def sums(self, place: IntArray, n: int) -> tuple[Vector, Vector, Vector]:
        """Return weight, weighted score and weighted target of each place."""
        parts = (self.weight, self.weight * self.score, self.weight * self.target)
        weight, score, target = (np.asarray(np.bincount(place, part, n), np.float64) for part in parts)
        return weight, score, target

    def queries(self, query_ptr: npt.ArrayLike | None) -> tuple[IntArray, int]:
        """Return the number of each document's query, and how many there are; one where all are pooled."""
        if query_ptr is None:
            return np.zeros(len(self.score), dtype=np.int64), 1
        sizes = np.diff(check_query_ptr(query_ptr, len(self.score)))
        return np.repeat(np.arange(len(sizes)), sizes), len(sizes)


def require_probabilities(name: str, values: Vector, remedy: str) -> None:
    """Raise a `DataError` that names the first number that does not lie from 0 to 1."""
    outside = (values < 0) | (values > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise DataError(f"{name}: row {row} is {values[row]:g}, which is no probability; {remedy}.")


def _by_weight(total: Vector, weight: Vector, query_ptr: npt.ArrayLike | None) -> float | Vector:
    with np.errstate(invalid="ignore"):
        values = np.asarray(total / weight)
    return float(values[0]) if query_ptr is None else values
