"""All-threshold ordinal regression: thresholds, probabilities, expected grades."""

import numpy as np
import pytest
from scipy.optimize import minimize

from gbrank.objectives import Ordinal, Targets
from gbrank.objectives._ordinal import fit_thresholds


def all_threshold_loss(theta, y, s, w):
    side = np.where(y[:, None] > np.arange(len(theta)), 1, -1)
    return (w[:, None] * np.logaddexp(0, -side * (s[:, None] - theta))).sum()


@pytest.mark.parametrize("weighted", [False, True])
def test_thresholds_are_where_the_loss_is_least(weighted):
    rng = np.random.default_rng(0)
    s = rng.normal(size=500) * 2
    y = np.clip(np.round(s + rng.logistic(size=500)) + 2, 0, 4)
    w = rng.uniform(0.2, 3, 500) if weighted else np.ones(500)
    fitted = fit_thresholds(y, s, np.zeros(4), w if weighted else None)
    best = minimize(all_threshold_loss, np.zeros(4), args=(y, s, w), tol=1e-10).fun
    assert all_threshold_loss(fitted, y, s, w) == pytest.approx(best, rel=1e-9)
    assert (np.diff(fitted) > 0).all()


def test_thresholds_stay_sorted_and_finite_where_a_grade_is_absent():
    y = np.array([0.0, 3, 0, 3, 3])
    bound = Ordinal().bind(Targets(y, np.array([0, 5])))
    for _ in range(3):
        bound.end_round(np.array([-40.0, 40, -30, 50, 60]))
    thresholds = bound.state()["thresholds"]
    assert thresholds.shape == (3,)
    assert np.isfinite(thresholds).all()
    assert (np.diff(thresholds) >= 0).all()


def test_start_has_the_shares_of_the_grades():
    y = np.array([0.0, 0, 1, 2, 2, 2, 2, 2])
    thresholds = Ordinal().bind(Targets(y, np.array([0, 8]))).state()["thresholds"]
    np.testing.assert_allclose(1 / (1 + np.exp(thresholds)), [6 / 8, 5 / 8])
    expected = Ordinal().expected_grade(np.zeros(8), {"thresholds": thresholds})
    np.testing.assert_allclose(expected, y.mean())


def test_thresholds_are_fitted_as_often_as_asked():
    y, s = np.array([0.0, 1, 2, 1]), np.array([0.0, 1, 2, 3])
    bound = Ordinal(refit_every=3).bind(Targets(y, np.array([0, 4])))
    seen = []
    for _ in range(4):
        bound.end_round(s)
        seen.append(tuple(bound.state()["thresholds"]))
    assert seen[0] == seen[1] != seen[2] == seen[3]
