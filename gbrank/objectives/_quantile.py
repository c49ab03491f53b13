"""Losses that are least at quantiles of the label, whose leaves are renewed.

Their second derivative is 0, so that trees find their splits by the gradient with 1 in its place; the value that a leaf
then gets is not the Newton step but the quantile itself of the residuals in the leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import ParameterError
from .._compile import kernel, over_queries
from ._base import OBJECTIVES, Bound, Labelled, Objective, State, Vector, require_varied, single_labels
from ._classification import check_share
from ._frames.points import PointBound
from ._frames.rows import RowBound

REACHED = 1 - 1e-12  # of a cumulated weight: sums are rounded
NO_WEIGHTS = np.empty(0)


def absolute(y: Any, s: Any) -> Any:
    """Absolute error; 1 stands in for its second derivative, which is 0."""
    return np.abs(s - y), np.where(s > y, 1.0, 0.0) - np.where(s < y, 1.0, 0.0), 1.0


def pinball(y: Any, s: Any, alpha: Any) -> Any:
    """Pinball loss; its second derivative is 0 almost everywhere, 1 stands in for it."""
    return np.where(y >= s, alpha * (y - s), (1.0 - alpha) * (s - y)), np.where(s >= y, 1.0 - alpha, -alpha), 1.0


def pinball_of_several(y: Any, s: Any, g: Any, h: Any, alphas: Any) -> Any:
    """Sum of the pinball losses of output k for the quantile ``alphas[k]``."""
    total = 0.0 * s[0]
    for k in range(len(s)):
        value, g[k], h[k] = pinball(y, s[k], alphas[k])
        total = total + value
    return total


@OBJECTIVES.add("mae", "l1")
@dataclass(frozen=True, repr=False)
class AbsoluteError(Objective):
    r"""Absolute error of the label, whose minimiser is the median: :math:`L = \sum_i |s_i - y_i|`.

    The second derivative is 0, so 1 stands in for it where splits are chosen; each leaf's value is then renewed to the
    weighted median of the residuals in the leaf.  Boosting starts from the weighted median label.

    Where most labels are 0, so is their median; then little is learnt.

    References
    ----------
    Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics 29, 2001, algorithm 3.
    """

    name: ClassVar[str] = "mae"
    exact_hessian: ClassVar[bool] = False
    pointwise: ClassVar[bool] = True
    summable: ClassVar[bool] = False

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_varied(y, self.name)
        return QuantileBound(0.5, absolute, (), y, data, engine, n_jobs)


@OBJECTIVES.add("quantile", "pinball")
@dataclass(frozen=True, repr=False)
class Quantile(Objective):
    r"""Pinball loss, whose minimiser is the `alpha`-quantile of the label.

    :math:`L = \sum_i \max(\alpha (y_i - s_i), (\alpha - 1)(y_i - s_i))`, summed over the quantiles where there are
    several, each of which then has an output of its own.  The second derivative is 0, so 1 stands in for it where
    splits are chosen, and each leaf's value is then renewed to the weighted `alpha`-quantile of the residuals in the
    leaf (the smallest residual whose cumulated weight reaches `alpha` of the whole).  Boosting starts from the
    quantiles of the labels.

    Parameters
    ----------
    alpha : float or sequence of float
        Between 0 and 1, and rising.  Where most labels are 0, so is their median; only a high quantile then ranks.
    sorted_quantiles : bool
        Whether the quantiles of each document are sorted, so that none crosses another.  Sorted ones lie nearer
        to the true quantiles, never farther.
    rank_by : float, optional
        Which of several quantiles ranks; by default the one nearest the median, of two the lower.

    References
    ----------
    Koenker and Bassett, "Regression Quantiles", Econometrica 46, 1978.

    Chernozhukov, Fernandez-Val and Galichon, "Quantile and Probability Curves Without Crossing", Econometrica 78, 2010.
    """

    name: ClassVar[str] = "quantile"
    exact_hessian: ClassVar[bool] = False
    pointwise: ClassVar[bool] = True
    summable: ClassVar[bool] = False
    alpha: float | Sequence[float] = 0.9
    sorted_quantiles: bool = False
    rank_by: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.alpha, int | float | np.number | str):
            object.__setattr__(self, "alpha", tuple(self.alpha))
        for one in self.alphas:
            check_share("alpha", one)
        if not self.alphas or any(a >= b for a, b in zip(self.alphas, self.alphas[1:], strict=False)):
            raise ParameterError(f"alpha={self.alpha!r}: give one quantile, or several that rise.")
        if not isinstance(self.sorted_quantiles, bool | np.bool_):
            raise ParameterError(f"sorted_quantiles={self.sorted_quantiles!r}: must be True or False.")
        if self.rank_by is not None and self.rank_by not in self.alphas:
            raise ParameterError(f"rank_by={self.rank_by!r}: choose one of the quantiles alpha={self.alpha!r}.")

    @property
    def alphas(self) -> tuple[float, ...]:
        """The quantiles, one for each output."""
        return self.alpha if isinstance(self.alpha, tuple) else (self.alpha,)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_varied(y, self.name)
        if len(self.alphas) == 1:
            alpha = float(self.alphas[0])
            return QuantileBound(alpha, pinball, (alpha,), y, data, engine, n_jobs)
        return QuantilesBound(np.array(self.alphas, dtype=np.float64), y, data, engine, n_jobs)

    def quantiles(self, score: npt.NDArray[Any], state: State) -> Vector:
        """Return the quantiles of each document, shape (n_documents, n_quantiles), from raw scores."""
        found = np.asarray(score).reshape(len(score), -1)
        return np.sort(found, axis=1) if self.sorted_quantiles else found

    def transform(self, score: npt.NDArray[Any], state: State) -> npt.NDArray[Any]:
        chosen = min(self.alphas, key=lambda one: abs(one - 0.5)) if self.rank_by is None else self.rank_by
        return self.quantiles(score, state)[:, self.alphas.index(chosen)]


class QuantileBound(PointBound):
    """Renews leaves to the `alpha`-quantile of their residuals."""

    renews_leaves = True

    def __init__(self, alpha: float, *args: Any) -> None:
        super().__init__(*args)
        self.alpha = alpha

    def init_score(self) -> Vector:
        return quantile_by_leaf(self.y, np.zeros(len(self.y), np.int64), self.alpha, self.weight)

    def leaf_values(self, score: npt.NDArray[Any], leaf: npt.NDArray[Any]) -> Vector:
        return renewed(self, self.y - score, leaf, self.alpha)


class QuantilesBound(RowBound):
    """Several quantiles; renews the leaves of each output's tree."""

    renews_leaves = True

    def __init__(self, alphas: Vector, y: Vector, data: Labelled, engine: str, n_jobs: int | None) -> None:
        super().__init__(pinball_of_several, (alphas,), np.zeros(len(alphas)), y, data, engine, n_jobs)
        one_leaf = np.zeros(len(y), np.int64)
        self.start = np.array([quantile_by_leaf(y, one_leaf, alpha, self.weight)[0] for alpha in alphas])

    def leaf_values(self, score: npt.NDArray[Any], leaf: npt.NDArray[Any]) -> Vector:
        """Return the values of shape (n_leaves, n_outputs); `score` and `leaf` have a column for each output.

        NaN stands where an output's tree has fewer leaves than another's.
        """
        values = np.full((int(leaf.max()) + 1, self.n_outputs), np.nan)
        for k, alpha in enumerate(self.params[0]):
            column = renewed(self, self.y - score[:, k], np.ascontiguousarray(leaf[:, k]), float(alpha))
            values[: len(column), k] = column
        return values


def renewed(bound: PointBound | RowBound, residual: npt.NDArray[Any], leaf: npt.NDArray[Any], alpha: float) -> Vector:
    """Return the quantile of the residuals in each leaf, by the engine that `bound` has."""
    if not bound.compiled:
        return quantile_by_leaf(residual, leaf, alpha, bound.weight)
    leaf, residual = leaf.astype(np.int64, copy=False), residual.astype(np.float64, copy=False)
    ptr = np.concatenate(([0], np.cumsum(np.bincount(leaf))))
    values, weight = np.empty(len(leaf)), np.empty(0 if bound.weight is None else len(leaf))
    by_leaf(leaf, residual, NO_WEIGHTS if bound.weight is None else bound.weight, ptr[:-1].copy(), values, weight)
    result = np.zeros(len(ptr) - 1)
    over_queries(select_quantiles, ptr, values, weight, alpha, result, n_jobs=bound.n_jobs)
    return result


def quantile_by_leaf(values: Vector, leaf: npt.NDArray[Any], alpha: float, weight: Vector | None) -> Vector:
    """Return the weighted `alpha`-quantile of `values` in each leaf; 0 for leaves without documents or weight.

    Examples
    --------
    >>> quantile_by_leaf(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 0, 0, 2]), 0.5, None).tolist()
    [2.0, 0.0, 9.0]
    """
    order = np.lexsort((values, leaf))
    leaf = leaf[order]
    cumulated = np.cumsum(np.ones(len(leaf)) if weight is None else weight[order])
    starts = np.flatnonzero(np.concatenate(([True], leaf[1:] != leaf[:-1])))
    ends = np.concatenate((starts[1:], [len(leaf)])) - 1
    before = np.where(starts > 0, cumulated[starts - 1], 0.0)
    # The first document at which the cumulated weight reaches the share, but for rounding.
    aims = before + alpha * (cumulated[ends] - before) * REACHED
    hit = np.clip(np.searchsorted(cumulated, aims), starts, ends)
    result = np.zeros(int(leaf[-1]) + 1)
    result[leaf[starts]] = np.where(cumulated[ends] > before, values[order[hit]], 0.0)
    return result


@kernel
def by_leaf(leaf: Any, values: Any, weight: Any, place: Any, sorted_values: Any, sorted_weight: Any) -> None:
    """Write values and weights leaf by leaf; `place` holds where each leaf begins, and is used up."""
    for row in range(len(leaf)):
        to = place[leaf[row]]
        place[leaf[row]] = to + 1
        sorted_values[to] = values[row]
        if len(weight) > 0:
            sorted_weight[to] = weight[row]


@kernel
def select_quantiles(first: int, last: int, ptr: Any, values: Any, weight: Any, alpha: Any, result: Any) -> None:
    """Write the weighted quantile of each leaf by quickselect; values and weights are put in another order."""
    weighted = len(weight) > 0
    for leaf in range(first, last):
        low, high = ptr[leaf], ptr[leaf + 1] - 1
        total = float(high - low + 1)
        if weighted:
            total = weight[low : high + 1].sum()
        if high < low or total <= 0.0:
            continue
        aim, below = alpha * total * REACHED, 0.0
        # Documents before `low` weigh `below`, less than the aim; those up to `high` reach it.
        while low < high:
            pivot = values[(low + high) // 2]
            i, j = low - 1, high + 1
            while True:
                i += 1
                while values[i] < pivot:
                    i += 1
                j -= 1
                while values[j] > pivot:
                    j -= 1
                if i >= j:
                    break
                values[i], values[j] = values[j], values[i]
                if weighted:
                    weight[i], weight[j] = weight[j], weight[i]
            left = weight[low : j + 1].sum() if weighted else float(j + 1 - low)
            if below + left >= aim:
                high = j
            else:
                below, low = below + left, j + 1
        result[leaf] = values[low]
