"""`predict` against the bare boosters: on many documents, and on a single one.

The bare call is the fastest that the library's user has: LightGBM's ``Booster.predict`` and XGBoost's
``inplace_predict``, both without validation, and CatBoost's ``predict`` of raw values; of a DataFrame the same call.
XGBoost's other form, through a `DMatrix`, stands beside.  gbrank refuses infinite values and other columns than it was
trained on, and adds the score that boosting started from.  Equal scores are asserted first.
"""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from timing import interleaved, ratios

import gbrank

TITLE = "predict against the bare boosters"
TREES, THREADS, MANY, REPEATS, SINGLE, SEED = 100, 2, 200_000, 15, 2000, 0
NAMES = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}


def ranker_on(backend: str, data: gbrank.RankingData) -> gbrank.GBRanker:
    """Return a ranker of as many trees on each backend; CatBoost trains its own losses alone."""
    own = {"objective": "mse", "engine": "native"} if backend == "catboost" else {}
    return gbrank.GBRanker(backend=backend, n_estimators=TREES, n_jobs=THREADS, **own).fit(data)


def bare(ranker: gbrank.GBRanker, threads: int) -> dict[str, Callable[[Any], Any]]:
    """Return the library's own ways to predict."""
    booster = ranker.model_.booster
    if ranker.backend == "lightgbm":
        return {"": lambda X: booster.predict(X, raw_score=True, num_threads=threads, validate_features=False)}
    if ranker.backend == "catboost":
        return {"": lambda X: booster.predict(X, prediction_type="RawFormulaVal", thread_count=threads)}
    return {
        "": lambda X: booster.inplace_predict(X, predict_type="margin", validate_features=False),
        " through a DMatrix": lambda X: booster.predict(
            xgb.DMatrix(X, nthread=threads), output_margin=True, validate_features=False
        ),
    }


def inputs(X: np.ndarray, data: gbrank.RankingData) -> dict[str, tuple[Any, Any]]:
    """Return what ours and what the bare booster is given, in three forms."""
    frame = pd.DataFrame(X, columns=list(data.feature_names))
    as_data = gbrank.RankingData(X, np.zeros(len(X)), np.zeros(len(X), np.int64))
    return {"array": (X, X), "DataFrame": (frame, frame), "RankingData": (as_data, X)}


def measured(ranker: gbrank.GBRanker, X: np.ndarray, data: gbrank.RankingData, threads: int, repeats: int) -> Any:
    """Yield form, bare call and the seconds of both, after a look at what they predict."""
    ranker.set_params(n_jobs=threads)
    for form, (given, plain) in inputs(X, data).items():
        for name, call in bare(ranker, threads).items():
            difference = np.abs(ranker.predict(given) - ranker.init_score_[0] - call(plain)).max()
            assert difference < 1e-6, (ranker.backend, form, difference)
            calls = {"ours": lambda given=given: ranker.predict(given), "bare": lambda: call(plain)}  # noqa: B023
            seconds = interleaved(calls, repeats, warm_up=max(1, repeats // 20))
            yield f"{NAMES[ranker.backend]}{name}, {form}", seconds["ours"], seconds["bare"]


def rows(many: int = MANY, repeats: int = REPEATS, single: int = SINGLE) -> list[dict[str, Any]]:
    """Return seconds on many documents with two threads, and microseconds on one with one."""
    data = gbrank.make_letor(300, random_state=SEED)
    rankers = [ranker_on(backend, data) for backend in NAMES]
    X = np.ascontiguousarray(np.tile(data.X, (many // len(data.X) + 1, 1))[:many])
    out: list[dict[str, Any]] = []
    for ranker in rankers:
        for what, a, b in measured(ranker, X, data, THREADS, repeats):
            numbers = {"gbrank s": statistics.median(a), "bare s": statistics.median(b), **ratios(a, b)}
            out.append({"what": f"{many:,} documents, {what}", **numbers})
    for ranker in rankers:
        for what, a, b in measured(ranker, X[:1].copy(), data, 1, single):
            ours, theirs = 1e6 * statistics.median(a), 1e6 * statistics.median(b)
            numbers = {"gbrank us": ours, "bare us": theirs, "more by us": ours - theirs}
            out.append({"what": f"one document, {what}", **numbers})
    return out


if __name__ == "__main__":
    for row in rows():
        print(row)
