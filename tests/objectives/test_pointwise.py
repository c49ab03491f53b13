"""Pointwise losses: their limiting cases, extremes and best constants."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit

from gbrank.objectives import Focal, McRank, Quantile, SquaredError, Targets
from gbrank.objectives._pointwise import quantile_by_leaf, softmax

PTR = np.array([0, 3, 6])
T = np.array([0.0, 1, 1, 0, 0, 1])
X = np.array([-2.0, 0.5, 3, 0.1, 8, -5])


def test_focal_without_focusing_is_half_of_cross_entropy():
    g, h = Focal(alpha=0.5, gamma=0.0).gradient_hessian(T, X, PTR)
    np.testing.assert_allclose(g, 0.5 * (expit(X) - T), rtol=1e-12)
    np.testing.assert_allclose(h, 0.5 * expit(X) * expit(-X), rtol=1e-9)
    np.testing.assert_allclose(
        Focal(alpha=0.5, gamma=0.0).loss(T, X, PTR),
        -0.5 * np.add.reduceat(log_expit(np.where(T == 1, X, -X)), [0, 3]),
        rtol=1e-12,
    )


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_focal_keeps_its_digits_at_extremes(engine):
    x = np.array([40.0, -8, 500, -500, 9, 0])
    y = np.array([1.0, 1, 1, 1, 1, 0])
    g, h = Focal(gamma=2.0, alpha=0.25).gradient_hessian(y, x, PTR, engine=engine)
    q = np.exp(-40.0)
    assert g[0] == pytest.approx(-0.25 * q**2 * 3 * q, rel=1e-6)  # log p = -q and so gamma p log p - q = -3 q
    assert g[3] == pytest.approx(-0.25, rel=1e-12)  # p underflows gracefully
    assert np.isfinite(g).all()
    assert (h >= 1e-6).all()  # -.00092 at -8 is floored


def test_focal_hessian_is_negative_where_it_is_said_to_be_floored():
    _, h = Focal().gradient_hessian([1, 1, 0], [-2.7, -2.9, 0], [0, 3])
    assert h[0] > 1e-6
    assert h[1] == 1e-6


@pytest.mark.parametrize("objective", [SquaredError(), Focal(gamma=0.0, alpha=0.3), Quantile(alpha=0.7)])
def test_boosting_starts_from_the_best_constant(objective):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200).astype(float)
    weight = rng.uniform(0.5, 2, 200)
    targets = Targets(y, np.array([0, 200]), weight)
    bound = objective.bind(targets)
    best = minimize_scalar(lambda c: bound.loss(np.full(200, c)).sum(), bounds=(-5, 5), method="bounded").fun
    assert bound.loss(np.full(200, bound.init_score()[0])).sum() <= best * (1 + 1e-9)


def test_quantile_of_a_leaf_minimises_its_pinball_loss():
    rng = np.random.default_rng(1)
    values, leaf = rng.normal(size=300), rng.integers(0, 7, 300)
    leaf[leaf == 3] = 4
    weight = rng.integers(0, 4, 300).astype(float)
    for alpha in (0.1, 0.5, 0.9):
        for w in (None, weight):
            got = quantile_by_leaf(values, leaf, alpha, w)
            assert got[3] == 0
            for number in set(leaf):
                v = values[leaf == number]
                vw = np.ones(len(v)) if w is None else w[leaf == number]
                losses = [(vw * np.where(v >= c, alpha * (v - c), (1 - alpha) * (c - v))).sum() for c in v]
                at = (vw * np.where(v >= got[number], alpha * (v - got[number]), (1 - alpha) * (got[number] - v))).sum()
                assert at <= min(losses) + 1e-12


def test_quantile_of_a_leaf_reads_weights_as_repetitions():
    rng = np.random.default_rng(2)
    values, leaf, weight = rng.normal(size=100), rng.integers(0, 4, 100), rng.integers(1, 5, 100)
    repeated = quantile_by_leaf(np.repeat(values, weight), np.repeat(leaf, weight), 0.3, None)
    np.testing.assert_array_equal(quantile_by_leaf(values, leaf, 0.3, weight.astype(float)), repeated)


def test_mcrank_ranks_by_the_expected_grade():
    objective = McRank()
    score = np.array([[10.0, 0, 0], [0, 0, 10], [0, 0, 0]])
    np.testing.assert_allclose(objective.transform(score, {}), [0.0, 2.0, 1.0], atol=1e-3)
    bound = objective.bind(Targets(np.array([0.0, 2, 2, 1]), np.array([0, 4])))
    assert bound.n_outputs == 3
    np.testing.assert_allclose(np.exp(bound.init_score()), [0.25, 0.25, 0.5])
    np.testing.assert_allclose(softmax(score).sum(axis=1), 1)
