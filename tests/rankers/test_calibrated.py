"""Calibrated rankers: probabilities that hold on new queries, of whole-query folds, and decisions by value."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.isotonic import IsotonicRegression

import gbrank
from gbrank import CalibratedRanker, DataError, GBRanker, ParameterError
from gbrank.evaluation import brier_score, expected_calibration_error
from gbrank.rankers import _calibrators as calibrators

METHODS = ("platt", "isotonic", "beta")
RNG = np.random.default_rng(0)


def known(n=6000, slope=0.7, bias=-4.0):
    """Scores, and labels drawn with a known probability."""
    score = RNG.normal(5, 3, n)
    p = expit(slope * score + bias)
    return score, (RNG.random(n) < p).astype(np.int64), p


class Known(gbrank.rankers._ranks.RankerMixin, gbrank.rankers._ranker.BaseEstimator):
    """A "ranker" that scores by its first feature, so that what calibration adds is seen alone."""

    measure = "ndcg@10"

    def fit(self, X):
        self.n_features_in_ = 1
        return self

    def predict(self, X):
        return getattr(X, "X", X)[:, 0]


@pytest.mark.parametrize("method", METHODS)
def test_a_known_probability_is_found(method):
    score, y, p = known()
    (curve,) = calibrators.fit_above(method, score, y, np.ones(len(y)))
    assert np.abs(curve(score) - p).mean() < (0.03 if method == "isotonic" else 0.012)
    assert (np.diff(curve(np.linspace(-50, 50, 999))) >= 0).all()
    if method == "platt":
        np.testing.assert_allclose([curve.slope, curve.bias], [0.7, -4.0], rtol=0.1)


def test_isotonic_is_scikit_learns():
    score, y, _ = known(500)
    (curve,) = calibrators.fit_above("isotonic", score, y, np.ones(500))
    theirs = IsotonicRegression(out_of_bounds="clip").fit(score, y)
    at = np.linspace(-10, 20, 300)
    np.testing.assert_allclose(curve(at), theirs.predict(at), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_weight_is_the_document_so_often(method):
    score, y, _ = known(400)
    weight = RNG.integers(0, 4, 400)
    (weighted,) = calibrators.fit_above(method, score, y, weight.astype(float))
    (repeated,) = calibrators.fit_above(method, np.repeat(score, weight), np.repeat(y, weight), np.ones(weight.sum()))
    at = np.linspace(-5, 15, 50)
    np.testing.assert_allclose(weighted(at), repeated(at), atol=2e-4)


def test_separable_and_huge_scores_stay_finite():
    score = np.array([-1e300, -1.0, 0.0, 1.0, 1e300])
    for method in METHODS:
        (curve,) = calibrators.fit_above(method, score[1:4], np.array([0, 0, 1]), np.ones(3))
        p = curve(score)
        assert np.isfinite(p).all()
        assert (np.diff(p) >= 0).all()
        assert p.min() >= 0
        assert p.max() <= 1


def test_temperature_is_the_most_likely_one():
    rng = np.random.default_rng(1)
    n_queries, size, temperature = 3000, 8, 2.5
    score = rng.normal(0, 4, (n_queries, size))
    p = np.exp(score / temperature)
    p /= p.sum(axis=1, keepdims=True)
    chosen = np.array([rng.choice(size, p=row) for row in p])
    target = (np.arange(size) == chosen[:, None]).astype(float)
    ptr = np.arange(0, n_queries * size + 1, size)
    found = calibrators.fit_temperature(score.ravel(), target.ravel(), ptr, np.ones(n_queries))
    assert found == pytest.approx(temperature, rel=0.06)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(5)
    n_queries, size = 400, 10
    score = rng.normal(0, 2, n_queries * size)
    y = (rng.random(len(score)) < expit(score - 1)).astype(float) + (rng.random(len(score)) < expit(score - 3))
    data = gbrank.RankingData(score[:, None], y, np.repeat(np.arange(n_queries), size))
    return gbrank.train_test_split(data, test_size=0.5, random_state=0)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_hold_on_new_queries(parts, method):
    train, test = parts
    ranker = CalibratedRanker(Known(), method=method).fit(train)
    p = ranker.predict_proba(test)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    assert p.min() >= 0
    above = ranker.predict_above(test)
    np.testing.assert_allclose(p[:, 1:][:, ::-1].cumsum(axis=1)[:, ::-1], above, atol=1e-12)
    for grade in range(2):
        y = (test.y > grade).astype(float)
        assert expected_calibration_error(y, above[:, grade]) < 0.06
        raw = expit(Known().predict(test))
        assert brier_score(y, above[:, grade]) < brier_score(y, raw)
    np.testing.assert_allclose(ranker.expected_value(test), p @ [0, 1, 2])
    np.testing.assert_array_equal(ranker.predict(test), Known().predict(test))


def test_held_out_scores_come_from_rankers_that_have_not_seen_the_query():
    data = gbrank.make_letor(60, n_features=5, random_state=0)
    base = GBRanker("mse", n_estimators=10, n_jobs=1)
    got = CalibratedRanker(base, cv=3)._held_out(base, data)
    expected = [clone(base).fit(train).predict(test) for train, test in gbrank.QueryKFold(3).split_data(data)]
    np.testing.assert_array_equal(got.score, np.concatenate(expected))
    np.testing.assert_array_equal(got.y, data.y)
    np.testing.assert_array_equal(got.query_ptr, data.query_ptr)
    assert not hasattr(base, "model_")


def test_prefit_takes_the_ranker_as_it_is(parts):
    train, test = parts
    fitted = GBRanker("mse", n_estimators=5, n_jobs=1).fit(train)
    ranker = CalibratedRanker(fitted, cv="prefit").fit(test)
    assert ranker.ranker_ is fitted
    assert ranker.predict_proba(test).shape == (test.n_documents, 3)


def test_values_decide_after_training(parts):
    train, test = parts
    values = {0: 0.0, 1: 1.0, 2: 50.0}
    ranker = CalibratedRanker(Known(), values=values).fit(train)
    np.testing.assert_array_equal(ranker.predict(test), ranker.expected_value(test, values))
    assert ranker.rank(test).max() == 10
    assert 0 < ranker.score(test) <= 1


def test_choices_sum_to_one_in_each_query(parts):
    train, test = parts
    ranker = CalibratedRanker(Known(), method="softmax").fit(train)
    p = ranker.predict_choice(test)
    np.testing.assert_allclose(np.add.reduceat(p, test.query_ptr[:-1]), 1)
    rows = np.random.default_rng(0).permutation(len(p))
    np.testing.assert_allclose(ranker.predict_choice(test.X[rows], test.qid[rows]), p[rows])
    assert not hasattr(ranker, "predict_proba")
    assert not hasattr(CalibratedRanker(Known()), "predict_choice")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: CalibratedRanker(Known(), method="plat").fit(d), ParameterError, "method='plat'"),
        (
            lambda d: CalibratedRanker(Known(), method="softmax", values=[0, 1]).fit(d),
            ParameterError,
            "need probabilities",
        ),
        (lambda d: CalibratedRanker(Known()).fit(d.with_labels(d.y + 0.5)), DataError, "whole grades"),
        (lambda d: CalibratedRanker(Known()).fit(d.with_labels(0 * d.y)), DataError, "only the grade 0"),
        (lambda d: CalibratedRanker(Known()).fit(d).expected_value(d, [1]), ParameterError, "give one for each grade"),
        (
            lambda d: CalibratedRanker(Known(), method="softmax").fit(d).predict_choice(d.X),
            DataError,
            "give one query id",
        ),
        (
            lambda d: CalibratedRanker(Known()).fit(d).score(d, sample_weight=[1]),
            ParameterError,
            "no weights of documents",
        ),
        (lambda d: CalibratedRanker(Known()).predict(d), ValueError, "not fitted"),
    ],
)
def test_what_is_refused(call, error, message, parts):
    with pytest.raises(error) as caught:
        call(parts[0])
    assert message in str(caught.value)
