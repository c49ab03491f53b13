"""A search over parameters: scikit-learn's `GridSearchCV` over a ranker against the loop over LightGBM written by hand.

Eight settings of trees on five folds of whole queries, the same on both sides.  The loop makes a `lightgbm.Dataset`
and calls `lightgbm.train` for each setting and fold, with the groups cut as they should be, and scores with the same
NDCG@10; the search routes `qid` through scikit-learn.  With ``engine="native"`` both sides train LightGBM's own
lambdarank, and all forty values agree to 1e-9, which is asserted first, also inside `gbrank.bin_cache`.  The loop that
bins each fold once keeps its data sets by hand.  The compiled engine trains gbrank's own gradients instead.
"""

import itertools
import statistics
from functools import partial
from typing import Any

import lightgbm as lgb
import numpy as np
import sklearn
from sklearn.model_selection import GridSearchCV
from timing import interleaved, ratios

import gbrank

TITLE = "Searches with scikit-learn against the loop over LightGBM"
N_QUERIES, TREES, THREADS, REPEATS, SEED = 150, 50, 2, 3, 0
GRID = {"learning_rate": [0.05, 0.1], "max_leaves": [7, 15, 31, 63]}
FOLDS = gbrank.QueryKFold(5)
NDCG = gbrank.measure("ndcg@10")


def by_hand(data: gbrank.RankingData, trees: int, *, bin_once: bool = False) -> np.ndarray:
    """Return NDCG@10 of each setting and fold, as a user of LightGBM writes it."""
    X, y, qid = data.X, data.y, data.qid
    folds = [(X[rows], y[rows], ptr(qid[rows]), X[held], y[held], ptr(qid[held])) for rows, held in FOLDS.split(data)]
    if bin_once:
        sets = [lgb.Dataset(X, y, group=np.diff(cuts), params=BINS).construct() for X, y, cuts, *_ in folds]
    values = []
    for rate, leaves in itertools.product(*GRID.values()):
        for number, (X, y, cuts, X_held, y_held, held_cuts) in enumerate(folds):
            dataset = sets[number] if bin_once else lgb.Dataset(X, y, group=np.diff(cuts))
            booster = lgb.train({**COMMON, "learning_rate": rate, "num_leaves": leaves}, dataset, trees)
            score = booster.predict(X_held, raw_score=True, num_threads=THREADS)
            values.append(NDCG.mean(NDCG(y_held, score, held_cuts), held_cuts))
    return np.array(values).reshape(-1, len(folds))


BINS = {"feature_pre_filter": False, "verbosity": -1, "num_threads": THREADS}
COMMON = {**BINS, "objective": "lambdarank", "lambdarank_truncation_level": 30, "min_data_in_leaf": 20,
          "metric": "None", "deterministic": True, "force_row_wise": True}  # fmt: skip


def ptr(qid: np.ndarray) -> np.ndarray:
    """Return the row offsets of queries that stand together."""
    return np.concatenate(([0], np.flatnonzero(qid[1:] != qid[:-1]) + 1, [len(qid)]))


def search(data: gbrank.RankingData, trees: int, engine: str) -> np.ndarray:
    """Return NDCG@10 of each setting and fold, as scikit-learn's search finds it."""
    ranker = gbrank.GBRanker(engine=engine, n_estimators=trees, n_jobs=THREADS)
    with sklearn.config_context(enable_metadata_routing=True):
        found = GridSearchCV(ranker, GRID, cv=FOLDS, scoring=gbrank.make_scorer(NDCG), refit=False)
        results = found.fit(data.X, data.y, qid=data.qid, groups=data.qid).cv_results_
    return np.column_stack([results[f"split{fold}_test_score"] for fold in range(5)])


def search_once_binned(data: gbrank.RankingData, trees: int, engine: str) -> np.ndarray:
    """Search with each fold binned once."""
    with gbrank.bin_cache() as cache:
        values = search(data, trees, engine)
    assert (cache.misses, cache.hits) == (5, 35), cache
    return values


def rows(n_queries: int = N_QUERIES, trees: int = TREES, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Return the times of searches with and without bins kept."""
    data = gbrank.make_letor(n_queries, random_state=SEED)
    ours = {"": search, ", each fold binned once": search_once_binned}
    loops = {"": partial(by_hand, data, trees), ", each fold binned once": partial(by_hand, data, trees, bin_once=True)}
    expected = loops[""]()
    for each in (loops[", each fold binned once"](), *(run(data, trees, "native") for run in ours.values())):
        assert np.abs(each - expected).max() < 1e-9, np.abs(each - expected).max()
    compiled = search(data, trees, "compiled")
    assert np.array_equal(search_once_binned(data, trees, "compiled"), compiled)
    assert np.abs(compiled - expected).mean() < 0.02, np.abs(compiled - expected).mean()
    calls = {f"loop{how}": loop for how, loop in loops.items()}
    for (how, run), engine in itertools.product(ours.items(), ("native", "compiled")):
        calls[f"{engine}{how}"] = partial(run, data, trees, engine)
    seconds = interleaved(calls, repeats)
    shape = f"{data.n_documents:,} documents, {trees} trees"
    out = []
    for (how, engine), loop in itertools.product(itertools.product(ours, ("native", "compiled")), loops):
        a, b = seconds[f"{engine}{how}"], seconds[f"loop{loop}"]
        what = {"search": f"{engine} engine{how}", "against": f"loop{loop}", "size": shape}
        out.append({**what, "gbrank s": statistics.median(a), "loop s": statistics.median(b), **ratios(a, b)})
    return out


if __name__ == "__main__":
    for row in rows():
        print(row)
