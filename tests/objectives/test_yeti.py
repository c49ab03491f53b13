"""YetiLoss against its formula, with rankings drawn here."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.objectives import Targets, YetiLoss
from gbrank.objectives._frames.noise import mixed, stream
from gbrank.objectives._frames.perturbation import NOISES, drawn

ENGINES = ["numpy", "compiled"]
RNG = np.random.default_rng(0)
N = 12
Y, S = RNG.integers(0, 3, N).astype(float), RNG.normal(size=N)


def noise_of_query(name, draws):
    return drawn(NOISES[name], int(stream(mixed(0, 0), 0)), draws, N)


@pytest.mark.parametrize("engine", ENGINES)
def test_classical_weights(engine):
    """Neighbours of ten drawn rankings: 0.15 times 0.85 to the place, times the difference of labels."""
    g, h, loss = np.zeros(N), np.zeros(N), 0.0
    for noise in noise_of_query("logistic", 10):
        order = np.argsort(-(S + noise))
        for place, (i, j) in enumerate(itertools.pairwise(order)):
            better, worse = (i, j) if Y[i] > Y[j] else (j, i)
            weight = 0.015 * 0.85**place * abs(Y[i] - Y[j])
            p = 1 / (1 + np.exp(S[better] - S[worse]))
            loss -= weight * np.log(1 - p)
            g[[better, worse]] += -weight * p, weight * p
            h[[better, worse]] += weight * p * (1 - p)
    objective = YetiLoss()
    np.testing.assert_allclose(objective.gradient_hessian(Y, S, [0, N], engine=engine), (g, h), rtol=1e-10)
    np.testing.assert_allclose(objective.loss(Y, S, [0, N]), loss, rtol=1e-10)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["ndcg@5", "ap", "err"])
def test_pairs_of_drawn_rankings_weigh_what_their_swap_changes(name, engine):
    measure, wanted = gbrank.measure(name), np.zeros(N)
    for noise in noise_of_query("gumbel", 4):
        order = np.argsort(-(S + 0.5 * noise))
        for apart in (1, 2, 3):
            for place in range(N - apart):
                i, j = order[place], order[place + apart]
                swapped = order.copy()
                swapped[[place, place + apart]] = j, i
                change = [measure(Y[each], -np.arange(N), [0, N])[0] for each in (order, swapped)]
                better, worse = (i, j) if Y[i] > Y[j] else (j, i)
                push = abs(change[0] - change[1]) * 2 / (1 + np.exp(2 * (S[better] - S[worse]))) / 4
                wanted[[better, worse]] += -push, push
    objective = YetiLoss(measure=name, noise="gumbel", noise_power=0.5, neighbors=3, draws=4, sigmoid=2.0)
    np.testing.assert_allclose(objective.gradient_hessian(Y, S, [0, N], engine=engine)[0], wanted, atol=1e-13)


def test_without_noise_draws_are_one():
    one, many = (YetiLoss(noise="none", draws=d).gradient_hessian(Y, S, [0, N]) for d in (1, 10))
    np.testing.assert_array_equal(one, many)


def test_ties_without_noise_stand_in_row_order():
    results = [
        YetiLoss(noise="none", measure="ndcg").gradient_hessian(Y, np.zeros(N), [0, N], engine=e)[0] for e in ENGINES
    ]
    order = YetiLoss(noise="none", measure="ndcg").gradient_hessian(Y, -1e-9 * np.arange(N), [0, N])[0]
    np.testing.assert_allclose(results[0], results[1], atol=1e-15)
    np.testing.assert_allclose(results[0], order, atol=1e-8)


def test_labels_may_be_any_numbers_for_the_classical_weights():
    half = YetiLoss().gradient_hessian(Y / 2 - 3, S, [0, N])[0]
    np.testing.assert_allclose(2 * half, YetiLoss().gradient_hessian(Y, S, [0, N])[0], rtol=1e-12)


@pytest.mark.parametrize(
    "params",
    [{"noise": "cauchy"}, {"noise_power": -1}, {"neighbors": 0}, {"sigmoid": 0}, {"decay": 1.0}, {"decay": 0}],
)
def test_refusals(params):
    with pytest.raises(gbrank.ParameterError, match=next(iter(params))):
        YetiLoss(**params)


def test_one_label_is_nothing_to_learn():
    with pytest.raises(gbrank.DataError, match="nothing to learn"):
        YetiLoss().bind(Targets(np.ones(5), np.array([0, 2, 5])))
