"""Pairs with factors of their documents, and what the pairs cost: brute force, and no change where factors are 1."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.objectives import LambdaRank, PairwiseHinge, PairwiseLogistic, Targets
from gbrank.objectives._frames.position_pairs import PositionPairBound

ENGINES = ["numpy", "compiled"]
QUERY_PTR = np.array([0, 1, 5, 25, 85])
N = QUERY_PTR[-1]


def case(seed, labels=2):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, labels, N).astype(float)
    score = np.where(rng.random(N) < 0.2, 0.5, rng.normal(size=N))
    data = Targets(y, QUERY_PTR, rng.uniform(0.5, 2, N), rng.uniform(0.5, 2, 4))
    return data, score, rng.uniform(0.2, 5, N), rng.uniform(0.2, 5, N)


def bound(objective, data, up, down, engine):
    frame = objective.frame()._replace(costs=True)
    return PositionPairBound(frame, objective.worth_of(data.y), up, down, data, engine, 1)


def brute_force(data, score, up, down, truncation):
    """Return gradient, hessian, loss and both costs of RankNet with a truncation level, pair by pair."""
    g, h, cost_up, cost_down = np.zeros((4, N))
    loss = np.zeros(len(QUERY_PTR) - 1)
    for q, (a, b) in enumerate(itertools.pairwise(QUERY_PTR)):
        ranked = a + np.argsort(-score[a:b], kind="stable")
        for (r, i), (_, j) in itertools.combinations(enumerate(ranked), 2):
            if r >= truncation or data.y[i] == data.y[j]:
                continue
            i, j = (i, j) if data.y[i] > data.y[j] else (j, i)
            w, d = data.sample_weight[i] * data.sample_weight[j], score[i] - score[j]
            cost, p, factor = w * np.log1p(np.exp(-d)), 1 / (1 + np.exp(d)), data.query_weight[q] * up[i] * down[j]
            loss[q] += factor * cost
            g[[i, j]] += -factor * w * p, factor * w * p
            h[[i, j]] += factor * w * p * (1 - p)
            cost_up[i] += cost * down[j]
            cost_down[j] += cost * up[i]
    return g, h, loss, cost_up, cost_down


@pytest.mark.parametrize("engine", ENGINES)
def test_every_pair_by_brute_force(engine):
    data, score, up, down = case(0, labels=3)
    found = bound(PairwiseLogistic(truncation=7), data, up, down, engine)
    g, h, loss, cost_up, cost_down = brute_force(data, score, up, down, 7)
    np.testing.assert_allclose(found.gradient_hessian(score, 0), [g, h], atol=1e-11)
    np.testing.assert_allclose(found.loss(score + 1), loss, rtol=1e-11)
    np.testing.assert_allclose([found.cost_up, found.cost_down], [cost_up, cost_down], atol=1e-11)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "objective", [LambdaRank(), PairwiseHinge(weight="map", truncation=5)], ids=["lambdarank", "hinge"]
)
def test_factors_of_1_change_nothing(objective, engine):
    data, score, _, _ = case(1)
    ones = np.ones(N)
    found = bound(objective, data, ones, ones, engine)
    plain = objective.bind(data, engine=engine, n_jobs=1)
    np.testing.assert_allclose(
        found.gradient_hessian(score, 0), plain.gradient_hessian(score, 0), rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(found.loss(score), plain.loss(score), rtol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 500.0])  # far apart, exponentials are taken pair by pair
def test_engines_agree_on_gradients_and_costs(scale):
    data, score, up, down = case(2)
    one, other = (bound(LambdaRank(), data, up, down, engine) for engine in ENGINES)
    for a, b in zip(*(each.gradient_hessian(scale * score, 0) for each in (one, other)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10 * np.abs(a).max())
    for a, b in ((one.cost_up, other.cost_up), (one.cost_down, other.cost_down)):
        np.testing.assert_allclose(a, b, atol=1e-10 * a.max())


def test_the_loss_leaves_the_costs_of_the_last_gradient():
    data, score, up, down = case(3)
    for engine in ENGINES:
        found = bound(PairwiseLogistic(truncation=7), data, up, down, engine)
        found.gradient_hessian(score, 0)
        before = found.cost_up.copy(), found.cost_down.copy()
        found.loss(-score)
        np.testing.assert_array_equal((found.cost_up, found.cost_down), before)


def test_the_gradient_is_the_slope_of_the_loss():
    data, score, up, down = case(4)
    score = score + np.arange(N) * 1e-3
    found = bound(PairwiseLogistic(), data, up, down, "numpy")
    gradient = found.gradient_hessian(score, 0)[0]
    for k in (2, 10, 40, 80):
        step = np.zeros(N)
        step[k] = 1e-5
        slope = (found.loss(score + step) - found.loss(score - step)).sum() / 2e-5
        assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_pairs_of_equal_labels_have_no_better_document():
    data, _, up, down = case(5)
    with pytest.raises(gbrank.ParameterError, match="equal labels"):
        bound(PairwiseLogistic(equal_pairs=True), data, up, down, "numpy")
