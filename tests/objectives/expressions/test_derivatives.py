"""What operators mean, and their derivatives."""

import numpy as np
import pytest

from gbrank.objectives._expressions import LEAVES, parse
from gbrank.objectives._expressions.derivatives import LEAST, LIMIT, usable

EXTREME = np.array([0.0, 1e-300, -1e-300, 1.0, -1.0, 30.0, -700.0, 1e5, -1e17, 1e99, -1e200, 1e308])


def test_derivatives_are_those_of_the_value(random_expression):
    """Difference quotients of 10,000 expressions, where those of two steps agree: not at kinks, nor at limits."""
    at, steps = np.array([-3.217, -0.418, 0.0931, 2.633]), (1e-5, 2e-5)
    points = np.concatenate([at, *(at + sign * step for step in steps for sign in (1, -1))])
    rng = np.random.default_rng(0)
    others = {name: rng.uniform(0.1, 3, 4)[np.arange(20) % 4] for name in LEAVES["pair"]}
    compared = 0
    for seed in range(10_000):
        parts = random_expression(seed, deepest=4).evaluate(others | {"d": points})
        for lower, slope in ((parts[0], parts[1]), (parts[1], parts[2])):
            centre, up, down, up2, down2 = lower.reshape(5, 4)
            near, far = (up - down) / (2 * steps[0]), (up2 - down2) / (2 * steps[1])
            scale = 1 + np.abs(centre) + np.abs(near)
            smooth = (np.abs(near - far) < 1e-5 * scale) & (scale < 1e8)
            smooth &= np.abs(up - 2 * centre + down) < 1e-8 * scale
            np.testing.assert_allclose((near - slope[:4])[smooth] / scale[smooth], 0, atol=1e-4)
            compared += smooth.sum()
    assert compared > 60_000


@pytest.mark.parametrize(
    ("text", "d", "value", "d1", "d2"),
    [
        ("log(d)", -1.0, np.log(LEAST), 0, 0),
        ("log(d)", 2.0, np.log(2), 1 / 2, -1 / 4),
        ("1 / d", 0.0, 1e100, 0, 0),
        ("1 / d", -2.0, -1 / 2, -1 / 4, -1 / 4),
        ("exp(d)", 231.0, np.exp(230), 0, 0),
        ("exp(d) * exp(d)", 200.0, LIMIT, 0, 0),
        ("abs(d)", 0.0, 0, 0, 0),
        ("max(0, d)", 0.0, 0, 0.5, 0),
        ("min(d**2, d)", 0.0, 0, 0.5, 1),
        ("tanh(d)", 0.5, np.tanh(0.5), np.cosh(0.5) ** -2, -2 * np.tanh(0.5) * np.cosh(0.5) ** -2),
        ("softplus(d)", -3.0, np.log1p(np.exp(-3)), 1 / (1 + np.exp(3)), np.exp(3) / (1 + np.exp(3)) ** 2),
        ("sigmoid(d)", 0.0, 1 / 2, 1 / 4, 0),
    ],
)
def test_values_at_edges(text, d, value, d1, d2):
    got = parse(text).evaluate({"d": d})
    np.testing.assert_allclose([float(part) for part in got], [value, d1, d2], rtol=1e-14)


def test_every_number_is_finite(random_expression):
    """Whatever the expression and its leaves: no NaN, no infinity, and a curvature that is not negative."""
    leaves = {name: np.roll(EXTREME, shift) for shift, name in enumerate(LEAVES["pair"])}
    for seed in range(3000):
        value, d1, d2 = random_expression(seed + 10**6, deepest=9).evaluate(leaves)
        assert all(np.abs(part).max() <= 1e100 for part in (value, d1, d2))
        slope, curvature = usable(d1, d2)
        assert np.abs(slope).max() <= 1e15
        assert curvature.min() >= 0
        assert (curvature >= 1e-12 * np.abs(slope)).all()


def test_surrogate_where_the_loss_does_not_bend_up():
    slope, curvature = usable(np.array([-1.0, -1.0, -2.0, 0.0]), np.array([0.25, 0.0, -3.0, 0.0]))
    assert slope.tolist() == [-1, -1, -2, 0]
    assert curvature.tolist() == [0.25, 1, 2, 0]
