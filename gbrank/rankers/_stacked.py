"""`StackedRanker`: a ranker that learns from the scores of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.utils.metaestimators import _BaseComposition

from .._checks import ParameterError
from ..data import RankingData
from ..data._ranking_data import replace_fields
from ..metrics import measure as find_measure
from ..splits import QueryKFold
from ._inputs import as_data, features_as_trained
from ._measuring import mean_measure, refuse_weights
from ._ranker import GBRanker
from ._ranks import RankerMixin

Named = Sequence[tuple[str, GBRanker]]


class StackedRanker(RankerMixin, _BaseComposition):  # type: ignore[misc]
    """A final ranker trained on what other rankers score queries that they have not seen.

    Each ranker is trained on folds of whole queries and scores the fold left out; these scores are the features of the
    final ranker.  Then each is trained on all queries, and scores what is to be predicted.

    Parameters
    ----------
    rankers : sequence of (str, ranker)
        Named rankers; anything with ``fit(RankingData)`` and ``predict(RankingData)``.
    final : GBRanker, optional
        ``GBRanker(n_estimators=50, max_leaves=7)`` by default.
    cv : int or splitter
        Query folds, in which each query is left out once.
    passthrough : bool
        Whether the final ranker sees the features as well.

    Attributes
    ----------
    rankers_ : list of fitted rankers
    final_ : GBRanker
    n_features_in_ : int
    feature_names_ : tuple of str

    References
    ----------
    Wolpert, "Stacked generalization", Neural Networks 5, 1992.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(120, random_state=0)
    >>> two = [("pairs", gbrank.GBRanker(n_estimators=10)), ("points", gbrank.GBRanker("mse", n_estimators=10))]
    >>> stacked = StackedRanker(two, cv=3).fit(data)
    >>> stacked.final_.feature_names_
    ('pairs', 'points')
    >>> StackedRanker(two).set_params(points__n_estimators=20).get_params()["points__n_estimators"]
    20
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"qid": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"qid": True}

    def __init__(
        self, rankers: Named, *, final: GBRanker | None = None, cv: Any = 5, passthrough: bool = False
    ) -> None:
        self.rankers = rankers
        self.final = final
        self.cv = cv
        self.passthrough = passthrough

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep`, those of each ranker as ``name__parameter``."""
        params: dict[str, Any] = self._get_params("rankers", deep=deep)
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``name=ranker`` replaces a ranker, ``name__parameter`` sets one of its parameters."""
        self._set_params("rankers", **params)
        return self

    def fit(
        self,
        X: Any,
        y: npt.ArrayLike | None = None,
        *,
        qid: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        query_weight: npt.ArrayLike | Mapping[Any, float] | None = None,
    ) -> Self:
        """Train all rankers; arguments as in `GBRanker.fit`.

        Raises
        ------
        ParameterError
            There are no rankers, names are repeated or clash, or a query is not left out exactly once.
        """
        self._check_names()
        data = as_data(X, y, qid, sample_weight=sample_weight, query_weight=query_weight)
        scores = np.column_stack([self._left_out(ranker, data) for _, ranker in self.rankers])
        self.rankers_ = [clone(ranker).fit(data) for _, ranker in self.rankers]
        final = GBRanker(n_estimators=50, max_leaves=7) if self.final is None else clone(self.final)
        self.final_ = final.fit(self._with_scores(data, scores))
        self.n_features_in_, self.feature_names_ = data.n_features, data.feature_names
        return self

    def _check_names(self) -> None:
        names = [name for name, _ in self.rankers]
        if not names or len(set(names)) < len(names):
            raise ParameterError(f"rankers: give at least one, under distinct names, not {names}.")
        self._validate_names(names)

    def _left_out(self, ranker: Any, data: RankingData) -> npt.NDArray[np.float64]:
        """Return the score of each document by a ranker that has not seen its query."""
        cv = QueryKFold(self.cv) if isinstance(self.cv, int) else self.cv
        score, times = np.zeros(data.n_documents), np.zeros(data.n_documents, np.int64)
        for rows, test_rows in cv.split(data):
            train, test = (data.take(np.unique(self._query(data)[each])) for each in (rows, test_rows))
            score[test_rows] = clone(ranker).fit(train).predict(test)
            times[test_rows] += 1
        if (times != 1).any():
            raise ParameterError(f"cv={self.cv!r}: each query must be left out exactly once; give query folds.")
        return score

    @staticmethod
    def _query(data: RankingData) -> npt.NDArray[np.int64]:
        return np.repeat(np.arange(data.n_queries), data.query_sizes)

    def _with_scores(self, data: RankingData, scores: npt.NDArray[np.float64]) -> RankingData:
        names = tuple(name for name, _ in self.rankers)
        if not self.passthrough:
            return replace_fields(data, X=scores, feature_names=names)
        stack = sp.hstack if sp.issparse(data.X) else np.hstack
        both = stack([data.X, scores])
        joined = sp.csr_array(both) if sp.issparse(both) else both
        return replace_fields(data, X=joined, feature_names=(*data.feature_names, *names))

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the final ranker's score of each document, in the order of the rows of `X`."""
        self._require_fitted()
        features = features_as_trained(X, self.feature_names_, type(self).__name__)
        n = features.shape[0]
        rows = RankingData(features, np.zeros(n), np.zeros(n, np.int64), feature_names=self.feature_names_)
        scores = np.column_stack([ranker.predict(rows) for ranker in self.rankers_])
        return np.asarray(self.final_.predict(self._with_scores(rows, scores)))

    def score(
        self, X: Any, y: npt.ArrayLike | None = None, qid: npt.ArrayLike | None = None, sample_weight: None = None
    ) -> float:
        """Return the mean of the final ranker's `measure`, see `GBRanker.score`."""
        self._require_fitted()
        refuse_weights(sample_weight)
        data = as_data(X, y, qid)
        return mean_measure(find_measure(self.final_.measure), data.y, self.predict(data), data, "the data")
