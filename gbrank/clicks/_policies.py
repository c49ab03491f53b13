"""Logging policies: what decides the lists that users are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import IntArray, as_vector, check_choice, check_positive, check_whole
from .._compile import kernel
from ..data import RankingData
from ._pairs import Ids, Vector

Keys = Callable[[IntArray, np.random.Generator], Vector]
FEW = 64  # places that are found by insertion


@dataclass(frozen=True, eq=False)
class PlackettLuce:
    """A randomised policy: each place goes to a document that is left, in proportion to exp(score / temperature).

    Parameters
    ----------
    scores : array-like of shape (n_documents,), ranker or callable
        As the `logging_policy` of `simulate_clicks`.
    temperature : float
        Above 0: near 0 the ranking by score, large any ranking.

    Notes
    -----
    Any object with such a method ``bind(data)`` is a randomised policy: it returns a function from row numbers, with
    repetitions, and a generator to a number for each, by which the documents of a session are sorted, highest first.
    """

    scores: Any
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_positive("temperature", self.temperature)

    def bind(self, data: RankingData) -> Keys:
        """Return the function that draws sort keys: scores with Gumbel noise."""
        scaled = scores_of(self.scores, data) / self.temperature
        return lambda rows, generator: scaled[rows] + generator.gumbel(size=len(rows))


@dataclass(frozen=True, eq=False)
class RandomSwaps:
    """A ranking in which, session by session, two ranks change places by a fair coin.

    What stood at both was the same on average, so that clicks at one over clicks at the other are the propensities'
    ratio: see `estimate_propensities`.  Which two ranks it was is the session's policy in the log, such as ``"1-3"``,
    whether or not they changed places; ``"none"`` for lists of one document.

    Parameters
    ----------
    ranking : array-like of shape (n_documents,), ranker, callable or policy
        What is shown but for the swap; as the `logging_policy` of `simulate_clicks`.
    pairs : {"first", "adjacent"}
        The first rank with any other, or any rank with the next; each as often as any other.
    n_ranks : int, optional
        Ranks below are left as they are.

    References
    ----------
    Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017, section 5.3.

    Examples
    --------
    >>> from gbrank import make_letor, simulate_clicks
    >>> from gbrank.clicks import PositionBased
    >>> data = make_letor(20, random_state=0)
    >>> users = PositionBased.power(1, 3)
    >>> log = simulate_clicks(data, RandomSwaps(data.X[:, 0]), users, 100, random_state=0, top_k=3)
    >>> np.unique(log.policy).tolist()
    ['1-2', '1-3']
    """

    ranking: Any
    pairs: str = "first"
    n_ranks: int | None = None

    def __post_init__(self) -> None:
        check_choice("pairs", self.pairs, ("first", "adjacent"))
        if self.n_ranks is not None:
            check_whole("n_ranks", self.n_ranks, lowest=2)

    def swap(self, ptr: IntArray, rows: IntArray, generator: np.random.Generator) -> tuple[IntArray, Ids]:
        """Return the rows of lists after the swaps, and the ranks, as text, that each list had a coin thrown for."""
        sizes = np.diff(ptr)
        if self.n_ranks is not None:
            sizes = np.minimum(sizes, self.n_ranks)
        drawn = generator.integers(np.maximum(sizes - 1, 1))
        two = sizes > 1
        upper = np.where(two & (self.pairs == "adjacent"), drawn, 0)
        lower = np.where(two, drawn + 1, 0)
        changes = np.flatnonzero(generator.random(len(sizes)) < 0.5)
        found, above, below = rows.copy(), (ptr[:-1] + upper)[changes], (ptr[:-1] + lower)[changes]
        found[above], found[below] = rows[below], rows[above]
        names = np.array(["none", *(self._name(k) for k in range(2, int(sizes.max()) + 1))])
        return found, names[lower]

    def _name(self, lower: int) -> str:
        return f"{lower - 1 if self.pairs == 'adjacent' else 1}-{lower}"


def scores_of(policy: Any, data: RankingData) -> Vector:
    """Return the scores of all documents by an array, a ranker (its `predict`), or a function of the data."""
    found = policy.predict(data) if hasattr(policy, "predict") else policy(data) if callable(policy) else policy
    return as_vector("logging_policy", found, length=data.n_documents)


def listed(keys: Vector, ptr: IntArray, top_k: int | None) -> tuple[IntArray, IntArray]:
    """Return offsets of the lists, and the places in `keys` of their documents, highest key first.

    Of equal keys the first stands first.
    """
    sizes = np.diff(ptr)
    shown = sizes if top_k is None else np.minimum(sizes, top_k)
    list_ptr = np.concatenate(([0], np.cumsum(shown)))
    places = np.empty(list_ptr[-1], np.int64)
    _highest(keys, ptr, list_ptr, places)
    return list_ptr, places


@kernel
def _highest(keys: Any, ptr: Any, list_ptr: Any, places: Any) -> None:
    """Write the places of the highest keys of each list."""
    for s in range(len(ptr) - 1):
        first, n, k = ptr[s], ptr[s + 1] - ptr[s], list_ptr[s + 1] - list_ptr[s]
        out = places[list_ptr[s] : list_ptr[s + 1]]
        if k > FEW:
            order = np.argsort(-keys[first : first + n], kind="mergesort")
            for r in range(k):
                out[r] = first + order[r]
            continue
        filled = 0
        for i in range(first, first + n):
            if filled == k and keys[i] <= keys[out[k - 1]]:
                continue
            r = filled if filled < k else k - 1
            filled = min(filled + 1, k)
            while r > 0 and keys[out[r - 1]] < keys[i]:
                out[r] = out[r - 1]
                r -= 1
            out[r] = i
