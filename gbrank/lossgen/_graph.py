"""Programs of operators: the form in which a loss is drawn, varied and crossed.

A program is a list of nodes, each an operator on inputs that stand before it, as in AutoLossGen (Li et al., SIGIR
2022) and AutoLoss-Zero (Li et al., CVPR 2022).  Inputs are numbered: first the leaves, then the constants, then the
nodes.  The last node is the loss; nodes that it does not need are allowed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from .._checks import ParameterError, check_choice, check_whole
from .._registry import unknown
from ..objectives._expressions import (
    LEAVES,
    OPERATORS,
    Binary,
    Constant,
    Expression,
    Leaf,
    Unary,
    parse,
)
from ..objectives._expressions.nodes import VARIABLE

NONE = -1
DELTA_NDCG = "dG * dD / IDCG"
DEFAULT_LEAVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {kind: (*LEAVES[kind], *((DELTA_NDCG,) if kind == "pair" else ())) for kind in VARIABLE}
)
"""What programs read by default: the leaves of their kind, and for pairs what a swap changes in NDCG."""


class Node(NamedTuple):
    """An operator, by its number in the space, and the numbers of its inputs; `second` is -1 where it has one."""

    operator: int
    first: int
    second: int = NONE


@dataclass(frozen=True)
class Space:
    """What programs are made of.

    Parameters
    ----------
    kind : {"pair", "point"}
        Losses of a pair's score difference d, or of a document's score s and label y.
    leaves : tuple of str, optional
        What a program may read: names of leaves, or expressions of them that count as one; `DEFAULT_LEAVES` of the kind
        by default.
    operators : tuple of str, optional
        All by default.
    constants : tuple of float
        What the constants of a program are at first: it has so many, and may vary them.
    n_nodes : int
        Nodes of a program at most.

    Raises
    ------
    ParameterError
        A leaf or operator that there is not; none with the score; none with two inputs.

    Examples
    --------
    >>> space = Space(n_nodes=4)
    >>> print(space.encode("softplus(-d)").expression())
    softplus(-d)
    """

    kind: str = "pair"
    leaves: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    constants: tuple[float, ...] = (1.0, 2.0)
    n_nodes: int = 10

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, tuple(VARIABLE))
        check_whole("n_nodes", self.n_nodes)
        object.__setattr__(self, "leaves", tuple(self.leaves) or DEFAULT_LEAVES[self.kind])
        object.__setattr__(self, "operators", tuple(self.operators) or tuple(OPERATORS))
        object.__setattr__(self, "constants", tuple(float(value) for value in self.constants))
        for name in self.operators:
            if name not in OPERATORS:
                raise unknown("operator", name, OPERATORS)
        names = set().union(*(leaf.names for leaf in self.leaf_expressions))
        for name in sorted(names):
            if name not in LEAVES[self.kind]:
                raise unknown(f"leaf of a {self.kind}", name, LEAVES[self.kind])
        if VARIABLE[self.kind] not in names:
            raise ParameterError(
                f"leaves={self.leaves}: none has the score, so no loss would have a slope; add {VARIABLE[self.kind]!r}."
            )

    @functools.cached_property
    def leaf_expressions(self) -> tuple[Expression, ...]:
        """The leaves as expressions."""
        return tuple(parse(leaf) for leaf in self.leaves)

    @functools.cached_property
    def arities(self) -> tuple[int, ...]:
        """Number of inputs of each operator."""
        return tuple(OPERATORS[name] for name in self.operators)

    @functools.cached_property
    def scores(self) -> frozenset[int]:
        """Numbers of the leaves with the score."""
        return frozenset(k for k, leaf in enumerate(self.leaf_expressions) if VARIABLE[self.kind] in leaf.names)

    @property
    def n_inputs(self) -> int:
        """Leaves and constants: the number of the first node."""
        return len(self.leaves) + len(self.constants)

    def graph(self, nodes: Any, constants: Any = None) -> Graph:
        """Return the program of these nodes, with the space's constants where none are given.

        Raises
        ------
        ParameterError
            No node or too many; an operator that there is not; an input that does not stand before its node.
        """
        values = self.constants if constants is None else tuple(float(value) for value in constants)
        return Graph(self, tuple(Node(*map(int, node)) for node in nodes), values)

    def random(self, rng: np.random.Generator) -> Graph:
        """Return a random program that reads the score, without nodes that do not count.

        The number of nodes is uniform before these are left out; for inputs see `random_input`.
        """
        while True:
            nodes: list[Node] = []
            for _ in range(rng.integers(1, self.n_nodes, endpoint=True)):
                nodes.append(self.random_node(rng, len(nodes)))
            graph = Graph(self, tuple(nodes), self.constants)
            if graph.used() & self.scores:
                return graph.pruned()

    def random_node(self, rng: np.random.Generator, place: int) -> Node:
        """Return a random node for the place of that number."""
        operator = int(rng.integers(len(self.operators)))
        first = self.random_input(rng, place)
        return Node(operator, first, self.random_input(rng, place) if self.arities[operator] == 2 else NONE)

    def random_input(self, rng: np.random.Generator, place: int) -> int:
        """Return a random input of a node at that place: a node in half of the draws, the score in a sixth."""
        kind = rng.random()
        if place and kind < 1 / 2:
            return self.n_inputs + int(rng.integers(place))
        if kind > 5 / 6:
            return sorted(self.scores)[int(rng.integers(len(self.scores)))]
        return int(rng.integers(self.n_inputs))

    def encode(self, expression: Expression | str) -> Graph:
        """Return the program of an expression.

        Raises
        ------
        ParameterError
            The expression has a leaf or operator that the space does not have, too many nodes or constants, or is a
            leaf alone.
        """
        return _Encoding(self).graph(parse(expression) if isinstance(expression, str) else expression)

    def read(self, text: str) -> Graph:
        """Return the program that `Graph.text` wrote."""
        nodes, constants = json.loads(text)
        return self.graph(nodes, constants)


@dataclass(frozen=True)
class Graph:
    """A program of a `Space`; `constants` are its own values of the space's constants."""

    space: Space
    nodes: tuple[Node, ...]
    constants: tuple[float, ...]

    def __post_init__(self) -> None:
        space = self.space
        if not 1 <= len(self.nodes) <= space.n_nodes:
            raise ParameterError(f"a program of {len(self.nodes)} nodes: give 1 to {space.n_nodes}.")
        if len(self.constants) != len(space.constants):
            raise ParameterError(f"{len(self.constants)} constants: the space has {len(space.constants)}.")
        for place, node in enumerate(self.nodes):
            if not 0 <= node.operator < len(space.operators):
                raise ParameterError(f"node {place}: operator {node.operator} of {len(space.operators)} is not there.")
            inputs = self.inputs(place)
            if not all(0 <= each < space.n_inputs + place for each in inputs) or node.second < NONE:
                raise ParameterError(f"node {place}: inputs {inputs} must stand before it.")

    def inputs(self, place: int) -> tuple[int, ...]:
        """Return the inputs of the node at that place, as many as its operator has."""
        node = self.nodes[place]
        return (node.first, node.second)[: self.space.arities[node.operator]]

    @property
    def size(self) -> int:
        """Number of operators and inputs of the expression, in which shared nodes are written out."""
        sizes = [*(leaf.size for leaf in self.space.leaf_expressions), *(1 for _ in self.constants)]
        for place in range(len(self.nodes)):
            sizes.append(1 + sum(sizes[each] for each in self.inputs(place)))
        return sizes[-1]

    def expression(self) -> Expression:
        """Return the loss as it is written, not simplified."""
        made: list[Expression] = [*self.space.leaf_expressions, *map(Constant, self.constants)]
        for place, node in enumerate(self.nodes):
            name, inputs = self.space.operators[node.operator], [made[each] for each in self.inputs(place)]
            made.append(Unary(name, *inputs) if len(inputs) == 1 else Binary(name, *inputs))
        return made[-1]

    def used(self) -> set[int]:
        """Return the numbers of the inputs and nodes that the loss needs."""
        first = self.space.n_inputs
        needed = {first + len(self.nodes) - 1}
        for place in reversed(range(len(self.nodes))):
            if first + place in needed:
                needed.update(self.inputs(place))
        return needed

    def pruned(self) -> Graph:
        """Return the same loss without nodes that do not count; constants that do not count are as in the space."""
        used, first = self.used(), self.space.n_inputs
        kept = [place for place in range(len(self.nodes)) if first + place in used]
        number = {first + place: first + new for new, place in enumerate(kept)}
        nodes = tuple(self.renumbered(place, number) for place in kept)
        begin = len(self.space.leaves)
        constants = [
            own if begin + k in used else usual
            for k, (own, usual) in enumerate(zip(self.constants, self.space.constants, strict=True))
        ]
        return Graph(self.space, nodes, tuple(constants))

    def renumbered(self, place: int, number: Mapping[int, int]) -> Node:
        """Return the node at that place with other numbers for its inputs, where `number` has them."""
        moved = [number.get(each, each) for each in self.inputs(place)]
        return Node(self.nodes[place].operator, *moved)

    def text(self) -> str:
        """Return the program as JSON, for `Space.read`."""
        return json.dumps([[list(node) for node in self.nodes], list(self.constants)], separators=(",", ":"))


class _Encoding:
    """Writes one expression as a program."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.nodes: list[Node] = []
        self.values: list[float | None] = [None] * len(space.constants)
        self.numbers = {leaf: number for number, leaf in enumerate(space.leaf_expressions)}

    def graph(self, expression: Expression) -> Graph:
        last = self.number(expression)
        space = self.space
        if last < space.n_inputs or len(self.nodes) > space.n_nodes:
            raise ParameterError(
                f"{expression.rounded()}: takes {len(self.nodes) if last >= space.n_inputs else 0} nodes; the space "
                f"has programs of 1 to {space.n_nodes}."
            )
        values = [usual if own is None else own for own, usual in zip(self.values, space.constants, strict=True)]
        return Graph(space, tuple(self.nodes), tuple(values))

    def number(self, expression: Expression) -> int:
        """Return the number of the input or node that is the expression, written if it is not there."""
        if expression not in self.numbers:
            self.numbers[expression] = self._write(expression)
        return self.numbers[expression]

    def _write(self, expression: Expression) -> int:
        if isinstance(expression, Leaf):
            raise unknown("leaf of the space", expression.name, self.space.leaves)
        if isinstance(expression, Constant):
            return self._constant(expression.value)
        assert isinstance(expression, Unary | Binary)
        inputs = [self.number(each) for each in expression.arguments]
        if expression.op not in self.space.operators:
            raise unknown("operator of the space", expression.op, self.space.operators)
        self.nodes.append(Node(self.space.operators.index(expression.op), *inputs))
        return self.space.n_inputs + len(self.nodes) - 1

    def _constant(self, value: float) -> int:
        free = [k for k, own in enumerate(self.values) if own is None]
        if not free:
            raise ParameterError(f"the constant {value:g}: the space has {len(self.values)} constants; give it more.")
        slot = next((k for k in free if self.space.constants[k] == value), free[0])
        self.values[slot] = value
        return len(self.space.leaves) + slot
