"""Replace the retrieval stage of a platform: from its logs to what the user gains.

    python examples/full_stage.py

The platform is simulated, so that the interest of every user in every item is known, and with it the gain of lists that
nobody was shown.  On a real one, the last table is an A/B test.  One platform is one example: --seed makes others, on
some of which no method gains anything, and ``bench/run.py full_stage`` repeats larger ones.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import gbrank
from gbrank.stages import (
    Cascade,
    CascadeRun,
    FullStageRanker,
    Platform,
    RequestSizes,
    add_candidates,
    make_platform,
    stage_method,
)

REQUESTS = 4  # of each user
SIZES = RequestSizes(candidates=120, pre_ranked=40, pre_rank_negatives=40, exposed=10, rank_negatives=10)
KEPT = 120, 40, 10  # by retrieval, pre-ranking, ranking
PRESENT = "interest learnt from exposures"
COUNTS = (2, 1, 1, 1)  # negatives of each positive: of the pool, pre-ranking and ranking, and one that was shown


def own(score: npt.NDArray[np.float32]) -> Callable[[gbrank.RankingData], npt.NDArray[np.float32]]:
    """Return a ranker that looks the score of a user and an item up."""
    return lambda data: score[data.qid, data.doc_id.astype(int)]


def cascade_with(platform: Platform, retrieval: Any) -> Cascade:
    """Return the platform's cascade with a retrieval stage of ours."""
    rankers = retrieval, own(platform.pre_rank_score), own(platform.rank_score)
    return Cascade(list(zip(("retrieval", "pre-ranking", "ranking"), rankers, KEPT, strict=True)))


def gains(run: CascadeRun, platform: Platform) -> npt.NDArray[Any]:
    """Return the expected number of items that each user likes in the final list."""
    data = run.data
    interest = platform.interest[data.qid, data.doc_id.astype(int)]
    return np.add.reduceat(np.where(run.final, interest, 0.0), data.query_ptr[:-1])


def against(found: dict[str, npt.NDArray[Any]], base: str) -> pd.DataFrame:
    """Return the mean gain of each method, and its difference to that of `base` with a 95 % interval over users."""
    rows = {}
    for name, gain in found.items():
        difference = gain - found[base]
        margin = 1.96 * difference.std(ddof=1) / np.sqrt(len(gain))
        mean = difference.mean()
        rows[name] = (gain.mean(), mean, mean - margin, mean + margin)
    columns = ["gain", "difference", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=120)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    platform = make_platform(chosen.users, chosen.items, random_state=chosen.seed, n_jobs=1)
    known, new = np.split(np.arange(platform.n_users), [platform.n_users // 2])
    pool = np.arange(platform.n_items)

    # What the platform has logged: a few requests of each known user, without what retrieval left behind.
    logged = platform.requests(REQUESTS, sizes=SIZES, random_state=0)
    logged = logged.take(np.isin(logged.request_ids // REQUESTS, known))
    log = add_candidates(logged, pool, 20, random_state=0)
    print(f"{log}\n{log.summary().round(3)}\n")

    def features(request: npt.NDArray[Any], item: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return platform.features(request // REQUESTS, item)

    base = gbrank.GBRanker("lambdarank", n_estimators=60, random_state=0, n_jobs=1)
    full_stage = FullStageRanker(base, counts=COUNTS, per="positive", random_state=0)
    methods = {
        PRESENT: stage_method("prp", base, random_state=0),
        "liked against random": stage_method("bpr", base, random_state=0),
        "liked against all stages": stage_method("bce", base, random_state=0),
        "full stage": full_stage,
    }
    rankers = {name: method.fit(log, features=features) for name, method in methods.items()}
    rankers["the interest itself"] = own(platform.interest)

    # Users of whom no ranker of ours has seen anything.
    data = platform.lists(platform.feedback, new)
    runs = {name: cascade_with(platform, ranker).run(data) for name, ranker in rankers.items()}
    print(f"{runs['full stage'].flow()[['stage', 'documents', 'kept']].to_string(index=False)}\n")
    print(f"Items liked of {KEPT[-1]} shown, by what retrieval ranks by, and the difference to the first:")
    table = against({name: gains(run, platform) for name, run in runs.items()}, PRESENT)
    print(f"{table.round(2).to_string()}\n({len(new)} new users, 95 % intervals over users)")


if __name__ == "__main__":
    main()
