r"""Ordinal regression: grades in order.

Threshold models have one score s and thresholds :math:`\theta_0 \le ... \le \theta_{K-2}` that cut it into K grades.
The thresholds are fitted again as boosting moves the scores, by warm Newton steps, and never fall; the score itself
ranks, for the expected grade grows with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import check_choice, check_whole, whole_grades
from ._base import OBJECTIVES, Bound, Labelled, State, Vector, require_varied, row_weights, single_labels, taken_up
from ._classification import SMALLEST_CURVATURE
from ._frames.points import Point, PointBound, sides
from ._frames.rows import RowBound
from ._frames.thresholds import Slopes, Thresholds, of_all_thresholds, of_both_sides
from ._grades import GradeObjective, sigmoid, softmax
from ._multiclass import HIGHEST_GRADE, MultiClass, counts_of, log_shares

DISTANCES = ("squared", "exponential")
UNROLLED = 8  # thresholds up to which a tuple of them makes the loop over them straight code, eight times as fast


def all_threshold(y: Any, s: Any, thresholds: Any, constant: Any) -> Any:
    """Sum over all thresholds of the logistic loss of lying on the right side of each."""
    value = 0.0 * s
    gradient = 0.0 * s
    hessian = 0.0 * s
    for k in range(len(thresholds)):
        above = s - thresholds[k]
        p, q, beyond = sides(above)
        value = value + np.maximum(np.where(y > k, -above, above), 0.0) + beyond
        gradient = gradient + np.where(y > k, -q, p)
        hessian = hessian + p * q
    return value, gradient, hessian


def both_sides(y: Any, s: Any, thresholds: Any, constant: Any) -> Any:
    """Logistic losses of lying above the threshold below the grade and below the one above it, and a constant."""
    last = len(thresholds)
    over = s - np.where(y < last, thresholds[np.minimum(y, last - 1)], np.inf)
    under = np.where(y > 0, thresholds[np.maximum(y, 1) - 1], -np.inf) - s
    p, not_p, beyond_p = sides(over)
    q, not_q, beyond_q = sides(under)
    value = np.maximum(over, 0.0) + beyond_p + np.maximum(under, 0.0) + beyond_q + constant[y]
    return value, p - q, p * not_p + q * not_q


def ordinal_softmax(y: Any, s: Any, g: Any, h: Any, weight: Any) -> Any:
    r"""Ordinal cross-entropy; ``weight[d]`` is that of the distance d.

    With a[c] = w[c] p[c] / (1 - p[c]), the gradient is a[j] - p[j] sum(a).  The greatest p, of grade m, may be so near
    1 that a[m] is infinite.  Its part of the gradient is not: with r[j] = p[j] / (1 - p[m]), it is
    -w[m] p[m] r[j] for the other grades, and for m itself, together with its own a, w[m] p[m].
    """
    top, m = s[0], 0 * y
    for k in range(1, len(s)):
        m = np.where(s[k] > top, k, m)
        top = np.maximum(top, s[k])
    rest = 0.0 * top
    for k in range(len(s)):
        g[k] = np.exp(np.maximum(s[k] - top, -700.0))
        rest = rest + np.where(m == k, 0.0, g[k])
    total = 1.0 + rest
    w_m, p_m = weight[np.abs(y - m)], 1.0 / total
    value = -w_m * (np.log(rest) - np.log(total))
    sum_a, sum_b = 0.0 * top, 0.0 * top
    for k in range(len(s)):
        p = np.where(m == k, 0.0, g[k] / total)
        w = weight[np.abs(y - k)]
        value = value - w * np.log1p(-p)
        sum_a = sum_a + w * p / (1.0 - p)
        sum_b = sum_b + w * p / (1.0 - p) ** 2
    for k in range(len(s)):
        r, p = g[k] / rest, g[k] / total
        w, other = weight[np.abs(y - k)], np.where(m == k, 0.5, 1.0 - p)
        a, b, pull = w * p / other, w * p / other**2, w_m * p_m * r
        own = p * (sum_b * p - sum_a * (1.0 - p))
        slope = np.where(m == k, p * (w_m - sum_a), a - p * sum_a - pull)
        bend = own + np.where(m == k, w_m * p * rest / total, b * (1.0 - 2.0 * p) - pull * (1.0 - r - p))
        g[k] = slope
        h[k] = np.maximum(bend, SMALLEST_CURVATURE * np.abs(slope))
    return value


@dataclass(frozen=True, repr=False)
class ThresholdObjective(GradeObjective):
    """What threshold models share."""

    pointwise: ClassVar[bool] = True
    point: ClassVar[Point] = staticmethod(all_threshold)
    by_threshold: ClassVar[Slopes] = staticmethod(of_all_thresholds)
    apart: ClassVar[bool] = False

    refit_every: int = 1

    def __post_init__(self) -> None:
        check_whole("refit_every", self.refit_every)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        grades = whole_grades(single_labels(data, self.name), f"the objective {self.name}", highest=HIGHEST_GRADE)
        require_varied(grades, self.name)
        return ThresholdBound(self, grades, data, engine, n_jobs)

    def above(self, score: npt.NDArray[Any], state: State) -> Vector:
        return sigmoid(score[:, None] - state["thresholds"])

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        edge = np.ones((len(score), 1))
        return np.asarray(-np.diff(self.above(score, state), axis=1, prepend=edge, append=0 * edge))


class ThresholdBound(PointBound):
    """Holds the thresholds, and fits them again as the scores move."""

    def __init__(
        self,
        objective: ThresholdObjective,
        y: npt.NDArray[np.int64],
        data: Labelled,
        engine: str,
        n_jobs: int | None,
    ) -> None:
        counts, weight = counts_of(y, row_weights(data)), row_weights(data)
        self.fit = Thresholds(
            objective.by_threshold,
            y,
            weight,
            counts,
            apart=objective.apart,
            compiled=engine == "compiled",
            n_jobs=n_jobs,
        )
        self.refit_every, self.rounds = objective.refit_every, 0
        super().__init__(objective.point, (), y, data, engine, n_jobs)
        self.params = self.cut_at(self.fit.start())

    def cut_at(self, thresholds: Vector) -> tuple[Any, Vector]:
        """Return the parameters of the loss: thresholds, and what each grade adds for its gap."""
        constant = np.zeros(len(thresholds) + 1)
        if self.fit.apart:
            constant[1:-1] = -np.log(-np.expm1(-np.diff(thresholds)))
        if self.point is all_threshold and len(thresholds) <= UNROLLED:
            return tuple(thresholds.tolist()), constant
        return thresholds, constant

    @property
    def thresholds(self) -> Vector:
        """The thresholds in force, never falling."""
        return np.asarray(self.params[0])

    def end_round(self, score: npt.NDArray[Any]) -> None:
        self.rounds += 1
        if self.rounds % self.refit_every == 0:
            self.params = self.cut_at(self.fit.fit(score, self.thresholds))

    def state(self) -> State:
        return {"thresholds": self.thresholds}

    def begin(self, score: npt.NDArray[Any]) -> None:
        self.params = self.cut_at(self.fit.fit(score, self.thresholds, steps=100))

    def resume(self, state: State, rounds: int) -> None:
        self.params, self.rounds = self.cut_at(taken_up(state, "thresholds", self.thresholds)), rounds


@OBJECTIVES.add("ordinal", "all_threshold")
@dataclass(frozen=True, repr=False)
class Ordinal(ThresholdObjective):
    r"""All-threshold ordinal regression with logistic losses.

    :math:`L = \sum_i \sum_k \log(1 + e^{-S_{ik} (s_i - \theta_k)})` with :math:`S_{ik} = 1` if :math:`y_i > k`, else
    -1.  So :math:`\sigma(s - \theta_k)` models P(y > k), and each threshold has as many documents to learn from as
    there are.  Convex in scores and thresholds.

    Parameters
    ----------
    refit_every : int
        Rounds between two fits of the thresholds.

    References
    ----------
    Rennie and Srebro, "Loss Functions for Preference Levels", IJCAI workshop 2005, section 4.2.
    """

    name: ClassVar[str] = "ordinal"


@OBJECTIVES.add("immediate_threshold")
@dataclass(frozen=True, repr=False)
class ImmediateThreshold(ThresholdObjective):
    r"""Immediate-threshold ordinal regression with logistic losses.

    Of the sum of `Ordinal` only the thresholds on both sides of the grade:
    :math:`L = \sum_i [\log(1 + e^{\theta_{y_i - 1} - s_i}) + \log(1 + e^{s_i - \theta_{y_i}})]`, without the one that
    the lowest and the highest grade lack.  A threshold sees the documents of its two grades, so
    :math:`\sigma(s - \theta_k)` models P(y = k + 1) as a share of P(y = k) + P(y = k + 1): the adjacent-category
    model, from which the probabilities are made.  Thresholds that would fall are pooled.

    Parameters
    ----------
    refit_every : int
        Rounds between two fits of the thresholds.

    References
    ----------
    Rennie and Srebro, "Loss Functions for Preference Levels", IJCAI workshop 2005, section 4.1; for the model Agresti,
    "Analysis of Ordinal Categorical Data", 2010, section 4.1.
    """

    name: ClassVar[str] = "immediate_threshold"
    point: ClassVar[Point] = staticmethod(both_sides)
    by_threshold: ClassVar[Slopes] = staticmethod(of_both_sides)

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        # The log-odds of neighbouring grades add up.
        steps = np.cumsum(score[:, None] - state["thresholds"], axis=1)
        return softmax(np.concatenate([np.zeros((len(score), 1)), steps], axis=1))

    def above(self, score: npt.NDArray[Any], state: State) -> Vector:
        return GradeObjective.above(self, score, state)


@OBJECTIVES.add("cumulative_logit", "proportional_odds")
@dataclass(frozen=True, repr=False)
class CumulativeLogit(ThresholdObjective):
    r"""Cumulative logit, or proportional odds: the likelihood of the grade.

    With :math:`P(y > k) = \sigma(s - \theta_k)`, the loss is
    :math:`L = -\sum_i \log(\sigma(\theta_{y_i} - s_i) - \sigma(\theta_{y_i - 1} - s_i))`.  Since
    :math:`\sigma(u) - \sigma(v) = \sigma(u) \sigma(-v) (1 - e^{v - u})`, it is the loss of `ImmediateThreshold` and a
    term of the thresholds alone, which keeps them apart; so nothing cancels.  Convex in scores and thresholds.

    Parameters
    ----------
    refit_every : int
        Rounds between two fits of the thresholds.

    References
    ----------
    McCullagh, "Regression Models for Ordinal Data", Journal of the Royal Statistical Society B 42, 1980.
    """

    name: ClassVar[str] = "cumulative_logit"
    point: ClassVar[Point] = staticmethod(both_sides)
    by_threshold: ClassVar[Slopes] = staticmethod(of_both_sides)
    apart: ClassVar[bool] = True


@OBJECTIVES.add("ordinal_cross_entropy", "ordinal_log_loss")
@dataclass(frozen=True, repr=False)
class OrdinalCrossEntropy(MultiClass):
    r"""Ordinal cross-entropy: softmax over grades, in which a wrong grade costs by its distance.

    One output for each grade, :math:`p = \mathrm{softmax}(s)`,
    :math:`L = -\sum_i \sum_c w_{|y_i - c|} \log(1 - p_{i, c})`.  As :math:`w_0 = 0`, the true grade is reached by
    driving all others away, the far ones harder.  (The form with :math:`[y_i = c] \log p_{i, c}` in the sum, under
    which the loss is sometimes given, is 0 throughout for such weights.)  The hessian is the exact diagonal; where
    that is less than a twentieth of the gradient's size, that stands in for it.  Boosting starts from the logarithms of
    the grades' shares: the best constant leaves grades without any probability, from where nothing is learnt.

    The expected grade :math:`\sum_c c\,p_c` ranks.  The p are the model's, and no estimates of frequencies: the loss is
    least where p gathers at the grades that are near to all.

    Parameters
    ----------
    distance : {"squared", "exponential"}
        :math:`w_d = d^2`, or :math:`e^d - 1`.

    References
    ----------
    Castagnos, Mihelich and Dognin, "A Simple Log-based Loss Function for Ordinal Text Classification", COLING 2022.
    """

    name: ClassVar[str] = "ordinal_cross_entropy"
    exact_hessian: ClassVar[bool] = False
    distance: str = "squared"

    def __post_init__(self) -> None:
        check_choice("distance", self.distance, DISTANCES)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        grades = self.grades(data)
        start = log_shares(counts_of(grades, row_weights(data)))
        d = np.arange(len(start), dtype=np.float64)
        weight = d**2 if self.distance == "squared" else np.expm1(d)
        return RowBound(ordinal_softmax, (weight,), start, grades, data, engine, n_jobs)
