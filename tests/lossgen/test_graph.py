"""Programs: they say what their expression says, and no change or crossing leaves the space."""

import numpy as np
import pytest

from gbrank import ParameterError
from gbrank.lossgen import KNOWN, Graph, Node, Space
from gbrank.lossgen._changes import CHANGES, change_constant, crossed, delete, insert, mutated
from gbrank.objectives._expressions import parse

SPACE = Space()


def draws(n, seed=0, space=SPACE):
    rng = np.random.default_rng(seed)
    return rng, [space.random(rng) for _ in range(n)]


@pytest.mark.parametrize(("kind", "loss"), [(kind, loss) for kind, losses in KNOWN.items() for loss in losses])
def test_known_losses_are_programs(kind, loss):
    graph = Space(kind).encode(loss)
    assert graph.expression() == parse(loss)
    assert graph.space.read(graph.text()) == graph


def test_delta_ndcg_is_one_input():
    assert len(SPACE.encode("softplus(-d) * (dG * dD / IDCG)").nodes) == 3
    assert len(Space(leaves=("d", "dG", "dD", "IDCG")).encode("softplus(-d) * (dG * dD / IDCG)").nodes) == 6


def test_encode_writes_a_shared_part_once_and_takes_constants():
    graph = Space(constants=(1.0, 1.0)).encode("exp(-d) + 3 * exp(-d) + 1")
    assert [graph.space.operators[node.operator] for node in graph.nodes].count("exp") == 1
    assert sorted(graph.constants) == [1.0, 3.0]


def test_random_programs_are_what_they_say():
    _, graphs = draws(300)
    for graph in graphs:
        expression = graph.expression() if graph.size <= 100 else None
        assert 1 <= len(graph.nodes) <= SPACE.n_nodes
        assert graph.pruned() == graph == SPACE.read(graph.text())
        if expression is not None:
            assert expression.size == graph.size
            assert "d" in expression.names
    assert len({graph.text() for graph in graphs}) > 150
    assert {len(graph.nodes) for graph in graphs} >= set(range(1, 7))


def test_pruning_keeps_the_loss():
    dead = SPACE.graph([Node(8, 0), Node(4, 0), Node(9, SPACE.n_inputs + 1)], constants=(5.0, 6.0))
    assert str(dead.expression()) == "softplus(-d)"
    assert dead.pruned() == SPACE.graph([Node(4, 0), Node(9, SPACE.n_inputs)])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_changes_stay_in_the_space(change):
    rng, graphs = draws(200, seed=1)
    changed = [change(graph, rng) for graph in graphs]  # a wrong one raises
    assert sum(new != old for new, old in zip(changed, graphs, strict=True)) > (10 if change is change_constant else 60)


def test_insert_and_delete_are_of_one_node():
    rng, graphs = draws(200, seed=2)
    for graph in graphs:
        n = len(graph.nodes)
        assert len(insert(graph, rng).nodes) == min(n + 1, SPACE.n_nodes)
        assert len(delete(graph, rng).nodes) <= n


def test_inserting_between_keeps_all_else():
    graph = SPACE.encode("softplus(-d)")
    rng = np.random.default_rng(0)
    found = {str(insert(graph, rng).expression()) for _ in range(400)}
    assert {"softplus(-exp(d))", "softplus(exp(-d))", "exp(softplus(-d))"} <= found
    assert {"softplus(d)", "-d"} == {str(delete(graph, rng).expression()) for _ in range(30)}


def test_mutation_changes_and_crossing_joins():
    rng, graphs = draws(100, seed=3)
    assert all(mutated(graph, rng) != graph for graph in graphs)
    one, other = SPACE.encode("tanh(ri)"), SPACE.encode("softplus(-d)")
    found = {str(crossed(one, other, rng).expression()) for _ in range(50)}
    assert found == {"softplus(tanh(ri))", "softplus(-tanh(ri))"}
    for first, second in zip(graphs[::2], graphs[1::2], strict=True):
        assert len(crossed(first, second, rng).nodes) <= SPACE.n_nodes


def test_crossing_keeps_the_constants_of_the_second():
    one = SPACE.graph(SPACE.encode("d * 1").nodes, constants=(7.0, 2.0))
    other = SPACE.graph(SPACE.encode("d + 1").nodes, constants=(3.0, 2.0))
    values = {crossed(one, other, np.random.default_rng(seed)).constants[0] for seed in range(20)}
    assert values <= {3.0, 7.0}  # 7 where the constant of the second is what was replaced
    assert 3.0 in values


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Space(operators=("add", "exponent")), "unknown operator 'exponent'"),
        (lambda: Space(leaves=("dG", "dD")), "none has the score"),
        (lambda: Space("point", leaves=("s", "dG")), "unknown leaf of a point 'dG'"),
        (lambda: Space("pairs"), "kind='pairs'"),
        (lambda: Space(n_nodes=0), "n_nodes=0"),
        (lambda: SPACE.encode("d"), "takes 0 nodes"),
        (lambda: SPACE.encode("1 * d + 2 * ri + 3"), "the constant 3"),
        (lambda: SPACE.encode("s"), "unknown leaf of the space 's'"),
        (lambda: Space(operators=("exp",)).encode("exp(-d)"), "unknown operator of the space 'negate'"),
        (lambda: Space(n_nodes=1).encode("exp(-d)"), "takes 2 nodes"),
        (lambda: SPACE.graph([]), "a program of 0 nodes"),
        (lambda: SPACE.graph([(4, SPACE.n_inputs)]), "must stand before it"),
        (lambda: SPACE.graph([(0, 1, -2)]), "must stand before it"),
        (lambda: SPACE.graph([(99, 1)]), "operator 99"),
        (lambda: Graph(SPACE, (Node(4, 0),), (1.0,)), "1 constants: the space has 2"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
