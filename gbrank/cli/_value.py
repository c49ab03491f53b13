"""``gbrank value tune``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._inputs import AsJson, Seed, Threads
from ._outputs import check_output
from ._talk import answer, answer_json, say

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..fusion import Constraints, SegmentedValueModel, TargetResult, ValueModel


Config = Annotated[Path, typer.Argument(metavar="CONFIG.json", help="The value model, and its target.")]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL.json", help="The value model; a target in it is not used.")]
Scores = Annotated[
    Path, typer.Option(help="Predictions: CSV or .parquet with a column for query, document and each task.")
]
Query = Annotated[str, typer.Option(help="Column of query ids.")]
Document = Annotated[str, typer.Option(help="Column of document ids; an empty name reads none.")]


def value_tune(
    config: Config,
    scores: Scores,
    model: Annotated[Path | None, typer.Option(help="JSON file to write the tuned value model to.")] = None,
    segment: Annotated[
        str | None, typer.Option(help="Column of segments, each of which gets weights of its own.")
    ] = None,
    query: Query = "query",
    document: Document = "document",
    resamples: Annotated[
        int, typer.Option(help="Bootstrap resamples for intervals of fractions and weights; 0 makes none.", min=0)
    ] = 0,
    intervals: Annotated[
        str, typer.Option(help="How a resample's weights are found: step (one Newton step) or search (slow).")
    ] = "step",
    seed: Seed = None,
    n_jobs: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Find the weights of a value model with which each task counts as much as is desired.

    CONFIG.json holds a value model, and under "target" the options of gbrank.target_weights:

        {"weights": {"click": 1, "dwell": 1}, "transforms": {"dwell": "log1p"}, "form": "sum",
         "target": {"desired": {"click": 0.7, "dwell": 0.3}, "by": "gap", "k": 10}}

    For example:

        gbrank value tune config.json --scores scores.csv --model tuned.json
        gbrank value tune config.json --scores scores.parquet --resamples 1000 --json
        gbrank value tune config.json --scores scores.csv --segment market --model tuned.json

    With --segment, "desired" may hold fractions for each segment: {"de": {"click": 0.7, ..}, "fr": ..}.

    A target that cannot be reached is told on standard error, with how near one comes; the nearest weights are the
    result, and the exit code is 0.
    """
    from .._checks import check_choice
    from ..fusion import ValueModel, read_task_scores, read_task_segments, target_weights, target_weights_by_segment

    check_choice("--intervals", intervals, ("step", "search"))
    if model is not None:
        check_output(model, "--model", [config, scores])
    content, target = read_config(config)
    start = ValueModel.from_dict(content)
    data = read_task_scores(scores, query=query, document=document or None, tasks=start.tasks)
    target |= {"random_state": seed or 0, "n_jobs": n_jobs}
    tuned: ValueModel | SegmentedValueModel
    if segment is None:
        found = target_weights(start, data, **target)
        results, tuned = {"": found}, found.model
    else:
        segments = read_task_segments(scores, segment, query=query)
        tuned, results = target_weights_by_segment(start, data, segments=segments, **target)
    if model is not None:
        tuned.save(model)
    told = {}
    for name, each in results.items():
        if not each.reached:
            say(f"gbrank: warning: {f'{segment} {name}: ' if name else ''}{each.verdict()}")
        table = each.intervals(n_resamples=resamples, random_state=seed or 0, weights=intervals) if resamples else None
        told[name] = as_content(each, table)
        if not as_json:
            answer(as_text(each, table, f"{segment} {name}" if name else ""))
    if as_json:
        answer_json(told[""] if segment is None else {"segments": told, "model": tuned.to_dict()})


def as_text(found: TargetResult, intervals: DataFrame | None, title: str) -> str:
    """Return the result as text, under a title if it has one."""
    lines = [title, ""] if title else []
    lines += [str(found), *(["", intervals.round(4).to_string()] if intervals is not None else [])]
    return "\n".join([*lines, ""] if title else lines)


def as_content(found: TargetResult, intervals: DataFrame | None) -> dict[str, Any]:
    """Return the result as plain content, with intervals where there are some."""
    content = found.to_dict()
    if intervals is not None:
        content["intervals"] = intervals.to_dict("index")
    return content


def read_config(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the value model and the target of a file, as plain content.

    Raises
    ------
    DataError, ParameterError
        No JSON, or keys that are missing, unknown or of the wrong kind.
    """
    from .. import ParameterError
    from .._registry import unknown

    content = read_json(path)
    if not isinstance(content.get("target"), Mapping):
        raise ParameterError(f"{path}: give {{'weights': .., 'target': {{'desired': {{task: fraction}}}}}}.")
    allowed = ("desired", "by", "k", "gain", "method", "constraints", "regularization", "tolerance")
    target = dict(content["target"])
    for key in target:
        if key not in allowed:
            raise unknown(f"key of the target in {path}", key, allowed)
    if "desired" not in target:
        raise ParameterError(f"{path}: the target has no 'desired'; give {{task: fraction}}.")
    if "constraints" in target:
        target["constraints"] = read_constraints(path, target["constraints"])
    return {key: value for key, value in content.items() if key != "target"}, target


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file."""
    import json

    from .. import DataError, ParameterError

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: is no JSON ({error.msg}); correct it.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (byte {error.start}); convert the file to UTF-8.") from None
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: give {{'weights': {{task: weight}}, ..}}.")
    return content


def read_constraints(path: Path, given: Any) -> Constraints:
    """Return the constraints that a file holds as plain content."""
    from .. import ParameterError
    from .._registry import unknown
    from ..fusion import Constraints

    limits = ("lower", "upper", "fixed", "ndcg_floor", "sum_to_one")
    if not isinstance(given, Mapping):
        raise ParameterError(f"{path}: constraints: {given!r} is no mapping; give some of {', '.join(limits)}.")
    for key in given:
        if key not in limits:
            raise unknown(f"key of the constraints in {path}", key, limits)
    return Constraints(**given)


def read_value_model(path: Path) -> tuple[ValueModel, Constraints | None]:
    """Return the value model of a file, and the constraints of its target, where it has one with some."""
    from ..fusion import ValueModel

    content = read_json(path)
    target = content.pop("target", None)
    given = target.get("constraints") if isinstance(target, Mapping) else None
    return ValueModel.from_dict(content), None if given is None else read_constraints(path, given)
