"""Both backends alike: one LambdaRank, the boosters' own versions, leaves that are renewed, bins that are shared."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

import gbrank
from gbrank.backends import Binned, TreeParams, backend
from gbrank.objectives import LambdaRank, Quantile

BACKENDS = ("lightgbm", "xgboost")  # that take gradients; for CatBoost see test_catboost.py
N_QUERIES, SIZE = 40, 20
SMALLEST_HESSIAN = {"lightgbm": "min_sum_hessian_in_leaf", "xgboost": "min_child_weight"}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    n = N_QUERIES * SIZE
    X = rng.normal(size=(n, 8))
    X[rng.random(X.shape) < 0.05] = np.nan
    signal = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) ** 2 * 0.5
    y = np.clip(np.round(signal + rng.normal(size=n) * 0.5), 0, 4)
    return gbrank.RankingData(X, y, np.repeat(np.arange(N_QUERIES), SIZE))


def fitted(data, **params):
    return gbrank.GBRanker(**{"n_estimators": 20, "min_docs_in_leaf": 20, **params}).fit(data)


def test_lambdarank_is_lightgbms_own(data):
    """LightGBM looks its sigmoid up in a table, and counts the documents of a leaf by their hessians.

    A limit on the count would turn differences of 1e-5 into other splits, so there is none here.
    """
    own = fitted(data, engine="native", min_docs_in_leaf=1).predict(data)
    for engine in ("numpy", "compiled"):
        ours = fitted(data, engine=engine, min_docs_in_leaf=1).predict(data)
        np.testing.assert_allclose(ours, own, atol=1e-4)
        assert np.ptp(own) > 1


def test_lambdarank_is_xgboosts_own_with_the_hessian_doubled(data):
    objective = LambdaRank(hessian_factor=2.0)
    own = fitted(data, objective=objective, backend="xgboost", engine="native").predict(data)
    for engine, bound in (("numpy", 1e-6), ("compiled", 1e-4)):
        ours = fitted(data, objective=objective, backend="xgboost", engine=engine).predict(data)
        np.testing.assert_allclose(ours, own, atol=bound)
        assert np.ptp(own) > 1


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("objective", ["mse", "lambdarank", "mcrank"])
def test_engines_train_the_same_model(data, name, objective):
    a, b = (fitted(data, objective=objective, backend=name, engine=e).predict(data) for e in ("numpy", "compiled"))
    np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("name", BACKENDS)
def test_squared_error_is_the_boosters_own(data, name):
    # Real labels: whole ones make splits of equal gain, between which rounding would choose.
    data = data.with_labels(data.y + np.random.default_rng(0).normal(size=len(data)))
    own, ours = (fitted(data, objective="mse", backend=name, engine=e).predict(data) for e in ("native", "compiled"))
    np.testing.assert_allclose(ours, own, atol=2e-5)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9])
def test_quantile_is_as_good_as_the_boosters_own(name, alpha):
    """Heteroscedastic rows; pinball loss of unseen rows within 2 %, where leaves not renewed lose 25 %."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-2, 2, (6000, 4))
    y = 3 * X[:, 0] + np.exp(X[:, 1]) * rng.normal(size=6000)
    train, test = (gbrank.RankingData(X[s], y[s], np.arange(3000) // 10) for s in (slice(0, 3000), slice(3000, None)))
    losses = {}
    for engine in ("native", "compiled"):
        ranker = gbrank.GBRanker(Quantile(alpha), backend=name, engine=engine, n_estimators=60).fit(train)
        losses[engine] = Quantile(alpha).loss(test.y, ranker.predict(test), test.query_ptr).sum()
    assert losses["compiled"] < 1.02 * losses["native"]


@pytest.mark.parametrize("name", BACKENDS)
def test_renewed_leaves_are_what_the_model_predicts_with(data, name):
    """The running sums that gave the gradients, seen through the history, equal the saved model's predictions."""
    ranker = gbrank.GBRanker("quantile", backend=name, n_estimators=7).fit(data, eval_set={"train": data})
    assert ranker.history_["train"][-1] == pytest.approx(ranker.score(data), abs=1e-12)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("objective", ["lambdarank", "mcrank", "ordinal"])
def test_scores_kept_while_training_are_the_models(data, name, objective):
    train, valid = gbrank.train_test_split(data, test_size=0.3, random_state=0)
    ranker = gbrank.GBRanker(objective, backend=name, n_estimators=8)
    ranker.fit(train, eval_set={"valid": valid, "train": train})
    assert ranker.history_["valid"][-1] == pytest.approx(ranker.score(valid), abs=1e-12)
    assert ranker.history_["train"][-1] == pytest.approx(ranker.score(train), abs=1e-12)


@pytest.mark.parametrize("name", BACKENDS)
def test_bins_are_made_once_and_checked(data, name):
    ranker = gbrank.GBRanker(backend=name, n_estimators=5)
    train, valid = gbrank.train_test_split(data, test_size=0.3, random_state=0)
    binned = ranker.bin(train)
    held = ranker.bin(valid, reference=binned)
    assert isinstance(binned, Binned)
    fresh = ranker.fit(train, eval_set=valid).predict(valid)
    for leaves in (7, 31):  # other tree parameters on the same bins, and back
        ranker.set_params(max_leaves=leaves).fit(binned, eval_set=held)
    assert np.array_equal(ranker.predict(valid), fresh)
    with pytest.raises(gbrank.ParameterError, match="max_bin=255, not 63"):
        ranker.set_params(max_bins=63).fit(binned)
    other = next(each for each in BACKENDS if each != name)
    with pytest.raises(gbrank.ParameterError, match=f"binned for '{name}', not '{other}'"):
        gbrank.GBRanker(backend=other).fit(binned)


@pytest.mark.parametrize("name", BACKENDS)
def test_sparse_and_dense_predict_alike(name):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 6)) * (rng.random((400, 6)) < 0.3)
    y = (X[:, 0] > 0.5) + (X[:, 1] > 0) * 1.0
    qid = np.arange(400) // 20
    for train_on, other in ((X, sp.csr_array(X)), (sp.csr_array(X), X)):
        ranker = gbrank.GBRanker(backend=name, n_estimators=10).fit(train_on, y, qid=qid)
        np.testing.assert_array_equal(ranker.predict(train_on), ranker.predict(other))


@pytest.mark.parametrize("name", BACKENDS)
def test_result_depends_neither_on_threads_nor_on_the_run(data, name):
    params = {"subsample": 0.7, "colsample": 0.5, "random_state": 5, "backend": name}
    first = fitted(data, n_jobs=1, **params).predict(data)
    assert np.array_equal(first, fitted(data, n_jobs=1, **params).predict(data))
    assert np.array_equal(first, fitted(data, n_jobs=3, **params).predict(data))
    assert not np.array_equal(first, fitted(data, n_jobs=1, **params | {"random_state": 6}).predict(data))


@pytest.mark.parametrize("name", BACKENDS)
def test_canonical_parameters_reach_the_booster(data, name):
    def leaves(**params):
        model = fitted(data, backend=name, **params).model_
        return len(np.unique(model.raw(data.X, n_rounds=1)))

    assert leaves(max_leaves=4) == 4
    assert leaves(max_depth=1) == 2
    assert np.ptp(fitted(data, backend=name, reg_lambda=1e6).predict(data)) < 0.01


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("engine", ["compiled", "native"])
def test_trees_without_a_split_are_a_warning_and_a_constant_model(data, name, engine):
    with pytest.warns(gbrank.GbrankWarning, match="no tree could be grown.*constant"):
        ranker = fitted(data, backend=name, engine=engine, reg_alpha=1e9)
    assert ranker.best_iteration_ == 0
    assert set(ranker.predict(data)) == {0.0}
    assert ranker.feature_importances_.tolist() == [0.0] * 8


@pytest.mark.parametrize("name", BACKENDS)
def test_constant_features_are_a_warning(name):
    constant = gbrank.RankingData(np.ones((40, 3)), np.arange(40) % 3, np.arange(40) // 10)
    zeros = gbrank.RankingData(np.zeros((40, 3)), constant.y, constant.qid)
    if name == "lightgbm":
        with pytest.raises(gbrank.GbrankError, match="every feature is 0"):
            gbrank.GBRanker(backend=name).fit(zeros)
    with pytest.warns(gbrank.GbrankWarning, match="no tree could be grown"):
        gbrank.GBRanker(backend=name).fit(constant, eval_set=constant)


def test_min_docs_in_leaf_is_refused_where_it_cannot_be_kept(data):
    with pytest.raises(gbrank.ParameterError, match="min_child_weight"):
        fitted(data, backend="xgboost", min_docs_in_leaf=5)


@pytest.mark.parametrize(("name", "clash"), [("lightgbm", "eta"), ("lightgbm", "num_leaf"), ("xgboost", "eta")])
def test_backend_params_that_have_a_name_of_their_own_are_refused(data, name, clash):
    with pytest.raises(gbrank.ParameterError, match=r"use (learning_rate|max_leaves)="):
        fitted(data, backend=name, backend_params={clash: 0.5})


def test_unknown_backend_params_are_refused(data):
    with pytest.raises(gbrank.ParameterError, match="Did you mean 'min_gain_to_split'"):
        fitted(data, backend_params={"min_gain_to_splt": 0.5})
    with pytest.raises(gbrank.ParameterError, match=r"no use for .*max_delta_stp"):
        fitted(data, backend="xgboost", backend_params={"max_delta_stp": 1})


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("lightgbm", {"path_smooth": "abc"}),
        ("lightgbm", {"path_smooth": -1}),
        ("lightgbm", {"boosting": "rf"}),
        ("xgboost", {"min_child_weight": "abc"}),
        ("xgboost", {"gamma": -1}),
    ],
)
def test_what_the_library_refuses_is_one_error_of_ours(data, name, params):
    with pytest.raises(gbrank.ParameterError, match=r"(?i)refuses these data or parameters") as refusal:
        fitted(data, backend=name, backend_params=params)
    assert "Stack trace" not in str(refusal.value)


@pytest.mark.parametrize(("name", "params"), [("lightgbm", {"boosting": "dart"}), ("xgboost", {"booster": "dart"})])
def test_dart_trains_but_does_not_stop_early(data, name, params):
    ranker = gbrank.GBRanker(backend=name, backend_params=params, n_estimators=8).fit(data, eval_set={"t": data})
    assert ranker.history_["t"][-1] == pytest.approx(ranker.score(data), abs=1e-9)
    with pytest.raises(gbrank.ParameterError, match="DART changes earlier trees"):
        ranker.set_params(early_stopping_rounds=3).fit(data, eval_set=data)


@pytest.mark.parametrize("name", BACKENDS)
def test_limits_of_the_boosters_own_objectives_are_checked_before_the_call(name):
    high = gbrank.RankingData(np.arange(40.0)[:, None], np.arange(40.0), np.zeros(40, int))
    with pytest.raises(gbrank.DataError, match=r"label 39 in row 39.*engine='compiled'"):
        gbrank.GBRanker(backend=name, engine="native").fit(high)
    gbrank.GBRanker(backend=name, n_estimators=1, backend_params={SMALLEST_HESSIAN[name]: 0.0}).fit(high)
    with pytest.raises(gbrank.ParameterError, match="no objective 'focal' of its own"):
        gbrank.GBRanker("focal", backend=name, engine="native").fit(high)


def test_lightgbms_limit_of_documents_is_checked_before_the_call():
    n = 10_001
    big = gbrank.RankingData(np.arange(float(n))[:, None], np.arange(n) % 3, np.zeros(n, int))
    with pytest.raises(gbrank.DataError, match="query 0 has 10001 documents"):
        gbrank.GBRanker(engine="native").fit(big)
    gbrank.GBRanker(n_estimators=1).fit(big)


def test_two_rankers_with_other_gains_stand_side_by_side(data):
    """LightGBM's own gains belong to the process: the second booster would change the first one's."""
    alone = fitted(data).predict(data)
    first = gbrank.GBRanker(n_estimators=20)
    second = gbrank.GBRanker(
        LambdaRank(gain="linear"), n_estimators=20, callbacks=[lambda info: first.fit(data) and None]
    )
    second.fit(data)
    assert np.array_equal(first.predict(data), alone)
    assert np.array_equal(second.predict(data), fitted(data, objective=LambdaRank(gain="linear")).predict(data))


@pytest.mark.parametrize("own", [None, "ACTIVE"])
def test_the_boosters_threads_sleep_while_they_wait(own):
    """OpenMP prints its settings when it is loaded; ours does not outlast the import, and a user's own stands."""
    code = (
        "import os, gbrank; gbrank.GBRanker; from gbrank.backends import backend; backend('xgboost'); "
        "backend('lightgbm'); print(os.environ.get('OMP_WAIT_POLICY'))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    environment |= {"OMP_DISPLAY_ENV": "TRUE"} | ({"OMP_WAIT_POLICY": own} if own else {})
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert set(re.findall("OMP_WAIT_POLICY = '(.*)'", run.stderr)) == {own or "PASSIVE"}
    assert run.stdout.strip() == str(own)


def test_unknown_backend_comes_with_the_nearest():
    with pytest.raises(gbrank.ParameterError, match="Did you mean 'lightgbm'"):
        backend("ligthgbm")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0),
        ("max_leaves", 1),
        ("subsample", 1.5),
        ("reg_lambda", -1),
        ("max_bins", 1.5),
        ("max_depth", 0),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(gbrank.ParameterError, match=name):
        TreeParams(**{name: value})


@pytest.mark.parametrize("name", ["pairwise_hinge", "pairwise_logistic"])
def test_features_of_the_query_serve_where_gradients_sum_to_exactly_nothing(name):
    """Gradients in whole or half numbers cancel in each query without a rounding error, at least in the first tree."""
    rng = np.random.default_rng(0)
    qid = np.repeat(np.arange(100), 10)
    which, x = np.repeat(rng.integers(0, 2, 100), 10), rng.normal(size=(1000, 2))
    worth = np.where(which == 1, x[:, 0], -x[:, 0])  # the query decides in which direction the feature counts
    data = gbrank.RankingData(np.column_stack([which, x]), (worth > 0.5) + (worth > 1.2), qid)
    for library in ("lightgbm", "xgboost"):
        ranker = gbrank.GBRanker(name, backend=library, n_estimators=4, n_jobs=1).fit(data)
        assert ranker.model_.importances("split")[0] > 0
        assert ranker.score(data) > 0.8
