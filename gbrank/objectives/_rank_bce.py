"""Cross-entropy of single documents, weighted by their present ranks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import check_choice, check_positive
from .._compile import list_pointer
from ._base import OBJECTIVES, Bound, Labelled, State, Vector, row_weights
from ._classification import check_relevant_from, relevance, two_columns
from ._frames.lists import LN2, SIGNATURE, ListBound, ListLoss, ListTargets
from ._frames.stabilisers import Ranked
from ._grades import GradeObjective, log_odds

RankWeight = Callable[[Any, Any], Any]


def dcg_weight(discount: Any, alpha: Any) -> Any:
    """Weight 1 / log2(rank + 1)."""
    return discount


def exponential_weight(discount: Any, alpha: Any) -> Any:
    """Weight exp(-alpha rank), the rank being that of the discount 1 / log2(rank + 1)."""
    return np.exp(-alpha * (np.exp(LN2 / discount) - 1.0))


def rank_bce(
    s: Any, gain: Any, discount: Any, w: Any, ideal: Any, seed: Any, query_norm: Any, alpha: Any, *, weight: Any
) -> Any:  # fmt: skip
    """Binary cross-entropy of the log-odds s against the relevance `gain`, weighted by the documents' places."""
    place = weight(discount, alpha)
    total = place.sum()
    worth = w * (place / total if query_norm and total > 0.0 else place)
    e = np.exp(-np.abs(s))
    p = np.where(s >= 0.0, 1.0, e) / (1.0 + e)
    value = gain * np.maximum(-s, 0.0) + (1.0 - gain) * np.maximum(s, 0.0) + np.log1p(e)
    return (worth * value).sum(), worth * (p - gain), worth * e / (1.0 + e) ** 2


def _place(discount: Any, alpha: Any) -> Any:  # what a weight is put into
    raise NotImplementedError


def _rank_bce_of_list(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `rank_bce`."""
    total = 0.0
    for i in range(len(s)):
        h[i] = _place(discount[i], params[1])
        total += h[i]
    factor = 1.0 / total if params[0] > 0.0 and total > 0.0 else 1.0
    for i in range(len(s)):
        worth = w[i] * h[i] * factor
        e = np.exp(-abs(s[i]))
        p = (1.0 if s[i] >= 0.0 else e) / (1.0 + e)
        g[i] = worth * (p - gain[i])
        h[i] = worth * e / ((1.0 + e) * (1.0 + e))


@functools.cache
def _pointer(weight: RankWeight) -> Any:
    return list_pointer(_rank_bce_of_list, SIGNATURE, _place=weight)


WEIGHTS: dict[str, RankWeight] = {"dcg": dcg_weight, "exponential": exponential_weight}


class RankBceBound(ListBound):
    """Starts from the best constant."""

    def __init__(
        self, weight: RankWeight, params: tuple[float, ...], targets: ListTargets, data: Labelled, engine: str,
        n_jobs: int | None,
    ) -> None:  # fmt: skip
        loss = ListLoss(functools.partial(rank_bce, weight=weight), True, functools.partial(_pointer, weight))
        super().__init__(loss, params, targets, data, engine, n_jobs)
        query_norm, alpha = params
        sizes, rows = np.diff(data.query_ptr), row_weights(data)
        mean = np.cumsum(weight(self.discount, alpha)) / np.arange(1.0, sizes.max() + 1)  # of a list, by its length
        each = np.repeat(1.0 / sizes if query_norm else mean[sizes - 1], sizes)
        self.start = float(log_odds(np.average(self.gain, weights=each if rows is None else each * rows)))

    def init_score(self) -> Vector:
        return np.array([self.start])


@OBJECTIVES.add("rank_bce")
@dataclass(frozen=True, repr=False)
class RankBCE(GradeObjective, Ranked):
    r"""Rank-aware cross-entropy: binary cross-entropy of each document, weighted by its present rank.

    With the target t, 1 for relevant documents and 0 for others, and :math:`p = \sigma(s)`, :math:`L = -\sum_i w_i
    v(r_i) [t_i \log p_i + (1 - t_i) \log(1 - p_i)]` at the ranks r of the round, counted from 1.  The hessian is the
    exact diagonal :math:`w_i v(r_i) p_i (1 - p_i)`.  Scores are log-odds of relevance, for v does not depend on labels.
    Boosting starts from the best constant, each document weighted by the mean of v over all orders of its query.

    Parameters
    ----------
    weight : {"dcg", "exponential"}
        v(r): :math:`1 / \log_2(r + 1)`, or :math:`e^{-\alpha r}`.
    alpha : float
        :math:`\alpha` of the exponential weight; at 0 all ranks weigh 1.
    relevant_from : float or None
        The lowest label that counts as relevant; with None, labels are probabilities of relevance.
    query_norm : bool
        Divide v by its sum over the query, so that each query weighs 1, however long.
    hessian_factor : float
        Multiplies the hessian.
    rerank_every, rank_smoothing, ties, random_state
        See `Ranked`.  There are no pairs, and so no `score_norm`.

    References
    ----------
    Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", TOIS 20(4), 2002 (the discount).

    Moffat and Zobel, "Rank-Biased Precision for Measurement of Retrieval Effectiveness", TOIS 27(1), 2008 (the
    exponential weight).
    """

    name: ClassVar[str] = "rank_bce"
    weight: str = "dcg"
    alpha: float = 0.1
    relevant_from: float | None = 1.0
    query_norm: bool = False
    hessian_factor: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("weight", self.weight, tuple(WEIGHTS))
        check_positive("alpha", self.alpha, zero=True)
        check_relevant_from(self.relevant_from, soft=True)
        check_choice("query_norm", self.query_norm, (True, False))
        check_positive("hessian_factor", self.hessian_factor)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        relevant = relevance(data, self.name, self.relevant_from)
        targets = ListTargets(
            relevant, np.zeros(len(data.query_ptr) - 1), self.rank_options(), self.hessian_factor
        )  # fmt: skip
        params = float(self.query_norm), float(self.alpha)
        return RankBceBound(WEIGHTS[self.weight], params, targets, data, engine, n_jobs)

    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        return two_columns(score)
