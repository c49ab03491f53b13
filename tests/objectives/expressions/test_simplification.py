"""The canonical form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank.objectives._expressions import LEAVES, Unary, parse

LEAVES_TRIED = {name: np.random.default_rng(1).uniform(0.2, 3, 40) for name in LEAVES["pair"]} | {
    "d": np.linspace(-9, 9.3, 40)
}


def far_from_limits(e):
    """Tell whether every part has moderate values, and no argument is at the edge of a domain."""
    sizes = [np.abs(np.concatenate(node.evaluate(LEAVES_TRIED))).max() for node in e.nodes()]
    edges = [node.x for node in e.nodes() if isinstance(node, Unary) and node.op in ("log", "inverse")]
    return max(sizes) < 1e20 and all(np.abs(x.evaluate(LEAVES_TRIED)[0]).min() > 1e-3 for x in edges)


@given(st.integers(0, 2**40))
def test_it_is_final_and_the_same_loss(random_expression, seed):
    e = random_expression(seed)
    simple = e.canonical()
    assert simple.canonical() == simple
    assert simple.names <= e.names
    if far_from_limits(e):
        for before, after in zip(e.evaluate(LEAVES_TRIED), simple.evaluate(LEAVES_TRIED), strict=True):
            np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-7 * (1 + np.abs(before).max()))


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("log(1 + exp(-d)) * abs(dG) * abs(dD) / IDCG", "dD * dG * softplus(-d) / IDCG"),
        ("-log(sigmoid(d))", "softplus(-d)"),
        ("1 / (1 + exp(d))", "sigmoid(-d)"),
        ("1 / exp(d)", "exp(-d)"),
        ("max(0, 1 - d)", "max(0, 1 - d)"),
        ("max(1 - d, 0) * 1 + 0", "max(0, 1 - d)"),
        ("(s - y)**2 / 2", "0.5 * (s - y)**2"),
        ("-(s - y)", "y - s"),
        ("d + d - 2 * d", "0"),
        ("d * dG * d", "dG * d**2"),
        ("abs(-2 * d)", "2 * abs(d)"),
        ("(-d)**2 + abs(d)**2", "2 * d**2"),
        ("min(dG, -1) * d", "-d"),
        ("max(dG, -1) * d", "d * dG"),
        ("2 * 3 * d / 4", "1.5 * d"),
        ("d / dG / IDCG", "d / (IDCG * dG)"),
        ("exp(2) * tanh(-d) * 0", "0"),
        ("max(1, max(d, 2), abs(dG))", "max(max(2, d), dG)"),
    ],
)
def test_simplest_forms(text, simple):
    assert str(parse(text).canonical()) == simple


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dG * (d + 1) * dD", "dD * dG * (1 + d)"),
        ("max(max(d, dG), 0)", "max(d, max(0, dG))"),
        ("d - (dD - dG)", "dG + d - dD"),
        ("d * -dG", "-(d * dG)"),
        ("1 / d / dG", "1 / (dG * d)"),
    ],
)
def test_orders_and_brackets_do_not_matter(one, other):
    assert parse(one).canonical() == parse(other).canonical()
