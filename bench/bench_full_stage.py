"""Full-stage learning to rank against its baselines, on a simulated platform

Tables 3, 4 and 5 of Zheng et al., "Full Stage Learning to Rank", arXiv 2405.04844, with trees in place of matrix
factorisation and a simulated platform (``make_platform``: interests known, models of the later stages learnt from
biased logs) in place of KuaiRec.  All items are ranked for each user; relevant is what the user was shown and liked in
a test request that no training request contains.  Methods see features of users and of items, not of pairs; the
platform's ranking model sees these, too.  Numbers are percentages: mean and standard deviation of five repeats, each
with a platform, requests and samples of its own.  p: Welch's unpaired t-test, as the paper's, and after the slash the
paired one, for repeats differ more in their platforms than methods do; against the best of the baselines by mean
(tables 3 and 6), and of each incomplete method against the complete one (table 4).  Each method and stage has four
settings, of which the best by NDCG@50 on the validation requests of two further platforms was taken; column "settings"
has it.  "Utility" is the mean interest of the 6 items that a user is shown at the end of the simulated cascade (10,728
/ 200 / 50 / 6 items) when the method stands in its first stage and the platform's own models in the others; it is not
in the paper, and "interest" ranks the first stage by the true interest.

Table 6 is ours: the same with worse models in the later stages, which make the logs, too.  "noisy": to each pair's
scores, in standard deviations of a user's, noise of twice their size is added, which no feature shows.  "popular":
twice the standardised number of times that the item is in the platform's old logs, which is a feature.  By the theory
the first should favour ranking by interest alone, for chance filters all alike, and the second full-stage learning.
"""

import itertools
import sys
from dataclasses import replace

import numpy as np
from scipy.stats import ttest_ind, ttest_rel

import gbrank
from gbrank.stages import add_candidates, make_platform, stage_method
from gbrank.stages._platform import all_scores

TITLE = "Full-stage learning to rank, simulated"
REPEATS, USERS, REQUESTS, GLOBAL = 5, 100, 10, 100
MEASURES = [f"{name}@{k}" for k in (20, 50) for name in ("hit", "ndcg", "r", "p")]
KEEP = (200, 50, 6)
TESTED = ("hit@50", "ndcg@50", "r@50", "utility")
BASELINES = ("bpr", "ssm", "bce", "rankflow", "prp", "product")
# Negatives of stage 0 (global), 1 (pre-rank), 2 (rank) and exposed in vain; the titles: rank, pre-rank, global.
COUNTS = {"1,1,1": (1, 1, 1, 1), "1,2,1": (1, 2, 1, 1), "2,1,1": (1, 1, 2, 1)}
COUNTS |= {"1,1,2": (2, 1, 1, 1), "1,1,3": (3, 1, 1, 1), "1,2,3": (3, 2, 1, 1)}
WITHOUT = {
    "w/o exposed neg": (2, 1, 1, 0),
    "w/o stage neg": (2, 0, 0, 1),
    "w/o rank neg": (2, 1, 0, 1),
    "w/o prerank neg": (2, 0, 1, 1),
}


PER, RATE = {"per": ("positive", "request")}, {"learning_rate": (0.1, 0.05)}
GRIDS = {
    "bpr": PER | RATE,
    "ssm": PER | RATE,
    "bce": PER | RATE,
    "rankflow": {"tutor_weight": (1.0, 0.3)} | RATE,
    "prp": {"max_leaves": (31, 7)} | RATE,
    "product": {"max_leaves": (31, 7)} | RATE,
    "fs_rn": PER | RATE,
    "fs_lr": PER | {"objective__gain": ("exp", "linear")},
}
BUDGET = 4  # settings of each method
WORSE, HOW_MUCH = ("noisy", "popular"), 2.0
LISTS = 30  # positives of a request, about: what "request" multiplies the counts of one positive by


def estimator(name, settings, seed, *, stage=1, counts=(2, 1, 1, 1), z=None):
    """Return a method under some settings."""
    ranker = gbrank.GBRanker(n_estimators=100, random_state=seed)
    method = stage_method(name, ranker, stage=stage, counts=None if stage > 1 else counts, random_state=seed)
    if z is not None:
        method.set_params(z=z)
    if settings.get("per") == "request":
        method.set_params(per="request", counts=tuple(LISTS * count for count in method.counts))
    if "tutor_weight" in settings:
        method.set_params(tutor_weight=settings["tutor_weight"])
    inner = {key: value for key, value in settings.items() if key not in ("per", "tutor_weight")}
    return method.set_params(ranker=method.ranker.set_params(**inner))


def choices(name):
    """Return the settings that are tried for a method: as many for each."""
    grid = GRIDS[name]
    found = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    assert len(found) == BUDGET
    return found


def methods():
    """Yield table, stage and title of each method, its name and the arguments of `estimator`."""
    for name in (*BASELINES, "fs_rn", "fs_lr"):
        yield ("3", "retrieval", name), name, {}
    for name in ("bce", "rankflow", "fs_lr"):
        yield ("3", "pre-rank", name), name, {"stage": 2}
    for title, counts in WITHOUT.items():
        # The labels close the gap that is left, as in the paper.
        present = np.array([*(np.array(counts) > 0), True])
        yield ("4", "retrieval", title), "fs_lr", {"counts": counts, "z": tuple(np.cumsum(present) - 1.0)}
    for title, counts in COUNTS.items():
        yield ("5", "retrieval", title), "fs_lr", {"counts": counts}


class Setting:
    """A platform, its requests, and what methods see of them."""

    def __init__(self, seed, n_users, worse=None):
        self.platform = platform = worsened(make_platform(n_users, random_state=seed), worse, seed)
        self.split = split = platform.split(REQUESTS, random_state=seed)
        self.log = add_candidates(split.train, np.arange(platform.n_items), GLOBAL, random_state=seed)
        self.seen = [i for i, name in enumerate(platform.feature_names) if name.startswith(("user", "item"))]
        user = split.user_of(self.log.request)
        assert not (split.test & split.valid).any(), "a positive of the test is in the validation"
        assert not split.test[user, self.log.item][self.log.exposed].any(), "a positive was seen in training"

    def features(self, user, item):
        return self.platform.features(user, item)[:, self.seen]

    def scores(self, method):
        """Return what the method, trained on the log, makes of all pairs."""
        method.fit(self.log, features=lambda request, item: self.features(self.split.user_of(request), item))
        return all_scores(self.features, method, self.platform.n_users, self.platform.n_items)

    def values(self, liked, score, stage):
        """Return the mean of each measure over users, of scores of all items or of those in the pool; and utility."""
        shown = score if stage.startswith("retrieval") else np.where(self.platform.pool, score, score.min() - 1)
        users = np.repeat(np.arange(self.platform.n_users), self.platform.n_items)
        data = gbrank.RankingData(np.zeros((score.size, 1), np.float32), liked.ravel(), users)
        found = gbrank.evaluate(data, shown.ravel().astype(np.float64), MEASURES)
        return [*(100 * found.mean(name) for name in MEASURES), utility(self.platform, score)]


def chosen(n_users):
    """Return the settings of each method and stage that do best on the validation of platforms of their own."""
    settings, at = [Setting(seed, n_users) for seed in (100, 101)], MEASURES.index("ndcg@50")
    best = {}
    for (_, stage, _), name, options in methods():
        if (name, stage) in best:
            continue
        values = []
        for one in choices(name):
            runs = [
                each.values(each.split.valid, each.scores(estimator(name, one, 100, **options)), stage)[at]
                for each in settings
            ]
            values.append(np.mean(runs))
            print("choose", stage, name, one, values[-1], file=sys.stderr, flush=True)
        best[name, stage] = choices(name)[int(np.argmax(values))]
    return best


def worsened(platform, how, seed):
    """Return the platform with worse models in its later stages: see the head of this file."""
    if how is None:
        return platform
    popular = platform.item_features[
        :, platform.feature_names.index("item_log_count") - platform.user_features.shape[1]
    ]
    popular = (popular - popular.mean()) / popular.std()
    rng, found = np.random.default_rng(seed), {}
    for name in ("pre_rank_score", "rank_score"):
        score = getattr(platform, name)
        error = rng.standard_normal(score.shape, dtype=np.float32) if how == "noisy" else popular
        found[name] = score + HOW_MUCH * score.std(axis=1, keepdims=True) * error
    return replace(platform, **found)


def utility(platform, score):
    """Return the mean interest of the final lists of a cascade whose first stage ranks by `score`."""
    items = np.argsort(-score, axis=1, kind="stable")[:, : KEEP[0]]
    for later, keep in zip((platform.pre_rank_score, platform.rank_score), KEEP[1:], strict=True):
        order = np.argsort(-np.take_along_axis(later, items, axis=1), axis=1, kind="stable")[:, :keep]
        items = np.take_along_axis(items, order, axis=1)
    return 100 * float(np.take_along_axis(platform.interest, items, axis=1).mean())


def repeat(seed, best, n_users):
    """Return the values of every method on one platform, by table, stage and title."""
    one, found = Setting(seed, n_users), {}
    for key, name, options in methods():
        score = one.scores(estimator(name, best[name, key[1]], seed, **options))
        found[key] = one.values(one.split.test, score, key[1])
        print(seed, *key, np.round(found[key], 2), file=sys.stderr, flush=True)
    found["3", "retrieval", "interest"] = one.values(one.split.test, one.platform.interest, "retrieval")
    for how in WORSE:
        one, stage = Setting(seed, n_users, how), f"retrieval, {how}"
        for name in ("bpr", "ssm", "bce", "rankflow", "fs_rn", "fs_lr"):
            score = one.scores(estimator(name, best[name, "retrieval"], seed))
            found["6", stage, name] = one.values(one.split.test, score, stage)
            print(seed, how, name, np.round(found["6", stage, name], 2), file=sys.stderr, flush=True)
        found["6", stage, "interest"] = one.values(one.split.test, one.platform.interest, stage)
    return found


def rival(runs, key, j):
    """Return what a method is compared with in column j, one value for each repeat, or None."""
    table, stage, name = key
    if table in ("3", "6") and name.startswith("fs_"):
        others = [[run[table, stage, each][j] for run in runs] for each in BASELINES if (table, stage, each) in runs[0]]
        return np.array(max(others, key=np.mean))
    return np.array([run["3", "retrieval", "fs_lr"][j] for run in runs]) if table == "4" else None


def as_rows(runs, best):
    """Return one row for each method, of the values of all repeats."""
    columns, result = [*MEASURES, "utility"], []
    names = {key: name for key, name, _ in methods()} | {key: key[2] for key in runs[0] if key[0] == "6"}
    for key in sorted(runs[0], key=lambda each: each[0]):
        table, stage, title = key
        settings = best.get((names.get(key, ""), stage.partition(",")[0]), {})
        told = ", ".join(f"{name.removeprefix('objective__')}={value}" for name, value in settings.items())
        row = {"table": table, "stage": stage, "method": title, "settings": told}
        for j, column in enumerate(columns):
            own = np.array([run[key][j] for run in runs])
            row[column] = f"{own.mean():.2f} ± {own.std(ddof=1):.2f}"
            other = rival(runs, key, j) if column in TESTED else None
            if other is not None:
                apart, paired = ttest_ind(own, other, equal_var=False).pvalue, ttest_rel(own, other).pvalue
                row[f"p {column}"] = f"{apart:.3f} / {paired:.3f}"
        result.append(row)
    return result


def rows(repeats=REPEATS, n_users=USERS):
    """Return one row for each method."""
    best = chosen(n_users)
    return as_rows([repeat(seed, best, n_users) for seed in range(repeats)], best)


if __name__ == "__main__":
    from run import table as as_table

    print(as_table(rows()))
