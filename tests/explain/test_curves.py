"""Learning curves against training anew, and against plain loops."""

import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

import gbrank
from gbrank import DataError, GbrankWarning, ParameterError, curve_over_queries, curve_over_trees

MEASURE = gbrank.measure("ndcg@10")


@pytest.fixture(scope="module")
def parts():
    data = gbrank.make_letor(90, n_features=8, max_documents=30, random_state=0)
    return gbrank.train_test_split(data, test_size=30, random_state=0)


def mean(ranker, data):
    return float(np.nanmean(MEASURE(data.y, ranker.predict(data), data.query_ptr)))


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_fewer_trees_are_the_ranker_trained_with_fewer(parts, backend):
    train, test = parts
    ranker = gbrank.GBRanker(backend=backend, n_estimators=12, n_jobs=1).fit(train)
    curve = curve_over_trees(ranker, test, at=[0, 12, 5, 1])
    for n in (1, 5, 12):
        fresh = gbrank.GBRanker(backend=backend, n_estimators=n, n_jobs=1).fit(train)
        expected = MEASURE(test.y, fresh.predict(test), test.query_ptr)
        np.testing.assert_allclose(curve.values[n], expected, atol=1e-9)
        assert curve.table.loc[n, "mean"] == pytest.approx(np.nanmean(expected))
    flat = MEASURE(test.y, np.zeros(test.n_documents), test.query_ptr)
    np.testing.assert_allclose(curve.values[0], flat)
    assert ranker.best_iteration_ == 12, "the ranker is left as it was"


def test_trees_beyond_the_best_round_are_there(parts):
    train, test = parts
    ranker = gbrank.GBRanker(n_estimators=40, early_stopping_rounds=4, learning_rate=0.3, n_jobs=1)
    ranker.fit(train, eval_set=test)
    trained = len(ranker.history_["valid"])
    assert ranker.best_iteration_ < trained
    curve = curve_over_trees(ranker, test)
    assert curve.table.index[-1] == trained
    assert ranker.best_iteration_ in curve.table.index
    history = np.array(ranker.history_["valid"])[curve.table.index - 1]
    np.testing.assert_allclose(curve.table["mean"], history, atol=1e-9)
    assert len(curve.table) <= 21


def test_outputs_per_round(parts):
    train, test = parts
    ranker = gbrank.GBRanker("mcrank", n_estimators=3, n_jobs=1).fit(train)
    assert curve_over_trees(ranker, test).table.index.tolist() == [1, 2, 3]


def test_measure_and_averaging(parts):
    train, test = parts
    ranker = gbrank.GBRanker(n_estimators=3, measure="rr", n_jobs=1).fit(train)
    assert curve_over_trees(ranker, test, at=[3]).measure == gbrank.measure("rr")
    curve = curve_over_trees(ranker, test, "rr(average=documents)", at=[3])
    values = gbrank.measure("rr")(test.y, ranker.predict(test), test.query_ptr)
    kept = ~np.isnan(values)
    assert curve.table.loc[3, "mean"] == pytest.approx(np.average(values[kept], weights=test.query_sizes[kept]))
    assert curve.table.loc[3, "evaluated"] == kept.sum()


@pytest.mark.parametrize(
    ("at", "message"), [([13], "13 is more than 12"), ([-1], "whole"), ([], "at least one"), ([2, 2], "twice")]
)
def test_bad_numbers_of_trees(parts, at, message):
    ranker = gbrank.GBRanker(n_estimators=12, n_jobs=1).fit(parts[0])
    with pytest.raises(ParameterError, match=message):
        curve_over_trees(ranker, parts[1], at=at)


def test_not_fitted(parts):
    with pytest.raises(NotFittedError):
        curve_over_trees(gbrank.GBRanker(), parts[1])


class Recorder(BaseEstimator):
    """Ranks by a column, and keeps what it was trained on."""

    seen: list = []  # noqa: RUF012

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, data):
        Recorder.seen.append((self.random_state, data))
        self.sign_ = 1 if data.n_queries > 20 else -1
        return self

    def predict(self, data):
        return self.sign_ * data.X[:, 0]


def test_subsets_are_nested_whole_queries(parts):
    train, test = parts
    Recorder.seen = []
    given = Recorder()
    curve = curve_over_queries(given, train, test, sizes=[10, 30, 60], seeds=3)
    assert not hasattr(given, "sign_"), "the ranker is left as it is"
    assert curve.values.columns.tolist() == [(n, s) for n in (10, 30, 60) for s in (0, 1, 2)]
    sets = {(data.n_queries, seed): data for seed, data in Recorder.seen}
    assert set(sets) == set(curve.values.columns)
    for seed in (0, 1, 2):
        ids = [set(sets[n, seed].query_ids.tolist()) for n in (10, 30, 60)]
        assert ids[0] < ids[1] < ids[2] == set(train.query_ids.tolist())
    assert len({frozenset(sets[10, seed].query_ids.tolist()) for seed in range(3)}) == 3, "seeds draw other queries"
    for data in sets.values():
        whole = np.isin(train.query_ids, data.query_ids)
        assert data.query_sizes.tolist() == train.query_sizes[whole].tolist(), "no query is split"
    worst = MEASURE(test.y, -test.X[:, 0], test.query_ptr)
    np.testing.assert_array_equal(curve.values[10, 1], worst)
    assert curve.table["mean"].tolist() == pytest.approx(
        [np.nanmean(worst), *[np.nanmean(MEASURE(test.y, test.X[:, 0], test.query_ptr))] * 2]
    )


def test_table_of_seeds(parts):
    train, test = parts
    ranker = gbrank.GBRanker(n_estimators=3, subsample=0.5, n_jobs=1)
    curve = curve_over_queries(ranker, train, test, sizes=[20, 60], seeds=[4, 7, 9])
    order = np.random.default_rng(7).permutation(60)
    alone = gbrank.GBRanker(n_estimators=3, subsample=0.5, n_jobs=1, random_state=7)
    assert np.nanmean(curve.values[20, 7]) == pytest.approx(mean(alone.fit(train.take(np.sort(order[:20]))), test))
    for size in (20, 60):
        means = curve.values[size].mean()
        row = curve.table.loc[size]
        assert row["mean"] == pytest.approx(means.mean())
        assert row["sd"] == pytest.approx(means.std(ddof=1))
        assert (row["lowest"], row["highest"]) == pytest.approx((means.min(), means.max()))
        per_query = curve.values[size].mean(axis=1).dropna()
        assert row["standard_error"] == pytest.approx(per_query.std() / np.sqrt(len(per_query)))
    again = curve_over_queries(ranker, train, test, sizes=[20, 60], seeds=[4, 7, 9])
    assert again.values.equals(curve.values)
    assert "sd" not in curve_over_queries(Recorder(), train, test, sizes=[60], seeds=1).table


def test_default_sizes_and_early_stopping(parts):
    train, test = parts
    ranker = gbrank.GBRanker(n_estimators=5, early_stopping_rounds=2, min_docs_in_leaf=2, n_jobs=1)
    curve = curve_over_queries(ranker, train, test, seeds=1, eval_set=test)
    assert curve.table.index.tolist() == [3, 7, 15, 30, 60]


def test_more_queries_help(parts):
    data = gbrank.make_letor(260, n_features=12, max_documents=25, random_state=5)
    train, test = gbrank.train_test_split(data, test_size=60, random_state=0)
    ranker = gbrank.GBRanker(n_estimators=20, max_leaves=7, n_jobs=1)
    table = curve_over_queries(ranker, train, test, sizes=[10, 200], seeds=3).table
    assert table.loc[200, "mean"] > table.loc[10, "mean"] + 0.02


def test_query_ids_in_common_are_told(parts):
    with pytest.warns(GbrankWarning, match="train and test have 60 query ids in common"):
        curve_over_queries(Recorder(), parts[0], parts[0], sizes=[30], seeds=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": [61]}, "61 is more than 60"),
        ({"sizes": [0]}, "whole number of at least 1"),
        ({"sizes": []}, "at least one"),
        ({"seeds": 0}, "at least one"),
        ({"seeds": [1, 1]}, "twice"),
        ({"seeds": [-1]}, "whole number"),
    ],
)
def test_bad_sizes_and_seeds(parts, options, message):
    with pytest.raises(ParameterError, match=message):
        curve_over_queries(Recorder(), *parts, **options)


def test_too_few_queries_name_size_and_seed(parts):
    train, test = parts
    empty = train.with_labels(np.zeros(train.n_documents))
    with pytest.raises(DataError, match=r"with 2 queries \(seed 3\): "):
        curve_over_queries(gbrank.GBRanker(n_jobs=1), empty, test, sizes=[2], seeds=[3])


def test_text_html_and_dict(parts):
    curve = curve_over_queries(Recorder(), *parts, sizes=[20, 60], seeds=2)
    assert str(curve).startswith("ndcg@10 over queries\n")
    assert str(curve).endswith(MEASURE.describe())
    assert f"{curve.table['mean'].iloc[0]:.4f}" in str(curve)
    assert f"{curve.table['mean'].iloc[0]:.4f}" in curve._repr_html_()
    read = json.loads(json.dumps(curve.to_dict(), allow_nan=False))
    assert [point["queries"] for point in read["points"]] == [20, 60]
