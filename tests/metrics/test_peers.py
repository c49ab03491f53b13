"""Other libraries' numbers are ours under a named convention."""

import itertools

import numpy as np
import pytest

from gbrank import measure

LISTS = {
    "graded": ([3, 0, 2, 1, 0], [0.2, 0.9, 0.7, 0.4, 0.1]),
    "nothing relevant": ([0, 0, 0, 0, 0], [0.2, 0.9, 0.7, 0.4, 0.1]),
    "tied, worst first": ([0, 0, 0, 2, 1], [0.5] * 5),
    "tied, best first": ([2, 1, 0, 0, 0], [0.5] * 5),
    "one relevant": ([2], [0.3]),
    "one irrelevant": ([0], [0.3]),
    "short": ([1, 2], [0.9, 0.1]),
}
CONVENTIONS = {
    "LightGBM": {"ties": "stable", "no_relevant": 1},
    "XGBoost ndcg@3-": {"ties": "stable", "no_relevant": 0},
    "CatBoost": {"gain": "linear", "ties": "worst", "no_relevant": 1},
    "CatBoost type=Exp": {"ties": "worst", "no_relevant": 1},
    "scikit-learn": {"gain": "linear", "no_relevant": 0},
    "ranx": {"gain": "linear", "ties": "stable", "no_relevant": 0},
    "ranx ndcg_burges": {"ties": "stable", "no_relevant": 0},
    "pytrec_eval": {"gain": "linear", "ties": "trec", "no_relevant": 0},
}
VALUES = {
    "LightGBM": (0.2547, 1, 0, 1, 1, 1, 0.7967),
    "XGBoost ndcg@3-": (0.2547, 0, 0, 1, 1, 0, 0.7967),
    "CatBoost": (0.3700, 1, 0, 0, 1, 1, 0.8597),
    "CatBoost type=Exp": (0.2547, 1, 0, 0, 1, 1, 0.7967),
    "scikit-learn": (0.3700, 0, 0.486, 0.486, 1, 0, 0.8597),
    "ranx": (0.3700, 0, 0, 1, 1, 0, 0.8597),
    "ranx ndcg_burges": (0.2547, 0, 0, 1, 1, 0, 0.7967),
    "pytrec_eval": (0.3700, 0, 0.8597, 0, 1, 0, 0.8597),
}


@pytest.mark.parametrize("peer", CONVENTIONS)
def test_ndcg_at_3_of_seven_lists(peer):
    sizes = [len(y) for y, _ in LISTS.values()]
    y, score = (np.concatenate([pair[i] for pair in LISTS.values()]) for i in (0, 1))
    doc_id = np.concatenate([[f"d{i}" for i in range(size)] for size in sizes])
    m = measure("ndcg@3", **CONVENTIONS[peer])
    got = m(y, score, np.concatenate(([0], np.cumsum(sizes))), doc_id)
    np.testing.assert_allclose(got, VALUES[peer], atol=5e-5 + (5e-4 if peer == "scikit-learn" else 0))


@pytest.fixture(scope="module")
def lists():
    """Random lists with many ties; every query has at least two documents and some have nothing relevant."""
    rng = np.random.default_rng(7)
    sizes = rng.integers(2, 60, 80)
    query_ptr = np.concatenate(([0], np.cumsum(sizes)))
    n = int(query_ptr[-1])
    y = rng.integers(0, 4, n) * (rng.random(n) < 0.15)
    return y, rng.integers(0, 15, n) / 4, query_ptr


@pytest.mark.parametrize("k", [1, 3, 10, None])
def test_scikit_learn(lists, k):
    from sklearn.metrics import dcg_score, ndcg_score

    y, score, query_ptr = lists
    at = "" if k is None else f"@{k}"
    queries = [slice(a, b) for a, b in itertools.pairwise(query_ptr)]
    for name, theirs in (("ndcg", ndcg_score), ("dcg", dcg_score)):
        truth = [theirs([y[q]], [score[q]], k=k) for q in queries]
        ours = measure(name + at, gain="linear", no_relevant=0)(y, score, query_ptr)
        np.testing.assert_allclose(ours, truth, rtol=1e-10, atol=1e-12)


def test_pytrec_eval(lists):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    y, score, query_ptr = lists
    score = score + 1e-9 * np.random.default_rng(0).normal(size=len(y))  # apart in float64, tied in float32
    doc_id = np.array([f"d{i}" for i in range(len(y))])
    rows = {f"q{q}": range(query_ptr[q], query_ptr[q + 1]) for q in range(len(query_ptr) - 1)}
    qrels = {q: {doc_id[i]: int(y[i]) for i in members} for q, members in rows.items()}
    run = {q: {doc_id[i]: float(score[i]) for i in members} for q, members in rows.items()}
    names = {
        "ndcg": "ndcg", "ndcg_cut_10": "ndcg@10", "map": "ap", "map_cut_5": "ap@5", "recip_rank": "rr", "P_5": "p@5",
        "recall_5": "r@5", "success_5": "hit@5",
    }  # fmt: skip
    asked = {"ndcg", "ndcg_cut.10", "map", "map_cut.5", "recip_rank", "P.5", "recall.5", "success.5"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, asked).evaluate(run)
    for trec_name, name in names.items():
        gain = {"gain": "linear"} if name.startswith("ndcg") else {}
        ours = measure(name, ties="trec", no_relevant=0, **gain)(y, score, query_ptr, doc_id)
        np.testing.assert_allclose(ours, [theirs[q][trec_name] for q in rows], atol=1e-9, err_msg=name)


def test_ranx(lists):
    ranx = pytest.importorskip("ranx")
    y, _, query_ptr = lists
    score = np.random.default_rng(0).permutation(len(y)) / 64  # distinct: ranx sorts ties unstably
    rows = {f"q{q:03d}": range(query_ptr[q], query_ptr[q + 1]) for q in range(len(query_ptr) - 1)}
    qrels = ranx.Qrels({q: {f"d{i}": int(y[i]) for i in members} for q, members in rows.items()})
    run = ranx.Run({q: {f"d{i}": float(score[i]) for i in members} for q, members in rows.items()})
    theirs = ranx.evaluate(qrels, run, "ndcg@5", return_mean=False)  # ranx compiles each measure for seconds
    ours = measure("ndcg@5", gain="linear", no_relevant=0)(y, score, query_ptr)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_lightgbm(lists):
    lightgbm = pytest.importorskip("lightgbm")
    y, score, query_ptr = lists
    data = lightgbm.Dataset(
        np.arange(len(y))[:, None], y, group=np.diff(query_ptr), init_score=score, params={"verbose": -1}
    )
    params = {"objective": "lambdarank", "metric": "ndcg", "eval_at": [1, 3, 10], "verbose": -1, "num_threads": 1}
    booster = lightgbm.Booster(params, data)
    for _, name, theirs, _ in booster.eval_train():
        ours = measure(name, ties="stable", no_relevant=1)(y, score, query_ptr).mean()
        assert ours == pytest.approx(theirs, rel=1e-9), name


def test_xgboost(lists):
    xgboost = pytest.importorskip("xgboost")
    y, score, query_ptr = lists
    data = xgboost.DMatrix(np.arange(len(y))[:, None], y, base_margin=score)
    data.set_group(np.diff(query_ptr))
    names = ["ndcg@1", "ndcg@3", "ndcg@10", "ndcg@3-"]
    params = {"objective": "rank:ndcg", "eval_metric": names, "nthread": 1}
    line = xgboost.train(params, data, num_boost_round=0).eval(data)
    theirs = dict(part.rsplit(":", 1) for part in line.split("\t")[1:])
    for name in names:
        m = measure(name.rstrip("-"), ties="stable", no_relevant=0 if name.endswith("-") else 1)
        assert m(y, score, query_ptr).mean() == pytest.approx(float(theirs[f"eval-{name}"]), abs=1e-6), name
