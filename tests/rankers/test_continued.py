"""Training that goes on: the earlier trees and then more, on any data; what does not fit is refused."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone

import gbrank
from gbrank.data._ranking_data import replace_fields
from gbrank.objectives import Bound, Combined, CrossEntropy, LambdaRank, Ordinal

HAS_CATBOOST = importlib.util.find_spec("catboost") is not None
DATA = gbrank.make_letor(40, n_features=6, max_documents=25, random_state=0)
NEW = gbrank.make_letor(30, n_features=6, max_documents=25, random_state=1)
BALANCED = CrossEntropy(positive_weight="balanced", relevant_from=2)
OWN = ("lambdarank", "mse", "quantile", "mcrank", "ordinal", "yeti", LambdaRank() + BALANCED)
NATIVE = ("lambdarank", "mse", "quantile", "mcrank")
TRAINED = [
    *((backend, "compiled", objective) for backend in ("lightgbm", "xgboost") for objective in OWN),
    *((backend, "native", objective) for backend in ("lightgbm", "xgboost") for objective in NATIVE),
    *(("catboost", "native", objective) for objective in NATIVE if HAS_CATBOOST),
]


def ranker(objective="lambdarank", backend="lightgbm", engine="compiled", n=5, **params):
    if backend == "catboost":
        params["backend_params"] = {"random_strength": 0}  # whose draws begin anew
    return gbrank.GBRanker(objective, backend=backend, engine=engine, n_estimators=n, n_jobs=1, **params)


@pytest.mark.parametrize(("backend", "engine", "objective"), TRAINED, ids=str)
def test_rounds_and_more_rounds_are_all_rounds_at_once(backend, engine, objective, tmp_path):
    """To the last bit; but CatBoost sums scores of trees that it reads from a file in another order."""
    how = {"objective": objective, "backend": backend, "engine": engine}
    sets = {"train": DATA, "new": NEW}
    once = ranker(**how, n=10).fit(DATA, eval_set=sets)
    first = ranker(**how).fit(DATA)
    first.save(tmp_path / "first.gbrank")
    seen = []
    more = ranker(**how, init_model=tmp_path / "first.gbrank", callbacks=[lambda info: seen.append(vars(info))])
    more.fit(DATA, eval_set=sets)
    bound = 1e-9 if backend == "catboost" else 0
    np.testing.assert_allclose(more._raw(NEW), once._raw(NEW), rtol=0, atol=bound)
    np.testing.assert_allclose(more.predict(NEW), once.predict(NEW), rtol=0, atol=bound)
    np.testing.assert_allclose(more.feature_importances_, once.feature_importances_, atol=1e-5)
    assert more.model_.n_trees() == once.model_.n_trees()
    assert more.best_iteration_ == once.best_iteration_ == 10
    assert [info["round"] for info in seen] == list(range(6, 11))
    assert {info["n_rounds"] for info in seen} == {10}
    assert more.init_score_.tolist() == first.init_score_.tolist() == once.init_score_.tolist()
    assert {name: value.tolist() for name, value in more.state_.items()} == {
        name: value.tolist() for name, value in once.state_.items()
    }
    # LightGBM shows the scores of its own McRank as probabilities, whose rounding unties documents.
    close = 1e-3 if (backend, engine, objective) == ("lightgbm", "native", "mcrank") else 1e-9
    for name in sets:
        np.testing.assert_allclose(more.history_[name], once.history_[name], rtol=0, atol=close)
    more.save(tmp_path / "more.gbrank")
    np.testing.assert_array_equal(gbrank.load(tmp_path / "more.gbrank").predict(NEW), more.predict(NEW))


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_drawn_queries_go_on_where_they_were(backend):
    how = {"backend": backend, "query_subsample": 0.4, "random_state": 5}
    once = ranker(**how, n=10).fit(DATA)
    more = ranker(**how, init_model=ranker(**how).fit(DATA)).fit(DATA)
    np.testing.assert_array_equal(more.predict(NEW), once.predict(NEW))


@pytest.mark.parametrize(
    ("backend", "engine"), [("lightgbm", "compiled"), ("xgboost", "compiled"), ("xgboost", "native")]
)
@pytest.mark.parametrize("objective", ["lambdarank", "mse", "quantile"])
def test_on_other_data_the_old_trees_stay_and_the_new_ones_learn_from_their_scores(backend, engine, objective):
    """The bins are other ones, too, on which XGBoost would misplace documents in the old trees."""
    how = {"objective": objective, "backend": backend, "engine": engine}
    old = ranker(**how).fit(DATA)
    # Real labels: whole ones make splits of equal gain, between which rounding would choose.
    noise = 0 if objective == "lambdarank" else np.random.default_rng(0).normal(size=len(NEW))
    new = NEW.with_labels(NEW.y + noise)
    more = ranker(**how, init_model=old).fit(new)
    np.testing.assert_allclose(more.model_.raw(DATA.X, n_rounds=5), old.model_.raw(DATA.X), atol=1e-6)
    on_top = ranker(**how).fit(replace_fields(new, init_score=old._raw(new)))
    np.testing.assert_allclose(more._raw(NEW), old._raw(NEW) + on_top._raw(NEW), atol=1e-4)
    assert np.ptp(on_top._raw(NEW)) > 0.1


@pytest.mark.skipif(not HAS_CATBOOST, reason="CatBoost is not installed")
def test_catboost_goes_on_with_other_data():
    how = {"objective": "mse", "backend": "catboost", "engine": "native"}
    old = ranker(**how).fit(DATA)
    more = ranker(**how, init_model=old).fit(NEW, eval_set=DATA)
    on_top = ranker(**how).fit(replace_fields(NEW, init_score=old._raw(NEW)))
    np.testing.assert_allclose(more._raw(NEW), old._raw(NEW) + on_top._raw(NEW), atol=1e-5)
    assert more.history_["valid"][-1] == pytest.approx(more.score(DATA), abs=1e-12)
    with pytest.raises(gbrank.ParameterError, match="from a model or from init_score, not from both"):
        ranker(**how, init_model=old).fit(replace_fields(NEW, init_score=NEW.y))


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_early_stopping_never_goes_behind_the_earlier_trees(backend):
    noise = NEW.with_labels(np.random.default_rng(0).integers(0, 3, len(NEW)))
    old = ranker(backend=backend, n=30, early_stopping_rounds=4).fit(DATA, eval_set=NEW)
    assert 0 < old.best_iteration_ < old.model_.n_trees()
    more = ranker(backend=backend, n=40, early_stopping_rounds=4, init_model=old).fit(DATA, eval_set=noise)
    values = more.history_["valid"]
    kept = old.best_iteration_
    assert len(values) == more.model_.n_trees()
    assert more.best_iteration_ == kept + int(np.argmax(values[kept - 1 :]))
    assert more.best_score_ == values[more.best_iteration_ - 1]
    assert values[kept - 1] == pytest.approx(old.score(noise), abs=1e-12)
    np.testing.assert_allclose(more.model_.raw(NEW.X, n_rounds=kept), old.predict(NEW), atol=1e-6)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_a_third_training_follows_the_second(backend):
    by = {"objective": "ordinal", "backend": backend}
    twice = ranker(**by, n=4, init_model=ranker(**by, n=4).fit(DATA)).fit(DATA)
    thrice = ranker(**by, n=4, init_model=twice).fit(DATA)
    np.testing.assert_array_equal(thrice.predict_proba(NEW), ranker(**by, n=12).fit(DATA).predict_proba(NEW))


@pytest.mark.parametrize(
    "objective", [BALANCED, gbrank.objective("mcrank", class_weight="balanced"), (LambdaRank() + BALANCED) * 2]
)
def test_what_the_objective_learnt_from_the_first_data_is_kept(objective):
    old = ranker(objective).fit(DATA)
    other = NEW.with_labels(np.minimum(NEW.y + (np.arange(len(NEW)) % 3 > 0), 4))
    more = ranker(objective, init_model=old).fit(other)
    assert {name: value.tolist() for name, value in more.state_.items()} == {
        name: value.tolist() for name, value in old.state_.items()
    }
    fresh = ranker(objective).fit(other)
    assert any(fresh.state_[name].tolist() != old.state_[name].tolist() for name in old.state_)


class Learnt(Bound):
    """Has a state that it cannot take up."""

    def gradient_hessian(self, score, round):
        raise NotImplementedError

    def loss(self, score):
        raise NotImplementedError

    def state(self):
        return {"bias": np.array([1.0, 2.0])}


def test_a_state_that_cannot_be_taken_up_is_refused():
    Learnt().resume({"bias": np.array([1.0, 2.0])}, 5)  # the same one
    for other in ({}, {"bias": np.array([1.0, 3.0])}):
        with pytest.raises(gbrank.ParameterError, match="learnt bias from other data, which the objective here cannot"):
            Learnt().resume(other, 5)


def test_scales_of_a_sum_are_kept():
    total = Combined((LambdaRank(), BALANCED), gradient_norm=True)
    old = ranker(total).fit(DATA)
    more = ranker(total, init_model=old).fit(NEW)
    assert more.state_["scales"].tolist() == old.state_["scales"].tolist()
    once = ranker(total, n=10).fit(DATA)
    np.testing.assert_array_equal(ranker(total, init_model=old).fit(DATA).predict(NEW), once.predict(NEW))


def test_names_of_features_stay():
    old = ranker().fit(gbrank.RankingData(DATA.X, DATA.y, DATA.qid, feature_names=list("abcdef")))
    assert ranker(init_model=old).fit(DATA).feature_names_ == tuple("abcdef")  # DATA has numbers, as LETOR files do


def test_a_clone_goes_on_from_the_same_ranker():
    old = ranker().fit(DATA)
    copied = clone(ranker(init_model=old))
    assert copied.init_model is old
    assert clone(gbrank.LambdaMART(init_model=old)).init_model is old
    assert copied.fit(DATA).best_iteration_ == 10


def test_weights_of_0_and_sparse_data():
    weight = np.ones(len(DATA))
    weight[:30] = 0
    data = replace_fields(DATA, sample_weight=weight)
    once = ranker("mse", n=10).fit(data)
    more = ranker("mse", init_model=ranker("mse").fit(data)).fit(data)
    np.testing.assert_array_equal(more.predict(NEW), once.predict(NEW))
    sparse = replace_fields(DATA, X=csr_array(np.where(DATA.X > 0.5, DATA.X, 0)))
    for backend in ("lightgbm", "xgboost"):
        first = ranker(backend=backend).fit(sparse)
        once = ranker(backend=backend, n=10).fit(sparse, eval_set=sparse)
        more = ranker(backend=backend, init_model=first).fit(sparse, eval_set=sparse)
        np.testing.assert_array_equal(more.predict(sparse), once.predict(sparse))
        assert more.history_ == once.history_
    with pytest.raises(gbrank.ParameterError, match="trained on a sparse X, or the data here are sparse"):
        ranker(backend="xgboost", init_model=first).fit(DATA)


def test_categories_keep_their_codes():
    frame = pd.DataFrame(DATA.X, columns=list("abcdef"))
    frame["a"] = np.array(["low", "middle", "high"])[np.digitize(frame["a"], frame["a"].quantile([0.3, 0.7]))]
    for backend in ("lightgbm", "xgboost"):
        how = {"backend": backend, "categorical_features": "auto"}
        once = ranker(**how, n=10).fit(frame, DATA.y, qid=DATA.qid)
        first = ranker(**how).fit(frame, DATA.y, qid=DATA.qid)
        more = ranker(**how, init_model=first).fit(frame, DATA.y, qid=DATA.qid)
        np.testing.assert_array_equal(more.predict(frame), once.predict(frame))
        with pytest.raises(gbrank.DataError, match="categories of feature 'a' are not those"):
            more.set_params(init_model=first).fit(frame.replace({"a": {"low": "lower"}}), DATA.y, qid=DATA.qid)


FITTED = {name: ranker(name).fit(DATA) for name in ("lambdarank", "mcrank", "ordinal")}
FEW_GRADES = DATA.with_labels(np.minimum(DATA.y, 2))


@pytest.mark.parametrize(
    ("params", "data", "message"),
    [
        ({"init_model": ranker()}, DATA, "init_model: is not fitted"),
        ({"init_model": 3}, DATA, "give a fitted GBRanker, or the path of a saved one, not int"),
        ({"init_model": "no such file"}, DATA, "no such file"),
        ({"backend": "xgboost"}, DATA, "trained with backend='lightgbm', not 'xgboost'"),
        ({"engine": "native"}, DATA, "trained with engine='compiled'"),
        ({"objective": "mse"}, DATA, r"the objective LambdaRank\(\), whose scores mean something else than"),
        ({"objective": LambdaRank() + CrossEntropy()}, DATA, "whose scores mean something else"),
        ({}, gbrank.RankingData(DATA.X[:, :5], DATA.y, DATA.qid), "trained on 6 features, and X has 5"),
        ({"base_score": 1.0}, DATA, "base_score: training starts where init_model ends"),
        ({"boosting": "dart"}, DATA, "init_model: DART"),
        ({}, ranker().bin(DATA), "init_model: the data are binned already"),
        ({"objective": "mcrank", "init_model": FITTED["mcrank"]}, FEW_GRADES, "has 5 outputs a document, and 'mcrank'"),
        ({"objective": Ordinal(), "init_model": FITTED["ordinal"]}, FEW_GRADES, "4 thresholds, and these data make 2"),
    ],
)
def test_what_does_not_fit_is_refused(params, data, message):
    with pytest.raises(gbrank.GbrankError, match=message):
        ranker(**{"init_model": FITTED["lambdarank"], **params}).fit(data)


def test_features_of_other_names_are_refused():
    one, other = (gbrank.RankingData(DATA.X, DATA.y, DATA.qid, feature_names=list(n)) for n in ("abcdef", "abcdfe"))
    with pytest.raises(gbrank.DataError, match="column 4 of X is 'f', and was 'e' in its training"):
        ranker(init_model=ranker().fit(one)).fit(other)


def test_xgboost_does_not_go_on_from_dart():
    old = ranker(backend="xgboost", boosting="dart").fit(DATA)
    with pytest.raises(gbrank.ParameterError, match="cannot go on from trees of the kind 'dart'"):
        ranker(backend="xgboost", init_model=old).fit(DATA)
    light = ranker(boosting="dart").fit(DATA)  # LightGBM writes trees as they were left
    more = ranker(init_model=light).fit(DATA)
    np.testing.assert_array_equal(more.model_.raw(DATA.X, n_rounds=5), light.predict(DATA))
