"""``gbrank losses tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    read_assignments,
    read_files,
)
from ._losses import USUAL
from ._losses_inputs import (
    BACKEND,
    IN_SEARCH,
    MEASURE,
    AsSearched,
    BackendAsSearched,
    Loss,
    check_folder,
    has_seen,
    read_loss,
    read_trees,
)
from ._talk import answer, answer_json, progress, say

FOLDS = 3


def losses_tune(
    loss: Loss,
    train: Annotated[Path, typer.Argument(metavar="TRAIN", help="LETOR file of training data.")],
    trials: Annotated[int, typer.Option(help="Number of trials.", min=1)] = 30,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no trial is started.")] = None,
    slope: Annotated[bool, typer.Option(help="Tune the unit of the score, too: d times a constant.")] = True,
    output: Annotated[Path | None, typer.Option(help="Folder to write report.html and trials.csv to.")] = None,
    folds: Annotated[
        int | None, typer.Option(help="Folds of whole queries.", min=2, show_default="the search's, or 3")
    ] = None,
    measure: AsSearched = None,
    objective_param: ObjectiveParams = None,
    backend: BackendAsSearched = None,
    n_estimators: Annotated[
        int | None, typer.Option(help="Rounds of boosting.", min=1, show_default="the search's, or 50")
    ] = None,
    param: Params = None,
    backend_param: BackendParams = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of folds, trees and trials.", min=0, show_default="the search's, or 0")
    ] = None,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Tune the constants of a loss on folds of the training queries.

    Each constant, and with --slope the unit of the score, is varied within a factor of ten to both sides; the reward is
    the gain in the measure over LambdaRank, as in a search. Of a search, folds, trees and seed are taken over where no
    option says otherwise, so give the TRAIN that it had.

    For example:

        gbrank losses tune s.db train.txt --trials 50
        gbrank losses tune "max(0, 1 - d) * dG" train.txt --output out

    The last line is the loss with its constants in full, for gbrank losses test and for formula= of the objective
    expression.
    """
    from ..lossgen import tune_constants

    found = read_loss(loss)
    check_folder(output)
    searched = {name: value for name, value in found.trees().items() if value is not None and name not in IN_SEARCH}
    library = searched.pop("backend_params", None)
    stored = int(found.description.get("random_state", 0))
    ranker = read_trees(
        param, backend_param, IN_SEARCH, USUAL | searched, n_estimators=n_estimators, n_jobs=n_jobs,
        random_state=stored if seed is None else seed,
        backend=backend or searched.get("backend", BACKEND),
        measure=measure or found.description.get("measure", MEASURE),
    )  # fmt: skip
    if library and ranker.backend == searched.get("backend"):
        ranker.set_params(backend_params={**library, **(ranker.backend_params or {})})
    params = found.params(read_assignments(objective_param, "--objective-param"))
    (data,) = read_files([train], n_features=n_features, zero_based=zero_based, scattered=scattered)
    if found.description and not has_seen(found, data):
        say(f"{train}: is not what {loss} was searched on, so gains here are not those of the search")
    say(f"tuning on {data}")
    with progress() as tell, naming(train):
        tuned = tune_constants(
            found.formula, data, ranker=ranker, cv=folds or max(found.n_folds or FOLDS, 2), objective_params=params,
            slope=slope, n_trials=trials, timeout=timeout, random_state=stored if seed is None else seed, progress=tell,
        )  # fmt: skip
    if output is not None:
        from .._files import atomic_write
        from ..reports import loss_report

        output.mkdir(parents=True, exist_ok=True)
        loss_report({"start": found.formula, "constants tuned": tuned.loss}, path=output / "report.html")
        with atomic_write(output / "trials.csv") as file:
            file.write(tuned.table.to_csv(index=False))
    if as_json:
        answer_json(tuned.to_dict())
    else:
        answer(f"{tuned}\n{tuned.loss}")
