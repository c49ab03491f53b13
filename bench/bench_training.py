"""LambdaMART training time: gbrank's compiled gradients in LightGBM against LightGBM's own lambdarank.

Equal trees: the same data, bins and tree parameters on both sides, no evaluation.  Agreement is asserted first: after
20 rounds without a limit on a leaf's documents (LightGBM counts them by hessians, so a limit amplifies differences
of 1e-5), the predictions of both engines lie within 1e-4 of LightGBM's own, and with the hessian doubled within 1e-6
(compiled: 1e-4) of XGBoost's, on the median of five small data sets.  On some, a split that is nearly a tie falls
otherwise; the greatest difference stands beside.
"""

import statistics
from typing import Any

import lightgbm as lgb
import numpy as np
import xgboost as xgb
from timing import interleaved, ratios

import gbrank
from gbrank.objectives import LambdaRank, Targets

TITLE = "LambdaMART training against the boosters' own"
N_QUERIES, TREES, REPEATS, SEED = 2000, 100, 5, 0

COMMON = {"learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "verbosity": -1, "metric": "None",
          "num_threads": 2, "deterministic": True, "force_row_wise": True, "feature_pre_filter": False}  # fmt: skip


def lightgbm_alone(data: gbrank.RankingData, n_trees: int = TREES, **params: Any) -> lgb.Booster:
    """Train LightGBM as its user does."""
    dataset = lgb.Dataset(data.X, label=data.y, group=data.query_sizes)
    own = {"objective": "lambdarank", "lambdarank_truncation_level": 30}
    return lgb.train({**COMMON, **own, **params}, dataset, n_trees)


def xgboost_alone(data: gbrank.RankingData, n_trees: int = TREES) -> xgb.Booster:
    """Train XGBoost as its user does, with gbrank's tree parameters."""
    matrix = xgb.QuantileDMatrix(data.X, label=data.y, group=data.query_sizes, max_bin=255)
    params = {
        "objective": "rank:ndcg", "lambdarank_pair_method": "topk", "lambdarank_num_pair_per_sample": 30,
        "tree_method": "hist", "grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0, "learning_rate": 0.1,
        "reg_lambda": 0.0, "max_bin": 255, "base_score": 0.0, "nthread": 2, "disable_default_eval_metric": True,
    }  # fmt: skip
    return xgb.train(params, matrix, n_trees)


def agreement() -> list[dict[str, Any]]:
    """Return the greatest differences of predictions after 20 rounds on five data sets, and assert their medians."""
    rows = []
    for engine in ("numpy", "compiled"):
        found = np.array([differences(gbrank.make_letor(10, random_state=seed), engine) for seed in range(5)])
        median, greatest = np.median(found, axis=0), found.max(axis=0)
        assert median[0] < 1e-4, found
        assert median[1] < (1e-6 if engine == "numpy" else 1e-4), found
        for name, values in (("median", median), ("greatest", greatest)):
            what = f"{name} of five data sets: difference after 20 rounds, {engine} engine"
            rows.append({"what": what, "to LightGBM": values[0], "to XGBoost": values[1]})
    return rows


def differences(data: gbrank.RankingData, engine: str) -> tuple[float, float]:
    """Return the greatest difference from LightGBM's and from XGBoost's own predictions."""
    lightgbm = lightgbm_alone(data, 20, min_data_in_leaf=1).predict(data.X)
    xgboost = xgboost_alone(data, 20).predict(xgb.DMatrix(data.X), output_margin=True)
    ours = gbrank.GBRanker(engine=engine, n_estimators=20, min_docs_in_leaf=1).fit(data).predict(data)
    doubled = LambdaRank(hessian_factor=2.0)
    also = gbrank.GBRanker(doubled, backend="xgboost", engine=engine, n_estimators=20).fit(data).predict(data)
    return float(np.abs(ours - lightgbm).max()), float(np.abs(also - xgboost).max())


def rows(n_queries: int = N_QUERIES, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Return training times from arrays to booster."""
    checked = agreement()
    data = gbrank.make_letor(n_queries, random_state=SEED)
    ours = gbrank.GBRanker(n_estimators=TREES, n_jobs=2)
    on_xgboost = gbrank.GBRanker(backend="xgboost", n_estimators=TREES, n_jobs=2)
    calls = {
        "gbrank on LightGBM": lambda: ours.fit(data),
        "LightGBM": lambda: lightgbm_alone(data),
        "gbrank on XGBoost": lambda: on_xgboost.fit(data),
        "XGBoost": lambda: xgboost_alone(data),
    }
    seconds = interleaved(calls, repeats)
    out: list[dict[str, Any]] = []
    for peer in ("LightGBM", "XGBoost"):
        a, b = seconds[f"gbrank on {peer}"], seconds[peer]
        out.append(
            {
                "what": f"{TREES} trees, {data.n_queries:,} queries, {data.n_documents:,} documents, on {peer}",
                "gbrank s": statistics.median(a),
                "own s": statistics.median(b),
                **ratios(a, b),
            }
        )
    out.append(gradients(data))
    return [*out, *checked]


def gradients(data: gbrank.RankingData) -> dict[str, Any]:
    """Return the time of one round's gradients."""
    bound = {e: LambdaRank().bind(Targets(data.y, data.query_ptr), engine=e, n_jobs=2) for e in ("compiled", "numpy")}
    rng = np.random.default_rng(SEED)
    score = rng.normal(size=data.n_documents)
    calls = {name: lambda each=each: each.gradient_hessian(score, 0) for name, each in bound.items()}
    seconds = interleaved(calls, 9)
    return {
        "what": "gradients of one round, ms (compiled, numpy)",
        "gbrank s": 1e3 * statistics.median(seconds["compiled"]),
        "own s": 1e3 * statistics.median(seconds["numpy"]),
        **ratios(seconds["compiled"], seconds["numpy"]),
    }


if __name__ == "__main__":
    for row in rows():
        print(row)
