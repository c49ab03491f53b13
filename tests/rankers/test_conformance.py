"""A scikit-learn citizen: every estimator check, the meaning of weights where trees do split, and its company."""

import importlib.util
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone
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
from gbrank import preprocessing, rankers
from gbrank.objectives import OBJECTIVES
from gbrank.objectives._base import Targets
from gbrank.objectives._frames import lists
from gbrank.objectives._frames.noise import stream
from gbrank.preprocessing import QueryFeatures, QueryNormalizer
from gbrank.rankers._parts import weighty_part

HAS_CATBOOST = importlib.util.find_spec("catboost") is not None
BACKENDS = ["lightgbm", "xgboost", *(["catboost"] if HAS_CATBOOST else [])]
FEW = {"n_estimators": 5, "n_jobs": 1}
# Settings of each library under which trees split few documents, nothing counts rows, and no noise is drawn.
FINE = {
    "lightgbm": {"min_docs_in_leaf": 0, "backend_params": {"min_data_in_bin": 1, "min_sum_hessian_in_leaf": 0.5}},
    "xgboost": {"backend": "xgboost"},
    "catboost": {"backend": "catboost", "engine": "native", "backend_params": {"random_strength": 0}},
}


def points(backend):
    """A pointwise ranker, by which the checks' few documents do come apart."""
    return gbrank.GBRanker("mse", **FEW, **FINE[backend])


RANKERS = [
    gbrank.GBRanker(**FEW),
    gbrank.GBRanker(backend="xgboost", **FEW),
    gbrank.LambdaMART(**FEW),
    gbrank.LambdaMART(backend="xgboost", **FEW),
    *(gbrank.GBRanker(name, **FEW) for name in ("mse", "listnet", "mcrank", "ordinal")),
    gbrank.GBRanker("quantile", backend="xgboost", **FEW),
    *map(points, BACKENDS),
    *(gbrank.CalibratedRanker(points(backend), cv=2) for backend in BACKENDS),
    gbrank.CalibratedRanker(points("lightgbm"), cv=2, method="softmax"),
    *(gbrank.StackedRanker([("a", points(backend))], final=points(backend), cv=2) for backend in BACKENDS),
]
TRANSFORMERS = [QueryNormalizer(), QueryFeatures()]
DATA = gbrank.make_letor(60, n_features=5, max_documents=40, random_state=0)


@parametrize_with_checks([*RANKERS, *TRANSFORMERS])
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gbrank.GbrankWarning)  # no qid: all rows are one query
        check(estimator)


def test_no_estimator_is_left_out():
    rooms = (rankers, preprocessing)
    ours = {getattr(room, name) for room in rooms for name in room.__all__}
    estimators = {each for each in ours if isinstance(each, type) and issubclass(each, BaseEstimator)}
    assert estimators == {type(each) for each in (*RANKERS, *TRANSFORMERS)}


def whole(backend):
    return {"n_estimators": 2, "max_leaves": 4 if backend != "catboost" else 31, "n_jobs": 1} | FINE[backend]


def thresholds(seed):
    """Data whose features say which of some thresholds a value exceeds.

    Each has two values, so that bins are the same whatever is weighted or repeated.  LightGBM estimates the documents
    of a bin by rounding its share of the hessians, and gives up thresholds below which such estimates sum to more than
    there are: with two bins they never do.
    """
    data = gbrank.make_letor(60, n_features=4, max_documents=20, random_state=seed)
    cuts = np.quantile(data.X, np.linspace(0.1, 0.9, 9), axis=0)
    rank = np.arange(1, data.n_documents + 1) - np.repeat(data.query_ptr[:-1], data.query_sizes)
    over = (data.X[:, None] > cuts).reshape(len(data.X), -1).astype(float)
    return gbrank.RankingData(over, data.y, data.qid, position=rank)


def assert_alike(one, other, X):
    scores = one.predict(X)
    assert len(np.unique(scores.round(9))) > 1, "the trees do split"
    np.testing.assert_allclose(scores, other.predict(X), rtol=1e-4, atol=1e-5)


POINTWISE = sorted(name for name in OBJECTIVES if OBJECTIVES[name].pointwise)
OF_CATBOOST = ("huber", "mcrank", "mse")  # those that it takes with both kinds of weights, and graded labels
EACH_POINTWISE = [
    *((backend, name) for backend in ("lightgbm", "xgboost") for name in POINTWISE),
    *(("catboost", name) for name in OF_CATBOOST if HAS_CATBOOST),
]


@pytest.mark.parametrize(("backend", "objective"), EACH_POINTWISE)
def test_a_weight_is_the_row_so_often(backend, objective):
    data = thresholds(0)
    times = np.random.default_rng(1).integers(0, 3, data.n_documents)
    rows = np.repeat(np.arange(data.n_documents), times)
    given = {"qid": data.qid, "position": data.position}
    weighted = gbrank.GBRanker(objective, **whole(backend)).fit(data.X, data.y, **given, sample_weight=times)
    given = {name: values[rows] for name, values in given.items()}
    repeated = gbrank.GBRanker(objective, **whole(backend)).fit(data.X[rows], data.y[rows], **given)
    assert_alike(weighted, repeated, data.X)


@pytest.mark.parametrize("name", sorted({*OBJECTIVES} - {"combined"}))
def test_pointwise_objectives_look_at_no_other_document(name):
    """That is what allows to leave out documents of weight 0."""
    y, query_ptr, rank = np.array([0.0, 2.0, 1.0, 1.0, 0.0, 3.0]), np.array([0, 3, 6]), np.array([1, 2, 3, 1, 2, 3])
    n_outputs = gbrank.objective(name).bind(Targets(y, query_ptr, position=rank), engine="numpy").n_outputs
    rng = np.random.default_rng(0)
    gradients = []
    for _ in range(20):
        score = rng.normal(size=(6, n_outputs)).squeeze()
        score[1] = 0.3
        found, _ = gbrank.objective(name).gradient_hessian(y, score, query_ptr, engine="numpy", position=rank)
        gradients.append(found[1])
    independent = np.any(gradients) and (np.ptp(gradients, axis=0) == 0).all()
    assert independent == gbrank.objective(name).pointwise


def test_the_sum_of_pointwise_objectives_is_pointwise():
    assert (gbrank.objective("mse") + gbrank.objective("focal")).pointwise
    assert not (gbrank.objective("mse") + gbrank.objective("lambdarank")).pointwise


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_weighs_nothing_moves_no_bin(backend):
    """Whole queries for every objective, documents for pointwise ones; bins made of all do not count."""
    absent = DATA.take(np.arange(30, 60))
    absent = gbrank.RankingData(absent.X * 7 + 0.1, absent.y, absent.qid)
    train = DATA.take(np.arange(30))
    both = gbrank.concat([train, absent])
    of_queries = gbrank.RankingData(both.X, both.y, both.qid, query_weight=np.repeat([1.0, 0.0], 30))
    of_documents = gbrank.RankingData(
        both.X, both.y, both.qid, sample_weight=np.repeat([1.0, 0.0], [train.n_documents, absent.n_documents])
    )
    listwise = "pairwise_logistic" if backend == "catboost" else "lambdarank"
    for data, objective in ((of_queries, listwise), (of_queries, "mse"), (of_documents, "mse")):
        ranker = gbrank.GBRanker(objective, **FEW, **FINE[backend] | {"early_stopping_rounds": 5})
        expected = clone(ranker).fit(train, eval_set=DATA)
        np.testing.assert_array_equal(clone(ranker).fit(data, eval_set=DATA).predict(DATA), expected.predict(DATA))
        binned = ranker.bin(data)
        held = ranker.bin(DATA, reference=binned)
        np.testing.assert_array_equal(ranker.fit(binned, eval_set=held).predict(DATA), expected.predict(DATA))
        assert ranker.history_ == clone(ranker).fit(train, eval_set=DATA).history_


def test_a_document_of_weight_0_still_takes_its_rank():
    data = gbrank.RankingData([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], [0, 0, 0], sample_weight=[1.0, 1.0, 0.0])
    ranked, alone = gbrank.objective("lambdarank"), gbrank.objective("mse")
    assert weighty_part(data, ranked) is data
    assert weighty_part(data, alone).y.tolist() == [0, 1]


# Draws belong to a query's place; a copy is given those of its original, which the NumPy engine allows.
SEEDED = ("pl_rank", "sampled_softmax", "stochastic_rank", "triplet", "xe_ndcg", "yeti")
EACH_OBJECTIVE = [
    *((backend, name) for backend in ("lightgbm", "xgboost") for name in sorted(OBJECTIVES)),
    *(("catboost", name) for name in (*OF_CATBOOST, "pairwise_logistic", "catboost:QueryRMSE") if HAS_CATBOOST),
]


@pytest.mark.parametrize(("backend", "objective"), EACH_OBJECTIVE)
def test_a_query_weight_of_2_is_the_query_twice(backend, objective, monkeypatch):
    data = thresholds(2)
    chosen = np.flatnonzero(np.random.default_rng(3).random(data.n_queries) < 0.4)
    copies = data.take(chosen)
    both = gbrank.concat([data, gbrank.RankingData(copies.X, copies.y, copies.qid + 10_000, position=copies.position)])
    settings = whole(backend)
    if objective in SEEDED:
        original = [*range(data.n_queries), *chosen.tolist()]
        monkeypatch.setattr(lists, "stream", lambda seed, query: stream(seed, original[query]))
        settings["engine"] = "numpy"
    weight = np.ones(data.n_queries)
    weight[chosen] = 2
    given = {"qid": data.qid, "position": data.position, "query_weight": weight}
    weighted = gbrank.GBRanker(objective, **settings).fit(data.X, data.y, **given)
    assert_alike(weighted, gbrank.GBRanker(objective, **settings).fit(both), data.X)


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


def answers(estimator, data):
    return estimator.predict(data) if hasattr(estimator, "predict") else estimator.transform(data).X


@pytest.mark.parametrize("estimator", [*RANKERS, *TRANSFORMERS], ids=lambda each: type(each).__name__)
def test_pickles_joblib_clones_and_pages(estimator, tmp_path):
    fitted = clone(estimator).fit(DATA)
    joblib.dump(fitted, tmp_path / "it.joblib")
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "it.joblib"), clone(fitted).fit(DATA)):
        np.testing.assert_array_equal(answers(copy, DATA), answers(fitted, DATA))
    shown = [estimator, *(each for each in vars(estimator).values() if isinstance(each, gbrank.GBRanker))]
    assert all(type(each).__name__ in fitted._repr_html_() for each in shown)
    assert ("a</label>" in fitted._repr_html_()) == isinstance(estimator, gbrank.StackedRanker)


@pytest.mark.parametrize("estimator", [*RANKERS, *TRANSFORMERS], ids=lambda each: type(each).__name__)
def test_requests_of_metadata(estimator):
    asked = clone(estimator).get_metadata_routing()
    assert asked.fit.requests["qid"] is True
    answer = "score" if hasattr(estimator, "score") else "transform"
    assert getattr(asked, answer).requests["qid"] is True
    with sklearn.config_context(enable_metadata_routing=True):
        changed = clone(estimator).set_fit_request(qid="query")
        changed = getattr(changed, f"set_{answer}_request")(qid=False)
        assert clone(changed).get_metadata_routing().fit.requests["qid"] == "query"
        assert getattr(clone(changed).get_metadata_routing(), answer).requests["qid"] is False


def test_frames_flow_through_a_pipeline():
    frame = pd.DataFrame(DATA.X, columns=list("abcde"))
    for ranker in (points("lightgbm"), RANKERS[-1]):
        pipe = Pipeline([("scale", StandardScaler()), ("rank", clone(ranker))]).set_output(transform="pandas")
        pipe.fit(frame, DATA.y, rank__qid=DATA.qid)
        assert pipe[-1].feature_names_in_.tolist() == list("abcde")
    with sklearn.config_context(transform_output="pandas"):
        made = QueryNormalizer().fit_transform(DATA)
        assert isinstance(made, gbrank.RankingData)
        assert list(QueryNormalizer().fit_transform(frame, qid=DATA.qid)) == list("abcde")


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield {"qid": DATA.qid, "groups": DATA.qid}


SCORER = gbrank.make_scorer("ndcg@5")
FOLDS = gbrank.QueryKFold(3)


@pytest.mark.parametrize(
    "ranker",
    [
        gbrank.GBRanker(measure="ndcg@5", **FEW),
        gbrank.CalibratedRanker(gbrank.GBRanker(measure="ndcg@5", **FEW), cv=2),
        gbrank.StackedRanker([("a", points("lightgbm"))], final=gbrank.GBRanker(measure="ndcg@5", **FEW), cv=2),
    ],
    ids=lambda each: type(each).__name__,
)
def test_cross_validation_is_what_a_loop_gives(ranker, routing):
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
