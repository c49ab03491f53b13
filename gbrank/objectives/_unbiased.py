"""LambdaRank from clicks that learns the bias of positions while it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_choice, check_positive, check_whole
from ._base import OBJECTIVES, Bound, Labelled, State, Vector, row_weights, shown_positions, single_labels
from ._frames.pairs import PairFrame
from ._frames.position_pairs import PositionPairBound
from ._inverse_propensity import check_clip
from ._pairwise import LambdaRank
from ._position_pairs import require_pairs_of_labels

CURVES = ("click_bias", "skip_bias")
LEAST = 1e-16
"""The least bias that a pair is divided by, and the least cost of position 1 that others are divided by."""


@dataclass(frozen=True)
class Places:
    """Where documents were shown, as the places of a curve.

    Attributes
    ----------
    of_document : int array of shape (n_documents,)
        The place of each document, from 0; that of the last holds all positions from there on.
    corrected : bool array of shape (n_documents,)
        Whether the document's position has a place of its own, or shares the last.
    share : array of shape (n_places,)
        What the costs of a place are multiplied by: of the last, so that they are those of one position.
    """

    of_document: IntArray
    corrected: npt.NDArray[np.bool_]
    share: Vector


def places_of(data: Labelled, n_positions: int, beyond: str, name: str) -> Places:
    """Return the places of the documents' positions in a curve of up to `n_positions`.

    Raises
    ------
    DataError
        No document stood at position 1, to which the others are relative.
    """
    position = shown_positions(data, name)
    if position.min() > 1:
        raise DataError(
            f"position: the first is {position.min()}; {name} measures each position by what the documents at "
            "position 1 cost, so positions have to begin there."
        )
    size = min(n_positions, int(position.max()))
    place = np.minimum(position, size) - 1
    corrected = np.ones(len(position), dtype=bool) if beyond == "last" else position <= size
    share = np.ones(size)
    if beyond == "last" and position.max() > size:
        weight = row_weights(data)
        shown = np.bincount(position, weight)[size:]
        share[-1] = shown[0] / shown.sum() if shown[0] > 0 else 1 / max(1, int((shown > 0).sum()))
    return Places(place, corrected, share)


class UnbiasedBound(PositionPairBound):
    """Unbiased LambdaRank tied to clicks; `bias` has the two curves, shape (2, n_places)."""

    def __init__(
        self, frame: PairFrame, gain: Vector, places: Places, power: float, clip: float | None, data: Labelled,
        engine: str, n_jobs: int | None,
    ) -> None:  # fmt: skip
        ones = np.ones(len(gain))
        super().__init__(frame._replace(costs=True), gain, ones, ones, data, engine, n_jobs)
        self.places, self.power, self.least = places, power, LEAST if clip is None else clip
        self._use(np.ones((2, len(places.share))))

    def _use(self, bias: Vector) -> None:
        """Divide pairs by these curves from now on."""
        self.bias = bias
        inverse = np.where(bias >= LEAST, 1 / np.maximum(bias, self.least), 1.0)
        place, corrected = self.places.of_document, self.places.corrected
        self.up, self.down = (np.where(corrected, curve[place], 1.0) for curve in inverse)

    def end_round(self, score: npt.NDArray[Any]) -> None:
        """Take the curves from what the pairs of the last gradient cost."""
        bias = self.bias.copy()
        for curve, cost in zip(bias, (self.cost_up, self.cost_down), strict=True):
            counted = cost * self.places.corrected
            if self.query_weight is not None:
                counted = counted * self.query_weight
            by_place = np.bincount(self.places.of_document, counted, len(curve)) * self.places.share
            if by_place[0] >= LEAST:
                curve[:] = (by_place / by_place[0]) ** self.power
        self._use(bias)

    def state(self) -> State:
        return dict(zip(CURVES, self.bias.copy(), strict=True))

    def resume(self, state: State, rounds: int) -> None:
        found = [np.asarray(state.get(name, ()), dtype=np.float64) for name in CURVES]
        if any(curve.shape != (self.bias.shape[1],) for curve in found):
            raise ParameterError(
                f"init_model: learnt the bias of {found[0].size} positions, and these data have {self.bias.shape[1]}; "
                "set n_positions to the number that both have, or train anew."
            )
        self._use(np.array(found))


@OBJECTIVES.add("unbiased_lambdarank", "unbiased_lambdamart")
@dataclass(frozen=True, repr=False)
class UnbiasedLambdaRank(LambdaRank):
    r"""Unbiased LambdaMART: LambdaRank from clicks, with the bias of positions learnt while it trains.

    :math:`L = \sum_{c_i > c_j} \ell_{ij} / (t^+_{k_i} t^-_{k_j})` with the cost :math:`\ell_{ij} = \Delta_{ij} \log(1 +
    e^{-a (s_i - s_j)})` of a pair in `LambdaRank`, the clicked document shown at position :math:`k_i` and the other at
    :math:`k_j`.  A click at a position where few look counts more, and so does it against a document that was looked at
    and skipped.  Labels are clicks, 0 or 1, or (with ``gain="linear"``) their numbers; positions are needed in training
    only.

    Both curves start at 1.  After each round, :math:`t^+_k = (C^+_k / C^+_1)^{1 / (1 + p)}` with :math:`C^+_k =
    \sum_{k_i = k} \ell_{ij} / t^-_{k_j}`, and :math:`t^-_k = (C^-_k / C^-_1)^{1 / (1 + p)}` with :math:`C^-_k =
    \sum_{k_j = k} \ell_{ij} / t^+_{k_i}`, of the scores and curves before the round.  They are known up to a factor:
    position 1 has 1.  Where position 1 costs nothing, a curve stays as it is; a position that costs nothing has 0 and
    divides nothing.  They are saved with the model, and are `GBRanker.position_bias_`.

    Costs are sums over what was shown, so a curve also falls where fewer lists are as long, and where the ranker that
    showed the documents put worse ones.  If they were shown in random order, the click curve of ``bias_norm=0`` comes
    near the probability that a position is examined.

    With ``engine="native"`` XGBoost's own does it (LightGBM's own is `PositionTerm`).  It takes the order of rows for
    the positions, so these have to agree.  As the cost of a pair it adds up :math:`\log(1 + e^{s_i - s_j})`, the loss
    of the reverse order; after the first round, where all scores are equal, its curves therefore differ from those
    here.

    Parameters
    ----------
    bias_norm : float
        p, at least 0: the greater, the nearer the curves are to 1.  With 0 they are the ratios of costs.
    n_positions : int
        Length of the curves; shorter where no position is as great.
    beyond : {"last", "uncorrected"}
        What is done with documents shown beyond: they share the last place, whose cost is that of a document there
        times how many stood at that position; or they keep a factor of 1, and cost nothing.
    clip : float or None
        The least bias that pairs are divided by, of each curve: without, a position that is hardly clicked has pairs
        of any weight.  Curves may be below.
    weight, truncation, gain, ...
        See `LambdaRank`: with ``weight="uniform"``, it is RankNet that is corrected.

    References
    ----------
    Hu, Wang, Peng and Li, "Unbiased LambdaMART: An Unbiased Pairwise Learning-to-Rank Algorithm", WWW 2019, section 4.

    Examples
    --------
    The first round is that of LambdaRank; in the second, the click at position 3 counts more.

    >>> from gbrank.objectives import Targets
    >>> clicks, shown = np.array([1.0, 0, 0, 0, 0, 1]), np.array([1, 2, 3, 1, 2, 3])
    >>> bound = UnbiasedLambdaRank(query_norm=False).bind(Targets(clicks, np.array([0, 3, 6]), position=shown))
    >>> for round in range(2):
    ...     print(bound.gradient_hessian(np.zeros(6), round)[0].round(2).tolist())
    ...     bound.end_round(np.zeros(6))
    [-0.43, 0.18, 0.25, 0.25, 0.07, -0.32]
    [-0.43, 0.18, 0.25, 0.29, 0.08, -0.37]
    """

    name: ClassVar[str] = "unbiased_lambdarank"
    bias_norm: float = 1.0
    n_positions: int = 30
    beyond: str = "last"
    clip: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("bias_norm", self.bias_norm, zero=True)
        check_whole("n_positions", self.n_positions)
        check_choice("beyond", self.beyond, ("last", "uncorrected"))
        check_clip(self.clip)
        require_pairs_of_labels(self)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        gain = self.worth_of(single_labels(data, self.name))
        places = places_of(data, self.n_positions, self.beyond, self.name)
        return UnbiasedBound(self.frame(), gain, places, 1 / (1 + self.bias_norm), self.clip, data, engine, n_jobs)

    def position_bias(self, state: State) -> dict[str, Vector]:
        return {name: np.asarray(state[name]) for name in CURVES}
