"""`evaluate`: every measure of every query, and the summary that states its convention."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import GbrankWarning, ParameterError
from .._registry import unknown
from ..data import Qrels, RankingData
from ..metrics import Measure, all_values, measure
from ._means import mean_and_error, query_weights, records
from ._notes import left_out, notes
from ._systems import Coverage, as_lists, coverage, systems

COLUMNS = ("mean", "std", "standard_error", "median", "queries", "skipped", "missing", "unjudged")


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The value of every measure for every query; made by `gbrank.evaluate`.

    Attributes
    ----------
    table : DataFrame of shape (n_queries, n_columns)
        Indexed by query id ("qid"); NaN where the convention skips the query.  Columns are the measures' names, or
        (run, measure) where `scores` was a mapping of runs.
    sizes : Series of shape (n_queries,)
        Number of documents of each query in the judgments.
    measures : tuple of Measure
    runs : tuple of str
        Names of the runs; empty where `scores` was a single one.
    coverage : dict
        For each run ("" for a single one), how its documents and the judgments meet: `retrieved` documents, ids of
        queries that are `missing` from the run, `unjudged` documents by cutoff, `other_queries` that are not judged
        and were left out, with so many `other_documents`.
    """

    table: pd.DataFrame
    sizes: pd.Series[int]
    measures: tuple[Measure, ...]
    runs: tuple[str, ...] = ()
    coverage: dict[str, Coverage] = field(default_factory=dict)

    def summary(self) -> pd.DataFrame:
        """Return one row per measure (and run).

        Columns: mean (weighed as the convention's `average` says), std (of the query values, with n - 1),
        standard_error (of the mean; with equal weights std divided by the root of the number of queries), median,
        queries (evaluated), skipped (the others), missing (of either, those for which the run retrieved nothing) and
        unjudged (documents up to the cutoff, ties by rows).
        """
        rows = []
        for run, m in self._pairs():
            values = self.table[self._column(run, m)]
            mean, error, queries = mean_and_error(values.to_numpy(), query_weights(m, self.sizes))
            covered = self.coverage.get(run)
            met = (len(covered.missing), covered.unjudged[m.k]) if covered else (0, 0)
            rows.append((mean, values.std(), error, values.median(), queries, len(values) - queries, *met))
        return pd.DataFrame(rows, index=self.table.columns, columns=list(COLUMNS))

    def _pairs(self) -> list[tuple[str, Measure]]:
        return [(run, m) for run in self.runs or ("",) for m in self.measures]

    def _column(self, run: str, m: Measure) -> Any:
        return (run, str(m)) if self.runs else str(m)

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
        """Return the mean of a measure over the queries that are not skipped, weighed as its convention says."""
        query_ptr = np.concatenate(([0], np.cumsum(self.sizes)))
        return measure(name).mean(self.values(name, run), query_ptr)

    @property
    def conventions(self) -> dict[str, str]:
        """The sentence that states each measure and its convention."""
        return {str(m): m.describe() for m in self.measures}

    def to_dict(self) -> dict[str, Any]:
        """Return `queries`, `documents`, `results`, `coverage` and `conventions` as plain values for JSON.

        None stands for NaN; `coverage` counts what the attribute of that name lists.
        """
        pairs = zip(self._pairs(), records(self.summary()), strict=True)
        return {
            "queries": len(self.sizes),
            "documents": int(self.sizes.sum()),
            "results": [dict(run=run if self.runs else None, measure=str(m), **row) for (run, m), row in pairs],
            "coverage": [dict(run=run or None, **each.counts()) for run, each in self.coverage.items()],
            "conventions": self.conventions,
        }

    def __str__(self) -> str:
        lines = []
        index, single = self.table.index.astype(str), self.sizes.to_numpy() == 1
        for (run, m), row in zip(self._pairs(), self.summary().to_dict("records"), strict=True):
            covered = self.coverage.get(run)
            skipped = self.table[self._column(run, m)].isna().to_numpy()
            missing = index.isin(covered.missing if covered else ())
            parts = [f"mean of {row['queries']:.0f} queries", *notes(m, skipped, missing, single, covered), m.rules()]
            name = f"{run}: {m}" if self.runs else str(m)
            lines.append(f"{name} = {row['mean']:.4f} ({'; '.join(part for part in parts if part)})")
        others = [(run, each) for run, each in self.coverage.items() if each.other_queries]
        return "\n".join([*lines, *(f"{run}: {left_out(each)}" if run else left_out(each) for run, each in others)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.conventions.values())
        return f"{self.summary().to_html(float_format='{:.4f}'.format)}<ul>{notes}</ul>"


def evaluate(
    judgments: RankingData | Qrels,
    scores: Any,
    measures: str | Measure | Sequence[str | Measure],
    *,
    aspects: npt.ArrayLike | None = None,
    n_jobs: int | None = None,
) -> Evaluation:
    """Evaluate scores query by query.

    Parameters
    ----------
    judgments : RankingData or Qrels
        With one label column.
    scores : array-like of shape (n_documents,), fitted ranker, Run, nested dict, or mapping from run name to these
        An array is in the row order of the judgments; a ranker's scores are ``ranker.predict(judgments)``.  A `Run`,
        or ``{query id: {document id: score}}``, is joined by query and document id (see `gbrank.data.join`): judged
        documents that it lacks are not retrieved, documents that are not judged and queries that it lacks count as
        each measure's convention says (`unjudged`, `missing_queries`), and queries that are not judged are left out.
        All is counted and told.
    measures : str, Measure, or sequence of them
        As `gbrank.measure` reads them.
    aspects : array-like of shape (n_documents, n_aspects), optional
        What each document of the judgments is about, for the measures of that; all 0 for documents of a run that are
        not in the judgments.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError
        Scores of another length, NaN, labels that a measure cannot use, or a run that cannot be joined.
    ParameterError
        An unknown measure, or one given twice; a mapping that is neither a run nor named runs.

    Warns
    -----
    GbrankWarning
        All queries are skipped, so that a mean is NaN.

    Examples
    --------
    >>> from gbrank import Qrels, RankingData
    >>> data = RankingData([[0.0]] * 5, [0, 1, 1, 0, 0], qid=["a", "a", "b", "b", "c"])
    >>> result = evaluate(data, [0.2, 0.1, 0.9, 0.3, 0.5], ["rr", "p@1"])
    >>> print(result)
    rr = 0.7500 (mean of 2 queries; 1 with nothing relevant skipped; ties expected, relevant_from 1)
    p@1 = 0.5000 (mean of 2 queries; 1 with nothing relevant skipped; ties expected, relevant_from 1)
    >>> result.table["rr"].tolist()
    [0.5, 1.0, nan]
    >>> qrels = Qrels.from_dict({"a": {"x": 1}, "b": {"x": 0, "y": 1}})
    >>> print(evaluate(qrels, {"a": {"z": 0.9, "x": 0.5}, "c": {"x": 1.0}}, "rr"))
    rr = 0.2500 (mean of 2 queries; 1 missing from the run counts as 0; 1 unjudged document counts as not relevant;
    ties expected, relevant_from 1)
    1 query (1 document) not judged, left out
    """
    chosen = _measures(measures)
    if not isinstance(judgments, RankingData | Qrels):
        raise ParameterError(f"judgments={type(judgments).__name__}: give RankingData or Qrels.")
    runs, named = systems(scores)
    columns: dict[Any, Any] = {}
    covered: dict[str, Coverage] = {}
    for run, given in runs.items():
        name = f"scores of run {run!r}" if named else "scores"
        lists = as_lists(judgments, given, aspects, name, n_jobs)
        values = all_values(chosen, *lists[:4], aspects=lists.aspects, n_jobs=n_jobs)
        columns |= {(run, str(m)) if named else str(m): values[:, j] for j, m in enumerate(chosen)}
        covered[run] = coverage(lists, judgments.query_ids, {None, *(m.k for m in chosen)})
    table = pd.DataFrame(columns, index=pd.Index(judgments.query_ids, name="qid"))
    table.columns.names = ["run", "measure"] if named else ["measure"]
    _warn_of_skipped(table)
    sizes = pd.Series(judgments.query_sizes, index=table.index, name="documents")
    return Evaluation(table, sizes, chosen, tuple(runs) if named else (), covered)


def _measures(measures: str | Measure | Sequence[str | Measure]) -> tuple[Measure, ...]:
    chosen = tuple(map(measure, [measures] if isinstance(measures, str | Measure) else measures))
    names = [str(m) for m in chosen]
    twice = [name for name in names if names.count(name) > 1]
    if twice or not names:
        raise ParameterError(f"measures: {twice[0]} is given twice." if twice else "measures: give at least one.")
    return chosen


def _warn_of_skipped(table: pd.DataFrame) -> None:
    for column in table.columns[table.isna().all()].tolist():
        name = column if isinstance(column, str) else ": ".join(column)
        message = f"{name}: no query of {len(table)} has anything relevant, so all are skipped and the mean is NaN."
        warnings.warn(message, GbrankWarning, stacklevel=3)
