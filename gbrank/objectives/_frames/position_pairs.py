"""The frame of pairwise losses of clicks: pairs multiplied by factors that depend on where documents were shown.

The loss of a pair of the better document i and the other document j is multiplied by ``up[i] * down[j]``.  What the
pairs cost without these factors is added up in the same pass, for the factors to be learnt from: document k costs
``sum_j cost_kj * down[j]`` as the better of its pairs, and ``sum_i cost_ik * up[i]`` as the other.  Weights of
documents are part of the cost, the weight of the query and `query_norm` are not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._checks import IntArray, ParameterError
from .._base import Labelled, Vector
from .pairs import NONE, PairBound, PairFrame


class PositionPairBound(PairBound):
    """A pairwise objective whose pairs have the factors `up` and `down`, each one number a document.

    With the frame's `costs`, each call of `gradient_hessian` leaves in `cost_up` and `cost_down`, shape
    (n_documents,), what each document costs as the better and as the other of its pairs.
    """

    def __init__(
        self, frame: PairFrame, gain: Vector, up: Vector, down: Vector, data: Labelled, engine: str,
        n_jobs: int | None,
    ) -> None:  # fmt: skip
        if frame.equal is not None:
            raise ParameterError(
                "pairs of equal labels have no better document whose position could correct them; leave them out."
            )
        super().__init__(frame._replace(factors=True), gain, data, engine, n_jobs)
        self.up, self.down = np.ascontiguousarray(up, np.float64), np.ascontiguousarray(down, np.float64)
        self.cost_up, self.cost_down = (np.zeros(len(gain)) if frame.costs else NONE for _ in range(2))

    def _factors(self) -> tuple[Vector, Vector, Vector, Vector]:
        return self.up, self.down, self.cost_up, self.cost_down

    def loss(self, score: npt.NDArray[Any], round: int = 0) -> Vector:
        costs = self.cost_up.copy(), self.cost_down.copy()
        value = super().loss(score, round)
        self.cost_up, self.cost_down = costs  # those of the last gradient
        return value

    def _define_rows(self, rows: IntArray, *args: Any) -> tuple[float, Vector, Vector]:
        s, gain, discount, w, ideal, _, cut, *_ = args
        up, down = self.up[rows], self.down[rows]
        cost_up, cost_down = np.zeros(len(rows)), np.zeros(len(rows))

        def factors(i: IntArray, j: IntArray, sign: Vector, cost: Vector) -> Vector:
            better, worse = cost * (sign > 0), cost * (sign < 0)  # of which i is the better, and of which it is not
            cost_up[i[:, 0]] += (better * down[j]).sum(axis=1)
            cost_down[j[0]] += (better * up[i]).sum(axis=0)
            cost_up[j[0]] += (worse * down[i]).sum(axis=0)
            cost_down[i[:, 0]] += (worse * up[j]).sum(axis=1)
            return np.where(sign > 0, up[i] * down[j], down[i] * up[j])

        found = self._add_pairs(s, gain, discount, w, ideal, cut, factors)
        if self.frame.costs:
            self.cost_up[rows], self.cost_down[rows] = cost_up, cost_down
        return found
