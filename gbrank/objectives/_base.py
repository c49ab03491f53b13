"""What an objective is, and what training asks of it.

An `Objective` is a frozen dataclass: its fields are its parameters, so it prints, compares and pickles.  `bind` ties it
to data; the `Bound` that comes back holds all that training needs, and is the only thing a backend's round sees.

Throughout: ``score`` has the shape (n_documents,), or (n_documents, n_outputs) where an objective has several outputs;
gradients are derivatives by the score of a loss to be minimised, hessians the diagonal of its second derivatives.
"""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_positions, as_vector, as_weights, check_choice
from .._groups import check_query_ptr
from .._registry import Registry, unknown
from ._elsewhere import named_elsewhere

Vector = npt.NDArray[np.float64]
Gradients = tuple[npt.NDArray[Any], npt.NDArray[Any]]
State = Mapping[str, npt.NDArray[Any]]

ENGINES = ("compiled", "numpy")
HESSIAN_FLOOR = 1e-6
"""Least hessian of a document, relative to its gradient: a step of one round is never longer than its inverse."""


class Labelled(Protocol):
    """What `bind` reads: a `RankingData`, or `Targets` where there are no features."""

    @property
    def y(self) -> Vector: ...
    @property
    def query_ptr(self) -> IntArray: ...
    @property
    def sample_weight(self) -> Vector | None: ...
    @property
    def query_weight(self) -> Vector | None: ...
    @property
    def position(self) -> IntArray | None: ...


class Targets(NamedTuple):
    """Labels in whole queries, without features."""

    y: Vector
    query_ptr: IntArray
    sample_weight: Vector | None = None
    query_weight: Vector | None = None
    position: IntArray | None = None


class Bound(ABC):
    """An objective tied to the documents it is trained on.

    Made by `Objective.bind`, which has done all that does not change between rounds.
    """

    n_outputs: int = 1
    renews_leaves: bool = False

    def init_score(self) -> Vector:
        """Return the score, of shape (n_outputs,), from which boosting starts: the best constant, or 0."""
        return np.zeros(self.n_outputs)

    @abstractmethod
    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        """Return gradient and hessian, each of the shape of `score`."""

    @abstractmethod
    def loss(self, score: npt.NDArray[Any]) -> Vector:
        """Return the loss of each query, shape (n_queries,)."""

    def leaf_values(self, score: npt.NDArray[Any], leaf: npt.NDArray[Any]) -> Vector:
        """Return the best value of each leaf of the tree just grown; asked only if `renews_leaves`.

        Parameters
        ----------
        score : array of shape (n_documents,)
            The scores before the tree is added.
        leaf : int array of shape (n_documents,)
            The leaf that each document falls into; the value at place l of the result is that of leaf l,
            before the learning rate.
        """
        raise NotImplementedError

    def end_round(self, score: npt.NDArray[Any]) -> None:  # noqa: B027 (most objectives have nothing to do)
        """Adjust the state (thresholds, propensities, ...) to the scores after a round."""

    def state(self) -> State:
        """Return the arrays that are saved with the model and given to `Objective.transform`."""
        return {}

    def begin(self, score: npt.NDArray[Any]) -> None:  # noqa: B027 (most objectives have nothing to do)
        """Adjust the state to the scores before the first round, where these are not `init_score`."""

    def resume(self, state: State, rounds: int) -> None:
        """Take up the state of an earlier training, of `rounds` rounds, whose trees are kept.

        Raises
        ------
        ParameterError
            The state does not fit these data, or the objective cannot take up another than its own.
        """
        own = self.state()
        if own.keys() != state.keys() or not all(np.array_equal(own[name], state[name]) for name in own):
            told = ", ".join(sorted({*own, *state}))
            raise ParameterError(
                f"init_model: its objective learnt {told} from other data, which the objective here cannot take up; "
                "train anew, or give the old model's scores as init_score."
            )


@dataclasses.dataclass(frozen=True, repr=False)
class Objective(ABC):
    """A loss of scores, given labels in whole queries."""

    name: ClassVar[str]
    exact_hessian: ClassVar[bool] = True
    """Whether the hessian is the second derivative of the loss; if not, the class says what stands in for it."""
    gradient_of_loss: ClassVar[bool] = True
    """Whether the gradient is the derivative of `loss` at these ranks and draws; if not, the class says what it is."""
    shift_invariant: ClassVar[bool] = False
    """Whether adding a constant to all scores of a query changes nothing; gradients then sum to 0 in each query."""
    pointwise: ClassVar[bool] = False
    """Whether a document's loss depends on its own label and score alone, so that one of weight 0 is as if absent."""
    document_weights: ClassVar[bool] = True
    """Whether it takes weights of documents; an objective that does not refuses data that have some."""
    summable: ClassVar[bool] = True
    """Whether it can be one of several parts of a sum: one output a document, and leaves that it does not renew."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = cls.__dict__.get("__post_init__")
        if own is not None:  # which need not call that of this class

            @functools.wraps(own)
            def both(self: Objective) -> None:
                Objective.__post_init__(self)
                own(self)

            cls.__post_init__ = both  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        """Make parameters that are NumPy's numbers Python's: they print, and go into files, as such."""
        for name, value in vars(self).items():
            object.__setattr__(self, name, of_python(value))

    @abstractmethod
    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        """Tie the objective to the documents it is trained on.

        Parameters
        ----------
        data : RankingData or Targets
        engine : {"compiled", "numpy"}
            "numpy" is the definition; "compiled" the same mathematics in machine code.
        n_jobs : int, optional
            Threads of the compiled engine; all cores by default.  The result does not depend on it.

        Raises
        ------
        DataError
            Labels that this objective cannot use, or from which it can learn nothing.
        """

    def transform(self, score: npt.NDArray[Any], state: State) -> npt.NDArray[Any]:
        """Return the ranking score, shape (n_documents,), of raw scores."""
        return score

    def position_bias(self, state: State) -> dict[str, Vector]:
        """Return what was learnt of positions, by name: arrays of which place k is rank k + 1; mostly nothing."""
        return {}

    def alone(self, state: State) -> tuple[Objective, State]:
        """Return the objective that raw scores and state belong to: itself, but for a sum of a single part."""
        return self, state

    @property
    def reads_pairs(self) -> bool:
        """Whether it learns from the pairs of the data (``RankingData(pairs=...)``)."""
        return False

    def label_columns(self) -> frozenset[int]:
        """Return the label columns that are named, from 0; none where it learns from the only one."""
        return frozenset()

    def loss(
        self,
        y: npt.ArrayLike,
        score: npt.ArrayLike,
        query_ptr: npt.ArrayLike,
        weight: npt.ArrayLike | None = None,
        *,
        position: npt.ArrayLike | None = None,
    ) -> Vector:
        """Return the loss of each query, shape (n_queries,); `weight` and `position` are one for each document."""
        bound = self.bind(check_targets(y, query_ptr, weight, position), engine="numpy")
        return bound.loss(check_scores(score, bound))

    def gradient_hessian(
        self,
        y: npt.ArrayLike,
        score: npt.ArrayLike,
        query_ptr: npt.ArrayLike,
        weight: npt.ArrayLike | None = None,
        *,
        engine: str | None = None,
        position: npt.ArrayLike | None = None,
    ) -> Gradients:
        """Return gradient and hessian of the first round, each of the shape of `score`."""
        targets = check_targets(y, query_ptr, weight, position)
        bound = self.bind(targets, engine=engine or "compiled", n_jobs=1)
        return bound.gradient_hessian(check_scores(score, bound), 0)

    def __repr__(self) -> str:
        """Return the constructor call, with the parameters that differ from their defaults."""
        given = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if field.default is dataclasses.MISSING or getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def __add__(self, other: Objective) -> Objective:
        """Return the sum of two losses, see `Combined`."""
        from ._combined import Combined

        return Combined((self, other)) if isinstance(other, Objective) else NotImplemented

    def __radd__(self, zero: Any) -> Objective:
        """Return the loss itself for 0, with which `sum` begins."""
        return self if isinstance(zero, int) and zero == 0 else NotImplemented

    def __mul__(self, weight: Any) -> Objective:
        """Return the loss times a number above 0, see `Combined`."""
        from ._combined import Combined

        return NotImplemented if isinstance(weight, Objective) else Combined((self,), weights=(weight,))

    __rmul__ = __mul__

    def on(self, label: int) -> Objective:
        """Return the loss of one of several label columns, by its number from 0, see `Combined`.

        Examples
        --------
        >>> 0.8 * objective("lambdarank").on(1) + 0.2 * objective("cross_entropy").on(0)
        0.8 * LambdaRank().on(1) + 0.2 * CrossEntropy().on(0)
        """
        from ._combined import Combined

        return Combined((self,), labels=(label,))

    def params(self, deep: bool = False) -> dict[str, Any]:
        """Return the parameters by name; with `deep`, those of parts, too, where there are any."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def with_params(self, **params: Any) -> Self:
        """Return the same objective with some parameters replaced.

        Raises
        ------
        ParameterError
            A parameter that the objective does not have; the nearest is offered.
        """
        for name in params:
            if name not in self.params():
                raise unknown(f"parameter of {self.name}", name, self.params())
        return dataclasses.replace(self, **params)


def of_python(value: Any) -> Any:
    """Return a parameter without NumPy's types."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {of_python(key): of_python(each) for key, each in value.items()}
    return type(value)(map(of_python, value)) if type(value) in (tuple, list) else value


OBJECTIVES: Registry[type[Objective]] = Registry("objective")


def objective(name: str | Objective | type[Objective], **params: Any) -> Objective:
    """Return the objective of that name with those parameters.

    Parameters
    ----------
    name : str, Objective or class of objectives
        A name, or a class; an objective is returned as it is, or with `params` replaced.

    Raises
    ------
    ParameterError
        Unknown name or parameter (the nearest known one is offered), or a value that the objective refuses.

    Examples
    --------
    >>> objective("lambdarank", truncation=10)
    LambdaRank(truncation=10)
    """
    if isinstance(name, type) and issubclass(name, Objective):
        name = name()
    if isinstance(name, Objective):
        return name.with_params(**params) if params else name
    if not isinstance(name, str):
        raise ParameterError(f"objective={name!r}: give the name of an objective or an Objective.")
    if name.startswith("catboost:"):
        from ._catboost_loss import CatBoostLoss

        return objective(CatBoostLoss(name.removeprefix("catboost:")), **params)
    spelled = _spelled(name)
    if spelled not in OBJECTIVES and (error := named_elsewhere(name)):
        raise error
    found = OBJECTIVES[spelled]
    fields = {field.name: str(field.type) for field in dataclasses.fields(found)}
    # Text has no None: files and the command line write it out.
    none = {key for key, kind in fields.items() if "None" in kind and str(params.get(key)) == "none"}
    given = {key: None if key in none else value for key, value in params.items()}
    made = found(**{key: value for key, value in given.items() if key in fields})
    others = {key: value for key, value in given.items() if key not in fields}  # of parts, or unknown
    return made.with_params(**others) if others else made


def _spelled(name: str) -> str:
    """Return the registered name of what may be written as a class is, or with other capitals and hyphens."""
    if name in OBJECTIVES:
        return name
    plain = name.lower().replace("-", "_")
    classes = {OBJECTIVES[each].__name__.lower(): each for each in OBJECTIVES}
    return plain if plain in OBJECTIVES else classes.get(plain, name)


def check_targets(
    y: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    weight: npt.ArrayLike | None,
    position: npt.ArrayLike | None = None,
) -> Targets:
    """Return checked labels, offsets, document weights and positions."""
    labels = as_vector("y", y)
    weights = None if weight is None else as_weights("weight", weight, len(labels))
    positions = None if position is None else as_positions(position, len(labels))
    return Targets(labels, check_query_ptr(query_ptr, len(labels)), weights, position=positions)


def check_scores(score: npt.ArrayLike, bound: Bound) -> Vector:
    """Return scores as float64, of the shape that `bound` has outputs for."""
    scores = np.ascontiguousarray(score, dtype=np.float64)
    wanted = 1 if bound.n_outputs == 1 else 2
    if scores.ndim != wanted or (wanted == 2 and scores.shape[1] != bound.n_outputs):
        raise DataError(f"score: the shape {scores.shape} does not fit {bound.n_outputs} outputs for each document.")
    if np.isnan(scores).any():
        raise DataError(f"score: row {int(np.argmax(np.isnan(scores).reshape(len(scores), -1).any(axis=1)))} is NaN.")
    return scores


def check_engine(engine: str) -> None:
    """Raise a `ParameterError` for an unknown engine."""
    check_choice("engine", engine, ENGINES)


def taken_up(state: State, name: str, own: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array of that name from the state of an earlier training, of the shape that it has here."""
    found = np.asarray(state.get(name, ()))
    if found.shape != own.shape:
        raise ParameterError(
            f"init_model: has {found.size} {name}, and these data make {own.size}: they have other grades; give data "
            "with the grades of the first training, or train anew."
        )
    return found


def row_weights(data: Labelled) -> Vector | None:
    """Return the product of document weight and query weight for each document, or None where all are 1."""
    weight = data.sample_weight
    if data.query_weight is None:
        return weight
    per_row = np.repeat(data.query_weight, np.diff(data.query_ptr))
    return per_row if weight is None else weight * per_row


def shown_positions(data: Labelled, name: str) -> IntArray:
    """Return the rank at which each document was shown, from 1, or refuse data without."""
    if data.position is None:
        raise DataError(
            f"{name}: learns from the rank at which each document was shown; give fit the position of each row, as in "
            "fit(..., position=rank), or RankingData(..., position=rank)."
        )
    return data.position


def single_labels(data: Labelled, name: str) -> Vector:
    """Return the one label column, or refuse several."""
    if data.y.ndim != 1:
        raise DataError(
            f"{name}: learns from one label column, not {data.y.shape[1]}; choose one, from 0, by "
            "`.on(label)` of the objective, or by `with_labels` of the data."
        )
    return data.y


def require_varied(y: npt.NDArray[Any], name: str) -> None:
    """Raise a `DataError` where all labels are equal."""
    if y.min() == y.max():
        raise DataError(f"{name}: nothing to learn, for all labels are {y[0]:g}.")


def sum_by_query(values: Vector, query_ptr: IntArray) -> Vector:
    """Return the sum of `values` over each query."""
    return np.add.reduceat(values, query_ptr[:-1])
