"""What correcting clicks brings: NDCG@10 on the true labels of MQ2008's test folds, after training on simulated clicks.

In each fold and for each of five seeds, a ranker trained on one in a hundred training queries makes the lists, and
simulated users click, grade 0 having an attraction of .1.  They examine rank k with 1 / k^eta: eta of 0 (no bias), 1
and 2; or click by DBN; or trust the top, clicking there on what does not attract, too.

*Sessions*: each of ten sessions a query, who are shown ten documents, is a query to learn from.  Naive is LambdaRank
of the clicks, beside it LambdaRank corrected, unbiased LambdaRank, LambdaRank with a term of the position, and
LightGBM's and XGBoost's own versions of the two; full information is LambdaRank of the grades.  *Labels*: softmax of
labels that are summed over a hundred sessions of whole lists a query, naive being clicks; full information is the
attraction itself.  Propensities are the true ones (oracle), or estimated: by regression EM from the same log, by
harvesting from logs of three such rankers, by swaps from lists in which two ranks were swapped at random, all of as
many sessions, or by unbiased LambdaRank as it learnt them beside its trees from the ten sessions.  Ten ranks are
estimated, and the last one stands for those below.

All train 50 trees of 31 leaves, the learning rate is .1, and nothing is chosen.  ``recovered`` is the mean of (method -
naive) as a share of the mean of (full information - naive); p is of the difference from naive (sign flips over test
queries, seeds averaged, not corrected for the number of rows), ``p of seeds`` says the same of new seeds, which is of
other logging rankers.
"""

import argparse
import itertools
import os
import pickle
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from real_data import real_data

import gbrank
from gbrank.clicks import (
    ClickLog,
    ClickModel,
    DynamicBayesian,
    GradedAttraction,
    PositionBased,
    Propensities,
    RandomSwaps,
    TrustBias,
    concat_click_logs,
    corrected_labels,
    estimate_propensities,
    session_data,
    simulate_clicks,
)
from gbrank.objectives import AffineCorrection, InversePropensity, PositionTerm, UnbiasedLambdaRank

TITLE = "Unbiased learning from clicks"
FOLDS, SEEDS, FEW, MANY, TREES, N_RANKS, ESTIMATED, SHOWN = 5, 5, 10, 100, 50, 150, 10, 10
ENDS = ("naive", "full information")
ATTRACTION = GradedAttraction(0.1)
SOFTMAX = gbrank.objective("softmax", gain="linear")
MEASURE = gbrank.measure("ndcg@10")
EXAMINATION = {eta: 1.0 / np.arange(1, N_RANKS + 1) ** eta for eta in (0, 1, 2)}
HIGH, LOW = 0.98, 0.65 / np.arange(1, N_RANKS + 1)
USERS: dict[str, ClickModel] = {
    "no bias": PositionBased(EXAMINATION[0]),
    "PBM, eta 1": PositionBased(EXAMINATION[1]),
    "PBM, eta 2": PositionBased(EXAMINATION[2]),
    "DBN": DynamicBayesian(0.9),
    "trust": TrustBias.of(EXAMINATION[1], np.full(N_RANKS, HIGH), LOW),
}
TRUTH = {"no bias": EXAMINATION[0], "PBM, eta 1": EXAMINATION[1], "PBM, eta 2": EXAMINATION[2]}
Trained = Callable[[], gbrank.GBRanker]


def ranker(objective: Any, **params: Any) -> gbrank.GBRanker:
    """Return a ranker to be trained, the same for all."""
    return gbrank.GBRanker(objective, n_estimators=TREES, n_jobs=1, **params)


def logging_ranker(data: gbrank.RankingData, seed: int) -> gbrank.GBRanker:
    """Return a ranker trained on one in a hundred queries, drawn until they have something to learn from."""
    generator = np.random.default_rng(seed)
    while True:
        few = data.take(np.sort(generator.permutation(data.n_queries)[: max(2, data.n_queries // 100)]))
        if len(np.unique(few.y)) > 1:
            return gbrank.GBRanker(n_estimators=20, min_docs_in_leaf=5, n_jobs=1).fit(few)


def propensities(
    data: gbrank.RankingData, users: ClickModel, logs: dict[str, ClickLog], score: list[np.ndarray], seed: int
) -> dict[str, Propensities]:
    """Return what each estimator finds, by its name."""
    sessions, options = np.full(data.n_queries, MANY), {"n_ranks": ESTIMATED, "n_resamples": 0}
    swapped = simulate_clicks(
        data, RandomSwaps(score[0], n_ranks=ESTIMATED), users, sessions, seed, attraction=ATTRACTION
    )
    three = [
        simulate_clicks(data, each, users, sessions // 3, seed + k, attraction=ATTRACTION, policy=f"ranker {k}")
        for k, each in enumerate(score)
    ]
    found = {
        "regression EM": estimate_propensities(logs["many"], "regression", data=data, **options),
        "harvesting": estimate_propensities(concat_click_logs(three), "all_pairs", **options),
        "swaps": estimate_propensities(swapped, "swaps", **options),
    }
    return {name: usable(each) for name, each in found.items()}


def usable(found: Any) -> np.ndarray:
    """Return propensities of all ranks, at most 1."""
    values = np.minimum(np.asarray(found, dtype=float)[:ESTIMATED], 1.0)
    return np.append(values, np.full(N_RANKS - len(values), values[-1]))


def trainings(train: gbrank.RankingData, how: str, seed: int) -> dict[tuple[str, str], Trained]:
    """Return what trains each ranker, by family and method."""
    users = USERS[how]
    score = [logging_ranker(train, 100 * seed + k).predict(train) for k in range(3)]
    logs = {
        name: simulate_clicks(
            train, score[0], users, np.full(train.n_queries, n), seed, attraction=ATTRACTION, top_k=shown
        )
        for name, n, shown in (("few", FEW, SHOWN), ("many", MANY, None))
    }
    sessions = session_data(logs["few"], train)
    lambdarank = gbrank.objective("lambdarank")
    unbiased = ranker(UnbiasedLambdaRank()).fit(sessions)
    found = propensities(train, users, logs, score, seed)
    if how in TRUTH:
        found = {"oracle": TRUTH[how], **found}
    found["unbiased LambdaRank"] = usable(Propensities.of_ranker(unbiased))

    def own(objective: Any, backend: str) -> gbrank.GBRanker:
        return ranker(objective, backend=backend, engine="native").fit(sessions)

    calls: dict[tuple[str, str], Trained] = {
        ("sessions", "naive"): lambda: ranker(lambdarank).fit(sessions),
        ("sessions", "unbiased LambdaRank"): lambda: unbiased,
        ("sessions", "position term"): lambda: ranker(PositionTerm(lambdarank)).fit(sessions),
        ("sessions", "LightGBM's own (position)"): partial(own, PositionTerm(lambdarank), "lightgbm"),
        ("sessions", "XGBoost's own (unbiased)"): partial(own, UnbiasedLambdaRank(beyond="uncorrected"), "xgboost"),
        ("sessions", "full information"): lambda: ranker(lambdarank).fit(train),
        ("labels", "naive"): lambda: ranker(SOFTMAX).fit(corrected_labels(logs["many"], train, np.ones(N_RANKS))),
        ("labels", "full information"): lambda: ranker(SOFTMAX).fit(train.with_labels(ATTRACTION(train.y))),
    }
    for name in ("oracle", "regression EM"):
        if name in found:
            corrected = InversePropensity(lambdarank, found[name])
            calls["sessions", f"IPS, {name}"] = lambda loss=corrected: ranker(loss).fit(sessions)
    for name, each in found.items():
        label = partial(corrected_labels, logs["many"], train, each)
        calls["labels", f"IPS, {name}"] = lambda label=label: ranker(SOFTMAX).fit(label())
    if how == "trust":
        high, low = EXAMINATION[1] * HIGH, EXAMINATION[1] * LOW
        affine = AffineCorrection("mse", high, low)
        calls["sessions", "affine MSE, oracle"] = lambda: ranker(affine).fit(sessions)
        ips = InversePropensity("mse", EXAMINATION[1])
        calls["sessions", "IPS MSE, oracle"] = lambda: ranker(ips).fit(sessions)
    return calls


def cell(folder: Path, fold: int, how: str, seed: int, kept: Path | None) -> pd.DataFrame:
    """Return NDCG@10 of each method on each test query of a fold."""
    path = None if kept is None else kept / f"{fold}-{how}-{seed}.pickle"
    if path is not None and path.exists():
        return pickle.loads(path.read_bytes())
    train, test = (gbrank.read_letor(folder / f"Fold{fold}" / f"{part}.txt") for part in ("train", "test"))
    frames = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gbrank.GbrankWarning)
        for (family, method), trained in trainings(train, how, seed).items():
            value = MEASURE(test.y, trained().predict(test), test.query_ptr)
            frames.append(pd.DataFrame({"qid": test.query_ids, "value": value}).assign(family=family, system=method))
    found = pd.concat(frames).assign(fold=fold, seed=seed, users=how)
    if path is not None:
        path.write_bytes(pickle.dumps(found))
    return found


def rows(folds: int = FOLDS, seeds: int = SEEDS, kept: Path | None = None) -> list[dict[str, Any]]:
    """Return the table; cells that stand in the folder `kept` are not computed again."""
    kept = kept or (Path(os.environ["GBRANK_BENCH_KEPT"]) if "GBRANK_BENCH_KEPT" in os.environ else None)
    folder = real_data() / "mq2008"
    cells = itertools.product(range(seeds), range(1, folds + 1), USERS)
    frames = Parallel(n_jobs=2)(delayed(cell)(folder, fold, how, seed, kept) for seed, fold, how in cells)
    every = pd.concat(frames)
    out = []
    for (how, family), part in every.groupby(["users", "family"], sort=False):
        part = part[part["value"].notna()]
        mean = part.groupby("system", sort=False)["value"].mean()
        spread = part.groupby(["system", "seed"])["value"].mean().groupby("system").std()
        compared = gbrank.compare(
            part[["system", "qid", "value", "fold", "seed"]], "ndcg@10", baseline="naive", correction="none"
        ).table.set_index("a")
        for name, value in mean.items():
            gap = mean["full information"] - mean["naive"]
            out.append(
                {
                    "users": how, "family": family, "method": name, "NDCG@10": float(value),
                    "sd of seeds": float(spread[name]),
                    "recovered": None if name in ENDS else f"{(value - mean['naive']) / gap:.0%}",
                    "p": None if name == "naive" else float(compared.loc[name, "p"]),
                    "p of seeds": None if name == "naive" else float(compared.loc[name, "seeds_p"]),
                }
            )  # fmt: skip
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--kept", type=Path)
    given = parser.parse_args()
    print(pd.DataFrame(rows(given.folds, given.seeds, given.kept)).to_string())
