"""Measures of smooth ranks, which have a gradient."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .. import _scalar_math
from .._checks import check_choice, check_positive
from .._compile import fast_kernel, list_pointer, over_queries
from ..metrics._ranking import ALL, ideal_dcg
from ._base import OBJECTIVES, Bound, Labelled, single_labels
from ._frames.gains import worth_of_labels
from ._frames.lists import LEAST_BUFFER, LN2, SIGNATURE, ListBound, ListLoss, ListTargets, differ
from ._frames.stabilisers import PairNormed
from ._listwise import require_gain

WIDTH = 4.0  # of a sigmoid that would rise from 0 to 1 at its greatest slope, 1/4
PAIRS_AT_ONCE = 1 << 18  # of the numpy engine, so that a block stays in the processor's cache


def approx_ndcg(
    s: Any, gain: Any, discount: Any, w: Any, ideal: Any, seed: Any, temperature: Any, score_norm: Any
) -> Any:  # fmt: skip
    """Negative NDCG of smooth ranks; only documents with gain need one."""
    g, value = np.zeros(len(s)), 0.0
    z, found, scaled = s / temperature, np.flatnonzero(gain), score_norm and differ(s)
    at_once = max(1, PAIRS_AT_ONCE // len(s))
    for first in range(0, len(found), at_once):
        i = found[first : first + at_once]
        x = z[None, :] - z[i, None]
        e = np.exp(-np.abs(x))
        larger = 1.0 / (1.0 + e)  # of the sigmoids of x and -x
        rank = 0.5 + np.where(x >= 0.0, larger, e * larger).sum(axis=1)  # its own sigmoid is 0.5 of it
        slope = larger * larger * e
        slope[np.arange(len(i)), i] = 0.0
        log, worth = np.log2(1.0 + rank), w[i] * gain[i] / ideal
        value -= (worth / log).sum()
        slope *= (worth / (LN2 * (1.0 + rank) * log * log))[:, None]
        if scaled:
            slope /= 0.01 + temperature * np.abs(x)
        g += slope.sum(axis=0)
        g[i] -= slope.sum(axis=1)
    g /= temperature
    return value, g, np.abs(g) / (WIDTH * temperature)


def approx_ndcg_of_list(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `approx_ndcg`."""
    n, scale, scaled = len(s), 1.0 / params[0], params[1] > 0.0 and differ(s)
    slope = np.empty(n + LEAST_BUFFER)
    for i in range(n):
        if gain[i] > 0.0:
            add_document(i, w[i] * gain[i] / ideal, scale, scaled, s, slope, g)
    for i in range(n):
        g[i] *= scale
        h[i] = abs(g[i]) * scale / WIDTH


@fast_kernel
def add_document(i: int, worth: float, scale: float, scaled: bool, s: Any, slope: Any, g: Any) -> None:
    """Add what moving the rank of document i does to all scores; `slope` is a place to work in."""
    rank, s_i = 0.5, s[i]
    for j in range(len(s)):
        x = (s[j] - s_i) * scale
        e = _scalar_math.exp(-abs(x))
        larger = 1.0 / (1.0 + e)
        rank += larger if x >= 0.0 else e * larger
        slope[j] = larger * larger * e
    slope[i] = 0.0
    if scaled:
        for j in range(len(s)):
            slope[j] /= 0.01 + abs(s[j] - s_i)
    log = np.log2(1.0 + rank)
    factor = worth / (LN2 * (1.0 + rank) * log * log)
    total = 0.0
    for j in range(len(s)):
        g[j] += factor * slope[j]
        total += factor * slope[j]
    g[i] -= total


@functools.cache
def _pointer() -> Any:
    return list_pointer(approx_ndcg_of_list, SIGNATURE, fast=True)


APPROX_NDCG = ListLoss(approx_ndcg, kernel=_pointer)


@OBJECTIVES.add("approx_ndcg", "approxndcg")
@dataclass(frozen=True, repr=False)
class ApproxNDCG(PairNormed):
    r"""ApproxNDCG: negative NDCG, each rank replaced by a sum of sigmoids of score differences.

    :math:`L = -\sum_i w_i G_i / (\log_2(1 + r_i)\, \mathrm{IDCG})` with :math:`r_i = 1 + \sum_{j \ne i} \sigma((s_j -
    s_i) / \tau)`.  A query without gain has no gradient.  The loss is not convex.  In place of its second derivative
    stands :math:`|\partial L / \partial s_i| / (4 \tau)`: a leaf then moves its documents by at most :math:`4 \tau`,
    the width of a sigmoid, and by that much if all pull the same way.  On the validation parts of MQ2008 this did
    better than an upper bound of the second derivative, and as well as its absolute value, which needs a floor that
    fits the temperature.  Ranks move smoothly with the scores, in which ties are ties; so there are no `rerank_every`,
    `rank_smoothing` and `ties`.

    Parameters
    ----------
    gain : {"exp", "linear"}
        What a label is worth: 2^y - 1, or y.
    temperature : float
        :math:`\tau`: the unit of the scores, as steps are in proportion to it.  The lower it is beside the differences
        of a start other than 0, the nearer to NDCG is the loss, and the fewer documents have a gradient.
    query_norm, score_norm
        See `PairNormed`; a pair adds :math:`\mp \partial L / \partial r_i \cdot \partial r_i / \partial s_j`.
    hessian_factor : float
        Multiplies the hessian.  XGBoost's `min_child_weight` of 1 is much beside hessians of temperatures near 1.

    References
    ----------
    Qin, Liu and Li, "A General Approximation Framework for Direct Optimization of Information Retrieval Measures",
    Information Retrieval 13, 2010, section 4.
    """

    name: ClassVar[str] = "approx_ndcg"
    shift_invariant: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    gain: str = "exp"
    temperature: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("gain", self.gain, ("exp", "linear"))
        check_positive("temperature", self.temperature)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        gain = worth_of_labels(single_labels(data, self.name), self.gain, self.name)
        require_gain(gain, self.name)
        sizes = np.diff(data.query_ptr)
        ideal, discount = np.empty(len(sizes)), 1 / np.log2(np.arange(2, sizes.max() + 2))
        over_queries(ideal_dcg, data.query_ptr, gain, ALL, discount, ideal, n_jobs=n_jobs)
        targets = ListTargets(gain, ideal, hessian_factor=self.hessian_factor, query_norm=self.query_norm)
        params = float(self.temperature), float(self.score_norm)
        return ListBound(APPROX_NDCG, params, targets, data, engine, n_jobs)
