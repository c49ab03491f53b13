"""What every ranker is and does: scikit-learn's tags, and scores to ranks, query by query."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError

from .._checks import DataError, IntArray
from .._groups import group_rows
from ..data import RankingData


class RankerMixin:
    """An estimator that ranks; give it `predict`.  It stands before scikit-learn's `BaseEstimator`."""

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the ranking score of each document."""
        raise NotImplementedError

    def rank(self, X: Any, qid: npt.ArrayLike | None = None) -> IntArray:
        """Return the rank of each document in its query, from 1, in the order of the rows; ties share the better rank.

        Parameters
        ----------
        X : RankingData, or array-like of shape (n_documents, n_features) with `qid`
        """
        return ranks_in_queries(self.predict(X), query_ids(X, qid))

    def _require_fitted(self, attribute: str = "n_features_in_") -> None:
        if not hasattr(self, attribute):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit first.")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = "ranker"
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags


def query_ids(X: Any, qid: npt.ArrayLike | None) -> Any:
    """Return the query id of each row, those of a `RankingData` or those given."""
    if isinstance(X, RankingData):
        return X.qid
    if qid is None:
        raise DataError("qid: give one query id for each document.")
    return qid


def ranks_in_queries(score: npt.NDArray[np.float64], qid: npt.ArrayLike) -> IntArray:
    """Return the rank of each document in its query, from 1, in the order of the rows; ties share the better rank.

    Raises
    ------
    DataError
        `qid` is not one id for each score.
    """
    groups = group_rows(qid)
    if len(groups.order) != len(score):
        raise DataError(f"qid: {len(groups.order)} ids for {len(score)} documents; give one for each.")
    ranks = np.empty(len(score), np.int64)
    for a, b in zip(groups.query_ptr[:-1], groups.query_ptr[1:], strict=True):
        rows = groups.order[a:b]
        ascending = np.sort(score[rows])
        ranks[rows] = 1 + (b - a) - np.searchsorted(ascending, score[rows], side="right")
    return ranks
