"""Quality on MQ2008: mean NDCG@10 of the five test folds, every objective on both boosters.

Early stopping on each fold's validation part, learning rate .05, all else at its default; nothing was chosen on a test
fold.  Without sampling the model is the same for every seed; LambdaMART also with half of the features for each tree,
over three seeds.  The spread is the standard deviation over folds (most of it the folds' own difficulty) and, with
sampling, over seeds (of the mean over folds).
"""

import statistics
import sys
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from real_data import real_data

import gbrank

TITLE = "Quality on MQ2008"
FOLDS, SEEDS, ROUNDS, PATIENCE = 5, 3, 1000, 50
OBJECTIVES = ("lambdarank", "pairwise_logistic", "focal", "quantile", "ordinal", "mse", "mcrank")
NATIVE = {"lightgbm": ("lambdarank", "quantile", "mse"),
          "xgboost": ("lambdarank", "pairwise_logistic", "quantile", "mse")}  # fmt: skip


def folds() -> list[Any]:
    """Return the five folds, or exit with the reason."""
    return [gbrank.read_letor_fold(real_data() / "mq2008" / f"Fold{i}") for i in range(1, FOLDS + 1)]


def fold_scores(data: list[Any], seed: int = 0, **params: Any) -> list[float]:
    """Return the NDCG@10 of each test fold."""
    return Parallel(n_jobs=-1)(delayed(fold_score)(fold, seed, params) for fold in data)


def fold_score(fold: Any, seed: int, params: dict[str, Any]) -> float:
    """Return the NDCG@10 of a test fold."""
    ranker = gbrank.GBRanker(
        n_estimators=ROUNDS, early_stopping_rounds=PATIENCE, learning_rate=0.05, random_state=seed, n_jobs=1, **params
    )
    return ranker.fit(fold.train, eval_set=fold.vali).score(fold.test)


def sampled(data: list[Any], params: dict[str, Any]) -> dict[str, float]:
    """Return the mean over seeds with half of the features for each tree, and its spread."""
    means = [statistics.mean(fold_scores(data, seed, colsample=0.5, **params)) for seed in range(SEEDS)]
    return {"NDCG@10, half the features": statistics.mean(means), "sd of seeds": statistics.stdev(means)}


def best_feature(data: list[Any]) -> list[float]:
    """Return the NDCG@10 of each test fold, ranked by the feature that is best on the training part."""
    ndcg, values = gbrank.measure("ndcg@10"), []
    for train, _, test in data:
        means = [np.nanmean(ndcg(train.y, train.X[:, j], train.query_ptr)) for j in range(train.n_features)]
        values.append(float(np.nanmean(ndcg(test.y, test.X[:, int(np.argmax(means))], test.query_ptr))))
    return values


def rows() -> list[dict[str, Any]]:
    """Return one row for each objective, engine and booster."""
    data = folds()
    single = best_feature(data)
    out: list[dict[str, Any]] = [
        {"objective": "best single feature", "engine": "", "booster": "", "NDCG@10": statistics.mean(single),
         "sd of folds": statistics.stdev(single)}
    ]  # fmt: skip
    tried = [("compiled", OBJECTIVES), ("native", None)]
    for engine, objectives in tried:
        for booster in ("lightgbm", "xgboost"):
            for objective in objectives or NATIVE[booster]:
                params = {"objective": objective, "backend": booster, "engine": engine}
                plain = fold_scores(data, **params)
                print(f"  {booster} {engine} {objective}: {statistics.mean(plain):.4f}", file=sys.stderr, flush=True)
                out.append(
                    {
                        "objective": objective,
                        "engine": engine,
                        "booster": booster,
                        "NDCG@10": statistics.mean(plain),
                        "sd of folds": statistics.stdev(plain),
                        **(sampled(data, params) if objective == "lambdarank" else {}),
                    }
                )
    for booster in ("lightgbm", "xgboost"):
        reached = next(r["NDCG@10"] for r in out[1:] if r["objective"] == "lambdarank" and r["booster"] == booster)
        assert reached >= 0.690, (booster, reached)
    return out


if __name__ == "__main__":
    for row in rows():
        print(row)
