"""What all splitters share: from parts of queries to parts of rows or of data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import BaseCrossValidator

from .._checks import DataError, IntArray, ParameterError, check_whole
from .._groups import Groups, group_rows
from ..data import RankingData

Parts = tuple[IntArray, IntArray]
Vector = npt.NDArray[np.float64]


class Queries(NamedTuple):
    """What a splitter may know of the queries, in order of first appearance.

    ids : int64 or str array of shape (n_queries,)
    sizes : int64 array of shape (n_queries,); numbers of documents.
    mean_label : float64 array of shape (n_queries,), of the first label column; None without labels.
    """

    ids: npt.NDArray[Any]
    sizes: IntArray
    mean_label: Vector | None


class QuerySplitter(BaseCrossValidator):  # type: ignore[misc]
    """A splitter of whole queries; a subclass says in `_parts` which queries go where."""

    __metadata_request__split = {"groups": True}  # noqa: RUF012  (scikit-learn reads it from the class)
    n_splits: int

    def split(self, X: Any, y: Any = None, groups: npt.ArrayLike | None = None) -> Iterator[Parts]:
        """Yield the row numbers of the training and the test part of each split.

        Parameters
        ----------
        X : RankingData, or anything with one row per document
        y : array-like of shape (n_documents,), optional
            Labels, for a splitter that looks at them; taken from `X` where that is a `RankingData`.
        groups : array-like of shape (n_documents,)
            Query id of each row; taken from `X` where that is a `RankingData`.

        Raises
        ------
        ParameterError
            There are no query ids, or too few queries.
        DataError
            `groups` is not one id for each row.
        """
        number, queries = _rows_and_queries(X, y, groups)
        for train, test in self._parts(queries):
            rows, test_rows = np.flatnonzero(np.isin(number, train)), np.flatnonzero(np.isin(number, test))
            self._check(number[rows], number[test_rows], len(number))
            yield rows, test_rows

    def split_data(self, data: RankingData) -> Iterator[tuple[RankingData, RankingData]]:
        """Yield the training and the test part of each split, with every field and the queries in their order."""
        for train, test in self._parts(queries_of(data)):
            parts = data.take(train), data.take(test)
            self._check(parts[0].qid, parts[1].qid, data.n_documents)
            yield parts

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits; the arguments are ignored."""
        return self.n_splits

    def _parts(self, queries: Queries) -> Iterator[Parts]:
        """Yield the numbers of the queries, rising, of both parts."""
        raise NotImplementedError

    def _check(self, train: npt.NDArray[Any], test: npt.NDArray[Any], n_rows: int) -> None:
        require_apart(train, test, n_rows)


def queries_of(data: RankingData) -> Queries:
    """Return what a splitter may know of the queries of `data`."""
    first_label = data.y if data.y.ndim == 1 else data.y[:, 0]
    return Queries(data.query_ids, data.query_sizes, _means(first_label, data.query_ptr))


def both(test: IntArray, n_queries: int) -> Parts:
    """Return the numbers of all other queries, and of those in `test`, rising."""
    in_test = np.zeros(n_queries, bool)
    in_test[test] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def generator(random_state: Any) -> np.random.Generator | np.random.RandomState:
    """Return the generator that `random_state` is or seeds."""
    if isinstance(random_state, np.random.Generator | np.random.RandomState):
        return random_state
    if random_state is not None:
        check_whole("random_state", random_state, lowest=0)
    return np.random.default_rng(random_state)


def per_query(name: str, values: Any, ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a value for each query, given in order of first appearance or as a mapping (or Series) by query id.

    Raises
    ------
    DataError
        A query has no value, or there is another number of values than of queries.
    """
    if callable(getattr(values, "items", None)):
        table = dict(values.items())
        keys = ids.tolist()
        missing = [key for key in keys if key not in table]
        if missing:
            raise DataError(
                f"{name}: no value for query {missing[0]!r} ({len(missing)} of {len(keys)} queries lack one)."
            )
        return np.asarray([table[key] for key in keys])
    try:
        found = np.asarray(values)
    except ValueError:
        raise DataError(f"{name}: the values are of unequal kinds; give one value for each query.") from None
    if found.shape != ids.shape:
        raise DataError(f"{name}: shape {found.shape} for {len(ids)} queries; give one value for each, or a mapping.")
    return found


def require_apart(train: npt.NDArray[Any], test: npt.NDArray[Any], n_rows: int | None) -> None:
    """Raise if a query is in both parts, or (with `n_rows`) a row in none: gbrank's promise, checked on every split."""
    shared = np.intersect1d(train, test)
    if len(shared) or (n_rows is not None and len(train) + len(test) != n_rows):
        raise RuntimeError(f"a split of whole queries failed ({len(shared)} queries are in both parts); report this.")


def _rows_and_queries(X: Any, y: Any, groups: npt.ArrayLike | None) -> tuple[IntArray, Queries]:
    """Return each row's query as a number 0, 1, ..., in order of first appearance, and the queries."""
    if isinstance(X, RankingData) and groups is None:
        return np.repeat(np.arange(X.n_queries), X.query_sizes), queries_of(X)
    if groups is None:
        raise ParameterError("groups: pass the query id of each row, or a RankingData as X; rows alone are no queries.")
    found = group_rows(groups)
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if len(found.order) != n_rows or n_rows == 0:
        raise DataError(f"groups: {len(found.order)} query ids for {n_rows} rows; give one for each.")
    sizes = np.diff(found.query_ptr)
    number = np.empty(n_rows, np.int64)
    number[found.order] = np.repeat(np.arange(len(found.query_ids)), sizes)
    labels = X.y if isinstance(X, RankingData) else y
    return number, Queries(found.query_ids, sizes, _mean_labels(labels, found))


def _mean_labels(labels: Any, found: Groups) -> Vector | None:
    """Return the mean label of each query; None for labels that are no numbers, which most splitters never look at."""
    given = np.asarray(labels)
    if labels is None or given.dtype.kind not in "biuf" or given.shape[:1] != found.order.shape:
        return None
    return _means(given.reshape(len(given), -1)[found.order, 0].astype(np.float64), found.query_ptr)


def _means(y: Vector, query_ptr: IntArray) -> Vector:
    return np.asarray(np.add.reduceat(y, query_ptr[:-1]) / np.diff(query_ptr))
