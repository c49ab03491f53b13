"""``gbrank losses search`` and ``show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
)
from ._losses_inputs import IN_SEARCH, check_folder, ranked, read_search, read_trees
from ._outputs import check_output
from ._talk import answer, answer_json, progress, say

if TYPE_CHECKING:
    import pandas as pd

USUAL = {"n_estimators": 50, "max_leaves": 15}
SHOWN = 10


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
    n_estimators: Annotated[
        int | None, typer.Option(help="Rounds of boosting.", min=1, show_default=str(USUAL["n_estimators"]))
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
    """Search for a loss with which trees rank better than with LambdaRank.

    Losses are formulas of the difference of two scores. Most are rejected before a tree is grown; what is left is
    trained on folds of the queries. The reward is the gain in the measure over LambdaRank.

    For example:

        gbrank losses search train.txt --timeout 600 --storage s.db --output out
        gbrank losses show s.db
        gbrank losses tune s.db train.txt
        gbrank losses test s.db --data other.txt

    Trees have 15 leaves unless -p max_leaves says otherwise. The reward of the best is optimistic, as the best of many:
    gbrank losses test says what it is worth on other queries.
    """
    from .. import LossSearch

    if timeout is None and trained is None:
        raise typer.BadParameter("give --timeout, --trained or both.", param_hint="--timeout")
    ranker = read_trees(
        param, backend_param, IN_SEARCH, USUAL,
        backend=backend, measure=measure, n_estimators=n_estimators, random_state=seed, n_jobs=n_jobs,
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
            storage=storage, random_state=seed or 0, progress=tell,
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
    candidates, _ = read_search(storage)
    write(output, candidates)
    show(candidates, top, as_json=as_json)


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
    from ..lossgen._forms import readable
    from ..lossgen._search import counts

    best = ranked(candidates)
    if as_json:
        rows = [{"loss": row["loss"], "reward": row["reward"], "folds": list(row["folds"])} for row in best[:top]]
        first = {"best": best[0]["loss"], "reward": best[0]["reward"]}
        answer_json({**first, "counts": counts(candidates), "top": rows})
        return
    formula = str(best[0]["loss"])
    lines = [f"best: {readable(formula)}", "gain over the baseline, somewhat optimistic as the best of many:"]
    lines += [f"  {row['reward']:+.4f}  {readable(str(row['loss']))}" for row in best[:top]]
    if best[0]["reward"] <= 0:
        lines.append("none of them gains: the baseline is as good, or better")
    if readable(formula) != formula:
        lines.append(f"the best in full: {formula}")
    answer("\n".join([*lines, *rejections(candidates)]))


def rejections(candidates: pd.DataFrame) -> list[str]:
    """Return how many candidates there are, and were rejected for what, in lines."""
    from ..lossgen import REASONS
    from ..lossgen._search import counts

    counted = counts(candidates)
    head = f"{counted['candidates']:,} candidates, {counted['short']:,} trained, {counted['full']:,} on all folds"
    found = {name: counted[name] for name in REASONS if name in counted}
    if not found:
        return [head]
    return [f"{head}; rejected:", *(f"  {count:7,}  {name}: {REASONS[name]}" for name, count in found.items())]
