"""Random expressions."""

import random

import pytest

from gbrank import ParameterError
from gbrank.objectives._expressions import LEAVES, OPERATORS, Binary, Constant, Leaf, Unary
from gbrank.objectives._expressions.nodes import VARIABLE

NAMES = tuple(OPERATORS)
CONSTANTS = (0.0, 1.0, 2.0, -1.0, 0.5, -2.5, 1e-5, 1e22)


def grown(rng, levels, kind):
    if levels <= 0 or rng.random() < 0.1:
        if rng.random() < 0.75:
            return Leaf(VARIABLE[kind] if rng.random() < 0.5 else rng.choice(LEAVES[kind]))
        return Constant(rng.choice(CONSTANTS) if rng.random() < 0.7 else rng.gauss())
    op = rng.choice(NAMES)
    if OPERATORS[op] == 1:
        return Unary(op, grown(rng, levels - 1, kind))
    return Binary(op, grown(rng, levels - 1, kind), grown(rng, levels - 2, kind))


@pytest.fixture(scope="session")
def random_expression():
    """Return what makes a random expression of a seed."""

    def make(seed, *, deepest=6, kind="pair"):
        rng = random.Random(seed)
        while True:
            try:
                return grown(rng, rng.randint(1, deepest), kind)
            except ParameterError:  # too large
                continue

    return make
