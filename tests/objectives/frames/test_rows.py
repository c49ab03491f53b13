"""The frame of losses with several outputs: functions of a user's own run on both engines alike."""

import numpy as np

from gbrank.objectives import Targets
from gbrank.objectives._frames.points import LEAST_CURVATURE
from gbrank.objectives._frames.rows import RowBound


def coupled(y, s, g, h, scale):
    """Squared differences of the outputs from the label and from their neighbours."""
    value = 0.0 * s[0]
    for k in range(len(s)):
        left = s[k] - (s[k - 1] if k > 0 else y)
        right = (s[k + 1] if k + 1 < len(s) else y) - s[k]
        value = value + scale * left**2
        g[k] = 2 * scale * (left - right)
        h[k] = np.where(y > 1, 4 * scale, -1.0)
    return value


def test_a_plain_numpy_function_runs_on_both_engines_alike():
    rng = np.random.default_rng(0)
    y, s, w = rng.integers(0, 3, 9000) * 1.0, rng.normal(size=(9000, 3)), rng.uniform(0, 2, 9000)
    targets = Targets(y, np.array([0, 2000, 9000]), w)
    a, b = (RowBound(coupled, (0.5,), np.zeros(3), y, targets, e, None) for e in ("numpy", "compiled"))
    np.testing.assert_allclose(a.gradient_hessian(s, 0), b.gradient_hessian(s, 0), rtol=1e-12, atol=1e-14)
    assert (b.gradient_hessian(s, 0)[1] >= LEAST_CURVATURE * w[:, None]).all()
    value = 0.5 * ((s[:, 0] - y) ** 2 + (np.diff(s, axis=1) ** 2).sum(axis=1)) * w
    np.testing.assert_allclose(a.loss(s), [value[:2000].sum(), value[2000:].sum()])


def test_scores_in_the_order_of_columns_are_taken():
    y, s = np.array([0.0, 2, 1]), np.random.default_rng(1).normal(size=(3, 2))
    bound = RowBound(coupled, (1.0,), np.zeros(2), y, Targets(y, np.array([0, 3])), "compiled", 1)
    np.testing.assert_array_equal(bound.gradient_hessian(np.asfortranarray(s), 0), bound.gradient_hessian(s, 0))
