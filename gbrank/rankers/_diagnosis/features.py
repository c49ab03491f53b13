"""Findings about features: those that cannot be split, and those that know too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .result import Finding, counted, named
from .subject import Subject

BLOCK = 1 << 22  # values looked at together
FEWEST = 20  # comparisons, below which a feature may be right by chance
NEARLY_ALL = 0.99


@dataclass
class Columns:
    """What was seen of each column, by number.

    Attributes
    ----------
    constant : list of int
        One value everywhere, or missing everywhere.
    of_query : list of int
        Not constant, but so within every query.
    unsplittable : list of int
        Not constant, but no threshold leaves enough documents on both sides.
    same : dict of int to int
        Column to the first column of the same values.
    rows, places, queries : list of int
        Columns that rise or fall with the row number, with the row's place in its query, with the query's id
        or its number.
    labels : dict of int to float
        Columns that alone put labels in order, with the share of comparisons that are right.
    """

    constant: list[int] = field(default_factory=list)
    of_query: list[int] = field(default_factory=list)
    unsplittable: list[int] = field(default_factory=list)
    same: dict[int, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)
    labels: dict[int, float] = field(default_factory=dict)


class Looking:
    """One pass over the columns."""

    def __init__(self, subject: Subject, least: int) -> None:
        data = subject.data
        self.least, self.seen, self.hashes = least, Columns(), dict[int, list[int]]()
        self.within = np.ones(data.n_documents - 1, bool)  # from one row to the next of the same query
        self.within[data.query_ptr[1:-1] - 1] = False
        self.starts = data.query_ptr[:-1]
        self.by_id = self.starts[np.argsort(data.query_ids, kind="stable")]
        self.columns = _columns(data.X)
        # Rows by query and label, best first: groups of equal labels, each to be compared with the next of its query.
        self.order = np.lexsort((-subject.y, subject.query))
        y, query = subject.y[self.order], subject.query[self.order]
        self.groups = np.flatnonzero(np.concatenate(([True], (y[1:] != y[:-1]) | (query[1:] != query[:-1]))))
        of_group = query[self.groups]
        self.compared = np.flatnonzero(of_group[1:] == of_group[:-1])
        self.in_order = bool((self.order == np.arange(len(y))).all())

    def run(self) -> Columns:
        """Look at each column."""
        for number, column in enumerate(self.columns):
            self._look(number, column)
        return self.seen

    def _look(self, number: int, column: npt.NDArray[Any]) -> None:
        missing = bool(np.isnan(column).any())
        rises, falls = column[1:] > column[:-1], column[1:] < column[:-1]
        moves = rises | falls
        if missing:
            absent = np.isnan(column)
            moves |= absent[1:] != absent[:-1]
        if not moves.any():
            self.seen.constant.append(number)
            return
        if self.least > 1 and not self._splits(column, missing):
            self.seen.unsplittable.append(number)
        self._compare(number, column)
        if not (moves & self.within).any():
            self.seen.of_query.append(number)
            if len(self.starts) > FEWEST and any(_strict(column[start]) for start in (self.starts, self.by_id)):
                self.seen.queries.append(number)
            return
        if len(column) <= FEWEST:
            return
        if rises.all() or falls.all():
            self.seen.rows.append(number)
        elif self.within.sum() >= FEWEST and any(bool(way[self.within].all()) for way in (rises, falls)):
            self.seen.places.append(number)
        self._judge(number, column)

    def _splits(self, column: npt.NDArray[Any], missing: bool) -> bool:
        """Tell whether a threshold leaves `least` documents on both sides, the missing ones on the right."""
        n = len(column)
        if n < 2 * self.least:
            return False
        values = np.where(np.isnan(column), np.inf, column) if missing else column
        low, high = np.partition(values, (self.least - 1, n - self.least))[[self.least - 1, n - self.least]]
        return bool(low < high)

    def _compare(self, number: int, column: npt.NDArray[Any]) -> None:
        """Find an earlier column of the same values."""
        alike = self.hashes.setdefault(hash(column.tobytes()), [])
        if alike:  # equal hashes of 64 bits: equal columns
            self.seen.same[number] = alike[0]
        else:
            alike.append(number)

    def _judge(self, number: int, column: npt.NDArray[Any]) -> None:
        """Find out whether the column alone puts the labels in order, one way or the other."""
        if len(self.compared) < FEWEST:
            return
        values = column if self.in_order else column[self.order]
        low, high = np.minimum.reduceat(values, self.groups), np.maximum.reduceat(values, self.groups)
        better = (low[self.compared] > high[self.compared + 1]).mean()
        worse = (high[self.compared] < low[self.compared + 1]).mean()
        share = float(max(better, worse))
        if share >= NEARLY_ALL:
            self.seen.labels[number] = share


def _strict(values: npt.NDArray[Any]) -> bool:
    """Tell whether each value is above the one before it, or each below."""
    return bool((values[1:] > values[:-1]).all() or (values[1:] < values[:-1]).all())


def _columns(X: Any) -> Iterator[npt.NDArray[Any]]:
    """Yield the columns, each contiguous; what a sparse matrix does not store is 0."""
    X = sp.csc_array(X) if sp.issparse(X) else X
    step = max(1, BLOCK // max(1, X.shape[0]))
    for start in range(0, X.shape[1], step):
        block = X[:, start : start + step]
        yield from np.ascontiguousarray(block.toarray().T if sp.issparse(X) else block.T)


def check_features(subject: Subject) -> Iterator[Finding]:
    """Yield what is found in the columns."""
    least = least_documents(subject)
    seen = Looking(subject, least).run()
    names = subject.data.feature_names
    yield from _without_split(subject, seen, least)
    if seen.same:
        pairs = [f"{names[number]} = {names[first]}" for number, first in seen.same.items()]
        yield _of(
            subject, "duplicate_features", "note", seen.same, f"repeat another feature: {named(pairs)}",
            "Leave them out; importances are shared out among copies by chance.",
        )  # fmt: skip
    yield from _leaks(subject, seen)


def least_documents(subject: Subject) -> int:
    """Return how many documents of the data a side of a split needs, by `min_docs_in_leaf`; 1 where none is needed."""
    ranker = subject.ranker
    if ranker is None or ranker.backend != "lightgbm":
        return 1
    return int(np.ceil(ranker.min_docs_in_leaf / (ranker.subsample * ranker.query_subsample)))


def _without_split(subject: Subject, seen: Columns, least: int) -> Iterator[Finding]:
    data = subject.data
    useless = len(seen.constant) + len(seen.unsplittable)
    if seen.constant:
        everywhere = len(seen.constant) == data.n_features
        yield _of(
            subject, "constant_features", "error" if everywhere else "note", seen.constant,
            "have one value in every row",
            "Check how the features were made." if everywhere else "Leave them out.",
        )  # fmt: skip
    if seen.unsplittable:
        nothing = useless == data.n_features
        text = (
            f"have no threshold with {least:,} documents on either side (min_docs_in_leaf), of {data.n_documents:,} in "
            "all"
        )
        yield _of(
            subject, "min_docs_in_leaf", "error" if nothing else "note", seen.unsplittable, text,
            f"Lower min_docs_in_leaf ({least:,})" + (", or train on more documents." if nothing else "."),
            {"min_docs_in_leaf": least, "documents": data.n_documents},
        )  # fmt: skip
    if seen.of_query:
        nothing = useless + len(seen.of_query) >= data.n_features
        yield _of(
            subject, "features_of_the_query", "error" if nothing else "note", seen.of_query,
            "have one value within each query, so they put no documents in order but together with others",
            "Give features of the document." if nothing else "Keep them where they may act together with others.",
        )  # fmt: skip


def _leaks(subject: Subject, seen: Columns) -> Iterator[Finding]:
    leaks = (
        ("row_number_feature", seen.rows, "rise or fall with every row, as row numbers do"),
        ("row_place_feature", seen.places, "rise or fall with the row's place in its query"),
        ("query_number_feature", seen.queries, "number the queries, by their ids or in their order"),
    )
    for name, columns, text in leaks:
        if columns:
            yield _of(
                subject, name, "warning", columns, text,
                "Leave them out, unless the order of rows is known for new documents too.",
            )  # fmt: skip
    if seen.labels:
        yield _of(
            subject, "label_feature", "warning", seen.labels,
            f"alone put at least {min(seen.labels.values()):.1%} of labels in order",
            "Check whether they are made from the label, or are known only after it; if so, leave them out.",
            {"share": min(seen.labels.values())},
        )  # fmt: skip


def _of(
    subject: Subject, name: str, severity: str, columns: Any, text: str, remedy: str,
    numbers: dict[str, float] | None = None,
) -> Finding:  # fmt: skip
    names = tuple(subject.data.feature_names[number] for number in columns)
    told = f"{counted(len(names), subject.data.n_features, 'features')} {text} ({named(names)})."
    if name == "duplicate_features":
        told = f"{counted(len(names), subject.data.n_features, 'features')} {text}."
    return Finding(name, severity, told, remedy, {"features": len(names), **(numbers or {})}, (), names)
