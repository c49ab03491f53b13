"""``gbrank evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._inputs import (
    USUAL_MEASURES,
    AsJson,
    Measures,
    NFeatures,
    Scattered,
    Threads,
    ZeroBased,
    naming,
    read_files,
    read_model,
)
from ._outputs import check_output
from ._talk import answer, answer_json

if TYPE_CHECKING:
    from .. import Evaluation


def evaluate(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="LETOR file with the labels; or give --qrels.")
    ] = None,
    model: Annotated[list[Path] | None, typer.Option(help="A model that gbrank saved; may be repeated.")] = None,
    scores: Annotated[
        list[Path] | None, typer.Option(help="A file with one score a line, in the file's order; may be repeated.")
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(help="A run, joined by query and document id: TREC text, .json or .parquet; may be repeated."),
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Judgments in place of FILE, for runs: TREC text, .json or .parquet.")
    ] = None,
    measure: Measures = None,
    preset: Annotated[
        str | None, typer.Option(help="Convention of all measures: default, letor, trec, lightgbm and others.")
    ] = None,
    per_query: Annotated[Path | None, typer.Option(help="CSV file to write the value of each query to.")] = None,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="Also tell how well each model's probabilities of grades hold.")
    ] = False,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Evaluate models, scores or runs, query by query.

    Each mean is told with its convention and with the number of queries that it counts: queries with nothing relevant
    are skipped by default.

    For example:

        gbrank evaluate test.txt --model m.gbrank
        gbrank evaluate test.txt --scores scores.txt -m ndcg@10 -m ap --preset letor
        gbrank evaluate --qrels qrels.txt --run bm25.trec --run dense.trec.gz -m ndcg@10
        gbrank evaluate test.txt --model a.gbrank --run dense.trec --per-query out.csv
        gbrank evaluate test.txt --model calibrated.gbrank --calibration

    A file of scores has as many lines as the LETOR file, with one number each. A run is joined by ids, which a LETOR
    file has in comments (# docid = X); queries and documents that only one side has are counted and told. The CSV file
    has a line for each query, and a column for each measure, empty where the query is skipped. Calibration is of models
    that have probabilities: calibrated ones, or those of objectives such as cross_entropy and ordinal.
    """
    from .. import calibration as find_calibration
    from .. import evaluate as evaluate_data
    from .. import measure as find_measure
    from ..data import read_qrels, read_run

    paths = [*(model or ()), *(scores or ()), *(run or ())]
    if calibration and not model:
        raise typer.BadParameter("is of models; give at least one --model.", param_hint="--calibration")
    _check_sides(file, qrels, paths, of_rows=bool(model or scores))
    given_file: Any = file or qrels
    if per_query is not None:
        check_output(per_query, "--per-query", [given_file, *paths])
    measures = [find_measure(name, preset=preset) for name in measure or USUAL_MEASURES]
    rankers = _read_models(model or (), n_jobs)
    judgments: Any
    if file is None:
        judgments = read_qrels(given_file, n_jobs=n_jobs)
    else:
        width = n_features or (rankers[0].n_features_in_ if rankers else None)
        of = model[0] if model and n_features is None else None
        judgments = read_files([file], n_features=width, zero_based=zero_based, scattered=scattered, of=of)[0]
        for path, ranker in zip(model or (), rankers, strict=True):
            _check_width(path, ranker, file, judgments)
    given: list[Any] = [
        *rankers,
        *(scores_by_row(path, judgments.order) for path in scores or ()),
        *(read_run(path, n_jobs=n_jobs) for path in run or ()),
    ]
    runs = dict(zip(_run_names(paths), given, strict=True))
    with naming(given_file):
        result = evaluate_data(judgments, runs if len(runs) > 1 else given[0], measures, n_jobs=n_jobs)
        stated = dict(zip(runs, rankers, strict=False)) if calibration else {}
        held = {name: find_calibration(judgments, ranker) for name, ranker in stated.items()}
    if per_query is not None:
        _write_table(result, per_query)
    if as_json:
        more = {"calibration": {name: each.to_dict() for name, each in held.items()}} if held else {}
        answer_json(result.to_dict() | more)
    else:
        answer("\n\n".join([str(result), *(f"{name}\n{each}" for name, each in held.items())]))


def _check_sides(file: Path | None, qrels: Path | None, paths: list[Path], *, of_rows: bool) -> None:
    """Refuse a command line that does not say what is evaluated against what."""
    if not paths:
        raise typer.BadParameter("give at least one --model, --scores or --run.", param_hint="--model")
    if (file is None) == (qrels is None):
        raise typer.BadParameter("give either FILE, a LETOR file, or --qrels.", param_hint="--qrels")
    if qrels is not None and of_rows:
        raise typer.BadParameter(
            "--model and --scores need FILE, a LETOR file; judgments take --run.", param_hint="--qrels"
        )


def _read_models(paths: Sequence[Path], n_jobs: int | None) -> list[Any]:
    return [read_model(path, n_jobs=n_jobs) for path in paths]


def _check_width(path: Path, ranker: Any, file: Path, data: Any) -> None:
    from .. import DataError

    if ranker.n_features_in_ != data.n_features:
        raise DataError(
            f"{path}: the model has {ranker.n_features_in_} features and {file} is read with {data.n_features}; "
            "evaluate models of other features in a call of their own."
        )


def scores_by_row(path: Path, order: Any) -> Any:
    """Return the scores of a file, one a line, in the row order of the data whose line numbers `order` holds.

    Raises
    ------
    DataError
        A line that is no finite number, or another number of lines than there are documents.
    """
    from .. import DataError
    from ..data import read_scores

    found = read_scores(path)
    if len(found) != len(order):
        raise DataError(f"{path}: {len(found)} scores for {len(order)} documents; give one a line for each.")
    return found[order]


def _run_names(paths: list[Path]) -> list[str]:
    """Return the files' names without their endings, or the whole paths where those are not distinct."""
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]


def _write_table(result: Evaluation, path: Path) -> None:
    from .._files import atomic_write

    table = result.table.copy()
    if result.runs:
        table.columns = [": ".join(column) for column in table.columns.tolist()]
    table.insert(0, "documents", result.sizes)
    with atomic_write(path) as file:
        table.to_csv(file)
