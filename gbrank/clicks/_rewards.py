"""Rewards of a ranking that are sums over its documents: what a document brings by the rank at which it stands.

A document that attracts with the probability a brings ``weight(rank) a + constant(rank)`` in expectation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector
from .._registry import unknown
from ._model import ClickModel, numbers_of_ranks
from ._position import PositionBased, TrustBias

Vector = npt.NDArray[np.float64]
_SPELLING = re.compile(r"([a-z]+)(?:@([1-9]\d{0,17}))?")
NAMES = ("dcg", "precision", "ctr")


@dataclass(frozen=True)
class Examination:
    """Examination by rank: ``P(click | rank k) = alpha[k - 1] a + beta[k - 1]`` for attraction a; nothing below them.

    Attributes
    ----------
    alpha, beta : array of shape (n_ranks,)
    """

    alpha: Vector
    beta: Vector

    @classmethod
    def read(cls, propensity: npt.ArrayLike | ClickModel) -> Examination:
        """Return the propensities of an array, or of a click model in which a click depends on nothing but its rank.

        Raises
        ------
        DataError
            One is 0 or less, above 1, or NaN.
        ParameterError
            A click model in which clicks depend on other clicks.
        """
        if isinstance(propensity, TrustBias):
            high, low = np.asarray(propensity.attractive), np.asarray(propensity.unattractive)
            return cls(_checked(high - low), low)
        if isinstance(propensity, PositionBased):
            propensity = np.asarray(propensity.examination)
        elif isinstance(propensity, ClickModel):
            raise ParameterError(
                f"propensity: in the {propensity.name} model what is seen depends on the clicks above; give "
                "propensities by rank, or a model of type PositionBased or TrustBias."
            )
        alpha = _checked(propensity)
        return cls(alpha, np.zeros(len(alpha)))

    @property
    def n_ranks(self) -> int:
        """Number of ranks that are ever seen."""
        return len(self.alpha)


@dataclass(frozen=True)
class Reward:
    """What a document brings by its rank.

    Attributes
    ----------
    name : str
    by_rank, constants : array of shape (n_ranks,)
        `by_rank` multiplies the attraction, `constants` are brought without any; both 0 below.
    """

    name: str
    by_rank: Vector
    constants: Vector

    def weight(self, rank: IntArray) -> Vector:
        """Return what multiplies the attraction at these ranks; 0 at rank 0, which is that of no place."""
        return _at(self.by_rank, rank)

    def constant(self, rank: IntArray) -> Vector:
        """Return what a document at these ranks brings without any attraction."""
        return _at(self.constants, rank)


def read_reward(reward: str | npt.ArrayLike, seen: Examination, longest: int) -> Reward:
    """Return a reward from its name or its weights by rank.

    Parameters
    ----------
    reward : str or array-like of shape (n_ranks,)
        ``"dcg@k"``: 1 / log2(1 + rank); ``"precision@k"``: 1 / k; ``"ctr@k"``: clicks a session among the first k
        ranks, by the propensities; without ``@k`` over the whole list.  Or the weights themselves.
    seen : Examination
    longest : int
        Number of documents of the longest list.
    """
    if not isinstance(reward, str):
        weights = as_vector("reward", reward)
        if not len(weights) or weights.min() < 0 or not weights.any():
            raise ParameterError("reward: give a weight of 0 or more for each rank, the first first, not all 0.")
        return Reward("by rank", weights, np.zeros(len(weights)))
    found = _SPELLING.fullmatch(reward.strip().lower())
    if found is None:
        raise ParameterError(f"reward={reward!r}: write it as 'dcg@10' or 'ctr'.")
    if found[1] not in NAMES:
        raise unknown("reward", found[1], NAMES)
    k = min(longest, int(found[2] or longest))
    if found[1] == "ctr":
        return Reward(reward, seen.alpha[:k], seen.beta[:k])
    if found[1] == "precision" and found[2] is None:
        raise ParameterError("precision needs a cutoff, as in 'precision@10'.")
    weights = 1 / np.log2(np.arange(2, k + 2)) if found[1] == "dcg" else np.full(k, 1 / int(found[2] or k))
    return Reward(reward, weights, np.zeros(k))


def _checked(propensity: npt.ArrayLike) -> Vector:
    alpha = numbers_of_ranks("propensity", propensity)
    if not len(alpha):
        raise DataError("propensity: is empty; give one for each rank, the first first.")
    bad = (alpha <= 0) | (alpha > 1)
    if bad.any():
        k = int(np.argmax(bad))
        raise DataError(
            f"propensity: that of rank {k + 1} is {alpha[k]:g}; it must lie above 0 and be at most 1: leave out ranks "
            "that nobody sees."
        )
    return alpha


def _at(values: Vector, rank: IntArray) -> Vector:
    return np.asarray(np.concatenate(([0.0], values, [0.0]))[np.minimum(rank, len(values) + 1)])
