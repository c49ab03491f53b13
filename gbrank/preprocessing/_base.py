"""What the transformers share: query ids, training values for rows of no query, and a `RankingData` in and out."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .._checks import DataError, GbrankWarning, ParameterError
from .._groups import Groups, group_rows
from ..data import RankingData
from ..data._categories import require_numbers
from ..data._features import numbered
from ..data._ranking_data import replace_fields
from ._columns import Among, Vector

Kind = Callable[[Vector, Among], Vector]


class WithinQuery(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns made of a document's values among those of its query; a subclass says which, in `_plan`."""

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"qid": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"qid": True}

    def fit(self, X: Any, y: Any = None, *, qid: npt.ArrayLike | None = None) -> Self:
        """Note the columns, and their values, among which rows of no query will stand.

        Parameters
        ----------
        X : RankingData, or array or DataFrame of shape (n_documents, n_features)
            Numbers; NaN means missing.
        y : ignored
        qid : ignored
        """
        features = _features(X)
        values = validate_data(self, features, dtype=(np.float64, np.float32), ensure_all_finite="allow-nan")
        self._plan(np.arange(values.shape[1]))
        columns = (np.sort(values[:, j].astype(np.float64)) for j in range(values.shape[1]))
        self.training_values_ = [column[~np.isnan(column)] for column in columns]
        return self

    def transform(self, X: Any, *, qid: npt.ArrayLike | None = None) -> Any:
        """Return the new columns; of a `RankingData`, all of it with the new columns.

        Parameters
        ----------
        X : RankingData, or array or DataFrame of shape (n_documents, n_features)
        qid : array-like of shape (n_documents,)
            Query ids of any kind, in any order.  Without them each row stands among the training data, with a warning.

        Raises
        ------
        DataError
            `qid` is not one id for each row, or `X` is sparse.
        """
        check_is_fitted(self)
        if isinstance(X, RankingData) and qid is not None:
            raise ParameterError("qid comes from the RankingData; do not give it beside it.")
        values = validate_data(
            self, _features(X), dtype=(np.float64, np.float32), ensure_all_finite="allow-nan", reset=False
        )
        if isinstance(X, RankingData):
            groups = Groups(X.query_ptr, X.query_ids, np.arange(len(values)), True)
            return replace_fields(
                X, X=self._columns(values, groups), feature_names=tuple(self.get_feature_names_out(X.feature_names))
            )
        if qid is None:
            warnings.warn(
                f"no qid: {type(self).__name__} puts each row among all training rows, not among those of its query. "
                "Give one query id for each row; a Pipeline passes them on where metadata routing is switched on.",
                GbrankWarning,
                stacklevel=2,
            )
            return self._columns(values, None)
        groups = group_rows(qid)
        if len(groups.order) != len(values):
            raise DataError(f"qid: {len(groups.order)} ids for {len(values)} rows; give one for each.")
        return self._columns(values, groups)

    def fit_transform(self, X: Any, y: Any = None, *, qid: npt.ArrayLike | None = None) -> Any:
        """Return ``fit(X).transform(X, qid=qid)``."""
        return self.fit(X, y).transform(X, **({} if qid is None else {"qid": qid}))

    def _plan(self, columns: npt.NDArray[np.int64]) -> Iterable[tuple[int, Kind | None]]:
        """Return the column that each new one is made of, and how; None keeps it."""
        raise NotImplementedError

    def _columns(self, values: npt.NDArray[Any], groups: Groups | None) -> npt.NDArray[Any]:
        plan = list(self._plan(np.arange(values.shape[1])))
        rows = slice(None) if groups is None or groups.contiguous else groups.order
        out = np.empty((len(values), len(plan)), values.dtype)
        last, among = -1, None
        for to, (j, kind) in enumerate(plan):
            if kind is None:
                out[:, to] = values[:, j]
                continue
            x = values[rows, j].astype(np.float64)
            if among is None or j != last:  # columns made of one stand together
                last, among = j, self._among(x, j, groups)
            with np.errstate(over="ignore"):
                out[rows, to] = kind(x, among)
        return out

    def _among(self, x: Vector, j: int, groups: Groups | None) -> Among:
        return Among.training(x, self.training_values_[j]) if groups is None else Among.queries(x, groups)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _but_data(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of which scikit-learn puts the output into a container, but not where it is a `RankingData`."""

    @functools.wraps(wrapped)
    def method(self: WithinQuery, X: Any, *args: Any, **kwargs: Any) -> Any:
        own = wrapped.__wrapped__ if isinstance(X, RankingData) else wrapped  # type: ignore[attr-defined]
        return own(self, X, *args, **kwargs)

    return method


WithinQuery.transform = _but_data(WithinQuery.transform)  # type: ignore[method-assign]
WithinQuery.fit_transform = _but_data(WithinQuery.fit_transform)  # type: ignore[method-assign]


def _features(X: Any) -> Any:
    """Return the features as scikit-learn validates them: a frame where they have names."""
    if isinstance(X, RankingData):
        require_numbers(X.categories, "preprocessing")
        features, names = X.X, X.feature_names
        if sp.issparse(features):
            raise DataError("X: is sparse; values within a query are compared in dense data, give X.toarray().")
        return features if names == numbered(len(names)) else pd.DataFrame(features, columns=list(names))
    return X
