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

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._checks import DataError
from ..._compile import fixed_tuple, list_pointer, over_queries
from ...metrics._ranking import ALL, ideal_dcg
from .._base import Labelled, Vector
from .lambda_weights import LambdaWeight
from .lists import LEAST_BUFFER, SIGNATURE, ListBound, ListLoss, ListTargets
from .ranking import RankOptions

Phi = Callable[..., tuple[Any, Any, Any]]

PAIRS_AT_ONCE = 1 << 21  # of the numpy engine, so that a query of 10,000 documents needs no matrix of its size


class PairFrame(NamedTuple):
    """What a pairwise objective is made of."""

    phi: Phi
    params: tuple[float, ...]
    weight: LambdaWeight
    equal: Phi | None = None
    truncation: int | None = None
    score_norm: bool = False
    query_norm: bool = False
    hessian_factor: float = 1.0
    options: RankOptions = RankOptions()

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
        loss = ListLoss(self._define_list, frame.ranked, functools.partial(compile_pairs, frame))
        params = (float(min(cut, sizes.max())), float(frame.score_norm), float(frame.query_norm), *frame.params)
        super().__init__(loss, params, targets, data, engine, n_jobs)
        if not frame.ranked:
            # By label, so that the worse documents of each stand together, after it.
            query = np.repeat(np.arange(len(sizes)), sizes)
            self.ranking.rows = np.lexsort((-gain, query))

    def _define_list(
        self, s: Vector, gain: Vector, discount: Vector, w: Vector, ideal: float, seed: int, *params: float
    ) -> tuple[float, Vector, Vector]:
        """Return value (without the factor of `query_norm`), gradient and hessian of one list."""
        frame, n = self.frame, len(s)
        a, b = np.zeros(n), np.zeros(n)
        c = frame.weight.prepare(gain, discount, ideal, a, b)
        scaled = frame.score_norm and s.max() > s.min()
        g, h, value, total = np.zeros(n), np.zeros(n), 0.0, 0.0
        blocks = pair_blocks(n, int(params[0])) if frame.ranked else label_blocks(gain, frame.equal is not None)
        for i, j in blocks:
            margin = s[i] - s[j]
            worth = w[i] * w[j] * frame.weight.delta(i, j, gain[i], gain[j], a[i], a[j], b[i], b[j], c)
            if scaled:
                worth = worth / (0.01 + np.abs(margin))
            if frame.ranked or frame.equal is not None:
                worth = worth * (i < j)
            phi, d1, d2 = self._of_margins(margin, np.sign(gain[i] - gain[j]))
            lam, bend = worth * d1, worth * d2
            g[i[:, 0]] += lam.sum(axis=1)
            g[j[0]] -= lam.sum(axis=0)
            h[i[:, 0]] += bend.sum(axis=1)
            h[j[0]] += bend.sum(axis=0)
            value += float((worth * phi).sum())
            total += 2 * float(np.abs(lam).sum()) if frame.query_norm else 0.0
        if total > 0:
            factor = np.log2(1 + total) / total
            g, h = g * factor, h * factor
        return value, g, h

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


def _put_in(*args: Any) -> Any:  # what the templates below call is put in when they are compiled
    raise NotImplementedError


_phi = _equal = _prepare = _delta = _put_in
N_PARAMS = RANKED = TIES = SCORE_NORM = 0


def _pairs_of_list(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Add up the lambdas of a list's pairs, one document against all after it at a time."""
    n = len(s)
    a, b = np.empty(n + LEAST_BUFFER), np.empty(n + LEAST_BUFFER)
    c = _prepare(gain, discount, ideal, a, b)
    base, slope = (0.01, 1.0) if SCORE_NORM and s.max() > s.min() else (1.0, 0.0)
    own = fixed_tuple(params, N_PARAMS)[3:]
    total = 0.0
    group = 0  # where the label group of document i ends, if the list is in the order of labels
    for i in range(min(int(params[0]), n - 1)):
        if RANKED:
            group = i + 1
        else:
            while group < n and gain[group] == gain[i]:
                group += 1
        g_i, h_i = 0.0, 0.0
        s_i, gain_i, w_i, a_i, b_i = s[i], gain[i], w[i], a[i], b[i]
        # Unsigned: an index that cannot be negative needs no check, and only so do these become vector instructions.
        for j in range(np.uint64(group), np.uint64(n)):
            margin = s_i - s[j]
            worth = _delta(i, j, gain_i, gain[j], a_i, a[j], b_i, b[j], c) * w_i * w[j]
            if SCORE_NORM:
                worth /= base + slope * abs(margin)
            sign = 1.0
            if RANKED:
                sign = (1.0 if gain_i > gain[j] else 0.0) - (1.0 if gain_i < gain[j] else 0.0)
            _, d1, d2 = _phi(sign * margin, *own)
            lam, bend = sign * worth * d1, abs(sign) * worth * d2
            if RANKED and TIES:
                _, e1, e2 = _equal(margin, *own)
                lam += (1.0 - abs(sign)) * worth * e1
                bend += (1.0 - abs(sign)) * worth * e2
            g_i += lam
            h_i += bend
            g[j] -= lam
            h[j] += bend
            total += abs(lam)
        if TIES and not RANKED:
            for j in range(np.uint64(i + 1), np.uint64(group)):
                _, d1, d2 = _equal(s_i - s[j], *own)
                worth = w_i * w[j] / (base + slope * abs(s_i - s[j]))
                g_i += worth * d1
                h_i += worth * d2
                g[j] -= worth * d1
                h[j] += worth * d2
                total += abs(worth * d1)
        g[i] += g_i
        h[i] += h_i
    total *= 2.0
    if params[2] > 0.0 and total > 0.0:
        factor = np.log2(1.0 + total) / total
        for i in range(n):
            g[i] *= factor
            h[i] *= factor


def compile_pairs(frame: PairFrame) -> Any:
    """Return the pointer to a compiled loop over the pairs of a list, for one loss and one weight."""
    flags = int(frame.ranked), int(frame.equal is not None), int(frame.score_norm)
    return _compile(frame.phi, frame.equal, frame.weight, len(frame.params), *flags)


@functools.lru_cache(maxsize=256)
def _compile(
    phi: Phi, equal: Phi | None, weight: LambdaWeight, n_params: int, ranked: int, ties: int, score_norm: int
) -> Any:
    return list_pointer(
        _pairs_of_list, SIGNATURE, fast=True, _phi=phi, _equal=equal or phi, _prepare=weight.prepare,
        _delta=weight.delta, N_PARAMS=n_params + 3, RANKED=ranked, TIES=ties, SCORE_NORM=score_norm,
    )  # fmt: skip
