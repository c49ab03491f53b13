"""``gbrank tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._inputs import (
    AsJson,
    Backend,
    BackendParams,
    Engine,
    NFeatures,
    Objective,
    ObjectiveParams,
    Params,
    Scattered,
    Threads,
    ZeroBased,
    read_files,
    read_ranker,
)
from ._talk import answer, answer_json, progress, say
from ._train import require_folder


def tune(
    train: Annotated[Path, typer.Argument(metavar="TRAIN", help="LETOR file of training data.")],
    model: Annotated[Path, typer.Option(help="File to write the best model to.")],
    vali: Annotated[Path | None, typer.Option(help="LETOR file of validation data.")] = None,
    folds: Annotated[
        int | None, typer.Option(help="Folds of whole queries, where there is no --vali.", min=2, show_default="5")
    ] = None,
    trials: Annotated[int, typer.Option(help="Number of trials.", min=1)] = 50,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no trial is started.")] = None,
    storage: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps the trials; a later run goes on from there.")
    ] = None,
    objective: Objective = "lambdarank",
    objective_param: ObjectiveParams = None,
    backend: Backend = "lightgbm",
    engine: Engine = "compiled",
    n_estimators: Annotated[int, typer.Option(help="Rounds of boosting at most.")] = 500,
    early_stopping_rounds: Annotated[
        int, typer.Option(help="Rounds without improvement before a training stops.")
    ] = 30,
    measure: Annotated[str, typer.Option(help="What is searched for.")] = "ndcg@10",
    param: Params = None,
    backend_param: BackendParams = None,
    seed: Annotated[int, typer.Option(help="Seed of the search and of sampling.", min=0)] = 0,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Search for good parameters, train with them and save.

    Each trial trains with other parameters and is judged by the measure on the validation data, or on folds of the
    training queries; trials that look hopeless are cut short.

    For example:

        gbrank tune train.txt --vali vali.txt --model m.gbrank --trials 100
        gbrank tune train.txt --folds 5 --model m.gbrank --timeout 600 --storage study.db

    The best parameters are printed, ready for gbrank train.
    """
    from ..tuning import tune as search

    if vali is not None and folds is not None:
        raise typer.BadParameter("goes without --vali.", param_hint="--folds")
    options = {"backend": backend, "engine": engine, "n_estimators": n_estimators, "measure": measure}
    ranker = read_ranker(
        objective,
        objective_param,
        param,
        backend_param,
        **options,
        early_stopping_rounds=early_stopping_rounds,
        random_state=seed,
        n_jobs=n_jobs,
    )
    require_folder(model)
    paths = [train] if vali is None else [train, vali]
    sets = read_files(paths, n_features=n_features, zero_based=zero_based, scattered=scattered, alike=True)
    say(f"searching on {sets[0]}")
    with progress() as tell:
        result = search(
            ranker,
            sets[0],
            valid=sets[1] if len(sets) > 1 else None,
            cv=folds,
            n_trials=trials,
            timeout=timeout,
            storage=storage,
            random_state=seed,
            progress=tell,
        )
    assert result.ranker is not None
    result.ranker.save(model)
    if as_json:
        answer_json(result.to_dict())
    else:
        answer(told(result, measure, model))


def told(result: Any, measure: str, model: Path) -> str:
    """Return the best value and parameters."""
    lines = [f"{model}: best {measure} = {result.best_value:.4f} of {len(result.table)} trials"]
    return "\n".join([*lines, *(f"  --param {name}={value}" for name, value in result.best_params.items())])
