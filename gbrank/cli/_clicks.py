"""``gbrank clicks simulate`` and ``gbrank clicks fit``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._inputs import AsJson, NFeatures, Scattered, Seed, Threads, ZeroBased, read_assignments, read_files, read_model
from ._outputs import check_output
from ._talk import answer, answer_json, say

if TYPE_CHECKING:
    from .. import RankingData
    from ..clicks import ClickLog, ClickModel

MODELS = "pbm, cascade, dcm, dbn, sdbn, ubm or trust"


def clicks_simulate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="LETOR file of documents, whose labels attract.")],
    output: Annotated[Path, typer.Option(help="Log to write: CSV, or .parquet.")],
    model: Annotated[str, typer.Option(help=f"How users click: {MODELS}, or the JSON file of one that was fitted.")],
    sessions: Annotated[int, typer.Option(help="How many sessions.", min=1)] = 10_000,
    ranker: Annotated[Path | None, typer.Option(help="Saved model that ranks what is shown.")] = None,
    scores: Annotated[Path | None, typer.Option(help="Or scores, one for each line of FILE.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="NAME=VALUE",
            help="Parameter of the click model, such as eta=1 (pbm), persistence=0.9 (dbn) or "
            "continuation=[0.8,0.5,0.3] (dcm); may be repeated.",
        ),
    ] = None,
    top_k: Annotated[int, typer.Option(help="How many documents are shown.", min=1)] = 10,
    noise: Annotated[float, typer.Option(help="How likely a document of grade 0 attracts.", min=0, max=1)] = 0.1,
    temperature: Annotated[
        float | None,
        typer.Option(help="Draw rankings, by exp(score / temperature).", show_default="the ranking by score"),
    ] = None,
    swaps: Annotated[
        str | None,
        typer.Option(
            help="Swap two ranks by a coin: first (rank 1 with another) or adjacent.", show_default="no swaps"
        ),
    ] = None,
    policy: Annotated[str | None, typer.Option(help="What the log calls the ranker.")] = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    seed: Seed = None,
    n_jobs: Threads = None,
) -> None:
    """Write a log of simulated users, who are shown rankings and click.

    What ranks is a saved model or a file of scores; how users click is a click model, whose attractions are made of the
    labels.

    For example:

        gbrank clicks simulate train.txt --ranker m.gbrank --model pbm -p eta=1 --output log.csv
        gbrank clicks simulate train.txt --scores s.txt --model dbn -p persistence=0.9 --output log.parquet

    The log has a row for each document shown: session, query, document, rank, click, and policy where it has a name,
    or with --swaps, which the ranks are that the coin may have swapped. Documents without ids in FILE are
    called by their line among the documents, from 0.
    """
    from ..clicks import GradedAttraction, PlackettLuce, RandomSwaps, simulate_clicks, write_click_log

    if (ranker is None) == (scores is None):
        raise typer.BadParameter("give either --ranker or --scores.", param_hint="--ranker")
    check_output(output, "--output", [file, ranker, scores])
    clicking = read_click_model(model, read_assignments(param, "--param"), top_k)
    booster = None if ranker is None else read_model(ranker, n_jobs=n_jobs)
    width = n_features if booster is None else booster.n_features_in_
    data = read_files([file], n_features=width, zero_based=zero_based, scattered=scattered, of=ranker)[0]
    shown = booster if scores is None else scores_in_order(scores, data)
    shown = shown if temperature is None else PlackettLuce(shown, temperature)
    shown = shown if swaps is None else RandomSwaps(shown, swaps)
    attraction = GradedAttraction(noise) if clicking.attraction is None else None
    log = simulate_clicks(data, shown, clicking, sessions, seed or 0, top_k=top_k, attraction=attraction, policy=policy)
    write_click_log(log, output)
    say(f"{output}: {log.n_sessions} sessions, {log.n_rows} rows, {int(log.click.sum())} clicks")


def clicks_fit(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="CSV, .parquet, or with --yandex its text.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"{MODELS}; may be repeated, to compare them.", show_default="pbm, dcm, dbn, ubm"),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="JSON file to write the model to; of one model.")] = None,
    holdout: Annotated[
        float, typer.Option(help="Share of the last sessions, of each query, that only score.", min=0, max=0.99)
    ] = 0.25,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN", help="What the log calls session, query, document, rank or click."),
    ] = None,
    yandex: Annotated[bool, typer.Option("--yandex", help="The log is text of Yandex's challenge.")] = False,
    ignore_unlisted: Annotated[
        bool, typer.Option("--ignore-unlisted", help="With --yandex: leave out clicks on what was not shown.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fit click models to a log, and tell how well they foretell the clicks of later sessions.

    For example:

        gbrank clicks fit log.csv --model ubm --output ubm.json
        gbrank clicks fit sessions.txt --yandex --ignore-unlisted --model pbm --model ubm --model dbn

    The log-likelihood is that of a session, on average; the perplexity of a rank is 1 where a model is always right and
    2 where it tosses a coin, given the clicks above. A log without sessions must stand in order, each from rank 1 on.
    """
    from ..clicks import CLICK_MODELS, read_click_log, read_yandex_sessions

    names = model or ["pbm", "dcm", "dbn", "ubm"]
    kinds = [CLICK_MODELS[name] for name in names]
    if output is not None:
        if len(kinds) > 1 or model is None:
            raise typer.BadParameter("holds one model; give --model once.", param_hint="--output")
        check_output(output, "--output", [log])
    if yandex:
        sessions = read_yandex_sessions(log, unlisted="ignore" if ignore_unlisted else "refuse")
    else:
        sessions = read_click_log(log, names=read_columns(column))
    earlier, later = (sessions, None) if holdout == 0 else sessions.split_by_time(1 - holdout, within_queries=True)
    found = [kind.fit(earlier) for kind in kinds]
    if output is not None:
        found[0].save(output)
    told = [scored(each, earlier if later is None else later) for each in found]
    if as_json:
        counts = {"fitted": earlier.n_sessions, "scored": (earlier if later is None else later).n_sessions}
        answer_json({"sessions": counts, "models": {each.name: row for each, row in zip(found, told, strict=True)}})
        return
    said = "the same" if later is None else f"the {later.n_sessions} later ones"
    say(f"fitted on {earlier.n_sessions} sessions, scored on {said}")
    answer(as_text(found, told))


def scored(model: ClickModel, log: ClickLog) -> dict[str, Any]:
    """Return log-likelihood and perplexities; what is infinite, of a session held to be impossible, is None."""
    perplexity = model.perplexity(log)
    ranks = perplexity.by_rank.tolist()
    return {
        "log_likelihood": finite(model.log_likelihood(log) / log.n_sessions),
        "perplexity": finite(perplexity.overall),
        "by_rank": [finite(each) for each in ranks],
    }


def finite(value: float) -> float | None:
    """Return the number, or None where it is none that JSON could hold."""
    return value if abs(value) < float("inf") else None


def as_text(models: Sequence[ClickModel], told: Sequence[dict[str, Any]]) -> str:
    """Return a table with a row for each model."""
    ranks = len(told[0]["by_rank"])
    head = ["model", "log-lik", "perplexity", *(f"@{rank}" for rank in range(1, ranks + 1))]
    rows = [
        [model.name, row["log_likelihood"], row["perplexity"], *row["by_rank"]]
        for model, row in zip(models, told, strict=True)
    ]
    cells = [head, *([row[0], *("-" if each is None else f"{each:.4f}" for each in row[1:])] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)


def read_click_model(text: str, params: dict[str, Any], n_ranks: int) -> ClickModel:
    """Return the model of a JSON file, or of a name with parameters.

    Raises
    ------
    DataError, ParameterError
        An unknown name or parameter, a file that is no model, a value out of range.
    """
    import dataclasses

    from .. import ParameterError
    from .._registry import unknown
    from ..clicks import CLICK_MODELS, PositionBased, load_click_model

    if text.endswith(".json"):
        if params:
            raise ParameterError(f"--param: {text} has its own parameters; leave them out.")
        return load_click_model(text)
    kind = CLICK_MODELS[text]
    if kind is PositionBased and set(params) == {"eta"}:
        return PositionBased.power(params["eta"], n_ranks)
    known = [each.name for each in dataclasses.fields(kind) if each.name not in (*kind.tables, "history")]
    for name in params:
        if name not in known:
            raise unknown(f"parameter of {kind.name}", name, [*known, "eta"] if kind is PositionBased else known)
    missing = [name for name in known if name not in params]
    if missing:
        raise ParameterError(f"--param: the {kind.name} model needs {missing[0]}; give --param {missing[0]}=VALUE.")
    return kind(**params)


def read_columns(columns: Sequence[str] | None) -> dict[str, str] | None:
    """Return what the log calls its columns."""
    return {name: str(value) for name, value in read_assignments(columns, "--column").items()} or None


def scores_in_order(path: Path, data: RankingData) -> Any:
    """Return the scores of a file with one for each line, in the order of the data."""
    from .. import DataError
    from ..data import read_scores

    scores = read_scores(path)
    if len(scores) != data.n_documents:
        raise DataError(f"{path}: {len(scores)} scores for {data.n_documents} documents; give one for each line.")
    return scores[data.order]
