"""The report of a job of several runs: what they have in common; each run has a report of its own."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pandas as pd

from ..evaluation import Evaluation
from ..reports import Report, distribution, frame_table
from ..reports._document import Block, Headline, Plot, Section, Text, fixed
from ..reports._results import conventions
from ._result import JobResult

WORDS = {"std_of_runs": "std of runs", "standard_error": "standard error"}


def summary_report(result: JobResult, title: str) -> Report:
    """Return the report over all runs of a job."""
    pooled, summary = pool(result), result.summary()
    heads = tuple(
        Headline(
            str(name),
            fixed(row["mean"]),
            f"± {fixed(row['standard_error'])} standard error, {row['queries']:.0f} queries",
        )
        for name, row in summary.head(4).iterrows()
    )
    note = Text(
        "Mean: of the runs' means over their test queries. Std of runs: their standard deviation. Standard error: of "
        "the mean over all queries, each query's value averaged over seeds first. Skipped: queries with nothing "
        "relevant."
    )
    plots = tuple(
        Plot(f"{m}, queries of all runs", f"Histogram of {m} over queries.", partial(distribution, pooled, m))
        for m in result.measures[:2]
    )
    results: tuple[tuple[Block, ...], ...] = (
        (frame_table("Over all runs", summary.rename(columns=WORDS)),),
        (note,),
        (conventions(result.measures),),
        plots,
    )
    return Report(
        title=title,
        subject=f"{len(result.runs)} runs, each with model and report in a folder of its own",
        date=datetime.now().astimezone(),
        headlines=heads,
        cautions=(),
        sections=(
            Section("Results", results),
            Section("Runs", ((frame_table("Mean over the test queries of each run", run_table(result)),),)),
            Section("Features", ((frame_table("Importances, mean over runs", shown_importances(result)),),)),
        ),
        evaluations={"all runs": pooled},
        comparison=None,
        importances=mean_importances(result),
    )


def pool(result: JobResult) -> Evaluation:
    """Return the queries of all folds as one evaluation, each query's values averaged over seeds."""
    names = [str(m) for m in result.measures]
    table = result.per_query().groupby(["fold", "qid"], sort=False)[[*names, "documents"]].mean()
    table.index = pd.Index([f"{fold} {qid}" for fold, qid in table.index], name="qid")
    return Evaluation(table[names], table["documents"].astype(int), result.measures)


def run_table(result: JobResult) -> pd.DataFrame:
    """Return one row per run: rounds, the validation measure and the means on test data."""
    rows = []
    for run in result.runs:
        validation = run.facts.get("validation", {}).get("mean", float("nan"))
        means = {str(m): run.evaluation.mean(m) for m in result.measures}
        rows.append({"rounds": run.facts["best_iteration"], "validation": validation, **means})
    index = pd.Index([f"{run.fold}, seed {run.seed}" for run in result.runs], name="run")
    return pd.DataFrame(rows, index=index)


def shown_importances(result: JobResult) -> pd.DataFrame:
    """Return `mean_importances` for readers: splits as whole numbers, shares in percent, columns in words."""
    table = mean_importances(result)
    share = table["gain_share"].map("{:.2%}".format)
    splits = table["split"].round().astype(int)
    return pd.DataFrame({"gain": table["gain"], "share of gain": share, "splits, rounded": splits})


def mean_importances(result: JobResult) -> pd.DataFrame:
    """Return gain, share of gain and splits of each feature, averaged over runs, highest gain first."""
    table = result.importances().groupby("feature", sort=False)[["gain", "gain_share", "split"]].mean()
    return table.sort_values("gain_share", ascending=False, kind="stable")
