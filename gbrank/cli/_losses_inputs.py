"""What the commands of losses share: the file of a search, the trees of trainings, and folders for reports."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ._inputs import read_assignments, read_ranker
from ._talk import say

if TYPE_CHECKING:
    import pandas as pd

    from .. import GBRanker, RankingData

Loss = Annotated[
    str,
    typer.Argument(
        metavar="LOSS",
        help="A formula, in brackets where it begins with a minus, or the file of a search: its best loss.",
    ),
]
AsSearched = Annotated[
    str | None, typer.Option("--measure", help="What is measured.", show_default="the search's, or ndcg@10")
]
BackendAsSearched = Annotated[
    str | None,
    typer.Option(
        "--backend", help="Library that grows the trees: lightgbm or xgboost.", show_default="the search's, or lightgbm"
    ),
]
MEASURE, BACKEND = "ndcg@10", "lightgbm"
EVERYWHERE = {
    "objective": "losses take its place; leave it out",
    "engine": "losses are formulas, which gbrank compiles; leave it out",
    "init_model": "losses are trained from scratch; leave it out",
}
IN_SEARCH = EVERYWHERE | {
    "random_state": "give --seed",
    "early_stopping_rounds": "all losses are trained for the same rounds; leave it out, and give --n-estimators",
    "validation_fraction": "losses are measured on folds; leave it out, and give --folds",
}
IN_TEST = EVERYWHERE | {
    "random_state": "each training has a seed of its own; give --seeds, their number",
    "validation_fraction": "each fold has a validation part; leave it out",
}
"""Parameters of a ranker that searches, and tests, have no use for, with the reason and the remedy."""


class Found(NamedTuple):
    """A loss as it is given: its formula, and if it is that of a search, the candidates and what rewards depend on."""

    formula: str
    candidates: pd.DataFrame | None = None
    description: Mapping[str, str] = {}
    n_folds: int | None = None

    def params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters of the objective: those given, or else those of the search, of which it tells."""
        stored = json.loads(self.description.get("objective_params", "{}"))
        if stored and not given:
            say(f"as in the search: {', '.join(f'--objective-param {name}={value}' for name, value in stored.items())}")
            return dict(stored)
        return dict(given)

    def trees(self) -> dict[str, Any]:
        """Return the parameters of the search's trees."""
        return {name: literal(value) for name, value in json.loads(self.description.get("ranker", "{}")).items()}


def literal(text: str) -> Any:
    """Return the number, truth value, list or mapping that a text writes in Python, or the text itself.

    Examples
    --------
    >>> literal("{'path_smooth': 1.0}"), literal("None"), literal("xgboost")
    ({'path_smooth': 1.0}, None, 'xgboost')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def read_trees(
    param: Sequence[str] | None,
    backend_param: Sequence[str] | None,
    unused: Mapping[str, str],
    usual: Mapping[str, Any],
    *,
    validated: bool = False,
    **options: Any,
) -> GBRanker:
    """Return the ranker of the trainings; `usual` counts where neither an option nor ``--param`` says otherwise.

    Raises
    ------
    typer.BadParameter
        A parameter of `unused` is given.
    """
    given = read_assignments(param, "--param")
    for name, reason in unused.items():
        if name in given:
            raise typer.BadParameter(f"{name}={given[name]} is not used here: {reason}.", param_hint="--param")
    chosen = {name for name, value in options.items() if value is not None} | given.keys()
    options |= {name: value for name, value in usual.items() if name not in chosen}
    return read_ranker("lambdarank", None, param, backend_param, validated=validated, engine="compiled", **options)


def check_folder(output: Path | None) -> None:
    """Refuse a file where a folder is to be."""
    from .. import DataError

    if output is not None and output.is_file():
        raise DataError(f"--output {output}: is a file; give a folder, or a name that is free.")


def read_search(storage: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the candidates of a stored search, and what its rewards depend on.

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
        return table(store.candidates().values()), store.description()
    finally:
        store.close()


def read_loss(loss: str) -> Found:
    """Return a formula, or the best loss of a search."""
    from .. import DataError

    if not os.path.isfile(loss):  # which a Path refuses to tell of a long formula
        if Path(loss).suffix in (".db", ".sqlite"):
            raise DataError(f"{loss}: there is no such file; give the --storage of gbrank losses search, or a formula.")
        return Found(loss)
    candidates, description = read_search(Path(loss))
    best = ranked(candidates, loss)[0]
    return Found(str(best["loss"]), candidates, description, len(best["folds"]))


def ranked(candidates: pd.DataFrame, name: object = "the search") -> list[dict[Hashable, Any]]:
    """Return the candidates that came to all folds, the best first."""
    from .. import DataError

    full = candidates[candidates["stage"] == "full"]
    if not len(full):
        raise DataError(f"{name}: none of {len(candidates)} candidates came to all folds yet; let the search go on.")
    return full.sort_values("reward", ascending=False, kind="stable").to_dict("records")


def has_seen(found: Found, data: RankingData) -> bool:
    """Tell whether the search was on these data: whether its folds are those of the data."""
    from ..data._digest import digest
    from ..splits import QueryKFold

    if not found.description:
        return False
    seed = int(found.description["random_state"])
    numbers = [found.n_folds] if found.n_folds and found.n_folds > 1 else range(2, 11)
    for number in numbers:
        if number <= data.n_queries:
            folds = QueryKFold(number, shuffle=True, random_state=seed).split_data(data)
            if digest(folds) == found.description["data or folds"]:
                return True
    return False
