"""The policy that writes graphs: its gradient, its probabilities, its optimiser."""

import itertools

import numpy as np
import pytest

from gbrank import ParameterError
from gbrank.lossgen._policy import ODDS, Adam, Policy


def make(n_leaves=3, arities=(1, 2, 2), n_nodes=4, width=5, seed=0, size=6.0):
    policy = Policy(n_leaves, [0], arities, n_nodes, width=width, tanh_constant=2.5, rng=np.random.default_rng(seed))
    for value in policy.params.values():
        value *= size  # large enough that every nonlinearity counts
    return policy


def longest(policy, seed):
    return max((policy.sample(np.random.default_rng([seed, k])) for k in range(5)), key=lambda t: len(t.choices))


def by_formula(policy, choices, leaves, n_nodes):
    """Return the log of the probability of choices and the sum of entropies, for operators of arities 1, 2, 2."""
    p = policy.params
    odds = 1 + (np.arange(leaves) == 0) * ODDS["score"] * leaves
    odds, anchors, lacking, taken = odds / odds.sum(), list(p["leaves"]), 0, None
    h, c = np.zeros((2, len(p["start"])))
    x, total, entropy = p["start"], 0.0, 0.0
    for choice in choices:
        i, f, o, g = np.split(np.concatenate((x, h)) @ p["lstm"] + p["lstm_bias"], 4)
        i, f, o = (1 / (1 + np.exp(-each)) for each in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        if lacking:
            u = np.tanh(np.array(anchors) @ p["key"] + h @ p["query"]) @ p["v"]
            share = np.where(np.arange(len(odds)) == taken, 0.0, odds)
        else:
            u = h @ p["out"] + p["out_bias"]
            node = len(anchors) - leaves
            share = np.array([1, 1, 1, 3 / (n_nodes - node) if node else 0])
        share = share * np.exp(2.5 * np.tanh(u))
        share = share / share.sum()
        total += np.log(share[choice])
        entropy -= (share[share > 0] * np.log(share[share > 0])).sum()
        if not lacking:
            x, lacking, taken = p["operators"][min(choice, 2)], (1, 2, 2, 0)[choice], None
            continue
        x, lacking, taken = anchors[choice], lacking - 1, choice
        odds = np.where((np.arange(len(odds)) == choice) & (choice >= leaves), ODDS["used"], odds)
        if not lacking:
            anchors, odds, taken = [*anchors, h], np.append(odds, ODDS["unused"]), None
    return total, entropy


@pytest.mark.parametrize(("seed", "width"), [(0, 5), (1, 8), (2, 64)])
def test_the_kernels_compute_the_formula(seed, width):
    policy = make(seed=seed, width=width, size=6.0 if width < 10 else 2.0)
    trace = longest(policy, seed)
    assert trace == policy.replay(trace.choices)
    assert (trace.log_probability, trace.entropy) == pytest.approx(by_formula(policy, trace.choices, 3, 4), rel=1e-12)


@pytest.mark.parametrize("wrong", [(), (0,), (0, 3), (-1, 0), (3,), (0, 1, 3, 0), (0, 1) * 5], ids=str)
def test_refuses_what_it_cannot_write(wrong):
    with pytest.raises(ParameterError, match="choices"):
        make().replay(wrong)


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_that_of_finite_differences(seed):
    policy = make(seed=seed)
    trace = longest(policy, seed)
    assert len(trace.choices) > 5
    slopes = {name: np.ones_like(value) for name, value in policy.params.items()}
    policy.add_gradient(slopes, trace.choices, 0.7, 0.3)

    def value():
        again = policy.replay(trace.choices)
        return 0.7 * again.log_probability + 0.3 * again.entropy

    rng = np.random.default_rng(seed)
    for name, array in policy.params.items():
        for _ in range(12):
            place = tuple(rng.integers(array.shape))
            before = array[place]
            ends = []
            for shift in (1e-5, -1e-5):
                array[place] = before + shift
                ends.append(value())
            array[place] = before
            assert slopes[name][place] - 1 == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=2e-7), name


def test_probabilities_of_all_graphs_sum_to_1():
    policy = make(n_leaves=2, arities=(1, 2), n_nodes=2)

    def graphs(place=0):
        """All lists of nodes from this place on, as choices."""
        if place == 2:
            yield ()
            return
        if place:
            yield (2,)  # the end
        inputs = range(2 + place)
        nodes = [(0, a) for a in inputs] + [(1, a, b) for a, b in itertools.permutations(inputs, 2)]
        for node in nodes:
            for rest in graphs(place + 1):
                yield (*node, *rest)

    total = sum(np.exp(policy.replay(choices).log_probability) for choices in graphs())
    assert total == pytest.approx(1, abs=1e-12)


def test_draws_follow_the_probabilities():
    policy = make(n_leaves=2, arities=(1, 2), n_nodes=1)
    rng = np.random.default_rng(0)
    drawn = [policy.sample(rng).choices for _ in range(4000)]
    for choices in ((0, 0), (0, 1), (1, 0, 1), (1, 1, 0)):
        p = np.exp(policy.replay(choices).log_probability)
        assert drawn.count(choices) / 4000 == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 4000))


def test_an_untrained_policy_prefers_what_is_not_read_yet():
    policy = make(n_leaves=4, arities=(1,), n_nodes=3, size=1e-6)
    nodes = [policy.sample(np.random.default_rng(k)).choices for k in range(400)]
    lengths = np.bincount([len(each) // 2 for each in nodes], minlength=4)[1:]
    assert lengths.min() > 90  # each number of nodes in a third of 400
    second = [each[3] for each in nodes if len(each) > 3]
    assert second.count(4) / len(second) == pytest.approx(0.75, abs=0.08)  # 3 to 1 over all leaves


def test_adam_ascends():
    params = {"x": np.array([3.0, -2.0])}
    adam = Adam(params, 0.1)
    adam.ascend(params, {"x": np.array([1e-3, -1e3])})
    assert params["x"] == pytest.approx([3.1, -2.1])  # the first step is the learning rate, whatever the size
    adam = Adam(params, 0.1)
    for _ in range(300):
        adam.ascend(params, {"x": -params["x"]})
    assert params["x"] == pytest.approx([0, 0], abs=0.05)
