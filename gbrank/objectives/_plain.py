"""Objectives as plain values, for files: names and parameters, nothing that runs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Self

import numpy as np

from .._checks import ParameterError
from ._base import OBJECTIVES, Bound, Labelled, Objective, objective

Plain = dict[str, Any]


def of_gbrank(cls: type) -> bool:
    """Tell whether gbrank itself defines a class."""
    return cls.__module__.partition(".")[0] == __name__.partition(".")[0]


def to_plain(given: Objective) -> Plain:
    """Return name and parameters of an objective, for JSON; of a user's own, also where it was defined."""
    if isinstance(given, AbsentObjective):
        return dict(json.loads(given.told))
    told: Plain = {"name": given.name, "params": {name: _plain_value(value) for name, value in given.params().items()}}
    if not of_gbrank(type(given)):
        told["defined_as"] = f"{type(given).__module__}.{type(given).__qualname__}"
        told["ranks_by_raw_score"] = type(given).transform is Objective.transform
    return told


def _plain_value(value: Any) -> Any:
    if isinstance(value, Objective):
        return {"objective": to_plain(value)}
    if isinstance(value, Mapping):
        return {name: _plain_value(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain_value(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def to_table(given: Objective) -> Plain:
    """Return one table of name and parameters, as people write it in files; `objective` and `Combined` read it."""
    defaults = {field.name: field.default for field in dataclasses.fields(given)}
    params = given.params()
    # A table cannot hold None: where that is not the default, it is written out.
    told = {name: "none" for name, value in params.items() if value is None and defaults[name] is not None}
    return {"name": given.name} | {name: _in_table(value) for name, value in params.items()} | told


def _in_table(value: Any) -> Any:
    if isinstance(value, Objective):
        return to_table(value)
    if isinstance(value, tuple | list):
        return None if all(each is None for each in value) else [_in_table(each) for each in value]
    return value


def from_plain(told: Mapping[str, Any]) -> Objective:
    """Return the objective that `to_plain` told of; one that nobody defines here is an `AbsentObjective`.

    Raises
    ------
    ParameterError
        Nobody defines it here, and the model cannot predict without it.
    """
    name, where = told["name"], told.get("defined_as")
    params = {each: _found_value(value) for each, value in told["params"].items()}
    if where is None or (name in OBJECTIVES and not of_gbrank(OBJECTIVES[name])):
        return objective(name, **params)
    found = imported(where, name)
    if found is not None:
        return found().with_params(**params)
    if not told["ranks_by_raw_score"]:
        raise ParameterError(f"the objective {name!r} is not known here; {remedy(where, name)}.")
    return AbsentObjective(json.dumps(told))


def imported(where: str, name: str) -> type[Objective] | None:
    """Return the objective of that name that a module which is imported already defines at that place."""
    parts = where.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:cut]))
        for part in parts[cut:]:
            found = getattr(found, "__dict__", {}).get(part)  # looked up, so that nothing runs
        if isinstance(found, type) and issubclass(found, Objective) and getattr(found, "name", None) == name:
            return found
    return None


def remedy(where: str, name: str) -> str:
    """Return what makes an objective known that was defined at that place."""
    module, _, rest = where.rpartition(".")
    if "<locals>" in where or module == "__main__" or not rest.isidentifier():
        return f"it was defined as {where}: define and register {name!r} here (register=True), then load the model"
    return f"it was defined as {where}: first `import {module}`, then load the model again"


def _found_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"objective"}:
            return from_plain(value["objective"])
        return {name: _found_value(each) for name, each in value.items()}
    return [_found_value(each) for each in value] if isinstance(value, list) else value


@dataclass(frozen=True, repr=False)
class AbsentObjective(Objective):
    """Stands in a loaded model for a user's objective that is not defined here: it predicts, but cannot train."""

    name: ClassVar[str] = "absent"
    told: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", json.loads(self.told)["name"])

    def params(self, deep: bool = False) -> dict[str, Any]:
        return dict(json.loads(self.told)["params"])

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.params().items())})"

    def with_params(self, **params: Any) -> Self:
        self._refuse()

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ParameterError(
            f"the objective {self.name!r} of this saved model is not known here, so the model predicts but cannot be "
            f"trained again; {remedy(json.loads(self.told)['defined_as'], self.name)}, or give one to "
            "set_params(objective=...)."
        )
