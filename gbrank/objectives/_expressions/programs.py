"""Expressions as programs: instructions on registers, in one array of numbers.

The array holds ``registers, result, constants, instructions``, the register of each leaf (-1 for one that does not
occur), a register and a value for each constant, and for each instruction the operator, the register that it writes,
and the two that it reads (the same one twice for an operator of one argument).  A node that occurs more than once is
computed once, and a register that is read no more is written again.
"""

from __future__ import annotations

import functools

import numpy as np

from .._base import Vector
from .nodes import LEAVES, OPERATORS, Binary, Constant, Expression, Leaf, Unary

OPCODES = {name: code for code, name in enumerate(OPERATORS)}
HEADER = 4


@functools.lru_cache(maxsize=1024)
def program(expression: Expression, kind: str) -> Vector:
    """Return the program of an expression of one of the kinds of `LEAVES`."""
    nodes = list(dict.fromkeys(_from_leaves(expression)))
    fixed = [node for node in nodes if isinstance(node, Leaf | Constant)]
    register: dict[Expression, int] = {node: place for place, node in enumerate(fixed)}
    steps = [node for node in nodes if node.arguments]
    last_read = {part: step for step, node in enumerate(steps) for part in node.arguments}
    free: list[int] = []
    count, code = len(fixed), []
    for step, node in enumerate(steps):
        if not free:
            free.append(count)
            count += 1
        register[node] = free.pop()  # not one that is read here: what is written may not overlap it
        assert isinstance(node, Unary | Binary)
        first, *others = node.arguments
        code += [OPCODES[node.op], register[node], register[first], register[others[0] if others else first]]
        free += [register[part] for part in dict.fromkeys(node.arguments) if part.arguments and last_read[part] == step]
    constants = [number for node in fixed if isinstance(node, Constant) for number in (register[node], node.value)]
    leaves = [register.get(Leaf(name), -1) for name in LEAVES[kind]]
    head = [count, register[expression], len(constants) // 2, len(steps)]
    return np.array([*head, *leaves, *constants, *code], dtype=np.float64)


def _from_leaves(expression: Expression) -> list[Expression]:
    """Return all nodes, each after those that it is applied to."""
    return [*(node for part in expression.arguments for node in _from_leaves(part)), expression]
