"""How programs are varied: changes of one, and crossing two."""

from __future__ import annotations

import numpy as np

from ._graph import NONE, Graph, Node, Space

TRIES = 20


def mutated(graph: Graph, rng: np.random.Generator) -> Graph:
    """Return the program with one change: an operator, an input, a node more or less, or a constant."""
    graph = graph.pruned()
    for _ in range(TRIES):
        change = CHANGES[int(rng.integers(len(CHANGES)))]
        changed = change(graph, rng).pruned()
        if changed != graph:
            return changed
    return graph


def crossed(one: Graph, other: Graph, rng: np.random.Generator) -> Graph:
    """Return `other` with one of its inputs replaced by a part of `one`; of constants of both, those of `other` stay.

    Where the result would be too long, `other` itself.
    """
    one, other, space = one.pruned(), other.pruned(), one.space
    for _ in range(TRIES):
        last = int(rng.integers(len(one.nodes)))
        part = Graph(space, one.nodes[: last + 1], one.constants).pruned()
        shift = len(part.nodes)
        place = int(rng.integers(len(other.nodes)))
        slot = int(rng.integers(len(other.inputs(place))))
        moved = {space.n_inputs + k: space.n_inputs + shift + k for k in range(len(other.nodes))}
        nodes = [other.renumbered(k, moved) for k in range(len(other.nodes))]
        nodes[place] = _with_input(nodes[place], slot, space.n_inputs + shift - 1)
        used, begin = other.used(), len(space.leaves)
        both = zip(one.constants, other.constants, strict=True)
        constants = [own if begin + k in used else added for k, (added, own) in enumerate(both)]
        child = _without_dead(space, (*part.nodes, *nodes), constants)
        if child is not None:
            return child
    return other


def _without_dead(space: Space, nodes: tuple[Node, ...], constants: list[float]) -> Graph | None:
    """Return the pruned program, or None if even this is too long for the space."""
    roomy = Space(space.kind, space.leaves, space.operators, space.constants, max(len(nodes), space.n_nodes))
    short = Graph(roomy, nodes, tuple(constants)).pruned()
    return Graph(space, short.nodes, short.constants) if len(short.nodes) <= space.n_nodes else None


def _with_input(node: Node, slot: int, value: int) -> Node:
    return node._replace(second=value) if slot else node._replace(first=value)


def _with_node(graph: Graph, place: int, node: Node) -> Graph:
    return Graph(graph.space, (*graph.nodes[:place], node, *graph.nodes[place + 1 :]), graph.constants)


def change_operator(graph: Graph, rng: np.random.Generator) -> Graph:
    """Give a node another operator; a second input is drawn or dropped as that needs."""
    space, place = graph.space, int(rng.integers(len(graph.nodes)))
    operator, node = int(rng.integers(len(space.operators))), graph.nodes[place]
    second = NONE
    if space.arities[operator] == 2:
        second = node.second if node.second != NONE else space.random_input(rng, place)
    return _with_node(graph, place, Node(operator, node.first, second))


def change_input(graph: Graph, rng: np.random.Generator) -> Graph:
    """Give a node another input."""
    place = int(rng.integers(len(graph.nodes)))
    slot = int(rng.integers(len(graph.inputs(place))))
    return _with_node(graph, place, _with_input(graph.nodes[place], slot, graph.space.random_input(rng, place)))


def insert(graph: Graph, rng: np.random.Generator) -> Graph:
    """Put a new node between a node and one of its inputs, or at the end, where there is room."""
    space, n = graph.space, len(graph.nodes)
    if n == space.n_nodes:
        return graph
    place = int(rng.integers(n, endpoint=True))
    node, here = space.random_node(rng, place), space.n_inputs + place
    moved = {space.n_inputs + k: space.n_inputs + k + 1 for k in range(place, n)}
    later = [graph.renumbered(k, moved) for k in range(place, n)]
    if place == n:
        node = node._replace(first=here - 1)
    else:
        slot = int(rng.integers(len(graph.inputs(place))))
        node = node._replace(first=(later[0].first, later[0].second)[slot])
        later[0] = _with_input(later[0], slot, here)
    return Graph(space, (*graph.nodes[:place], node, *later), graph.constants)


def delete(graph: Graph, rng: np.random.Generator) -> Graph:
    """Take a node out; one of its inputs takes its place."""
    space, n = graph.space, len(graph.nodes)
    if n == 1:
        return graph
    place = int(rng.integers(n))
    heir = graph.inputs(place)[int(rng.integers(len(graph.inputs(place))))]
    if place == n - 1:
        if heir < space.n_inputs:
            return graph
        return Graph(space, graph.nodes[: heir - space.n_inputs + 1], graph.constants)
    moved = {space.n_inputs + place: heir} | {space.n_inputs + k: space.n_inputs + k - 1 for k in range(place + 1, n)}
    return Graph(
        space, (*graph.nodes[:place], *(graph.renumbered(k, moved) for k in range(place + 1, n))), graph.constants
    )


def change_constant(graph: Graph, rng: np.random.Generator) -> Graph:
    """Multiply one of the constants that count by the exponential of a normal draw of deviation 1/2."""
    begin = len(graph.space.leaves)
    counting = [k for k in range(len(graph.constants)) if begin + k in graph.used()]
    if not counting:
        return graph
    chosen = counting[int(rng.integers(len(counting)))]
    factor = float(np.exp(0.5 * rng.standard_normal()))
    values = [value * factor if k == chosen else value for k, value in enumerate(graph.constants)]
    return Graph(graph.space, graph.nodes, tuple(values))


CHANGES = (change_operator, change_input, insert, delete, change_constant)
