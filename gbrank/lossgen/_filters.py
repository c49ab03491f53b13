"""What is asked of a loss before a tree is grown with it, cheapest first.

All questions are answered on one grid of pairs (or documents): score differences from -30 to 30, each for some pairs
that differ in labels, ranks and ideal DCG.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from .._checks import GbrankError
from ..objectives._expressions import LEAVES, Binary, Constant, Expression
from ..objectives._expressions.nodes import VARIABLE
from ._graph import Graph

Values = npt.NDArray[np.float64]

LARGEST = 100  # operators and leaves of a loss written out
REACH = 30.0  # of scores, or their differences
NEAR = 3.0  # where scores are in most trainings
FLAT = 1e-9  # a slope below this share of the mean one is none
STEEPEST = 1e15  # of the mean slope: the exponential loss comes to 1e13 at a difference of -30
LEAST = 1e-30  # mean slope
SCALES = (1e-3, 1e3)  # of mean slopes that need no factor
DIGITS = 4  # by which normalised gradients are the same

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "large": f"more than {LARGEST} operators and leaves written out",
        "scoreless": "does not depend on the score",
        "overflow": "steeper somewhere than boosters' single precision can take",
        "flat": "no slope where training starts, or nowhere",
        "reversed": "pushes the worse document up",
        "duplicate": "the gradient of an earlier one, but for a factor",
        "untrainable": "cannot be trained with",
        "clearly worse": "than LambdaRank after a short training on a tenth of the queries",
    }
)
"""Why a loss is rejected, in the order in which it is asked."""


def probe(kind: str) -> dict[str, Values]:
    """Return the grid: one array of shape (n_settings, n_scores), flattened, for each leaf of the kind."""
    fine = np.linspace(-NEAR, NEAR, 25)
    scores = np.unique(np.concatenate([np.linspace(-REACH, REACH, 31), fine]))
    settings = _pairs() if kind == "pair" else {"y": np.array([0.0, 1.0, 2.0, 3.0, 4.0])}
    n = len(next(iter(settings.values())))
    grid = {name: np.repeat(values, len(scores)) for name, values in settings.items()}
    return {VARIABLE[kind]: np.tile(scores, n)} | grid


def _pairs() -> dict[str, Values]:
    """Return pairs as they occur, the better document first: labels, ranks and the ideal DCG of their query."""
    better, worse, first, second, ideal = np.array(
        [(1, 0, 1, 2, 1), (1, 0, 2, 1, 1.6), (2, 0, 1, 10, 4), (2, 1, 10, 1, 5), (3, 0, 4, 30, 9), (4, 2, 40, 3, 25),
         (1, 0, 60, 90, 3), (4, 0, 2, 7, 15)], dtype=np.float64,
    ).T  # fmt: skip
    gains, discounts = 2.0 ** np.array([better, worse]) - 1.0, 1.0 / np.log2(np.array([first, second]) + 1.0)
    return {
        "dG": gains[0] - gains[1], "dD": np.abs(discounts[0] - discounts[1]), "dY": better - worse,
        "Gi": gains[0], "Gj": gains[1], "ri": first, "rj": second, "IDCG": ideal,
    }  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """What the grid says of a loss: why it is rejected, if so, its fingerprint, and the factor it is trained with."""

    reason: str | None
    fingerprint: str = ""
    factor: float = 1.0


class Grid:
    """The grid of a kind of losses, and what is asked of them on it."""

    def __init__(self, kind: str) -> None:
        points = probe(kind)
        self.score = VARIABLE[kind]
        self.leaves = {name: points[name] for name in LEAVES[kind]}
        scores = np.unique(points[self.score])
        self.shape = -1, len(scores)
        self.near, self.below, self.start = np.abs(scores) <= NEAR, scores < 0, scores == 0
        self.wrong_way = self._pair_reversed if kind == "pair" else self._point_reversed

    def judge(self, loss: Expression) -> Judged:
        """Return the verdict on a loss, in its canonical form."""
        if self.score not in loss.names:
            return Judged("scoreless")
        try:
            value, slope, bend = loss.evaluate(self.leaves, wrt=self.score)
        except GbrankError:
            return Judged("overflow")
        slopes = slope.reshape(self.shape)
        mean = float(np.abs(slopes[:, self.near]).mean())
        if not LEAST < mean < 1.0 / LEAST:
            return Judged("flat" if mean <= LEAST else "overflow")
        if max(np.abs(slope).max(), np.abs(bend).max()) > STEEPEST * mean:
            return Judged("overflow")
        reason = self.wrong_way(value.reshape(self.shape) / mean, slopes / mean)
        return Judged(reason) if reason else Judged(None, _fingerprint(slopes / mean), _factor(mean))

    def _pair_reversed(self, values: Values, slopes: Values) -> str | None:
        """A loss shall fall with d up to 0, where training starts, also over a pole, and not rise everywhere above."""
        left = self.below | self.start
        falling = values[:, left]
        if (slopes[:, left] > FLAT).any() or (np.diff(falling) > FLAT * np.abs(falling[:, 1:])).any():
            return "reversed"
        if not (slopes[:, self.start] < -FLAT).any():
            return "flat"
        above = slopes[:, ~self.below & ~self.start]
        return "reversed" if (above > FLAT).all() else None

    def _point_reversed(self, values: Values, slopes: Values) -> str | None:
        """The higher a label, the more its document shall be pushed up, at scores as they are in training."""
        steps = np.diff(slopes[:, self.near], axis=0)
        if (steps > FLAT).any():
            return "reversed"
        return None if (steps < -FLAT).any(axis=0).all() else "flat"


@functools.lru_cache(maxsize=2)
def grid(kind: str) -> Grid:
    """Return the grid of a kind."""
    return Grid(kind)


def _fingerprint(slopes: Values) -> str:
    """Return a digest of slopes, relative to their mean and to so many digits; large ones are compressed."""
    whole = np.rint(np.arcsinh(slopes) * 10.0**DIGITS).astype(np.int64)
    return hashlib.blake2b(np.ascontiguousarray(whole).tobytes(), digest_size=16).hexdigest()


def _factor(mean: float) -> float:
    """Return the power of two that brings a mean slope near 1, or 1 where it is in `SCALES`."""
    low, high = SCALES
    return 1.0 if low <= mean <= high else float(2.0 ** -np.round(np.log2(mean)))


def rescaled(loss: Expression, factor: float) -> Expression:
    """Return the loss times a factor, in canonical form."""
    return loss if factor == 1.0 else Binary("multiply", Constant(factor), loss).canonical()


def too_large(graph: Graph) -> bool:
    """Tell whether a program's loss, written out, is larger than a search goes into."""
    return graph.size > LARGEST
