"""The estimator: queries of any kind, results in the caller's order, early stopping, refusals."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate

import gbrank
from gbrank.objectives import Focal, LambdaRank, SquaredError

BACKENDS = ["lightgbm", "xgboost"]


def make(n_queries=30, size=12, seed=0, n_features=5):
    rng = np.random.default_rng(seed)
    n = n_queries * size
    X = rng.normal(size=(n, n_features))
    y = np.clip(np.round(X[:, 0] + 0.5 * X[:, 1] ** 2 + rng.normal(size=n) * 0.3), 0, 4)
    return X, y, np.repeat(np.arange(n_queries), size)


X, Y, QID = make()
DATA = gbrank.RankingData(X, Y, QID)
SMALL = {"n_estimators": 8, "max_leaves": 7}


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_come_in_the_callers_order(backend):
    """Scattered queries, 64-bit and string ids: the same model as from grouped rows, and answers row by row."""
    shuffled = np.random.default_rng(1).permutation(len(Y))
    # Rows of a query keep their order, so that ties are broken alike; queries interleave.
    shuffled = np.argsort(np.argsort(shuffled) % 12 * 1000 + QID, kind="stable")
    whole = gbrank.GBRanker(backend=backend, **SMALL).fit(DATA).predict(X)
    for ids in (QID, QID + 2**32 * (QID % 2), np.array([f"q{i}" for i in QID]), QID - 10**12, QID.astype(float)):
        ranker = gbrank.GBRanker(backend=backend, **SMALL)
        by_first = np.concatenate([np.flatnonzero(QID[shuffled] == q) for q in pd.unique(QID[shuffled])])
        ranker.fit(X[shuffled], Y[shuffled], qid=ids[shuffled])
        np.testing.assert_array_equal(ranker.predict(X[shuffled])[by_first], ranker.predict(X[shuffled][by_first]))
        data = gbrank.RankingData(X[shuffled], Y[shuffled], ids[shuffled])
        np.testing.assert_array_equal(ranker.predict(data), ranker.predict(X[shuffled])[data.order])
    again = gbrank.GBRanker(backend=backend, **SMALL).fit(X, Y, qid=[f"{i}" for i in QID]).predict(X)
    np.testing.assert_array_equal(whole, again)


def test_rank_is_by_query_and_in_the_callers_order():
    ranker = gbrank.GBRanker(**SMALL).fit(DATA)
    shuffled = np.random.default_rng(2).permutation(len(Y))
    ranks, score = ranker.rank(X[shuffled], QID[shuffled]), ranker.predict(X[shuffled])
    for q in range(30):
        rows = np.flatnonzero(QID[shuffled] == q)
        want = [1 + int((score[rows] > score[row]).sum()) for row in rows]
        assert ranks[rows].tolist() == want
    with pytest.raises(gbrank.DataError, match="give one query id"):
        ranker.rank(X)
    with pytest.raises(gbrank.DataError, match="ids for"):
        ranker.rank(X, QID[:-1])


def test_score_is_the_mean_of_the_named_measure():
    ranker = gbrank.GBRanker(measure="err@5", **SMALL).fit(DATA)
    want = np.nanmean(gbrank.measure("err@5")(Y, ranker.predict(X), DATA.query_ptr))
    assert ranker.score(DATA) == ranker.score(X, Y, QID) == pytest.approx(want)
    with pytest.raises(gbrank.DataError, match="skips all"):
        ranker.score(X, np.zeros(len(Y)), QID)


@pytest.mark.parametrize("backend", BACKENDS)
def test_early_stopping_goes_by_the_first_set_and_keeps_the_best_round(backend):
    noisy = gbrank.RankingData(*make(seed=3)[:1], np.random.default_rng(0).integers(0, 3, 360), QID)
    ranker = gbrank.GBRanker(backend=backend, n_estimators=60, early_stopping_rounds=4, max_leaves=7)
    ranker.fit(DATA, eval_set={"noise": noisy, "train": DATA})
    values = ranker.history_["noise"]
    best = int(np.argmax(values)) + 1
    assert ranker.best_iteration_ == best
    assert len(values) == best + 4 < 60
    assert ranker.best_score_ == values[best - 1] == pytest.approx(ranker.score(noisy), abs=1e-12)
    assert list(ranker.history_) == ["noise", "train"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", ["lambdarank", "quantile"])
def test_each_evaluation_set_has_its_own_scores(backend, objective):
    sets = {"a": gbrank.RankingData(*make(seed=5)), "train": DATA, "b": gbrank.RankingData(*make(seed=6))}
    ranker = gbrank.GBRanker(objective, backend=backend, **SMALL).fit(DATA, eval_set=sets)
    for name, data in sets.items():
        assert ranker.history_[name][-1] == pytest.approx(ranker.score(data), abs=1e-12)


def test_without_early_stopping_all_rounds_count():
    ranker = gbrank.GBRanker(**SMALL).fit(DATA, eval_set=(X, Y, QID))
    assert ranker.best_iteration_ == 8
    assert ranker.history_["valid"][-1] == ranker.best_score_
    assert np.isnan(gbrank.GBRanker(**SMALL).fit(DATA).best_score_)


def test_thresholds_are_those_of_the_best_round():
    noisy = gbrank.RankingData(X, np.random.default_rng(0).integers(0, 3, 360), QID)
    stopped = gbrank.GBRanker("ordinal", n_estimators=40, early_stopping_rounds=5).fit(DATA, eval_set=noisy)
    short = gbrank.GBRanker("ordinal", n_estimators=stopped.best_iteration_).fit(DATA)
    assert stopped.best_iteration_ < 40
    np.testing.assert_array_equal(stopped.state_["thresholds"], short.state_["thresholds"])


def test_hold_out_is_of_whole_queries():
    ranker = gbrank.GBRanker(n_estimators=50, early_stopping_rounds=3, validation_fraction=0.25, random_state=1)
    ranker.fit(DATA)
    train, held = gbrank.train_test_split(DATA, test_size=0.25, random_state=1)
    explicit = gbrank.GBRanker(n_estimators=50, early_stopping_rounds=3, random_state=1).fit(train, eval_set=held)
    np.testing.assert_array_equal(ranker.predict(X), explicit.predict(X))


def test_callbacks_see_every_round_and_may_end_it():
    seen = []
    ranker = gbrank.GBRanker(n_estimators=20, callbacks=[lambda info: seen.append(info.round), lambda i: i.round == 5])
    ranker.fit(DATA)
    assert seen == [1, 2, 3, 4, 5]
    assert ranker.best_iteration_ == 5


def test_parameters_of_the_objective_can_be_set_by_name():
    ranker = gbrank.GBRanker("focal")
    assert ranker.get_params()["objective__gamma"] == 2.0
    ranker.set_params(objective__gamma=3.0, max_leaves=5)
    assert ranker.objective == Focal(gamma=3.0)
    assert ranker.max_leaves == 5
    assert clone(ranker).objective == Focal(gamma=3.0)
    ranker.set_params(objective="lambdarank", objective__truncation=4)
    assert ranker.objective == LambdaRank(truncation=4)
    with pytest.raises(gbrank.ParameterError, match="Did you mean 'truncation'"):
        ranker.set_params(objective__truncatio=4)


def test_weights_of_queries_reach_training():
    weight = np.where(np.arange(30) < 15, 1000.0, 1e-3)
    first = gbrank.GBRanker(**SMALL, min_docs_in_leaf=1).fit(X[:180], Y[:180], qid=QID[:180]).predict(X)
    by_weight = gbrank.GBRanker(**SMALL, min_docs_in_leaf=1).fit(X, Y, qid=QID, query_weight=weight).predict(X)
    plain = gbrank.GBRanker(**SMALL, min_docs_in_leaf=1).fit(DATA).predict(X)
    assert np.corrcoef(first, by_weight)[0, 1] > np.corrcoef(plain, by_weight)[0, 1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_query_weight_of_two_is_the_query_twice(backend):
    weight = np.random.default_rng(0).integers(1, 4, 30)
    rows = [np.flatnonzero(q == QID) for q in range(30)]
    twice = np.concatenate([rows[q] for q in range(30) for _ in range(weight[q])])
    ids = np.concatenate([[q * 10 + c] * 12 for q in range(30) for c in range(weight[q])])
    params = {"backend": backend, "n_estimators": 5, "max_leaves": 4}
    params |= {"min_docs_in_leaf": 1} if backend == "lightgbm" else {}
    values = np.round(X)  # few, so that repeated ones change no bin
    a = gbrank.GBRanker("pairwise_logistic", **params).fit(values, Y, qid=QID, query_weight=weight).predict(values)
    b = gbrank.GBRanker("pairwise_logistic", **params).fit(values[twice], Y[twice], qid=ids).predict(values)
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_explicit_pairs_reach_the_objective(monkeypatch):
    seen = []
    bind = SquaredError.bind
    monkeypatch.setattr(SquaredError, "bind", lambda self, data, **how: [seen.append(data), bind(self, data, **how)][1])
    pairs, weight = [[13, 12], [0, 5], [11, 1]], [3.0, 1.0, 2.0]
    monkeypatch.setattr(SquaredError, "reads_pairs", True)
    ranker = gbrank.GBRanker("mse", **SMALL)
    ranker.fit(X, Y, qid=QID, pairs=pairs, pair_weight=weight)
    assert seen[0].pairs.tolist() == [[0, 5], [11, 1], [13, 12]]
    assert seen[0].pair_weight.tolist() == [1, 2, 3]
    ranker.set_params(validation_fraction=0.5, random_state=1).fit(X, Y, qid=QID, pairs=pairs)
    assert {tuple(pair) for pair in seen[1].order[seen[1].pairs].tolist()} <= {(0, 5), (11, 1), (13, 12)}
    with pytest.raises(gbrank.DataError, match="row 0 of query 0 and row 12 of query 1"):
        ranker.fit(X, Y, qid=QID, pairs=[[0, 12]])
    with pytest.raises(gbrank.ParameterError, match="pairs come from the RankingData"):
        ranker.fit(DATA, pairs=pairs)


def test_data_frames_keep_their_names_and_are_checked_at_predict():
    frame = pd.DataFrame(X, columns=list("abcde"))
    ranker = gbrank.GBRanker(**SMALL).fit(frame, Y, qid=QID)
    assert ranker.feature_names_ == tuple("abcde")
    np.testing.assert_array_equal(ranker.predict(frame), ranker.predict(X))
    with pytest.raises(gbrank.DataError, match="column 0 is 'e'"):
        ranker.predict(frame[list("edcba")])
    with pytest.raises(gbrank.DataError, match="4 features, but GBRanker is expecting 5"):
        ranker.predict(X[:, :4])


def test_columns_of_data_without_names_go_by_position():
    ranker = gbrank.GBRanker(**SMALL).fit(pd.DataFrame(X, columns=list("abcde")), Y, qid=QID)
    np.testing.assert_array_equal(ranker.predict(DATA), ranker.predict(X))  # DATA has f1, ..., as LETOR files have


def test_scikit_learns_cross_validation_passes_query_ids_on():
    """With metadata routing; fold by fold the same numbers as by hand."""
    with config_context(enable_metadata_routing=True):
        result = cross_validate(
            gbrank.GBRanker(**SMALL), X, Y, cv=gbrank.QueryKFold(3), params={"qid": QID, "groups": QID}
        )
        search = GridSearchCV(gbrank.GBRanker(**SMALL), {"max_leaves": [3, 7]}, cv=gbrank.QueryKFold(3))
        search.fit(X, Y, qid=QID, groups=QID)
    by_hand = [gbrank.GBRanker(**SMALL).fit(a).score(b) for a, b in gbrank.QueryKFold(3).split_data(DATA)]
    np.testing.assert_allclose(result["test_score"], by_hand, rtol=1e-12)
    at = search.cv_results_["params"].index({"max_leaves": 7})
    assert search.cv_results_["mean_test_score"][at] == pytest.approx(np.mean(by_hand))


def test_no_qid_means_one_query_and_a_warning():
    with pytest.warns(gbrank.GbrankWarning, match="all documents are taken for one query"):
        ranker = gbrank.GBRanker(**SMALL).fit(X, Y)
    one = gbrank.GBRanker(**SMALL).fit(X, Y, qid=np.zeros(len(Y), int))
    np.testing.assert_array_equal(ranker.predict(X), one.predict(X))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": "lambdarnk"}, "Did you mean 'lambdarank'"),
        ({"measure": "ndgc@10"}, "Did you mean 'ndcg'"),
        ({"engine": "fast"}, "engine='fast'"),
        ({"backend": "lightbm"}, "Did you mean 'lightgbm'"),
        ({"n_estimators": 0}, "n_estimators=0"),
        ({"early_stopping_rounds": 5}, "give fit an eval_set"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"validation_fraction": 5}, "validation_fraction=5"),
    ],
)
def test_wrong_parameters_are_refused(change, message):
    with pytest.raises(gbrank.ParameterError, match=message):
        gbrank.GBRanker(**change).fit(DATA)


@pytest.mark.parametrize(
    ("y", "qid", "message"),
    [
        (Y - 1, QID, r"label -1 in row \d+"),
        (Y + 0.5, QID, "whole grades"),
        (np.ones(len(Y)), QID, "none of the 30 queries has two documents with different labels"),
        (Y, np.arange(len(Y)), "360 queries have one document only"),
        (np.where(np.arange(360) == 7, np.nan, Y), QID, "row 7 is nan"),
        (Y[:-1], QID, "359 values for 360"),
        (None, QID, "give a label"),
    ],
)
def test_wrong_labels_are_refused(y, qid, message):
    with pytest.raises(gbrank.DataError, match=message):
        gbrank.GBRanker().fit(X, y, qid=qid)


def test_nothing_to_learn_from_constant_labels():
    for objective in ("mse", "quantile", "ordinal", "mcrank"):
        for engine in ("compiled", "native") if objective in ("mse", "quantile") else ("compiled",):
            with pytest.raises(gbrank.DataError, match="nothing to learn, for all labels are 1"):
                gbrank.GBRanker(objective, engine=engine).fit(X, np.ones(len(Y)), qid=QID)


def test_wrong_evaluation_sets_are_refused():
    for bad, message in (
        (gbrank.RankingData(X[:, :4], Y, QID), "4 features and the training data 5"),
        (gbrank.RankingData(X, Y, QID, feature_names=list("abcde")), "other feature names"),
        ((X, Y), "give a RankingData or a tuple"),
        (gbrank.RankingData(csr_array(X), Y, QID), "both be dense or both be sparse"),
        (gbrank.RankingData(X, 0 * Y, QID), "skips all 30 queries"),
        (gbrank.RankingData(X, Y + 0.5, QID), r"evaluation set 'valid': label \d.5 in row"),
    ):
        with pytest.raises(gbrank.DataError, match=message):
            gbrank.GBRanker(**SMALL).fit(DATA, eval_set=bad)
    with pytest.raises(gbrank.ParameterError, match="come from the RankingData"):
        gbrank.GBRanker().fit(DATA, Y)


def test_data_may_lie_in_mapped_memory(tmp_path):
    """Joblib sends large arrays to its workers as such."""
    joblib.dump(DATA, tmp_path / "data")
    mapped = joblib.load(tmp_path / "data", mmap_mode="r")
    assert isinstance(mapped.X, np.memmap)
    for backend in ("lightgbm", "xgboost"):
        ranker = gbrank.GBRanker(**SMALL, backend=backend)
        expected = ranker.fit(DATA, eval_set=DATA).predict(DATA)
        assert np.array_equal(ranker.fit(mapped, eval_set=mapped).predict(mapped), expected)


def test_a_ranker_not_fitted_says_so():
    for call in (
        lambda r: r.predict(X),
        lambda r: r.save("x"),
        lambda r: r.score(DATA),
        lambda r: r.feature_importances_,
    ):
        with pytest.raises(NotFittedError):
            call(gbrank.GBRanker())


def test_one_document_queries_among_others_are_fine():
    qid = QID.copy()
    qid[:3] = [100, 101, 102]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranker = gbrank.GBRanker(**SMALL).fit(X, Y, qid=qid)
    assert np.isfinite(ranker.predict(X)).all()


def test_pairs_that_the_objective_does_not_read_are_told_once():
    data = gbrank.RankingData([[0.0], [1.0]] * 30, [0, 1] * 30, np.arange(60) // 6, pairs=[[1, 0], [7, 8]])
    small = {"n_estimators": 2, "min_docs_in_leaf": 1, "n_jobs": 1}
    with pytest.warns(gbrank.GbrankWarning) as told:
        gbrank.GBRanker(**small).fit(data)
    (one,) = told
    assert "the data hold 2 pairs, which LambdaRank() does not read" in str(one.message)
    assert one.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = gbrank.objective("pairwise_logistic", pairs="given")
        for objective in (given, 0.5 * given + gbrank.objective("lambdarank")):
            gbrank.GBRanker(objective, **small).fit(data)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"callbacks": print}, "callbacks=.*: give a list of functions"),
        ({"callbacks": ["print"]}, r"callbacks=\['print'\]: give a list of functions"),
        ({"verbose": "x"}, "verbose='x': must be a whole number of at least 0"),
        ({"backend_params": [1]}, r"backend_params=\[1\]: give a mapping"),
        ({"backend_params": {1: 2}}, "backend_params={1: 2}: give a mapping"),
    ],
    ids=["function", "text", "verbose", "list", "number"],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_of_another_type_are_refused(backend, given, message):
    with pytest.raises(gbrank.ParameterError, match=message):
        gbrank.GBRanker(**SMALL | {"backend": backend} | given).fit(DATA)
