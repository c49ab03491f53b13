"""A penalty for documents that are like those ranked above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .. import _scalar_math
from .._checks import DataError, ParameterError, check_positive, check_whole
from .._compile import fast_kernel, kernel, over_queries
from ._base import OBJECTIVES, Bound, Labelled, Vector
from ._frames.lists import LEAST_BUFFER, LN2, ListBound, ListLoss, ListTargets
from ._frames.pairs import require_pairs
from ._frames.stabilisers import QueryNormed
from ._smooth_ranks import WIDTH


class DiversityBound(ListBound):
    """The penalty tied to what documents are like: rows of length 1 (or 0), or of one number, the document's kind."""

    def __init__(
        self, table: npt.NDArray[np.float64], of_kinds: bool, temperature: float, objective: QueryNormed,
        data: Labelled, engine: str, n_jobs: int | None,
    ) -> None:  # fmt: skip
        self.table, self.of_kinds = table, of_kinds
        # In place of a gain, each document has its number, by which the definition finds its row of the table.
        targets = ListTargets(
            np.arange(len(table), dtype=np.float64), most_alike(data.query_ptr),
            hessian_factor=objective.hessian_factor, query_norm=objective.query_norm,
        )  # fmt: skip
        super().__init__(ListLoss(self._define_list), (temperature,), targets, data, engine, n_jobs)

    def compiled(self) -> Any:
        return add_penalties

    def _compute(self, score: Vector, seed: int, weight: Vector, gradient: Vector, hessian: Vector) -> None:
        gradient.fill(0.0)
        over_queries(
            add_penalties, self.query_ptr, score, self.table, self.of_kinds, weight, self.ideal, self.params[0],
            gradient, hessian, n_jobs=self.n_jobs,
        )  # fmt: skip

    def _define_list(
        self, s: Vector, number: Vector, discount: Vector, w: Vector, most: float, seed: int, temperature: float
    ) -> tuple[float, Vector, Vector]:
        """Return the penalty of one list, its gradient, and the hessian that stands in for its second derivative."""
        if most == 0.0:
            return 0.0, np.zeros(len(s)), np.zeros(len(s))
        rows = self.table[number.astype(np.int64)]
        alike = 1.0 * (rows == rows.T) if self.of_kinds else np.maximum(rows @ rows.T, 0.0)
        np.fill_diagonal(alike, 0.0)
        x = (s[None, :] - s[:, None]) / temperature
        e = np.exp(-np.abs(x))
        above = np.where(x >= 0.0, 1.0, e) / (1.0 + e)  # how far j (column) stands above i (row)
        slope = e / (1.0 + e) ** 2 / temperature
        rank, seen = 0.5 + above.sum(axis=1), (alike * above).sum(axis=1)
        log = np.log2(1.0 + rank)
        f = 1.0 / (rank * log)
        steep = -f * (1.0 / rank + 1.0 / (LN2 * (1.0 + rank) * log))
        worth = w / most
        push = slope * (worth * steep * seen)[:, None] + slope * alike * (worth * f)[:, None]
        np.fill_diagonal(push, 0.0)
        g = push.sum(axis=0) - push.sum(axis=1)
        return float((worth * f * seen).sum()), g, np.abs(g) / (WIDTH * temperature)


def most_alike(query_ptr: npt.NDArray[np.int64]) -> Vector:
    """Return, for each query, what the penalty is before division if all documents are alike."""
    sizes = np.diff(query_ptr)
    place = np.arange(1.0, sizes.max() + 1)
    return np.asarray(np.cumsum((place - 1) / (place * np.log2(1 + place)))[sizes - 1])


@kernel
def add_penalties(
    first: int, last: int, query_ptr: Any, score: Any, table: Any, of_kinds: bool, weight: Any, most: Any,
    temperature: float, gradient: Any, hessian: Any,
) -> None:  # fmt: skip
    """Do as the definition; `gradient` comes with zeros."""
    size = LEAST_BUFFER
    for q in range(first, last):
        size = max(size, query_ptr[q + 1] - query_ptr[q])
    alike, slope = np.empty(size), np.empty(size)
    for q in range(first, last):
        start, end = query_ptr[q], query_ptr[q + 1]
        s, rows, g = score[start:end], table[start:end], gradient[start:end]
        if most[q] > 0.0:
            for i in range(end - start):
                find_alike(i, rows, of_kinds, alike)
                worth = (weight[start + i] if len(weight) > 0 else 1.0) / most[q]
                add_penalty(i, worth, 1.0 / temperature, s, alike, slope, g)
        for i in range(start, end):
            gradient[i] /= temperature
            hessian[i] = abs(gradient[i]) / (WIDTH * temperature)


@fast_kernel
def find_alike(i: int, rows: Any, of_kinds: bool, alike: Any) -> None:
    """Write how far each document is like document i."""
    own = rows[i]
    for j in range(len(rows)):
        other, product = rows[j], 0.0
        if of_kinds:
            product = 1.0 if own[0] == other[0] else 0.0
        else:
            for c in range(len(own)):
                product += own[c] * other[c]
        alike[j] = max(product, 0.0)
    alike[i] = 0.0


@fast_kernel
def add_penalty(i: int, worth: float, scale: float, s: Any, alike: Any, slope: Any, g: Any) -> None:
    """Add, times the temperature, the gradient of the penalty of document i; `slope` is a place to work in."""
    rank, seen, s_i = 0.5, 0.0, s[i]
    for j in range(len(s)):
        x = (s[j] - s_i) * scale
        e = _scalar_math.exp(-abs(x))
        larger = 1.0 / (1.0 + e)
        above = larger if x >= 0.0 else e * larger
        rank += above
        seen += alike[j] * above
        slope[j] = larger * larger * e
    slope[i] = 0.0
    log = np.log2(1.0 + rank)
    f = worth / (rank * log)
    steep = -f * (1.0 / rank + 1.0 / (LN2 * (1.0 + rank) * log)) * seen
    total = 0.0
    for j in range(len(s)):
        push = slope[j] * (steep + f * alike[j])
        g[j] += push
        total += push
    g[i] -= total


@OBJECTIVES.add("diversity_penalty", "diversity")
@dataclass(frozen=True, repr=False)
class DiversityPenalty(QueryNormed):
    r"""Diversity penalty: how far documents are like those ranked above them, the higher the rank the more it counts.

    :math:`L = \frac{1}{N} \sum_i \frac{w_i}{r_i \log_2(1 + r_i)} \sum_{j \ne i} A_{ij}\, \sigma((s_j - s_i) / \tau)`
    with the likeness :math:`A_{ij}` from 0 to 1, the smooth ranks :math:`r_i = 1 + \sum_{j \ne i} \sigma((s_j - s_i) /
    \tau)` of `ApproxNDCG`, and N such that L is 1 at whole ranks if all documents are alike.  With ranks that are
    whole numbers, each document counts by its mean likeness to what is at its rank or above, itself without any,
    discounted as in DCG.  (Without a discount the sum would be a constant: one of two documents is always above.)

    It knows no relevance: add it to an objective that does, ``LambdaRank().on(0) + 0.5 * DiversityPenalty(columns=[1,
    2, 3])``.  What documents are about is needed in training only, as label columns; features tell it when the model
    ranks.  The penalty is not convex; in place of its second derivative stands :math:`|\partial L / \partial s_i| / (4
    \tau)`, as in `ApproxNDCG`.  A document's weight multiplies its own penalty.

    Parameters
    ----------
    columns : int, sequence of int, or None
        The label columns, from 0, that tell what documents are about.  Several hold a vector, and A is the cosine of
        two vectors, 0 where that is negative or a vector is zero; one, given as a number, holds the document's kind,
        and A is 1 for the same kind.  With None, the only label column is the kind.
    temperature : float
        :math:`\tau`, what differences of scores are divided by.
    query_norm, hessian_factor
        See `QueryNormed`.

    References
    ----------
    Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries", SIGIR 1998 (likeness to what is above).

    Qin, Liu and Li, "A General Approximation Framework for Direct Optimization of Information Retrieval Measures",
    Information Retrieval 13, 2010, section 4 (smooth ranks).

    Examples
    --------
    Three equal scores; two documents are of kind 5, and the third is raised above them:

    >>> gradient, _ = DiversityPenalty().gradient_hessian([5, 5, 7], [0.0, 0.0, 0.0], query_ptr=[0, 3])
    >>> gradient.round(4).tolist()
    [0.0488, 0.0488, -0.0977]
    """

    name: ClassVar[str] = "diversity_penalty"
    shift_invariant: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    columns: int | Sequence[int] | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("temperature", self.temperature)
        if not isinstance(self.columns, Sequence):
            if self.columns is not None:
                check_whole("columns", self.columns, lowest=0)
            return
        if len(set(self.columns)) < max(2, len(self.columns)):
            raise ParameterError(
                f"columns={self.columns!r}: a vector has at least two columns, each given once; a single column of "
                "kinds is given as its number."
            )
        for column in self.columns:
            check_whole("columns", column, lowest=0)
        object.__setattr__(self, "columns", tuple(self.columns))

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        table, of_kinds = self._table(data)
        return DiversityBound(table, of_kinds, float(self.temperature), self, data, engine, n_jobs)

    def _table(self, data: Labelled) -> tuple[npt.NDArray[np.float64], bool]:
        """Return a row of each document, and whether it is its kind."""
        labels = data.y.reshape(len(data.y), -1)
        columns = self.columns
        if columns is None and labels.shape[1] > 1:
            raise DataError(
                f"{self.name}: there are {labels.shape[1]} label columns; say by `columns` which one holds kinds, or "
                "which ones hold vectors."
            )
        of_kinds = columns is None or isinstance(columns, int)
        chosen = [0] if columns is None else [columns] if isinstance(columns, int) else list(columns)
        if max(chosen) >= labels.shape[1]:
            raise DataError(
                f"{self.name}: columns={columns!r}, and the data have {labels.shape[1]} label columns, counted from 0."
            )
        table = np.ascontiguousarray(labels[:, chosen], dtype=np.float64)
        if of_kinds:
            require_pairs(table[:, 0], data.query_ptr)
            return table, True
        length = np.linalg.norm(table, axis=1, keepdims=True)
        if not length.any():
            raise DataError(f"{self.name}: all vectors are zero; columns={columns!r} hold nothing to compare.")
        return np.divide(table, length, out=np.zeros_like(table), where=length > 0), False
