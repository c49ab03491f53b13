"""Binary classification: is a document relevant?

The score is the log-odds of relevance.  A document is relevant from the label `relevant_from` on; with None, labels are
themselves probabilities of relevance, from 0 to 1.

Losses that forgive (focal, Brier) are not convex: for badly misclassified documents the second derivative is small or
negative.  There the hessian is a twentieth of the gradient's size, so that no leaf moves by more than 20 before the
learning rate; elsewhere it is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_positive
from ._base import OBJECTIVES, Bound, Labelled, Objective, State, Vector, row_weights, single_labels, taken_up
from ._frames.points import PointBound, best_constant, mean_label, sides
from ._grades import GradeObjective, log_odds, sigmoid, unfocused

SMALLEST_CURVATURE = 0.05  # of a loss that is not convex, relative to the gradient
FARTHEST = 30.0  # log-odds within which best constants are sought


def cross_entropy(t: Any, x: Any, weight: Any) -> Any:
    """Cross-entropy of the log-odds `x` for a target t between 0 and 1; relevance weighs `weight`."""
    p, q, beyond = sides(x)
    yes, no = weight * t, 1.0 - t
    value = yes * np.maximum(-x, 0.0) + no * np.maximum(x, 0.0) + (yes + no) * beyond
    return value, no * p - yes * q, (yes + no) * p * q


def focal_of_margin(z: Any, gamma: Any) -> Any:
    """Focal loss of the log-odds `z` of the true class; in log space, so that no digit is lost."""
    p, q, beyond = sides(z)
    return focal_terms(p, q, np.minimum(z, 0.0) - beyond, gamma, np.exp(gamma * (np.minimum(-z, 0.0) - beyond)))


def focal_of_margin_squared(z: Any) -> Any:
    """`focal_of_margin` at its usual gamma of 2, without the second exponential."""
    p, q, beyond = sides(z)
    return focal_terms(p, q, np.minimum(z, 0.0) - beyond, 2.0, q * q)


def focal_terms(p: Any, q: Any, log_p: Any, gamma: Any, focus: Any) -> Any:
    """Value and derivatives for probabilities p and q = 1 - p of the true and the false class, and focus = q^gamma."""
    bend = p * (gamma * (q - gamma * p) * log_p + (2.0 * gamma + 1.0) * q)
    return -focus * log_p, focus * (gamma * p * log_p - q), focus * bend


def focal(t: Any, x: Any, alpha: Any, gamma: Any) -> Any:
    """Binary focal loss of the log-odds `x` for the class t, 0 or 1."""
    sign = 2.0 * t - 1.0
    weight = np.where(t > 0.5, alpha, 1.0 - alpha)
    value, slope, bend = focal_of_margin(sign * x, gamma)
    return weight * value, weight * sign * slope, weight * np.maximum(bend, SMALLEST_CURVATURE * np.abs(slope))


def brier(t: Any, x: Any) -> Any:
    """Squared error of the probability with the log-odds `x`, for a target t between 0 and 1."""
    p, q, _ = sides(x)
    error = (1.0 - t) * p - t * q  # p - t
    slope = 2.0 * error * p * q
    bend = 2.0 * p * q * (p * q + error * (q - p))
    return error * error, slope, np.maximum(bend, SMALLEST_CURVATURE * np.abs(slope))


def hinge(t: Any, x: Any, margin: Any) -> Any:
    """Hinge loss for the class t, 0 or 1; 1 stands in for its second derivative, which is 0."""
    sign = 2.0 * t - 1.0
    short = margin - sign * x
    return np.maximum(short, 0.0), np.where(short > 0.0, -sign, 0.0), 1.0


def relevance(data: Labelled, name: str, relevant_from: float | None) -> Vector:
    """Return 1 for each relevant document and 0 for others; with None, the labels themselves.

    Raises
    ------
    DataError
        A label outside 0 to 1 where it is a probability; every document, or none, is relevant.
    """
    y = single_labels(data, name)
    if relevant_from is None:
        outside = (y < 0) | (y > 1)
        if outside.any():
            row = int(np.argmax(outside))
            raise DataError(
                f"label {y[row]:g} in row {row}: with relevant_from=None the objective {name} takes labels for "
                "probabilities from 0 to 1; set relevant_from to the lowest relevant grade."
            )
        target = y
    else:
        target = (y >= relevant_from).astype(np.float64)
    if relevant_from is not None and not target.any() and y.min() >= 0 and 0 < y.max() <= 1:
        raise DataError(
            f"{name}: no document has a label of at least relevant_from={relevant_from:g}, for labels go from "
            f"{y.min():g} to {y.max():g}: if they are probabilities of relevance, or shares, set relevant_from=None "
            "where the objective allows it; else set it to the lowest label that is relevant."
        )
    if not 0 < target.sum() < len(target):
        which = "every" if target.any() else "no"
        least = "probability 1" if relevant_from is None else f"a label of at least relevant_from={relevant_from:g}"
        raise DataError(
            f"{name}: {which} document has {least}, so there is nothing to tell apart; set relevant_from to a label "
            "between."
        )
    return target


def check_relevant_from(value: float | None, *, soft: bool = False) -> None:
    """Raise a `ParameterError` unless `value` is a finite number, or None where targets may be soft."""
    if value is None and soft:
        return
    if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not np.isfinite(value):
        raise ParameterError(f"relevant_from={value!r}: give the lowest label that counts as relevant.")


def check_share(name: str, value: Any) -> None:
    """Raise a `ParameterError` unless `value` lies between 0 and 1."""
    check_positive(name, value)
    if value >= 1:
        raise ParameterError(f"{name}={value!r}: must be below 1.")


def two_columns(log_odds_of_relevance: npt.NDArray[Any]) -> Vector:
    """Return the probabilities of not relevant and of relevant."""
    return np.stack([sigmoid(-log_odds_of_relevance), sigmoid(log_odds_of_relevance)], axis=1)


@OBJECTIVES.add("cross_entropy", "bce", "logloss", "binary")
@dataclass(frozen=True, repr=False)
class CrossEntropy(GradeObjective):
    r"""Binary cross-entropy.

    With the target t and :math:`p = \sigma(s)`, :math:`L = -\sum_i [w t_i \log p_i + (1 - t_i) \log(1 - p_i)]`.
    Boosting starts from the best constant.  Probabilities are those of the data: the weight w, which raises the odds
    w-fold, is taken out of them again.

    Parameters
    ----------
    relevant_from : float or None
        The lowest label that counts as relevant; with None, labels are probabilities of relevance.
    positive_weight : float or "balanced"
        The weight w of relevance; "balanced" gives relevant and other documents the same total weight.

    References
    ----------
    Good, "Rational Decisions", Journal of the Royal Statistical Society B 14, 1952.
    """

    name: ClassVar[str] = "cross_entropy"
    pointwise: ClassVar[bool] = True
    relevant_from: float | None = 1.0
    positive_weight: float | str = 1.0

    def __post_init__(self) -> None:
        check_relevant_from(self.relevant_from, soft=True)
        if isinstance(self.positive_weight, str):
            if self.positive_weight != "balanced":
                raise ParameterError(f"positive_weight={self.positive_weight!r}: give a number, or 'balanced'.")
        else:
            check_positive("positive_weight", self.positive_weight)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        target = relevance(data, self.name, self.relevant_from)
        return CrossEntropyBound(self.weight_of_relevance(target, row_weights(data)), target, data, engine, n_jobs)

    def weight_of_relevance(self, target: Vector, weight: Vector | None) -> float:
        """Return w for these targets and document weights."""
        if not isinstance(self.positive_weight, str):
            return float(self.positive_weight)
        return float(np.exp(-log_odds(mean_label(target, weight))))

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        weight = self.positive_weight if not isinstance(self.positive_weight, str) else state["positive_weight"]
        return two_columns(score - np.log(weight))


class CrossEntropyBound(PointBound):
    """Keeps the weight of relevance, which may come from the data."""

    def __init__(self, weight: float, y: Vector, data: Labelled, engine: str, n_jobs: int | None) -> None:
        super().__init__(cross_entropy, (weight,), y, data, engine, n_jobs)

    def init_score(self) -> Vector:
        return np.atleast_1d(np.log(self.params[0]) + log_odds(mean_label(self.y, self.weight)))

    def state(self) -> State:
        return {"positive_weight": np.asarray(self.params[0])}

    def resume(self, state: State, rounds: int) -> None:
        self.params = (float(taken_up(state, "positive_weight", np.asarray(self.params[0]))),)


@OBJECTIVES.add("focal")
@dataclass(frozen=True, repr=False)
class Focal(GradeObjective):
    r"""Binary focal loss: cross-entropy that turns its weight to the documents it gets wrong.

    With t = 1 for a document that is relevant and p the probability :math:`\sigma(\pm s)` of its true class,
    :math:`L = -\sum_i \alpha_t (1 - p_i)^\gamma \log p_i`, where :math:`\alpha_t` is `alpha` for relevant documents and
    1 - `alpha` for others.  The exact second derivative is negative for badly misclassified documents (below
    about s = -2.8 at gamma 2); where it is less than a twentieth of the gradient, that stands in for it.  Boosting
    starts from the best constant.  Outputs of a focal loss are no probabilities, which `probabilities` makes of them.

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
    pointwise: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    alpha: float = 0.25
    gamma: float = 2.0
    relevant_from: float = 1.0

    def __post_init__(self) -> None:
        check_share("alpha", self.alpha)
        check_positive("gamma", self.gamma, zero=True)
        check_relevant_from(self.relevant_from)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        target = relevance(data, self.name, self.relevant_from)
        params = (float(self.alpha), float(self.gamma))
        return PointBound(
            focal, params, target, data, engine, n_jobs, best_constant(focal, params, -FARTHEST, FARTHEST)
        )

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        sides = np.stack([-score, score], axis=1)
        log_p, log_q = -np.logaddexp(0, -sides), -np.logaddexp(0, sides)
        return unfocused(log_p, log_q, self.gamma, np.array([1 - self.alpha, self.alpha]))


@OBJECTIVES.add("brier")
@dataclass(frozen=True, repr=False)
class Brier(GradeObjective):
    r"""Brier score: squared error of the probability of relevance, :math:`L = \sum_i (\sigma(s_i) - t_i)^2`.

    Bounded, so that a label that is wrong beyond repair has little pull.  The exact second derivative is negative where
    the true class has a probability below 1/3; where it is less than a twentieth of the gradient, that stands in for
    it.  Boosting starts from the best constant.

    Parameters
    ----------
    relevant_from : float or None
        The lowest label that counts as relevant; with None, labels are probabilities of relevance.

    References
    ----------
    Brier, "Verification of Forecasts Expressed in Terms of Probability", Monthly Weather Review 78, 1950.
    """

    name: ClassVar[str] = "brier"
    pointwise: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    relevant_from: float | None = 1.0

    def __post_init__(self) -> None:
        check_relevant_from(self.relevant_from, soft=True)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        target = relevance(data, self.name, self.relevant_from)
        return PointBound(brier, (), target, data, engine, n_jobs, lambda t, w: float(log_odds(mean_label(t, w))))

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        return two_columns(score)


@OBJECTIVES.add("hinge")
@dataclass(frozen=True, repr=False)
class Hinge(Objective):
    r"""Hinge loss: :math:`L = \sum_i \max(0, m - t_i s_i)` with t = 1 for relevant documents and -1 for others.

    Documents beyond the margin m have no gradient.  The second derivative is 0, so 1 stands in for it.  The score is no
    log-odds, and there are no probabilities.  Boosting starts from the best constant, the margin of the larger class.

    Parameters
    ----------
    margin : float
        The score beyond which a document is well enough placed.
    relevant_from : float
        The lowest label that counts as relevant.

    References
    ----------
    Cortes and Vapnik, "Support-Vector Networks", Machine Learning 20, 1995.
    """

    name: ClassVar[str] = "hinge"
    pointwise: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    margin: float = 1.0
    relevant_from: float = 1.0

    def __post_init__(self) -> None:
        check_positive("margin", self.margin)
        check_relevant_from(self.relevant_from)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        target = relevance(data, self.name, self.relevant_from)
        margin = float(self.margin)
        return PointBound(
            hinge, (margin,), target, data, engine, n_jobs, lambda t, w: margin if mean_label(t, w) > 0.5 else -margin
        )
