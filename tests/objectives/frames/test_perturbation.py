"""Noise has the distribution that it is named after, and is the same on both engines."""

import numpy as np
import pytest
from scipy import stats

from gbrank.objectives import YetiLoss
from gbrank.objectives._frames.perturbation import NOISES, drawn

DISTRIBUTIONS = {"gumbel": stats.gumbel_r, "logistic": stats.logistic, "gauss": stats.norm}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name):
    values = drawn(NOISES[name], 5, 40, 500)
    assert values.shape == (40, 500)
    assert stats.kstest(values.ravel(), DISTRIBUTIONS[name].cdf).pvalue > 1e-3
    assert abs(np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1]) < 0.03
    np.testing.assert_array_equal(values, drawn(NOISES[name], 5, 40, 500))
    assert not np.isin(values, drawn(NOISES[name], 6, 40, 500)).any()


def test_no_noise():
    np.testing.assert_array_equal(drawn(NOISES["none"], 0, 2, 3), np.zeros((2, 3)))


@pytest.mark.parametrize("name", NOISES)
def test_engines_draw_the_same(name):
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 3, 100), rng.normal(size=100)
    a, b = (YetiLoss(noise=name).gradient_hessian(y, score, [0, 40, 100], engine=e) for e in ("numpy", "compiled"))
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-15)
