"""The fit of thresholds against a general optimiser, both engines, any order of magnitude of weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from gbrank.objectives import CumulativeLogit, ImmediateThreshold, Ordinal, Targets
from gbrank.objectives._frames.thresholds import gap_barrier, isotonic

MODELS = [Ordinal(), ImmediateThreshold(), CumulativeLogit()]


def drawn(n=500, seed=0):
    rng = np.random.default_rng(seed)
    s = rng.normal(size=n) * 2
    return s, np.clip(np.round(s + rng.logistic(size=n)) + 2, 0, 4), rng.uniform(0.2, 3, n)


@pytest.mark.parametrize("objective", MODELS)
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("scale", [None, 1.0, 1e-3])
def test_thresholds_are_where_the_loss_is_least(objective, engine, scale):
    s, y, w = drawn()
    bound = objective.bind(Targets(y, np.array([0, 500]), None if scale is None else scale * w), engine=engine)

    def loss(theta):
        bound.params = bound.cut_at(np.sort(theta))
        return bound.loss(s).sum() / (scale or 1)

    fitted = bound.fit.fit(s, bound.thresholds, steps=50, close=1e-10)
    assert (np.diff(fitted) >= 0).all()
    best = minimize(loss, fitted + 0.05 * np.arange(4), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9,
                                                                                       "maxiter": 4000})  # fmt: skip
    assert loss(fitted) <= best.fun * (1 + 1e-9)


@pytest.mark.parametrize("objective", MODELS)
def test_warm_steps_end_near_the_best_thresholds(objective):
    s, y, w = drawn(3000, 1)
    bound = objective.bind(Targets(y, np.array([0, 3000]), w))
    for moved in np.linspace(0, 1, 30):  # as boosting moves the scores
        bound.end_round(moved * s)
        best = bound.fit.fit(moved * s, bound.thresholds, steps=50, close=1e-10)
        np.testing.assert_allclose(bound.thresholds, best, atol=1e-3)


@pytest.mark.parametrize("objective", MODELS)
def test_the_number_of_threads_changes_no_bit(objective):
    s, y, w = drawn(20_000, 2)
    one, three = (objective.bind(Targets(y, np.array([0, 9000, 20_000]), w), n_jobs=n) for n in (1, 3))
    for bound in (one, three):
        bound.end_round(s)
    assert np.array_equal(one.thresholds, three.thresholds)


@pytest.mark.parametrize("objective", MODELS)
def test_a_weight_of_two_is_the_document_twice(objective):
    s, y, w = drawn()
    times = np.ceil(w).astype(int)
    weighted = objective.bind(Targets(y, np.array([0, 500]), times * 1.0))
    repeated = objective.bind(Targets(np.repeat(y, times), np.array([0, times.sum()])))
    weighted.end_round(s)
    repeated.end_round(np.repeat(s, times))
    np.testing.assert_allclose(weighted.thresholds, repeated.thresholds, rtol=1e-9)


def test_derivatives_of_the_gaps():
    theta, counts = np.array([-1.0, 0.3, 0.4, 2.0]), np.array([3.0, 0.5, 2.0])

    def value(t):
        return -(counts * np.log1p(-np.exp(-np.diff(t)))).sum()

    gradient, hessian = gap_barrier(theta, counts)
    for k in range(4):
        step = 1e-6 * np.eye(4)[k]
        assert (value(theta + step) - value(theta - step)) / 2e-6 == pytest.approx(gradient[k], rel=1e-6)
        bend = (gap_barrier(theta + step, counts)[0] - gap_barrier(theta - step, counts)[0]) / 2e-6
        np.testing.assert_allclose(hessian[k], bend, rtol=1e-6, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 5)), min_size=1, max_size=8))
def test_isotonic_fit_is_the_nearest_that_never_falls(pairs):
    values, weight = np.array(pairs).T
    fitted = isotonic(values, weight)
    assert (np.diff(fitted) >= 0).all()
    cost = (weight * (fitted - values) ** 2).sum()
    rng = np.random.default_rng(0)
    for _ in range(30):
        other = np.maximum.accumulate(fitted + 0.1 * rng.normal(size=len(fitted)))
        assert (weight * (other - values) ** 2).sum() >= cost - 1e-9
