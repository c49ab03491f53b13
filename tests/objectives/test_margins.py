"""Losses that are given the exponential of the margin are the losses of the margin."""

import numpy as np
import pytest

from gbrank.objectives import _margins, _pairwise

D = np.concatenate([np.linspace(-40, 40, 801), [-250.0, 250.0, 0.0]])


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("logistic", (1.0,)),
        ("logistic", (2.0,)),
        ("exponential", ()),
        ("focal", (0.0, 1.0)),
        ("focal", (1.5, 2.0)),
        ("focal_squared", (2.0, 0.5)),
    ],
)
def test_of_ratio(name, params):
    steepness = params[-1] if params else 1.0
    _, *want = getattr(_pairwise, name)(D, *params)
    got = getattr(_margins, f"{name}_of_ratio")(D, np.exp(-steepness * D), *params)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-15)
