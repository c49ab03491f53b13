"""What commands share of their input: options, files, and parameters written as ``name=value``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._talk import say

if TYPE_CHECKING:
    from .. import GBRanker, RankingData

NFeatures = Annotated[
    int | None, typer.Option(help="Number of columns, where the files do not use the last ones.", min=1)
]
ZeroBased = Annotated[bool, typer.Option("--zero-based", help="Feature indices start at 0, not 1.")]
Scattered = Annotated[
    str,
    typer.Option(
        metavar="RULE", help="What becomes of a query whose lines are scattered over the file: refuse or regroup."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Threads = Annotated[int | None, typer.Option("--n-jobs", help="Threads.", show_default="all cores")]
Objective = Annotated[
    str, typer.Option(help="What is minimised: lambdarank, pairwise_logistic, focal, quantile, ordinal, mse, ...")
]
ObjectiveParams = Annotated[
    list[str] | None,
    typer.Option("--objective-param", metavar="NAME=VALUE", help="Such as truncation=10; may be repeated."),
]
Backend = Annotated[str, typer.Option(help="Library that grows the trees: lightgbm or xgboost.")]
Engine = Annotated[
    str, typer.Option(help="What computes gradients: compiled, numpy, or native (the library's own objective).")
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        "-p",
        metavar="NAME=VALUE",
        help="Any parameter of gbrank.GBRanker, such as max_leaves=63; may be repeated.",
    ),
]
BackendParams = Annotated[
    list[str] | None,
    typer.Option("--backend-param", metavar="NAME=VALUE", help="Under the library's own name; may be repeated."),
]
Measures = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        "-m",
        metavar="NAME",
        help="A measure: ndcg@10, dcg@5, ap, rr, p@10, r@10, err, hit@1; may be repeated. Rules go in brackets, as in "
        "'ndcg@10(gain=linear)'.",
        show_default="ndcg@1, ndcg@5, ndcg@10, ap",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Seed of sampling.", min=0, show_default="0")]
OWN_OPTIONS = {
    "random_state": "--seed",
    "backend_params": "--backend-param",
}
ALWAYS_GIVEN = ("objective", "measure", "backend", "engine", "backend_params")  # by options that have a default
USUAL_MEASURES = ("ndcg@1", "ndcg@5", "ndcg@10", "ap")


def read_files(
    paths: Sequence[Path],
    *,
    n_features: int | None,
    zero_based: bool,
    scattered: str,
    alike: bool = False,
    of: Path | None = None,
) -> list[RankingData]:
    """Read LETOR files; the errors of all of them are raised together.

    With `alike`, all files get the columns of the first, and an index beyond them is refused.  `of` is the model that
    `n_features` was taken from.
    """
    from scipy.sparse import issparse

    from .. import DataError, GbrankError
    from ..data import read_letor

    options: dict[str, Any] = {"zero_based": zero_based, "scattered": scattered}
    found: list[RankingData] = []
    errors = []
    chosen = n_features
    for path in paths:
        try:
            found.append(read_letor(path, n_features=n_features, **options))
        except GbrankError as error:
            first = paths[0] if chosen is None else None
            errors.append(told_width(str(error), of, first))
            continue
        tell_beside(path)
        tell_unused(path, found[-1])
        if alike:
            n_features, options["sparse"] = found[-1].n_features, issparse(found[-1].X)
    if errors:
        raise DataError("\n".join(errors))
    return found


def read_model(path: Path, *, of_trees: bool = False, **params: Any) -> Any:
    """Return a saved ranker, with `params` set in each booster; with `of_trees`, one that is not made of others."""
    from .. import DataError, load

    ranker: Any = load(path)
    if of_trees and not hasattr(ranker, "model_"):
        raise DataError(
            f"{path}: holds a {type(ranker).__name__}, which is made of several rankers; this command looks into the "
            "trees and the training of one: give a saved GBRanker or LambdaMART."
        )
    for boosted in ranker._boosted():
        boosted.set_params(**params)
    return ranker


def told_width(message: str, model: Path | None, first: Path | None) -> str:
    """Return a reader's message with the reason why a file may have no more features: a model, or the first file."""
    if model is not None:
        reason = (
            f"the model {model} has \\1 features and the file more; give a file of the features that it was made for"
        )
    elif first is not None:
        reason = f"{first} has \\1 features and this file more; correct one of them, or give --n-features"
    else:
        return message
    return re.sub(r"beyond n_features=(\d+); correct it or give more", reason, message)


@contextmanager
def naming(file: Path, vali: Path | None = None) -> Iterator[None]:
    """Put the file that it is about in front of an error of labels."""
    from ..jobs import naming_parts

    with naming_parts(str(file), str(vali)):
        yield


def tell_beside(path: Path) -> None:
    """Say which files were read with a text: they change what comes out."""
    from ..data._beside import files_beside

    if beside := files_beside(path):
        say(f"{path}: read with {', '.join(file.name for file in beside)}.")


def tell_unused(path: Path, data: RankingData) -> None:
    """Say where a file holds nothing in the last columns: it may be of other data than the columns were taken from."""
    from scipy.sparse import issparse

    columns = data.X.indices if issparse(data.X) else data.X.any(axis=0).nonzero()[0]
    used = int(columns.max(initial=-1)) + 1
    if used < data.n_features:
        last = f"the last {data.n_features - used} of {data.n_features} features"
        say(f"{path}: nothing is written of {last}; they count as 0.")


def read_assignments(texts: Sequence[str] | None, option: str) -> dict[str, Any]:
    """Return ``name=value`` texts as a mapping; a value is read as TOML, and is a string where it is none.

    Raises
    ------
    typer.BadParameter
        A text without ``=``, or a name given twice: the command line is wrong.
    """
    values: dict[str, Any] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise typer.BadParameter(f"{text!r}: write it as name=value.", param_hint=option)
        if name in values:
            raise typer.BadParameter(f"{name} is given twice.", param_hint=option)
        values[name] = read_value(value)
    return values


def read_value(text: str) -> Any:
    """Return the value that a text is in TOML, or the text itself.

    Examples
    --------
    >>> read_value("0.1"), read_value("true"), read_value("expected")
    (0.1, True, 'expected')
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def joined(options: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that were given, and further parameters; one that its own option must give is a wrong line."""
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in params.items():
        option = OWN_OPTIONS.get(name, f"--{name.replace('_', '-')}")
        if name in ALWAYS_GIVEN:
            raise typer.BadParameter(f"{name} has an option of its own; write {option} {value}.", param_hint="--param")
        if name in given:
            raise typer.BadParameter(
                f"{name} has an option of its own, {option}, which is given too.", param_hint="--param"
            )
    return {**given, **params}


def read_ranker(
    objective: str,
    objective_param: Sequence[str] | None,
    param: Sequence[str] | None,
    backend_param: Sequence[str] | None,
    *,
    validated: bool,
    **options: Any,
) -> GBRanker:
    """Return the ranker that the options describe; those that are None were not given.

    With `validated`, there are validation data to stop early by.

    Raises
    ------
    ParameterError
        Everything that is unknown or refused.
    """
    from ..jobs import make_ranker, with_stopping

    chosen = {"name": objective, **read_assignments(objective_param, "--objective-param")}
    library = read_assignments(backend_param, "--backend-param") or None
    options |= {"objective": chosen, "backend_params": library}
    table = {"random_state": 0, **joined(options, read_assignments(param, "--param"))}
    validated = validated or "validation_fraction" in table
    return make_ranker(with_stopping(table, validated=validated), name="")
