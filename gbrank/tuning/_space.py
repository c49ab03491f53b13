"""What is searched: a mapping from parameter names to Optuna's distributions, which is data.

A name is a parameter of the ranker, ``objective__x`` (parameter x of its objective) or ``backend_params__x`` (a
parameter that only the library has).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from .._checks import ParameterError
from .._registry import unknown
from ..rankers import GBRanker
from ..rankers._changed import BACKEND, with_params

Space = Mapping[str, BaseDistribution]

OBJECTIVE = "objective__"

_EVERYWHERE: Space = {
    "learning_rate": FloatDistribution(0.02, 0.3, log=True),
    "max_leaves": IntDistribution(7, 127, log=True),
    "subsample": FloatDistribution(0.5, 1.0),
    "colsample": FloatDistribution(0.3, 1.0),
    "reg_lambda": FloatDistribution(1e-3, 30.0, log=True),
    "reg_alpha": FloatDistribution(1e-3, 3.0, log=True),
}
DEFAULT_SPACE: Mapping[str, Space] = MappingProxyType(
    {
        "lightgbm": MappingProxyType({**_EVERYWHERE, "min_docs_in_leaf": IntDistribution(5, 200, log=True)}),
        "xgboost": MappingProxyType(
            {**_EVERYWHERE, "backend_params__min_child_weight": FloatDistribution(1e-2, 30.0, log=True)}
        ),
        # Symmetric trees have a depth alone; not every loss of CatBoost takes a penalty.
        "catboost": MappingProxyType(
            {
                **{name: _EVERYWHERE[name] for name in ("learning_rate", "subsample", "colsample")},
                "max_depth": IntDistribution(3, 9),
                "backend_params__random_strength": FloatDistribution(1e-2, 10.0, log=True),
            }
        ),
    }
)
"""The space of each backend where `tune` is given none.  `max_bins` is not in it, for each value is binned anew."""

NOT_TUNED = {
    "n_estimators": "the number of rounds is found by early stopping; the ranker's own is the upper limit",
    "early_stopping_rounds": "set it on the ranker",
    "validation_fraction": "give tune valid= or cv=",
    "measure": "give tune measure=",
    "backend": "tune each backend in a study of its own",
    "backend_params": "name the parameter, as in backend_params__min_child_weight",
    "engine": "it changes the speed, not the model",
    "callbacks": "it is no parameter of the model",
    "random_state": "it is no parameter of the model",
    "n_jobs": "it is no parameter of the model",
    "verbose": "it is no parameter of the model",
}


def default_space(backend: str) -> dict[str, BaseDistribution]:
    """Return a copy of the space that `tune` searches for that backend where it is given none.

    Raises
    ------
    ParameterError
        A backend without such a space.

    Examples
    --------
    >>> default_space("lightgbm")["learning_rate"]
    FloatDistribution(high=0.3, log=True, low=0.02, step=None)
    """
    if backend not in DEFAULT_SPACE:
        raise unknown("backend", backend, DEFAULT_SPACE)
    return dict(DEFAULT_SPACE[backend])


def read_space(space: Mapping[str, Any] | None, ranker: GBRanker) -> dict[str, BaseDistribution]:
    """Return `space` with its short forms made into distributions, checked against the ranker.

    Raises
    ------
    ParameterError
        A name that the ranker does not have, or that is not tuned; a form that is none of those of `tune`; bounds that
        the ranker refuses.
    """
    if space is None:
        return default_space(ranker.backend)
    if not isinstance(space, Mapping) or not space:
        raise ParameterError(f"space={space!r}: give a mapping from parameter names to what they may be.")
    return {name: _read(name, form, ranker) for name, form in space.items()}


def _read(name: str, form: Any, ranker: GBRanker) -> BaseDistribution:
    if name in NOT_TUNED:
        raise ParameterError(f"space[{name!r}]: is not tuned: {NOT_TUNED[name]}.")
    known = ranker.get_params(deep=True)
    if name not in known and not (name.startswith(BACKEND) and name != BACKEND):
        raise unknown("parameter to tune", name, [each for each in known if each not in NOT_TUNED])
    try:
        distribution = _distribution(form, _default(name, ranker))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"space[{name!r}]={form!r}: {str(error).rstrip('.')}.") from None
    for value in _extremes(distribution):
        try:
            changed = with_params(ranker, {name: value})
            changed._objective()
            changed._backend().bin_settings(changed._tree_params())
        except ParameterError as error:
            raise ParameterError(f"space[{name!r}] admits {value!r}: {error}") from None
    return distribution


def _default(name: str, ranker: GBRanker) -> Any:
    """Return the parameter's default, whose type says whether a number is whole; None where there is none."""
    usual = inspect.signature(type(ranker)).parameters.get(name)
    return usual.default if usual is not None else ranker.get_params(deep=True).get(name)


def _distribution(form: Any, default: Any) -> BaseDistribution:
    if isinstance(form, BaseDistribution):
        return form
    if isinstance(form, list):
        return _choices(form)
    if isinstance(form, Mapping):
        strange = [each for each in form if each not in ("low", "high", "log", "step")]
        if strange or "low" not in form or "high" not in form:
            raise ValueError("a mapping has low and high, and may have log (true or false) and step")
        return _range(form["low"], form["high"], default, log=form.get("log", False), step=form.get("step"))
    if isinstance(form, tuple) and len(form) == 2:
        return _range(*form, default)
    raise ValueError("give an Optuna distribution, {'low': .., 'high': ..}, (low, high) or a list of choices")


def _choices(values: list[Any]) -> BaseDistribution:
    if not values or not all(value is None or isinstance(value, bool | int | float | str) for value in values):
        raise ValueError("choices are a list of numbers, strings, truth values or None")
    return CategoricalDistribution(values)


def _range(low: Any, high: Any, default: Any, *, log: Any = False, step: Any = None) -> BaseDistribution:
    for value in (low, high) if step is None else (low, high, step):
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise ValueError(f"{value!r} is not a number")
    if not isinstance(log, bool):
        raise ValueError(f"log={log!r} is not true or false")
    if not low < high:
        raise ValueError("low must be below high")
    if isinstance(default, bool | str):
        raise ValueError("this parameter is no number; give a list of choices")
    whole = all(isinstance(value, int | np.integer) for value in (low, high, 1 if step is None else step))
    if isinstance(default, int) and not whole:
        raise ValueError("this parameter is a whole number; give whole bounds and a whole step")
    if isinstance(default, float) or not whole:
        return FloatDistribution(float(low), float(high), log=log, step=None if step is None else float(step))
    return IntDistribution(int(low), int(high), log=log, step=1 if step is None else int(step))


def _extremes(distribution: BaseDistribution) -> tuple[Any, ...]:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return distribution.low, distribution.high


def draw(trial: Trial, space: Space) -> dict[str, Any]:
    """Return the value that a trial suggests for each parameter."""
    return {name: _suggest(trial, name, distribution) for name, distribution in space.items()}


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(
            name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
        )
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)


def start_values(ranker: GBRanker, space: Space) -> dict[str, Any]:
    """Return the ranker's own values of the parameters in `space`; without those that the library decides on."""
    known = ranker.get_params(deep=True)
    known |= {f"{BACKEND}{name}": value for name, value in (ranker.backend_params or {}).items()}
    return {name: _plain(known[name]) for name in space if name in known}


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def holds(distribution: BaseDistribution, value: Any) -> bool:
    """Tell whether a value could have been drawn from a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return any(value == choice and type(value) is type(choice) for choice in distribution.choices)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = not isinstance(distribution, IntDistribution) or isinstance(value, int)
    if not number or not whole:
        return False
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    steps = 0.0 if distribution.step is None else float(value - distribution.low) / distribution.step
    return bool(distribution.low <= value <= distribution.high and abs(steps - round(steps)) < 1e-9)
