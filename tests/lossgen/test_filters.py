"""The grid: it lets good losses through, says what is wrong with bad ones, and knows equal gradients."""

import numpy as np
import pytest

from gbrank.lossgen import KNOWN, REASONS, Space
from gbrank.lossgen._filters import Grid, rescaled, too_large
from gbrank.objectives._expressions import LEAVES, parse

GRID = {kind: Grid(kind) for kind in LEAVES}


def judge(loss, kind="pair"):
    return GRID[kind].judge(parse(loss).canonical())


@pytest.mark.parametrize(("kind", "loss"), [(kind, loss) for kind, losses in KNOWN.items() for loss in losses])
def test_known_losses_pass(kind, loss):
    assert judge(loss, kind).reason is None


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        ("dG * dD", "scoreless"),
        ("softplus(d)", "reversed"),
        ("d**2 + 0.1 * d", "reversed"),
        ("softplus(-d) * (dY - 2)", "reversed"),
        ("1 / (d + 5)", "reversed"),  # its slope is negative everywhere, and it rises over the pole at -5
        ("max(0, -d - 1)", "flat"),
        ("d**2", "flat"),
        ("exp(exp(-d))", "overflow"),
        ("exp(-d) * 1e-40", "flat"),
    ],
)
def test_bad_losses_of_pairs(loss, reason):
    assert judge(loss).reason == reason
    assert reason in REASONS


@pytest.mark.parametrize(("loss", "reason"), [("(s + y)**2", "reversed"), ("s**2 + y", "flat"), ("-s * y**2", None)])
def test_losses_of_documents(loss, reason):
    assert judge(loss, "point").reason == reason


def test_equal_gradients_are_known_whatever_the_factor_or_what_is_added():
    ranknet = judge("softplus(-d)").fingerprint
    for same in ("log(1 + exp(-d))", "8 * softplus(-d)", "softplus(d) - d + ri", "0.001 * softplus(-d) + IDCG"):
        assert judge(same).fingerprint == ranknet
    for other in ("softplus(-2 * d)", "exp(-d)", "softplus(-d) * dG", "softplus(-1.01 * d)"):
        assert judge(other).fingerprint != ranknet


def test_slopes_far_from_one_are_brought_near():
    for loss in ("1e-9 * exp(-d)", "1e9 * exp(-d)"):
        verdict = judge(loss)
        mean = np.abs(rescaled(parse(loss), verdict.factor).evaluate({"d": np.linspace(-3, 3, 25)})[1]).mean()
        assert 0.5 < mean < 8
    assert judge("exp(-d)").factor == 1.0


@pytest.mark.parametrize("kind", ["pair", "point"])
def test_no_random_program_raises(kind):
    space, rng, reasons = Space(kind), np.random.default_rng(0), set()
    for _ in range(800):
        graph = space.random(rng)
        if not too_large(graph):
            reasons.add(GRID[kind].judge(graph.expression().canonical()).reason)
    assert reasons <= {None, *REASONS}
    assert {None, "flat", "reversed"} <= reasons
