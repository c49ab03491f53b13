"""The search for losses: trainings that each searcher needs to find a planted loss, and how fast a search goes.

Planted: data on which RankNet divided by each query's ideal DCG wins; `planted.py` says why.  All
searchers start from scratch with the same budget of trainings; a seed has found the loss when it has one with at least
the same reward, the gain over LambdaRank on three folds.  `median` counts a seed that has not as the budget.

Speed: on the training part of fold 1 of MQ2008, 50 trees of 15 leaves on three folds a loss, all cores, from scratch.
Asserted first: LambdaRank written as a formula gains exactly nothing over LambdaRank.
"""

import argparse
import statistics
from typing import Any

import numpy as np
from planted import PLANTED, planted_data, planted_ranker
from real_data import real_data

import gbrank
from gbrank.lossgen import SEARCHERS

TITLE = "The search for losses"
LAMBDARANK = "softplus(-d) * (dG * dD / IDCG)"
SEEDS, BUDGET, SECONDS = 10, 150, 60.0
FIRST_SEED = 100  # lower ones were seen while the searchers were written
DEFAULTS = {"truncation": 30, "score_norm": True, "query_norm": True}


def assert_lambdarank_gains_nothing(data: gbrank.RankingData) -> None:
    """Assert that the reward of the baseline itself is 0 on every fold."""
    search = gbrank.LossSearch(
        ranker=planted_ranker(), starts=[LAMBDARANK], n_candidates=1, objective_params=DEFAULTS, n_jobs=1
    ).fit(data)
    assert search.best_folds_ == (0.0, 0.0, 0.0), search.best_folds_


def trainings_until_found(searcher: str, data: gbrank.RankingData, seed: int, budget: int) -> int | None:
    """Return how many losses were trained until one was as good as the planted one; None if none was."""
    common = {"ranker": planted_ranker(), "random_state": seed, "n_jobs": 1}
    aim = gbrank.LossSearch(starts=[PLANTED], n_candidates=1, **common).fit(data).best_reward_
    found = gbrank.LossSearch(searcher, starts=(), n_trained=budget, **common).fit(data).candidates_
    good = np.flatnonzero(found[found["stage"] != "grid"]["reward"] >= aim)
    return int(good[0]) + 1 if len(good) else None


def planted_rows(seeds: int, budget: int) -> list[dict[str, Any]]:
    """Return one row for each searcher."""
    data = planted_data()
    assert_lambdarank_gains_nothing(data)
    rows = []
    for searcher in SEARCHERS:
        found = [trainings_until_found(searcher, data, seed, budget) for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
        counted = sorted(budget if each is None else each for each in found)
        rows.append(
            {
                "what": f"planted, {budget} trainings",
                "searcher": searcher,
                "found": f"{sum(each is not None for each in found)} of {seeds} seeds",
                "median": statistics.median(counted),
                "quartiles": f"{np.quantile(counted, 0.25):.0f}-{np.quantile(counted, 0.75):.0f}",
            }
        )
    return rows


def speed_rows(seconds: float) -> list[dict[str, Any]]:
    """Return one row for each searcher: candidates a minute, and what became of them."""
    data = gbrank.read_letor(real_data() / "mq2008" / "Fold1" / "train.txt")
    rows = []
    for searcher in SEARCHERS:
        search = gbrank.LossSearch(searcher, starts=(), timeout=seconds, objective_params=DEFAULTS).fit(data)
        counts, spent = dict(search.counts_), search.seconds_
        minutes = spent["total"] / 60
        rows.append(
            {
                "what": "MQ2008 fold 1",
                "searcher": searcher,
                "candidates a minute": round(counts.pop("candidates") / minutes),
                "trained a minute": round(counts.pop("short") / minutes),
                "at the proxy a minute": round(counts.pop("full") / minutes),
                "time in training": f"{spent['training'] / spent['total']:.0%}",
                "best reward": round(search.best_reward_, 4),
                "rejected": ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items())),
            }
        )
    return rows


def rows(seeds: int = SEEDS, budget: int = BUDGET, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    return [*planted_rows(seeds, budget), *speed_rows(seconds)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    for row in rows(**vars(parser.parse_args())):
        print(row)
