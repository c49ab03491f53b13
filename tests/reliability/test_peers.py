"""Numbers of other libraries that are silently wrong, and the right ones here.

Each test first states what is right here, and then shows what the installed release of the other library makes of the
same data; where that release has put it right, the test is skipped and says so.
"""

import warnings
from importlib.metadata import version
from threading import Thread

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import gbrank

N_QUERIES, SIZE = 50, 8
GROUP = np.full(N_QUERIES, SIZE)
QID = np.arange(N_QUERIES * SIZE) // SIZE
QUIET = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "num_leaves": 7, "deterministic": True, "seed": 0}
SMALL = {"n_estimators": 3, "max_leaves": 7, "n_jobs": 1}


def make(seed=0, noise=0.7):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(len(QID), 4))
    return X, np.clip(np.round(X[:, 0] + noise * rng.normal(size=len(X)) + 0.5), 0, 3)


X, Y = make()
DATA = gbrank.RankingData(X, Y, QID)


def wrong_today(library, wrong, what):
    """Skip, saying so, where the installed release is no longer wrong."""
    if not wrong:
        pytest.skip(f"{library} {version(library)} has put it right: {what}")


def curve(params, train, valid, rounds, **how):
    """Return LightGBM's booster and its measures by round."""
    seen = {}
    callbacks = [lgb.record_evaluation(seen), *how.pop("callbacks", [])]
    booster = lgb.train({**QUIET, **params}, train, rounds, valid_sets=[valid], valid_names=["v"], callbacks=callbacks)
    return booster, seen["v"]


def test_d1_ndcg_with_weights():
    y = np.where(QID < 10, 0, Y)  # ten queries with nothing relevant
    light = np.full(N_QUERIES, 0.01)
    data = gbrank.RankingData(X, y, QID, query_weight=light)
    ranker = gbrank.GBRanker(measure=gbrank.measure("ndcg@10", no_relevant=1), **SMALL).fit(data, eval_set=data)
    values = gbrank.measure("ndcg@10", no_relevant=1)(y, ranker.predict(X), data.query_ptr)
    assert ranker.history_["valid"][-1] == values.mean() <= 1

    weighed = lgb.Dataset(X, y, group=GROUP, weight=light[QID])
    told = curve({"objective": "lambdarank", "metric": "ndcg", "eval_at": [10]}, weighed, weighed, 1)[1]["ndcg@10"][-1]
    wrong_today("lightgbm", told > 1, "NDCG is at most 1, whatever the weights")
    assert told > 10


def test_d2_gains_belong_to_one_ranker():
    rankers = [gbrank.GBRanker(gbrank.objective("lambdarank", gain=gain), **SMALL) for gain in ("exp", "linear")]
    alone = [ranker.fit(DATA).predict(X) for ranker in rankers]
    assert not np.array_equal(*alone)
    threads = [Thread(target=ranker.fit, args=(DATA,)) for ranker in rankers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ranker, scores in zip(rankers, alone, strict=True):
        np.testing.assert_array_equal(ranker.predict(X), scores)
    exp, linear = (ranker.set_params(engine="native") for ranker in rankers)
    alone = exp.fit(DATA).predict(X)
    exp.set_params(callbacks=[lambda info: linear.fit(DATA) is None]).fit(DATA)  # others are made while it trains
    np.testing.assert_array_equal(exp.predict(X), alone)

    alone = [ranker.fit(DATA).predict(X) for ranker in (exp, linear)]

    def fits(ranker, scores, same):
        same += [np.array_equal(clone(ranker).fit(DATA).predict(X), scores) for _ in range(20)]

    same = []
    threads = [Thread(target=fits, args=(*each, same)) for each in zip((exp, linear), alone, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 40

    def booster(gains):
        params = {**QUIET, "objective": "lambdarank", "metric": "ndcg", "eval_at": [10], "label_gain": gains}
        return lgb.Booster(params, lgb.Dataset(X, Y, group=GROUP))

    usual = [2.0**grade - 1 for grade in range(31)]
    first = booster(usual)
    first.update()
    before = first.eval_train()[0][2]
    try:
        booster([0, 1, 2, 1e4])
        after = first.eval_train()[0][2]
    finally:
        booster(usual)  # for what else this process does
    wrong_today("lightgbm", after != before, "a second booster's gains do not change the first one's NDCG")
    assert abs(after - before) > 0.01


def test_d3_folds_of_whole_queries():
    folds = list(gbrank.QueryKFold(5).split_data(DATA))
    assert {size for _, held in folds for size in held.query_sizes.tolist()} == {SIZE}
    ranker = gbrank.GBRanker("mse", measure="ndcg@5", n_estimators=10, max_leaves=7, min_docs_in_leaf=5, n_jobs=1)
    value = np.mean([ranker.fit(train).score(held) for train, held in folds])

    def squares(scores, dataset):
        return scores - dataset.get_label(), np.ones(len(scores))

    sizes = []

    def look(scores, dataset):
        sizes.append(dataset.get_group())
        return "nothing", 0.0, True

    params = {**QUIET, "objective": squares, "metric": "ndcg", "eval_at": [5]}
    told = lgb.cv(params, lgb.Dataset(X, Y, group=GROUP), 10, nfold=5, stratified=False, feval=look)
    wrong_today("lightgbm", np.concatenate(sizes).min() < SIZE, "lgb.cv keeps queries whole with a callable objective")
    rows = [[np.flatnonzero(np.isin(QID, part.query_ids)) for part in fold] for fold in folds]
    whole = lgb.cv(params, lgb.Dataset(X, Y, group=GROUP), 10, folds=rows)
    assert whole["valid ndcg@5-mean"][-1] == pytest.approx(value, abs=0.02)
    assert told["valid ndcg@5-mean"][-1] > value + 0.05


def test_d4_positions_go_with_their_queries():
    position = np.tile(np.arange(1, SIZE + 1), N_QUERIES)
    data = gbrank.RankingData(X, Y, QID, position=position)
    assert data.take([3, 1]).position.tolist() == position[: 2 * SIZE].tolist()
    for train, held in gbrank.QueryKFold(5).split_data(data):
        assert held.position.tolist() == position[: held.n_documents].tolist()
        assert train.position is not None

    whole = lgb.Dataset(X, Y, group=GROUP, position=position, free_raw_data=False).construct()
    assert len(whole.get_position()) == len(Y)
    part = whole.subset(np.arange(2 * SIZE)).construct()
    wrong_today("lightgbm", part.get_position() is None, "subset keeps positions")


def told_by_xgb_ranker(function, sizes, **fit):
    """Return what XGBRanker says that a callable measure is."""
    qid = np.repeat(np.arange(len(sizes)), sizes)
    n = len(qid)
    ranker = xgb.XGBRanker(n_estimators=1, n_jobs=1, eval_metric=function)
    ranker.fit(X[:n], Y[:n], qid=qid, eval_set=[(X[:n], Y[:n])], eval_qid=[qid], verbose=False, **fit)
    return ranker.evals_result()["validation_0"][function.__name__][-1]


def test_d5_the_mean_counts_each_query_once():
    data = gbrank.RankingData(X[:20], np.r_[1, 0, 1, np.zeros(17)], np.r_[0, 0, np.ones(18, int)])
    evaluation = gbrank.evaluate(data, {"zero": np.zeros(20)}, ["p@10"])
    assert evaluation.mean("p@10", "zero") == pytest.approx((1 / 10 + 10 / 18 / 10) / 2)

    def size(y, score):
        return float(len(y))

    told = told_by_xgb_ranker(size, [2, 18])
    wrong_today("xgboost", told != 10, "the mean of a callable measure is over queries")
    assert told == pytest.approx(16.4)
    nothing_of_the_second = told_by_xgb_ranker(size, [2, 18], sample_weight_eval_set=[np.array([1.0, 0.0])])
    assert nothing_of_the_second == pytest.approx(16.4)


def test_d6_one_document_queries_follow_the_convention():
    values = [
        gbrank.measure("ndcg@3", no_relevant=rule)([0, 1, 1, 0], [1, 2, 3, 4], [0, 2, 3, 4])[2] for rule in (0, 1)
    ]
    assert values == [0, 1]

    def zero(y, score):
        return 0.0

    told = told_by_xgb_ranker(zero, [2, 1, 1])
    wrong_today("xgboost", told != 0, "a callable measure is asked about queries of one document")
    assert told == pytest.approx(0.5)


def test_d7_query_ids_of_64_bits():
    ids = np.repeat([5, 5 + 2**32, -3, 2], [3, 3, 4, 5])
    data = gbrank.RankingData(X[:15], Y[:15], ids)
    assert data.query_sizes.tolist() == [3, 3, 4, 5]
    assert data.query_ids.tolist() == [5, 5 + 2**32, -3, 2]

    sizes = np.diff(xgb.DMatrix(X[:6], Y[:6], qid=ids[:6]).get_uint_info("group_ptr")).tolist()
    wrong_today("xgboost", sizes == [6], "5 and 5 + 2**32 are two queries")
    with pytest.raises(xgb.core.XGBoostError, match="non-decreasing"):  # though -3, -3, 2, 2 is
        xgb.DMatrix(X[:4], Y[:4], qid=np.array([-3, -3, 2, 2]))


def test_d8_query_weights_go_with_their_queries():
    weight = np.arange(N_QUERIES) + 1.0
    data = gbrank.RankingData(X, Y, QID, query_weight=weight)
    assert data.take([3, 1]).query_weight.tolist() == [4, 2]
    held = np.concatenate([held.query_weight for _, held in gbrank.QueryKFold(5).split_data(data)])
    assert sorted(held) == weight.tolist()

    kept = []

    def look(train, test, params):
        kept.append(len(train.get_weight()) + len(test.get_weight()))
        return train, test, params

    weighed = xgb.DMatrix(X, Y, group=GROUP, weight=weight)
    xgb.cv({"objective": "rank:ndcg", "nthread": 1}, weighed, 1, nfold=5, fpreproc=look)
    wrong_today("xgboost", not any(kept), "xgb.cv keeps the weights of queries")


def test_d9_query_ids_are_no_feature():
    frame = pd.DataFrame(X, columns=list("abcd"))
    scaler = MinMaxScaler().set_output(transform="pandas")
    with config_context(enable_metadata_routing=True):
        ours = make_pipeline(scaler, gbrank.GBRanker(**SMALL)).fit(frame, Y, qid=QID)
    scaled = scaler.fit_transform(frame)
    by_hand = gbrank.GBRanker(**SMALL).fit(scaled, Y, qid=QID)
    np.testing.assert_array_equal(ours.predict(frame), by_hand.predict(scaled))
    assert ours[-1].feature_names_ == tuple("abcd")

    scaled = scaler.fit_transform(frame.assign(qid=QID))
    make_pipeline(scaler, xgb.XGBRanker(n_estimators=1)).fit(frame.assign(qid=QID), Y)  # and says nothing
    queries = len(xgb.DMatrix(scaled.drop(columns="qid"), Y, qid=scaled["qid"]).get_uint_info("group_ptr")) - 1
    wrong_today("xgboost", queries < N_QUERIES, "scaled query ids are refused, or stay distinct")
    assert queries == 2


def constant_of(library, x, y, sizes, restrained):
    """Return the NDCG@10 that a library tells of a constant model."""
    if library == "lightgbm":
        data = lgb.Dataset(x, y, group=sizes)
        params = {"objective": "lambdarank", "metric": "ndcg", "eval_at": [10]}
        booster, told = curve(params | ({"min_data_in_leaf": len(y)} if restrained else {}), data, data, 2)
        assert np.ptp(booster.predict(x)) == 0
        return told["ndcg@10"][-1]
    data, told = xgb.DMatrix(x, y, group=sizes), {}
    params = {"objective": "rank:ndcg", "eval_metric": "ndcg@10", "min_child_weight": 1e9 if restrained else 1}
    booster = xgb.train(params, data, 2, evals=[(data, "v")], evals_result=told, verbose_eval=False)
    assert np.ptp(booster.predict(data)) == 0
    return told["v"]["ndcg@10"][-1]


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_d14_a_constant_model_on_sorted_rows(library):
    order = np.lexsort((-Y, QID))
    x, y = X[order], Y[order]
    data = gbrank.RankingData(x, y, QID)
    measure = gbrank.measure("ndcg@10", no_relevant=1)
    shuffles = []
    for seed in range(300):
        score = np.random.default_rng(seed).random(len(y))
        shuffles.append(measure(y, score, data.query_ptr).mean())
    assert measure(y, np.zeros(len(y)), data.query_ptr).mean() == pytest.approx(np.mean(shuffles), abs=0.01)
    assert np.mean(shuffles) < 0.9
    with pytest.warns(gbrank.GbrankWarning, match="no tree could be grown"):
        flat = gbrank.GBRanker(min_docs_in_leaf=len(y), measure=measure, **SMALL).fit(data, eval_set=data)
    assert flat.score(data) == measure(y, np.zeros(len(y)), data.query_ptr).mean()
    assert gbrank.diagnose(data)["label_sorted_rows"].severity == "warning"

    told = constant_of(library, x, y, GROUP, restrained=True)
    wrong_today(library, told == 1, "tied documents do not rank in row order")


def test_early_stopping_by_one_measure():
    """LightGBM stops at the first of several cutoffs that stagnates."""
    x, y = make(seed=115)
    held = gbrank.RankingData(x, y, QID)
    ranker = gbrank.GBRanker(
        n_estimators=40, max_leaves=7, min_docs_in_leaf=5, measure="ndcg@10", early_stopping_rounds=3, n_jobs=1
    ).fit(DATA, eval_set=held)
    values = ranker.history_["valid"]
    assert ranker.best_iteration_ == int(np.argmax(values)) + 1
    assert len(values) in (ranker.best_iteration_ + 3, 40)

    def rounds(cutoffs):
        params = {"objective": "lambdarank", "metric": "ndcg", "eval_at": cutoffs}
        sets = lgb.Dataset(X, Y, group=GROUP), lgb.Dataset(x, y, group=GROUP)
        booster, told = curve(params, *sets, 40, callbacks=[lgb.early_stopping(3, verbose=False)])
        return booster.best_iteration, told["ndcg@10"]

    alone, told_alone = rounds([10])
    several, told = rounds([1, 3, 5, 10])
    wrong_today("lightgbm", several != alone, "early stopping with several cutoffs waits for all of them")
    assert told_alone[alone - 1] > told[several - 1]


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_one_document_queries_are_refused(library):
    n = len(Y)
    with pytest.raises(gbrank.DataError, match=f"none of the {n} queries has two documents"):
        gbrank.GBRanker(backend=library, **SMALL).fit(X, Y, qid=np.arange(n))

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        told = constant_of(library, X, Y, np.ones(n, int), restrained=False)
    wrong_today(library, told == 1 and not said, "queries of one document are refused or warned of")
