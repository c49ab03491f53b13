"""`make_platform`: a platform of known interests, with models that were learnt from biased logs.

The model is KuaiRec (Gao et al., CIKM 2022): users and items of a short-video platform.  There, the answers of users to
items are observed; here they are drawn from interests that are known, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import IntArray, ParameterError, check_positive, check_whole
from ..rankers import GBRanker
from ._platform import Mask, Matrix, Platform, all_scores

N_CATEGORIES = 31  # of KuaiRec
BASE, MATCH, QUALITY, MOOD, TASTE = -1.0, 1.3, 0.5, 0.4, 0.7
PRIOR = 20  # answers that draw a rate to the mean of all


def make_platform(
    n_users: int = 100,
    n_items: int = 10_728,
    *,
    n_factors: int = 8,
    observed: float = 0.31,
    density: float = 0.163,
    popularity_bias: float = 1.0,
    interest_bias: float = 0.5,
    noise: float = 1.0,
    n_jobs: int | None = None,
    random_state: int | None = None,
) -> Platform:
    r"""Make a platform with known interests and models that were learnt from biased logs.

    A user and an item have `n_factors` properties each, the item's around the mean of its category; the interest is

        r(u, v) = sigmoid(-1 + 1.3 a_u·b_v / sqrt(n_factors) + .5 quality_v + .4 mood_u + .7 taste_uv)

    where no feature shows `taste_uv`.  With these numbers 64 % of what a request exposes is liked, as in the paper
    (32 positives of 50: its recall and precision at 50 are 1.72 and 1.10 %), and the mean interests of neighbouring
    stages differ by less than a factor of 2 (its table 1).

    Features show properties with noise, and counts from logs: popularity, and how often the item, and the user in the
    item's category, gave a positive answer.  The logs, a share `density` of all pairs, hold popular items, and what an
    older policy liked, more often.  The ranking model learns from all features (cross-entropy, 100 trees); the
    pre-ranking model, of 50 trees, sees one number of the pair, as a product of two towers is.

    Parameters
    ----------
    n_users, n_items : int
        KuaiRec has 1,411 users, and so many items.
    n_factors : int
    observed : float
        Share of the items that every user's pool holds (KuaiRec's small matrix: 3,327 of 10,728).  A tenth as many of
        the user's logged items come to it (3,500 in all, the paper says).
    density : float
        Share of the pairs that are in the logs (KuaiRec's big matrix: 16.3 %).
    popularity_bias, interest_bias : float
        How strongly the log-odds of being logged depend on popularity and on an older policy's score.
    noise : float
        Standard deviation of the noise in features, where properties have about 1.
    n_jobs : int, optional
        Threads of the two models.
    random_state : int or None
        Equal seeds give equal platforms.

    Returns
    -------
    Platform

    Raises
    ------
    ParameterError
        A number is out of its range.

    Examples
    --------
    >>> from gbrank.stages import RequestSizes
    >>> platform = make_platform(20, 300, random_state=0, n_jobs=1)
    >>> platform
    Platform(20 users, 300 items, 27 features, 97 candidates a user)
    >>> log = platform.requests(sizes=RequestSizes(60, 20, 20, 8, 8), random_state=0)
    >>> log.summary()["rows_per_request"].tolist()
    [0.0, 20.0, 8.0, 8.0]
    """
    for name, value in (("n_users", n_users), ("n_items", n_items), ("n_factors", n_factors)):
        check_whole(name, value, lowest=2)
    for name, share in (("observed", observed), ("density", density)):
        check_positive(name, share)
        if share >= 0.9:
            raise ParameterError(f"{name}={share!r}: a share of all items or pairs, at most .9.")
    for name, size in (("popularity_bias", popularity_bias), ("interest_bias", interest_bias), ("noise", noise)):
        check_positive(name, size, zero=True)
    rng = np.random.default_rng(random_state)
    world = World.draw(rng, n_users, n_items, n_factors)
    feedback = rng.random((n_users, n_items), dtype=np.float32) < world.interest
    dense = rng.permutation(n_items) < round(observed * n_items)
    logged = world.logged(rng, dense, density, popularity_bias, interest_bias)
    shown = Shown.of(rng, world, logged, logged & feedback, noise)

    user, item = np.nonzero(logged)
    answer = feedback[user, item].astype(np.float64)
    models = [
        GBRanker("cross_entropy", n_estimators=trees, n_jobs=n_jobs, random_state=random_state).fit(
            features(user, item), answer, qid=user
        )
        for trees, features in ((50, shown.towers), (100, shown.features))
    ]
    some = rng.random(logged.shape, dtype=np.float32) < 0.1 * observed / (2 * density)
    return Platform(
        interest=world.interest,
        feedback=feedback,
        pool=dense | (logged & some),
        pre_rank_score=all_scores(shown.towers, models[0], n_users, n_items),
        rank_score=all_scores(shown.features, models[1], n_users, n_items),
        user_features=shown.user,
        item_features=shown.item,
        cross_features=shown.cross,
        feature_names=shown.names,
    )


@dataclass(frozen=True, eq=False)
class World:
    """What is true: properties of users and items, and the interest that follows."""

    user: Matrix
    mood: Matrix
    item: Matrix
    quality: Matrix
    category: IntArray
    match: Matrix
    interest: Matrix

    @classmethod
    def draw(cls, rng: np.random.Generator, n_users: int, n_items: int, n_factors: int) -> World:
        """Return a world at random."""
        category = rng.integers(N_CATEGORIES, size=n_items)
        user, mood, quality = normal(rng, n_users, n_factors), normal(rng, n_users), normal(rng, n_items)
        item = np.float32(0.7) * (normal(rng, N_CATEGORIES, n_factors)[category] + normal(rng, n_items, n_factors))
        match = (user @ item.T / np.sqrt(n_factors)).astype(np.float32)
        taste = normal(rng, n_users, n_items)
        logit = BASE + MATCH * match + QUALITY * quality + MOOD * mood[:, None] + TASTE * taste
        interest = 1 / (1 + np.exp(-logit))
        return cls(user, mood, item, quality, category, match, interest.astype(np.float32))

    def logged(
        self, rng: np.random.Generator, dense: Mask, density: float, popularity_bias: float, interest_bias: float
    ) -> Mask:
        """Return the pairs in the logs, none of a dense item: the two matrices of KuaiRec exclude each other."""
        popularity = 0.5 * self.quality + normal(rng, len(self.quality))
        old_policy = self.match + normal(rng, *self.match.shape)
        drawn = popularity_bias * popularity + interest_bias * old_policy + rng.logistic(size=self.match.shape)
        drawn[:, dense] = -np.inf
        return np.asarray(drawn > np.quantile(drawn, 1 - density, method="lower"))


@dataclass(frozen=True, eq=False)
class Shown:
    """What is seen of it: features of users, items and pairs."""

    user: Matrix
    item: Matrix
    cross: Matrix
    names: tuple[str, ...]

    @classmethod
    def of(cls, rng: np.random.Generator, world: World, logged: Mask, liked: Mask, noise: float) -> Shown:
        """Return noisy views of the properties, and counts and rates of the logs."""
        k = world.user.shape[1]
        user = np.column_stack([world.user + noise * normal(rng, *world.user.shape), world.mood])
        item = np.column_stack(
            [
                world.item + noise * normal(rng, *world.item.shape),
                np.log1p(logged.sum(axis=0)),
                rate(liked.sum(axis=0), logged.sum(axis=0)),
                world.category,
                world.quality + noise * normal(rng, len(world.quality)),
            ]
        )
        in_category = np.eye(N_CATEGORIES, dtype=np.float32)[world.category]
        liked_category = rate(liked @ in_category, logged @ in_category)[:, world.category]
        products = (user[:, None, :k] * item[None, :, :k]).astype(np.float32)
        halves = products[:, :, : k // 2].sum(axis=2), products[:, :, k // 2 :].sum(axis=2)
        pairs = [halves[0] + halves[1], *halves, liked_category, products.max(axis=2), products.min(axis=2)]
        names = (
            *(f"user_{j}" for j in range(k)),
            "user_mood",
            *(f"item_{j}" for j in range(k)),
            *("item_log_count", "item_liked", "item_category", "item_quality"),
            *("match", "match_first", "match_second", "category_liked", "match_best", "match_worst"),
        )
        cross = np.stack(pairs, axis=2)
        return cls(user.astype(np.float32), item.astype(np.float32), cross.astype(np.float32), names)

    def features(self, user: IntArray, item: IntArray) -> Matrix:
        """Return all features of pairs."""
        return np.concatenate([self.user[user], self.item[item], self.cross[user, item]], axis=1)

    def towers(self, user: IntArray, item: IntArray) -> Matrix:
        """Return the features of users and items, and one number of the pair."""
        return np.concatenate([self.user[user], self.item[item], self.cross[user, item][:, 1:2]], axis=1)


def normal(rng: np.random.Generator, *shape: int) -> Matrix:
    """Return standard normal draws."""
    return rng.standard_normal(shape, dtype=np.float32)


def rate(liked: npt.NDArray[Any], shown: npt.NDArray[Any]) -> Matrix:
    """Return the share of positive answers, drawn to that of all."""
    overall = liked.sum() / max(shown.sum(), 1)
    return np.asarray((liked + PRIOR * overall) / (shown + PRIOR), dtype=np.float32)
