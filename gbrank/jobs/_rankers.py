"""From the ``[ranker]`` table to a `GBRanker`."""

from __future__ import annotations

import inspect
import os
import types
import typing
from collections.abc import Mapping
from typing import Any

from .._checks import ParameterError, check_choice, check_whole
from ..backends import BACKENDS, TreeParams
from ..metrics import measure
from ..objectives import Objective, objective
from ..objectives._plain import to_table
from ..rankers import GBRanker
from ..rankers._files import plain
from ..rankers._ranker import ENGINES
from ._checks import WORDS, Key, Problems, place, read_table

ROUNDS, PATIENCE = 1000, 50  # as in `gbrank.tune`
NOT_IN_FILES = ("callbacks",)  # they are objects
KINDS: dict[Any, type] = {Mapping: dict, typing.get_origin(typing.Sequence[int]): list, Objective: dict}


def ranker_keys() -> dict[str, Key]:
    """Return what ``[ranker]`` may hold: the parameters of `GBRanker` that can be written down."""
    hints = typing.get_type_hints(GBRanker.__init__)
    signature = inspect.signature(GBRanker.__init__).parameters
    return {
        name: Key(_kinds(hints[name]), parameter.default)
        for name, parameter in signature.items()
        if name != "self" and name not in NOT_IN_FILES
    }


def _kinds(hint: Any) -> tuple[type, ...]:
    """Return the kinds of TOML that an annotation allows."""
    members = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = [typing.get_origin(member) or member for member in members]
    return tuple(KINDS.get(kind, kind) for kind in kinds if KINDS.get(kind, kind) in WORDS)


def make_ranker(table: Mapping[str, Any], *, source: str = "parameters", name: str = "ranker") -> GBRanker:
    """Return the ranker that a table describes.

    Parameters
    ----------
    table : mapping
        Parameters of `gbrank.GBRanker`.  `objective` is a name, or a table with ``name`` and the objective's
        parameters.
    source, name : str
        The file and the table that messages name.

    Raises
    ------
    ParameterError
        Unknown names and values that are refused, all at once, one a line.

    Examples
    --------
    >>> make_ranker({"objective": {"name": "lambdarank", "truncation": 10}, "n_estimators": 50}).n_estimators
    50
    """
    problems = Problems(source)
    ranker = checked_ranker(table, name, problems)
    problems.raise_any()
    assert ranker is not None
    return ranker


def with_stopping(table: Mapping[str, Any], *, validated: bool) -> dict[str, Any]:
    """Return a ranker's table with the defaults of early stopping: `ROUNDS` at most and a patience of `PATIENCE`.

    Parameters
    ----------
    table : mapping
        Parameters of `gbrank.GBRanker`; ``early_stopping_rounds`` of 0 means none.
    validated : bool
        Whether there are validation data; the patience has a default only where there are.

    Examples
    --------
    >>> with_stopping({}, validated=True)
    {'early_stopping_rounds': 50, 'n_estimators': 1000}
    >>> with_stopping({"early_stopping_rounds": 0}, validated=True)
    {}
    """
    filled = {"early_stopping_rounds": PATIENCE, **table} if validated else dict(table)
    patience = filled.get("early_stopping_rounds")
    if patience == 0 and not isinstance(patience, bool):
        del filled["early_stopping_rounds"]
    elif patience is not None:
        filled.setdefault("n_estimators", ROUNDS)
    return filled


def checked_ranker(table: Mapping[str, Any], name: str, problems: Problems) -> GBRanker | None:
    """Return the ranker of a table; note everything that is wrong with it, and return None then."""
    before = len(problems.found)
    values = read_table(table, ranker_keys(), name, problems)
    values["objective"] = _objective(values["objective"], place(name, "objective"), problems)
    problems.attempt(place(name, "measure"), measure, values["measure"])
    table_name = f"[{name}]" if name else ""
    problems.attempt(table_name, check_choice, "backend", values["backend"], BACKENDS)
    problems.attempt(table_name, check_choice, "engine", values["engine"], ENGINES)
    for key in ("n_estimators", "early_stopping_rounds"):
        if values[key] is not None:
            problems.attempt(table_name, check_whole, key, values[key])
    for key in inspect.signature(TreeParams).parameters:
        if key in values and values[key] is not None:
            problems.attempt(table_name, TreeParams, **{key: values[key]})
    return GBRanker(**values) if len(problems.found) == before else None


def _objective(given: Any, where: str, problems: Problems) -> Objective | None:
    if isinstance(given, Objective):
        return given
    if isinstance(given, str):
        return problems.attempt(where, objective, given)
    if not isinstance(given.get("name"), str):
        problems.add(where, 'a table needs the objective\'s name, as in {name = "lambdarank", truncation = 10}')
        return None
    return problems.attempt(where, objective, **given)


def ranker_table(ranker: GBRanker) -> dict[str, Any]:
    """Return the table that `make_ranker` reads back as the same ranker, with every parameter written out.

    Raises
    ------
    ParameterError
        Monotone constraints of numbered columns: a table in a file has names only.  An `init_model` that is no path.
    """
    given = ranker.get_params(deep=False)
    if isinstance(given["init_model"], GBRanker):
        raise ParameterError("init_model: a file names a saved ranker; save this one, and give the path.")
    if given["init_model"] is not None:
        given["init_model"] = os.fspath(given["init_model"])
    table = {name: plain(value) for name, value in given.items() if name not in NOT_IN_FILES}
    for feature in table["monotone_constraints"] if isinstance(table["monotone_constraints"], Mapping) else ():
        if not isinstance(feature, str):
            raise ParameterError(
                f"monotone_constraints: column {feature} is a number, and a file names features; give names, or a "
                "list of -1, 0 or 1 for each feature."
            )
    table["objective"] = to_table(objective(table["objective"]))
    return table | {"measure": str(measure(table["measure"]))}
