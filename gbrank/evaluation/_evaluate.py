"""`evaluate`: every measure of every query, and the summary that states its convention."""

from __future__ import annotations

import html
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import DataError, GbrankWarning, ParameterError, as_vector
from .._registry import unknown
from ..data import RankingData
from ..metrics import Measure, measure

COLUMNS = ("mean", "std", "standard_error", "median", "queries", "skipped")


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The value of every measure for every query; made by `gbrank.evaluate`.

    Attributes
    ----------
    table : DataFrame of shape (n_queries, n_columns)
        Indexed by query id ("qid"); NaN where the convention skips the query.  Columns are the measures' names, or
        (run, measure) where `scores` was a mapping of runs.
    sizes : Series of shape (n_queries,)
        Number of documents of each query.
    measures : tuple of Measure
    runs : tuple of str
        Names of the runs; empty where `scores` was a single one.
    """

    table: pd.DataFrame
    sizes: pd.Series[int]
    measures: tuple[Measure, ...]
    runs: tuple[str, ...] = ()

    def summary(self) -> pd.DataFrame:
        """Return one row per measure (and run).

        Columns: mean, std (of the query values, with n - 1), standard_error (std divided by the root of the number of
        queries), median, queries (evaluated) and skipped.
        """
        queries = self.table.notna().sum()
        std = self.table.std()
        columns = (
            self.table.mean(),
            std,
            std / np.sqrt(queries),
            self.table.median(),
            queries,
            len(self.table) - queries,
        )
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))

    def values(self, name: str | Measure, run: str | None = None) -> pd.Series[float]:
        """Return one column of `table`: a measure, of a run where there are several."""
        wanted = str(measure(name))
        if wanted not in map(str, self.measures):
            raise unknown("measure of this evaluation", wanted, map(str, self.measures))
        if not self.runs:
            if run is not None:
                raise ParameterError(f"run={run!r}: this evaluation is of one set of scores without a name.")
            return self.table[wanted]
        run = self.runs[0] if run is None and len(self.runs) == 1 else run
        if run not in self.runs:
            raise ParameterError(f"run={run!r}: choose one of {', '.join(map(repr, self.runs))}.")
        return self.table[(run, wanted)]

    def mean(self, name: str | Measure, run: str | None = None) -> float:
        """Return the mean of a measure over the queries that are not skipped."""
        return float(self.values(name, run).mean())

    @property
    def conventions(self) -> dict[str, str]:
        """The sentence that states each measure and its convention."""
        return {str(m): m.describe() for m in self.measures}

    def to_dict(self) -> dict[str, Any]:
        """Return `queries`, `documents`, `results` and `conventions` as plain values for JSON; None for NaN."""
        return {
            "queries": len(self.sizes),
            "documents": int(self.sizes.sum()),
            "results": [
                dict(run=run, measure=name, **{column: _plain(value) for column, value in row.items()})
                for run, name, row in self._rows()
            ],
            "conventions": self.conventions,
        }

    def __str__(self) -> str:
        rules = {str(m): m.rules() for m in self.measures}
        lines = []
        for run, name, row in self._rows():
            skipped = f"{row['skipped']:.0f} with nothing relevant skipped; " if row["skipped"] else ""
            lines.append(
                f"{'' if run is None else f'{run}: '}{name} = {row['mean']:.4f} "
                f"(mean of {row['queries']:.0f} queries; {skipped}{rules[name]})"
            )
        return "\n".join(lines)

    def _rows(self) -> Iterator[tuple[str | None, str, dict[str, float]]]:
        """Yield run, measure and figures of each row of the summary."""
        summary = self.summary()
        keys = summary.index.tolist()
        for key, row in zip(keys, summary.to_dict("records"), strict=True):
            run, name = key if self.runs else (None, key)
            yield run, name, {str(column): value for column, value in row.items()}

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.conventions.values())
        return f"{self.summary().to_html(float_format='{:.4f}'.format)}<ul>{notes}</ul>"


def evaluate(
    data: RankingData,
    scores: Any,
    measures: str | Measure | Sequence[str | Measure],
    *,
    n_jobs: int | None = None,
) -> Evaluation:
    """Evaluate scores query by query.

    Parameters
    ----------
    data : RankingData
        With one label column.
    scores : array-like of shape (n_documents,), fitted ranker, or mapping from run name to one of these
        Scores in the row order of `data`; a ranker's are ``ranker.predict(data)``.
    measures : str, Measure, or sequence of them
        As `gbrank.measure` reads them.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        Scores of another length, NaN, or labels that a measure cannot use.
    ParameterError
        An unknown measure, or one given twice.

    Warns
    -----
    GbrankWarning
        All queries are skipped, so that a mean is NaN.

    Examples
    --------
    >>> from gbrank import RankingData
    >>> data = RankingData([[0.0]] * 5, [0, 1, 1, 0, 0], qid=["a", "a", "b", "b", "c"])
    >>> result = evaluate(data, [0.2, 0.1, 0.9, 0.3, 0.5], ["rr", "p@1"])
    >>> print(result)
    rr = 0.7500 (mean of 2 queries; 1 with nothing relevant skipped; ties expected, relevant_from 1)
    p@1 = 0.5000 (mean of 2 queries; 1 with nothing relevant skipped; ties expected, relevant_from 1)
    >>> result.table["rr"].tolist()
    [0.5, 1.0, nan]
    """
    chosen = _measures(measures)
    if data.y.ndim != 1:
        raise DataError(f"y: there are {data.y.shape[1]} label columns; choose one by data.with_labels(data.y[:, j]).")
    named = isinstance(scores, Mapping)
    runs = {str(name): value for name, value in scores.items()} if named else {"": scores}
    if not runs:
        raise DataError("scores: the mapping is empty; give at least one run.")
    if named and len(runs) < len(scores):
        raise ParameterError(f"scores: two runs print alike, of {list(scores)!r}; give them distinct names.")
    columns: dict[Any, Any] = {}
    for run, given in runs.items():
        score = _scores(data, given, f"scores of run {run!r}" if named else "scores")
        for m in chosen:
            values = m(data.y, score, data.query_ptr, data.doc_id, n_jobs=n_jobs)
            columns[(run, str(m)) if named else str(m)] = values
    table = pd.DataFrame(columns, index=pd.Index(data.query_ids, name="qid"))
    table.columns.names = ["run", "measure"] if named else ["measure"]
    _warn_of_skipped(table)
    sizes = pd.Series(data.query_sizes, index=table.index, name="documents")
    return Evaluation(table, sizes, chosen, tuple(runs) if named else ())


def _measures(measures: str | Measure | Sequence[str | Measure]) -> tuple[Measure, ...]:
    chosen = tuple(map(measure, [measures] if isinstance(measures, str | Measure) else measures))
    names = [str(m) for m in chosen]
    twice = [name for name in names if names.count(name) > 1]
    if twice or not names:
        raise ParameterError(f"measures: {twice[0]} is given twice." if twice else "measures: give at least one.")
    return chosen


def _scores(data: RankingData, given: Any, name: str) -> Any:
    score = given.predict(data) if callable(getattr(given, "predict", None)) else given
    return as_vector(name, score, length=data.n_documents)


def _warn_of_skipped(table: pd.DataFrame) -> None:
    for column in table.columns[table.isna().all()].tolist():
        name = column if isinstance(column, str) else ": ".join(column)
        message = f"{name}: no query of {len(table)} has anything relevant, so all are skipped and the mean is NaN."
        warnings.warn(message, GbrankWarning, stacklevel=3)


def _plain(value: Any) -> float | int | None:
    number = float(value)
    return None if math.isnan(number) else int(number) if number.is_integer() else number
