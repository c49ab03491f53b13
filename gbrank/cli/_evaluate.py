"""``gbrank evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._inputs import USUAL_MEASURES, AsJson, Measures, NFeatures, Scattered, Threads, ZeroBased, naming, read_files
from ._outputs import check_output
from ._talk import answer, answer_json

if TYPE_CHECKING:
    from .. import Evaluation


def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="LETOR file with the labels.")],
    model: Annotated[list[Path] | None, typer.Option(help="A model that gbrank saved; may be repeated.")] = None,
    scores: Annotated[
        list[Path] | None, typer.Option(help="A file with one score a line, in the file's order; may be repeated.")
    ] = None,
    measure: Measures = None,
    preset: Annotated[
        str | None, typer.Option(help="Convention of all measures: default, or letor for the LETOR 4.0 tools.")
    ] = None,
    per_query: Annotated[Path | None, typer.Option(help="CSV file to write the value of each query to.")] = None,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Evaluate models or scores, query by query.

    Each mean is told with its convention and with the number of queries that it counts: queries with nothing relevant
    are skipped by default.

    For example:

        gbrank evaluate test.txt --model m.gbrank
        gbrank evaluate test.txt --scores scores.txt -m ndcg@10 -m ap --preset letor
        gbrank evaluate test.txt --model a.gbrank --model b.gbrank --per-query out.csv

    A file of scores has as many lines as the LETOR file, with one number each. The CSV file has a line for each query,
    and a column for each measure, empty where the query is skipped.
    """
    from .. import evaluate as evaluate_data
    from .. import load
    from .. import measure as find_measure

    paths = [*(model or ()), *(scores or ())]
    if not paths:
        raise typer.BadParameter("give at least one --model or --scores.", param_hint="--model")
    if per_query is not None:
        check_output(per_query, "--per-query", [file, *paths])
    measures = [find_measure(name, preset=preset) for name in measure or USUAL_MEASURES]
    rankers = [load(path).set_params(n_jobs=n_jobs) for path in model or ()]
    width = n_features or (rankers[0].n_features_in_ if rankers else None)
    of = model[0] if model and n_features is None else None
    data = read_files([file], n_features=width, zero_based=zero_based, scattered=scattered, of=of)[0]
    for path, ranker in zip(model or (), rankers, strict=True):
        _check_width(path, ranker, file, data)
    given: list[Any] = [*rankers, *(read_scores(path, data.order) for path in scores or ())]
    runs = dict(zip(_run_names(paths), given, strict=True))
    with naming(file):
        result = evaluate_data(data, runs if len(runs) > 1 else given[0], measures, n_jobs=n_jobs)
    if per_query is not None:
        _write_table(result, per_query)
    if as_json:
        answer_json(result.to_dict())
    else:
        answer(str(result))


def _check_width(path: Path, ranker: Any, file: Path, data: Any) -> None:
    from .. import DataError

    if ranker.n_features_in_ != data.n_features:
        raise DataError(
            f"{path}: the model has {ranker.n_features_in_} features and {file} is read with {data.n_features}; "
            "evaluate models of other features in a call of their own."
        )


def read_scores(path: Path, order: Any) -> Any:
    """Return the scores of a file, one a line, in the row order of the data whose line numbers `order` holds.

    Raises
    ------
    DataError
        A line that is no finite number, or another number of lines than there are documents.
    """
    import numpy as np

    from .. import DataError

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not text; give a file with one score a line.") from None
    if len(lines) != len(order):
        raise DataError(f"{path}: {len(lines)} scores for {len(order)} documents; give one a line for each.")
    values = np.empty(len(lines))
    for number, line in enumerate(lines):
        try:
            values[number] = read_score(line)
        except ValueError:
            raise DataError(f"{path}:{number + 1}: {line!r} is no number; give one score a line.") from None
        if not np.isfinite(values[number]):
            raise DataError(f"{path}:{number + 1}: {line!r} is not finite; such a score has no rank.")
    return values[order]


def read_score(text: str) -> float:
    """Return the number that a text is; Python alone would also read ``1_0`` and digits of other scripts."""
    if "_" in text or not text.isascii():
        raise ValueError
    return float(text)


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
