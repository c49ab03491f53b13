"""`StackedRanker`: a ranker that learns from the scores of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.ensemble import StackingRegressor
from sklearn.utils.metaestimators import _BaseComposition

from .._checks import IntArray, ParameterError
from ..data import RankingData
from ..data._categories import require_numbers
from ..data._ranking_data import replace_fields
from ._composite import Arrays, CompositeRanker, require_takes_data
from ._inputs import features_as_trained
from ._parts import folds
from ._ranker import GBRanker

Named = Sequence[tuple[str, GBRanker]]


class StackedRanker(CompositeRanker, _BaseComposition):  # type: ignore[misc]
    """A final ranker trained on what other rankers score queries that they have not seen.

    Each ranker is trained on folds of whole queries and scores the fold left out; these scores are the features of the
    final ranker.  Then each is trained on all queries, and scores what is to be predicted.

    Parameters
    ----------
    rankers : sequence of (str, ranker)
        Named rankers; anything with ``fit(RankingData)`` and ``predict(RankingData)``.
    final : GBRanker, optional
        ``GBRanker(n_estimators=50, max_leaves=7)`` by default.
    cv : int, splitter, or iterable of (rows to train on, rows to leave out)
        Number of query folds, or other folds, none of which may cut a query, and in which each is left out once.
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
    >>> data = gbrank.make_letor(60, n_features=10, random_state=0)
    >>> two = [("pairs", gbrank.GBRanker(n_estimators=10)), ("points", gbrank.GBRanker("mse", n_estimators=10))]
    >>> stacked = StackedRanker(two, cv=3).fit(data)
    >>> stacked.final_.feature_names_
    ('pairs', 'points')
    >>> StackedRanker(two).set_params(points__n_estimators=20).get_params()["points__n_estimators"]
    20
    """

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

    def _train(self, data: RankingData, given: IntArray | None) -> None:
        self._check_names()
        if self.passthrough:
            require_numbers(data.categories, f"{type(self).__name__}(passthrough=True)")
        scores = self._left_out(data, given)
        self.rankers_ = [clone(ranker).fit(data) for _, ranker in self.rankers]
        final = default_final() if self.final is None else clone(self.final)
        self.final_ = final.fit(self._with_scores(data, scores))

    def _check_names(self) -> None:
        names = [name for name, _ in self.rankers]
        if not names or len(set(names)) < len(names):
            raise ParameterError(f"rankers: give at least one, under distinct names, not {names}.")
        self._validate_names(names)
        for name, ranker in self.rankers:
            require_takes_data(name, ranker)

    def _left_out(self, data: RankingData, given: IntArray | None) -> npt.NDArray[np.float64]:
        """Return, in a column for each ranker, the scores of documents by one that was trained without their fold."""
        scores = np.zeros((data.n_documents, len(self.rankers)))
        times = np.zeros(data.n_documents, np.int64)
        for fold in folds(data, self.cv, given=given):
            for column, (_, ranker) in enumerate(self.rankers):
                scores[fold.rows, column] = clone(ranker).fit(fold.train).predict(fold.test)
            times[fold.rows] += 1
        if (times != 1).any():
            raise ParameterError(f"cv={self.cv!r}: each query must be left out exactly once; give query folds.")
        return scores

    def _with_scores(self, data: RankingData, scores: npt.NDArray[np.float64]) -> RankingData:
        """Return the data that the final ranker is trained on."""
        names = tuple(name for name, _ in self.rankers)
        if not self.passthrough:
            return replace_fields(data, X=scores, feature_names=names, categories={})
        return replace_fields(data, X=beside(data.X, scores), feature_names=(*data.feature_names, *names))

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the final ranker's score of each document, in the order of the rows of `X`."""
        self._require_fitted()
        scores = np.column_stack([ranker.predict(X) for ranker in self.rankers_])
        if not self.passthrough:
            return np.asarray(self.final_.predict(scores))
        features = features_as_trained(X, self.feature_names_, type(self).__name__)
        return np.asarray(self.final_.predict(beside(features, scores)))

    def _parts(self) -> dict[str, Any]:
        return {**{f"rankers/{number}": each for number, each in enumerate(self.rankers_)}, "final": self.final_}

    def _told(self) -> dict[str, Any]:
        return {
            "params": {"cv": self._told_cv(), "passthrough": bool(self.passthrough)},
            "names": [name for name, _ in self.rankers],
            "default_final": self.final is None,
        }

    @classmethod
    def _retold(cls, told: Mapping[str, Any], arrays: Arrays, parts: Mapping[str, Any]) -> Self:
        fitted = [parts[f"rankers/{number}"] for number in range(len(told["names"]))]
        named = [(name, clone(each)) for name, each in zip(told["names"], fitted, strict=True)]
        final = None if told["default_final"] else clone(parts["final"])
        ranker = cls(named, final=final, **told["params"])
        ranker.rankers_, ranker.final_ = fitted, parts["final"]
        return ranker

    def _sk_visual_block_(self) -> Any:
        # Drawn as scikit-learn draws its own stacks.
        return StackingRegressor(self.rankers, self.final or default_final())._sk_visual_block_()


def default_final() -> GBRanker:
    """Return the final ranker where none is given: of few, small trees, for few features."""
    return GBRanker(n_estimators=50, max_leaves=7)


def beside(features: Any, scores: npt.NDArray[np.float64]) -> Any:
    """Return features with scores in further columns; sparse, if the features are."""
    if sp.issparse(features):
        return sp.csr_array(sp.hstack([features, scores]))
    return np.hstack([features, scores])
