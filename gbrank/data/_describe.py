"""`describe`: what a data set holds, and what in it deserves a second look before training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from ._ranking_data import RankingData

MOST_LABELS = 30  # distinct labels that are counted one by one
BLOCK = 1 << 22  # values looked at together, so that little memory is needed beside the matrix


@dataclass(frozen=True)
class Description:
    """Facts of a data set; made by `describe`.  Facts of labels are those of the first label column.

    Attributes
    ----------
    queries, documents, features, label_columns : int
    documents_per_query : dict of str to float
        "min", "median", "mean" and "max".
    labels : dict of float to int
        Number of documents of each label, ascending; empty where there are more than 30 different labels.
    label_range : tuple of float
        Lowest and highest label.
    one_document : int
        Queries of a single document.
    one_grade : int
        Queries whose documents all have one label, those of a single document among them: no order is wrong there.
    nothing_relevant : int
        Queries without a label above 0.
    label_sorted : int
        Queries of several grades whose rows stand by label, highest first.  A model that ties documents then looks
        good wherever ties are left in the order of rows.
    missing, features_with_missing : int
        Values of `X` that are NaN, and features that have any.
    constant_features : tuple of str
        Features with the same value in every row (or missing in every row); no tree can use them.
    duplicate_documents : int, optional
        Documents whose id occurs before in their query; None without document ids.
    stored_share : float, optional
        Share of the values that a sparse `X` stores; None where it is dense.
    """

    queries: int
    documents: int
    features: int
    label_columns: int
    documents_per_query: dict[str, float]
    labels: dict[float, int]
    label_range: tuple[float, float]
    one_document: int
    one_grade: int
    nothing_relevant: int
    label_sorted: int
    missing: int
    features_with_missing: int
    constant_features: tuple[str, ...]
    duplicate_documents: int | None
    stored_share: float | None

    @property
    def several_grades(self) -> int:
        """Queries with at least two different labels: those from which an order can be learnt."""
        return self.queries - self.one_grade

    @property
    def label_shares(self) -> dict[float, float]:
        """Share of the documents that have each label."""
        return {label: count / self.documents for label, count in self.labels.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain values for JSON."""
        facts = dataclasses.asdict(self)
        facts["labels"] = {f"{label:g}": count for label, count in self.labels.items()}
        return facts | {"label_range": list(self.label_range), "constant_features": list(self.constant_features)}

    def facts(self) -> dict[str, str]:
        """Return each fact in words with its value as text."""
        sizes, low_high = self.documents_per_query, self.label_range
        facts = {
            "queries": f"{self.queries:,}",
            "documents": f"{self.documents:,}",
            "features": f"{self.features:,}",
            "documents per query, fewest": f"{sizes['min']:,.0f}",
            "documents per query, median": f"{sizes['median']:,.1f}",
            "documents per query, mean": f"{sizes['mean']:,.1f}",
            "documents per query, most": f"{sizes['max']:,.0f}",
        }
        for label, count in self.labels.items():
            facts[f"documents with label {label:g}"] = counted(count, self.documents)
        if not self.labels:
            facts["labels"] = f"{low_high[0]:g} to {low_high[1]:g}"
        if self.label_columns > 1:
            facts["label columns (the first is described)"] = f"{self.label_columns}"
        facts |= {
            "queries with one document": counted(self.one_document, self.queries),
            "queries with one label only": counted(self.one_grade, self.queries),
            "queries with nothing relevant": counted(self.nothing_relevant, self.queries),
            "queries with rows sorted by label": counted(self.label_sorted, self.several_grades),
            "missing values": counted(self.missing, self.documents * self.features),
            "features with missing values": f"{self.features_with_missing:,}",
            "constant features": f"{len(self.constant_features):,}",
        }
        if self.duplicate_documents is not None:
            facts["repeated document ids in a query"] = f"{self.duplicate_documents:,}"
        if self.stored_share is not None:
            facts["values stored (sparse)"] = f"{self.stored_share:.1%}"
        return facts

    def __str__(self) -> str:
        facts = self.facts()
        width = max(map(len, facts))
        return "\n".join(f"{words:<{width}}  {value}" for words, value in facts.items())


def counted(count: int, of: int) -> str:
    """Return a count with its share.

    Examples
    --------
    >>> counted(3, 12), counted(0, 12), counted(1, 4000)
    ('3 (25.0%)', '0', '1 (<0.1%)')
    """
    if not count or not of:
        return f"{count:,}"
    share = count / of
    return f"{count:,} (<0.1%)" if share < 0.0005 else f"{count:,} ({share:.1%})"


def describe(data: RankingData) -> Description:
    """Return the facts of a data set.

    Parameters
    ----------
    data : RankingData

    Returns
    -------
    Description

    Examples
    --------
    >>> data = RankingData([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], [1, 0, 0], qid=["a", "a", "b"])
    >>> facts = describe(data)
    >>> facts.labels, facts.one_document, facts.nothing_relevant, facts.label_sorted, facts.constant_features
    ({0.0: 2, 1.0: 1}, 1, 1, 1, ('f2',))
    """
    y = (data.y if data.y.ndim == 1 else data.y[:, 0]) + 0.0  # no "-0"
    starts, sizes = data.query_ptr[:-1], data.query_sizes
    highest, lowest = np.maximum.reduceat(y, starts), np.minimum.reduceat(y, starts)
    labels, counts = np.unique(y, return_counts=True)
    missing, constant = look_at_columns(data.X)
    return Description(
        queries=data.n_queries,
        documents=data.n_documents,
        features=data.n_features,
        label_columns=1 if data.y.ndim == 1 else data.y.shape[1],
        documents_per_query={
            "min": float(sizes.min()),
            "median": float(np.median(sizes)),
            "mean": float(sizes.mean()),
            "max": float(sizes.max()),
        },
        labels=dict(zip(labels.tolist(), counts.tolist(), strict=True)) if len(labels) <= MOST_LABELS else {},
        label_range=(float(labels[0]), float(labels[-1])),
        one_document=int((sizes == 1).sum()),
        one_grade=int((highest == lowest).sum()),
        nothing_relevant=int((highest <= 0).sum()),
        label_sorted=int((falls_only(y, data.query_ptr) & (highest > lowest)).sum()),
        missing=int(missing.sum()),
        features_with_missing=int((missing > 0).sum()),
        constant_features=tuple(name for name, same in zip(data.feature_names, constant, strict=True) if same),
        duplicate_documents=None if data.doc_id is None else repeated(data.doc_id, data.query_ptr),
        stored_share=data.X.nnz / max(1, data.n_documents * data.n_features) if sp.issparse(data.X) else None,
    )


def falls_only(y: npt.NDArray[np.float64], query_ptr: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell for each query whether no row has a higher label than the row before it."""
    rises = np.concatenate(([False], y[1:] > y[:-1]))
    rises[query_ptr[:-1]] = False
    return np.logical_not(np.logical_or.reduceat(rises, query_ptr[:-1]))


def repeated(doc_id: npt.NDArray[Any], query_ptr: npt.NDArray[np.int64]) -> int:
    """Return the number of documents whose id occurs before in their query."""
    query = np.repeat(np.arange(len(query_ptr) - 1), np.diff(query_ptr))
    code = np.unique(doc_id, return_inverse=True)[1]
    return len(code) - len(np.unique(query * len(code) + code))


def look_at_columns(X: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return, for each column, the number of missing values and whether all rows are the same."""
    rows, columns = X.shape
    if sp.issparse(X):
        missing = np.bincount(X.indices[np.isnan(X.data)], minlength=columns).astype(np.int64)
        low, high = (np.asarray(extreme.todense()).reshape(-1) for extreme in (X.nanmin(axis=0), X.nanmax(axis=0)))
    else:
        missing = np.zeros(columns, np.int64)
        low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
        step = max(1, BLOCK // max(1, columns))
        for block in (X[start : start + step] for start in range(0, rows, step)):
            missing += np.isnan(block).sum(axis=0)
            low = np.fmin(low, np.fmin.reduce(block, axis=0))
            high = np.fmax(high, np.fmax.reduce(block, axis=0))
    return missing, (missing == rows) | ((missing == 0) & (low == high))
