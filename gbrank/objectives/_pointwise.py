"""Pointwise losses: squared error, focal, quantile, and classification into grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_positive, whole_grades
from ._base import (
    OBJECTIVES,
    Bound,
    Gradients,
    Labelled,
    Objective,
    State,
    Vector,
    check_engine,
    require_varied,
    row_weights,
    single_labels,
    sum_by_query,
)
from ._point_engine import PointBound


def squared(y: Any, s: Any) -> Any:
    """Half the squared error."""
    return 0.5 * (s - y) ** 2, s - y, 1.0


def focal(t: Any, x: Any, alpha: Any, gamma: Any) -> Any:
    """Binary focal loss of the log-odds `x` for the class t, 0 or 1; in log space, so that no digit is lost."""
    sign = 2.0 * t - 1.0
    z = sign * x
    q = 1.0 / (1.0 + np.exp(z))  # probability of the wrong class
    p = 1.0 / (1.0 + np.exp(-z))
    log_p = -np.logaddexp(0.0, -z)
    weight = np.where(t > 0.5, alpha, 1.0 - alpha) * q**gamma
    hessian = p * (gamma * (q - gamma * p) * log_p + (2.0 * gamma + 1.0) * q)
    return -weight * log_p, sign * weight * (gamma * p * log_p - q), weight * hessian


def pinball(y: Any, s: Any, alpha: Any) -> Any:
    """Pinball loss; its second derivative is 0 almost everywhere, 1 stands in for it."""
    return np.where(y >= s, alpha * (y - s), (1.0 - alpha) * (s - y)), np.where(s >= y, 1.0 - alpha, -alpha), 1.0


@OBJECTIVES.add("mse")
@dataclass(frozen=True)
class SquaredError(Objective):
    r"""Squared error of the label: :math:`L = \sum_i (s_i - y_i)^2 / 2`.

    Boosting starts from the weighted mean label.
    """

    name: ClassVar[str] = "mse"

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_varied(y, self.name)
        return _SquaredBound(squared, (), y, data, engine, n_jobs)


class _SquaredBound(PointBound):
    def init_score(self) -> Vector:
        return np.atleast_1d(np.average(self.y, weights=self.weight))


@OBJECTIVES.add("focal")
@dataclass(frozen=True)
class Focal(Objective):
    r"""Binary focal loss: cross-entropy that turns its weight to the documents it gets wrong.

    With t = 1 for a document that is relevant and p the probability :math:`\sigma(\pm s)` of its true class,
    :math:`L = -\alpha_t (1 - p)^\gamma \log p`, where :math:`\alpha_t` is `alpha` for relevant documents and
    1 - `alpha` for others.  The exact second derivative is negative for badly misclassified documents (below
    about s = -2.8 at gamma 2); there it is floored at 1e-6, elsewhere exact.  Boosting starts from the log-odds
    of the best constant without focusing.

    Parameters
    ----------
    alpha : float
        Weight of relevant documents, between 0 and 1.
    gamma : float
        Focusing, at least 0; 0 is weighted cross-entropy.
    relevant_from : float
        The lowest label that counts as relevant.

    References
    ----------
    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, section 3.
    """

    name: ClassVar[str] = "focal"
    exact_hessian: ClassVar[bool] = False
    alpha: float = 0.25
    gamma: float = 2.0
    relevant_from: float = 1.0

    def __post_init__(self) -> None:
        check_positive("alpha", self.alpha)
        check_positive("gamma", self.gamma, zero=True)
        if self.alpha >= 1:
            raise ParameterError(f"alpha={self.alpha!r}: must be below 1.")

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        relevant = (single_labels(data, self.name) >= self.relevant_from).astype(np.float64)
        if relevant.min() == relevant.max():
            which = "every" if relevant[0] else "no"
            raise DataError(
                f"focal: {which} document has a label of at least relevant_from={self.relevant_from:g}, "
                "so there is nothing to tell apart; set relevant_from to a label between."
            )
        return _FocalBound(focal, (float(self.alpha), float(self.gamma)), relevant, data, engine, n_jobs)


class _FocalBound(PointBound):
    def init_score(self) -> Vector:
        alpha = self.params[0]
        share = np.average(self.y, weights=self.weight)
        return np.atleast_1d(np.log(alpha * share) - np.log((1 - alpha) * (1 - share)))


@OBJECTIVES.add("quantile")
@dataclass(frozen=True)
class Quantile(Objective):
    r"""Pinball loss, whose minimiser is the `alpha`-quantile of the label.

    :math:`L = \sum_i \max(\alpha (y_i - s_i), (\alpha - 1)(y_i - s_i))`.  Its second derivative is 0, so 1 stands in
    for it where splits are chosen, and each leaf's value is then renewed to the weighted `alpha`-quantile of the
    residuals in the leaf (the smallest residual whose cumulated weight reaches `alpha` of the whole).

    Parameters
    ----------
    alpha : float
        Between 0 and 1.  Where most labels are 0, so is their median; only a high quantile then ranks.

    References
    ----------
    Koenker and Bassett, "Regression Quantiles", Econometrica 46, 1978.
    """

    name: ClassVar[str] = "quantile"
    exact_hessian: ClassVar[bool] = False
    alpha: float = 0.9

    def __post_init__(self) -> None:
        check_positive("alpha", self.alpha)
        if self.alpha >= 1:
            raise ParameterError(f"alpha={self.alpha!r}: must be below 1.")

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_varied(y, self.name)
        return _QuantileBound(pinball, (float(self.alpha),), y, data, engine, n_jobs)


class _QuantileBound(PointBound):
    renews_leaves = True

    def init_score(self) -> Vector:
        return quantile_by_leaf(self.y, np.zeros(len(self.y), np.int64), self.params[0], self.weight)

    def leaf_values(self, score: npt.NDArray[Any], leaf: npt.NDArray[Any]) -> Vector:
        return quantile_by_leaf(self.y - score, leaf, self.params[0], self.weight)


def quantile_by_leaf(values: Vector, leaf: npt.NDArray[Any], alpha: float, weight: Vector | None) -> Vector:
    """Return the weighted `alpha`-quantile of `values` in each leaf; 0 for leaves without documents or weight.

    Examples
    --------
    >>> quantile_by_leaf(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 0, 0, 2]), 0.5, None).tolist()
    [2.0, 0.0, 9.0]
    """
    order = np.lexsort((values, leaf))
    leaf = leaf[order]
    cumulated = np.cumsum(np.ones(len(values)) if weight is None else weight[order])
    starts = np.concatenate(([0], np.flatnonzero(leaf[1:] != leaf[:-1]) + 1))
    ends = np.append(starts[1:], len(leaf)) - 1
    before = np.where(starts > 0, cumulated[starts - 1], 0.0)
    # The slack keeps a sum that reaches the quantile up to rounding from being taken for one that misses it.
    aims = before + alpha * (cumulated[ends] - before) * (1 - 1e-12)
    hit = np.clip(np.searchsorted(cumulated, aims), starts, ends)
    result = np.zeros(int(leaf[-1]) + 1)
    result[leaf[starts]] = np.where(cumulated[ends] > before, values[order[hit]], 0.0)
    return result


@OBJECTIVES.add("mcrank")
@dataclass(frozen=True)
class McRank(Objective):
    r"""Classification into grades, ranked by the expected grade.

    One output for each grade, :math:`p = \mathrm{softmax}(s)`, :math:`L = -\sum_i \log p_{i, y_i}`; the ranking score
    is :math:`\sum_c c\,p_c`.  Boosting starts from the logarithms of the shares of the grades.  The hessian is the
    diagonal :math:`p (1 - p)`.

    References
    ----------
    Li, Burges and Wu, "McRank: Learning to Rank Using Multiple Classification and Gradient Boosting", NIPS 2007.
    """

    name: ClassVar[str] = "mcrank"

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        check_engine(engine)
        grades = whole_grades(single_labels(data, self.name), "the objective mcrank", highest=100)
        require_varied(grades, self.name)
        return _McRankBound(grades, data)

    def transform(self, score: npt.NDArray[Any], state: State) -> npt.NDArray[Any]:
        return np.asarray(softmax(score) @ np.arange(score.shape[1]))


class _McRankBound(Bound):
    """Few array operations on (n, n_grades): both engines are NumPy."""

    def __init__(self, grades: npt.NDArray[np.int64], data: Labelled) -> None:
        self.n_outputs = int(grades.max()) + 1
        self.is_grade = np.eye(self.n_outputs)[grades]
        self.weight = row_weights(data)
        self.query_ptr = data.query_ptr

    def init_score(self) -> Vector:
        share = np.average(self.is_grade, axis=0, weights=self.weight)
        return np.log(np.maximum(share, 1e-6))

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        p = softmax(score)
        gradient, hessian = p - self.is_grade, p * (1 - p)
        if self.weight is None:
            return gradient, hessian
        return gradient * self.weight[:, None], hessian * self.weight[:, None]

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        shifted = score - score.max(axis=1, keepdims=True)
        value = np.log(np.exp(shifted).sum(axis=1)) - (shifted * self.is_grade).sum(axis=1)
        return sum_by_query(value if self.weight is None else value * self.weight, self.query_ptr)


def softmax(score: npt.NDArray[Any]) -> Vector:
    """Return the softmax of each row."""
    e = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))
