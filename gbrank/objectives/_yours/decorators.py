"""Your own losses: `pair_loss` and `point_loss` make an objective of a NumPy function.

Both engines and every booster then run it, like a built-in one: the numpy engine calls the function on arrays, the
compiled engine hands it to the compiler.  Without a second derivative, an objective gets one by the rule of `bends`.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar, overload

import numpy as np
import numpy.typing as npt

from ..._checks import GbrankWarning, ParameterError, check_choice
from ..._compile import refusal
from .._base import OBJECTIVES, Bound, Labelled, Objective, Vector, check_engine, require_varied, single_labels
from .._frames.points import Point, PointBound, Start, best_constant
from .._pairwise import Pairwise
from .._plain import of_gbrank
from .bends import with_bend_of_margin, with_bend_of_score
from .trial import PAIRS, POINTS, Kind, compiled_differs, has_exact_hessian, require_loss

Function = Callable[..., tuple[Any, ...]]
Made = TypeVar("Made", bound=Objective)

SAMPLED_LABELS = 5  # distinct labels that a point loss is tried on when it is bound
DOUBLINGS = 7  # of the interval in which the best constant is looked for


@dataclass(frozen=True, kw_only=True, repr=False)
class PairFunction(Pairwise):
    """A pairwise loss made by `pair_loss`: `function` is the one given, its parameters are `own`."""

    function: ClassVar[Function]
    own: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_own(self)

    def phi_params(self) -> tuple[float, ...]:
        return own_params(self)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        promise = self.gradient_of_loss
        require_loss(PAIRS, self.name, type(self).function, self.phi_params(), gradient_of_loss=promise)
        return super().bind(data, engine=usable_engine(self, type(self).phi, PAIRS, engine), n_jobs=n_jobs)


@dataclass(frozen=True, kw_only=True, repr=False)
class PointFunction(Objective):
    """A pointwise loss made by `point_loss`: `function` is the one given, its parameters are `own`.

    Parameters
    ----------
    init : {"best", "zero"}
        Boosting starts from the constant score of least loss, or from 0; from 0, too, where no constant is best.
    """

    pointwise: ClassVar[bool] = True
    function: ClassVar[Function]
    point: ClassVar[Point]
    own: ClassVar[tuple[str, ...]]
    init: str = "best"

    def __post_init__(self) -> None:
        check_choice("init", self.init, ("best", "zero"))
        check_own(self)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y, point, params = single_labels(data, self.name), type(self).point, own_params(self)
        require_varied(y, self.name)
        labels = np.unique(y)
        some = labels[np.unique(np.linspace(0, len(labels) - 1, SAMPLED_LABELS).astype(int))]
        some, promise = tuple(some.tolist()), self.gradient_of_loss
        require_loss(POINTS, self.name, type(self).function, params, some, gradient_of_loss=promise)
        engine = usable_engine(self, point, POINTS, engine)
        start = best_start(point, params) if self.init == "best" else None
        return PointBound(point, params, y, data, engine, n_jobs, start)


@overload
def pair_loss(function: Function, /) -> type[PairFunction]: ...
@overload
def pair_loss(
    *, name: str | None = None, register: bool = False, exact_hessian: bool = True, gradient_of_loss: bool = True
) -> Callable[[Function], type[PairFunction]]: ...
def pair_loss(
    function: Function | None = None, /, *, name: str | None = None, register: bool = False,
    exact_hessian: bool = True, gradient_of_loss: bool = True,
) -> Any:  # fmt: skip
    """Make a pairwise objective of a NumPy function of the margin.

    Parameters
    ----------
    function : callable
        ``function(d, ...)``, elementwise, of the margins d = s_i - s_j of pairs with y_i > y_j, and of parameters with
        numbers for defaults.  It returns value, first and second derivative by d, or value and first derivative; the
        second is then the difference quotient of the first, or where that is 0 or jumps, the size of the first.
    name : str, optional
        Name of the objective; that of the function by default.
    register : bool
        Whether `gbrank.objective`, and `gbrank.load`, find it by its name.
    exact_hessian : bool
        False says that what the function gives for the second derivative is meant to be another number.
    gradient_of_loss : bool
        False says that what it gives for the first derivative is meant to be that of no value.

    Returns
    -------
    type
        A class of objectives.  Its parameters are the function's own, and all of those of pairwise losses: `weight`,
        `truncation`, `score_norm`, ...  It pickles where Python can import it under the function's name: losses made
        of lambdas or inside functions do not, but models trained by them are saved like any other.

    Raises
    ------
    ParameterError
        A function that is not elementwise, has other parameters, returns something else, is not finite at margins
        from -10 to 10, whose first derivative is not that of its value, or pushes the better document of a pair down
        where it already is below.

    Warns
    -----
    GbrankWarning
        The second derivative given is not that of the first, and so a surrogate; or, once it is used, the function
        cannot be compiled and runs on the numpy engine.

    Examples
    --------
    >>> import gbrank
    >>> @gbrank.pair_loss
    ... def squared_hinge(d, margin=1.0):
    ...     lack = np.maximum(margin - d, 0)
    ...     return lack**2, -2 * lack, 2.0 * (d < margin)
    >>> squared_hinge(margin=2.0, truncation=30)
    squared_hinge(truncation=30, margin=2.0)
    >>> squared_hinge().gradient_hessian(y=[1, 0], score=[0.0, 0.0], query_ptr=[0, 2])
    (array([-2.,  2.]), array([2., 2.]))
    """
    if function is None:
        promises = {"exact_hessian": exact_hessian, "gradient_of_loss": gradient_of_loss}
        return functools.partial(pair_loss, name=name, register=register, **promises)
    own, name = own_parameters(function, PAIRS, PairFunction), name_of(function, name)
    n_parts = require_loss(PAIRS, name, function, tuple(own.values()), gradient_of_loss=gradient_of_loss)
    exact = exact_hessian and n_parts == 3 and has_exact_hessian(PAIRS, name, function, tuple(own.values()))
    promises = {"exact_hessian": exact, "gradient_of_loss": gradient_of_loss}
    phi = function if n_parts == 3 else with_bend_of_margin(function)
    return made(PairFunction, PAIRS, function, name, own, register, phi=staticmethod(phi), **promises)


@overload
def point_loss(function: Function, /) -> type[PointFunction]: ...
@overload
def point_loss(
    *, name: str | None = None, register: bool = False, exact_hessian: bool = True, gradient_of_loss: bool = True
) -> Callable[[Function], type[PointFunction]]: ...
def point_loss(
    function: Function | None = None, /, *, name: str | None = None, register: bool = False,
    exact_hessian: bool = True, gradient_of_loss: bool = True,
) -> Any:  # fmt: skip
    """Make a pointwise objective of a NumPy function of label and score.

    Parameters
    ----------
    function : callable
        ``function(y, s, ...)``, elementwise, of labels, scores, and parameters with numbers for defaults.  It returns
        value, first and second derivative by s, or value and first derivative; the second is then the
        difference quotient of the first, or where that is 0 or jumps, the size of the first.
    name, register, exact_hessian, gradient_of_loss
        See `pair_loss`.

    Returns
    -------
    type
        A class of objectives.  Its parameters are the function's own, and `init`: boosting starts from the constant of
        least loss ("best"), or from 0 ("zero").  For pickling see `pair_loss`.

    Raises
    ------
    ParameterError
        A function that is not elementwise, has other parameters, or returns something else (gradient and hessian
        without the value, as boosters ask for them), or whose first derivative is not that of its value; when it is
        bound, one that is not finite for the labels at scores from -10 to 10.

    Warns
    -----
    GbrankWarning
        As `pair_loss`.

    Examples
    --------
    >>> import gbrank
    >>> @gbrank.point_loss
    ... def asymmetric(y, s, over=3.0):
    ...     weight = np.where(s > y, over, 1.0)
    ...     return weight * (s - y) ** 2, 2 * weight * (s - y)
    >>> asymmetric(over=1.0).gradient_hessian(y=[1, 0], score=[0.0, 0.5], query_ptr=[0, 2])
    (array([-2.,  1.]), array([2., 2.]))
    """
    if function is None:
        promises = {"exact_hessian": exact_hessian, "gradient_of_loss": gradient_of_loss}
        return functools.partial(point_loss, name=name, register=register, **promises)
    own, name = own_parameters(function, POINTS, PointFunction), name_of(function, name)
    n_parts = require_loss(POINTS, name, function, tuple(own.values()), gradient_of_loss=gradient_of_loss)
    exact = exact_hessian and n_parts == 3 and has_exact_hessian(POINTS, name, function, tuple(own.values()))
    promises = {"exact_hessian": exact, "gradient_of_loss": gradient_of_loss}
    point = function if n_parts == 3 else with_bend_of_score(function)
    return made(PointFunction, POINTS, function, name, own, register, point=staticmethod(point), **promises)


def made(
    base: type[Made], kind: Kind, function: Function, name: str, own: dict[str, float], register: bool,
    **attributes: Any,
) -> type[Made]:  # fmt: skip
    """Return the class of objectives; it stands where the function stood, so that it pickles under its name."""
    called = name if function.__name__ == "<lambda>" else function.__name__
    namespace = {
        "__qualname__": function.__qualname__.replace("<lambda>", called),
        "__doc__": function.__doc__ or f"{kind.summary} `{called}`.",
        "name": name,
        "function": staticmethod(function),
        "own": tuple(own),
        **attributes,
    }
    fields = [(each, float, dataclasses.field(default=default)) for each, default in own.items()]
    cls: type[Made] = dataclasses.make_dataclass(
        called, fields, bases=(base,), frozen=True, repr=False, namespace=namespace
    )
    cls.__module__ = function.__module__
    if register:
        OBJECTIVES.put(name, cls)
    return cls


def name_of(function: Function, name: str | None) -> str:
    """Return the name of the objective, which no built-in one has."""
    name = function.__name__ if name is None else name
    if not isinstance(name, str) or not name.isidentifier():
        raise ParameterError(f"a loss named {name!r}: give it a name that Python could use, with name='...'.")
    if name in OBJECTIVES and of_gbrank(OBJECTIVES[name]):
        raise ParameterError(f"the objective {name!r} exists already in gbrank; give another with name='...'.")
    return name


def own_parameters(function: Function, kind: Kind, base: type[Objective]) -> dict[str, float]:
    """Return the parameters that follow margin, or label and score, with their defaults."""
    if not inspect.isfunction(function):
        raise ParameterError(f"{kind.decorator}: decorates a function, not {function!r}.")
    told, parameters = function.__name__, list(inspect.signature(function).parameters.values())
    odd = [each for each in parameters if each.kind not in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if odd or len(parameters) < len(kind.arguments):
        raise ParameterError(
            f"{told}{inspect.signature(function)}: a {kind.decorator} takes {' and '.join(kind.arguments)}, and then "
            "its own parameters as `name=number`, with no * among them."
        )
    own = parameters[len(kind.arguments) :]
    for each in own:
        if hasattr(base, each.name):
            raise ParameterError(f"{told}: every {kind.decorator} has {each.name!r} already; name it otherwise.")
        if each.default is each.empty or not is_number(each.default):
            raise ParameterError(f"{told}: give the parameter {each.name!r} a finite number for its default.")
    return {each.name: each.default for each in own}


def is_number(value: Any) -> bool:
    """Tell whether a function of numbers can be given this."""
    return isinstance(value, int | float | np.number | np.bool_) and math.isfinite(value)


class Parametrised(Protocol):
    """An objective whose function has parameters of its own."""

    @property
    def name(self) -> str: ...
    @property
    def own(self) -> tuple[str, ...]: ...


def check_own(objective: Parametrised) -> None:
    """Raise a `ParameterError` where a parameter of the function is no number."""
    for name in objective.own:
        if not is_number(getattr(objective, name)):
            raise ParameterError(f"{objective.name}: {name}={getattr(objective, name)!r}: must be a finite number.")


def own_params(objective: Parametrised) -> tuple[float, ...]:
    """Return the parameters of the function, as numbers."""
    return tuple(float(getattr(objective, name)) for name in objective.own)


def usable_engine(objective: PairFunction | PointFunction, whole: Point, kind: Kind, engine: str) -> str:
    """Return the engine wanted, or "numpy" where the function cannot be compiled."""
    check_engine(engine)
    return "numpy" if engine == "compiled" and cannot_compile(type(objective), whole, kind) else engine


@functools.lru_cache(maxsize=256)
def cannot_compile(cls: type[PairFunction] | type[PointFunction], whole: Point, kind: Kind) -> bool:
    """Tell whether a loss cannot be compiled; the first time, with a warning that says why."""
    params = own_params(cls())
    why = refusal(whole, *(1.0 for _ in kind.arguments), *params) or compiled_differs(kind, whole, params)
    if why is not None:
        text = f"{cls.name}: cannot be compiled and runs on the numpy engine, several times slower: {why}."
        warnings.warn(text, GbrankWarning, stacklevel=6)
    return why is not None


def best_start(point: Point, params: tuple[float, ...]) -> Start:
    """Return the search for the constant score of least loss, first near the labels and 0; 0 where there is none."""

    def start(y: npt.NDArray[Any], weight: Vector | None) -> float:
        labels, place = np.unique(y, return_inverse=True)
        counts = np.bincount(place, weights=weight)

        def slope(score: float) -> float:
            return float(np.dot(counts, point(labels, np.full(len(labels), score), *params)[1]))

        low, high = min(float(labels[0]), 0.0), max(float(labels[-1]), 0.0)
        with np.errstate(all="ignore"):
            for _ in range(DOUBLINGS):
                falls, rises = slope(low) <= 0, slope(high) >= 0
                if falls and rises:
                    return best_constant(point, params, low, high)(y, weight)
                width = high - low
                low, high = low - (0 if falls else width), high + (0 if rises else width)
        return 0.0

    return start
