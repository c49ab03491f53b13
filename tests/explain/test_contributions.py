"""Contributions: they sum to the score on every backend, are the Shapley values, and tell what moves a query."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

import gbrank
from gbrank import DataError, GBRanker, ParameterError, contributions

NAMES = ("title", "body", "of query", "noise")


def data(seed, form=np.asarray, n=400):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, 4))
    X[np.abs(X) < 0.4] = 0
    X[:, 2] = np.repeat(generator.normal(size=n // 10), 10)
    y = np.clip(np.round(X[:, 0] + 0.5 * X[:, 1] + X[:, 2] + generator.normal(size=n)), 0, 3)
    return gbrank.RankingData(form(X), y, np.arange(n) // 10, doc_id=[f"D{i}" for i in range(n)], feature_names=NAMES)


CASES = [
    ("lambdarank", "lightgbm", "compiled", {}),
    ("lambdarank", "xgboost", "compiled", {}),
    ("lambdarank", "catboost", "native", {}),
    ("mcrank", "lightgbm", "compiled", {}),
    ("mcrank", "xgboost", "native", {}),
    ("mcrank", "catboost", "native", {}),
    ("mae", "lightgbm", "compiled", {}),  # leaves get new values, and there is a score to start from
    ("mae", "xgboost", "compiled", {}),
    ("quantile", "lightgbm", "native", {}),
    ("mse", "lightgbm", "compiled", {"boosting": "dart", "drop_rate": 0.5}),
    ("mse", "xgboost", "compiled", {"booster": "dart", "rate_drop": 0.5}),
]


@pytest.mark.parametrize(("objective", "backend", "engine", "extra"), CASES)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_the_sum_is_the_score(objective, backend, engine, extra, form):
    if backend == "catboost":
        pytest.importorskip("catboost", reason="CatBoost is not installed")
    stop = None if extra else 3
    made = GBRanker(objective, backend=backend, engine=engine, n_estimators=25, early_stopping_rounds=stop, n_jobs=1,
                    backend_params=extra or None).fit(data(0, form), eval_set=data(1, form))  # fmt: skip
    if stop:
        assert 0 < made.best_iteration_ < made.model_.n_trees() // made.model_.n_outputs, "nothing was cut off"
    for other in (data(2, form), data(2, np.asarray if form is sp.csr_array else sp.csr_array)):
        found, raw = contributions(made, other), made._raw(other)
        assert found.values.shape == (400, 5, *raw.shape[1:])
        np.testing.assert_allclose(found.scores, raw, rtol=0, atol=1e-6 * np.abs(raw).max())
        assert np.ptp(found.values[:, -1], axis=0).max() < 1e-6, "all documents start from the same"


def shapley(tree, x, n_features):
    """Return the Shapley values of one tree of LightGBM's dump by their definition."""

    def expected(node, known):
        if "leaf_value" in node:
            return node["leaf_value"]
        left, right = node["left_child"], node["right_child"]
        if node["split_feature"] in known:
            return expected(left if x[node["split_feature"]] <= node["threshold"] else right, known)
        counts = [each.get("internal_count", each.get("leaf_count")) for each in (left, right)]
        return np.average([expected(left, known), expected(right, known)], weights=counts)

    values = np.zeros(n_features + 1)
    for j, k in itertools.product(range(n_features), range(n_features)):
        share = math.factorial(k) * math.factorial(n_features - k - 1) / math.factorial(n_features)
        for known in itertools.combinations([i for i in range(n_features) if i != j], k):
            values[j] += share * (expected(tree, {*known, j}) - expected(tree, set(known)))
    values[-1] = expected(tree, set())
    return values


def test_they_are_the_shapley_values():
    made = GBRanker("mae", n_estimators=6, max_leaves=6, n_jobs=1).fit(data(0))
    rows = data(1).X[:4]
    trees = [each["tree_structure"] for each in made.model_.booster.dump_model()["tree_info"]]
    truth = np.array([sum(shapley(tree, x, 4) for tree in trees) for x in rows])
    truth[:, -1] += made.init_score_[0]
    np.testing.assert_allclose(contributions(made, rows).values, truth, atol=1e-10)


def test_no_rounds_and_no_documents():
    made = GBRanker("mae", n_estimators=3, n_jobs=1).fit(data(0))
    assert contributions(made, np.empty((0, 4))).values.shape == (0, 5)
    made.best_iteration_ = 0
    found = contributions(made, data(0))
    assert not found.values[:, :-1].any()
    np.testing.assert_array_equal(found.scores, made._raw(data(0)))


def test_after_loading(tmp_path):
    made = GBRanker("mae", backend="xgboost", n_estimators=5, n_jobs=1).fit(data(0))
    made.save(tmp_path / "model.gbrank")
    again = contributions(gbrank.load(tmp_path / "model.gbrank"), data(1))
    np.testing.assert_array_equal(again.values, contributions(made, data(1)).values)


@pytest.fixture(scope="module")
def ranker():
    return GBRanker(n_estimators=20, n_jobs=1).fit(data(0))


def test_why_one_document_stands_above_another(ranker):
    test = data(1, sp.csr_array)
    found = contributions(ranker, test)
    ranks = found.ranks(7)
    assert sorted(ranks["row"]) == list(range(70, 80))
    assert ranks["score"].is_monotonic_decreasing
    assert ranks["doc_id"].tolist() == [f"D{row}" for row in ranks["row"]]
    why = found.why(7, rank=2, above=5)
    a, b = ranks["row"][2], ranks["row"][5]
    assert why["difference"].sum() == pytest.approx(ranks["score"][2] - ranks["score"][5])
    assert why["difference"].abs().is_monotonic_decreasing
    assert why.loc["body", ["value_a", "value_b"]].tolist() == test.X.toarray()[[a, b], 1].tolist()
    placed = found.per_query(7)
    np.testing.assert_allclose(placed.sum(axis=1), ranks["score"] - ranks["score"].mean())
    np.testing.assert_allclose(placed.loc[2] - placed.loc[5], why.loc[list(NAMES), "difference"], atol=1e-12)


def test_what_is_one_value_in_each_query_moves_nothing_within():
    made = GBRanker("mse", n_estimators=20, max_leaves=2, n_jobs=1).fit(data(0))
    summary = contributions(made, data(1)).summary()
    assert summary.loc["of query", "overall"] > 0.1
    assert summary.loc["of query", "within"] == pytest.approx(0, abs=1e-12)
    assert summary["within"].is_monotonic_decreasing
    assert list(contributions(made, data(1).X).summary()) == ["overall"]


def test_of_a_calibrated_ranker(ranker):
    calibrated = gbrank.CalibratedRanker(ranker, cv="prefit").fit(data(1))
    np.testing.assert_array_equal(contributions(calibrated, data(2)).values, contributions(ranker, data(2)).values)


def test_refusals(ranker):
    found = contributions(ranker, data(1))
    with pytest.raises(NotFittedError):
        contributions(GBRanker(), data(1))
    with pytest.raises(ParameterError, match="no trees of its own"):
        contributions(gbrank.StackedRanker([("a", ranker)]), data(1))
    with pytest.raises(DataError, match="4 features"):
        contributions(ranker, np.ones((2, 3)))
    with pytest.raises(DataError, match=r"query 99: .* the first is 0"):
        found.why(99)
    with pytest.raises(ParameterError, match="rank 11: query 7 has the ranks 1 to 10"):
        found.why(7, rank=1, above=11)
    with pytest.raises(ParameterError, match="row 400"):
        found.difference(0, 400)
    with pytest.raises(DataError, match="without queries"):
        contributions(ranker, data(1).X).per_query(7)
    several = contributions(GBRanker("mcrank", n_estimators=2, n_jobs=1).fit(data(0)), data(1))
    with pytest.raises(ParameterError, match="4 outputs; choose one"):
        several.why(7)
    assert several.output(3).why(7)["difference"].abs().sum() > 0
    with pytest.raises(ParameterError, match="output=4"):
        several.output(4)
    linear = GBRanker("mse", n_estimators=2, n_jobs=1, backend_params={"linear_tree": True}).fit(data(0))
    with pytest.raises(ParameterError, match="not implemented for linear trees"):
        contributions(linear, data(1))


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost", "catboost"])
def test_of_categories(backend):
    if backend == "catboost":
        pytest.importorskip("catboost", reason="CatBoost is not installed")
    generator = np.random.default_rng(0)
    kind, x = generator.integers(0, 12, 600), generator.normal(size=600)
    y = np.clip(np.round(x + np.isin(kind, [1, 4, 7]) * 2 + generator.normal(size=600)), 0, 3)
    frame = pd.DataFrame({"kind": np.array(list("abcdefghijkl"))[kind], "x": x})
    frame["kind"] = frame["kind"].astype("category")
    engine = "native" if backend == "catboost" else "compiled"
    made = GBRanker("mse", backend=backend, engine=engine, n_estimators=15, categorical_features=["kind"], n_jobs=1)
    made.fit(frame, y, qid=np.arange(600) // 10)
    other = frame.iloc[::-1][:50]  # whose categories are numbered the same, but come in another order
    found, raw = contributions(made, other), made._raw(other)
    np.testing.assert_allclose(found.scores, raw, rtol=0, atol=1e-6 * np.abs(raw).max())
    assert found.summary().index[0] == "kind"
    assert found.difference(0, 1).loc["kind", ["value_a", "value_b"]].tolist() == other["kind"].tolist()[:2]
