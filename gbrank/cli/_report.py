"""``gbrank report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._inputs import USUAL_MEASURES, Measures, Scattered, ZeroBased, read_files, read_model
from ._outputs import check_output
from ._talk import answer


def report(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that gbrank saved.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="LETOR files with labels; the last is the one to judge by.")
    ],
    output: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
    measure: Measures = None,
    preset: Annotated[str | None, typer.Option(help="Convention of all measures: default or letor.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the report.")] = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
) -> None:
    """Write an HTML report of a model.

    The report tells of measures, meaning of scores, queries, learning curve and importances on each LETOR file. It is a
    single file that needs nothing else. The model may be a calibrated one.

    For example:

        gbrank report m.gbrank train.txt test.txt --output report.html
    """
    from .. import measure as find_measure
    from ..reports import report as write_report

    check_output(output, "--output", [model, *files])
    measures = [find_measure(name, preset=preset) for name in measure or USUAL_MEASURES]
    ranker = read_model(model)
    sets = read_files(files, n_features=ranker.n_features_in_, zero_based=zero_based, scattered=scattered, of=model)
    stems = [path.stem for path in files]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in files]
    write_report(output, ranker, dict(zip(names, sets, strict=True)), measures=measures, title=title)
    answer(str(output))
