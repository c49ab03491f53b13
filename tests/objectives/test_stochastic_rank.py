"""StochasticRank against the expected measure, by quadrature and by another estimator."""

import itertools

import numpy as np
import pytest
from scipy import stats

import gbrank
from gbrank.objectives import StochasticRank, Targets

MEASURES = ["ndcg", "ndcg@2", "dcg@1", "p@2", "r@1", "hit@1", "rr", "ap", "ap@2", "err", "err@2"]
ENGINES = ["numpy", "compiled"]
Y, S, SIGMA = np.array([2.0, 0, 1]), np.array([0.2, 0.7, -0.4]), 0.7
COPIES = 20000


def expected(measure, score):
    """The expected measure of three documents: over the noise of the middle one, the other two are independent."""
    x, weight = np.polynomial.hermite_e.hermegauss(120)
    total = 0.0
    for first, middle, last in itertools.permutations(range(3)):
        z = score[middle] + SIGMA * x
        above = stats.norm.sf((z - score[first]) / SIGMA)
        below = stats.norm.cdf((z - score[last]) / SIGMA)
        probability = (weight / np.sqrt(2 * np.pi)) @ (above * below)
        place = np.empty(3)
        place[[first, middle, last]] = 0, 1, 2
        total += probability * measure(Y, -place, [0, 3])[0]
    return total


def bound(objective, y=Y, copies=COPIES, **how):
    return objective.bind(Targets(np.tile(y, copies), np.arange(0, len(y) * copies + 1, len(y))), **how)


def require_mean(samples, wanted, bound=4.5):
    """Require that the mean of the rows agrees within that many standard errors."""
    error = samples.std(axis=0) / np.sqrt(len(samples)) + 1e-9
    assert (np.abs(samples.mean(axis=0) - wanted) / error).max() < bound


@pytest.mark.parametrize("name", MEASURES)
def test_mean_is_the_derivative_of_the_expected_measure(name):
    measure = gbrank.measure(name)
    g = bound(StochasticRank(measure=name, sigma=SIGMA)).gradient_hessian(np.tile(S, COPIES), 0)[0].reshape(-1, 3)
    slope = [(expected(measure, S + step) - expected(measure, S - step)) / 2e-4 for step in 1e-4 * np.eye(3)]
    require_mean(g, -np.array(slope))
    np.testing.assert_allclose(g.sum(axis=1), 0, atol=1e-14)


def test_mean_of_the_loss_is_the_expected_measure():
    objective = StochasticRank(measure="ndcg@2", sigma=SIGMA)
    loss = bound(objective, copies=3000, engine="numpy").loss(np.tile(S, 3000))
    require_mean(loss[:, None], -expected(gbrank.measure("ndcg@2"), S))


@pytest.mark.parametrize("name", ["ndcg@3", "ap", "err"])
def test_longer_lists_against_the_likelihood_ratio(name):
    """E[M(s + sigma e) e / sigma] has the same mean, for any measure."""
    rng = np.random.default_rng(0)
    y, s = np.array([0.0, 2, 1, 0, 1, 0]), np.array([0.5, -0.3, 0.1, 0.9, -0.8, 0.0])
    noise = rng.normal(size=(40000, 6))
    values = [
        gbrank.measure(name)(np.tile(y, 40000), (s + sign * noise).ravel(), np.arange(0, 240001, 6)) for sign in (1, -1)
    ]
    other = (values[0] - values[1])[:, None] * noise / 2
    g = bound(StochasticRank(measure=name, draws=3), y, 4000).gradient_hessian(np.tile(s, 4000), 0)[0].reshape(-1, 6)
    error = np.hypot(other.std(axis=0) / 200, g.std(axis=0) / np.sqrt(4000))
    assert (np.abs(-g.mean(axis=0) - other.mean(axis=0)) / error).max() < 4.5


@pytest.mark.parametrize("engine", ENGINES)
def test_two_documents_in_closed_form(engine):
    """Both noisy scores differ by a normal number of variance 2 sigma^2; the hessian bounds the step by sigma."""
    g, h = (
        each.reshape(-1, 2)
        for each in bound(StochasticRank(measure="ndcg", sigma=2.0), np.array([0.0, 1]), 4000, engine=engine)
        .gradient_hessian(np.tile([0.0, 1.0], 4000), 0)
    )  # fmt: skip
    lost = 1 - 1 / np.log2(3)
    require_mean(g, np.array([1, -1]) * lost * stats.norm.pdf(1 / np.sqrt(8)) / np.sqrt(8))
    np.testing.assert_allclose(np.abs(g) / h, 2.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_scale_free_part(engine):
    rng = np.random.default_rng(1)
    y, score, ptr = rng.integers(0, 3, 30).astype(float), rng.normal(size=30), np.array([0, 10, 30])
    weights = Targets(y, ptr, None, np.array([1.0, 3]))
    plain, half, free = (
        StochasticRank(scale_free=f, nu=1e-9).bind(weights, engine=engine).gradient_hessian(score, 0)[0]
        for f in (0.0, 0.5, 1.0)
    )
    for a, b in itertools.pairwise(ptr):
        centred = score[a:b] - score[a:b].mean()
        assert abs(plain[a:b] @ centred) > 1e-3
        assert abs(free[a:b] @ centred) < 1e-6
        assert abs(free[a:b].sum()) < 1e-12
    np.testing.assert_allclose(half, (plain + free) / 2, atol=1e-15)


def test_nu_leaves_small_scores_alone():
    plain, free = (StochasticRank(scale_free=f).gradient_hessian(Y, 1e-9 * S, [0, 3])[0] for f in (0.0, 1.0))
    np.testing.assert_allclose(plain, free, rtol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_mu_sets_documents_back_by_their_labels(engine):
    shifted = StochasticRank(mu=0.25, sigma=2.0).gradient_hessian(Y, S, [0, 3], engine=engine)
    plain = StochasticRank(sigma=2.0).gradient_hessian(Y, S - 0.5 * Y, [0, 3], engine=engine)
    np.testing.assert_allclose(shifted, plain, rtol=1e-12)
    assert StochasticRank(mu=0.25, sigma=2.0).loss(Y, S, [0, 3]) == StochasticRank(sigma=2.0).loss(
        Y, S - 0.5 * Y, [0, 3]
    )


def test_sigma_is_the_unit_of_scores():
    g, h = StochasticRank().gradient_hessian(Y, S, [0, 3])
    scaled = StochasticRank(sigma=4.0).gradient_hessian(Y, 4 * S, [0, 3])
    np.testing.assert_allclose(scaled, (g / 4, h / 16), rtol=1e-10)


@pytest.mark.parametrize("params", [{"sigma": 0}, {"mu": -1}, {"scale_free": 1.5}, {"scale_free": -1}, {"nu": 0}])
def test_refusals(params):
    with pytest.raises(gbrank.ParameterError, match=next(iter(params))):
        StochasticRank(**params)
