"""Quality on MQ2008: mean NDCG@10 of the five test folds, every objective on both boosters and their own beside it.

Every registered objective with its default parameters and gbrank's compiled gradients, then LightGBM's, XGBoost's and
CatBoost's own objectives, called as their users call them.  Learning rate .05, at most 300 rounds, the best round by
the mean NDCG@10 on the fold's validation part, where training stops after 50 rounds without a better one.  LightGBM's
and XGBoost's trees have 31 leaves, no penalty on their values, and see 80 % of the documents and features, so that a
seed matters; CatBoost has its own trees (symmetric, depth 6), penalty and sampling.  All else is at its default, and
nothing was chosen on a test fold.  All are stopped and judged by the same measure of gbrank's; CatBoost trains all 300
rounds, and the same rule then picks one.

The mean is over five folds and three seeds; `sd` is the standard deviation over these fifteen, most of it the folds'
own difficulty, `sd of seeds` that of the mean over folds.  Labels are the grades 0-2, or 0 and 1 for training where an
objective refuses grades; one that needs more (explicit pairs, several label columns) is named with the reason.
"""

import argparse
import importlib.util
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import xgboost as xgb
from joblib import Parallel, delayed
from real_data import real_data

import gbrank
from gbrank.objectives import OBJECTIVES

TITLE = "Quality on MQ2008"
FOLDS, SEEDS, ROUNDS, PATIENCE, RATE = 5, 3, 300, 50, 0.05
MEASURE = gbrank.measure("ndcg@10")

LIGHTGBM = ("lambdarank", "rank_xendcg", "regression")
XGBOOST = ("rank:ndcg", "rank:pairwise", "rank:map", "reg:squarederror")
CATBOOST = ("YetiRank", "YetiRank:mode=NDCG", "QueryRMSE", "QuerySoftMax", "PairLogit", "StochasticRank:metric=NDCG",
            "LambdaMart:metric=NDCG", "RMSE")  # fmt: skip


class Fit(NamedTuple):
    """One training: the measure on the test fold, the rounds used, the seconds of training."""

    value: float
    rounds: int
    seconds: float


def mean(data: gbrank.RankingData, score: np.ndarray) -> float:
    """Return the mean of the measure over the queries that it does not skip."""
    return float(np.nanmean(MEASURE(data.y, score, data.query_ptr)))


# gbrank


def fit_gbrank(fold: Any, name: str, seed: int, backend: str) -> Fit:
    """Train with gbrank's gradients."""
    objective = gbrank.objective(name)
    ranker = gbrank.GBRanker(
        objective, backend=backend, n_estimators=ROUNDS, early_stopping_rounds=PATIENCE, learning_rate=RATE,
        subsample=0.8, colsample=0.8, measure=MEASURE, random_state=seed, n_jobs=1,
    )  # fmt: skip
    train = labelled(objective, fold.train)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gbrank.GbrankWarning)  # no split has a gain any more
        ranker.fit(train, eval_set=fold.vali)
    return Fit(ranker.score(fold.test), ranker.best_iteration_, time.perf_counter() - start)


def labelled(objective: gbrank.Objective, data: gbrank.RankingData) -> gbrank.RankingData:
    """Return the data, with labels 0 and 1 where the objective refuses grades."""
    try:
        objective.bind(data)
        return data
    except gbrank.GbrankError:
        binary = data.with_labels(data.y > 0)
        objective.bind(binary)
        return binary


# The boosters' own


def fit_lightgbm(fold: Any, objective: str, seed: int, backend: str) -> Fit:
    """Train LightGBM with its own objective."""
    params = {
        "objective": objective, "learning_rate": RATE, "num_leaves": 31, "bagging_fraction": 0.8, "bagging_freq": 1,
        "feature_fraction": 0.8, "seed": seed, "num_threads": 1, "verbosity": -1, "metric": "None",
    }  # fmt: skip
    sets = [lgb.Dataset(part.X, part.y, group=part.query_sizes) for part in (fold.train, fold.vali)]
    start = time.perf_counter()
    booster = lgb.train(
        params, sets[0], ROUNDS, valid_sets=[sets[1]],
        feval=lambda score, data: (MEASURE.name, mean(fold.vali, score), True),
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip
    score = booster.predict(fold.test.X, num_iteration=booster.best_iteration)
    return Fit(mean(fold.test, score), booster.best_iteration, time.perf_counter() - start)


def fit_xgboost(fold: Any, objective: str, seed: int, backend: str) -> Fit:
    """Train XGBoost with its own objective and gbrank's tree parameters."""
    params = {
        "objective": objective, "learning_rate": RATE, "tree_method": "hist", "grow_policy": "lossguide",
        "max_leaves": 31, "max_depth": 0, "subsample": 0.8, "colsample_bytree": 0.8, "reg_lambda": 0.0, "max_bin": 255,
        "seed": seed, "nthread": 1, "disable_default_eval_metric": True,
    }  # fmt: skip
    train, vali = (
        xgb.DMatrix(part.X, binary_for_map(objective, part.y), group=part.query_sizes)
        for part in (fold.train, fold.vali)
    )
    start = time.perf_counter()
    booster = xgb.train(
        params, train, ROUNDS, evals=[(vali, "vali")], verbose_eval=False,
        custom_metric=lambda score, data: ("ndcg", mean(fold.vali, score)), maximize=True,
        early_stopping_rounds=PATIENCE,
    )  # fmt: skip
    rounds = booster.best_iteration + 1
    score = booster.predict(xgb.DMatrix(fold.test.X), iteration_range=(0, rounds))
    return Fit(mean(fold.test, score), rounds, time.perf_counter() - start)


def binary_for_map(objective: str, y: np.ndarray) -> np.ndarray:
    """Return labels as XGBoost's rank:map wants them, relevant or not."""
    return (y > 0).astype(float) if objective == "rank:map" else y


def fit_catboost(fold: Any, objective: str, seed: int, backend: str) -> Fit:
    """Train CatBoost with its own objective, and pick a round as early stopping would have done."""
    from catboost import CatBoost, Pool

    params = {
        "loss_function": objective, "learning_rate": RATE, "iterations": ROUNDS, "random_seed": seed,
        "thread_count": 1, "logging_level": "Silent", "allow_writing_files": False,
    }  # fmt: skip
    y = fold.train.y / fold.train.y.max() if objective == "QuerySoftMax" else fold.train.y  # its targets are in [0, 1]
    numbers = np.repeat(np.arange(fold.train.n_queries), fold.train.query_sizes)
    start = time.perf_counter()
    model = CatBoost(params).fit(Pool(fold.train.X, y, group_id=numbers))
    rounds = best_round([mean(fold.vali, score) for score in model.staged_predict(fold.vali.X, thread_count=1)])
    score = model.predict(fold.test.X, ntree_end=rounds, thread_count=1)
    return Fit(mean(fold.test, score), rounds, time.perf_counter() - start)


def best_round(values: list[float]) -> int:
    """Return the round, from 1, that early stopping would have kept."""
    best = 0
    for number, value in enumerate(values):
        if value > values[best]:
            best = number
        elif number - best >= PATIENCE:
            break
    return best + 1


def has_catboost() -> bool:
    """Tell whether CatBoost is installed; it is not needed otherwise."""
    return importlib.util.find_spec("catboost") is not None


# The table


def spread(values: list[float]) -> float | None:
    """Return the standard deviation of two values or more."""
    return statistics.stdev(values) if len(values) > 1 else None


def best_feature(data: list[Any]) -> dict[str, Any]:
    """Return the row of ranking by the feature that is best on the training part."""
    values = []
    for train, _, test in data:
        means = [mean(train, train.X[:, j]) for j in range(train.n_features)]
        values.append(mean(test, test.X[:, int(np.argmax(means))]))
    return {"objective": "best single feature", "NDCG@10": statistics.mean(values), "sd": spread(values)}


def row(data: list[Any], seeds: int, fit: Callable[..., Fit], name: str, booster: str) -> dict[str, Any]:
    """Return the row of an objective."""
    whose = "gbrank" if fit is fit_gbrank else "own"
    start = {"objective": name, "of": whose, "booster": booster}
    jobs = [delayed(fit)(fold, name, seed, booster) for seed in range(seeds) for fold in data]
    try:
        fits: list[Fit] = Parallel(n_jobs=-1)(jobs)
    except Exception as error:  # the other rows took long, and are worth having
        return start | {"note": f"not trained: {type(error).__name__}: {error}"}
    values = np.array([each.value for each in fits]).reshape(seeds, len(data))
    found = {
        "NDCG@10": float(values.mean()),
        "sd": spread(values.ravel().tolist()),
        "sd of seeds": spread(values.mean(axis=1).tolist()),
        "rounds": statistics.mean(each.rounds for each in fits),
        "seconds": statistics.median(each.seconds for each in fits),
    }
    print(f"  {booster} {whose} {name}: {found['NDCG@10']:.4f}", file=sys.stderr, flush=True)
    return start | found


def rows(seeds: int = SEEDS, folds: int = FOLDS, names: list[str] | None = None) -> list[dict[str, Any]]:
    """Return one row for each objective and booster."""
    data = [gbrank.read_letor_fold(real_data() / "mq2008" / f"Fold{i}") for i in range(1, folds + 1)]
    tried: list[tuple[Callable[..., Fit], str, Any]] = [
        (fit_gbrank, "lightgbm", OBJECTIVES),
        (fit_gbrank, "xgboost", OBJECTIVES),
        (fit_lightgbm, "lightgbm", LIGHTGBM),
        (fit_xgboost, "xgboost", XGBOOST),
        (fit_catboost, "catboost", CATBOOST if has_catboost() else ()),
    ]
    out = [best_feature(data)] + [
        row(data, seeds, fit, name, booster)
        for fit, booster, objectives in tried
        for name in objectives
        if names is None or name in names
    ]
    if (seeds, folds, names) == (SEEDS, FOLDS, None):
        for each in out:
            assert each["objective"] != "lambdarank" or each["NDCG@10"] >= 0.690, each
    return out


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("names", nargs="*", help="objectives; all by default")
    given = parser.parse_args()
    for each in rows(given.seeds, given.folds, given.names or None):
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in each.items()})


if __name__ == "__main__":
    main()
