"""``gbrank clicks propensity``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._clicks import read_columns
from ._inputs import AsJson, NFeatures, Scattered, Seed, Threads, ZeroBased, read_files
from ._outputs import check_figure, check_output, write_figure
from ._talk import answer, answer_json


def clicks_propensity(
    logs: Annotated[
        list[Path], typer.Argument(metavar="LOG...", help="CSV or .parquet; of several rankers, one log for each.")
    ],
    method: Annotated[
        str,
        typer.Option(
            help="swaps (a coin swapped two ranks), all_pairs, adjacent or pivot (documents at several ranks), pbm "
            "(click model) or regression (with --data)."
        ),
    ] = "all_pairs",
    data: Annotated[
        Path | None, typer.Option(help="LETOR file of the documents' features, for --method regression.")
    ] = None,
    n_ranks: Annotated[
        int | None, typer.Option(help="How many of the first ranks.", min=1, show_default="all that are shown")
    ] = None,
    bootstrap: Annotated[
        int | None,
        typer.Option(help="Resamples for intervals; 0 makes none.", min=0, show_default="200; regression 0"),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    unit: Annotated[str, typer.Option(help="What is drawn at random: session or query.")] = "session",
    output: Annotated[Path | None, typer.Option(help="JSON file to write the propensities to.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Figure to write: .svg, .png or .pdf.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN", help="What the logs call session, query, document, rank, click or policy."),
    ] = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    seed: Seed = None,
    n_jobs: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Estimate how likely users look at each rank, relative to the first.

    For example:

        gbrank clicks propensity old.csv new.csv --output p.json --plot p.svg
        gbrank clicks propensity log.csv --method regression --data train.txt --bootstrap 50

    Clicks on one document at two ranks tell the ranks apart, so that the logs need rankings that vary: of several
    rankers, of one that draws them, or with ranks swapped at random (``gbrank clicks simulate --swaps``).
    """
    from ..clicks import concat_click_logs, estimate_propensities, read_click_log

    if (data is None) == (method == "regression"):
        raise typer.BadParameter("goes with --method regression, which needs it.", param_hint="--data")
    inputs = [*logs, data]
    if output is not None:
        check_output(output, "--output", inputs)
    if plot is not None:
        check_output(plot, "--plot", [*inputs, output])
        check_figure(plot, "--plot")
    names = read_columns(column)
    read = [read_click_log(log, names=names) for log in logs]
    documents = None
    if data is not None:
        documents = read_files([data], n_features=n_features, zero_based=zero_based, scattered=scattered)[0]
    unnamed = len(read) > 1 and all(each.policy is None for each in read)
    found = estimate_propensities(
        concat_click_logs(read, policies=[str(log) for log in logs] if unnamed else None),
        method,
        n_ranks=n_ranks,
        data=documents,
        n_resamples=bootstrap,
        confidence=confidence,
        unit=unit,
        random_state=seed or 0,
        n_jobs=n_jobs,
    )
    if output is not None:
        found.save(output)
    if plot is not None:
        from ..reports import propensity_curve

        write_figure(propensity_curve(found), plot)
    if as_json:
        answer_json(found.to_dict())
    else:
        answer(str(found))
