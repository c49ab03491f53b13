"""``gbrank clicks evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._clicks import read_columns, scores_in_order
from ._inputs import AsJson, Seed, Threads, read_files, read_model
from ._talk import answer, answer_json

if TYPE_CHECKING:
    from ..clicks import ClickModel


def clicks_evaluate(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Sessions with other rankings: CSV or .parquet.")],
    run: Annotated[Path | None, typer.Option(help="The new ranking: a run, all documents of each query.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Or a LETOR file of the documents, with --ranker or --scores.")
    ] = None,
    ranker: Annotated[Path | None, typer.Option(help="Saved model that ranks the documents of --data.")] = None,
    scores: Annotated[Path | None, typer.Option(help="Or scores, one for each line of --data.")] = None,
    propensity: Annotated[
        str | None,
        typer.Option(
            metavar="P1,P2,...",
            help="How likely each rank is seen, from the first on, or the JSON file of `gbrank clicks propensity`.",
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Or a click model that `gbrank clicks fit` wrote: pbm or trust.")
    ] = None,
    relevance: Annotated[
        Path | None, typer.Option(help="Click model whose attractions are a guess, for the doubly robust estimates.")
    ] = None,
    reward: Annotated[str, typer.Option(help="dcg@k, precision@k, or ctr: clicks in a session.")] = "dcg@10",
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="ips, snips, clipped, dr, clipped_dr or direct; may be repeated.", show_default="all that can be made"
        ),
    ] = None,
    exposure: Annotated[
        str,
        typer.Option(help="By what a document was seen: policy (all sessions of the query) or rank (each by itself)."),
    ] = "policy",
    clip: Annotated[
        float | None, typer.Option(help="Lower exposures count as this.", show_default="1 / root of sessions")
    ] = None,
    interval: Annotated[str, typer.Option(help="t or bootstrap.")] = "t",
    unit: Annotated[str, typer.Option(help="What is drawn at random: session or query.")] = "session",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN", help="What the log calls session, query, document, rank or click."),
    ] = None,
    seed: Seed = None,
    n_jobs: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Estimate what a new ranking would have brought, from sessions in which others were shown.

    For example:

        gbrank clicks evaluate log.csv --run new.trec --model pbm.json --reward dcg@10
        gbrank clicks evaluate log.csv --data train.txt --ranker m.gbrank --propensity 1,0.5,0.33 --reward ctr

    Why the log may not support the answer is told below the table, and what is serious on standard error as well; the
    exit code is 0.
    """
    from ..clicks import estimate, load_click_model, read_click_log
    from ..data import read_run

    if (run is None) == (data is None):
        raise typer.BadParameter("give either --run or --data.", param_hint="--run")
    if data is not None and (ranker is None) == (scores is None):
        raise typer.BadParameter("give either --ranker or --scores for the documents of --data.", param_hint="--ranker")
    if data is None and (ranker is not None or scores is not None):
        raise typer.BadParameter("--ranker and --scores rank the documents of --data; give these.", param_hint="--data")
    if (propensity is None) == (model is None):
        raise typer.BadParameter("give either --propensity or --model.", param_hint="--propensity")
    seen = read_propensity(propensity) if model is None else load_click_model(model)
    guess: ClickModel | None = None if relevance is None else load_click_model(relevance)
    sessions = read_click_log(log, names=read_columns(column))
    documents, ranking = None, None
    if run is not None:
        ranking = read_run(run, n_jobs=n_jobs)
    elif data is not None:
        booster = None if ranker is None else read_model(ranker, n_jobs=n_jobs)
        width = None if booster is None else booster.n_features_in_
        documents = read_files([data], n_features=width, zero_based=False, scattered="refuse", of=ranker)[0]
        ranking = booster if scores is None else scores_in_order(scores, documents)
    found = estimate(
        sessions,
        ranking,
        propensity=seen,
        data=documents,
        reward=reward,
        method=method,
        exposure=exposure,
        relevance=guess,
        clip=clip,
        interval=interval,
        unit=unit,
        random_state=seed or 0,
        n_jobs=n_jobs,
    )
    if as_json:
        answer_json(found.to_dict())
    else:
        answer(str(found))


def read_propensity(text: str | None) -> Any:
    """Return the numbers of a list with commas, or the propensities of a JSON file.

    Raises
    ------
    DataError, ParameterError
        The file holds none; one of the numbers is none.
    """
    from .. import ParameterError
    from ..clicks import load_propensities

    if text is not None and text.endswith(".json"):
        return load_propensities(text)
    try:
        return [float(each) for each in (text or "").split(",")]
    except ValueError:
        raise ParameterError(f"--propensity {text}: give a number for each rank, as in 1,0.5,0.33.") from None
