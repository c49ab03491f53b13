"""The frame of pairwise losses in which each clicked document is compared with all others of its query.

A clicked document stands twice: with all others, and again as the better of every pair.  So pairs are those of two
labels, made block by block and kept nowhere, and memory grows with documents.  That a document meets itself, at a
margin of 0, adds nothing to its gradient, and is taken off its hessian and the loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._base import HESSIAN_FLOOR, Gradients, Labelled, Targets, Vector
from .pairs import PairFrame
from .position_pairs import PositionPairBound
from .wrapped import WrappedBound


class AgainstAllBound(WrappedBound):
    """The pairs of each clicked document i with all others of its query, multiplied by ``up[i]``.

    `frame` is that of pairs which weigh the same; `clicked` says which documents are.
    """

    def __init__(
        self, frame: PairFrame, clicked: npt.NDArray[np.bool_], up: Vector, data: Labelled, engine: str,
        n_jobs: int | None,
    ) -> None:  # fmt: skip
        self.n = len(clicked)
        query = np.repeat(np.arange(len(data.query_ptr) - 1), np.diff(data.query_ptr))
        row = np.append(np.arange(self.n), np.flatnonzero(clicked))
        order = np.argsort(query[row], kind="stable")
        self.rows, again = row[order], order >= self.n
        weight = np.ones(self.n) if data.sample_weight is None else data.sample_weight
        both = Targets(
            again.astype(np.float64),
            np.searchsorted(query[self.rows], np.arange(len(data.query_ptr))),
            weight[self.rows],
            data.query_weight,
        )
        super().__init__(PositionPairBound(frame, both.y, up[self.rows], np.ones(len(self.rows)), both, engine, n_jobs))
        value, _, bend = (float(each[0]) for each in frame.phi(np.zeros(1), *frame.params))
        itself = clicked * up * weight**2
        if data.query_weight is not None:
            itself = itself * data.query_weight[query]
        self.own_loss = value * np.bincount(query, itself)
        self.own_hessian = 2 * bend * frame.hessian_factor * itself

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        found = self.base.gradient_hessian(score[self.rows], round)
        gradient, hessian = (np.bincount(self.rows, each, self.n) for each in found)
        return gradient, np.maximum(hessian - self.own_hessian, HESSIAN_FLOOR * np.abs(gradient))

    def loss(self, score: npt.NDArray[Any]) -> Vector:
        return self.base.loss(score[self.rows]) - self.own_loss
