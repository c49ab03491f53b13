"""What every ranker is and does: scikit-learn's tags, and scores to ranks, query by query."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError
from sklearn.utils import ClassifierTags

from .._checks import DataError, IntArray
from .._groups import group_rows
from ..data import RankingData
from ..data._features import numbered
from ..metrics import Measure
from ..metrics import measure as find_measure
from ._inputs import as_data, data_of
from ._measuring import mean_measure, refuse_weights


class RankerMixin:
    """An estimator that ranks; give it `predict`.  It stands before scikit-learn's `BaseEstimator`."""

    n_features_in_: int
    feature_names_: tuple[str, ...]
    # Where scikit-learn's metadata routing is on, fit and score ask for the query ids.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"qid": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"qid": True}

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

    def score(
        self, X: Any, y: npt.ArrayLike | None = None, qid: npt.ArrayLike | None = None, sample_weight: None = None
    ) -> float:
        """Return the mean of the ranker's measure over the queries that it does not skip; `sample_weight` is refused.

        A measure of ranked lists has no weights of documents.  The argument is there because a scikit-learn Pipeline
        hands it on.
        """
        self._require_fitted()
        refuse_weights(sample_weight)
        data = data_of(as_data(X, y, qid))
        measure, labels = self._measured(data)
        return mean_measure(measure, labels, self._scored(data), data, "the data")

    def _scored(self, data: RankingData) -> npt.NDArray[np.float64]:
        """Return the scores that the measure of `score` is taken of."""
        return self.predict(data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted ranker to a file that `gbrank.load` reads; see there for the format."""
        from ._files import save

        self._require_fitted()
        save(self, path)

    def _measured(self, data: RankingData) -> tuple[Measure, npt.NDArray[np.float64]]:
        """Return the measure of `score`, and the labels that it reads."""
        return find_measure(getattr(self, "measure", "ndcg@10")), data.y

    def _boosted(self) -> Iterator[Any]:
        """Yield each fitted ranker that grew trees of its own: those within, where there are some."""
        yield self

    @property
    def feature_names_in_(self) -> npt.NDArray[np.object_]:
        """The names of the columns, where the training data had names of their own."""
        names = getattr(self, "feature_names_", ())
        if names == numbered(len(names)):
            raise AttributeError("feature_names_in_: the training data had no names of columns, or there are none yet.")
        return np.array(names, dtype=object)

    def _require_fitted(self, attribute: str = "n_features_in_") -> None:
        if not hasattr(self, attribute):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit first.")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = "ranker"
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        if hasattr(self, "predict_proba"):
            tags.classifier_tags = ClassifierTags()
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
