"""`Platform`: users and items whose interests are known, and requests to it as logs.

The requests are those of Zheng et al., arXiv 2405.04844, appendix A.4 and A.5.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import GbrankWarning, IntArray, ParameterError, check_whole
from ..data import RankingData
from ._log import StageLog

Matrix = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

N_STAGES = 3  # retrieval, pre-ranking, ranking: an item that passes all three is exposed
RANDOM, RETRIEVED, PRE_RANKED, EXPOSED = range(N_STAGES + 1)
SCORED_AT_ONCE = 1 << 19  # pairs


@dataclass(frozen=True)
class RequestSizes:
    """How many items of a user take part in a static request; the defaults are those of the paper's appendix A.4."""

    candidates: int = 1000
    pre_ranked: int = 200
    pre_rank_negatives: int = 200
    exposed: int = 50
    rank_negatives: int = 50

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_whole(name, value)
        for whole, parts in (("candidates", "pre_rank"), ("pre_ranked", "rank")):
            passed = self.pre_ranked if parts == "pre_rank" else self.exposed
            refused = self.pre_rank_negatives if parts == "pre_rank" else self.rank_negatives
            if passed + refused > getattr(self, whole):
                raise ParameterError(
                    f"{whole}={getattr(self, whole)}: the {passed} best and the {refused} worst of them must be "
                    "different items; take fewer."
                )


@dataclass(frozen=True, eq=False, repr=False)
class Platform:
    """Users, items and the two models between them; made by `make_platform`.

    Attributes
    ----------
    interest : float32 array of shape (n_users, n_items)
        r(u, v), the probability that user u likes item v.
    feedback : bool array of shape (n_users, n_items)
        One answer for each pair, drawn with that probability.
    pool : bool array of shape (n_users, n_items)
        The pairs from which requests take their candidates.
    pre_rank_score, rank_score : float32 array of shape (n_users, n_items)
        What the platform's own models make of the pairs.
    user_features, item_features, cross_features : arrays
        Of users, of items and, shape (n_users, n_items, n_cross), of pairs.
    feature_names : tuple of str
    """

    interest: Matrix
    feedback: Mask
    pool: Mask
    pre_rank_score: Matrix
    rank_score: Matrix
    user_features: Matrix
    item_features: Matrix
    cross_features: Matrix
    feature_names: tuple[str, ...]

    @property
    def n_users(self) -> int:
        return len(self.interest)

    @property
    def n_items(self) -> int:
        return len(self.item_features)

    def __repr__(self) -> str:
        return (
            f"Platform({self.n_users} users, {self.n_items} items, {len(self.feature_names)} features, "
            f"{self.pool.sum(axis=1).mean():.0f} candidates a user)"
        )

    def features(self, user: npt.ArrayLike, item: npt.ArrayLike) -> Matrix:
        """Return the features of pairs, shape (n_pairs, n_features): of the user, of the item, of both."""
        u, v = np.asarray(user), np.asarray(item)
        return np.concatenate([self.user_features[u], self.item_features[v], self.cross_features[u, v]], axis=1)

    def score(self, ranker: Any) -> Matrix:
        """Return what `ranker` makes of every pair, shape (n_users, n_items)."""
        return all_scores(self.features, ranker, self.n_users, self.n_items)

    def requests(
        self, n: int = 1, *, sizes: RequestSizes | None = None, pool: Mask | None = None, random_state: Any = None
    ) -> StageLog:
        """Return the log of `n` static requests of every user.

        Of the pool of a user, `sizes.candidates` items are drawn; the best of them by the pre-ranking model go on, and
        the best of these by the ranking model are exposed.  The log holds what was exposed (stage 3, with
        feedback), the worst of what was ranked (stage 2) and the worst of what was pre-ranked (stage 1); request ids
        are ``user * n + number``.

        Parameters
        ----------
        n : int
        sizes : RequestSizes, optional
            The paper's by default.
        pool : bool array of shape (n_users, n_items), optional
            The pairs to draw from, by default the platform's.
        random_state : int, numpy.random.Generator or None

        Raises
        ------
        ParameterError
            A user has fewer items in the pool than a request takes.
        """
        check_whole("n", n)
        sizes, pool = sizes or RequestSizes(), self.pool if pool is None else pool
        least = int(pool.sum(axis=1).min())
        if least < sizes.candidates:
            raise ParameterError(
                f"sizes: a request takes {sizes.candidates} candidates, but user {int(pool.sum(axis=1).argmin())} has "
                f"{least} in the pool; take fewer, or make a platform with more items."
            )
        rng = np.random.default_rng(random_state)
        items, stages = zip(*(self._request(sizes, pool, rng) for _ in range(n)), strict=True)
        item, stage = np.stack(items, axis=1), np.stack(stages, axis=1)
        user = np.broadcast_to(np.arange(self.n_users)[:, None, None], item.shape)
        request = np.broadcast_to((np.arange(self.n_users * n)).reshape(-1, n, 1), item.shape).ravel()
        u, v, s = user.ravel(), item.ravel(), stage.ravel()
        feedback = np.where(s == EXPOSED, self.feedback[u, v], np.nan)
        return StageLog(request, v, s, feedback, features=None, n_stages=N_STAGES)

    def _request(self, sizes: RequestSizes, pool: Mask, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Return the items of one request of every user and the stages that they reached, a row for each user."""
        keys = np.where(pool, rng.random(pool.shape, dtype=np.float32), np.float32(2))
        drawn = np.argpartition(keys, sizes.candidates - 1, axis=1)[:, : sizes.candidates]
        best, worst = ends(drawn, self.pre_rank_score, sizes.pre_ranked, sizes.pre_rank_negatives)
        shown, refused = ends(best, self.rank_score, sizes.exposed, sizes.rank_negatives)
        parts = ((shown, EXPOSED), (refused, PRE_RANKED), (worst, RETRIEVED))
        stage = np.concatenate([np.full(part.shape, number) for part, number in parts], axis=1)
        return np.concatenate([part for part, _ in parts], axis=1), stage

    def split(
        self, n_requests: int = 10, *, sizes: RequestSizes | None = None, random_state: Any = None
    ) -> PlatformSplit:
        """Return requests to test on, to validate on and to train on (appendix A.5).

        What was exposed and liked in the test request leaves the pool before the validation request is drawn, and what
        was in either of them before the `n_requests` training requests of each user.

        Raises
        ------
        ParameterError
            A user has fewer items than a request takes; no user liked anything in a request, so that nothing can be
            measured.

        Warns
        -----
        GbrankWarning
            Some users liked nothing of what the test or the validation request exposed: measures skip them.
        """
        check_whole("n_requests", n_requests)
        rng = np.random.default_rng(random_state)
        pool = self.pool.copy()
        liked = []
        for part in ("test", "validation"):
            one = self.requests(sizes=sizes, pool=pool, random_state=rng)
            liked.append(self._liked(one))
            _check_liked(liked[-1], part)
            pool &= ~liked[-1]
        test, valid = liked
        train = self.requests(n_requests, sizes=sizes, pool=pool, random_state=rng)
        return PlatformSplit(train, valid, test, n_requests)

    def _liked(self, log: StageLog) -> Mask:
        """Return the pairs that were exposed and liked, of a log with one request a user."""
        mask = np.zeros_like(self.pool)
        mask[log.request[log.positive], log.item[log.positive]] = True
        return mask

    def lists(self, liked: Mask, users: npt.ArrayLike | None = None) -> RankingData:
        """Return all items of some users, labelled by a mask of `split`, with users as queries; items are `doc_id`.

        Columns have no names, as those of `features`, so that a ranker trained on these takes them.
        """
        chosen = np.arange(self.n_users) if users is None else np.asarray(users)
        user, item = np.repeat(chosen, self.n_items), np.tile(np.arange(self.n_items), len(chosen))
        return RankingData(self.features(user, item), liked[user, item], user, doc_id=item.astype(str))


@dataclass(frozen=True, eq=False)
class PlatformSplit:
    """Requests of a platform, separated so that no positive of the test is seen in training.

    Attributes
    ----------
    train : StageLog
        `n_requests` requests of each user.
    valid, test : bool array of shape (n_users, n_items)
        What was exposed and liked in the one request of each user.
    """

    train: StageLog
    valid: Mask
    test: Mask
    n_requests: int

    def user_of(self, request: npt.ArrayLike) -> IntArray:
        """Return the user of training requests."""
        return np.asarray(np.asarray(request) // self.n_requests, dtype=np.int64)


def _check_liked(liked: Mask, part: str) -> None:
    """Refuse a request in which no user liked anything; warn of users who did not."""
    empty = np.asarray(~liked.any(axis=1))
    if empty.all():
        raise ParameterError(f"sizes: no user liked what the {part} request exposed; expose more items.")
    if empty.any():
        warnings.warn(
            f"split: {empty.sum()} of {len(empty)} users (the first is user {int(np.argmax(empty))}) liked nothing of "
            f"what the {part} request exposed, and measures skip them; expose more items.",
            GbrankWarning,
            stacklevel=3,
        )


def ends(items: IntArray, score: Matrix, best: int, worst: int) -> tuple[IntArray, IntArray]:
    """Return, of the items in each row, those with the highest and those with the lowest scores of the same row."""
    order = np.argsort(-np.take_along_axis(score, items, axis=1), axis=1, kind="stable")
    ranked = np.take_along_axis(items, order, axis=1)
    return ranked[:, :best], ranked[:, ranked.shape[1] - worst :]


def all_scores(features: Any, ranker: Any, n_users: int, n_items: int) -> Matrix:
    """Return the scores of all pairs, computed for some users at a time."""
    step = max(1, SCORED_AT_ONCE // n_items)
    rows = []
    for first in range(0, n_users, step):
        users = np.arange(first, min(first + step, n_users))
        pairs = np.repeat(users, n_items), np.tile(np.arange(n_items), len(users))
        rows.append(ranker.predict(features(*pairs)).reshape(len(users), n_items))
    return np.concatenate(rows).astype(np.float32)
