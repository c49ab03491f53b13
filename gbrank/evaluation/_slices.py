"""`slices`: the means of an evaluation over parts of the queries: by size, difficulty, frequency or any column."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, ParameterError, check_choice
from ..metrics import Measure
from ..metrics import measure as find_measure
from ._cuts import cut
from ._evaluate import Evaluation
from ._means import mean_and_error, query_weights, records
from ._measured import ROUNDING

REGRESSION = (
    "The slices are made of the values whose means they show. A low value is low in part by chance: on new queries "
    "like these, the means would lie closer together (regression to the mean)."
)
BENT = (
    f"{REGRESSION} Of the run that made the slices this holds more than of the others, which bends the comparison with "
    "it; a system that is not compared would not."
)

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Slices:
    """Means over parts of the queries; made by `gbrank.slices`.

    Attributes
    ----------
    by : str
        What the queries are cut by.
    table : DataFrame
        One row for each slice, run and measure: "slice", "run" (where the evaluation has runs), "measure", "mean",
        "standard_error", "queries" (those with a value, which the mean counts) and "skipped".
    total : DataFrame
        The same over all queries, without "slice": the means of the evaluation.
    labels : Series of shape (n_queries,)
        The slice of each query, as an ordered categorical by query id.
    evaluation : Evaluation
    notes : tuple of str
        What to beware of.
    """

    by: str
    table: pd.DataFrame
    total: pd.DataFrame
    labels: pd.Series[Any]
    evaluation: Evaluation
    notes: tuple[str, ...] = ()

    def differences(self, a: str, b: str) -> pd.DataFrame:
        """Return the mean of run `a` minus that of run `b` in each slice, over the queries that both have a value of.

        Columns: slice, measure, difference, its standard_error (of the paired differences), queries, and on how many of
        them `a` is better (wins), equal (ties) or worse (losses).
        """
        gaps = []
        for m in self.evaluation.measures:
            pair = np.array([self.evaluation.values(m, run) for run in (a, b)], dtype=np.float64)
            rounding = ROUNDING * np.nanmax(np.abs(pair), initial=0.0)
            gaps.append((m, pair[0] - pair[1], rounding, query_weights(m, self.evaluation.sizes)))
        rows, codes = [], self.labels.cat.codes.to_numpy()
        for code, label in enumerate(self.labels.cat.categories):
            for m, gap, rounding, weights in gaps:
                mean, error, queries = mean_and_error(gap[codes == code], weights[codes == code])
                better = gap[codes == code] if m.higher_is_better else -gap[codes == code]
                wins, losses = int((better > rounding).sum()), int((better < -rounding).sum())
                counts = {"queries": queries, "wins": wins, "ties": queries - wins - losses, "losses": losses}
                rows.append({"slice": label, "measure": str(m), "difference": mean, "standard_error": error, **counts})
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return `by`, `slices`, `total`, `notes` and `conventions` as plain values for JSON; None for NaN."""
        return {
            "by": self.by,
            "slices": records(self.table),
            "total": records(self.total),
            "notes": list(self.notes),
            "conventions": self.evaluation.conventions,
        }

    def _pages(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each measure with its means as people read them: a row for each slice, a column for each run."""
        whole = pd.concat([self.table.astype({"slice": object}), self.total.assign(slice=None)])
        for m in self.evaluation.measures:
            rows = whole[whole["measure"] == str(m)].groupby("slice", sort=False, dropna=False)
            page = [("all" if pd.isna(label) else label, *_page_row(runs)) for label, runs in rows]
            columns = ["", "queries", "skipped", *(self.evaluation.runs or ["mean"])]
            frame = pd.DataFrame(page, columns=columns).set_index("").rename_axis(None)
            yield str(m), frame if (frame["skipped"] != "0").any() else frame.drop(columns="skipped")

    def to_html(self) -> str:
        """Return what `str` says, in HTML."""
        parts = [
            f"<p>{html.escape(f'{name} by {self.by}, mean ± standard error')}</p>{page.to_html()}"
            for name, page in self._pages()
        ]
        notes = [*self.evaluation.conventions.values(), *self.notes]
        return "".join(parts) + f"<ul>{''.join(f'<li>{html.escape(note)}</li>' for note in notes)}</ul>"

    def __str__(self) -> str:
        parts = [f"{name} by {self.by}, mean ± standard error\n{page.to_string()}" for name, page in self._pages()]
        rules = [m.describe() for m in self.evaluation.measures]
        return "\n\n".join([*parts, "\n".join([*rules, *self.notes])])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def slices(
    evaluation: Evaluation,
    by: str | pd.Series[Any] | Mapping[Any, Any] | npt.ArrayLike = "size",
    *,
    bins: int | Sequence[float] | None = 4,
    measure: str | Measure | None = None,
    run: str | None = None,
) -> Slices:
    """Return the means of an evaluation over parts of the queries.

    Parameters
    ----------
    evaluation : Evaluation
    by : "size", "difficulty", Series, mapping or array-like
        What the queries are cut by: the number of their documents; the value of `measure`, from the lowest (its mean
        over all runs, or that of `run`); or a column: a Series or mapping by query id, which may hold other ids as
        well, or an array in the order of the queries.  For head and tail queries see `head_tail`.
    bins : int, sequence of float, or None
        How numbers are cut: into so many parts of about equally many queries, where queries of equal value stay
        together; or at these inner edges, each of which belongs to the part above it.  With None, and for what is not
        a number, each distinct value is a slice.
    measure, run : optional
        For "difficulty": the measure (the evaluation's first by default) and the run (by default all, averaged).

    Returns
    -------
    Slices
        Queries without a value in the column are a slice of their own, ``(no value)``.

    Raises
    ------
    DataError
        No id of the column is a query of the evaluation, an id occurs twice, or an array has another length.
    ParameterError
        Edges that do not rise, or an argument that does not go with `by`.

    Notes
    -----
    Slices by difficulty are made of the very values that are then averaged.  Queries on which a run did badly once, it
    did in part by chance, so its mean in the hardest slice is lower, and in the easiest higher, than on new queries
    like these: regression to the mean.  With `run` this also bends the comparison with other runs.  Cut by a system
    that is not compared, given as a Series of its values, to be free of that.

    Of many slices, some differ by chance alone.

    Examples
    --------
    >>> from gbrank import RankingData, evaluate
    >>> data = RankingData([[0.0]] * 7, [0, 1, 1, 0, 0, 0, 1], qid=["a", "a", "b", "b", "c", "c", "c"])
    >>> result = evaluate(data, [0.2, 0.1, 0.9, 0.3, 0.5, 0.4, 0.3], "rr")
    >>> table = slices(result, bins=[3]).table
    >>> table[["slice", "mean", "queries"]].round(4).values.tolist()
    [['below 3', 0.75, 2], ['from 3', 0.3333, 1]]
    >>> slices(result, {"a": "brand", "b": "brand"}).table[["slice", "queries"]].values.tolist()
    [['brand', 2], ['(no value)', 1]]
    """
    column, name, notes = _column(evaluation, by, measure, run)
    labels = cut(column, bins)
    columns, codes = _columns(evaluation), labels.cat.codes.to_numpy()
    rows = [
        {"slice": label, **row}
        for code, label in enumerate(labels.cat.categories)
        for row in _means(columns, codes == code)
    ]
    table = pd.DataFrame(rows).astype({"slice": labels.dtype})
    total = pd.DataFrame(_means(columns, np.ones(len(labels), bool)))
    return Slices(name, table, total, labels, evaluation, notes)


def _columns(evaluation: Evaluation) -> list[tuple[dict[str, str], Vector, Vector]]:
    """Return run and measure of each column of the evaluation, its values, and the weight of each query in its mean."""
    columns = []
    for m in evaluation.measures:
        for run in evaluation.runs or (None,):
            head = {"measure": str(m)} if run is None else {"run": run, "measure": str(m)}
            values = np.asarray(evaluation.values(m, run), dtype=np.float64)
            columns.append((head, values, query_weights(m, evaluation.sizes)))
    return columns


def _means(columns: list[tuple[dict[str, str], Vector, Vector]], chosen: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    rows = []
    for head, values, weights in columns:
        mean, error, queries = mean_and_error(values[chosen], weights[chosen])
        skipped = int(chosen.sum()) - queries
        rows.append({**head, "mean": mean, "standard_error": error, "queries": queries, "skipped": skipped})
    return rows


def _column(
    evaluation: Evaluation, by: Any, measure: str | Measure | None, run: str | None
) -> tuple[pd.Series[Any], str, tuple[str, ...]]:
    """Return the value of each query, what it is called, and what to beware of."""
    if isinstance(by, str) and by == "difficulty":
        return _difficulty(evaluation, evaluation.measures[0] if measure is None else measure, run)
    if measure is not None or run is not None:
        raise ParameterError("measure, run: they say what difficulty is; leave them out, or pass by='difficulty'.")
    if isinstance(by, str):
        check_choice("by", by, ("size", "difficulty"))
        return evaluation.sizes, "query size", ()
    index = evaluation.table.index
    if isinstance(by, pd.Series | Mapping):
        column = by if isinstance(by, pd.Series) else pd.Series(by)
        if not column.index.is_unique:
            twice = column.index[column.index.duplicated()].tolist()[0]
            raise DataError(f"by: query {twice!r} has two values; give one for each query.")
        if not column.index.isin(index).any():
            raise DataError(
                f"by: no id of the column, such as {column.index[:1].tolist()}, is a query of the evaluation, such as "
                f"{index[:1].tolist()}; give the ids as they stand there."
            )
        return column.reindex(index), str(column.name or "column"), ()
    values = pd.array(list(by)) if np.ndim(by) == 1 else None
    if values is None or len(values) != len(index):
        raise DataError(f"by: the shape {np.shape(by)} for {len(index)} queries; give one value for each.")
    return pd.Series(values, index), "column", ()


def _difficulty(
    evaluation: Evaluation, measure: str | Measure, run: str | None
) -> tuple[pd.Series[Any], str, tuple[str, ...]]:
    runs = evaluation.runs if run is None else (run,)
    values = [evaluation.values(measure, each) for each in runs or (None,)]
    column: pd.Series[Any] = pd.concat(values, axis=1).mean(axis=1)
    whose = "" if not runs else f" of {runs[0]}" if len(runs) == 1 else f", mean of {len(runs)} runs"
    return (
        column,
        f"difficulty ({find_measure(measure)}{whose})",
        (BENT if run is not None and len(evaluation.runs) > 1 else REGRESSION,),
    )


def _page_row(runs: pd.DataFrame) -> list[str]:
    """Return the counts of a slice, once where all runs have the same, and the mean of each run."""
    counts = ["/".join(f"{count:,}" for count in runs[name].unique()) for name in ("queries", "skipped")]
    means = zip(runs["mean"], runs["standard_error"], strict=True)
    return [*counts, *(f"{mean:.4f} ± {error:.4f}".replace(" ± nan", "") for mean, error in means)]
