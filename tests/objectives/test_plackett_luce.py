"""PL-Rank against the exact expectation over all rankings."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.objectives import PLRank, Targets

MEASURES = ["ndcg", "ndcg@2", "dcg@3", "p@2", "hit@2", "rr", "ap", "ap@3", "err@4"]
Y, S = np.array([2.0, 0, 1, 0, 1]), np.array([0.3, 0.8, -0.9, -0.2, 0.5])
COPIES = 4000


def rankings(score):
    """Every ranking with its probability."""
    for order in itertools.permutations(range(len(score))):
        e = np.exp(score[list(order)])
        yield order, np.prod(e / np.cumsum(e[::-1])[::-1])


def expected(measure, score):
    total = 0.0
    for order, probability in rankings(score):
        place = np.empty(len(score))
        place[list(order)] = np.arange(len(score))
        total += probability * measure(Y, -place, [0, len(score)])[0]
    return total


def copies(value, times=COPIES):
    return np.tile(value, times)


def require_mean(samples, wanted, bound=4.5):
    """Require that the mean of the rows agrees within that many standard errors."""
    error = samples.std(axis=0) / np.sqrt(len(samples)) + 1e-12
    assert (np.abs(samples.mean(axis=0) - wanted) / error).max() < bound


@pytest.mark.parametrize("draws", [1, 10])
@pytest.mark.parametrize("name", MEASURES)
def test_mean_is_the_derivative_of_the_expected_measure(name, draws):
    measure = gbrank.measure(name)
    data = Targets(copies(Y), np.arange(0, 5 * COPIES + 1, 5))
    g, h = PLRank(measure=name, draws=draws).bind(data).gradient_hessian(copies(S), 0)
    slope = [(expected(measure, S + step) - expected(measure, S - step)) / 2e-5 for step in 1e-5 * np.eye(5)]
    require_mean(g.reshape(-1, 5), -np.array(slope))
    np.testing.assert_allclose(g.reshape(-1, 5).sum(axis=1), 0, atol=1e-14)
    assert (h >= 0).all()


@pytest.mark.parametrize("name", ["ndcg@2", "ap"])
def test_mean_of_the_loss_is_the_expected_measure(name):
    data = Targets(copies(Y), np.arange(0, 5 * COPIES + 1, 5))
    loss = PLRank(measure=name, draws=1).bind(data, engine="numpy").loss(copies(S))
    require_mean(loss[:, None], -expected(gbrank.measure(name), S))


def test_hessian_is_the_diagonal_of_the_weighted_log_likelihood():
    """Its mean, by enumeration: the reward from each place on, times p (1 - p) of who comes there."""
    discount = 1 / np.log2(np.arange(2, 7))
    gain = 2**Y - 1
    reward = gain / (np.sort(gain)[::-1] @ discount)
    wanted = np.zeros(5)
    for order, probability in rankings(S):
        for place in range(5):
            rest = list(order[place:])
            p = np.exp(S[rest]) / np.exp(S[rest]).sum()
            wanted[rest] += probability * (reward[rest] @ discount[place:]) * p * (1 - p)
    data = Targets(copies(Y), np.arange(0, 5 * COPIES + 1, 5))
    h = PLRank(measure="ndcg", draws=3).bind(data).gradient_hessian(copies(S), 0)[1]
    require_mean(h.reshape(-1, 5), wanted)


def test_baseline_takes_away_variance():
    """One draw has no baseline; ten draws of one each have ten times less variance, and with it far less."""
    y = np.random.default_rng(0).choice(3, 40, p=[0.6, 0.3, 0.1]).astype(float)
    spread = {}
    for draws in (1, 10):
        data = Targets(copies(y, 400), np.arange(0, 40 * 400 + 1, 40))
        g = PLRank(measure="ndcg", draws=draws).bind(data).gradient_hessian(np.zeros(40 * 400), 0)[0]
        spread[draws] = g.reshape(-1, 40).var(axis=0).sum()
    assert spread[10] < spread[1] / 50


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_constant_reward_has_no_gradient(engine):
    g = PLRank(measure="ap").gradient_hessian([1, 1, 1, 2, 0], np.arange(5.0), [0, 3, 5], engine=engine)[0]
    np.testing.assert_allclose(g[:3], 0, atol=1e-15)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_scores_far_apart(engine):
    y, s = [1, 0, 2, 0, 1], np.array([5000.0, 4990, 0, -400, -401])
    g, h = PLRank(measure="ndcg").gradient_hessian(y, s, [0, 5], engine=engine)
    assert np.isfinite(g).all()
    assert np.isfinite(h).all()
    clipped = PLRank(measure="ndcg").gradient_hessian(y, np.maximum(s, 4700), [0, 5], engine=engine)[0]
    np.testing.assert_allclose(g, clipped, rtol=1e-12)
    assert np.abs(g).max() > 0.01  # those 300 below are in a random order


def test_a_documents_weight_multiplies_its_reward():
    y, w = np.array([1.0, 0, 1]), np.array([3.0, 5, 1])
    weighted = PLRank(measure="dcg(gain=linear)").gradient_hessian(y, S[:3], [0, 3], w)
    reward = PLRank(measure="dcg(gain=linear)").gradient_hessian(y * w, S[:3], [0, 3])
    np.testing.assert_allclose(weighted, reward, rtol=1e-12)
