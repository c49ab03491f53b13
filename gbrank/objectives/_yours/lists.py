"""Your own loss of whole lists: `list_loss` makes an objective of a NumPy function of one query's scores and labels.

The numpy engine calls the function for each query; the compiled engine compiles the same function into a loop over
queries.  Without a hessian, the mean size of the list's gradient stands for it, the same number for each document:
steps then go by the gradient, at a pace that does not depend on the units of the loss.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np

from ..._checks import DataError, GbrankWarning
from ..._compile import fixed_tuple, list_pointer, plain, reason_of
from .._base import Bound, Labelled, Objective, Targets, Vector, check_engine, require_varied, single_labels
from .._frames.lists import SIGNATURE, ListBound, ListLoss, ListTargets
from .decorators import Function, check_own, made, name_of, own_parameters, own_params
from .list_trial import LISTS, WEIGHTED_LISTS, has_exact_hessian, is_shift_invariant, lists_of, require_list_loss
from .trial import ENGINES_AGREE


@dataclass(frozen=True, kw_only=True, repr=False)
class ListFunction(Objective):
    """A loss of lists made by `list_loss`: `function` is the one given, its parameters are `own`."""

    function: ClassVar[Function]
    own: ClassVar[tuple[str, ...]]
    n_parts: ClassVar[int]

    def __post_init__(self) -> None:
        check_own(self)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y, cls = single_labels(data, self.name), type(self)
        check_engine(engine)
        require_varied(y, self.name)
        if data.sample_weight is not None and not self.document_weights:
            raise DataError(
                f"{self.name}: sample_weight: the function takes no weights of documents; let it take them as "
                f"{cls.function.__name__}(scores, labels, weights, ...), or leave them out."
            )
        require_list_loss(cls, own_params(self), lists_of(y, data.query_ptr), known=True)
        if engine == "compiled" and cannot_compile(cls):
            engine = "numpy"
        return bound_to(cls, own_params(self), y, data, engine, n_jobs)


@overload
def list_loss(function: Function, /) -> type[ListFunction]: ...
@overload
def list_loss(
    *, name: str | None = None, register: bool = False, exact_hessian: bool = True, gradient_of_loss: bool = True
) -> Callable[[Function], type[ListFunction]]: ...
def list_loss(
    function: Function | None = None, /, *, name: str | None = None, register: bool = False,
    exact_hessian: bool = True, gradient_of_loss: bool = True,
) -> Any:  # fmt: skip
    """Make an objective of a NumPy function of one query's list.

    Parameters
    ----------
    function : callable
        ``function(scores, labels, ...)`` of the scores and labels of one query's documents, arrays of shape (n,) in the
        order of the rows, and of parameters with numbers for defaults.  It returns value (a number), gradient and
        hessian (arrays of shape (n,); the hessian is the diagonal), or value and gradient; the mean size of the list's
        gradient then stands for the hessian of each document.  If it takes document weights, the argument after the
        labels is called ``weights``.
    name, register, exact_hessian, gradient_of_loss
        See `pair_loss`.  Say ``gradient_of_loss=False`` of lambdas, which are no slope of the value.

    Returns
    -------
    type
        A class of objectives with the function's parameters.  Boosting starts from 0.  Query weights multiply all that
        the function returns; document weights are refused unless it takes them.  Whether it is shift-invariant is
        found out by trying.  For pickling see `pair_loss`.

    Raises
    ------
    ParameterError
        A function that changes its arguments, has other parameters or returns something else, or whose gradient is not
        that of its value; when it is bound, one that is not finite for lists of the data.

    Warns
    -----
    GbrankWarning
        As `pair_loss`.

    Examples
    --------
    >>> import gbrank
    >>> @gbrank.list_loss
    ... def query_rmse(scores, labels):
    ...     error = scores - labels - np.mean(scores - labels)
    ...     return np.sum(error**2) / 2, error, 1 - 1 / len(scores) + 0 * error
    >>> query_rmse().gradient_hessian(y=[1, 0], score=[0.0, 0.0], query_ptr=[0, 2])
    (array([-0.5,  0.5]), array([0.5, 0.5]))
    >>> query_rmse.shift_invariant, query_rmse.exact_hessian
    (True, True)
    """
    promises = {"exact_hessian": exact_hessian, "gradient_of_loss": gradient_of_loss}
    if function is None:
        return functools.partial(list_loss, name=name, register=register, **promises)
    weighted = inspect.isfunction(function) and list(inspect.signature(function).parameters)[2:3] == ["weights"]
    kind = WEIGHTED_LISTS if weighted else LISTS
    own, name = own_parameters(function, kind, ListFunction), name_of(function, name)
    cls = made(ListFunction, kind, function, name, own, register, document_weights=weighted, **promises)
    params, lists = tuple(own.values()), lists_of()
    cls.n_parts = require_list_loss(cls, params, lists)
    cls.exact_hessian = exact_hessian and cls.n_parts == 3 and has_exact_hessian(cls, params, lists)
    cls.shift_invariant = is_shift_invariant(cls, params, lists)
    return cls


def bound_to(
    cls: type[ListFunction], params: tuple[float, ...], y: Vector, data: Labelled, engine: str, n_jobs: int | None
) -> ListBound:
    """Return the loss tied to labels."""
    definition = functools.partial(define, cls)
    loss = ListLoss(definition, kernel=functools.partial(pointer_to, cls))
    return ListBound(loss, params, ListTargets(y, np.zeros(len(data.query_ptr) - 1)), data, engine, n_jobs)


def define(
    cls: type[ListFunction], s: Any, labels: Any, discount: Any, w: Any, ideal: Any, seed: Any, *params: Any
) -> tuple[float, Vector, Vector]:  # fmt: skip
    """Return what the function returns, with a hessian, in the form of `_frames.lists`."""
    value, gradient, *hessian = cls.function(s, labels, *((w,) if cls.document_weights else ()), *params)
    return value, gradient, hessian[0] if hessian else np.full(len(s), np.abs(gradient).mean())


def _put_both(first: Any, second: Any, g: Any, h: Any) -> None:
    for i in range(len(g)):
        g[i], h[i] = first[i], second[i]


def _put_first(first: Any, again: Any, g: Any, h: Any) -> None:
    size = 0.0
    for i in range(len(g)):
        g[i] = first[i]
        size += abs(first[i])
    for i in range(len(g)):
        h[i] = size / len(g)


def _put(*args: Any) -> Any:  # the places in the templates below: of one of these two, and of the function
    raise NotImplementedError


def _loss(*args: Any) -> Any:
    raise NotImplementedError


N_PARAMS = 0


def _of_list(
    s: Any, labels: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    parts = _loss(s, labels, *fixed_tuple(params, N_PARAMS))
    _put(parts[1], parts[-1], g, h)


def _of_weighted_list(
    s: Any, labels: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    parts = _loss(s, labels, w, *fixed_tuple(params, N_PARAMS))
    _put(parts[1], parts[-1], g, h)


@functools.lru_cache(maxsize=256)
def pointer_to(cls: type[ListFunction]) -> Any:
    """Return the pointer to the compiled function."""
    template = _of_weighted_list if cls.document_weights else _of_list
    put = _put_both if cls.n_parts == 3 else _put_first
    return list_pointer(
        template, SIGNATURE, fast=True, compile=plain, _loss=cls.function, _put=put, N_PARAMS=len(cls.own)
    )


@functools.lru_cache(maxsize=256)
def cannot_compile(cls: type[ListFunction]) -> bool:
    """Tell whether a loss cannot be compiled; the first time, with a warning that says why."""
    why = None
    try:
        pointer_to(cls)
    except Exception as error:  # a user's function may fail in any way
        why = reason_of(error)
    if why is None and not engines_agree(cls):
        why = "machine code gives other numbers than NumPy"
    if why is not None:
        text = f"{cls.name}: cannot be compiled and runs on the numpy engine, several times slower: {why}."
        warnings.warn(text, GbrankWarning, stacklevel=6)
    return why is not None


def engines_agree(cls: type[ListFunction]) -> bool:
    """Tell whether both engines give the same numbers for the lists of the trial."""
    scores, labels = (np.concatenate(each) for each in zip(*lists_of(), strict=True))
    data = Targets(labels, np.cumsum([0, *(len(s) for s, _ in lists_of())]))
    params = own_params(cls())
    with np.errstate(all="ignore"):
        a, b = (
            bound_to(cls, params, labels, data, engine, 1).gradient_hessian(scores, 0)
            for engine in ("numpy", "compiled")
        )
    return bool(np.allclose(a, b, rtol=ENGINES_AGREE, atol=1e-9, equal_nan=True))
