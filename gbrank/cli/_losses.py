"""``gbrank losses``: search, show, test."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._inputs import (
    AsJson,
    Backend,
    BackendParams,
    NFeatures,
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
    import pandas as pd

TREES, LEAVES = 50, 15  # of the trainings of a search
SHOWN = 10
MOST = 300  # trees of a test


def losses_search(
    train: Annotated[Path, typer.Argument(metavar="TRAIN", help="LETOR file of training data.")],
    searcher: Annotated[str, typer.Option(help="What proposes losses: evolution, random or controller.")] = "evolution",
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no loss is tried.")] = None,
    trained: Annotated[int | None, typer.Option(help="Losses to train with at most.", min=1)] = None,
    storage: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps every candidate; a later run goes on from there.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write report.html and candidates.csv to.")] = None,
    folds: Annotated[int, typer.Option(help="Folds of whole queries.", min=2)] = 3,
    measure: Annotated[str, typer.Option(help="What is searched for.")] = "ndcg@10",
    scratch: Annotated[bool, typer.Option("--scratch", help="Do not begin with the known losses.")] = False,
    schedule: Annotated[
        str, typer.Option(help="fixed, or alternating: losses and the trees of one model take turns.")
    ] = "fixed",
    objective_param: ObjectiveParams = None,
    backend: Backend = "lightgbm",
    n_estimators: Annotated[int, typer.Option(help="Rounds of boosting.", min=1)] = TREES,
    param: Params = None,
    backend_param: BackendParams = None,
    seed: Seed = None,
    n_jobs: Threads = None,
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Search for a loss with which trees rank better than with LambdaRank.

    Losses are formulas of the difference of two scores. Most are rejected before a tree is grown; what is left is
    trained on folds of the queries. The reward is the gain in the measure over LambdaRank.

    For example:

        gbrank losses search train.txt --timeout 600 --storage s.db --output out
        gbrank losses show s.db
        gbrank losses test s.db --data other.txt

    The reward of the best is optimistic, as the best of many: gbrank losses test says what it is worth on other
    queries.
    """
    from .. import LossSearch

    if timeout is None and trained is None:
        raise typer.BadParameter("give --timeout, --trained or both.", param_hint="--timeout")
    leaves = {} if "max_leaves" in read_assignments(param, "--param") else {"max_leaves": LEAVES}
    ranker = read_ranker(
        "lambdarank", None, param, backend_param, validated=False,
        backend=backend, engine="compiled", measure=measure, n_estimators=n_estimators, random_state=seed, **leaves,
    )  # fmt: skip
    if storage is not None:
        check_output(storage, "--storage", [train])
    check_folder(output)
    (data,) = read_files([train], n_features=n_features, zero_based=zero_based, scattered=scattered)
    say(f"searching on {data}")
    with progress() as tell, naming(train):
        search = LossSearch(
            searcher, ranker=ranker, cv=folds, starts=() if scratch else None, n_trained=trained, timeout=timeout,
            schedule=schedule, objective_params=read_assignments(objective_param, "--objective-param"),
            storage=storage, random_state=seed or 0, n_jobs=n_jobs, progress=tell,
        ).fit(data)  # fmt: skip
    write(output, search.candidates_)
    show(search.candidates_, SHOWN, as_json=as_json)


def losses_show(
    storage: Annotated[Path, typer.Argument(metavar="STORAGE", help="File that gbrank losses search kept.")],
    top: Annotated[int, typer.Option(help="Losses to show.", min=1)] = SHOWN,
    output: Annotated[Path | None, typer.Option(help="Folder to write report.html and candidates.csv to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the best losses of a search, and why others were rejected; also while it runs.

    For example:

        gbrank losses show s.db --top 20 --output out
    """
    check_folder(output)
    candidates = read_candidates(storage)
    write(output, candidates)
    show(candidates, top, as_json=as_json)


def losses_test(
    loss: Annotated[
        str, typer.Argument(metavar="LOSS", help="A formula, or the file of a search: its best loss is tested.")
    ],
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
    measure: Annotated[str, typer.Option(help="What is compared.")] = "ndcg@10",
    objective_param: ObjectiveParams = None,
    backend: Backend = "lightgbm",
    n_estimators: Annotated[int, typer.Option(help="Rounds of boosting at most.", min=1)] = MOST,
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
    query by query on the test parts.

    For example:

        gbrank losses test s.db --data other.txt --output out
        gbrank losses test "softplus(-d) * dG" --data Fold1 --data Fold2 --transfer web=web.txt
    """
    from ..lossgen import AGAINST, compare_losses

    formula, candidates = read_loss(loss)
    given = read_assignments(param, "--param")
    usual = {"subsample": 0.8, "colsample": 0.8, "early_stopping_rounds": 30}
    ranker = read_ranker(
        "lambdarank", None, param, backend_param, validated=True,
        backend=backend, engine="compiled", measure=measure, n_estimators=n_estimators,
        **{name: value for name, value in usual.items() if name not in given},
    )  # fmt: skip
    check_folder(output)
    form = {"n_features": n_features, "zero_based": zero_based, "scattered": scattered}
    others = {name: read_data([Path(path)], form) for name, path in named_paths(transfer).items()}
    with progress() as tell:
        found = compare_losses(
            formula, read_data(data, form), transfer=others, against=against or AGAINST, ranker=ranker,
            seeds=range(seeds), tuned=tuned, candidates=candidates, n_jobs=n_jobs, random_state=seed or 0,
            objective_params=read_assignments(objective_param, "--objective-param"), progress=tell,
        )  # fmt: skip
    if output is not None:
        from ..reports import loss_report

        output.mkdir(parents=True, exist_ok=True)
        loss_report(candidates=candidates, effectiveness=found, path=output / "report.html")
    if as_json:
        answer_json(found.to_dict())
    else:
        answer(str(found))


def check_folder(output: Path | None) -> None:
    """Refuse a file where a folder is to be."""
    from .. import DataError

    if output is not None and output.is_file():
        raise DataError(f"--output {output}: is a file; give a folder, or a name that is free.")


def read_candidates(storage: Path) -> pd.DataFrame:
    """Return the candidates of a stored search.

    Raises
    ------
    DataError
        There is no such file, or it is of something else.
    """
    from .. import DataError
    from ..lossgen import Store
    from ..lossgen._store import table

    if not storage.is_file():
        raise DataError(f"{storage}: there is no such file; give the --storage of gbrank losses search.")
    store = Store(storage)
    try:
        return table(store.candidates().values())
    finally:
        store.close()


def read_loss(loss: str) -> tuple[str, pd.DataFrame | None]:
    """Return a formula, and the candidates of the search that it is the best of, if folds tell what choosing does."""
    from .. import DataError

    if not Path(loss).is_file():
        if Path(loss).suffix in (".db", ".sqlite"):
            raise DataError(f"{loss}: there is no such file; give the --storage of gbrank losses search, or a formula.")
        return loss, None
    candidates = read_candidates(Path(loss))
    best = ranked(candidates, loss)[0]
    if len(best["folds"]) < 2:
        say(f"{loss}: losses were measured on one part of the data, so the effect of selection cannot be told")
        return str(best["loss"]), None
    return str(best["loss"]), candidates


def ranked(candidates: pd.DataFrame, name: object = "the search") -> list[dict[Hashable, Any]]:
    """Return the candidates that came to all folds, the best first."""
    from .. import DataError

    full = candidates[candidates["stage"] == "full"]
    if not len(full):
        raise DataError(f"{name}: none of {len(candidates)} candidates came to all folds yet; let the search go on.")
    return full.sort_values("reward", ascending=False, kind="stable").to_dict("records")


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


def write(output: Path | None, candidates: pd.DataFrame) -> None:
    """Write report and candidates to a folder, where one is given."""
    if output is None:
        return
    from .._files import atomic_write
    from ..reports import loss_report

    output.mkdir(parents=True, exist_ok=True)
    loss_report(candidates=candidates, path=output / "report.html")
    with atomic_write(output / "candidates.csv") as file:
        file.write(candidates.to_csv(index=False))


def show(candidates: pd.DataFrame, top: int, *, as_json: bool) -> None:
    """Print the best losses, and how many were rejected for what."""
    from ..lossgen._search import counts

    best = ranked(candidates)
    counted = counts(candidates)
    if as_json:
        rows = [{"loss": row["loss"], "reward": row["reward"], "folds": list(row["folds"])} for row in best[:top]]
        answer_json({"best": best[0]["loss"], "reward": best[0]["reward"], "counts": counted, "top": rows})
        return
    lines = [f"  {row['reward']:+.4f}  {row['loss']}" for row in best[:top]]
    told = ", ".join(f"{count:,} {name}" for name, count in counted.items())
    head = [f"best: {best[0]['loss']}", "gain over the baseline, somewhat optimistic as the best of many:"]
    answer("\n".join([*head, *lines, told]))
