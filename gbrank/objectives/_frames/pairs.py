"""The frame of pairwise losses: every pair of documents of a query with different labels.

A pairwise loss is a plain NumPy function ``phi(d, *params)`` of the margin d = s_i - s_j of a pair with y_i > y_j; it
returns value, first and second derivative, elementwise.  A second such function, if there is one, serves the pairs
with equal labels.  Pairs are weighted by a `LambdaWeight` and by the product of their documents' weights.  With
`truncation`, one document of the pair must rank above that place.  With `score_norm`, weights are divided by
0.01 + |d|; with `query_norm`, a query's gradient and hessian are multiplied by log2(1 + S) / S, S being the sum of both
sides' absolute lambdas, as LightGBM does both.

The numpy engine broadcasts ``phi`` over each query's pair matrix and is the definition; the compiled engine hands the
same functions to the compiler, inlined into loops over pairs that become vector instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._checks import DataError
from ..._compile import over_queries
from ...metrics._ranking import ALL, ideal_dcg
from .._base import Gradients, Labelled, Vector
from .lambda_weights import LambdaWeight
from .lists import ListBound, ListLoss, ListTargets, differ, norm_factor
from .pair_lists import OfRatio, Phi, ValueOfRatio, compile_pairs, each_pair_list
from .ranking import RankOptions

WIDEST = 600.0
"""Spread of scores in a query, times the steepness, up to which ratios of exponentials neither overflow nor vanish."""
Factors = Callable[..., npt.NDArray[Any]]
NONE = np.empty(0)
PAIRS_AT_ONCE = 1 << 21  # of the numpy engine, so that a query of 10,000 documents needs no matrix of its size


class PairFrame(NamedTuple):
    """What a pairwise objective is made of.

    ``of_ratio(d, r, *params)``, if there is one, returns the derivatives that `phi` returns, given r = exp(-a d), where
    a is the last of the parameters, or 1 if there are none.  Pairs with equal labels cannot count then.
    ``value_of_ratio(d, r, *params)`` returns the value.  For `factors` and `costs` see `_frames.position_pairs`.
    """

    phi: Phi
    params: tuple[float, ...]
    weight: LambdaWeight
    equal: Phi | None = None
    truncation: int | None = None
    score_norm: bool = False
    query_norm: bool = False
    hessian_factor: float = 1.0
    options: RankOptions = RankOptions()
    of_ratio: OfRatio | None = None
    value_of_ratio: ValueOfRatio | None = None
    factors: bool = False
    costs: bool = False

    @property
    def ranked(self) -> bool:
        """Whether the order of the list matters."""
        return self.weight.ranked or self.truncation is not None


class PairBound(ListBound):
    """A pairwise objective tied to labels; `gain` is what a document of its label is worth to the weight."""

    def __init__(self, frame: PairFrame, gain: Vector, data: Labelled, engine: str, n_jobs: int | None) -> None:
        if frame.equal is None:
            require_pairs(gain, data.query_ptr)
        self.frame = frame
        cut = ALL if frame.truncation is None else frame.truncation
        sizes = np.diff(data.query_ptr)
        ideal = np.ones(len(sizes))
        if frame.weight.worth == "gain":
            discount = 1 / np.log2(np.arange(2, sizes.max() + 2))
            over_queries(ideal_dcg, data.query_ptr, gain, cut, discount, ideal, n_jobs=n_jobs)
        targets = ListTargets(gain, ideal, frame.options, frame.hessian_factor)
        loss = ListLoss(self._define_list, frame.ranked)
        self.cut = int(min(cut, sizes.max()))
        self.steepness = float(frame.params[-1]) if frame.params else 1.0
        query = np.repeat(np.arange(len(sizes)), sizes)
        self.by_label = np.lexsort((-gain, query))
        super().__init__(loss, (float(self.cut), self.steepness, *frame.params), targets, data, engine, n_jobs)
        if not frame.ranked:
            # By label, so that the worse documents of each stand together, after it.
            self.ranking.rows = self.by_label

    def compiled(self) -> Any:
        return compile_pairs(self.frame, self.frame.of_ratio)

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        if self.pointer is not None and self.frame.of_ratio is not None:
            spread = np.maximum.reduceat(score, self.query_ptr[:-1]) - np.minimum.reduceat(score, self.query_ptr[:-1])
            wide = spread.max() * self.steepness > WIDEST
            self.pointer = compile_pairs(self.frame, None if wide else self.frame.of_ratio)
        return super().gradient_hessian(score, round)

    def _compute(self, score: Vector, seed: int, weight: Vector, gradient: Vector, hessian: Vector) -> None:
        over_queries(
            each_pair_list, self.query_ptr, self.pointer, score, self.ranking.rows, self.by_label, self.cut, self.gain,
            weight, self.discount, self.ranking.smooth_discount, self.ideal, self.params, gradient, hessian,
            *self._factors(), n_jobs=self.n_jobs,
        )  # fmt: skip

    def _factors(self) -> tuple[Vector, Vector, Vector, Vector]:
        """Return the factors of better and of other documents, and the arrays that costs are written to."""
        return NONE, NONE, NONE, NONE

    def _define_list(
        self, s: Vector, gain: Vector, discount: Vector, w: Vector, ideal: float, seed: int, cut: float,
        steepness: float, *params: float,
    ) -> tuple[float, Vector, Vector]:  # fmt: skip
        """Return value (without the factor of `query_norm`), gradient and hessian of one list."""
        return self._add_pairs(s, gain, discount, w, ideal, cut)

    def _add_pairs(
        self, s: Vector, gain: Vector, discount: Vector, w: Vector, ideal: float, cut: float,
        factors: Factors | None = None,
    ) -> tuple[float, Vector, Vector]:  # fmt: skip
        """Do as `_define_list`; ``factors(i, j, sign, cost)`` returns those of pairs, told what they cost without."""
        frame, n = self.frame, len(s)
        a, b = np.zeros(n), np.zeros(n)
        c = frame.weight.prepare(gain, discount, ideal, a, b)
        scaled = frame.score_norm and differ(s)
        g, h, value, total = np.zeros(n), np.zeros(n), 0.0, 0.0
        blocks = pair_blocks(n, int(cut)) if frame.ranked else label_blocks(gain, frame.equal is not None)
        for i, j in blocks:
            margin = s[i] - s[j]
            worth = w[i] * w[j] * frame.weight.delta(i, j, gain[i], gain[j], a[i], a[j], b[i], b[j], c)
            if scaled:
                worth = worth / (0.01 + np.abs(margin))
            if frame.ranked or frame.equal is not None:
                worth = worth * (i < j)
            sign = np.sign(gain[i] - gain[j])
            phi, d1, d2 = self._of_margins(margin, sign)
            if factors is not None:
                worth = worth * factors(i, j, sign, np.abs(sign) * worth * phi)
            lam, bend = worth * d1, worth * d2
            g[i[:, 0]] += lam.sum(axis=1)
            g[j[0]] -= lam.sum(axis=0)
            h[i[:, 0]] += bend.sum(axis=1)
            h[j[0]] += bend.sum(axis=0)
            value += float((worth * phi).sum())
            total += 2 * float(np.abs(lam).sum()) if frame.query_norm else 0.0
        factor = norm_factor(total) if frame.query_norm else 1.0
        return value, g * factor, h * factor

    def _of_margins(self, margin: Vector, sign: Vector) -> tuple[Vector, Vector, Vector]:
        """Return value and derivatives by s_i - s_j of pairs whose right order is `sign`, 0 for equal labels."""
        phi, equal, params = self.frame.phi, self.frame.equal, self.frame.params
        value, d1, d2 = phi(sign * margin, *params)
        if sign.all():
            return value, sign * d1, d2
        unequal = np.abs(sign)
        parts = unequal * value, sign * d1, unequal * d2
        if equal is None:
            return parts
        value, d1, d2 = (part + (1 - unequal) * same for part, same in zip(parts, equal(margin, *params), strict=True))
        return value, d1, d2


Block = tuple[npt.NDArray[Any], npt.NDArray[Any]]


def pair_blocks(n: int, truncation: int) -> Iterator[Block]:
    """Yield the ranks i (as a column) and j (as a row) of the pair matrix in blocks of rows; pairs have i < j."""
    rows = max(1, PAIRS_AT_ONCE // n)
    ranks, last = np.arange(n), min(truncation, n - 1)
    for start in range(0, last, rows):
        yield ranks[start : min(start + rows, last), None], ranks[None, :]


def label_blocks(gain: Vector, with_equals: bool) -> Iterator[Block]:
    """Yield places i and j, as `pair_blocks`, of a list in the order of labels: each label against all lower ones.

    With `with_equals`, against its own too; pairs then have i < j.
    """
    n = len(gain)
    places = np.arange(n)
    ends = np.append(np.flatnonzero(gain[1:] != gain[:-1]) + 1, n)
    start = 0
    for end in ends:
        others = places[None, start if with_equals else end :]
        if others.size:
            rows = max(1, PAIRS_AT_ONCE // others.size)
            for first in range(start, end, rows):
                yield places[first : min(first + rows, end), None], others
        start = end


def require_pairs(gain: Vector, query_ptr: npt.NDArray[np.int64]) -> None:
    """Raise a `DataError` that says why, if no query has two documents with different labels."""
    if not np.any(np.maximum.reduceat(gain, query_ptr[:-1]) != np.minimum.reduceat(gain, query_ptr[:-1])):
        single = int((np.diff(query_ptr) == 1).sum())
        raise DataError(
            f"nothing to learn: none of the {len(query_ptr) - 1} queries has two documents with different labels "
            f"({single} queries have one document only). Check that `qid` names queries, not documents, and the labels."
        )
