"""The search for losses: trainings that each searcher needs to find a planted loss, and how fast a search goes.

Planted: data on which RankNet divided by each query's ideal DCG wins; `planted.py` says why.  All
searchers start from scratch with the same budget of trainings; a seed has found the loss when it has one with at least
the same reward, the gain over LambdaRank on three folds.  `median` counts a seed that has not as the budget.

Trained: 100,000 random programs; of those that pass the grid and differ, each is trained with on 60 queries of MQ2008,
10 trees with both boosters.  Asserted: nothing is raised, and no score infinite; `nothing to learn` are those whose
gradient is 0 for every document.

Speed: on the training part of fold 1 of MQ2008, 50 trees of 15 leaves on three folds a loss, all cores, from scratch.
Asserted first: LambdaRank written as a formula gains exactly nothing over LambdaRank.
"""

import argparse
import statistics
import warnings
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from planted import PLANTED, planted_data, planted_ranker
from real_data import real_data

import gbrank
from gbrank.lossgen import SEARCHERS, Space
from gbrank.lossgen._filters import grid, rescaled, too_large
from gbrank.lossgen._proxy import NO_LIMIT

TITLE = "The search for losses"
LAMBDARANK = "softplus(-d) * (dG * dD / IDCG)"
SEEDS, BUDGET, PROGRAMS, SECONDS = 30, 150, 100_000, 60.0
FIRST_SEED = 200  # lower ones were seen while the searchers were written
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
        numbers = range(FIRST_SEED, FIRST_SEED + seeds)
        found = Parallel(-1)(delayed(trainings_until_found)(searcher, data, seed, budget) for seed in numbers)
        counted = sorted(budget if number is None else number for number in found)
        rows.append(
            {
                "what": f"planted, {budget} trainings",
                "searcher": searcher,
                "found": f"{sum(number is not None for number in found)} of {seeds} seeds",
                "median": statistics.median(counted),
                "quartiles": f"{np.quantile(counted, 0.25):.0f}-{np.quantile(counted, 0.75):.0f}",
            }
        )
    return rows


def random_losses(n_programs: int) -> list[str]:
    """Return the losses that pass the grid, each once."""
    space, found = Space(), {}
    for number in range(n_programs):
        program = space.random(np.random.default_rng([FIRST_SEED, number]))
        if not too_large(program):
            loss = program.expression().canonical()
            verdict = grid(space.kind).judge(loss)
            if verdict.reason is None:
                found.setdefault(verdict.fingerprint, str(rescaled(loss, verdict.factor)))
    return list(found.values())


def learns(loss: str, backend: str, data: gbrank.RankingData) -> bool:
    """Train with a loss, assert that scores are finite, and tell whether there was a gradient at all."""
    params = {"backend_params": NO_LIMIT[backend]} | ({"min_docs_in_leaf": 0} if backend == "xgboost" else {})
    ranker = gbrank.GBRanker(backend=backend, n_estimators=10, max_leaves=15, n_jobs=1, **params)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no tree could be grown|training ended after", gbrank.GbrankWarning)
        try:
            ranker.set_params(objective=gbrank.objective("expression", formula=loss, **DEFAULTS)).fit(data)
        except gbrank.GbrankError as error:
            if "nothing to learn" not in str(error) and "its slope by d is 0 everywhere" not in str(error):
                raise
            return False
    assert np.isfinite(ranker.predict(data)).all(), loss
    return True


def trained_rows(n_programs: int) -> list[dict[str, Any]]:
    """Return one row for each booster: of how many random programs it was trained with."""
    data = gbrank.read_letor(real_data() / "mq2008" / "Fold1" / "train.txt").take(np.arange(60))
    losses, rows = random_losses(n_programs), []
    for backend in NO_LIMIT:
        learnt = Parallel(-1)(delayed(learns)(loss, backend, data) for loss in losses)
        rows.append(
            {
                "what": f"trained, {n_programs:,} random programs",
                "searcher": backend,
                "found": f"{len(losses):,} losses, {len(losses) - sum(learnt)} with nothing to learn",
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


def rows(
    seeds: int = SEEDS, budget: int = BUDGET, programs: int = PROGRAMS, seconds: float = SECONDS
) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    return [*planted_rows(seeds, budget), *trained_rows(programs), *speed_rows(seconds)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--programs", type=int, default=PROGRAMS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    for row in rows(**vars(parser.parse_args())):
        print(row)
