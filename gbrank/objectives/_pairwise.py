"""Pairwise losses and the lambda-weighted ones made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, check_choice, check_positive, check_whole, whole_grades
from .._compile import fast_kernel, over_queries
from ._base import OBJECTIVES, Bound, Gradients, Labelled, Objective, Vector, single_labels
from ._lambda_weights import NDCG, UNIFORM
from ._pair_engine import PairBound, PairFrame, rank


def logistic(d: Any, sigmoid: Any) -> Any:
    """Logistic loss of the margin: log(1 + exp(-sigmoid d))."""
    p = 1.0 / (1.0 + np.exp(sigmoid * d))  # probability that the pair is in the wrong order
    return np.logaddexp(0.0, -sigmoid * d), -sigmoid * p, sigmoid * sigmoid * p * (1.0 - p)


@OBJECTIVES.add("pairwise_logistic")
@dataclass(frozen=True)
class PairwiseLogistic(Objective):
    r"""RankNet: logistic loss of all pairs of a query's documents with different labels.

    :math:`L = \sum_{y_i > y_j} \log(1 + e^{-a (s_i - s_j)})` with a = `sigmoid`.  The hessian is the exact diagonal.

    References
    ----------
    Burges et al., "Learning to Rank using Gradient Descent", ICML 2005.
    """

    name: ClassVar[str] = "pairwise_logistic"
    shift_invariant: ClassVar[bool] = True
    sigmoid: float = 1.0

    def __post_init__(self) -> None:
        check_positive("sigmoid", self.sigmoid)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        frame = PairFrame(logistic, (float(self.sigmoid),), UNIFORM, truncation=None, norm=False)
        y = single_labels(data, self.name)
        return PairBound(frame, y, np.zeros(len(y)), data, engine, n_jobs)


@OBJECTIVES.add("lambdarank")
@dataclass(frozen=True)
class LambdaRank(Objective):
    r"""LambdaRank: logistic loss of pairs, each weighted by what swapping the two would change in NDCG.

    :math:`\Delta_{ij} = |G_i - G_j|\,|D(r_i) - D(r_j)| / \mathrm{IDCG@T}` with :math:`D(r) = 1 / \log_2(r + 1)`, over
    pairs of which one document ranks among the first T, the truncation level.  With `norm`, :math:`\Delta` is divided
    by 0.01 + :math:`|s_i - s_j|` and a query's lambdas multiplied by :math:`\log_2(1 + S) / S`, S the sum of their
    absolute values over both documents of each pair.  Ties rank in row order.  Labels are whole grades for the
    exponential gain, any numbers of 0 or more for the linear one.

    Parameters
    ----------
    sigmoid : float
        Steepness a of the logistic loss.
    truncation : int
        Truncation level T.
    norm : bool
    gain : {"exp", "linear"}
        2^y - 1, or y.
    hessian_factor : float
        1 is the diagonal of the second derivative, as in LightGBM; 2 bounds the curvature safely, as in XGBoost.

    References
    ----------
    Burges, "From RankNet to LambdaRank to LambdaMART: An Overview", MSR-TR-2010-82, section 4.
    """

    name: ClassVar[str] = "lambdarank"
    shift_invariant: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    sigmoid: float = 1.0
    truncation: int = 30
    norm: bool = True
    gain: str = "exp"
    hessian_factor: float = 1.0

    def __post_init__(self) -> None:
        check_positive("sigmoid", self.sigmoid)
        check_whole("truncation", self.truncation)
        check_choice("norm", self.norm, (True, False))
        check_choice("gain", self.gain, ("exp", "linear"))
        check_positive("hessian_factor", self.hessian_factor)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        if self.gain == "exp":
            gain = 2.0 ** whole_grades(y, "the objective lambdarank with its exponential gain") - 1.0
        else:
            require_not_negative(y)
            gain = y
        frame = PairFrame(logistic, (float(self.sigmoid),), NDCG, self.truncation, self.norm)
        return LambdaRankBound(frame, self.hessian_factor, y, gain, data, engine, n_jobs)


def require_not_negative(y: Vector) -> None:
    """Raise a `DataError` for a label below 0, whose gain would be negative."""
    if y.min() < 0:
        raise DataError(
            f"label {y.min():g} in row {int(np.argmin(y))}: a gain cannot be negative; shift the labels to start at 0."
        )


class LambdaRankBound(PairBound):
    """LambdaRank with a kernel of its own; the general one serves where scores lie too far apart for it."""

    def __init__(self, frame: PairFrame, hessian_factor: float, *args: Any) -> None:
        super().__init__(frame, *args)
        self.hessian_factor = hessian_factor

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        gradient, hessian = super().gradient_hessian(score, round)
        return gradient, hessian * self.hessian_factor if self.hessian_factor != 1 else hessian

    def _compiled(self, score: Vector, gradient: Vector, hessian: Vector) -> None:
        weight = np.empty(0) if self.weight is None else self.weight
        spread = np.maximum.reduceat(score, self.query_ptr[:-1]) - np.minimum.reduceat(score, self.query_ptr[:-1])
        if spread.max() * self.frame.params[0] > WIDEST:
            super()._compiled(score, gradient, hessian)
            return
        over_queries(
            lambdarank_pass, self.query_ptr, self.gain, score, weight, self.ideal, self.discount, self.order,
            self.truncation, self.frame.norm, self.frame.params[0], gradient, hessian, n_jobs=self.n_jobs,
        )  # fmt: skip


WIDEST = 600.0  # spread of scores in a query, times sigmoid, up to which exp(s - s_max) keeps its precision


@fast_kernel
def lambdarank_pass(
    first: int, last: int, query_ptr: Any, gain: Any, score: Any, weight: Any, ideal: Any, discount: Any, order: Any,
    truncation: int, norm: bool, sigmoid: float, gradient: Any, hessian: Any,
) -> None:  # fmt: skip
    """Write the lambdas of each query.

    Scores, gains and exp(s - s_max) stand in rank order in buffers of their own, so that the loop over pairs has
    neither a branch nor an exponential: the probability that i precedes j is e_i / (e_i + e_j).
    """
    size = 0
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    key, spare_key, row, spare_row = np.empty(size), np.empty(size), np.empty(size, np.int64), np.empty(size, np.int64)
    s, e, worth, g, h = np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    w = np.ones(size)
    for q in range(first, last):
        start, n = query_ptr[q], query_ptr[q + 1] - query_ptr[q]
        if ideal[q] <= 0.0 or n < 2:
            continue
        rank(score[start : start + n], order[start : start + n], key, row, spare_key, spare_row)
        for i in range(n):
            at = start + row[i]
            s[i], worth[i] = score[at], gain[at] / ideal[q]
            if len(weight) > 0:
                w[i] = weight[at]
        for i in range(n):
            e[i] = np.exp(sigmoid * (s[i] - s[0]))
            g[i] = h[i] = 0.0
        scaled = norm and s[0] != s[n - 1]
        total = 0.0
        for i in range(min(truncation, n - 1)):
            total += lambdas_of_one(i, n, s, e, worth, w, discount, 0.01 if scaled else 1.0, scaled, g, h)
        factor = sigmoid
        if norm and total > 0.0:
            factor *= np.log2(1.0 + total * sigmoid) / (total * sigmoid)
        for i in range(n):
            gradient[start + row[i]] = g[i] * factor
            hessian[start + row[i]] = h[i] * factor * sigmoid


@fast_kernel
def lambdas_of_one(
    i: int, n: int, s: Any, e: Any, worth: Any, w: Any, discount: Any, base: float, scaled: bool, g: Any, h: Any
) -> float:
    """Add the pairs of rank i with all lower ranks; return the sum of both sides' absolute lambdas."""
    g_i, h_i, total = 0.0, 0.0, 0.0
    slope = 1.0 if scaled else 0.0
    s_i, e_i, worth_i, w_i, discount_i = s[i], e[i], worth[i], w[i], discount[i]
    # Slices, because an index from 0 cannot be negative: only then does the loop become vector instructions.
    s_, e_, worth_, w_, discount_ = s[i + 1 : n], e[i + 1 : n], worth[i + 1 : n], w[i + 1 : n], discount[i + 1 : n]
    g_, h_ = g[i + 1 : n], h[i + 1 : n]
    for j in range(len(s_)):
        better = worth_i - worth_[j]  # above 0 where the pair is in the right order
        delta = abs(better) * (discount_i - discount_[j]) * w_i * w_[j] / (base + slope * (s_i - s_[j]))
        r = 1.0 / (e_i + e_[j])
        right, wrong = e_i * r, e_[j] * r
        lam = delta * (-wrong if better > 0.0 else right)
        curve = delta * right * wrong
        g_i += lam
        g_[j] -= lam
        h_i += curve
        h_[j] += curve
        total += abs(lam)
    g[i] += g_i
    h[i] += h_i
    return 2.0 * total
