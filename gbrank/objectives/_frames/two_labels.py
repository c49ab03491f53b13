"""The frame of labels that weigh: a document's relevance, any number, as the weights of the labels 1 and 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._base import Bound, Gradients, Labelled, Objective, Targets, Vector, row_weights
from .._listwise import Softmax
from .._ordinal import ThresholdObjective
from .._pairwise import Pairwise
from .wrapped import Altered, Wrapped, WrappedBound, floored


def require_plain(objective: Wrapped) -> None:
    """Raise a `ParameterError` where the base learns of positions itself, or is a sum."""
    if type(objective.base).position_bias is not Objective.position_bias:
        raise objective.refused(
            "it is a correction itself, or made of others; correct a plain objective, and of a sum each part, as in "
            "ips(a) + ips(b)."
        )


def require_linear(objective: Wrapped) -> None:
    """Raise a `ParameterError` unless the base is a sum over documents that weights of its labels can correct."""
    require_plain(objective)
    base = objective.base
    if isinstance(base, Pairwise):
        raise objective.refused(
            "a pair has the product of two labels, in which it is not linear; take softmax or a pointwise objective, "
            "or InversePropensity."
        )
    sums = base.pointwise and base.summable and not isinstance(base, ThresholdObjective)
    if not sums and not isinstance(base, Softmax):
        raise objective.refused(
            "its loss is no sum over documents, each with the weight of its own label, or fits more than trees to "
            "labels; take a pointwise objective of one output such as cross_entropy, softmax, or with ips a pairwise "
            "one."
        )


def bind_linear(
    base: Objective, label: Vector, weight: Vector, data: Labelled, engine: str, n_jobs: int | None
) -> Bound:
    """Return a base tied to data in which each label has a weight, and 1 less the weight belongs to the label 0."""
    if isinstance(base, Softmax):
        own = weight if data.sample_weight is None else weight * data.sample_weight
        bound = base.bind(Altered(data, y=label, sample_weight=own), engine=engine, n_jobs=n_jobs)
        return bound if weight.min() >= 0 else SignedSoftmax(bound, weight, data)
    if (weight == 1).all():
        return base.bind(Altered(data, y=label), engine=engine, n_jobs=n_jobs)
    return TwoLabels(base, label, weight, data, engine, n_jobs)


class SignedSoftmax(WrappedBound):
    """Softmax cross-entropy with gains of which some are negative."""

    def __init__(self, base: Bound, weight: Vector, data: Labelled) -> None:
        super().__init__(base)
        lowest = np.minimum.reduceat(weight, data.query_ptr[:-1])
        self.signed = np.repeat(lowest < 0, np.diff(data.query_ptr))

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        gradient, hessian = self.base.gradient_hessian(score, round)
        return gradient, floored(gradient, hessian, self.signed)


class TwoLabels(WrappedBound):
    """A pointwise base of documents that stand twice: with their label, and with the label 0 for the rest of 1.

    The second time they stand in queries of their own at the end, with as many documents as have a weight other than 1.
    """

    def __init__(
        self, base: Objective, label: Vector, weight: Vector, data: Labelled, engine: str, n_jobs: int | None
    ) -> None:
        self.n, self.n_queries = len(label), len(data.query_ptr) - 1
        self.again = np.flatnonzero(weight != 1)
        self.outside = np.zeros(self.n, np.bool_)
        self.outside[self.again] = (weight[self.again] < 0) | (weight[self.again] > 1)
        query = np.repeat(np.arange(self.n_queries), np.diff(data.query_ptr))[self.again]
        self.queries, counts = np.unique(query, return_counts=True)
        own = row_weights(data)
        every = np.ones(self.n) if own is None else own
        both = Targets(
            np.append(label, np.zeros(len(self.again))),
            np.append(data.query_ptr, self.n + np.cumsum(counts)),
            np.append(weight * every, (1 - weight[self.again]) * every[self.again]),
        )
        super().__init__(base.bind(both, engine=engine, n_jobs=n_jobs))

    def _both(self, score: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.append(score, score[self.again])

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        summed = []
        for both in self.base.gradient_hessian(self._both(score), round):
            summed.append(np.array(both[: self.n]))
            summed[-1][self.again] += both[self.n :]
        return summed[0], floored(summed[0], summed[1], self.outside)

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        both = self.base.loss(self._both(score))
        value = np.array(both[: self.n_queries])
        value[self.queries] += both[self.n_queries :]
        return value

    def begin(self, score: npt.NDArray[Any]) -> None:
        self.base.begin(self._both(score))

    def end_round(self, score: npt.NDArray[Any]) -> None:
        self.base.end_round(self._both(score))
