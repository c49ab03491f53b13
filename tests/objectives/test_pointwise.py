"""Regression losses: limiting cases, far differences, best constants, curvatures that stand in."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from gbrank.objectives import Huber, LogCosh, SquaredError, Targets

PTR = np.array([0, 3, 6])
Y = np.array([0.0, 1, 4, 0.5, -2, 3])
S = np.array([0.3, 1.0, -6, 0.1, 8, 2])


def test_values_are_those_of_the_formulas():
    d = np.array([0.3, 0, -10, -0.4, 10, -1])
    np.testing.assert_allclose(SquaredError().loss(Y, S, PTR), np.add.reduceat(d**2 / 2, [0, 3]))
    far = np.where(np.abs(d) <= 0.5, d**2 / 2, 0.5 * (np.abs(d) - 0.25))
    np.testing.assert_allclose(Huber(delta=0.5).loss(Y, S, PTR), np.add.reduceat(far, [0, 3]))
    np.testing.assert_allclose(LogCosh().loss(Y, S, PTR), np.add.reduceat(np.log(np.cosh(d)), [0, 3]))


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_huber_with_a_great_delta_is_squared_error(engine):
    for a, b in zip(*(o.gradient_hessian(Y, S, PTR, engine=engine) for o in (Huber(1e3), SquaredError())), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(Huber(1e3).loss(Y, S, PTR), SquaredError().loss(Y, S, PTR))


def test_huber_with_a_small_delta_is_absolute_error_times_delta():
    gradient, _ = Huber(1e-3).gradient_hessian(Y, S, PTR)
    np.testing.assert_allclose(gradient, 1e-3 * np.sign(S - Y), atol=1e-12)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("objective", [Huber(0.7), LogCosh()])
def test_far_differences_neither_overflow_nor_lose_their_slope(objective, engine):
    d = np.array([1e6, -1e6, 500, -500, 1e-9, 0])
    y = np.array([0, 0, 4.0, 4.0, 0, 0])
    gradient, hessian = objective.gradient_hessian(y, y + d, PTR, engine=engine)
    top = 0.7 if isinstance(objective, Huber) else 1.0
    np.testing.assert_allclose(gradient[:4], top * np.sign(d[:4]), rtol=1e-12)
    np.testing.assert_allclose(gradient[4:], d[4:], rtol=1e-9)
    np.testing.assert_allclose(hessian, [max(top / max(abs(x), top), 1e-6) for x in d], rtol=1e-6)
    assert np.isfinite(objective.loss(y, y + d, PTR)).all()


@pytest.mark.parametrize("objective", [Huber(0.7), LogCosh()])
def test_the_parabola_of_the_curvature_lies_above_the_loss_and_touches_it(objective):
    """The promise of the hessian that stands in: a step by it never raises the loss."""
    grid = np.linspace(-9, 9, 181)
    ptr = np.arange(182)
    y = np.arange(181) % 2.0
    loss = objective.loss(y, y + grid, ptr)
    gradient, hessian = objective.gradient_hessian(y, y + grid, ptr)
    for at, slope, bend, value in zip(grid, gradient, hessian, loss, strict=True):
        assert (value + slope * (grid - at) + bend * (grid - at) ** 2 / 2 >= loss - 1e-9).all()


@pytest.mark.parametrize("objective", [SquaredError(), Huber(0.3), LogCosh()])
@pytest.mark.parametrize("weighted", [False, True])
def test_boosting_starts_from_the_best_constant(objective, weighted):
    rng = np.random.default_rng(0)
    y = np.round(rng.gamma(1, 2, 200), 1)
    bound = objective.bind(Targets(y, np.array([0, 200]), rng.uniform(0.5, 2, 200) if weighted else None))
    best = minimize_scalar(lambda c: bound.loss(np.full(200, c)).sum(), bounds=(0, 20), method="bounded").fun
    assert bound.loss(np.full(200, bound.init_score()[0])).sum() <= best * (1 + 1e-9)
