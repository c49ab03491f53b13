"""LambdaRank's own loop over pairs: without a branch and without an exponential a pair."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._compile import fast_kernel, list_pointer
from .._base import Gradients
from .lambda_weights import NDCG
from .lists import LEAST_BUFFER, SIGNATURE
from .pairs import PairBound, PairFrame

WIDEST = 600.0  # spread of scores in a query, times sigmoid, up to which exp(s - s_max) keeps its precision


class LambdaRankBound(PairBound):
    """Logistic loss of pairs weighted by NDCG; the general loop serves where scores lie too far apart for its own."""

    @staticmethod
    def serves(frame: PairFrame) -> bool:
        """Tell whether this is the frame that the loop is written for."""
        return frame.weight is NDCG and frame.equal is None

    def compiled(self) -> Any:
        return _pointer()

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        if self.pointer is not None:
            spread = np.maximum.reduceat(score, self.query_ptr[:-1]) - np.minimum.reduceat(score, self.query_ptr[:-1])
            wide = spread.max() * self.frame.params[0] > WIDEST
            self.pointer = super().compiled() if wide else _pointer()
        return super().gradient_hessian(score, round)


@functools.cache
def _pointer() -> Any:
    return list_pointer(lambdas_of_list, SIGNATURE, fast=True)


def lambdas_of_list(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Write the lambdas of one list.

    The probability that i precedes j is e_i / (e_i + e_j) for e = exp(s - s_max).
    """
    n = len(s)
    if ideal <= 0.0 or n < 2:
        return
    truncation, scaled, sigmoid = int(params[0]), params[1] > 0.0, params[3]
    lowest, highest = s[0], s[0]
    for i in range(n):
        lowest, highest = min(lowest, s[i]), max(highest, s[i])
    e, worth = np.empty(n + LEAST_BUFFER), np.empty(n + LEAST_BUFFER)
    for i in range(n):
        e[i] = np.exp(sigmoid * (s[i] - highest))
        worth[i] = gain[i] / ideal
    scaled = scaled and lowest != highest
    total = 0.0
    for i in range(min(truncation, n - 1)):
        total += lambdas_of_one(i, n, s, e, worth, w, discount, 0.01 if scaled else 1.0, scaled, g, h)
    factor = sigmoid
    if params[2] > 0.0 and total > 0.0:
        factor *= np.log2(1.0 + total * sigmoid) / (total * sigmoid)
    for i in range(n):
        g[i] *= factor
        h[i] *= factor * sigmoid


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
        delta = abs(better * (discount_i - discount_[j])) * w_i * w_[j] / (base + slope * abs(s_i - s_[j]))
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
