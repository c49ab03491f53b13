"""`gather`: a ranker and its data to a `Report`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from .._checks import ParameterError
from ..data import RankingData
from ..metrics import Measure
from ..rankers import GBRanker
from ._cautions import cautions
from ._data import data_section
from ._document import Block, Bullets, Plot, Section, Table, Text, fixed, shown
from ._material import Material, collect
from ._model import features, parameters, subject, training, versions
from ._queries import queries
from ._report import Report
from ._results import headlines, results

MOST_ROWS = 200


def gather(
    ranker: GBRanker,
    data: RankingData | Mapping[str, RankingData],
    *,
    measures: str | Measure | Sequence[str | Measure] = ("ndcg@1", "ndcg@5", "ndcg@10"),
    runs: Mapping[str, Any] | None = None,
    title: str | None = None,
    tuning: Any = None,
    extra: Mapping[str, Any] | None = None,
    date: datetime | None = None,
    n_jobs: int | None = None,
) -> Report:
    """Return the report of a ranker without writing it; see `gbrank.report` for the parameters."""
    # What cannot be shown is refused before time is spent on scores.
    others = [] if tuning is None else [Section("Tuning", tuning_blocks(tuning))]
    others += [Section(str(name), (block(str(name), content),)) for name, content in (extra or {}).items()]
    material = collect(ranker, data, measures, runs, n_jobs)
    sections = [section(material) for section in (results, training, queries, features, data_section, parameters)]
    return Report(
        title=title or f"Ranking report: {type(ranker).__name__}",
        subject=f"{subject(ranker)}. {seen(material)}.",
        date=date or datetime.now().astimezone(),
        headlines=headlines(material),
        cautions=cautions(material),
        sections=(*sections, *others, versions(material)),
        evaluations=material.evaluations,
        comparison=material.comparison,
        importances=material.importances,
    )


def seen(material: Material) -> str:
    """Return the data sets in a line."""
    return "; ".join(
        f"{name}: {data.n_queries:,} queries, {data.n_documents:,} documents" for name, data in material.sets.items()
    )


def tuning_blocks(tuning: Any) -> tuple[Block, ...]:
    """Return the blocks of a tuning result: its best parameters and its trials, or whatever `block` takes."""
    best, trials = getattr(tuning, "best_params", None), getattr(tuning, "trials", None)
    if best is None:
        return (block("Tuning", tuning),)
    value = getattr(tuning, "best_value", None)
    facts = {"best value": fixed(value)} if isinstance(value, float) else {}
    blocks = [block("Best parameters", facts | dict(best))]
    return (*blocks, block("Trials", trials)) if isinstance(trials, pd.DataFrame) else tuple(blocks)


def block(name: str, content: Any) -> Block:
    """Return plain content as a block of a report.

    Raises
    ------
    ParameterError
        Not a text, mapping, table, figure or sequence of texts.
    """
    if isinstance(content, str):
        return Text(content)
    if isinstance(content, pd.DataFrame):
        return frame_table(name, content)
    if isinstance(content, Mapping):
        return Table(name, ("name", "value"), tuple((str(key), cell(value)) for key, value in content.items()))
    if isinstance(content, Figure):
        return Plot(name, name, partial(_same, content))
    if isinstance(content, Sequence) and all(isinstance(item, str) for item in content):
        return Bullets(tuple(content))
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        return block(name, dataclasses.asdict(content))
    raise ParameterError(
        f"{name}: a {type(content).__name__} cannot be shown; give a text, a mapping, a DataFrame, a matplotlib Figure or "
        "a list of texts."
    )


def _same(figure: Figure) -> Figure:
    return figure


def frame_table(name: str, frame: pd.DataFrame) -> Table:
    """Return a DataFrame as a table with its index first; long ones are cut, with a note that says so."""
    head = frame.head(MOST_ROWS)
    index = [str(level or "") for level in frame.index.names]
    columns = (", ".join(index) or "row", *map(str, frame.columns))
    rows = tuple((str(row[0]), *map(cell, row[1:])) for row in head.itertuples())
    note = f"The first {MOST_ROWS} of {len(frame):,} rows." if len(frame) > MOST_ROWS else ""
    return Table(name, columns, rows, note=note)


def cell(value: Any) -> str:
    """Return a value of a table as text.

    Examples
    --------
    >>> cell(0.25), cell(1200), cell("a"), cell(None)
    ('0.2500', '1,200', 'a', '–')
    """
    if value is None or value is pd.NaT:
        return fixed(float("nan"))
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, float):
        return fixed(value) if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.4g}" if value == value else fixed(value)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return cell(item())
    return f"{value:,}" if isinstance(value, int) else shown(value)
