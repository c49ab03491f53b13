"""`QueryFeatures`: new features that say where a document stands in its query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._checks import ParameterError
from .._registry import unknown
from ._base import Kind, WithinQuery
from ._columns import KINDS


class QueryFeatures(WithinQuery):
    """Append features that compare each document with the others of its query, which a tree alone cannot.

    Parameters
    ----------
    kinds : str or sequence of str
        What is made of a feature's value x: ``rank`` the share of the query's values below x and half of those equal
        to it; ``gap_to_best`` highest - x; ``gap_to_mean`` x - mean; ``gap_to_next`` the next higher value less x, 0
        for the highest; ``minmax`` and ``zscore`` as in `QueryNormalizer`.
    columns : sequence of int or str, optional
        The features to make them of, by number or name; all by default.
    keep : bool
        Whether the features as given come first; otherwise the new ones are alone.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : array of str of shape (n_features_in_,)
        Where `X` had names.
    training_values_ : list of float64 arrays
        See `QueryNormalizer`.

    Examples
    --------
    >>> from gbrank.preprocessing import QueryFeatures
    >>> made = QueryFeatures(["rank", "gap_to_best"], columns=[0])
    >>> made.fit_transform([[1.0, 5.0], [3.0, 6.0], [7.0, 8.0]], qid=[4, 4, 9]).tolist()
    [[1.0, 5.0, 0.25, 2.0], [3.0, 6.0, 0.75, 0.0], [7.0, 8.0, 0.5, 0.0]]
    >>> made.get_feature_names_out(["price", "age"]).tolist()
    ['price', 'age', 'price_rank', 'price_gap_to_best']
    """

    def __init__(
        self,
        kinds: str | Sequence[str] = ("rank", "gap_to_best"),
        *,
        columns: Sequence[int | str] | None = None,
        keep: bool = True,
    ) -> None:
        self.kinds = kinds
        self.columns = columns
        self.keep = keep

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[np.object_]:
        """Return the names of the new columns: those as given, then ``name_kind``."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        plan = self._plan(np.arange(len(names)))
        made = [names[j] if kind is None else f"{names[j]}_{kind.__name__}" for j, kind in plan]
        return np.asarray(made, dtype=object)

    def _plan(self, columns: npt.NDArray[np.int64]) -> Iterable[tuple[int, Kind | None]]:
        kinds = [self.kinds] if isinstance(self.kinds, str) else list(self.kinds)
        for kind in kinds:
            if kind not in KINDS:
                raise unknown("kind of feature", kind, KINDS)
        if not kinds or len(set(kinds)) < len(kinds):
            raise ParameterError(f"kinds={self.kinds!r}: give at least one kind, each once.")
        kept: list[tuple[int, Kind | None]] = [(int(j), None) for j in columns] if self.keep else []
        return kept + [(j, KINDS[kind]) for j in self._chosen(len(columns)) for kind in kinds]

    def _chosen(self, n_features: int) -> list[int]:
        if self.columns is None:
            return list(range(n_features))
        names = list(getattr(self, "feature_names_in_", ()))
        return [self._number(column, names, n_features) for column in self.columns]

    def _number(self, column: Any, names: list[str], n_features: int) -> int:
        if isinstance(column, str):
            if column not in names:
                raise (
                    unknown("column", column, names)
                    if names
                    else ParameterError(f"columns: {column!r} is a name, and X has none; give numbers.")
                )
            return names.index(column)
        if isinstance(column, bool) or not isinstance(column, int | np.integer) or not 0 <= column < n_features:
            raise ParameterError(
                f"columns: {column!r} is no column; give numbers from 0 to {n_features - 1}, or names."
            )
        return int(column)
