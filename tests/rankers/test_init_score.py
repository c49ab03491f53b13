"""Where boosting starts: at a constant, or at scores of each document, which follow it through every cut."""

import importlib.util

import numpy as np
import pytest

import gbrank
from gbrank.data._ranking_data import replace_fields

HAS_CATBOOST = importlib.util.find_spec("catboost") is not None
DATA = gbrank.make_letor(40, n_features=6, max_documents=25, random_state=0)
OTHER = gbrank.make_letor(15, n_features=6, max_documents=25, random_state=1)
TRAINED = [
    ("lightgbm", "compiled", "lambdarank", 1e-9),
    ("lightgbm", "compiled", "mse", 1e-9),
    ("lightgbm", "compiled", "quantile", 1e-9),
    ("lightgbm", "compiled", "mcrank", 1e-9),
    ("lightgbm", "native", "mse", 1e-6),
    ("lightgbm", "native", "lambdarank", 1e-6),
    ("xgboost", "compiled", "lambdarank", 1e-5),
    ("xgboost", "compiled", "quantile", 1e-5),
    ("xgboost", "compiled", "mcrank", 1e-5),
    ("xgboost", "native", "mse", 1e-5),
    ("xgboost", "native", "cross_entropy", 1e-5),
    ("xgboost", "native", "mcrank", 1e-5),
    *([("catboost", "native", name, 1e-5) for name in ("mse", "lambdarank", "mcrank")] if HAS_CATBOOST else []),
]


def ranker(backend="lightgbm", engine="compiled", objective="mse", n=6, **params):
    if backend == "catboost":
        params["backend_params"] = {"random_strength": 0}
    return gbrank.GBRanker(objective, backend=backend, engine=engine, n_estimators=n, n_jobs=1, **params)


def labelled(objective):
    return DATA.with_labels(DATA.y > 1) if objective == "cross_entropy" else DATA


@pytest.mark.parametrize(("backend", "engine", "objective", "bound"), TRAINED)
def test_on_top_of_anothers_scores_the_trees_are_those_of_the_longer_training(backend, engine, objective, bound):
    data = labelled(objective)
    first = ranker(backend, engine, objective).fit(data)
    scores = first._raw(data)
    on_top = ranker(backend, engine, objective).fit(replace_fields(data, init_score=scores))
    longer = ranker(backend, engine, objective, n=12).fit(data)
    assert np.ptp(on_top._raw(data)) > 0.01
    np.testing.assert_allclose(scores + on_top._raw(data), longer._raw(data), atol=bound)
    assert not on_top.init_score_.any()


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_the_measure_is_that_of_both_scores_together(backend):
    train = replace_fields(DATA, init_score=DATA.X[:, 0])
    valid = replace_fields(OTHER, init_score=OTHER.X[:, 0])
    fitted = ranker(backend, objective="lambdarank").fit(train, eval_set={"valid": valid, "train": train})
    both = gbrank.measure("ndcg@10")(OTHER.y, fitted.predict(valid) + valid.init_score, valid.query_ptr)
    assert fitted.history_["valid"][-1] == pytest.approx(np.nanmean(both), abs=1e-6)
    assert fitted.score(valid) == pytest.approx(fitted.history_["valid"][-1], abs=1e-6)
    assert fitted.score(train) == pytest.approx(fitted.history_["train"][-1], abs=1e-6)
    np.testing.assert_array_equal(fitted.predict(valid), fitted.predict(OTHER))  # predict leaves it out
    assert fitted.score(OTHER) != fitted.score(valid)


def test_scores_follow_scattered_rows_and_whole_queries():
    by_row = np.random.default_rng(0).normal(size=len(DATA))
    plain = ranker().fit(replace_fields(DATA, init_score=by_row)).predict(DATA)
    # The first row of each query, then the others: queries keep their order, and the rows of each theirs.
    place = np.concatenate([np.flatnonzero(DATA.qid == q)[:1] for q in DATA.query_ids])
    rows = np.concatenate([place, np.setdiff1d(np.arange(len(DATA)), place)])
    again = ranker().fit(DATA.X[rows], DATA.y[rows], qid=DATA.qid[rows], init_score=by_row[rows])
    np.testing.assert_array_equal(again.predict(DATA), plain)
    data = replace_fields(DATA, init_score=by_row)
    train, valid = gbrank.train_test_split(data, test_size=0.3, random_state=0)
    assert ranker(validation_fraction=0.3).fit(data).history_ == ranker().fit(train, eval_set=valid).history_


@pytest.mark.parametrize(
    ("backend", "objective"), [("lightgbm", "mse"), ("lightgbm", "mcrank"), ("xgboost", "mse"), ("xgboost", "quantile")]
)
def test_a_base_score_is_the_same_score_for_all(backend, objective):
    shape = (len(DATA), 5) if objective == "mcrank" else (len(DATA),)
    one = ranker(backend, objective=objective, base_score=1.5).fit(DATA)
    all_alike = ranker(backend, objective=objective).fit(replace_fields(DATA, init_score=np.full(shape, 1.5)))
    np.testing.assert_allclose(one._raw(DATA), all_alike._raw(DATA) + 1.5, atol=1e-5)
    assert one.init_score_.tolist() == [1.5] * (5 if objective == "mcrank" else 1)


def test_the_objectives_own_start_is_the_default():
    usual = ranker().fit(DATA)
    assert usual.init_score_.tolist() == [pytest.approx(DATA.y.mean())]
    given = ranker(base_score=float(usual.init_score_[0])).fit(DATA)
    np.testing.assert_array_equal(given.predict(DATA), usual.predict(DATA))


def test_a_base_score_beside_scores_of_documents_adds_to_them():
    by_row = np.random.default_rng(0).normal(size=len(DATA))
    both = ranker(base_score=0.5).fit(replace_fields(DATA, init_score=by_row))
    shifted = ranker().fit(replace_fields(DATA, init_score=by_row + 0.5))
    np.testing.assert_allclose(both.predict(DATA), shifted.predict(DATA) + 0.5, atol=1e-9)


@pytest.mark.parametrize("objective", ["ordinal", "cumulative_logit"])
def test_thresholds_are_fitted_to_the_scores_from_which_boosting_starts(objective):
    usual = ranker(objective=objective).fit(DATA)
    moved = ranker(objective=objective, base_score=3.0).fit(DATA)
    np.testing.assert_allclose(moved.state_["thresholds"], usual.state_["thresholds"] + 3, atol=0.02)
    np.testing.assert_allclose(moved.predict_proba(OTHER), usual.predict_proba(OTHER), atol=0.02)


WITH = replace_fields(DATA, init_score=DATA.X[:, 0])


@pytest.mark.parametrize(
    ("params", "data", "more", "message"),
    [
        ({}, WITH, {"eval_set": OTHER}, r"the training data has it, and eval_set \(valid\) has none"),
        ({}, DATA, {"eval_set": WITH}, r"eval_set \(valid\) has it, and the training data has none"),
        ({"objective": "mcrank"}, WITH, {}, "1 columns in the training data, and the objective has 5 outputs"),
        ({}, replace_fields(DATA, init_score=np.zeros((len(DATA), 2))), {}, "2 columns in the training data"),
        ({"base_score": float("nan")}, DATA, {}, "base_score=nan: must be a finite number"),
        ({"base_score": "mean"}, DATA, {}, "base_score='mean'"),
        ({"base_score": 0.5, "engine": "native"}, DATA, {}, "the library chooses where its own objective starts"),
        ({}, WITH, {"init_score": DATA.X[:, 0]}, "come from the RankingData"),
    ],
)
def test_what_is_refused(params, data, more, message):
    with pytest.raises(gbrank.GbrankError, match=message):
        ranker(**params).fit(data, **more)


def test_scores_that_do_not_fit_the_outputs_are_refused_by_score():
    with pytest.raises(gbrank.DataError, match="1 columns in the data, and the objective has 5 outputs"):
        ranker(objective="mcrank").fit(DATA).score(WITH)
