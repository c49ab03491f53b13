"""Checks of an objective as a value: copies, prints, parameters, name."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np

from .. import objectives
from .._checks import ParameterError
from ..objectives import OBJECTIVES, Objective
from ._compare import FailedError, SkippedError


def _pickles(objective: Objective) -> None:
    copy = pickle.loads(pickle.dumps(objective))
    if copy != objective:
        raise FailedError(f"{copy!r} came back.")


def _prints(objective: Objective) -> None:
    text, cls = repr(objective), type(objective)
    names = {"inf": np.inf, **{name: getattr(objectives, name) for name in objectives.__all__}, cls.__name__: cls}
    try:
        made = eval(text, names)
    except Exception as error:
        raise FailedError(f"{text} cannot be evaluated: {type(error).__name__}: {error}.") from None
    if made != objective:
        raise FailedError(f"{text} makes another objective.")


def _parameters(objective: Objective) -> None:
    own = vars(type(objective))
    if "__dataclass_params__" not in own or not own["__dataclass_params__"].frozen:
        raise FailedError(
            f"{type(objective).__name__} is no frozen dataclass; put @dataclass(frozen=True) above the class."
        )
    params = objective.params()
    if objective.with_params(**params) != objective:
        raise FailedError(f"with_params(**{params}) makes another objective.")
    try:
        objective.with_params(no_such_parameter=1)
    except ParameterError:
        return
    raise FailedError("with_params(no_such_parameter=1) was not refused.")


def _name(objective: Objective) -> None:
    cls, name = type(objective), getattr(objective, "name", None)
    if not isinstance(name, str) or not name:
        raise FailedError(f"{cls.__name__} has no name; give it one: name: ClassVar[str] = 'mine'.")
    if name not in OBJECTIVES:
        raise SkippedError(f"{name!r} is not registered")
    if OBJECTIVES[name] is not cls:
        raise FailedError(f"the name {name!r} is that of {OBJECTIVES[name].__name__}; choose another.")
    if objectives.objective(name, **objective.params()) != objective:
        raise FailedError(f"objective({name!r}, **params) makes another one.")


OF_VALUES: dict[str, Callable[[Objective], None]] = {
    "pickling": _pickles,
    "repr": _prints,
    "parameters": _parameters,
    "name": _name,
}
