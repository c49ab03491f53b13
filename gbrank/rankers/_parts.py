"""Parts of training data: what has a weight at all, and folds that are left out in turn."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold

from .._checks import DataError, GbrankWarning, IntArray, ParameterError, check_whole
from ..data import RankingData
from ..data._ranking_data import OPTIONAL, replace_fields
from ..objectives import Objective
from ..splits import QueryKFold


class Fold(NamedTuple):
    """Data to train on, data that are left out, and the rows at which these stand."""

    train: RankingData
    test: RankingData
    rows: IntArray


def weighty_part(data: RankingData, objective: Objective) -> RankingData:
    """Return training data without what takes part in nothing; the same object where all does.

    That are queries of weight 0, and, where a document is learnt from by itself, documents of weight 0.  Left in, they
    would move the bins of features, which count documents whatever their weight.

    Raises
    ------
    DataError
        Nothing is left.
    """
    kept = np.ones(data.n_documents, bool)
    if data.query_weight is not None:
        kept &= np.repeat(data.query_weight > 0, data.query_sizes)
    if data.sample_weight is not None and objective.pointwise:
        kept &= data.sample_weight > 0
    if kept.all():
        return data
    if not kept.any():
        raise DataError("weights: each document's own, or its query's, is zero; nothing is left to learn from.")
    return take_rows(data, np.flatnonzero(kept))


def take_rows(data: RankingData, rows: IntArray) -> RankingData:
    """Return the documents at these rows, which rise, with every field, and with the pairs that both are among them."""
    queries = np.unique(_query_of_rows(data)[rows])
    given = {name: getattr(data, name) for name in OPTIONAL if getattr(data, name) is not None}
    fields = {name: values[queries if name == "query_weight" else rows] for name, values in given.items()
              if name not in ("pairs", "pair_weight")}  # fmt: skip
    if data.pairs is not None:
        place = np.full(data.n_documents, -1)
        place[rows] = np.arange(len(rows))
        pairs = place[data.pairs]
        both = (pairs >= 0).all(axis=1)
        fields["pairs"] = pairs[both]
        fields["pair_weight"] = None if data.pair_weight is None else data.pair_weight[both]
    part = RankingData(data.X[rows], data.y[rows], data.qid[rows], feature_names=data.feature_names, **fields)
    return replace_fields(part, order=data.order[rows], categories=data.categories)


def folds(data: RankingData, cv: Any, *, given: IntArray | None = None) -> Iterator[Fold]:
    """Yield folds of whole queries; where there is a single query, of its documents, with a warning.

    Parameters
    ----------
    data : RankingData
    cv : int, splitter, or iterable of (rows to train on, rows to leave out)
    given : int array of shape (n_documents,), optional
        The row of the data at which each row that `cv` may list now stands; by default they are the same.

    Raises
    ------
    ParameterError
        `cv` is nothing of these, a query is cut, or a row is to be trained on and left out.
    """
    if data.n_queries == 1:
        warnings.warn(
            "cv: there is one query, so its documents are divided instead of queries. Each is scored by rankers that "
            "saw others of its query, which flatters them: on new queries scores say less than they seem to here.",
            GbrankWarning,
            stacklevel=4,
        )
    for train, test in _splits(data, cv, given):
        yield Fold(_part(data, train, cv), _part(data, test, cv), test)


def _splits(data: RankingData, cv: Any, given: IntArray | None) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield rows to train on and rows to leave out, rising."""
    if isinstance(cv, int | np.integer):
        check_whole("cv", cv, lowest=2)
        if data.n_queries > 1:
            yield from QueryKFold(int(cv)).split(data)
        else:  # shuffled, for documents often stand sorted by label
            one = KFold(min(int(cv), data.n_documents), shuffle=True, random_state=0)
            yield from one.split(np.empty(data.n_documents))
        return
    if hasattr(cv, "split") and not isinstance(cv, str):
        pairs, given = cv.split(data.X, data.y, data.qid), None
    else:
        pairs = _pairs(cv)
    query = _query_of_rows(data) if data.n_queries > 1 else np.arange(data.n_documents)
    for number, pair in enumerate(pairs):
        train, test = (_rows(each, given, data.n_documents) for each in pair)
        shared = np.intersect1d(query[train], query[test])
        if len(shared):
            what = f"query {data.query_ids[shared[0]]}" if data.n_queries > 1 else f"row {shared[0]}"
            raise ParameterError(f"cv: fold {number} trains on {what} and leaves it out; give folds of whole queries.")
        yield train, test


def _pairs(cv: Any) -> list[tuple[Any, Any]]:
    try:
        return [(train, test) for train, test in cv]
    except (TypeError, ValueError):
        raise ParameterError(
            f"cv={cv!r}: give a number of folds, a splitter of queries, or pairs of rows to train on and to leave out."
        ) from None


def _rows(rows: npt.ArrayLike, given: IntArray | None, n: int) -> IntArray:
    found = np.asarray(rows)
    found = np.flatnonzero(found) if found.dtype == bool and found.shape == (n,) else found
    if found.ndim != 1 or found.dtype.kind not in "iu" or not len(found) or found.min() < 0 or found.max() >= n:
        raise ParameterError(f"cv: a part of a fold is rows, whole numbers from 0 to {n - 1}, at least one.")
    return np.unique(found if given is None else given[found])


def _part(data: RankingData, rows: IntArray, cv: Any) -> RankingData:
    if data.n_queries == 1:
        return take_rows(data, rows)
    queries = np.unique(_query_of_rows(data)[rows])
    if data.query_sizes[queries].sum() != len(rows):
        raise ParameterError(f"cv={cv!r}: cuts queries; give folds of whole queries, such as gbrank.QueryKFold(5).")
    return data.take(queries)


def _query_of_rows(data: RankingData) -> IntArray:
    return np.repeat(np.arange(data.n_queries), data.query_sizes)
