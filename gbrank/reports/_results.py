"""The results: every measure on every data set, its spread over queries, and other runs beside it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..evaluation import Evaluation
from ..metrics import Measure
from . import _plots as plots
from ._document import Block, Headline, Plot, Section, Table, fixed
from ._material import THIS, Material

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def headlines(material: Material) -> tuple[Headline, ...]:
    """Return the measures on the last data set, the ranker's own first, and the rounds used."""
    names = [str(material.measure), *(str(m) for m in material.measures if m != material.measure)]
    figures = material.summaries[material.last]
    numbers = [
        Headline(
            f"{name} on {material.last}",
            fixed(figures[name]["mean"]),
            f"± {fixed(figures[name]['standard_error'])} standard error, {figures[name]['queries']:,.0f} queries",
        )
        for name in names[:3]
    ]
    rounds = rounds_trained(material)
    return (*numbers, Headline("rounds used", f"{material.ranker.best_iteration_:,}", f"of {rounds:,} trained"))


def rounds_trained(material: Material) -> int:
    """Return the number of rounds of boosting that the model holds."""
    model = material.ranker.model_
    return model.n_trees() // max(1, model.n_outputs)


def results(material: Material) -> Section:
    """Return the section of results."""
    rows: list[tuple[Block, ...]] = [
        (means(material),),
        (conventions(material.measures),),
        spread(material),
        (quantiles(material),),
    ]
    if material.comparison is not None:
        rows += [(run_means(material, material.comparison),), (against(material, material.comparison),)]
    return Section("Results", tuple(rows))


def means(material: Material) -> Table:
    """Return the table of summaries: one row for each measure and data set."""
    rows = [
        (
            str(m),
            name,
            *(fixed(figures[str(m)][column]) for column in ("mean", "standard_error", "std", "median")),
            *(f"{figures[str(m)][column]:,.0f}" for column in ("queries", "skipped")),
        )
        for m in material.measures
        for name, figures in material.summaries.items()
    ]
    marked = [number for number, row in enumerate(rows) if row[1] == material.last]
    return Table(
        "Mean over queries",
        ("measure", "data", "mean", "standard error", "std", "median", "queries", "skipped"),
        tuple(rows),
        frozenset(marked) if len(material.sets) > 1 else frozenset(),
        "Every query counts the same. Skipped queries have nothing relevant and are in no column but the last. The "
        "standard error is std divided by the root of the number of queries.",
    )


def conventions(measures: tuple[Measure, ...]) -> Table:
    """Return what each measure is, under which convention."""
    rows = tuple((str(m), m.describe().partition(": ")[2]) for m in measures)
    return Table("What the measures are", ("measure", "definition and convention"), rows)


def run_means(material: Material, comparison: Evaluation) -> Table:
    """Return the mean of every measure for every run."""
    rows = [(run, *(fixed(comparison.mean(m, run)) for m in comparison.measures)) for run in comparison.runs]
    columns = ("run", *map(str, comparison.measures))
    note = "The conventions are those stated above; all runs are evaluated on the same queries."
    return Table(f"Runs on {material.last}", columns, tuple(rows), frozenset({0}), note)


def against(material: Material, comparison: Evaluation) -> Table:
    """Return how the ranker differs from each run, query by query."""
    own = comparison.values(material.measure, THIS)
    rows = []
    for run in comparison.runs[1:]:
        difference = (own - comparison.values(material.measure, run)).dropna()
        error = float(difference.std()) / np.sqrt(max(len(difference), 1))
        better, worse = int((difference > 0).sum()), int((difference < 0).sum())
        equal = len(difference) - better - worse
        row = (run, fixed(float(difference.mean()), sign=True), fixed(error))
        rows.append((*row, f"{better:,}", f"{equal:,}", f"{worse:,}"))
    return Table(
        f"This ranker against each run on {material.last}, {material.measure}, query by query",
        ("run", "mean difference", "standard error", "queries better", "equal", "worse"),
        tuple(rows),
        note="Differences are this ranker less the run, paired by query. One of less than about two standard errors "
        "may be chance.",
    )


def quantiles(material: Material) -> Table:
    """Return the quantiles of each measure over the queries of the last data set."""
    evaluation = material.evaluations[material.last]
    rows = []
    for m in material.measures:
        values = plots.evaluated(evaluation.values(m))
        at = np.quantile(values, SHARES).tolist() if len(values) else [float("nan")] * len(SHARES)
        rows.append((str(m), *(fixed(value, 3) for value in at), *ends(values)))
    return Table(
        f"Spread over the queries of {material.last}",
        ("measure", "lowest", "10%", "25%", "median", "75%", "90%", "highest", "at 0", "at 1"),
        tuple(rows),
        note="A column in percent is the value that so many of the queries do not exceed; the last two count queries.",
    )


def ends(values: npt.NDArray[np.float64]) -> tuple[str, str]:
    """Return how many values are 0 and how many 1 (to rounding)."""
    return f"{int((np.abs(values) < 1e-12).sum()):,}", f"{int((np.abs(values - 1) < 1e-12).sum()):,}"


def spread(material: Material) -> tuple[Block, ...]:
    """Return the plots of the ranker's measure over queries."""
    evaluation, m = material.evaluations[material.last], material.measure
    values = evaluation.values(m).dropna()
    histogram = Plot(
        f"{m} of the queries of {material.last}",
        f"Histogram of {m} over {len(values):,} queries: mean {fixed(float(values.mean()), 3)}, "
        f"median {fixed(float(values.median()), 3)}.",
        partial(plots.distribution, evaluation, m),
    )
    lines: dict[str, Any] = {name: each.values(m) for name, each in material.evaluations.items()}
    what = "data set"
    if material.comparison is not None:
        what, lines = f"run on {material.last}", {r: material.comparison.values(m, r) for r in material.comparison.runs}
    return (histogram, curves(f"{m} by {what}", lines, m)) if len(lines) > 1 else (histogram,)


def curves(caption: str, lines: dict[str, pd.Series[float]], m: Measure) -> Plot:
    """Return the plot of the cumulative distribution of each line."""
    medians = "; ".join(f"{name}: median {fixed(float(values.median()), 3)}" for name, values in lines.items())
    alt = f"Cumulative distribution of {m} over queries. {medians}."
    return Plot(f"{caption}: further to the right is better", alt, partial(plots.cumulative, lines, m))
