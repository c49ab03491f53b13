r"""Measures as targets of sampled objectives: each is a walk down the list, and so is what a swap changes in it.

A measure of a ranked list with the values v_0, v_1, ... is here

.. math:: M = \frac{1}{N} \sum_p \theta_p v_p A_p, \qquad A_0 = 1, \quad A_{p+1} = A_p + (a - b A_p) v_p

with a weight :math:`\theta_p` of each place, 0 from the cutoff on, a norm N of the query, and A, which sums up the
places before: a = b = 0 leaves it at 1 (DCG, precision, recall); a = 1 counts what was found (average precision); b = 1
multiplies the chances 1 - v of going on (reciprocal rank, hit, ERR).  If the documents at the places p < q change
places, M changes by

.. math::
    \frac{v_q - v_p}{N} \Bigl(\theta_p A_p + \sum_{p < t < q} \theta_t v_t (a - b A'_t) - \theta_q A'_q\Bigr),

A' being A without the document from p.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ..._checks import IntArray, ParameterError, check_whole
from ...metrics import Measure, _lists
from ...metrics import measure as find_measure
from ...metrics._convention import Convention, discounts
from ...metrics._definitions import MEASURES
from ...metrics._ranking import ALL
from .._base import Labelled, Vector, single_labels
from .lists import ListBound, ListLoss, ListTargets
from .pairs import require_pairs
from .ranking import RankOptions
from .stabilisers import QueryNormed

B = TypeVar("B", bound=ListBound)


class Target(NamedTuple):
    """A measure of some labels: v of each document, N of each query, theta of each place, a and b."""

    value: Vector
    norm: Vector
    theta: Vector
    grow: float = 0.0
    decay: float = 0.0


def _ones(convention: Convention, n: int) -> Vector:
    return np.ones(n)


def _reciprocal(convention: Convention, n: int) -> Vector:
    return 1 / np.arange(1.0, n + 1)


WALKS: dict[Any, tuple[Callable[[Convention, int], Vector], float, float]] = {
    _lists.dcg: (discounts, 0.0, 0.0),
    _lists.found: (_ones, 0.0, 0.0),
    _lists.ap: (_reciprocal, 1.0, 0.0),
    _lists.rr: (_reciprocal, 0.0, 1.0),
    _lists.hit: (_ones, 0.0, 1.0),
    _lists.err: (_reciprocal, 0.0, 1.0),
}
"""What each function of one list is as a walk: theta without a cutoff, a and b."""


def target_of(measure: Measure, y: Vector, query_ptr: IntArray) -> Target:
    """Return the walk that `measure` is on these labels."""
    definition, convention, longest = MEASURES[measure.name], measure.convention, int(np.diff(query_ptr).max())
    weights, grow, decay = WALKS[definition.of_list]
    k = ALL if measure.k is None else measure.k
    value = definition.value(y, convention, str(measure))
    norm = np.ones(len(query_ptr) - 1)
    if definition.norm is not None:
        norm = definition.norm(value, query_ptr, convention, k, None)
    theta = np.zeros(longest)
    theta[:k] = (definition.table or weights)(convention, min(k, longest))
    return Target(value, norm, theta, grow, decay)


def read_target(name: str | Measure) -> str:
    """Return the name of a measure that can be a target, as it prints."""
    found = find_measure(name)
    if MEASURES[found.name].of_list not in WALKS or MEASURES[found.name].aspects:
        raise ParameterError(f"measure={found}: it is no measure that an objective can aim at.")
    if callable(found.convention.gain):
        raise ParameterError(
            f"measure={found}: its gain is a function, by which no objective can be saved; give the gains as a mapping "
            "{grade: gain}."
        )
    return str(found)


def before(v: npt.NDArray[Any], grow: float, decay: float) -> npt.NDArray[Any]:
    """Return A of each place, along the last axis."""
    above = np.ones_like(v)
    if decay > 0:
        above[..., 1:] = np.cumprod(1.0 - decay * v[..., :-1], axis=-1)
    elif grow > 0:
        above[..., 1:] += np.cumsum(grow * v[..., :-1], axis=-1)
    return above


@dataclass(frozen=True, kw_only=True, repr=False)
class Sampled(QueryNormed):
    """What objectives have in common whose gradients are means over drawn rankings.

    Draws depend on `random_state`, round and query alone: a run repeats, on either engine and any number of threads,
    and other rounds draw anew.  Ranks are those of noisy scores, which have no ties, and their mean over the draws
    moves smoothly with the scores; so there are no `rerank_every`, `rank_smoothing` and `ties`.

    Parameters
    ----------
    measure : str or Measure
        What is to become large: any of `gbrank.measure`, with cutoff and rules, as in "ndcg@10(gain=linear)".
    draws : int
        Rankings drawn of each query in each round.
    random_state : int
        Seed of all draws.
    query_norm, hessian_factor
        See `QueryNormed`.
    """

    shift_invariant: ClassVar[bool] = True

    measure: str | Measure = "ndcg@10"
    draws: int = 10
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._read_measure()
        check_whole("draws", self.draws)
        check_whole("random_state", self.random_state, lowest=0)

    def rank_options(self) -> RankOptions:
        """Return how ranks follow scores: here they are drawn."""
        return RankOptions(seed=self.random_state)

    def _read_measure(self) -> None:
        object.__setattr__(self, "measure", read_target(self.measure))

    def bound_to(
        self, loss: ListLoss, target: Target, params: tuple[float, ...], data: Labelled, engine: str,
        n_jobs: int | None, frame: type[B], query_norm: bool,
    ) -> B:  # fmt: skip
        """Return `loss` tied to the labels; its parameters are the given ones and the target's a and b."""
        require_pairs(target.value, data.query_ptr)
        targets = ListTargets(
            target.value, target.norm, self.rank_options(), self.hessian_factor, target.theta, query_norm
        )
        return frame(loss, (*params, target.grow, target.decay), targets, data, engine, n_jobs)

    def target(self, data: Labelled) -> Target:
        """Return the measure on the labels of `data`."""
        return target_of(find_measure(self.measure), single_labels(data, self.name), data.query_ptr)
