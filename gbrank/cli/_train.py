"""``gbrank train``."""

from __future__ import annotations

import time
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
    Seed,
    Threads,
    ZeroBased,
    naming,
    read_files,
    read_ranker,
)
from ._outputs import check_output
from ._talk import answer, answer_json, progress, say


def train(
    train: Annotated[Path, typer.Argument(metavar="TRAIN", help="LETOR file of training data.")],
    model: Annotated[Path, typer.Option(help="File to write the model to.")],
    vali: Annotated[Path | None, typer.Option(help="LETOR file of validation data.")] = None,
    validation_fraction: Annotated[
        float | None,
        typer.Option(help="Share of the queries to set apart as validation data, where there is no --vali."),
    ] = None,
    objective: Objective = "lambdarank",
    objective_param: ObjectiveParams = None,
    backend: Backend = "lightgbm",
    engine: Engine = "compiled",
    n_estimators: Annotated[
        int | None, typer.Option(help="Rounds of boosting at most.", show_default="100; 1000 with early stopping")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Shrinkage.", show_default="0.1")] = None,
    early_stopping_rounds: Annotated[
        int | None,
        typer.Option(
            help="Stop when the measure on the validation data has not improved for so many rounds; 0 never stops.",
            show_default="50 with validation data",
        ),
    ] = None,
    init_model: Annotated[
        Path | None, typer.Option(help="Saved ranker whose training goes on: its trees are kept, and more are added.")
    ] = None,
    measure: Annotated[str, typer.Option(help="The measure of early stopping.")] = "ndcg@10",
    param: Params = None,
    backend_param: BackendParams = None,
    seed: Seed = None,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Train a ranker and save it.

    With validation data the training stops when the measure no longer improves, and the model keeps the best round.

    For example:

        gbrank train train.txt --vali vali.txt --model m.gbrank
        gbrank train train.txt --validation-fraction 0.2 --model m.gbrank
        gbrank train train.txt --model m.gbrank --objective-param truncation=10
        gbrank train train.txt --model m.gbrank --backend xgboost -p max_depth=6
        gbrank train new.txt --init-model m.gbrank --n-estimators 20 --model n.gbrank

    A file has one document a line: its label, its query, and its features as index:value, as in

        2 qid:1 1:0.5 2:3 46:0.01 # docid = GX001

    The model is a zip of the booster in its library's own format and a manifest; loading one executes nothing.
    """
    if vali is not None and validation_fraction is not None:
        raise typer.BadParameter("goes without --vali.", param_hint="--validation-fraction")
    ranker = read_ranker(
        objective,
        objective_param,
        param,
        backend_param,
        backend=backend,
        engine=engine,
        validated=vali is not None,
        n_estimators=n_estimators,
        learning_rate=learning_rate,
        early_stopping_rounds=early_stopping_rounds,
        validation_fraction=validation_fraction,
        init_model=None if init_model is None else str(init_model),
        measure=measure,
        random_state=seed,
        n_jobs=n_jobs,
    )
    check_output(model, "--model", [train, vali, init_model])
    paths = [train] if vali is None else [train, vali]
    of = None
    if init_model is not None and n_features is None:
        from .. import load

        n_features, of = load(init_model).n_features_in_, init_model
    sets = read_files(paths, n_features=n_features, zero_based=zero_based, scattered=scattered, alike=True, of=of)
    say(f"training on {sets[0]}")
    started = time.perf_counter()
    with progress() as tell:
        from ..jobs import follow

        ranker.set_params(callbacks=[follow(tell, "training")])
        with naming(train, vali):
            ranker.fit(sets[0], eval_set=sets[1] if len(sets) > 1 else None)
    ranker.set_params(callbacks=None)
    ranker.save(model)
    facts = {
        "model": str(model),
        "queries": sets[0].n_queries,
        "documents": sets[0].n_documents,
        "features": sets[0].n_features,
        "rounds": ranker.best_iteration_,
        "seconds": round(time.perf_counter() - started, 3),
        "validation": {"measure": str(ranker.measure_), "mean": ranker.best_score_} if ranker.history_ else None,
    }
    if as_json:
        answer_json(facts)
    else:
        answer(_told(facts))


def _told(facts: dict[str, Any]) -> str:
    lines = [f"{facts['model']}: {facts['rounds']} rounds in {facts['seconds']:.1f} s"]
    if facts["validation"] is not None:
        lines.append(f"validation {facts['validation']['measure']} = {facts['validation']['mean']:.4f}")
    return "\n".join(lines)
