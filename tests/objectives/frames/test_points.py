"""The frame of pointwise losses: functions of a user's own, and the floor."""

import numpy as np

from gbrank.objectives import Targets
from gbrank.objectives._frames.points import LEAST_CURVATURE, PointBound


def cauchy(y, s, width):
    """A loss with `np.where`, constants and a hessian that turns negative."""
    d = (s - y) / width
    return np.log1p(d * d), 2 * d / (1 + d * d) / width, 2 * (1 - d * d) / (1 + d * d) ** 2 / width**2


def constant(y, s):
    """A loss whose derivatives are numbers, not arrays."""
    return 0.0 * s, np.where(s > y, 1.0, -1.0), 1.0


def test_a_plain_numpy_function_runs_on_both_engines_alike():
    rng = np.random.default_rng(0)
    y, s = rng.normal(size=5000), rng.normal(size=5000) * 5
    targets = Targets(y, np.array([0, 2000, 5000]))
    for function, params in ((cauchy, (2.0,)), (constant, ())):
        a, b = (PointBound(function, params, y, targets, e, None).gradient_hessian(s, 0) for e in ("numpy", "compiled"))
        np.testing.assert_allclose(a, b, rtol=1e-12)
        assert (b[1] >= LEAST_CURVATURE).all()
