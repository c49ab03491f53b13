"""``gbrank explain-difference``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._evaluate import _check_sides as check_sides
from ._evaluate import scores_by_row
from ._inputs import AsJson, NFeatures, Scattered, Threads, ZeroBased, naming, read_files, read_model
from ._talk import answer, answer_json

RULES = "a preset such as default, letor, lightgbm or trec, or a measure with its rules"


def explain_difference(
    a: Annotated[str, typer.Option("--from", metavar="RULES", help=f"Convention to start from: {RULES}.")],
    b: Annotated[str, typer.Option("--to", metavar="RULES", help="Convention to arrive at.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="LETOR file with the labels; or give --qrels.")
    ] = None,
    scores: Annotated[Path | None, typer.Option(help="A file with one score a line, in the file's order.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="A run, joined by query and document id: TREC text, .json or .parquet.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A model that gbrank saved.")] = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Judgments in place of FILE, for a run: TREC text, .json or .parquet.")
    ] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", "-m", metavar="NAME", help="The measure.", show_default="ndcg@10")
    ] = None,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Tell which rule of a convention moves the mean of one ranking by how much, and on which queries.

    The contributions of the rules sum to the difference of the two means.

    For example:

        gbrank explain-difference test.txt --scores scores.txt --from lightgbm --to trec
        gbrank explain-difference --qrels qrels.txt --run bert.trec --from letor --to default -m ndcg@5
        gbrank explain-difference test.txt --model m.gbrank --from ap --to "ap(ties=worst)"
    """
    from .. import explain_difference as explain
    from ..data import read_qrels, read_run

    paths = [path for path in (scores, run, model) if path is not None]
    if len(paths) != 1:
        raise typer.BadParameter("give one of --scores, --run and --model.", param_hint="--scores")
    check_sides(file, qrels, paths, of_rows=run is None)
    given: Any = None if model is None else read_model(model, n_jobs=n_jobs)
    judgments: Any
    if file is None:
        judgments = read_qrels(qrels or "", n_jobs=n_jobs)
    else:
        width = n_features or (None if given is None else given.n_features_in_)
        of = model if n_features is None else None
        judgments = read_files([file], n_features=width, zero_based=zero_based, scattered=scattered, of=of)[0]
    if scores is not None:
        given = scores_by_row(scores, judgments.order)
    elif run is not None:
        given = read_run(run, n_jobs=n_jobs)
    with naming(file or paths[0]):
        found = explain(judgments, given, a, b, measure=measure, n_jobs=n_jobs)
    if as_json:
        answer_json(found.to_dict())
    else:
        answer(str(found))
