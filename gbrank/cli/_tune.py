"""``gbrank tune``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    Seed,
    Threads,
    ZeroBased,
    naming,
    read_assignments,
    read_files,
    read_ranker,
)
from ._outputs import check_output
from ._talk import answer, answer_json, progress, say

if TYPE_CHECKING:
    from .. import GBRanker, Measure
    from ..tuning import TuneResult

UNTOLD = ("early_stopping_rounds", "validation_fraction", "n_jobs", "verbose")  # they do not change the model


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
    n_estimators: Annotated[
        int | None, typer.Option(help="Rounds of boosting at most.", min=1, show_default="1000")
    ] = None,
    early_stopping_rounds: Annotated[
        int | None,
        typer.Option(help="Rounds without improvement before a training stops.", min=1, show_default="50"),
    ] = None,
    measure: Annotated[str, typer.Option(help="What is searched for.")] = "ndcg@10",
    param: Params = None,
    backend_param: BackendParams = None,
    seed: Seed = None,
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

    Parameters that are given with -p or --backend-param are not searched. The best are printed as the gbrank train that
    makes the same model again.
    """
    from ..tuning import tune as search

    if vali is not None and folds is not None:
        raise typer.BadParameter("goes without --vali.", param_hint="--folds")
    ranker = read_ranker(
        objective,
        objective_param,
        param,
        backend_param,
        validated=True,
        backend=backend,
        engine=engine,
        n_estimators=n_estimators,
        measure=measure,
        early_stopping_rounds=early_stopping_rounds,
        random_state=seed,
        n_jobs=n_jobs,
    )
    check_output(model, "--model", [train, vali, storage])
    if storage is not None:
        check_output(storage, "--storage", [train, vali])
    paths = [train] if vali is None else [train, vali]
    sets = read_files(paths, n_features=n_features, zero_based=zero_based, scattered=scattered, alike=True)
    say(f"searching on {sets[0]}")
    assert isinstance(ranker.random_state, int)
    space = open_space(ranker, param, backend_param)
    with progress() as tell, naming(train, vali):
        result = search(
            ranker,
            sets[0],
            valid=sets[1] if len(sets) > 1 else None,
            cv=folds,
            n_trials=trials,
            timeout=timeout,
            storage=storage,
            space=space,
            random_state=ranker.random_state,
            progress=tell,
        )
    assert result.ranker is not None
    result.ranker.save(model)
    if as_json:
        answer_json(result.to_dict())
    else:
        files = [*(["--n-features", n_features] if n_features else []), *(["--zero-based"] if zero_based else [])]
        files += ["--scattered", scattered] if scattered != "refuse" else []
        answer(told(result, result.ranker.measure_, [train, "--model", model, *files]))


def open_space(ranker: GBRanker, param: Sequence[str] | None, backend_param: Sequence[str] | None) -> dict[str, Any]:
    """Return the backend's default space without the parameters that were given.

    Raises
    ------
    ParameterError
        Nothing is left to search.
    """
    from .. import ParameterError
    from ..tuning import default_space

    given = {*read_assignments(param, "--param")}
    given |= {f"backend_params__{name}" for name in read_assignments(backend_param, "--backend-param")}
    space = {name: form for name, form in default_space(ranker.backend).items() if name not in given}
    if not space:
        raise ParameterError("--param: nothing is left to search; give fewer parameters, or use gbrank train.")
    return space


def told(result: TuneResult, measure: Measure, arguments: Sequence[object]) -> str:
    """Return the best value beside that of the start, its convention, and the command that trains the model again."""
    ranker = result.ranker
    assert ranker is not None
    where = "the validation data" if len(result.fold_values) == 1 else f"{len(result.fold_values)} folds"
    head = f"best {result.measure} = {result.best_value:.4f} on {where}, after {result.best_rounds} rounds"
    return "\n".join(
        [
            f"{head}; {result.start_value:.4f} at the start; {len(result.table)} trials",
            f"  ({measure.rules()}; somewhat optimistic, as the best of several)",
            "the same model again:",
            f"  {train_line(ranker, arguments)}",
        ]
    )


def train_line(ranker: GBRanker, arguments: Sequence[object]) -> str:
    """Return the ``gbrank train`` that makes a ranker as this one is, without its validation data."""
    from ..jobs import ranker_table

    table = {name: value for name, value in ranker_table(ranker).items() if value is not None and name not in UNTOLD}
    usual = ranker_table(type(ranker)())
    objective, library = dict(table.pop("objective")), table.pop("backend_params", None) or {}
    words = ["gbrank", "train", *arguments, "--objective", objective.pop("name"), "--backend", table.pop("backend")]
    words += ["--n-estimators", table.pop("n_estimators"), "--measure", table.pop("measure")]
    words += ["--engine", table.pop("engine"), "--seed", table.pop("random_state")]
    words += assigned("--objective-param", objective) + assigned("--backend-param", library)
    words += assigned("--param", {name: value for name, value in table.items() if value != usual[name]})
    return shlex.join(map(str, words))


def assigned(option: str, values: Mapping[str, Any]) -> list[str]:
    """Return ``option name=value`` for each value, as `read_assignments` reads it back."""
    from ..jobs import to_toml

    return [
        word
        for name, value in values.items()
        if value is not None
        for word in (option, toml_line(to_toml({name: value})))
    ]


def toml_line(text: str) -> str:
    """Return a line of TOML without the spaces around its equals sign."""
    name, _, value = text.strip().partition(" = ")
    return f"{name}={value}"
