"""The policy that writes graphs: its gradient, its probabilities, its optimiser."""

import itertools

import numpy as np
import pytest

from gbrank.lossgen._policy import Adam, Policy


def make(n_leaves=3, arities=(1, 2, 2), n_nodes=4, width=5, seed=0, size=6.0):
    policy = Policy(n_leaves, [0], arities, n_nodes, width=width, tanh_constant=2.5, rng=np.random.default_rng(seed))
    for value in policy.params.values():
        value *= size  # large enough that every nonlinearity counts
    return policy


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_that_of_finite_differences(seed):
    policy = make(seed=seed)
    trace = max((policy.sample(np.random.default_rng([seed, k])) for k in range(5)), key=lambda t: len(t.steps))
    assert len(trace.steps) > 5
    slopes = policy.gradient(trace, 0.7, 0.3)

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
            assert slopes[name][place] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=2e-7), name


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
