"""Weighted sums of objectives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_choice, check_positive, check_whole
from .._registry import unknown
from ._base import OBJECTIVES, Bound, Gradients, Labelled, Objective, State, Vector, objective, row_weights, taken_up
from ._classification import CrossEntropy
from ._pairwise import PairwiseLogistic

HALVINGS = 50  # of the interval that holds the best constant
# What a sum can say of itself where each of its parts does.
PROMISES = ("exact_hessian", "gradient_of_loss", "shift_invariant", "pointwise", "document_weights", "summable")


class Part(NamedTuple):
    """One term of a sum; a label column of None is the only one."""

    objective: Objective
    weight: float
    label: int | None

    def __str__(self) -> str:
        """Return the term as it is written, without the weight."""
        return f"{self.objective!r}{'' if self.label is None else f'.on({self.label})'}"


@OBJECTIVES.add("combined")
@dataclass(frozen=True, repr=False)
class Combined(Objective):
    r"""Weighted sum of objectives, each of one label column: :math:`L = \sum_k w_k L_k`.

    It is written as arithmetic: ``0.7 * LambdaRank() + 0.3 * Focal()``, and with several label columns
    ``0.8 * LambdaRank().on(1) + 0.2 * CrossEntropy().on(0)``.  Sums in sums flatten.  Gradients and hessians are the
    sums of the parts', and all parts share one score; so objectives with several outputs, and those that renew leaves,
    stand alone: ``Ordinal().on(1)`` and ``McRank().on(1)`` are no sums, and do all that `Ordinal` and `McRank` do.

    With `gradient_norm`, each part is divided by the root mean square of its gradient over the documents at its own
    initial score, once, before the first round: the weights are then the parts' shares in what the first tree sees,
    whatever the units of the losses and however few documents a part has anything to say of.  (With weights w of
    documents and queries, it is :math:`\sqrt{\sum_i g_i^2 / \sum_i w_i^2}`.)  The scales are saved with the model.

    Boosting starts from the best constant of the parts that a constant changes: that of the only one, else where their
    weighted gradients, summed over all documents, cancel, between the least and the greatest of theirs.

    Parameters
    ----------
    parts : Objective or sequence of Objective
        Also names, or tables ``{"name": ..., "gamma": ...}`` of name and parameters.
    weights : sequence of float, optional
        One above 0 for each part; 1 by default.
    labels : sequence of int or None, optional
        Label column of each part, from 0; None where there is only one.
    gradient_norm : bool

    References
    ----------
    Sculley, "Combined Regression and Ranking", KDD 2010, section 3.

    Examples
    --------
    >>> both = 0.5 * PairwiseLogistic() + CrossEntropy()
    >>> both * 2
    PairwiseLogistic() + 2 * CrossEntropy()
    >>> both.with_params(parts__0__sigmoid=2.0, weights__1=0.5, gradient_norm=True)
    Combined(0.5 * PairwiseLogistic(sigmoid=2.0) + 0.5 * CrossEntropy(), gradient_norm=True)
    """

    name: ClassVar[str] = "combined"
    parts: Objective | Sequence[Objective] = (PairwiseLogistic(), CrossEntropy())
    weights: Sequence[float] | None = None
    labels: Sequence[int | None] | None = None
    gradient_norm: bool = False

    def __post_init__(self) -> None:
        check_choice("gradient_norm", self.gradient_norm, (True, False))
        flat = tuple(each for given in self._given() for each in flattened(given))
        parts, weights, labels = zip(*flat, strict=True)
        made: dict[str, Any] = {"parts": parts, "weights": weights, "labels": labels}
        if len(parts) > 1:
            for part in flat:
                if not part.objective.summable:
                    raise not_summable(part)
        for promise in PROMISES:
            made[promise] = all(getattr(part, promise) for part in parts)
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def _given(self) -> list[Part]:
        """Return the terms as they are given, checked."""
        parts = tuple(map(as_part, [self.parts] if isinstance(self.parts, Objective) else self.parts))
        weights = (1.0,) * len(parts) if self.weights is None else tuple(self.weights)
        labels = (None,) * len(parts) if self.labels is None else tuple(self.labels)
        if not parts:
            raise ParameterError("parts=(): give at least one objective.")
        for name, values in (("weights", weights), ("labels", labels)):
            if len(values) != len(parts):
                raise ParameterError(f"{name}={values!r}: {len(values)} for {len(parts)} parts; give one for each.")
        for weight in weights:
            check_positive("weight of a part", weight)
        for label in labels:
            if label is not None:
                check_whole("label column", label, lowest=0)
        return [
            Part(part, float(weight), None if label is None else int(label))
            for part, weight, label in zip(parts, weights, labels, strict=True)
        ]

    @property
    def terms(self) -> tuple[Part, ...]:
        """The parts, each with its weight and its label column."""
        # The fields may be given as names and tables, but `__post_init__` has made objectives of them.
        return tuple(map(Part, self.parts, self.weights, self.labels))  # type: ignore[arg-type]

    def alone(self, state: State) -> tuple[Objective, State]:
        if len(self.terms) > 1:
            return self, state
        return self.terms[0].objective.alone(within(state, 0))

    @property
    def reads_pairs(self) -> bool:
        return any(part.objective.reads_pairs for part in self.terms)

    def label_columns(self) -> frozenset[int]:
        named = frozenset(part.label for part in self.terms if part.label is not None)
        return named.union(*(part.objective.label_columns() for part in self.terms))

    def transform(self, score: npt.NDArray[Any], state: State) -> npt.NDArray[Any]:
        only, own = self.alone(state)
        return score if only is self else only.transform(score, own)

    def position_bias(self, state: State) -> dict[str, Vector]:
        """Return what the parts learnt; where several did, each name begins with the number of the part."""
        learnt = {k: part.objective.position_bias(within(state, k)) for k, part in enumerate(self.terms)}
        several = sum(map(bool, learnt.values())) > 1
        return {
            f"{k}.{name}" if several else name: curve for k, found in learnt.items() for name, curve in found.items()
        }

    def on(self, label: int) -> Objective:
        for part in self.terms:
            if part.label is not None:
                raise ParameterError(f"on({label!r}): {part} has its label column already.")
        return self.with_params(parts=[part.objective.on(label) for part in self.terms])

    def params(self, deep: bool = False) -> dict[str, Any]:
        own = super().params()
        if deep:
            for k, (part, weight, label) in enumerate(self.terms):
                own |= {f"parts__{k}": part, f"weights__{k}": weight, f"labels__{k}": label}
                own |= {f"parts__{k}__{name}": value for name, value in part.params(deep=True).items()}
        return own

    def with_params(self, **params: Any) -> Self:
        """Return the same sum with some parameters replaced: `weights__0` is a weight, `parts__0__gamma` of a part."""
        known = self.params(deep=True)
        for path in params:
            if path not in known:
                raise unknown("parameter of combined", path, known)
        made = super().with_params(**{name: value for name, value in params.items() if "__" not in name})
        for path, value in sorted(params.items()):  # a part before its parameters
            if "__" in path:
                made = made._with(path, value)
        return made

    def _with(self, path: str, value: Any) -> Self:
        field, at, *rest = path.split("__", 2)
        values = list(getattr(self, field))
        values[int(at)] = values[int(at)].with_params(**{rest[0]: value}) if rest else value
        return super().with_params(**{field: values})

    def __repr__(self) -> str:
        """Return the arithmetic."""
        # The only part, without weight and label column, would print like the part itself.
        weighted = len(self.terms) == 1 and self.terms[0].label is None and not self.gradient_norm
        told = " + ".join(
            f"{short(part.weight)} * {part}" if weighted or part.weight != 1 else str(part) for part in self.terms
        )
        return f"Combined({told}, gradient_norm=True)" if self.gradient_norm else told

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        bounds = [part.objective.bind(column(data, part), engine=engine, n_jobs=n_jobs) for part in self.terms]
        for part, bound in zip(self.terms, bounds, strict=True):
            if len(bounds) > 1 and (bound.n_outputs > 1 or bound.renews_leaves):  # and does not say so, being a user's
                raise not_summable(part)
        ends = any(type(bound).end_round is not Bound.end_round for bound in bounds)
        return (EndingBound if ends else CombinedBound)(self, bounds, data)


def within(state: State, k: int) -> State:
    """Return the state of part k."""
    return {name.removeprefix(f"{k}."): value for name, value in state.items() if name.startswith(f"{k}.")}


def not_summable(part: Part) -> ParameterError:
    """Return the error for a part that has to stand alone."""
    return ParameterError(
        f"{part} has several outputs a document, or leaves that it renews, so it cannot be part of a sum; train it by "
        "itself."
    )


def as_part(given: Any) -> Objective:
    """Return a part that is given as an objective, by its name, or, as in files, by a table of name and parameters."""
    if isinstance(given, Mapping) and isinstance(given.get("name"), str):
        return objective(**given)
    return objective(given)


def flattened(part: Part) -> Iterator[Part]:
    """Yield the parts of a sum of sums; one that is normalised within itself stays whole."""
    inner = part.objective
    if not isinstance(inner, Combined):
        yield part
    elif part.label is not None:
        yield from flattened(Part(inner.on(part.label), part.weight, None))
    elif inner.gradient_norm:
        yield part
    else:
        yield from (each._replace(weight=part.weight * each.weight) for each in inner.terms)


def short(weight: float) -> str:
    """Return a number as it is typed.

    Examples
    --------
    >>> short(2.0), short(0.7)
    ('2', '0.7')
    """
    return repr(weight).removesuffix(".0")


class Column:
    """Data, with one of its label columns for labels."""

    def __init__(self, data: Labelled, y: Vector) -> None:
        self.y = y
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def column(data: Labelled, part: Part) -> Any:
    """Return the data as one part sees them."""
    if part.label is None:
        return data
    labels = data.y.reshape(len(data.y), -1)
    if part.label >= labels.shape[1]:
        raise DataError(f"{part}: the data have {labels.shape[1]} label columns, counted from 0.")
    return Column(data, np.ascontiguousarray(labels[:, part.label]))


class CombinedBound(Bound):
    """A sum tied to labels; `factors` are the weights, of normalised parts divided by their scales."""

    def __init__(self, total: Combined, bounds: list[Bound], data: Labelled) -> None:
        self.bounds, self.normalised, self.n = bounds, total.gradient_norm, len(data.y)
        self.n_outputs, self.renews_leaves = bounds[0].n_outputs, bounds[0].renews_leaves
        self.weights, self.scales = [part.weight for part in total.terms], np.ones(len(bounds))
        if total.gradient_norm:
            self.scales = np.array([scale(*each, data) for each in zip(bounds, total.terms, strict=True)])
        self._divide_by(self.scales)
        # The parts that a constant changes.
        self.moved = [k for k, part in enumerate(total.terms) if not part.objective.shift_invariant]

    def _divide_by(self, scales: Vector) -> None:
        self.scales = scales
        self.factors: list[float] = [weight / size for weight, size in zip(self.weights, scales.tolist(), strict=True)]

    def init_score(self) -> Vector:
        if len(self.bounds) == 1:
            return self.bounds[0].init_score()
        starts = [float(self.bounds[k].init_score()[0]) for k in self.moved]
        low, high = min(starts, default=0.0), max(starts, default=0.0)
        for _ in range(HALVINGS if low < high else 0):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._slope(middle) < 0 else (low, middle)
        return np.array([0.5 * (low + high)])

    def _slope(self, constant: float) -> float:
        score = np.full(self.n, constant)
        return sum(self.factors[k] * float(self.bounds[k].gradient_hessian(score, 0)[0].sum()) for k in self.moved)

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        gradient, hessian = np.zeros(score.shape), np.zeros(score.shape)
        for factor, bound in zip(self.factors, self.bounds, strict=True):
            first, second = bound.gradient_hessian(score, round)
            gradient += factor * first
            hessian += factor * second
        return gradient, hessian

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        values = [factor * bound.loss(score) for factor, bound in zip(self.factors, self.bounds, strict=True)]
        return np.asarray(sum(values))

    def leaf_values(self, score: npt.NDArray[Any], leaf: npt.NDArray[Any]) -> Vector:
        """Return those of the only part: others renew none."""
        return self.bounds[0].leaf_values(score, leaf)

    def state(self) -> State:
        own = {"scales": self.scales} if self.normalised else {}
        parts = {f"{k}.{name}": value for k, bound in enumerate(self.bounds) for name, value in bound.state().items()}
        return own | parts

    def begin(self, score: npt.NDArray[Any]) -> None:
        for bound in self.bounds:
            bound.begin(score)

    def resume(self, state: State, rounds: int) -> None:
        if self.normalised:
            self._divide_by(taken_up(state, "scales", self.scales))
        for k, bound in enumerate(self.bounds):
            bound.resume(within(state, k), rounds)


class EndingBound(CombinedBound):
    """A sum with parts that adjust their state after a round."""

    def end_round(self, score: npt.NDArray[Any]) -> None:
        for bound in self.bounds:
            bound.end_round(score)


def scale(bound: Bound, part: Part, data: Labelled) -> float:
    """Return the root mean square of a part's gradient at its own initial score, of documents with their weights."""
    start = np.tile(bound.init_score(), (len(data.y), 1))
    gradient, _ = bound.gradient_hessian(start if bound.n_outputs > 1 else start[:, 0], 0)
    weight = row_weights(data)
    count = len(data.y) if weight is None else float(np.square(weight).sum())
    size = float(np.sqrt(np.square(gradient).sum() / count))
    if size == 0:
        raise DataError(f"{part}: has no gradient at its initial score to be normalised by; leave gradient_norm out.")
    return size
