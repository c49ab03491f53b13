"""Propensities with attractions that a ranker predicts from features, instead of one for each document."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.base import clone

from .._checks import DataError, GbrankWarning, IntArray, ParameterError
from ..backends import bin_cache
from ..data import RankingData
from ..data._ranking_data import replace_fields
from ..objectives import CrossEntropy
from ..objectives._base import Bound, Labelled
from ..objectives._classification import CrossEntropyBound
from ..rankers import GBRanker
from ._curves import of_cells
from ._log import ClickLog
from ._pairs import Vector
from ._showings import Showings

LEAST = 1e-6  # of a probability, and most of its complement


@dataclass(frozen=True, repr=False)
class AnyTarget(CrossEntropy):
    """Cross-entropy whose targets are unbiased estimates of probabilities, and so may lie outside 0 to 1."""

    name: ClassVar[str] = "cross_entropy"

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        """Return the loss of the data, whose labels are not checked."""
        return CrossEntropyBound(1.0, data.y, data, engine, n_jobs)


def default_regressor(n_jobs: int | None = None) -> GBRanker:
    """Return few small trees: attractions that follow the noise of clicks make low ranks look examined."""
    return GBRanker(n_estimators=50, max_leaves=7, n_jobs=n_jobs)


@dataclass(frozen=True, eq=False)
class Regression:
    r"""The position-based model of maximum likelihood, with attractions that are a function of features.

    It is the model of Wang, Golbandi, Bendersky, Metzler and Najork, "Position Bias Estimation for Unbiased Learning to
    Rank in Personal Search", WSDM 2018, section 4.  Their rounds fit the regressor to the probability that a document
    attracts, given its clicks, which at ranks that few examine hardly differs from what it was before, so that hundreds
    are needed.  Here they take the step of Fisher's scoring, which ends in the same place: with propensity p and
    attraction a, a showing has the target a + (c - p a) / p in expectation, clicks over propensity, and the weight
    p (1 - a) / (1 - p a).  Then propensities go to their greatest likelihood.

    Attributes
    ----------
    showings : Showings
    row : int64 array of shape (n_cells,)
        The row of `data` that each cell shows.
    data : RankingData
    regressor : GBRanker
        Fitted anew in each round, with `AnyTarget` as its objective.
    max_iterations : int
    tolerance : float
        The rounds end when no propensity changes by more.
    """

    showings: Showings
    row: IntArray
    data: RankingData
    regressor: GBRanker
    max_iterations: int
    tolerance: float

    @classmethod
    def make(
        cls,
        log: ClickLog,
        showings: Showings,
        data: RankingData | None,
        regressor: GBRanker,
        max_iterations: int,
        tolerance: float,
    ) -> Regression:
        """Look up the documents that the log shows.

        Raises
        ------
        DataError
            A document of the log is not in the data.
        ParameterError
            There are no data, or the regressor is no `GBRanker`.
        """
        if data is None:
            raise ParameterError("data: the method 'regression' needs the documents' features; give a RankingData.")
        if not isinstance(regressor, GBRanker):
            raise ParameterError(f"regressor: is a {type(regressor).__name__}; give a GBRanker.")
        row = log.rows_in(data)[showings.group]
        if (row < 0).any():
            pair = showings.group[int(np.argmax(row < 0))]
            raise DataError(
                f"data: has no document {log.pair_document[pair]!s} of query {log.pair_query[pair]!s}, which the log "
                "shows; give the features of all documents shown."
            )
        regressor = clone(regressor).set_params(objective=AnyTarget())
        return cls(showings, row, data, regressor, max_iterations, tolerance)

    def __call__(self, shown: Vector, clicks: Vector) -> Vector:
        """Return the curve of counts by cell."""
        rank, n_ranks = self.showings.rank, self.showings.n_ranks
        curve = np.bincount(rank, clicks, n_ranks) / np.maximum(np.bincount(rank, shown, n_ranks), 1)
        curve = curve / max(curve.max(), LEAST)
        attraction = np.full(self.data.n_documents, clicks.sum() / max(float(shown @ curve[rank]), LEAST))
        change = np.inf
        with bin_cache():
            for _ in range(self.max_iterations):
                before = curve
                attraction = self._regressed(shown, clicks, np.clip(attraction, LEAST, 1 - LEAST), curve)
                found = of_cells((self.row, rank, clicks, shown - clicks), attraction, curve)
                curve, attraction = found / found.max(), attraction * found.max()
                change = float(np.abs(curve - before).max())
                if change < self.tolerance:
                    break
            else:
                warnings.warn(
                    f"regression: has not converged in max_iterations={self.max_iterations}: a propensity still "
                    f"changed by {change:.2g}; raise it, or the tolerance.",
                    GbrankWarning,
                    stacklevel=3,
                )
        return np.asarray(curve / curve[0])

    def _regressed(self, shown: Vector, clicks: Vector, attraction: Vector, curve: Vector) -> Vector:
        """Return the attraction of each document that the regressor has after a step."""
        p, a, n = curve[self.showings.rank], attraction[self.row], len(attraction)
        counts = (1 - a) / (1 - p * a)
        weight = np.bincount(self.row, shown * p * counts, n)
        beyond = np.bincount(self.row, (clicks - shown * p * a) * counts, n)
        target = attraction + np.divide(beyond, weight, out=np.zeros(n), where=weight > 0)
        documents = replace_fields(self.data, y=target, sample_weight=weight, query_weight=None, init_score=None)
        found = clone(self.regressor).fit(documents).predict_proba(documents)
        return np.asarray(np.clip(found[:, 1], LEAST, 1 - LEAST))
