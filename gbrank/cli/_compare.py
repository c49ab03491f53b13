"""``gbrank compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._evaluate import _run_names as run_names
from ._inputs import AsJson, Seed, Threads, naming
from ._outputs import check_output
from ._talk import answer, answer_json, say

if TYPE_CHECKING:
    from .. import Comparison


def compare(
    run: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Two runs or more: TREC text, .json or .parquet.")
    ],
    qrels: Annotated[Path, typer.Option(help="The judgments: TREC text, .json or .parquet.")],
    measure: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            "-m",
            metavar="NAME",
            help="A measure, as in gbrank evaluate; may be repeated.",
            show_default="ndcg@10",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Convention of all measures: default, letor, trec, lightgbm and others.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="RUN", help="The run to compare all others with, instead of all pairs.")
    ] = None,
    test: Annotated[str, typer.Option(help="Of paired differences: randomisation, t or wilcoxon.")] = "randomisation",
    correction: Annotated[str, typer.Option(help="Over the pairs of a measure: holm, tukey or none.")] = "holm",
    confidence: Annotated[float, typer.Option(help="Of each interval.")] = 0.95,
    resamples: Annotated[int, typer.Option(help="Number of resamples and sign patterns.")] = 10_000,
    seed: Seed = None,
    latex: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the tables as LaTeX, too.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown, too.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the tables as HTML, too.")] = None,
    n_jobs: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs query by query: differences with intervals, p-values, effect sizes and wins.

    For example:

        gbrank compare bm25.trec dense.trec gbdt.trec --qrels qrels.txt
        gbrank compare bm25.trec dense.trec --qrels qrels.txt -m ndcg@10 -m ap --baseline bm25 --test t
        gbrank compare a.trec b.trec c.trec --qrels qrels.txt --correction tukey --latex table.tex

    Runs are called by their file's name without its ending. Queries that a run lacks count as the measure's convention
    says; what is missing or not judged is told on standard error.
    """
    from .. import compare as compare_systems
    from .. import evaluate
    from .. import measure as find_measure
    from ..data import read_qrels, read_run

    if len(run) < 2:
        raise typer.BadParameter("give at least two runs.", param_hint="RUN...")
    outputs = {"--latex": latex, "--markdown": markdown, "--html": html}
    for option, path in outputs.items():
        if path is not None:
            check_output(path, option, [qrels, *run])
    names = run_names(run)
    if len(set(names)) < len(names):
        raise typer.BadParameter(f"{_repeated(names)} is given twice.", param_hint="RUN...")
    measures = [find_measure(name, preset=preset) for name in measure or ["ndcg@10"]]
    chosen = _as_named(baseline, run, names)
    judgments = read_qrels(qrels, n_jobs=n_jobs)
    runs: dict[str, Any] = {name: read_run(path, n_jobs=n_jobs) for name, path in zip(names, run, strict=True)}
    with naming(qrels):
        result = evaluate(judgments, runs, measures, n_jobs=n_jobs)
    options: dict[str, Any] = {"test": test, "correction": correction, "confidence": confidence, "n_jobs": n_jobs}
    found = compare_systems(result, baseline=chosen, n_resamples=resamples, random_state=seed or 0, **options)
    _write(found, latex=latex, markdown=markdown, html=html)
    if as_json:
        answer_json(found.to_dict() | {"coverage": result.to_dict()["coverage"]})
    else:
        say(f"{result}\n")
        answer(str(found))


def _repeated(names: list[str]) -> str:
    return next(name for name in names if names.count(name) > 1)


def _as_named(baseline: str | None, paths: list[Path], names: list[str]) -> str | None:
    """Return the name of the run that `baseline` is the path of, or `baseline` itself."""
    return {str(path): name for path, name in zip(paths, names, strict=True)}.get(str(baseline), baseline)


def _write(found: Comparison, *, latex: Path | None, markdown: Path | None, html: Path | None) -> None:
    from .._files import atomic_write

    for path, make in ((latex, found.to_latex), (markdown, found.to_markdown), (html, found.to_html)):
        if path is not None:
            with atomic_write(path) as file:
                file.write(make())
