"""`Run` and `Qrels`: scores and judgments of documents by query and document id, from and to other libraries' forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, as_vector
from .._groups import group_rows
from .._optional import optional_module
from ._ids import Strings, as_ids, first_repeat, hashes_of
from ._ranking_data import RankingData

# How libraries call the columns; the first is ours and that of ir_measures.
QUERY_NAMES = ("query_id", "query", "qid", "q_id")
DOC_NAMES = ("doc_id", "docid", "docno")
SCORE_NAMES = ("score",)
LABEL_NAMES = ("relevance", "label", "rel", "score")


@dataclass(frozen=True, eq=False, init=False, repr=False)
class _Table:
    """Documents of whole queries, each with one number."""

    query_ptr: IntArray
    query_ids: Strings
    doc_id: Strings
    name: str | None

    value_name: ClassVar[str]
    value_columns: ClassVar[tuple[str, ...]]

    def __init__(self, qid: Any, doc_id: Any, value: Any, *, name: str | None = None) -> None:
        self._set(qid, doc_id, value, name)

    def _set(self, qid: Any, doc_id: Any, value: Any, name: str | None) -> None:
        """Check and store what a constructor was given."""
        if name is not None and not isinstance(name, str):
            raise DataError(f"name={name!r}: must be a string, or None.")
        queries = as_ids("qid", qid)
        n = len(queries)
        if n == 0:
            raise DataError(f"there are no documents; a {type(self).__name__} has at least one.")
        documents = as_ids("doc_id", doc_id, length=n)
        numbers = _numbers(self.value_name, value, n)
        groups = group_rows(queries)
        if not groups.contiguous:
            documents, numbers = documents[groups.order], numbers[groups.order]
        twice = first_repeat(documents, hashes_of(documents), groups.query_ptr)
        if twice is not None:
            a, b = (int(groups.order[i]) for i in twice)
            raise DataError(
                f"doc_id: document {documents[twice[0]]!s} of query {queries[a]!s} is given twice, in rows {a} and "
                f"{b}; keep one of them."
            )
        self._store(groups.query_ptr, groups.query_ids, documents, numbers, name)

    def _store(
        self, query_ptr: IntArray, query_ids: Strings, doc_id: Strings, value: npt.NDArray[Any], name: str | None
    ) -> None:
        fields = {"query_ptr": query_ptr, "query_ids": query_ids, "doc_id": doc_id, self.value_name: value}
        for field, array in fields.items():
            object.__setattr__(self, field, array)
        object.__setattr__(self, "name", name)

    @classmethod
    def _of(cls, *fields: Any) -> Self:
        """Make one from fields that are known to be right."""
        table = object.__new__(cls)
        table._store(*fields)
        return table

    @property
    def _value(self) -> npt.NDArray[np.float64]:
        value: npt.NDArray[np.float64] = getattr(self, self.value_name)
        return value

    @property
    def n_queries(self) -> int:
        """Number of queries."""
        return len(self.query_ids)

    @property
    def n_documents(self) -> int:
        """Number of rows."""
        return len(self.doc_id)

    @property
    def query_sizes(self) -> IntArray:
        """Number of documents of each query."""
        return np.diff(self.query_ptr)

    @property
    def qid(self) -> Strings:
        """The query id of each row."""
        return np.repeat(self.query_ids, self.query_sizes)

    def __len__(self) -> int:
        return self.n_documents

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r}, "
        return f"{type(self).__name__}({name}{self.n_queries:,} queries, {self.n_documents:,} documents)"

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return {query id: {document id: number}}, as pytrec_eval, ranx and Hugging Face libraries take it.

        Labels are ints where all are whole, as these libraries want them.
        """
        documents, numbers, ptr = self.doc_id.tolist(), self._plain(), self.query_ptr.tolist()
        return {
            query: dict(zip(documents[a:b], numbers[a:b], strict=True))
            for query, a, b in zip(self.query_ids.tolist(), ptr, ptr[1:], strict=False)
        }

    def _plain(self) -> list[Any]:
        """Return the numbers as Python's."""
        numbers: list[Any] = self._value.tolist()
        return numbers

    @classmethod
    def from_dict(cls, values: Mapping[Any, Any], *, name: str | None = None) -> Self:
        """Make one from {query id: {document id: number}}, or from a mapping of columns.

        Parameters
        ----------
        values : mapping
            Nested as above; or columns of equal length, as ``{"query": [...], "docid": [...], "score": [...]}``, under
            any of the names that `from_frame` knows.
        name : str, optional

        Raises
        ------
        DataError
            Neither of the two forms, ids that print alike, or what the constructor refuses.
        """
        if not isinstance(values, Mapping) or not values:
            raise DataError(
                f"{cls.__name__}.from_dict: give {{query id: {{document id: number}}}}, not {values!r:.60}."
            )
        if not all(isinstance(documents, Mapping) for documents in values.values()):
            return cls._from_columns(values, name)
        queries = _distinct("query", values)
        sizes = [len(documents) for documents in values.values()]
        cls._check_sizes(queries, sizes)
        documents = [
            each
            for query, given in zip(queries, values.values(), strict=True)
            for each in _distinct("document", given, query)
        ]
        numbers = [number for given in values.values() for number in given.values()]
        return cls(np.repeat(np.array(queries, dtype=str), sizes), documents, numbers, name=name)

    @classmethod
    def _check_sizes(cls, queries: list[str], sizes: list[int]) -> None:
        """Raise a `DataError` where a query may not be empty."""

    @classmethod
    def _from_columns(cls, columns: Mapping[Any, Any], name: str | None) -> Self:
        given = []
        for what, known in (("query ids", QUERY_NAMES), ("document ids", DOC_NAMES), ("numbers", cls.value_columns)):
            found = [column for column in known if column in columns]
            if not found:
                raise DataError(
                    f"{cls.__name__}: no column of {what}; name one of {', '.join(map(str, columns))} {known[0]!r}."
                )
            given.append(columns[found[0]])
        return cls(*given, name=name)

    @classmethod
    def from_frame(cls, frame: Any, *, name: str | None = None) -> Self:
        """Make one from a DataFrame with a row for each document.

        Parameters
        ----------
        frame : DataFrame
            Columns ``query_id`` (or query, qid, q_id), ``doc_id`` (or docid, docno), and ``score`` for a run or
            ``relevance`` (or label, rel, score) for judgments: those of ir_measures, ranx and PyTerrier are known.
        name : str, optional

        Raises
        ------
        DataError
            A column is missing, or what the constructor refuses.
        """
        return cls._from_columns({column: frame[column].to_numpy() for column in frame.columns}, name)

    def to_frame(self) -> Any:
        """Return a DataFrame with the column names of ir_measures: query_id, doc_id, and score or relevance."""
        import pandas as pd

        value = np.array(self._plain())
        return pd.DataFrame({QUERY_NAMES[0]: self.qid, DOC_NAMES[0]: self.doc_id, self.value_columns[0]: value})

    @classmethod
    def from_ranx(cls, values: Any) -> Self:
        """Make one from ranx's object of the same name."""
        return cls.from_dict(values.to_dict(), name=values.name)

    def to_ranx(self) -> Any:
        """Return ranx's object of the same name.

        Raises
        ------
        DataError
            ranx is not installed.
        """
        return getattr(optional_module("ranx"), type(self).__name__)(self.to_dict(), name=self.name)

    @classmethod
    def from_ir_measures(cls, rows: Iterable[Any], *, name: str | None = None) -> Self:
        """Make one from an iterable of ir_measures' ScoredDoc (a run) or Qrel (judgments)."""
        rows = list(rows)
        field = cls.value_columns[0]
        columns = {each: [getattr(row, each) for row in rows] for each in (QUERY_NAMES[0], DOC_NAMES[0], field)}
        return cls._from_columns(columns, name)

    def _ir_measures(self, kind: str) -> list[Any]:
        make = getattr(optional_module("ir_measures"), kind)
        columns = (self.qid.tolist(), self.doc_id.tolist(), self._plain())
        return [make(*row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Run(_Table):
    """Scores that a system gave documents: what it retrieved for each query; immutable.

    Rows stand query by query, queries in order of first appearance, rows of a query in the order given.  A document
    that the run does not name was not retrieved.

    Parameters
    ----------
    qid : array-like of shape (n_documents,)
        The query of each row, in any order.  Ids are strings; whole numbers become their decimals.
    doc_id : array-like of shape (n_documents,)
        The document of each row; none twice in a query.
    score : array-like of shape (n_documents,)
        Finite numbers, the highest is ranked first.
    name : str, optional

    Attributes
    ----------
    query_ptr : int64 array of shape (n_queries + 1,)
        Query q holds the rows query_ptr[q]:query_ptr[q + 1].
    query_ids : str array of shape (n_queries,)
    doc_id : str array of shape (n_documents,)
    score : float64 array of shape (n_documents,)
    name : str or None

    Raises
    ------
    DataError
        Lengths differ, an id is empty or missing, a score is not finite, or a document is given twice for a query.

    Examples
    --------
    >>> run = Run(["b", "a", "b"], ["d1", "d1", "d7"], [0.5, 2.0, 0.7], name="dense")
    >>> run
    Run('dense', 2 queries, 3 documents)
    >>> run.to_dict()
    {'b': {'d1': 0.5, 'd7': 0.7}, 'a': {'d1': 2.0}}
    >>> Run.from_dict({"query": [7, 7], "docid": ["x", "y"], "score": [1, 2]}).to_dict()
    {'7': {'x': 1.0, 'y': 2.0}}
    """

    score: npt.NDArray[np.float64]

    value_name = "score"
    value_columns = SCORE_NAMES

    def __init__(
        self, qid: npt.ArrayLike, doc_id: npt.ArrayLike, score: npt.ArrayLike, *, name: str | None = None
    ) -> None:
        self._set(qid, doc_id, score, name)

    @classmethod
    def from_data(cls, data: RankingData, score: npt.ArrayLike, *, name: str | None = None) -> Run:
        """Make a run of scores in the row order of `data`, which has document ids."""
        return cls(data.qid, _doc_id(data), as_vector("score", score, length=data.n_documents), name=name)

    def to_ir_measures(self) -> list[Any]:
        """Return a list of ir_measures' ScoredDoc; a `DataError` if that library is not installed."""
        return self._ir_measures("ScoredDoc")


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Qrels(_Table):
    """Relevance judgments of documents by query and document id; immutable.

    Rows stand query by query, as those of `Run`.

    Parameters
    ----------
    qid, doc_id : array-like of shape (n_documents,)
        As those of `Run`.
    label : array-like of shape (n_documents,)
        Finite numbers.  -1 says that a document was pooled but not judged; -2, which the TREC Web tracks use for spam,
        counts as not mentioned at all, as in trec_eval.
    name : str, optional

    Attributes
    ----------
    query_ptr, query_ids, doc_id, name
        As those of `Run`.
    label : float64 array of shape (n_documents,)

    Raises
    ------
    DataError
        As `Run`.

    Examples
    --------
    >>> qrels = Qrels.from_dict({"q1": {"d1": 2, "d2": 0}, "q2": {"d1": 1}})
    >>> qrels.label.tolist(), qrels.query_ptr.tolist()
    ([2.0, 0.0, 1.0], [0, 2, 3])
    """

    label: npt.NDArray[np.float64]

    value_name = "label"
    value_columns = LABEL_NAMES

    def __init__(
        self, qid: npt.ArrayLike, doc_id: npt.ArrayLike, label: npt.ArrayLike, *, name: str | None = None
    ) -> None:
        self._set(qid, doc_id, label, name)

    @classmethod
    def from_data(cls, data: RankingData, *, name: str | None = None) -> Qrels:
        """Make judgments of the labels of `data`, which has document ids and one label column."""
        return cls(data.qid, _doc_id(data), labels_of(data), name=name)

    @classmethod
    def _check_sizes(cls, queries: list[str], sizes: list[int]) -> None:
        for query, size in zip(queries, sizes, strict=True):
            if size == 0:
                raise DataError(f"Qrels: query {query!r} has no documents; leave it out, or give its judgments.")

    def _plain(self) -> list[Any]:
        whole = bool(((self.label == np.floor(self.label)) & (np.abs(self.label) < 2.0**53)).all())
        labels: list[Any] = (self.label.astype(np.int64) if whole else self.label).tolist()
        return labels

    def to_ir_measures(self) -> list[Any]:
        """Return a list of ir_measures' Qrel; a `DataError` if that library is not installed."""
        return self._ir_measures("Qrel")


def _doc_id(data: RankingData) -> Strings:
    if data.doc_id is None:
        raise DataError("the data have no document ids; give RankingData a doc_id.")
    return data.doc_id


def labels_of(data: RankingData) -> npt.NDArray[np.float64]:
    """Return the labels of data with one label column."""
    if data.y.ndim != 1:
        raise DataError(f"y: there are {data.y.shape[1]} label columns; choose one by data.with_labels(data.y[:, j]).")
    return data.y


def _numbers(name: str, values: Any, length: int) -> npt.NDArray[np.float64]:
    """Return finite numbers; texts and truth values, which NumPy would take for numbers, are refused."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" and array.size:
        given: Sequence[Any] = array.ravel().tolist()
        bad = next((i for i, each in enumerate(given) if isinstance(each, bool | str | bytes) or each is None), None)
        if bad is not None:
            raise DataError(f"{name}: row {bad} is {given[bad]!r}; every value must be a number.")
    return as_vector(name, array, length=length).copy()


def _distinct(what: str, given: Iterable[Any], query: str | None = None) -> list[str]:
    """Return keys as ids."""
    of = "" if query is None else f" of query {query!r}"
    ids = []
    for key in given:
        if not isinstance(key, str | int | np.integer) or isinstance(key, bool):
            raise DataError(f"{key!r} is no id of a {what}{of}; ids are strings or whole numbers.")
        ids.append(str(key))
    if len(set(ids)) < len(ids):
        twice = Counter(ids).most_common(1)[0][0]
        raise DataError(f"two ids of a {what}{of} are {twice!r} as strings; make them distinct.")
    return ids
