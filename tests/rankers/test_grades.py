"""Probabilities of grades, expected values and quantiles, as the ranker predicts them."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone

import gbrank
from gbrank.objectives import CrossEntropy, McRank, McRankFocal, Quantile

BACKENDS = ["lightgbm", "xgboost"]
GRADED = ["mcrank", "mcrank_focal", "ordinal", "immediate_threshold", "cumulative_logit", "ordinal_cross_entropy"]
BINARY = ["cross_entropy", "focal", "brier"]

rng = np.random.default_rng(0)
X = rng.normal(size=(800, 4)).astype(np.float32)
Y = np.clip(np.round(X[:, 0] + 0.5 * X[:, 1] ** 2 + 0.5 * rng.logistic(size=800)) + 1, 0, 4)
DATA = gbrank.RankingData(X, Y, np.arange(800) // 20)
SMALL = {"n_estimators": 25, "max_leaves": 7, "n_jobs": 1}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", [*GRADED, *BINARY, McRank("balanced"), CrossEntropy(positive_weight="balanced"),
                                       McRankFocal(1.0, (1, 1, 2, 3, 5))], ids=str)  # fmt: skip
def test_probabilities_are_sound_saved_and_of_the_data(tmp_path, backend, objective):
    ranker = gbrank.GBRanker(objective, backend=backend, **SMALL).fit(DATA, eval_set={"t": DATA})
    p, above = ranker.predict_proba(X), ranker.predict_above(X)
    n_grades = 2 if ranker.objective_.name in BINARY else 5
    assert p.shape == (800, n_grades)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(above, 1 - np.cumsum(p, axis=1)[:, :-1], atol=1e-9)
    grades = np.arange(n_grades)
    np.testing.assert_allclose(ranker.expected_value(X, grades), p @ grades)
    np.testing.assert_allclose(ranker.expected_value(X, grades), above.sum(axis=1), rtol=1e-9)
    shares = np.bincount((Y > 0) if n_grades == 2 else Y.astype(int), minlength=n_grades) / 800
    if ranker.objective_.name != "ordinal_cross_entropy":  # whose p are no estimates
        np.testing.assert_allclose(p.mean(axis=0), shares, atol=0.06)
    ranker.save(tmp_path / "m")
    loaded = gbrank.load(tmp_path / "m")
    assert loaded.objective_ == ranker.objective_
    np.testing.assert_array_equal(loaded.predict_proba(X), p)
    np.testing.assert_array_equal(loaded.predict(X), ranker.predict(X))
    assert ranker.history_["t"][-1] == pytest.approx(ranker.score(DATA), abs=1e-12)


@pytest.mark.parametrize("objective", GRADED)
def test_the_score_ranks_by_the_expected_grade(objective):
    ranker = gbrank.GBRanker(objective, **SMALL).fit(DATA)
    by_score = np.argsort(ranker.predict(X), kind="stable")
    assert (np.diff(ranker.expected_value(X, range(5))[by_score]) >= -1e-9).all()


def test_values_of_grades_come_as_a_list_or_by_grade():
    ranker = gbrank.GBRanker("ordinal", **SMALL).fit(DATA)
    by_grade = {0: 0.0, 1: 0.1, 2: 0.5, 3: 2.0, 4: 25.0}
    want = ranker.predict_proba(X) @ list(by_grade.values())
    np.testing.assert_allclose(ranker.expected_value(X, by_grade), want)
    np.testing.assert_allclose(ranker.expected_value(X, [0.0, 0.1, 0.5, 2.0, 25.0, 99.0]), want)  # no grade 5 was seen
    for bad, message in (
        ([0, 1, 2], "3 for 5 grades; give one for each grade from 0 to 4"),
        ({0: 0, 1: 1, 2: 2, 4: 4}, "grade 3 has none"),
        ([0, 1, 2, 3, np.nan], "row 4 is nan"),
    ):
        with pytest.raises(gbrank.ParameterError, match=message):
            ranker.expected_value(X, bad)


@pytest.mark.parametrize("objective", ["lambdarank", "mse", "hinge", "quantile"])
def test_other_objectives_have_no_such_methods_and_say_which_have(objective):
    for ranker in (gbrank.GBRanker(objective, **SMALL), gbrank.GBRanker(objective, **SMALL).fit(DATA)):
        for method in ("predict_proba", "predict_above", "expected_value"):
            assert not hasattr(ranker, method)
            with pytest.raises(gbrank.ParameterError, match=f"{method}: the objective '{objective}' .* mcrank, "):
                getattr(ranker, method)
        assert hasattr(ranker, "predict_quantiles") == (objective == "quantile")
    with pytest.raises(gbrank.ParameterError, match="choose 'quantile'"):
        gbrank.GBRanker("mse").predict_quantiles  # noqa: B018
    assert not hasattr(gbrank.GBRanker("no such objective"), "predict_proba")
    assert not hasattr(gbrank.LambdaMART(), "predict_proba")


def test_before_fitting_the_methods_exist_but_say_that_a_fit_is_needed():
    ranker = clone(gbrank.GBRanker("mcrank"))
    assert hasattr(ranker, "predict_proba")
    assert "probability of each grade" in gbrank.GBRanker.predict_proba.__doc__
    with pytest.raises(ValueError, match="not fitted"):
        ranker.predict_proba(X)


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_quantiles_in_one_model(tmp_path, backend):
    alphas = (0.1, 0.5, 0.9)
    crossing = gbrank.GBRanker(Quantile(alphas), backend=backend, **SMALL).fit(DATA, eval_set={"t": DATA})
    ranker = gbrank.GBRanker(Quantile(alphas, sorted_quantiles=True), backend=backend, **SMALL).fit(DATA)
    q = ranker.predict_quantiles(X)
    assert (np.diff(q, axis=1) >= 0).all()
    np.testing.assert_array_equal(q, np.sort(crossing.predict_quantiles(X), axis=1))
    np.testing.assert_array_equal(ranker.predict(X), q[:, 1])
    # Labels are whole: the share below a quantile is at most, that up to it at least, what it should be.
    for k, alpha in enumerate(alphas):
        assert (q[:, k] - 1e-6 > Y).mean() - 0.05 < alpha < (q[:, k] + 1e-6 >= Y).mean() + 0.05
    assert crossing.history_["t"][-1] == pytest.approx(crossing.score(DATA), abs=1e-12)
    ranker.save(tmp_path / "m")
    loaded = gbrank.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict_quantiles(X), q)
    assert loaded.objective_ == ranker.objective_
    alone = gbrank.GBRanker(Quantile(0.9), backend=backend, **SMALL).fit(DATA)
    np.testing.assert_allclose(alone.predict_quantiles(X)[:, 0], crossing.predict_quantiles(X)[:, 2], atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("objective", ["ordinal", "cumulative_logit", "mcrank_focal", "mae"])
def test_the_model_does_not_depend_on_threads(backend, engine, objective):
    params = {"backend": backend, "engine": engine, "n_estimators": 8}
    one, three = (gbrank.GBRanker(objective, **params, n_jobs=n).fit(DATA) for n in (1, 3))
    np.testing.assert_array_equal(one.predict(X), three.predict(X))


@pytest.mark.parametrize("objective", ["mae", Quantile((0.2, 0.8))])
def test_early_stopping_with_renewed_leaves_predicts_with_the_best_round(objective):
    held = gbrank.RankingData(
        rng.normal(size=(400, 4)).astype(np.float32), rng.integers(0, 3, 400), np.arange(400) // 20
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranker = gbrank.GBRanker(objective, n_estimators=40, early_stopping_rounds=4).fit(DATA, eval_set=held)
    assert ranker.best_score_ == pytest.approx(ranker.score(held), abs=1e-12)


def test_a_binary_objective_has_two_values():
    data = gbrank.make_letor(20, n_features=6, random_state=0)
    ranker = gbrank.GBRanker("cross_entropy", n_estimators=3, n_jobs=1).fit(data)
    np.testing.assert_allclose(ranker.expected_value(data, [0.0, 2.0]), 2 * ranker.predict_proba(data)[:, 1])
    with pytest.raises(gbrank.ParameterError, match="tells only relevant from not"):
        ranker.expected_value(data, [0, 1, 2, 3, 4])
