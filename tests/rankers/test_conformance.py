"""A scikit-learn citizen: every estimator check, the meaning of weights where trees do split, and its company."""

import importlib.util
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import gbrank
from gbrank.objectives import OBJECTIVES

HAS_CATBOOST = importlib.util.find_spec("catboost") is not None
FEW = {"n_estimators": 5, "n_jobs": 1}
RANKERS = [
    gbrank.GBRanker(**FEW),
    gbrank.GBRanker("mse", **FEW),
    gbrank.GBRanker(backend="xgboost", **FEW),
    gbrank.LambdaMART(**FEW),
    gbrank.LambdaMART(backend="xgboost", **FEW),
    gbrank.GBRanker("mse", backend="xgboost", **FEW),
    *([gbrank.GBRanker("mse", backend="catboost", engine="native", **FEW)] if HAS_CATBOOST else []),
]
DATA = gbrank.make_letor(60, n_features=5, random_state=0)


def fails(estimator):
    """Rows of weight 0 still move the bins of these libraries, so that removing them changes thresholds."""
    checks = [f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")]
    moved = estimator.backend != "lightgbm" and getattr(estimator, "objective", "") == "mse"
    return dict.fromkeys(checks, fails.__doc__) if moved else {}


@parametrize_with_checks(RANKERS, expected_failed_checks=fails)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gbrank._checks.GbrankWarning)  # no qid: all rows are one query
        check(estimator)


def whole(backend):
    """Parameters under which rows repeated and rows weighted meet the same bins and limits."""
    more = {"min_data_in_bin": 1, "min_sum_hessian_in_leaf": 0.5}
    fine = {"backend_params": more, "min_docs_in_leaf": 0} if backend == "lightgbm" else {}
    return {"n_estimators": 2, "max_leaves": 4, "n_jobs": 1, "backend": backend} | fine


def coarse(backend, seed=0):
    """Data whose features have few values, each of which gets a bin of its own whatever the weights."""
    data = gbrank.make_letor(60, n_features=4, max_documents=20, random_state=seed)
    return gbrank.RankingData(np.round(data.X * (4 if backend == "xgboost" else 20)), data.y, data.qid)


POINTWISE = ("mse", "mae", "huber", "log_cosh", "brier", "quantile", "cross_entropy", "focal", "hinge", "mcrank")


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("objective", POINTWISE)
def test_a_weight_of_2_is_the_row_twice(objective, backend):
    data = coarse(backend)
    twice = np.random.default_rng(1).random(data.n_documents) < 0.4
    rows = np.sort(np.concatenate([np.arange(data.n_documents), np.flatnonzero(twice)]))
    weighted = gbrank.GBRanker(objective, **whole(backend)).fit(
        data.X, data.y, qid=data.qid, sample_weight=np.where(twice, 2.0, 1.0)
    )
    repeated = gbrank.GBRanker(objective, **whole(backend)).fit(data.X[rows], data.y[rows], qid=data.qid[rows])
    scores = weighted.predict(data.X)
    assert len(np.unique(scores.round(9))) > 1, "the trees do split"
    np.testing.assert_allclose(scores, repeated.predict(data.X), rtol=1e-4, atol=1e-5)


# Noise is drawn by the query's place, so a query and its copy see other draws.
SEEDED = ("xe_ndcg", "yeti", "stochastic_rank", "pl_rank", "sampled_softmax", "triplet", "pairwise_contrastive")
NEEDS_MORE = ("combined",)
# LightGBM estimates the documents of a bin by rounding its share of the hessians, and passes by thresholds where these
# estimates add up to more than there are.  Where hessians differ much, rounding falls out otherwise for the same sums.
ROUNDED = {"lightgbm": ("listnet", "info_nce", "mcrank", "mcrank_focal"), "xgboost": ()}


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("objective", sorted({*OBJECTIVES} - {*SEEDED, *NEEDS_MORE}))
def test_a_query_weight_of_2_is_the_query_twice(objective, backend):
    if objective in ROUNDED[backend]:
        pytest.skip("the library rounds estimated numbers of documents")
    data = coarse(backend, 2)
    rng = np.random.default_rng(3)
    chosen = np.flatnonzero(rng.random(data.n_queries) < 0.4)
    copies = data.take(chosen)
    both = gbrank.concat([data, gbrank.RankingData(copies.X, copies.y, copies.qid + 10_000)])
    weight = np.ones(data.n_queries)
    weight[chosen] = 2
    settings = whole(backend)
    weighted = gbrank.GBRanker(objective, **settings).fit(data.X, data.y, qid=data.qid, query_weight=weight)
    repeated = gbrank.GBRanker(objective, **settings).fit(both)
    scores = weighted.predict(data.X)
    assert len(np.unique(scores.round(9))) > 1, "the trees do split"
    np.testing.assert_allclose(scores, repeated.predict(data.X), rtol=1e-4, atol=1e-5)


def test_nested_parameters_of_an_objective_given_by_name():
    ranker = gbrank.GBRanker("lambdarank")
    changed = clone(ranker).set_params(objective__truncation=7)
    assert changed.get_params()["objective__truncation"] == 7
    assert ranker.objective == "lambdarank"
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            gbrank.GBRanker(**FEW),
            {"objective__truncation": [2, 10]},
            cv=gbrank.QueryKFold(3),
            scoring=gbrank.make_scorer("rr"),
        ).fit(DATA.X, DATA.y, qid=DATA.qid, groups=DATA.qid)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_names_of_columns_and_order_of_rows():
    frame = pd.DataFrame(DATA.X, columns=list("abcde"))
    ranker = gbrank.GBRanker(**FEW).fit(frame, DATA.y, qid=DATA.qid)
    assert ranker.feature_names_in_.tolist() == list("abcde")
    assert not hasattr(gbrank.GBRanker(**FEW).fit(DATA), "feature_names_in_")
    with pytest.raises(ValueError, match="column 0 is 'b'"):
        ranker.predict(frame[list("bacde")])
    shuffled = np.random.default_rng(0).permutation(len(frame))
    np.testing.assert_array_equal(ranker.predict(frame.iloc[shuffled]), ranker.predict(frame)[shuffled])


@pytest.mark.parametrize("ranker", RANKERS, ids=lambda each: f"{type(each).__name__}-{each.backend}")
def test_pickles_and_joblib_keep_every_bit(ranker, tmp_path):
    fitted = clone(ranker).fit(DATA)
    joblib.dump(fitted, tmp_path / "ranker.joblib")
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "ranker.joblib")):
        np.testing.assert_array_equal(copy.predict(DATA), fitted.predict(DATA))
    assert "GBRanker" in fitted._repr_html_() or "LambdaMART" in fitted._repr_html_()


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield {"qid": DATA.qid, "groups": DATA.qid}


SCORER = gbrank.make_scorer("ndcg@5")
FOLDS = gbrank.QueryKFold(3)


def test_cross_validation_is_what_a_loop_gives(routing):
    ranker = gbrank.GBRanker(measure="ndcg@5", **FEW)
    found = cross_validate(ranker, DATA.X, DATA.y, cv=FOLDS, params=routing, scoring={"own": SCORER})
    expected = [clone(ranker).fit(train).score(test) for train, test in FOLDS.split_data(DATA)]
    np.testing.assert_allclose(found["test_own"], expected, rtol=1e-12)
    found = cross_validate(ranker, DATA.X, DATA.y, cv=FOLDS, params=routing)
    np.testing.assert_allclose(found["test_score"], expected, rtol=1e-12)
    scores = cross_val_predict(ranker, DATA.X, DATA.y, cv=FOLDS, params=routing)
    for (train, test), (_, rows) in zip(FOLDS.split_data(DATA), FOLDS.split(DATA), strict=True):
        np.testing.assert_array_equal(scores[rows], clone(ranker).fit(train).predict(test))


@pytest.mark.parametrize(
    "search",
    [
        lambda ranker: GridSearchCV(ranker, {"max_leaves": [3, 15]}, cv=FOLDS, scoring=SCORER),
        lambda ranker: RandomizedSearchCV(ranker, {"max_leaves": [3, 15]}, n_iter=2, cv=FOLDS, scoring=SCORER),
        lambda ranker: HalvingGridSearchCV(
            ranker, {"max_leaves": [3, 15]}, cv=FOLDS, scoring=SCORER, resource="n_estimators", max_resources=9
        ),
    ],
    ids=["grid", "random", "halving"],
)
def test_searches(search, routing):
    found = search(gbrank.GBRanker(**FEW)).fit(DATA.X, DATA.y, **routing)
    assert found.best_params_["max_leaves"] in (3, 15)
    leaves = found.best_params_["max_leaves"]
    at = found.cv_results_["param_max_leaves"].tolist().index(leaves)
    n = found.cv_results_["params"][-1].get("n_estimators", FEW["n_estimators"])
    if "n_estimators" not in found.best_params_:
        ranker = gbrank.GBRanker(**FEW | {"max_leaves": leaves, "n_estimators": n, "measure": "ndcg@5"})
        expected = [clone(ranker).fit(train).score(test) for train, test in FOLDS.split_data(DATA)]
        np.testing.assert_allclose(found.cv_results_["mean_test_score"][at], np.mean(expected), rtol=1e-9)


def test_early_stopping_in_a_search_holds_out_whole_queries(routing):
    ranker = gbrank.GBRanker(n_estimators=60, n_jobs=1, early_stopping_rounds=3, validation_fraction=0.3)
    found = GridSearchCV(ranker, {"learning_rate": [0.1, 0.5]}, cv=FOLDS, scoring=SCORER).fit(DATA.X, DATA.y, **routing)
    assert found.best_estimator_.best_iteration_ < 60


def test_pipelines_scale_features_and_never_query_ids(routing):
    ranker = gbrank.GBRanker(**FEW)
    pipe = Pipeline([("scale", MinMaxScaler()), ("rank", ranker)]).fit(DATA.X, DATA.y, qid=DATA.qid)
    scaled = MinMaxScaler().fit_transform(DATA.X)
    np.testing.assert_array_equal(pipe.predict(DATA.X), clone(ranker).fit(scaled, DATA.y, qid=DATA.qid).predict(scaled))
    assert pipe.score(DATA.X, DATA.y, qid=DATA.qid) == pipe[-1].score(scaled, DATA.y, qid=DATA.qid)
    some = ColumnTransformer([("scale", StandardScaler(), [0, 1])], remainder="passthrough")
    found = cross_validate(Pipeline([("some", some), ("rank", ranker)]), DATA.X, DATA.y, cv=FOLDS, params=routing)
    assert np.isfinite(found["test_score"]).all()


def test_selection_of_features_and_importances(routing):
    ranker = gbrank.GBRanker(**FEW)
    chosen = SelectFromModel(ranker, max_features=2, threshold=-np.inf).fit(DATA.X, DATA.y, qid=DATA.qid)
    best = np.argsort(-chosen.estimator_.feature_importances_)[:2]
    assert set(np.flatnonzero(chosen.get_support())) == set(best)
    fitted = ranker.fit(DATA)
    lost = permutation_importance(
        fitted,
        DATA.X,
        DATA.y,
        scoring=lambda model, X, y: SCORER(model, X, y, qid=DATA.qid),
        n_repeats=3,
        random_state=0,
    )
    assert np.argmax(lost.importances_mean) == np.argmax(fitted.feature_importances_)
    sizes, _, test = learning_curve(
        ranker, DATA.X, DATA.y, cv=FOLDS, train_sizes=[0.5, 1.0], scoring=SCORER, params=routing
    )
    assert test.shape == (len(sizes), 3)
    assert np.isfinite(test).all()


def test_stacked_rankers_see_scores_of_queries_left_out():
    two = [("pairs", gbrank.GBRanker(**FEW)), ("points", gbrank.GBRanker("mse", **FEW))]
    stacked = gbrank.StackedRanker(two, final=gbrank.GBRanker("mse", **FEW), cv=3).fit(DATA)
    left_out = np.zeros((DATA.n_documents, 2))
    for (train, test), (_, rows) in zip(
        gbrank.QueryKFold(3).split_data(DATA), gbrank.QueryKFold(3).split(DATA), strict=True
    ):
        for j, (_, ranker) in enumerate(two):
            left_out[rows, j] = clone(ranker).fit(train).predict(test)
    final = gbrank.GBRanker("mse", **FEW).fit(left_out, DATA.y, qid=DATA.qid)
    whole = np.column_stack([clone(ranker).fit(DATA).predict(DATA) for _, ranker in two])
    np.testing.assert_array_equal(stacked.predict(DATA.X), final.predict(whole))
    assert stacked.rank(DATA).min() == 1
    wider = clone(stacked).set_params(passthrough=True, points__n_estimators=2).fit(DATA)
    assert wider.final_.n_features_in_ == DATA.n_features + 2
    assert wider.rankers_[1].n_estimators == 2
    with pytest.raises(gbrank.ParameterError, match="left out exactly once"):
        gbrank.StackedRanker(two, cv=gbrank.QueryShuffleSplit(3, random_state=0)).fit(DATA)
    with pytest.raises(gbrank.ParameterError, match="at least one"):
        gbrank.StackedRanker([]).fit(DATA)


def test_a_scorer_needs_query_ids_and_turns_costs_round():
    fitted = gbrank.GBRanker(**FEW).fit(DATA)
    value = SCORER(fitted, DATA.X, DATA.y, qid=DATA.qid)
    assert value == pytest.approx(gbrank.evaluate(DATA, fitted, "ndcg@5").mean("ndcg@5"), rel=1e-12)
    rows = np.random.default_rng(0).permutation(DATA.n_documents)
    assert SCORER(fitted, DATA.X[rows], DATA.y[rows], qid=DATA.qid[rows]) == pytest.approx(value, rel=1e-9)
    assert SCORER(fitted, DATA) == value
    with pytest.raises(gbrank.DataError, match="needs the query id"):
        SCORER(fitted, DATA.X, DATA.y)
    with pytest.raises(gbrank.DataError, match="skips all"):
        SCORER(fitted, DATA.X, 0 * DATA.y, qid=DATA.qid)
    assert repr(SCORER) == "make_scorer('ndcg@5')"
