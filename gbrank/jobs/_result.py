"""What a job found, and the tables and numbers it is told by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..evaluation import Evaluation
from ..metrics import Measure

COLUMNS = ("mean", "std_of_runs", "standard_error", "queries", "skipped", "runs")


@dataclass(frozen=True, eq=False)
class Run:
    """One training, of a fold with a seed, evaluated on the fold's test data."""

    fold: str
    seed: int
    evaluation: Evaluation
    importances: pd.DataFrame
    facts: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain values for JSON."""
        told = self.evaluation.to_dict()
        results = {
            row["measure"]: {k: v for k, v in row.items() if k not in ("run", "measure")} for row in told["results"]
        }
        sizes = {"test_queries": told["queries"], "test_documents": told["documents"]}
        return {"fold": self.fold, "seed": self.seed, **self.facts, **sizes, "results": results}


@dataclass(frozen=True, eq=False, repr=False)
class JobResult:
    """What a job found; made by `gbrank.jobs.run`.

    Attributes
    ----------
    output : Path
        The folder that was written.
    measures : tuple of Measure
    runs : tuple of Run
        One for each fold and seed.
    """

    output: Path
    measures: tuple[Measure, ...]
    runs: tuple[Run, ...]

    def per_query(self) -> pd.DataFrame:
        """Return one row per run and query: fold, seed, qid, documents, and each measure (NaN where it skips)."""
        tables = []
        for run in self.runs:
            table = run.evaluation.table.reset_index()
            table.insert(0, "fold", run.fold)
            table.insert(1, "seed", run.seed)
            table.insert(3, "documents", run.evaluation.sizes.to_numpy())
            tables.append(table.rename_axis(columns=None))
        return pd.concat(tables, ignore_index=True)

    def importances(self) -> pd.DataFrame:
        """Return one row per run and feature, as `gbrank.importances` gives them."""
        tables = []
        for run in self.runs:
            table = run.importances.reset_index()
            table.insert(0, "fold", run.fold)
            table.insert(1, "seed", run.seed)
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """Return one row per measure.

        Columns: ``mean`` of the runs' means; ``std_of_runs``, their standard deviation (with n - 1; NaN for one run);
        ``standard_error`` of the mean over all queries, each query's value averaged over seeds first; ``queries`` and
        ``skipped``, counted once whatever the number of seeds; ``runs``.
        """
        names = [str(m) for m in self.measures]
        means = np.array([[run.evaluation.mean(name) for name in names] for run in self.runs])
        by_query = self.per_query().groupby(["fold", "qid"], sort=False)[names].mean()
        queries = by_query.notna().sum().to_numpy()
        std = means.std(axis=0, ddof=1) if len(means) > 1 else np.full(len(names), np.nan)
        error = by_query.std().to_numpy() / np.sqrt(queries)
        skipped, runs = len(by_query) - queries, [len(self.runs)] * len(names)
        columns = (means.mean(axis=0), std, error, queries, skipped, runs)
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), index=pd.Index(names, name="measure"))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``metrics.json`` holds: `measures`, with their conventions, and `runs`, as plain values."""
        conventions = {str(m): m.describe() for m in self.measures}
        measures = {
            name: {column: plain(value) for column, value in row.items()} | {"convention": conventions[str(name)]}
            for name, row in self.summary().to_dict("index").items()
        }
        return {"measures": measures, "runs": [run.to_dict() for run in self.runs]}

    def __str__(self) -> str:
        rules = {str(m): m.rules() for m in self.measures}
        lines = []
        for name, row in self.summary().to_dict("index").items():
            spread = (
                "" if math.isnan(row["std_of_runs"]) else f", std of {row['runs']:.0f} runs {row['std_of_runs']:.4f}"
            )
            skipped = f"; {row['skipped']:.0f} with nothing relevant skipped" if row["skipped"] else ""
            lines.append(
                f"{name} = {row['mean']:.4f} (standard error {row['standard_error']:.4f}{spread}; "
                f"{row['queries']:.0f} queries{skipped}; {rules[str(name)]})"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{self}\nin {self.output}"


def plain(value: Any) -> Any:
    """Return a number of NumPy or pandas as JSON keeps it: None for NaN, whole numbers without a point."""
    number = float(value)
    return None if math.isnan(number) else int(number) if number.is_integer() else number
