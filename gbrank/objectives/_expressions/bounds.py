"""Expressions tied to data: the sums over pairs, and over documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._base import Labelled, Vector, check_engine
from .._frames.gains import worth_of_labels
from .._frames.lambda_weights import LambdaWeight
from .._frames.lists import differ, norm_factor
from .._frames.pairs import PairBound, PairFrame, label_blocks, pair_blocks
from .._frames.points import PointBound
from .._frames.ranking import RankOptions
from .._yours.decorators import best_start
from .derivatives import usable
from .interpretation import compile_pairs, compile_points
from .nodes import Expression
from .programs import program

GAINS = frozenset(("dG", "Gi", "Gj", "IDCG"))
RANKS = frozenset(("dD", "ri", "rj"))


class ExpressionPairs(PairBound):
    """A loss of pairs tied to labels."""

    def __init__(
        self, loss: Expression, gain: str, truncation: int | None, norms: tuple[bool, bool], hessian_factor: float,
        options: RankOptions, name: str, data: Labelled, engine: str, n_jobs: int | None,
    ) -> None:  # fmt: skip
        gained, ranked = bool(loss.names & GAINS), bool(loss.names & RANKS)
        self.expression, self.of_exp = loss, gained and gain == "exp"
        weight = LambdaWeight("expression", _unused, _unused, worth="gain" if gained else "label", ranked=ranked)
        frame = PairFrame(_unused, (), weight, None, truncation, *norms, hessian_factor, options)
        worth = worth_of_labels(data.y, gain, name) if gained else data.y
        super().__init__(frame, worth, data, engine, n_jobs)
        if self.pointer is not None:
            self.params = np.array([self.cut, *norms, self.of_exp, *program(loss, "pair")])

    def compiled(self) -> Any:
        return compile_pairs()

    def _define_list(
        self, s: Vector, gain: Vector, discount: Vector, w: Vector, ideal: float, seed: int, cut: float,
        steepness: float, *params: float,
    ) -> tuple[float, Vector, Vector]:  # fmt: skip
        """Return value (without the factor of `query_norm`), gradient and hessian of one list."""
        frame, n = self.frame, len(s)
        label = np.floor(np.log2(gain + 1.0) + 0.5) if self.of_exp else gain
        g, h, value, total = np.zeros(n), np.zeros(n), 0.0, 0.0
        for i, j in pair_blocks(n, int(cut)) if frame.ranked else label_blocks(gain, False):
            sign = np.sign(gain[i] - gain[j]) * ((i < j) if frame.ranked else 1)
            margin = s[i] - s[j]
            better, worse = np.where(sign > 0, i, j), np.where(sign > 0, j, i)
            phi, d1, d2 = self.expression.evaluate({
                "d": sign * margin, "dG": gain[better] - gain[worse], "dY": label[better] - label[worse],
                "dD": np.abs(discount[i] - discount[j]), "Gi": gain[better], "Gj": gain[worse], "ri": better + 1.0,
                "rj": worse + 1.0, "IDCG": ideal,
            })  # fmt: skip
            d1, d2 = usable(d1, d2)
            worth = w[i] * w[j] * np.abs(sign)
            if frame.score_norm and differ(s):
                worth = worth / (0.01 + np.abs(margin))
            lam, bend = sign * worth * d1, worth * d2
            g[i[:, 0]] += lam.sum(axis=1)
            g[j[0]] -= lam.sum(axis=0)
            h[i[:, 0]] += bend.sum(axis=1)
            h[j[0]] += bend.sum(axis=0)
            value += float((worth * phi).sum())
            total += 2 * float(np.abs(lam).sum())
        factor = norm_factor(total) if frame.query_norm else 1.0
        return value, g * factor, h * factor


def _unused(*args: Any) -> Any:
    raise NotImplementedError


def point_of(loss: Expression) -> Callable[..., Any]:
    """Return the loss of label and score as a function of arrays; the program is for the compiled engine."""

    def point(y: Any, s: Any, *program: Any) -> Any:
        value, d1, d2 = loss.evaluate({"y": y, "s": s}, "s")
        return value, *usable(d1, d2)

    return point


class ExpressionPoints(PointBound):
    """A loss of documents tied to labels; boosting starts from the `best` constant, or from 0."""

    def __init__(self, loss: Expression, data: Labelled, engine: str, n_jobs: int | None, best: bool) -> None:
        check_engine(engine)
        point = point_of(loss)
        start = best_start(point, ()) if best else None
        super().__init__(point, (program(loss, "point"),), data.y, data, "numpy", n_jobs, start)
        if engine == "compiled":
            self.passing, self.ptr = compile_points(), self.query_ptr
