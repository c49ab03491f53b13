"""``gbrank diagnose``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._inputs import (
    AsJson,
    BackendParams,
    NFeatures,
    ObjectiveParams,
    Params,
    Scattered,
    Threads,
    ZeroBased,
    naming,
    read_files,
    read_model,
    read_ranker,
)
from ._talk import answer, answer_json


def diagnose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="LETOR file of the training data.")],
    model: Annotated[Path | None, typer.Option(help="A model that gbrank saved: how its training went.")] = None,
    objective: Annotated[
        str | None, typer.Option(help="An objective that is to learn from the file, without --model.")
    ] = None,
    objective_param: ObjectiveParams = None,
    backend: Annotated[
        str | None, typer.Option(help="Library that is to grow the trees.", show_default="lightgbm")
    ] = None,
    param: Params = None,
    backend_param: BackendParams = None,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Find out why a ranker does not learn, or might not.

    Each finding has its severity, its numbers and its remedy: error (nothing can be learnt), warning (something is
    probably wrong) or note. With an objective or parameters, what they make of the data is looked at too; with a model,
    how its training went. No model is trained.

    For example:

        gbrank diagnose train.txt
        gbrank diagnose train.txt --objective lambdarank --backend xgboost -p max_leaves=63
        gbrank diagnose train.txt --model m.gbrank --json

    The exit code is 0 whatever is found.
    """
    from .. import diagnose as diagnose_data

    asked = [objective, objective_param, backend, param, backend_param]
    if model is not None and any(asked):
        raise typer.BadParameter(
            "goes without an objective and parameters: the model has its own.", param_hint="--model"
        )
    ranker: Any = None
    if model is not None:
        ranker = read_model(model, n_jobs=n_jobs, of_trees=True)
    elif any(asked):
        ranker = read_ranker(
            objective or "lambdarank", objective_param, param, backend_param, validated=False,
            backend=backend or "lightgbm", n_jobs=n_jobs,
        )  # fmt: skip
    width = ranker.n_features_in_ if model is not None and n_features is None else n_features
    of = model if n_features is None else None
    data = read_files([file], n_features=width, zero_based=zero_based, scattered=scattered, of=of)[0]
    with naming(file):
        found = diagnose_data(data, ranker)
    if as_json:
        answer_json(found.to_dict())
    else:
        answer(str(found))
