"""Team-draft interleaving of two rankings before simulated users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import check_confidence, check_whole
from ..data import RankingData
from ._duel import Duel, Outcome
from ._model import ClickModel
from ._simulate import Relevance
from ._tables import PairTable


@dataclass(frozen=True)
class Interleaving(Outcome):
    """Outcome of an interleaving experiment; made by `simulate_interleaving`.

    A session is won by the ranking whose documents got more clicks, and tied where both got as many.

    Parameters
    ----------
    wins_a, wins_b, ties : int
        Sessions.
    clicks_a, clicks_b : int
        The credit of each ranking: clicks on the documents that it contributed.
    confidence : float
        Of the interval.

    Examples
    --------
    >>> found = Interleaving(60, 40, 100, clicks_a=90, clicks_b=70)
    >>> round(found.preference, 3), round(found.p, 4), found.sessions_needed()
    (0.05, 0.0569, 388)
    >>> [round(end, 3) for end in found.interval]
    [0.497, 0.697]
    """

    TOLD: ClassVar[tuple[str, ...]] = (
        "n_sessions", "wins_a", "wins_b", "ties", "clicks_a", "clicks_b", "preference", "share", "p",
    )  # fmt: skip

    wins_a: int
    wins_b: int
    ties: int
    clicks_a: int
    clicks_b: int
    confidence: float = 0.95

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return self.wins_a + self.wins_b + self.ties

    @property
    def preference(self) -> float:
        """(wins of a + ties / 2) / sessions - 1/2, above 0 if a is better (Chapelle et al., ACM TOIS 30(1), 2012)."""
        return (self.wins_a + self.ties / 2) / self.n_sessions - 0.5

    @property
    def share(self) -> float:
        """The share of a in the sessions that are won; NaN without any."""
        decided = self.wins_a + self.wins_b
        return self.wins_a / decided if decided else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of `share` of Clopper and Pearson, Biometrika 26 (1934)."""
        from scipy.special import betaincinv

        a, b, tail = self.wins_a, self.wins_b, (1 - self.confidence) / 2
        low = float(betaincinv(a, b + 1, tail)) if a else 0.0
        return low, float(betaincinv(a + 1, b, 1 - tail)) if b else 1.0

    @property
    def p(self) -> float:
        """The p of the two-sided sign test: of wins as far from equal by a fair coin for each session that is won."""
        from scipy.special import bdtr

        decided = self.wins_a + self.wins_b
        return min(1.0, 2 * float(bdtr(min(self.wins_a, self.wins_b), decided, 0.5))) if decided else 1.0

    def sessions_needed(self, *, power: float = 0.8, level: float = 0.05) -> float:
        """Return how many sessions, ties among them, the sign test needs if the shares are those found here.

        By the normal approximation: ((z_level / 2 + z_power sqrt(p (1 - p))) / (p - 1/2))^2 that are won, with z_level
        two-sided and p the share; infinite for p = 1/2.
        """
        from scipy.special import ndtri

        decided = (self.wins_a + self.wins_b) / self.n_sessions
        share = self.share
        if not decided or share == 0.5:
            return float("inf")
        spread = ndtri(1 - level / 2) / 2 + ndtri(power) * np.sqrt(share * (1 - share))
        return int(np.ceil((spread / (share - 0.5)) ** 2 / decided))

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"a wins {self.wins_a:,} of {self.n_sessions:,} sessions, b {self.wins_b:,}, {self.ties:,} ties; clicks "
            f"{self.clicks_a:,} to {self.clicks_b:,}\n"
            f"share of a in those won {self.share:.4f} [{low:.4f}, {high:.4f}], sign test p = {self.p:.4g}; "
            f"preference {self.preference:+.4f}; {self._needed()}"
        )


def team_draft(a: Sequence[int], b: Sequence[int], k: int, coins: Sequence[bool]) -> tuple[list[int], list[bool]]:
    """Return the interleaved list of two, and whether each of its documents is a's.

    The ranking that has fewer documents in the list, by a coin where both have as many, adds its first one that is not
    there yet (Radlinski, Kurup and Joachims, CIKM 2008); one that has no more leaves it to the other.

    Parameters
    ----------
    a, b : sequence of int
        Distinct documents, the first first.
    k : int
        Length of the list.
    coins : sequence of bool
        Whether a goes first in each round; as many as half of k, rounded up.

    Examples
    --------
    >>> team_draft([1, 2, 3], [2, 3, 1], 3, [True, False])
    ([1, 2, 3], [True, False, False])
    """
    picked: list[int] = []
    is_a: list[bool] = []
    rests = {True: iter(a), False: iter(b)}
    counts = {True: 0, False: 0}
    coin = iter(coins)
    there: set[int] = set()
    while len(picked) < k:
        turn = next(coin) if counts[True] == counts[False] else counts[True] < counts[False]
        document = next((each for each in rests[turn] if each not in there), None)
        if document is None:
            turn = not turn
            document = next((each for each in rests[turn] if each not in there), None)
            if document is None:
                break
        picked.append(document)
        is_a.append(turn)
        there.add(document)
        counts[turn] += 1
    return picked, is_a


def simulate_interleaving(
    a: Any,
    b: Any,
    model: ClickModel,
    *,
    sessions: int,
    k: int = 10,
    data: RankingData | None = None,
    attraction: PairTable | Relevance | None = None,
    satisfaction: PairTable | Relevance | None = None,
    confidence: float = 0.95,
    random_state: int | None = None,
) -> Interleaving:
    """Interleave two rankings by team draft, in sessions of users that a click model draws.

    Each session has a query at random, in proportion to their weight where `data` have any.

    Parameters
    ----------
    a, b : Run; or with `data` ranker or array-like of shape (n_documents,)
        Two rankings of the same queries.  Equal scores rank in the order given.
    model : ClickModel
    sessions : int
    k : int
        Length of the list that users see.
    data : RankingData, optional
    attraction, satisfaction : PairTable; or with `data` as in `simulate_clicks`; optional
        What the model needs to know of documents; by default its own tables.
    confidence : float
        Of the interval.
    random_state : int, optional

    Raises
    ------
    DataError
        Other queries, or a list longer than the model knows ranks.
    ParameterError
        No attraction, or a parameter out of range.

    Examples
    --------
    >>> import gbrank
    >>> from gbrank.clicks import PositionBased
    >>> a, b = (gbrank.Run(["q"] * 3, ["x", "y", "z"], score) for score in ([3, 2, 1], [1, 2, 3]))
    >>> model = PositionBased([1, 0.5, 0.2], attraction=PairTable(["q"], ["x"], [0.9], default=0.1))
    >>> found = simulate_interleaving(a, b, model, sessions=2000, random_state=0)
    >>> found.share > 0.7, found.p < 0.001
    (True, True)
    """
    check_whole("sessions", sessions)
    check_confidence(confidence)
    duel = Duel.make(a, b, model, k, data, {"attraction": attraction, "satisfaction": satisfaction})
    rng = np.random.default_rng(random_state)
    rounds = (k + 1) // 2
    query = duel.queries(sessions, rng)
    coins = map(tuple, (rng.random((sessions, rounds)) < 0.5).tolist())
    made: dict[tuple[int, tuple[bool, ...]], tuple[list[int], list[bool]]] = {}
    drafts = []
    for key in zip(query, coins, strict=True):
        if key not in made:
            made[key] = team_draft(duel.a[key[0]], duel.b[key[0]], k, key[1])
        drafts.append(made[key])
    ptr, click = duel.clicks([documents for documents, _ in drafts], rng)
    is_a = np.concatenate([teams for _, teams in drafts])
    credit_a, credit_b = (np.add.reduceat(click & team, ptr[:-1], dtype=np.int64) for team in (is_a, ~is_a))
    return Interleaving(
        int((credit_a > credit_b).sum()),
        int((credit_a < credit_b).sum()),
        int((credit_a == credit_b).sum()),
        int(credit_a.sum()),
        int(credit_b.sum()),
        confidence,
    )
