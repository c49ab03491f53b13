"""CatBoost by our estimator beside the bare library, bit for bit, and what is refused before the call."""

import gc
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import scipy.sparse as sp

import gbrank
from gbrank.objectives import (
    CatBoostLoss,
    CrossEntropy,
    Huber,
    LambdaRank,
    McRank,
    PairwiseLogistic,
    Quantile,
    Softmax,
    StochasticRank,
    YetiLoss,
)

catboost = pytest.importorskip("catboost", reason="CatBoost is not installed; it is the backend under test")

ROUNDS = 6
N_QUERIES, SIZE = 30, 12
RNG = np.random.default_rng(0)
N = N_QUERIES * SIZE
X = RNG.normal(size=(N, 5))
X[RNG.random(X.shape) < 0.05] = np.nan
SIGNAL = np.nan_to_num(X[:, 0]) + 0.5 * np.nan_to_num(X[:, 1]) ** 2
Y = np.clip(np.round(SIGNAL + 0.5 * RNG.normal(size=N)), 0, 3)
QID = np.repeat(np.arange(N_QUERIES), SIZE)
DATA = gbrank.RankingData(X, Y, QID)
TRAIN, VALID = gbrank.train_test_split(DATA, test_size=10, random_state=0)
PAIRS = np.array([(i, i + 1) for i in range(N - 1) if QID[i] == QID[i + 1] and i % 3])
BINARY = TRAIN.with_labels((TRAIN.y > 1) * 1.0)
QUIET = {"thread_count": 1, "logging_level": "Silent", "allow_writing_files": False}
# As many as CatBoost takes by itself from 200 rounds on.
STEPS = {
    "PairLogit": 10,
    "PairLogitPairwise": 50,
    "QuerySoftMax": 100,
    "Logloss": 10,
    "CrossEntropy": 10,
    "Poisson": 10,
}


def ranker(objective="yeti", **params):
    given = {"backend": "catboost", "engine": "native", "n_estimators": ROUNDS, "n_jobs": 1}
    return gbrank.GBRanker(objective, **given | params)


def bare(loss, data=TRAIN, rounds=ROUNDS, pool=None, **params):
    """Train the library by itself: on data never binned before, with its own start."""
    numbers = np.repeat(np.arange(data.n_queries), data.query_sizes)
    pool = catboost.Pool(data.X, data.y, group_id=numbers, **pool or {})
    own = {"loss_function": loss, "iterations": rounds, "learning_rate": 0.1, "l2_leaf_reg": 0, "random_seed": 0,
           "bootstrap_type": "No", "border_count": 254}  # fmt: skip
    name = loss.partition(":")[0]
    if name in STEPS:
        own["leaf_estimation_iterations"] = STEPS[name]
    return catboost.CatBoost({**own, **QUIET, **params}).fit(pool)


def raw(model, X=VALID.X, **options):
    return np.asarray(model.predict(X, prediction_type="RawFormulaVal", **options))


SAME = [
    (LambdaRank(), "LambdaMart:metric=NDCG;top=30;type=Exp", {}, TRAIN),
    (LambdaRank(gain="linear", truncation=None, score_norm=False, query_norm=False),
     "LambdaMart:metric=NDCG;norm=false", {}, TRAIN),
    (PairwiseLogistic(), "PairLogit", {}, TRAIN),
    (YetiLoss(), "YetiRank", {}, TRAIN),
    (YetiLoss(draws=3, decay=0.5, noise="gauss"), "YetiRank:permutations=3;decay=0.5;noise=Gauss", {}, TRAIN),
    (YetiLoss(measure="ndcg@5", neighbors=2), "YetiRank:mode=NDCG;top=5;dcg_type=Exp;num_neighbors=2", {}, TRAIN),
    (StochasticRank(measure="dcg@3(gain=linear)", draws=4),
     "StochasticRank:metric=DCG;top=3;num_estimations=4;lambda=0", {}, TRAIN),
    (Softmax(gain="linear", temperature=2.0), "QuerySoftMax:beta=0.5;lambda=0", {}, TRAIN),
    ("mse", "RMSE", {}, TRAIN),
    ("mae", "MAE", {}, TRAIN),
    ("log_cosh", "LogCosh", {}, TRAIN),
    (Huber(0.5), "Huber:delta=0.5", {"leaf_estimation_method": "Gradient"}, TRAIN),
    (Quantile(0.3), "Quantile:alpha=0.3", {}, TRAIN),
    (Quantile((0.1, 0.5)), "MultiQuantile:alpha=0.1,0.5", {}, TRAIN),
    ("cross_entropy", "Logloss", {}, BINARY),
    (CrossEntropy(positive_weight=3.0), "Logloss", {"class_weights": [1, 3]}, BINARY),
    (CrossEntropy(relevant_from=None), "CrossEntropy", {}, TRAIN.with_labels(TRAIN.y / 3)),
    ("focal", "Focal:focal_alpha=0.25;focal_gamma=2", {}, BINARY),
    ("mcrank", "MultiClass", {}, TRAIN),
    ("catboost:QueryRMSE", "QueryRMSE", {}, TRAIN),
    ("catboost:YetiRank:mode=MAP", "YetiRank:mode=MAP", {}, BINARY),
    ("catboost:YetiRankPairwise:mode=ERR", "YetiRankPairwise:mode=ERR", {}, BINARY),
    ("catboost:PairLogitPairwise", "PairLogitPairwise", {}, TRAIN),
    ("catboost:Poisson", "Poisson", {}, TRAIN),
]  # fmt: skip


@pytest.mark.parametrize(("objective", "loss", "params", "data"), SAME, ids=lambda one: str(one)[:40])
def test_predictions_are_those_of_the_bare_library_bit_for_bit(objective, loss, params, data):
    ours = ranker(objective).fit(data)
    own = bare(loss, data, random_seed=0, **params)
    assert np.array_equal(ours.model_.raw(VALID.X), raw(own))
    assert np.ptp(raw(own)) > 1e-3
    assert ours.model_.n_trees() == ROUNDS * ours.model_.n_outputs


def test_canonical_parameters_are_the_librarys():
    given = {
        "learning_rate": 0.3,
        "max_depth": 3,
        "subsample": 0.7,
        "colsample": 0.5,
        "reg_lambda": 2.0,
        "max_bins": 16,
    }
    ours = ranker("mse", random_state=5, **given).fit(TRAIN)
    seed = np.random.RandomState(5).randint(2**31 - 1)
    own = bare("RMSE", learning_rate=0.3, depth=3, bootstrap_type="Bernoulli", subsample=0.7, rsm=0.5, l2_leaf_reg=2,
               border_count=15, random_seed=seed)  # fmt: skip
    assert np.array_equal(ours.predict(VALID), raw(own))
    leafwise = {"grow_policy": "Lossguide"}
    ours = ranker("mse", max_leaves=5, min_docs_in_leaf=7, backend_params=leafwise).fit(TRAIN)
    assert np.array_equal(ours.predict(VALID), raw(bare("RMSE", max_leaves=5, min_data_in_leaf=7, **leafwise)))


@pytest.mark.parametrize("objective", ["yeti", "lambdarank", "mse", "catboost:QueryRMSE", Quantile((0.1, 0.5))])
def test_early_stopping_is_by_our_measure_of_the_staged_predictions(objective):
    patience = 4
    ours = ranker(objective, n_estimators=60, early_stopping_rounds=patience).fit(
        TRAIN, eval_set={"valid": VALID, "train": TRAIN}
    )
    longer = ranker(objective, n_estimators=60).fit(TRAIN).model_.booster
    staged = {}
    for name, data in (("valid", VALID), ("train", TRAIN)):
        scores = (ours.objective_.transform(np.asarray(raw), {}) for raw in longer.staged_predict(data.X))
        staged[name] = [np.nanmean(ours.measure_(data.y, each, data.query_ptr)) for each in scores]
    n = len(ours.history_["valid"])
    best = int(np.argmax(staged["valid"][:n]))
    assert ours.best_iteration_ == best + 1
    assert n == best + 1 + patience < 60
    assert ours.model_.n_trees() == n * ours.model_.n_outputs  # training did end there
    for name, values in staged.items():
        np.testing.assert_allclose(ours.history_[name], values[:n], atol=1e-12)
    assert ours.best_score_ == pytest.approx(ours.score(VALID), abs=1e-12)


def test_histories_are_right_where_training_data_are_shuffled():
    ours = ranker(backend_params={"boosting_type": "Ordered"}).fit(TRAIN, eval_set={"valid": VALID, "train": TRAIN})
    assert ours.history_["train"][-1] == pytest.approx(ours.score(TRAIN), abs=1e-12)
    assert ours.history_["valid"][-1] == pytest.approx(ours.score(VALID), abs=1e-12)


@pytest.mark.parametrize("objective", ["yeti", "pairwise_logistic", "mcrank", "catboost:YetiRank:mode=NDCG"])
def test_saved_rankers_predict_the_same(objective, tmp_path):
    ours = ranker(objective, early_stopping_rounds=3).fit(TRAIN, eval_set=VALID)
    ours.save(tmp_path / "ranker")
    again = gbrank.load(tmp_path / "ranker")
    assert np.array_equal(again.predict(VALID), ours.predict(VALID))
    assert again.objective_ == ours.objective_
    assert np.array_equal(again.feature_importances_, ours.feature_importances_)
    assert np.array_equal(again.model_.importances("split"), ours.model_.importances("split"))


def test_importances_follow_the_rounds_that_predict():
    model = ranker().fit(TRAIN).model_
    own = raw(bare("YetiRank", rounds=2))
    assert np.array_equal(model.raw(VALID.X, n_rounds=2), own)
    assert model.importances("split", n_rounds=1).sum() <= 6 < model.importances("split").sum()
    assert not np.array_equal(model.importances("gain", n_rounds=1), model.importances("gain"))


@pytest.mark.parametrize("objective", ["yeti", "lambdarank", "pairwise_logistic", "stochastic_rank", "mse"])
def test_result_depends_neither_on_threads_nor_on_the_run(objective):
    params = {"subsample": 0.7, "colsample": 0.5}
    first, second, other = (
        ranker(objective, n_jobs=n, random_state=seed, **params).fit(TRAIN).predict(VALID)
        for n, seed in ((1, 5), (3, 5), (1, 6))
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_several_trainings_stand_side_by_side():
    """One waits after each of its rounds while another is trained from beginning to end."""
    alone = ranker("mse").fit(TRAIN).predict(VALID)
    inner = ranker("mse")
    outer = ranker(callbacks=[lambda info: inner.fit(TRAIN) and None]).fit(TRAIN, eval_set=VALID)
    assert np.array_equal(inner.predict(VALID), alone)
    assert np.array_equal(outer.predict(VALID), ranker().fit(TRAIN).predict(VALID))


def test_a_training_given_up_leaves_no_thread_behind():
    def fails(info):
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        ranker(n_estimators=10_000, callbacks=[fails]).fit(TRAIN)
    for _ in range(100):
        gc.collect()
        if threading.active_count() == before:
            break
        time.sleep(0.05)
    assert threading.active_count() == before


def test_a_callback_ends_training():
    ours = ranker(callbacks=[lambda info: info.round == 3]).fit(TRAIN, eval_set=VALID)
    assert len(ours.history_["valid"]) == 3
    assert np.array_equal(ours.predict(VALID), raw(bare("YetiRank", rounds=3)))


def test_folds_are_trained_together_by_tune():
    start = ranker(n_estimators=20, early_stopping_rounds=3)
    found = gbrank.tune(start, TRAIN, cv=2, n_trials=3, random_state=0)
    assert "backend_params__random_strength" in found.table
    assert found.ranker.backend == "catboost"
    assert found.ranker.model_.n_trees() == found.ranker.n_estimators < 20


def test_sparse_dense_and_missing_values():
    zeros = np.where(RNG.random(X.shape) < 0.6, 0.0, np.nan_to_num(X))
    dense, sparse = (gbrank.RankingData(each, Y, QID) for each in (zeros, sp.csr_array(zeros)))
    sparse.X.indices, sparse.X.indptr = sparse.X.indices.astype(np.int64), sparse.X.indptr.astype(np.int64)
    a, b = ranker().fit(dense), ranker().fit(sparse, eval_set=sparse)
    assert np.array_equal(a.predict(dense), b.predict(sparse))
    assert np.array_equal(a.predict(sparse), b.predict(dense))
    assert b.history_["valid"][-1] == pytest.approx(b.score(sparse), abs=1e-12)
    whole, holed = np.nan_to_num(X), np.where(RNG.random(X.shape) < 0.3, np.nan, X)
    late = gbrank.RankingData(holed, Y, QID)
    ours = ranker().fit(gbrank.RankingData(whole, Y, QID), eval_set=late)
    assert ours.history_["valid"][-1] == pytest.approx(ours.score(late), abs=1e-12)


def test_bins_are_made_once():
    one = ranker()
    binned = one.bin(TRAIN)
    held = one.bin(VALID, reference=binned)
    fresh = ranker("lambdarank").fit(TRAIN, eval_set=VALID)
    ours = ranker("lambdarank").fit(binned, eval_set=held)
    assert np.array_equal(ours.predict(VALID), fresh.predict(VALID))
    assert ours.history_ == fresh.history_
    with pytest.raises(gbrank.ParameterError, match="border_count=254, not 30"):
        ranker(max_bins=31).fit(binned)


def test_given_pairs():
    weight = RNG.uniform(0.5, 2, len(PAIRS))
    for labels in (Y, np.zeros(N)):  # which are not read
        data = gbrank.RankingData(X, labels, QID, pairs=PAIRS, pair_weight=weight)
        pool = {"pairs": PAIRS, "pairs_weight": weight}
        for objective, loss in (
            (PairwiseLogistic(pairs="given"), "PairLogit"),
            (CatBoostLoss("PairLogitPairwise"), "PairLogitPairwise"),
        ):
            assert np.array_equal(ranker(objective).fit(data).predict(VALID), raw(bare(loss, DATA, pool=pool)))


KEPT = {
    "query_weight": ["catboost:QueryRMSE", Softmax(gain="linear"), "pairwise_logistic", "mse", "mcrank",
                     YetiLoss(measure="ndcg", noise="none"), "catboost:YetiRankPairwise:mode=NDCG;noise=No",
                     "catboost:PairLogitPairwise", "huber"],
    "sample_weight": ["mse", "mcrank", "huber", "catboost:QueryRMSE", Quantile((0.1, 0.5))],
}  # fmt: skip
EXACT = {
    "backend_params": {"random_strength": 0, "feature_border_type": "Uniform", "leaf_estimation_backtracking": "No"}
}


@pytest.mark.parametrize(
    ("kind", "objective"), [(kind, one) for kind, ones in KEPT.items() for one in ones], ids=lambda one: str(one)[:40]
)
def test_a_weight_of_2_is_the_query_or_the_document_twice(kind, objective):
    params = EXACT | {"max_depth": 2, "learning_rate": 0.5, "n_estimators": 3}
    if str(objective).startswith("catboost:YetiRank"):  # which refuses a choice
        params = params | {"backend_params": {"random_strength": 0, "feature_border_type": "Uniform"}}
    twice = RNG.random(N_QUERIES if kind == "query_weight" else N) < 0.4
    rows = np.flatnonzero(twice[QID] if kind == "query_weight" else twice)
    again = QID[rows] + N_QUERIES if kind == "query_weight" else QID[rows]
    repeated = gbrank.RankingData(np.concatenate([X, X[rows]]), np.concatenate([Y, Y[rows]]),
                                  np.concatenate([QID, again]))  # fmt: skip
    weighted = gbrank.RankingData(X, Y, QID, **{kind: 1.0 + twice})
    a, b, plain = (ranker(objective, **params).fit(each).predict(VALID) for each in (weighted, repeated, DATA))
    np.testing.assert_allclose(a, b, atol=2e-6)
    assert np.abs(a - plain).max() > 1e-3


@pytest.mark.parametrize(
    ("kind", "objective"),
    [
        *[("sample_weight", one) for one in ("yeti", "pairwise_logistic", Softmax(gain="linear"))],
        *[(kind, one) for kind in ("sample_weight", "query_weight")
          for one in ("lambdarank", "stochastic_rank", "mae", "quantile", "log_cosh", "catboost:MAPE")],
    ],
    ids=str,
)  # fmt: skip
def test_weights_that_catboost_ignores_are_refused(kind, objective):
    weight = np.ones(N) if kind == "sample_weight" else np.ones(N_QUERIES)
    with pytest.raises(gbrank.ParameterError, match=f"{kind}: CatBoost's .* ignores it"):
        ranker(objective).fit(gbrank.RankingData(X, Y, QID, **{kind: weight}))


@pytest.mark.parametrize("loss", ["MAE", "Quantile:alpha=0.3", "LogCosh", "LambdaMart"])
def test_catboost_still_ignores_weights_of_documents(loss):
    """Why they are refused: leaves of one document in sixteen, a thousand times as heavy, stay what they were."""
    rows = np.arange(64)
    features = (rows[:, None] >> np.arange(2) & 1).astype(float)
    labels, heavy = RNG.integers(0, 4, 64).astype(float), np.where(rows < 4, 1000.0, 1.0)
    params = {"iterations": 1, "loss_function": loss, "l2_leaf_reg": 0, "depth": 2, "bootstrap_type": "No",
              "random_strength": 0, **QUIET}  # fmt: skip
    params |= {"boost_from_average": False} if loss in ("MAE", "Quantile:alpha=0.3") else {}
    plain, weighted = (
        catboost.CatBoost(params)
        .fit(catboost.Pool(features, labels, group_id=rows // 16, weight=each))
        .predict(features)
        for each in (None, heavy)
    )
    if not np.allclose(plain, weighted):
        pytest.skip("this CatBoost keeps them: allow them in WEIGHTS")


def test_catboosts_lambdamart_goes_wrong_with_a_penalty():
    """Why it is refused: the same leaves with the sign turned."""
    right = raw(bare("LambdaMart", rounds=1))
    wrong = raw(bare("LambdaMart", rounds=1, l2_leaf_reg=1e3))
    if np.corrcoef(right, wrong)[0, 1] > 0:
        pytest.skip("this CatBoost has the signs right: check_lambdamart can go")
    with pytest.raises(gbrank.ParameterError, match="wrong direction; leave it at 0"):
        ranker("lambdarank", reg_lambda=1.0).fit(TRAIN)
    with pytest.raises(gbrank.ParameterError, match="any but 'Newton'"):
        ranker("lambdarank", backend_params={"leaf_estimation_method": "Gradient"}).fit(TRAIN)


@pytest.mark.parametrize(
    ("objective", "match"),
    [
        ("listnet", "no objective 'listnet' of its own, and takes none from outside"),
        (LambdaRank(weight="map"), "weight='map': CatBoost's own LambdaMart has 'ndcg'; change it"),
        (LambdaRank(hessian_factor=2.0), "hessian_factor=2.0"),
        (PairwiseLogistic(sigmoid=2.0), "sigmoid=2.0: CatBoost's own PairLogit has 1.0"),
        (YetiLoss(noise="gumbel"), "noise='gumbel': CatBoost's own YetiRank has 'logistic' or 'gauss' or 'none'"),
        (YetiLoss(noise_power=2.0), "noise_power=2.0"),
        (YetiLoss(neighbors=2), "neighbors=2"),
        (YetiLoss(measure="ap"), "measure='ap.*catboost:YetiRank:mode=MAP"),
        (StochasticRank(sigma=0.5), "sigma=0.5"),
        (StochasticRank(scale_free=1.0, mu=0.1), "mu=0.1"),
        (Softmax(), "gain='exp'"),
        (McRank("balanced"), "class_weight='balanced'"),
        ("cross_entropy", "takes the labels 1 for relevant and 0 for not; give relevant_from=1"),
        ("catboost:Foo", "CatBoost refuses these data or parameters: Foo loss is not supported"),
        ("catboost:YetiRank:mod=NDCG", "Did you mean 'mode'"),
        ("catboost:YetiRank:mode", "write a loss of CatBoost as"),
        ("catboost:YetiRank:mode=MRR", "label . in row .*: MRR is defined for labels 0 and 1"),
        ("catboost:LambdaMart:metric=ERR", "label . in row .*: ERR is defined for labels from 0 to 1"),
        ("catboost:MultiClass", "several outputs a document; use 'mcrank'"),
    ],
    ids=str,
)
def test_what_is_not_the_same_is_refused_with_the_reason(objective, match):
    with pytest.raises(gbrank.GbrankError, match=match):
        ranker(objective).fit(TRAIN)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"engine": "compiled"}, "takes no ranking objective from outside.*give engine='native'"),
        ({"engine": "numpy"}, "give engine='native'"),
        ({"reg_alpha": 1.0}, "no L1 penalty; use reg_lambda"),
        ({"max_leaves": 7}, "max_leaves=7.*'grow_policy': 'Lossguide'"),
        ({"min_docs_in_leaf": 7}, "min_docs_in_leaf=7.*'grow_policy'"),
        ({"subsample": 0.5, "backend_params": {"bootstrap_type": "Bayesian"}}, "samples no documents"),
        ({"backend_params": {"bootstrap_type": "MVS"}}, "set a share below 1"),
        ({"backend_params": {"eta": 0.5}}, "use learning_rate="),
        ({"backend_params": {"eval_metric": "NDCG"}}, "use measure="),
        ({"backend_params": {"loss_function": "YetiRank"}}, "use objective="),
        ({"backend_params": {"deth": 3}}, "Unknown option {deth}"),
        ({"backend_params": {"task_type": "GPU"}}, "use device="),
        ({"backend_params": {"save_snapshot": True}}, "no files"),
        ({"backend_params": {"cat_features": [0]}}, "use categorical_features="),
        ({"max_depth": 20}, "Maximum tree depth is 16"),
    ],
    ids=str,
)
def test_parameters_without_a_translation_are_refused(params, match):
    with pytest.raises(gbrank.ParameterError, match=match):
        ranker(**params).fit(TRAIN)


def test_shrinking_trees_do_not_stop_early():
    ours = ranker("catboost:StochasticRank:metric=NDCG", backend_params={"langevin": True}).fit(TRAIN, eval_set=VALID)
    assert ours.history_["valid"][-1] == pytest.approx(ours.score(VALID), abs=1e-9)
    with pytest.raises(gbrank.ParameterError, match="leave early stopping out"):
        ours.set_params(early_stopping_rounds=2).fit(TRAIN, eval_set=VALID)


@pytest.mark.parametrize("objective", ["yeti", "lambdarank", "pairwise_logistic", "catboost:QueryRMSE"])
def test_data_from_which_nothing_is_learnt(objective):
    with pytest.raises(gbrank.DataError, match="every feature is constant"):
        ranker(objective).fit(np.ones((N, 2)), Y, qid=QID)
    with pytest.raises(gbrank.DataError, match="nothing to learn"):
        ranker(objective).fit(X, np.ones(N), qid=QID)
    with pytest.raises(gbrank.DataError, match="nothing to learn"):
        ranker(objective).fit(X, Y, qid=np.arange(N))
    singles = np.where(QID < 3, np.arange(N) + N, QID)  # some queries of one document
    assert np.ptp(ranker(objective).fit(X, Y, qid=singles).predict(X)) > 0
    with pytest.raises(gbrank.DataError, match=r"label 1e\+39 in row 3: CatBoost keeps labels in float32"):
        ranker("mse").fit(X, np.where(np.arange(N) == 3, 1e39, Y), qid=QID)


def test_trees_without_a_split_are_a_warning_and_a_constant_model():
    with pytest.warns(gbrank.GbrankWarning, match="no tree could be grown"):
        ours = ranker("mse", min_docs_in_leaf=1000, backend_params={"grow_policy": "Lossguide"}).fit(TRAIN)
    assert set(ours.predict(VALID)) == {0.0}
    assert ours.feature_importances_.tolist() == [0.0] * 5


def test_losses_of_catboost_are_for_catboost_only():
    for engine in ("compiled", "numpy"):
        with pytest.raises(gbrank.ParameterError, match="give backend='catboost' and engine='native'"):
            gbrank.GBRanker("catboost:QueryRMSE", engine=engine).fit(TRAIN)
    with pytest.raises(gbrank.ParameterError, match="no objective 'catboost:QueryRMSE' of its own"):
        gbrank.GBRanker("catboost:QueryRMSE", engine="native").fit(TRAIN)
    ours = ranker("catboost:QueryRMSE").set_params(objective__loss_function="QuerySoftMax")
    assert ours.objective == CatBoostLoss("QuerySoftMax")


def test_where_catboost_is_absent_the_extra_is_named(tmp_path):
    (tmp_path / "catboost.py").write_text("raise ModuleNotFoundError('no', name='catboost')")
    code = (
        "import sys, gbrank\nassert 'catboost' not in sys.modules\n"
        "try: gbrank.GBRanker(backend='catboost', engine='native').fit([[0.0], [1.0]], [0, 1], qid=[1, 1])\n"
        "except gbrank.ParameterError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "pip install 'gbrank[catboost]'" in run.stdout
