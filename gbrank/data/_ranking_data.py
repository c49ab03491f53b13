"""`RankingData`: documents in whole queries, the currency that every room takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError, IntArray, as_vector, as_weights
from .._groups import Groups, group_rows
from ._pairs import check_pairs, take_pairs

OPTIONAL = ("doc_id", "position", "sample_weight", "query_weight", "pairs", "pair_weight")
BLOCK = 1 << 22  # values looked at together, so that checks need little memory beside the matrix


@dataclass(frozen=True, eq=False, init=False, repr=False)
class RankingData:
    """Documents with features, labels and whole queries; immutable.

    Rows stand query by query, queries in order of first appearance, rows of a query in the order given.
    Labels are not judged here: what a label may be is said by the objective or measure that uses it.

    Parameters
    ----------
    X : array, sparse array or DataFrame of shape (n_documents, n_features)
        Numbers; NaN means missing, infinity is refused.  float32 and float64 stay as they are, other
        numbers become float64; sparse input becomes CSR, where what is not stored is 0.
    y : array-like of shape (n_documents,) or (n_documents, n_labels)
        Labels, finite.
    qid : array-like of shape (n_documents,)
        Query ids: whole 64-bit numbers or strings, in any order.
    doc_id : array-like of str of shape (n_documents,), optional
        Document ids.
    position : array-like of int of shape (n_documents,), optional
        The rank, from 1, at which the document was shown when the label was observed.
    sample_weight : array-like of shape (n_documents,), optional
        Weight of each document: it multiplies the document's own terms (of a pair: the product of both).
    query_weight : array-like of shape (n_queries,) or mapping from query id, optional
        Weight of each query, in order of first appearance: it multiplies all terms of the query.
    pairs : array-like of int of shape (n_pairs, 2), optional
        Preferences that objectives for pairs learn from: the rows, as given and counted from 0, of the preferred and of
        the other document, two documents of one query.  Kept as rows of this object, see below.
    pair_weight : array-like of shape (n_pairs,), optional
        Weight of each pair, 0 or more; 1 by default.
    feature_names : sequence of str, optional
        Distinct names; those of a DataFrame by default, else ``f1``, ``f2``, ... as LETOR counts.

    Attributes
    ----------
    query_ptr : int64 array of shape (n_queries + 1,)
        Query q holds the rows ``query_ptr[q]:query_ptr[q + 1]``; no query is empty.
    query_ids : int64 or str array of shape (n_queries,)
    order : int64 array of shape (n_documents,)
        The row, as given, that now stands in each place.
    pairs : int64 array of shape (n_pairs, 2) or None
        Rows of this object: document ``order[pairs[k, 0]]`` as given is preferred.  Pairs stand query by query, those
        of a query in the order given, and `pair_weight` with them, so that query q has the pairs
        ``pair_ptr[q]:pair_ptr[q + 1]`` with ``pair_ptr = np.searchsorted(pairs[:, 0], query_ptr)``.

    Raises
    ------
    DataError
        Unequal lengths, no documents, values that are not finite numbers (NaN in `X` excepted), repeated names, a pair
        that is not two documents of one query.

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
    feature_names: tuple[str, ...]

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
        feature_names: Sequence[str] | None = None,
    ) -> None:
        X, names = check_features(X, feature_names)
        groups = group_rows(qid)
        n = len(groups.order)
        if X.shape[0] != n:
            raise DataError(f"X has {X.shape[0]} rows and qid {n}; each document needs both.")
        if n == 0:
            raise DataError("there are no documents; give at least one row.")
        fields: dict[str, Any] = {
            "X": X,
            "y": _labels(y, n),
            "doc_id": None if doc_id is None else _document_ids(doc_id, n),
            "position": None if position is None else _positions(position, n),
            "sample_weight": None if sample_weight is None else as_weights("sample_weight", sample_weight, n),
        }
        if not groups.contiguous:
            fields = {name: None if value is None else value[groups.order] for name, value in fields.items()}
        fields["query_weight"] = None if query_weight is None else _query_weights(query_weight, groups)
        fields["pairs"], fields["pair_weight"] = check_pairs(pairs, pair_weight, groups)
        fields |= {"query_ptr": groups.query_ptr, "query_ids": groups.query_ids, "order": groups.order}
        for name, value in (fields | {"feature_names": names}).items():
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
        chosen = self._query_numbers(queries)
        query_ptr, rows = _runs(self.query_ptr, chosen)
        fields = self._fields()
        for name in ("X", "y", "order", "doc_id", "position", "sample_weight"):
            fields[name] = None if fields[name] is None else fields[name][rows]
        for name in ("query_ids", "query_weight"):
            fields[name] = None if fields[name] is None else fields[name][chosen]
        if self.pairs is not None:
            _, at = _runs(np.searchsorted(self.pairs[:, 0], self.query_ptr), chosen)
            fields["pairs"] = take_pairs(self.pairs, at, rows, self.n_documents)
            fields["pair_weight"] = None if self.pair_weight is None else self.pair_weight[at]
        return self._of(**fields | {"query_ptr": query_ptr})

    def _query_numbers(self, queries: npt.ArrayLike) -> IntArray:
        chosen = np.asarray(queries)
        if chosen.dtype.kind == "b":
            if chosen.shape != (self.n_queries,):
                raise DataError(f"queries: a mask of shape {chosen.shape} for {self.n_queries} queries.")
            chosen = np.flatnonzero(chosen)
        if chosen.ndim != 1 or len(chosen) == 0 or chosen.dtype.kind not in "iu":
            raise DataError("queries: choose at least one query, by whole numbers or by a mask.")
        if chosen.min() < 0 or chosen.max() >= self.n_queries:
            raise DataError(f"queries: numbers run from 0 to {self.n_queries - 1}, not to {chosen.max()}.")
        if len(np.unique(chosen)) != len(chosen):
            raise DataError("queries: a query is chosen twice; weight it with query_weight instead.")
        return chosen.astype(np.int64)

    def with_labels(self, y: npt.ArrayLike) -> RankingData:
        """Return the same documents with other labels, given in this object's row order."""
        return replace_fields(self, y=_labels(y, self.n_documents))


def _runs(ptr: IntArray, chosen: IntArray) -> tuple[IntArray, IntArray]:
    """Return the offsets of the chosen runs once they stand one after the other, and what stood in each place."""
    sizes = np.diff(ptr)[chosen]
    new_ptr = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return new_ptr, np.repeat(ptr[chosen] - new_ptr[:-1], sizes) + np.arange(new_ptr[-1])


def replace_fields(data: RankingData, **fields: Any) -> RankingData:
    """Return `data` with some fields replaced by values that are known to be right."""
    return RankingData._of(**data._fields() | fields)


def concat(parts: Sequence[RankingData], *, shared_queries: str = "refuse") -> RankingData:
    """Put data sets one after the other.

    Parameters
    ----------
    parts : sequence of RankingData
        With the same feature names and optional fields; ids of one kind (whole numbers or strings).
    shared_queries : {"refuse", "merge"}
        What happens to a query id that two parts use: an error that names it (the same number often means
        another query in another file), or one query with the documents of all parts in order.

    Returns
    -------
    RankingData
        `order` counts the rows of the parts, one after the other, as they stand in the parts; `pairs` name the same
        documents as before.

    Raises
    ------
    DataError
        The parts differ in feature names, fields or kind of id, or share an id that is refused.
    """
    parts = list(parts)
    if shared_queries not in ("refuse", "merge"):
        raise DataError(f"shared_queries={shared_queries!r}: choose 'refuse' or 'merge'.")
    if not parts:
        raise DataError("concat: give at least one data set.")
    _require_alike(parts)
    ids = np.concatenate([part.query_ids for part in parts])
    distinct, count = np.unique(ids, return_counts=True)
    shared = bool((count > 1).any())
    if shared and shared_queries == "refuse":
        raise DataError(
            f"concat: query {distinct[count > 1][0]} is in more than one part. If it is the same query, pass "
            "shared_queries='merge'; if not, make the ids distinct, for example as strings with a prefix."
        )
    if shared and parts[0].query_weight is not None:
        raise DataError("concat: merged queries cannot keep query_weight; set it after merging.")

    def joined(name: str) -> Any:
        if getattr(parts[0], name) is None:
            return None
        return np.concatenate([getattr(part, name) for part in parts])

    sparse = sp.issparse(parts[0].X)
    X = sp.vstack([part.X for part in parts], format="csr") if sparse else joined("X")
    fields = {name: joined(name) for name in ("y", "qid", *OPTIONAL) if name != "pairs"}
    return RankingData(X, **fields, pairs=_joined_pairs(parts), feature_names=parts[0].feature_names)


def _joined_pairs(parts: list[RankingData]) -> IntArray | None:
    """Return the pairs of all parts as rows of the parts one after the other."""
    starts = np.cumsum([0, *(part.n_documents for part in parts[:-1])])
    pairs = [part.pairs + start for part, start in zip(parts, starts, strict=True) if part.pairs is not None]
    return np.concatenate(pairs) if pairs else None


def _require_alike(parts: list[RankingData]) -> None:
    first = parts[0]
    for number, part in enumerate(parts[1:], 1):
        if part.feature_names != first.feature_names:
            raise DataError(
                f"concat: part {number} has {part.n_features} features and part 0 {first.n_features}, or other "
                "names; read the files with the same n_features."
            )
        if part.query_ids.dtype.kind != first.query_ids.dtype.kind:
            raise DataError(f"concat: query ids are numbers in one part and strings in another (part {number}).")
        if sp.issparse(part.X) != sp.issparse(first.X) or part.y.shape[1:] != first.y.shape[1:]:
            raise DataError(f"concat: part {number} is not of the form of part 0 (dense or sparse, label columns).")
        for name in OPTIONAL:
            if (getattr(part, name) is None) != (getattr(first, name) is None):
                raise DataError(f"concat: {name} is given in only one of part 0 and part {number}.")


def check_features(X: Any, feature_names: Sequence[str] | None = None) -> tuple[Any, tuple[str, ...]]:
    """Return a feature matrix as a float ndarray or CSR array, and its column names.

    Raises
    ------
    DataError
        Not two-dimensional, not numbers, infinite, or names that are repeated or too few.
    """
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        feature_names = [str(name) for name in X.columns] if feature_names is None else feature_names
        X = _from_frame(X)
    if sp.issparse(X):
        X = sp.csr_array(X)
        X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
        require_no_infinity(X.data)
    else:
        X = _dense(X)
    if X.shape[1] == 0:
        raise DataError("X: has no columns; give at least one feature.")
    if feature_names is None:
        return X, numbered(X.shape[1])
    names = tuple(map(str, feature_names))
    if len(names) != X.shape[1] or len(set(names)) != len(names):
        raise DataError(f"feature_names: {len(set(names))} distinct names for {X.shape[1]} columns.")
    return X, names


def numbered(n_features: int) -> tuple[str, ...]:
    """Return the names of features that have none of their own: f1, f2, ..., as LETOR counts."""
    return tuple(f"f{i}" for i in range(1, n_features + 1))


def _dense(X: Any) -> npt.NDArray[Any]:
    try:
        matrix: npt.NDArray[Any] = np.asarray(X)
        matrix = matrix if matrix.dtype in (np.float32, np.float64) else matrix.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"X: every value must be a number ({error}).") from None
    if matrix.ndim != 2:
        raise DataError(f"X: must have two dimensions (documents, features), not the shape {matrix.shape}.")
    matrix = np.ascontiguousarray(matrix)
    require_no_infinity(matrix)
    return matrix


def _from_frame(frame: Any) -> npt.NDArray[Any]:
    for name, dtype in frame.dtypes.items():
        if getattr(dtype, "kind", "O") not in "iufb":
            raise DataError(f"X: column {name!r} is of type {dtype}; encode it as numbers first.")
    if len(set(frame.dtypes)) == 1 and frame.dtypes.iloc[0] == np.float32:
        return np.asarray(frame.to_numpy())
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def require_no_infinity(values: npt.NDArray[Any]) -> None:
    """Raise a `DataError` that names the first infinite feature value; NaN means missing and is allowed."""
    flat = values.reshape(-1)
    width = values.shape[1] if values.ndim == 2 else 1
    for start in range(0, flat.size, BLOCK):
        bad = np.isinf(flat[start : start + BLOCK])
        if bad.any():
            row, column = divmod(start + int(np.argmax(bad)), width)
            where = f"row {row}, column {column}" if values.ndim == 2 else f"stored value {row}"
            raise DataError(f"X: {where} is infinite; use NaN for a missing value.")


def _labels(y: npt.ArrayLike, n: int) -> npt.NDArray[np.float64]:
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] > 1:
        if len(values) != n:
            raise DataError(f"y: {len(values)} rows for {n} documents; give one for each.")
        columns = [as_vector(f"y (label column {j})", values[:, j]) for j in range(values.shape[1])]
        return np.stack(columns, axis=1)
    return as_vector("y", values[:, 0] if values.ndim == 2 else values, length=n)


def _document_ids(doc_id: npt.ArrayLike, n: int) -> npt.NDArray[Any]:
    ids = np.asarray(doc_id)
    ids = ids if ids.dtype.kind == "U" else ids.astype(str)
    if ids.shape != (n,):
        raise DataError(f"doc_id: shape {ids.shape} for {n} documents; give one id for each.")
    return ids


def _positions(position: npt.ArrayLike, n: int) -> IntArray:
    values = as_vector("position", position, length=n)
    bad = (values < 1) | (values != np.floor(values))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"position: row {row} is {values[row]:g}; positions are whole ranks from 1.")
    return values.astype(np.int64)


def _query_weights(weights: npt.ArrayLike | Mapping[Any, float], groups: Groups) -> npt.NDArray[np.float64]:
    ids = groups.query_ids.tolist()
    if isinstance(weights, Mapping):
        missing = [i for i in ids if i not in weights]
        if missing:
            raise DataError(f"query_weight: no weight for query {missing[0]!r}; give one for each query.")
        weights = [weights[i] for i in ids]
    return as_weights("query_weight", weights, len(ids), of="queries")
