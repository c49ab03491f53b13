"""``gbrank run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._inputs import AsJson
from ._talk import answer, answer_json, progress, say


def run(
    job: Annotated[Path, typer.Argument(metavar="JOB.toml", help="The job.")],
    output: Annotated[Path | None, typer.Option(help="Output folder, in place of the job's own.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the job, and print it with every default.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do a whole experiment, as a TOML file says.

    It reads, splits by query, tunes, trains, evaluates, explains and reports.

    For example:

        gbrank run job.toml
        gbrank run job.toml --output out
        gbrank run job.toml --check

    A job for all folds of a data set; paths are relative to the job's file:

        output = "out"
        measures = ["ndcg@10", "ap"]
        [data]
        folds = ["Fold1", "Fold2"]      # each with train.txt, vali.txt and test.txt
        [ranker]
        objective = "lambdarank"
        early_stopping_rounds = 50

    In place of folds: folder = "Fold1", or train, vali and test with a file each, or file = "all.txt", which a table
    [split] cuts by query. A table [tuning] searches parameters first.

    The output folder holds model.gbrank, metrics.json, per_query.csv, importances.csv, report.html, job.toml (with
    every default, to do the same again) and versions.json. Of several folds or seeds, each has a folder with its model
    and its report.
    """
    from ..jobs import read_job, to_toml
    from ..jobs import run as run_job

    if check:
        answer(to_toml(read_job(job, output).table()).rstrip())
        return
    with progress() as tell:
        result = run_job(job, output, progress=tell)
    if as_json:
        answer_json(result.to_dict())
    else:
        answer(str(result))
    say(f"written to {result.output}")
