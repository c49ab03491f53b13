"""Searchers: the same when asked and told the same, and evolution follows rewards."""

import numpy as np
import pytest

from gbrank import ParameterError
from gbrank.lossgen import SEARCHERS, Evolution, Space
from gbrank.lossgen._searchers import REJECTED

SPACE = Space(n_nodes=6)


def operators_of(graph):
    return [SPACE.operators[node.operator] for node in graph.nodes]


def searched(searcher, n, reward, seed=0):
    """Ask `n` times, each answered by `reward`; return the programs."""
    found = []
    for number in range(n):
        graph = searcher.ask(np.random.default_rng([seed, number]))
        value = reward(graph)
        searcher.tell(graph, value, "reversed" if value == REJECTED else None)
        found.append(graph)
    return found


def n_squares(graph):
    """Return a reward that only the operators decide: the share of squares, of programs that have a node or two."""
    names = operators_of(graph)
    return names.count("square") / 10 if len(names) > 1 else REJECTED


@pytest.mark.parametrize("name", list(SEARCHERS))
def test_the_same_answers_give_the_same_programs(name):
    one, other = (searched(SEARCHERS[name](SPACE), 60, n_squares) for _ in range(2))
    assert one == other
    assert one != searched(SEARCHERS[name](SPACE), 60, n_squares, seed=1)


def test_evolution_comes_to_what_is_rewarded():
    evolved = searched(Evolution(SPACE, population=20), 400, n_squares)
    drawn = searched(SEARCHERS["random"](SPACE), 400, n_squares)
    assert max(map(n_squares, evolved)) >= 0.5 > max(map(n_squares, drawn))


def test_the_oldest_goes_and_the_rejected_do_not_come():
    searcher = Evolution(SPACE, population=3)
    graphs = [SPACE.encode(loss) for loss in ("-d", "exp(-d)", "softplus(-d)", "tanh(-d)", "sigmoid(-d)")]
    for graph, reward in zip(graphs, (5.0, 1.0, REJECTED, 2.0, 3.0), strict=True):
        searcher.tell(graph, reward, None)
    assert list(searcher.members) == [(graphs[1], 1.0), (graphs[3], 2.0), (graphs[4], 3.0)]


def test_errors():
    with pytest.raises(ParameterError, match="population=1"):
        Evolution(SPACE, population=1)
    with pytest.raises(ParameterError, match=r"unknown searcher 'evolve'\. Known: controller, evolution, random"):
        SEARCHERS["evolve"]


def test_a_measured_loss_enters_however_bad():
    evolution = Evolution(Space())
    evolution.tell(evolution.space.encode("exp(-d)"), -7.5, "clearly worse")  # of DCG, which has no bounds
    evolution.tell(evolution.space.encode("exp(d)"), REJECTED, "reversed")
    assert [reward for _, reward in evolution.members] == [-7.5]
