"""Calibration against scikit-learn, by arithmetic, and by simulation."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from gbrank import DataError, ParameterError
from gbrank.evaluation import brier_score, expected_calibration_error, reliability_curve


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    score = rng.beta(0.7, 1.5, 1000)
    y = rng.binomial(1, score**1.3) * rng.integers(1, 4, 1000)
    return y, score, rng.integers(1, 4, 1000)


@pytest.mark.parametrize(("bins", "strategy"), [("width", "uniform"), ("mass", "quantile")])
@pytest.mark.parametrize("n_bins", [1, 4, 10, 25])
def test_curve_is_sklearns(sample, bins, strategy, n_bins):
    y, score, _ = sample
    found = reliability_curve(y, score, bins=bins, n_bins=n_bins)
    target, mean = calibration_curve(y >= 1, score, n_bins=n_bins, strategy=strategy)
    known = found[found["documents"] > 0]
    np.testing.assert_allclose(known["score"], mean, rtol=1e-12)
    np.testing.assert_allclose(known["target"], target, rtol=1e-12)
    assert found["documents"].sum() == 1000
    if bins == "mass":
        assert set(found["documents"]) == {1000 // n_bins}


def test_edges_belong_to_the_lower_bin():
    found = reliability_curve([1, 0, 1, 1], [0.0, 0.5, 0.51, 1.0], n_bins=2)
    assert found["documents"].tolist() == [2, 2]
    found = reliability_curve([1, 0, 1, 1], [0.2, 0.2, 0.2, 0.9], n_bins=2, bins="mass")
    assert found["documents"].tolist() == [3, 1]  # equal scores stay together
    assert reliability_curve([1], [0.1], n_bins=2)["target"].isna().tolist() == [False, True]


def test_brier_is_sklearns(sample):
    y, score, weight = sample
    assert brier_score(y, score) == pytest.approx(brier_score_loss(y >= 1, score), rel=1e-12)
    truth = brier_score_loss(y >= 2, score, sample_weight=weight)
    assert brier_score(y, score, relevant_from=2, sample_weight=weight) == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("bins", ["width", "mass"])
def test_a_weight_is_so_many_documents(sample, bins):
    y, score, weight = sample
    twice = np.repeat(np.arange(1000), weight)
    for function in (expected_calibration_error, brier_score):
        options = {"bins": bins} if function is expected_calibration_error else {}
        found = function(y, score, sample_weight=weight, **options)
        assert found == pytest.approx(function(y[twice], score[twice], **options), rel=1e-12)
    curve = reliability_curve(y, score, bins=bins, sample_weight=weight)
    more = reliability_curve(y[twice], score[twice], bins=bins)
    np.testing.assert_allclose(curve.drop(columns="documents"), more.drop(columns="documents"), rtol=1e-12)
    assert (curve["weight"] == more["documents"]).all()


@pytest.mark.parametrize("bins", ["width", "mass"])
def test_error_is_that_of_the_curve(sample, bins):
    y, score, weight = sample
    curve = reliability_curve(y, score, bins=bins, n_bins=7, sample_weight=weight)
    truth = np.average((curve["target"] - curve["score"]).abs(), weights=curve["weight"])
    found = expected_calibration_error(y, score, bins=bins, n_bins=7, sample_weight=weight)
    assert found == pytest.approx(truth, rel=1e-12)
    shuffled = np.random.default_rng(1).permutation(1000)
    again = expected_calibration_error(
        y[shuffled], score[shuffled], bins=bins, n_bins=7, sample_weight=weight[shuffled]
    )
    assert again == pytest.approx(found, rel=1e-12)


def test_true_probabilities_have_no_error_but_chance():
    rng = np.random.default_rng(2)
    score = rng.random(200_000)
    y = rng.binomial(1, score)
    assert expected_calibration_error(y, score) < 0.005
    assert brier_score(y, score) == pytest.approx(1 / 6, abs=0.002)  # the mean of p (1 - p)
    assert expected_calibration_error(y, score**2) == pytest.approx(1 / 6, abs=0.005)  # the mean of p - p^2


def test_expected_grades():
    """Squared error of the grade; bins over the range of scores."""
    y, score = np.array([0, 1, 4, 3.0]), np.array([-0.5, 1.5, 3.5, 3.4])
    assert brier_score(y, score, relevant_from=None) == pytest.approx(np.mean((y - score) ** 2))
    curve = reliability_curve(y, score, relevant_from=None, n_bins=2)
    assert curve["low"].tolist() == [-0.5, 1.5]
    assert curve["target"].tolist() == [0.5, 3.5]
    assert expected_calibration_error(y, score, relevant_from=None, n_bins=2) == pytest.approx((0 + 0.05) / 2)
    constant = reliability_curve([0, 2], [1, 1], relevant_from=None, n_bins=3)
    assert constant["documents"].tolist() == [2, 0, 0]


def test_each_query_by_itself(sample):
    y, score, weight = sample
    ptr = np.array([0, 10, 11, 400, 1000])
    found = brier_score(y, score, ptr, sample_weight=weight)
    error = expected_calibration_error(y, score, ptr, sample_weight=weight)
    for q in range(4):
        rows = slice(ptr[q], ptr[q + 1])
        assert found[q] == pytest.approx(brier_score(y[rows], score[rows], sample_weight=weight[rows]))
        alone = expected_calibration_error(y[rows], score[rows], sample_weight=weight[rows])
        assert error[q] == pytest.approx(alone)  # bins of equal width are the same for all
    pooled = np.average(found, weights=np.add.reduceat(weight, ptr[:-1]))
    assert pooled == pytest.approx(brier_score(y, score, sample_weight=weight))
    assert np.isnan(brier_score([1, 1], [0.5, 0.5], [0, 1, 2], sample_weight=[1, 0])).tolist() == [False, True]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "told"),
    [
        (([1, 0], [0.5, 1.5]), {}, DataError, "row 1 is 1.5, which is no probability; calibrate"),
        (([1, 0], [0.5]), {}, DataError, "1 values for 2 documents"),
        (([1, 0], [0.5, np.nan]), {}, DataError, "row 1 is nan"),
        (([], []), {}, DataError, "no documents"),
        (([1, 0], [0.5, 0.5]), {"relevant_from": "1"}, ParameterError, "relevant_from='1'"),
        (([1, 0], [0.5, 0.5]), {"sample_weight": [1, -1]}, DataError, "cannot be negative"),
        (([1, 0], [0.5, 0.5]), {"n_bins": 0}, ParameterError, "n_bins=0"),
        (([1, 0], [0.5, 0.5]), {"bins": "quantile"}, ParameterError, "choose one of 'width', 'mass'"),
    ],
)
def test_refusals(arguments, options, error, told):
    with pytest.raises(error, match=told):
        expected_calibration_error(*arguments, **options)
    with pytest.raises(error, match=told):
        reliability_curve(*arguments, **options)
