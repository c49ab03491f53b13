"""`RankingData`: documents in whole queries, the currency that every room takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, as_positions, as_vector, as_weights
from .._groups import Groups, canonical_ids, chosen_groups, group_rows, runs_of
from ._categories import Categories
from ._features import check_features
from ._index import has_own_index, require_aligned
from ._pairs import check_pairs, take_pairs

OPTIONAL = ("doc_id", "position", "sample_weight", "query_weight", "pairs", "pair_weight", "init_score")


@dataclass(frozen=True, eq=False, init=False, repr=False)
class RankingData:
    """Documents with features, labels and whole queries; immutable.

    Rows stand query by query, queries in order of first appearance, rows of a query in the order given.
    Labels are not judged here: what a label may be is said by the objective or measure that uses it.

    Parameters
    ----------
    X : array, sparse array or DataFrame of shape (n_documents, n_features)
        Numbers; NaN means missing, infinity is refused.  float32 and float64 stay as they are, other
        numbers become float64; sparse input becomes CSR, where what is not stored is 0.  Columns of a DataFrame that
        hold categories or text become codes, see `categories`.
    y : array-like of shape (n_documents,) or (n_documents, n_labels)
        Labels, finite.
    qid : array-like of shape (n_documents,)
        Query ids: whole 64-bit numbers or strings, in any order.
    doc_id : array-like of str of shape (n_documents,), optional
        Document ids.
    position : array-like of int of shape (n_documents,), optional
        The rank, from 1, at which the document was shown when the label was observed.  Ranks may be missing, or stand
        twice in a query, whose rows may be a sample or of several sessions; `gbrank.ClickLog` refuses both.
    sample_weight : array-like of shape (n_documents,), optional
        Weight of each document: it multiplies the document's own terms (of a pair: the product of both).
    query_weight : array-like of shape (n_queries,) or mapping from query id, optional
        Weight of each query, in order of first appearance: it multiplies all terms of the query.  A Series is read by
        its index, as a mapping, if that is other than 0, 1, 2, ... by default.
    pairs : array-like of int of shape (n_pairs, 2), optional
        Preferences that objectives for pairs learn from: the rows, as given and counted from 0, of the preferred and of
        the other document, two documents of one query.  Kept as rows of this object, see below.
    pair_weight : array-like of shape (n_pairs,), optional
        Weight of each pair, 0 or more; 1 by default.
    init_score : array-like of shape (n_documents,) or (n_documents, n_outputs), optional
        The score from which boosting starts for each document, such as another model's; see `gbrank.GBRanker.fit`.
    feature_names : sequence of str, optional
        Distinct names; those of a DataFrame by default, else ``f1``, ``f2``, ... as LETOR counts.

    Attributes
    ----------
    query_ptr : int64 array of shape (n_queries + 1,)
        Query q holds the rows ``query_ptr[q]:query_ptr[q + 1]``; no query is empty.
    query_ids : int64 or str array of shape (n_queries,)
    order : int64 array of shape (n_documents,)
        The row, as given, that now stands in each place.
    categories : dict of str to array
        What the codes stand for in each column of `X` that a DataFrame gave as categories or text: code k of column
        `name` is the category ``categories[name][k]``, a text or a whole number, and NaN a missing one.
    pairs : int64 array of shape (n_pairs, 2) or None
        Rows of this object: document ``order[pairs[k, 0]]`` as given is preferred.  Pairs stand query by query, those
        of a query in the order given, and `pair_weight` with them, so that query q has the pairs
        ``pair_ptr[q]:pair_ptr[q + 1]`` with ``pair_ptr = np.searchsorted(pairs[:, 0], query_ptr)``.

    Raises
    ------
    DataError
        Unequal lengths, no documents, values that are not finite numbers (NaN in `X` excepted), repeated names, a pair
        that is not two documents of one query; a Series whose index holds the labels of the frame `X` in another order.

    Examples
    --------
    >>> data = RankingData([[1.0], [2.0], [3.0]], [0, 1, 2], qid=["b", "a", "b"])
    >>> data.query_ids.tolist(), data.query_ptr.tolist(), data.order.tolist()
    (['b', 'a'], [0, 2, 3], [0, 2, 1])
    >>> data.take([1]).y.tolist()
    [1.0]
    >>> RankingData([[1.0], [2.0], [3.0]], [0, 0, 0], qid=["b", "a", "b"], pairs=[[2, 0]]).pairs.tolist()
    [[1, 0]]
    """

    X: Any
    y: npt.NDArray[np.float64]
    query_ptr: IntArray
    query_ids: npt.NDArray[Any]
    order: IntArray
    doc_id: npt.NDArray[Any] | None
    position: IntArray | None
    sample_weight: npt.NDArray[np.float64] | None
    query_weight: npt.NDArray[np.float64] | None
    pairs: IntArray | None
    pair_weight: npt.NDArray[np.float64] | None
    init_score: npt.NDArray[np.float64] | None
    feature_names: tuple[str, ...]
    categories: Categories

    def __init__(
        self,
        X: Any,
        y: npt.ArrayLike,
        qid: npt.ArrayLike,
        *,
        doc_id: npt.ArrayLike | None = None,
        position: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        query_weight: npt.ArrayLike | Mapping[Any, float] | None = None,
        pairs: npt.ArrayLike | None = None,
        pair_weight: npt.ArrayLike | None = None,
        init_score: npt.ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        by_row = {"y": y, "qid": qid, "doc_id": doc_id, "position": position}
        require_aligned(X, by_row | {"sample_weight": sample_weight, "init_score": init_score})
        X, names, categories = check_features(X, feature_names)
        groups = group_rows(qid)
        n = len(groups.order)
        if X.shape[0] != n:
            raise DataError(f"X has {X.shape[0]} rows and qid {n}; each document needs both.")
        if n == 0:
            raise DataError("there are no documents; give at least one row.")
        fields: dict[str, Any] = {
            "X": X,
            "y": _columns("y", y, n, "label column"),
            "doc_id": None if doc_id is None else _document_ids(doc_id, n),
            "position": None if position is None else as_positions(position, n),
            "sample_weight": None if sample_weight is None else as_weights("sample_weight", sample_weight, n),
            "init_score": None if init_score is None else _columns("init_score", init_score, n),
        }
        if not groups.contiguous:
            fields = {name: None if value is None else value[groups.order] for name, value in fields.items()}
        fields["query_weight"] = None if query_weight is None else _query_weights(query_weight, groups)
        fields["pairs"], fields["pair_weight"] = check_pairs(pairs, pair_weight, groups)
        fields |= {"query_ptr": groups.query_ptr, "query_ids": groups.query_ids, "order": groups.order}
        for name, value in (fields | {"feature_names": names, "categories": categories}).items():
            object.__setattr__(self, name, value)

    @classmethod
    def _of(cls, **fields: Any) -> RankingData:
        """Make one from fields that are known to be right."""
        data = object.__new__(cls)
        for name, value in fields.items():
            object.__setattr__(data, name, value)
        return data

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def n_documents(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def n_queries(self) -> int:
        """Number of queries."""
        return len(self.query_ids)

    @property
    def n_features(self) -> int:
        """Number of columns of `X`."""
        return int(self.X.shape[1])

    @property
    def query_sizes(self) -> IntArray:
        """Number of documents of each query."""
        return np.diff(self.query_ptr)

    @property
    def qid(self) -> npt.NDArray[Any]:
        """The query id of each row."""
        return np.repeat(self.query_ids, self.query_sizes)

    def __len__(self) -> int:
        return self.n_documents

    def __repr__(self) -> str:
        extra = [name for name in OPTIONAL if getattr(self, name) is not None]
        more = f", with {', '.join(extra)}" if extra else ""
        return (
            f"RankingData({self.n_queries:,} queries, {self.n_documents:,} documents, "
            f"{self.n_features:,} features{more})"
        )

    def take(self, queries: npt.ArrayLike) -> RankingData:
        """Return the chosen whole queries with every field, and with the pairs of these queries.

        Parameters
        ----------
        queries : array-like of int, or bool array of shape (n_queries,)
            Which queries, by number (0 is the first), in the order wanted; none twice.

        Raises
        ------
        DataError
            A number is out of range or repeated, or no query is chosen.
        """
        chosen = chosen_groups("queries", queries, self.n_queries, twice="weight it with query_weight instead")
        query_ptr, rows = runs_of(self.query_ptr, chosen)
        fields = self._fields()
        for name in ("X", "y", "order", "doc_id", "position", "sample_weight", "init_score"):
            fields[name] = None if fields[name] is None else fields[name][rows]
        for name in ("query_ids", "query_weight"):
            fields[name] = None if fields[name] is None else fields[name][chosen]
        if self.pairs is not None:
            _, at = runs_of(np.searchsorted(self.pairs[:, 0], self.query_ptr), chosen)
            fields["pairs"] = take_pairs(self.pairs, at, rows, self.n_documents)
            fields["pair_weight"] = None if self.pair_weight is None else self.pair_weight[at]
        return self._of(**fields | {"query_ptr": query_ptr})

    def with_labels(self, y: npt.ArrayLike) -> RankingData:
        """Return the same documents with other labels, given in this object's row order."""
        return replace_fields(self, y=_columns("y", y, self.n_documents, "label column"))


def replace_fields(data: RankingData, **fields: Any) -> RankingData:
    """Return `data` with some fields replaced by values that are known to be right."""
    return RankingData._of(**data._fields() | fields)


def _columns(name: str, given: npt.ArrayLike, n: int, one: str = "column") -> npt.NDArray[np.float64]:
    """Return numbers of documents, a single column of them as a vector."""
    values = np.asarray(given)
    if values.ndim == 2 and values.shape[1] > 1:
        if len(values) != n:
            raise DataError(f"{name}: {len(values)} rows for {n} documents; give one for each.")
        columns = [as_vector(f"{name} ({one} {j})", values[:, j]) for j in range(values.shape[1])]
        return np.stack(columns, axis=1)
    return as_vector(name, values[:, 0] if values.ndim == 2 else values, length=n)


def _document_ids(doc_id: npt.ArrayLike, n: int) -> npt.NDArray[Any]:
    ids = np.asarray(doc_id)
    ids = ids if ids.dtype.kind == "U" else ids.astype(str)
    if ids.shape != (n,):
        raise DataError(f"doc_id: shape {ids.shape} for {n} documents; give one id for each.")
    return ids


def _query_weights(weights: Any, groups: Groups) -> npt.NDArray[np.float64]:
    ids = groups.query_ids.tolist()
    if has_own_index(weights):
        index, values = canonical_ids(weights.index), as_vector("query_weight", weights)
        if len(np.unique(index)) != len(index):
            raise DataError("query_weight: its index holds a query twice; give each query one weight.")
        weights = dict(zip(index.tolist(), values.tolist(), strict=True))
    if isinstance(weights, Mapping):
        missing = [i for i in ids if i not in weights]
        if missing:
            raise DataError(f"query_weight: no weight for query {missing[0]!r}; give one for each query.")
        weights = [weights[i] for i in ids]
    elif np.ndim(weights) == 1 and len(weights) != len(ids):
        raise DataError(
            f"query_weight: {len(weights)} values for {len(ids)} queries; give one for each, or a mapping from query "
            "id, of which a part of the data takes its own."
        )
    return as_weights("query_weight", weights, len(ids), of="queries")
