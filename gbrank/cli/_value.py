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
    from ..fusion import TargetResult


def value_tune(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.json", help="The value model, and its target.")],
    scores: Annotated[
        Path, typer.Option(help="Predictions: CSV or .parquet with a column for query, document and each task.")
    ],
    model: Annotated[Path | None, typer.Option(help="JSON file to write the tuned value model to.")] = None,
    query: Annotated[str, typer.Option(help="Column of query ids.")] = "query",
    document: Annotated[str, typer.Option(help="Column of document ids; an empty name reads none.")] = "document",
    resamples: Annotated[
        int, typer.Option(help="Bootstrap resamples for intervals of fractions and weights; 0 makes none.", min=0)
    ] = 0,
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

    A target that cannot be reached is told on standard error, with how near one comes; the nearest weights are the
    result, and the exit code is 0.
    """
    from ..fusion import ValueModel, read_task_scores, target_weights

    if model is not None:
        check_output(model, "--model", [config, scores])
    content, target = read_config(config)
    start = ValueModel.from_dict(content)
    data = read_task_scores(scores, query=query, document=document or None, tasks=start.tasks)
    found = target_weights(start, data, random_state=seed or 0, n_jobs=n_jobs, **target)
    if model is not None:
        found.model.save(model)
    if not found.reached:
        say(f"gbrank: warning: {found.verdict()}")
    if as_json:
        answer_json(as_content(found, resamples, seed or 0))
    else:
        answer(str(found))
        if resamples:
            answer(f"\n{found.intervals(n_resamples=resamples, random_state=seed or 0).round(4).to_string()}")


def as_content(found: TargetResult, resamples: int, seed: int) -> dict[str, Any]:
    """Return the result as plain content, with intervals where there are resamples."""
    content = found.to_dict()
    if resamples:
        content["intervals"] = found.intervals(n_resamples=resamples, random_state=seed).to_dict("index")
    return content


def read_config(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the value model and the target of a file, as plain content.

    Raises
    ------
    DataError, ParameterError
        No JSON, or keys that are missing, unknown or of the wrong kind.
    """
    import json

    from .. import DataError, ParameterError
    from .._registry import unknown
    from ..fusion import Constraints

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: is no JSON ({error.msg}); correct it.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (byte {error.start}); convert the file to UTF-8.") from None
    if not isinstance(content, Mapping) or not isinstance(content.get("target"), Mapping):
        raise ParameterError(f"{path}: give {{'weights': .., 'target': {{'desired': {{task: fraction}}}}}}.")
    allowed = ("desired", "by", "k", "gain", "method", "constraints", "regularization", "tolerance")
    target = dict(content["target"])
    for key in target:
        if key not in allowed:
            raise unknown(f"key of the target in {path}", key, allowed)
    if "desired" not in target:
        raise ParameterError(f"{path}: the target has no 'desired'; give {{task: fraction}}.")
    if "constraints" in target:
        given = target["constraints"]
        limits = ("lower", "upper", "fixed", "ndcg_floor", "sum_to_one")
        if not isinstance(given, Mapping):
            raise ParameterError(f"{path}: constraints: {given!r} is no mapping; give some of {', '.join(limits)}.")
        for key in given:
            if key not in limits:
                raise unknown(f"key of the constraints in {path}", key, limits)
        target["constraints"] = Constraints(**given)
    return {key: value for key, value in content.items() if key != "target"}, target
