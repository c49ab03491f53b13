"""The controller as a searcher: it learns, and is the same when told the same."""

import numpy as np
import pytest

from gbrank import ParameterError
from gbrank.lossgen import Controller, Space
from gbrank.lossgen._controller import to_choices, to_graph
from gbrank.lossgen._searchers import REJECTED

SPACE = Space(leaves=("d", "dG"), operators=("add", "multiply", "negate", "softplus"), n_nodes=4)
TARGET = SPACE.encode("softplus(-d)")


def reward(graph):
    """Share of the target's nodes that the program begins with, less what is too long."""
    same = sum(a == b for a, b in zip(graph.nodes, TARGET.nodes, strict=False))
    return same / 2 - 0.25 * max(0, len(graph.nodes) - 2)


def searched(searcher, n, seed=0):
    asked = []
    for number in range(n):
        graph = searcher.ask(np.random.default_rng([seed, number]))
        searcher.tell(graph, *((reward(graph), None) if graph.nodes[0].first == 0 else (REJECTED, "reversed")))
        asked.append(graph)
    return asked


@pytest.mark.parametrize("imitation", [0.0, 0.5])
def test_the_policy_learns(imitation):
    searcher = Controller(SPACE, width=16, learning_rate=0.02, imitation=imitation)
    asked = searched(searcher, 500)
    first, last = (np.mean([reward(graph) for graph in part]) for part in (asked[:100], asked[-100:]))
    assert last > first + 0.3
    if imitation:  # which does not stay with programs that are half right
        assert asked[-100:].count(TARGET) > 3 * max(1, asked[:100].count(TARGET))


def test_what_is_asked_depends_on_what_was_told():
    one, two, other = (Controller(SPACE, width=8, learning_rate=0.05) for _ in range(3))
    assert searched(one, 60) == searched(two, 60)
    for number in range(60):
        other.tell(other.ask(np.random.default_rng([0, number])), REJECTED, "flat")
    ask = [[each.ask(np.random.default_rng([9, k])) for k in range(20)] for each in (one, two, other)]
    assert ask[0] == ask[1] != ask[2]


def test_what_is_never_proposed_is_unlearnt_too():
    """Programs without the score: else a policy flees into them, for they alone are never rejected."""
    searcher = Controller(Space(), width=16)

    def proposed():
        drawn = [searcher.policy.sample(np.random.default_rng([1, k])).choices for k in range(200)]
        used = [to_graph(searcher.space, choices).used() for choices in drawn]
        return np.mean([bool(each.intersection(searcher.space.scores)) for each in used])

    shares = []
    for number in range(300):
        graph = searcher.ask(np.random.default_rng(number))
        shares = shares or [proposed()]
        searcher.tell(graph, *((0.1, "clearly worse") if number % 10 == 0 else (REJECTED, "reversed")))
    assert proposed() > shares[0]


def test_the_scale_of_rewards_is_of_no_account():
    asked = []
    for factor in (1.0, 1e-4):
        searcher = Controller(SPACE, width=8, learning_rate=0.05)
        for number in range(60):
            graph = searcher.ask(np.random.default_rng(number))
            searcher.tell(graph, factor * reward(graph), None)
        asked.append([searcher.ask(np.random.default_rng([1, k])) for k in range(20)])
    assert asked[0] == asked[1]


def test_worths():
    searcher = Controller(SPACE)
    for value, reason in ((0.1, None), (-0.2, None), (0.3, None), (-0.4, "clearly worse"), (0.3, "duplicate")):
        searcher.tell(TARGET, value, reason)
    searcher.tell(TARGET, REJECTED, "flat")
    assert [worth for _, worth in searcher.pending] == pytest.approx([1 / 2, 1 / 4, 5 / 6, 0, 0, -1])


def test_graphs_are_choices_and_back():
    searcher = Controller(SPACE)
    rng = np.random.default_rng(0)
    for _ in range(50):
        graph = searcher.ask(rng)
        assert graph.used().intersection(SPACE.scores)
        assert to_graph(SPACE, to_choices(graph)) == graph
    assert to_choices(SPACE.encode("d * d")) is None
    searcher.tell(SPACE.encode("d * d"), 1.0, None)  # it can be told all the same


@pytest.mark.parametrize(
    "wrong", [{"baseline_decay": 1.0}, {"width": 0}, {"learning_rate": 0}, {"imitation": -1}, {"batch_size": 2.5}]
)
def test_refuses(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        Controller(SPACE, **wrong)
