"""``gbrank losses test``."""

from __future__ import annotations

from collections.abc import Sequence
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
    Seed,
    Threads,
    ZeroBased,
    read_assignments,
    read_files,
)
from ._losses_inputs import (
    BACKEND,
    IN_TEST,
    MEASURE,
    AsSearched,
    BackendAsSearched,
    Found,
    Loss,
    check_folder,
    has_seen,
    read_loss,
    read_trees,
)
from ._talk import answer, answer_json, progress, say

USUAL = {"n_estimators": 300, "subsample": 0.8, "colsample": 0.8, "early_stopping_rounds": 30}


def losses_test(
    loss: Loss,
    data: Annotated[
        list[Path],
        typer.Option(
            help="LETOR file, cut into five folds, or folder of train.txt, vali.txt and test.txt; folders repeat."
        ),
    ],
    transfer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Other data, a file or folder; may be repeated."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(help="An objective to test against; may be repeated.", show_default="the usual six"),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of each loss on each fold.", min=1)] = 3,
    tuned: Annotated[bool, typer.Option(help="Test all losses with tuned learning rate and scale, too.")] = True,
    output: Annotated[Path | None, typer.Option(help="Folder to write report.html to.")] = None,
    measure: AsSearched = None,
    objective_param: ObjectiveParams = None,
    backend: BackendAsSearched = None,
    n_estimators: Annotated[
        int | None, typer.Option(help="Rounds of boosting at most.", min=1, show_default=str(USUAL["n_estimators"]))
    ] = None,
    param: Params = None,
    backend_param: BackendParams = None,
    seed: Seed = None,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Test a loss that was found against those made by hand, on queries that the search has not seen.

    All are trained from scratch on the same folds with the same seeds, stopped by the validation parts and compared
    query by query on the test parts. The usual six are LambdaRank, RankNet, XE-NDCG, ApproxNDCG, hinge and exponential
    loss; each is an objective, see gbrank objectives.

    For example:

        gbrank losses test s.db --data other.txt --output out
        gbrank losses test "softplus(-d) * dG" --data Fold1 --data Fold2 --transfer web=web.txt
    """
    from ..lossgen import AGAINST, compare_losses

    found = read_loss(loss)
    check_folder(output)
    trees = found.trees()
    ranker = read_trees(
        param, backend_param, IN_TEST, USUAL, validated=True, n_estimators=n_estimators, n_jobs=n_jobs,
        backend=backend or trees.get("backend", BACKEND), measure=measure or found.description.get("measure", MEASURE),
    )  # fmt: skip
    form = {"n_features": n_features, "zero_based": zero_based, "scattered": scattered}
    others = {name: read_data([Path(path)], form) for name, path in named_paths(transfer).items()}
    home = read_data(data, form)
    for part in home if isinstance(home, list) else [home]:
        tell_if_seen(found, getattr(part, "test", part), loss)
    with progress() as tell:
        result = compare_losses(
            found.formula, home, transfer=others, against=against or AGAINST, ranker=ranker,
            seeds=range(seeds), tuned=tuned, candidates=of_several_folds(found, loss), random_state=seed or 0,
            objective_params=found.params(read_assignments(objective_param, "--objective-param")), progress=tell,
        )  # fmt: skip
    if output is not None:
        from ..reports import loss_report

        output.mkdir(parents=True, exist_ok=True)
        loss_report(candidates=found.candidates, effectiveness=result, path=output / "report.html")
    if as_json:
        answer_json(result.to_dict())
    else:
        answer(str(result))


def tell_if_seen(found: Found, data: Any, loss: str) -> None:
    """Say that a test is no test where the search was on the same queries."""
    if has_seen(found, data):
        say(
            f"gbrank: warning: {loss}: the search has seen these queries and chose the loss by them, so the test is "
            "optimistic; give other --data."
        )


def of_several_folds(found: Found, loss: str) -> Any:
    """Return the candidates if folds tell what choosing the best of them does."""
    if found.n_folds == 1:
        say(f"{loss}: losses were measured on one part of the data, so the effect of selection cannot be told")
        return None
    return found.candidates


def read_data(paths: Sequence[Path], form: dict[str, Any]) -> Any:
    """Return a file, or folders as folds."""
    from ..data import read_letor_fold

    folders = [path for path in paths if path.is_dir()]
    if not folders:
        if len(paths) > 1:
            raise typer.BadParameter("give one file, or folders.", param_hint="--data")
        return read_files(paths, **form)[0]
    if len(folders) < len(paths):
        raise typer.BadParameter("give one file, or folders, not both.", param_hint="--data")
    return [read_letor_fold(folder, **form) for folder in folders]


def named_paths(texts: Sequence[str] | None) -> dict[str, str]:
    """Return NAME=PATH texts as a mapping."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise typer.BadParameter(f"{text!r}: write it as name=path.", param_hint="--transfer")
        if name in found:
            raise typer.BadParameter(f"{name} is given twice.", param_hint="--transfer")
        found[name] = path
    return found
