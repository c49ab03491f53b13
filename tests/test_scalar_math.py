"""Scalar twins of NumPy's functions: every digit of NumPy's, and its special values."""

import math

import numpy as np
import pytest
from scipy.special import expit

from gbrank import _scalar_math
from gbrank._compile import kernel_with

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e-300, 1e300, 709.0, 710.0, -707.0, -800.0, 1e-17, 500, -500]


def _of(x):
    raise NotImplementedError


def _each(x, out):
    for i in range(len(x)):
        out[i] = _of(x[i])


def compiled(function, x):
    out = np.empty(len(x))
    kernel_with(_each, _of=function)(np.asarray(x, dtype=np.float64), out)
    return out


def numbers(seed=0):
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.uniform(-700, 700, 4000))
    return np.concatenate([SPECIAL, rng.normal(size=4000) * 10, rng.normal(size=4000) * 1e-4, spread, -spread])


@pytest.mark.parametrize(
    ("function", "twin"),
    [
        (lambda x: np.exp(x), np.exp),
        (lambda x: np.log(x), np.log),
        (lambda x: np.log1p(x), np.log1p),
        (lambda x: np.expm1(x), np.expm1),
        (lambda x: np.tanh(x), np.tanh),
        (lambda x: np.sign(x), np.sign),
        (lambda x: np.square(x), np.square),
        (lambda x: np.maximum(x, 0.5), lambda x: np.maximum(x, 0.5)),
        (lambda x: np.minimum(x, 0.5), lambda x: np.minimum(x, 0.5)),
        (lambda x: np.clip(x, -1.0, 2.0), lambda x: np.clip(x, -1.0, 2.0)),
        (lambda x: np.where(x > 0, x, -1.0), lambda x: np.where(x > 0, x, -1.0)),
        (lambda x: np.logaddexp(0.0, x), lambda x: np.logaddexp(0.0, x)),
        (lambda x: expit(x), expit),
        (lambda x: np.power(abs(x), 1.5), lambda x: np.power(abs(x), 1.5)),
    ],
)
def test_equals_numpy(function, twin):
    x = numbers()
    with np.errstate(all="ignore"):
        want = twin(x)
    got = compiled(function, x)
    # Numbers so small that they have lost digits themselves are 0 here; powers of 1e300 lose three digits.
    normal = ~(np.abs(want) < 2.3e-308)
    np.testing.assert_allclose(
        got[normal], want[normal], rtol=1e-15 if "power" not in repr(function.__code__.co_names) else 3e-13
    )
    assert (np.abs(got[~normal]) < 2.3e-308).all()


def test_a_function_may_call_others_and_use_constants_and_closures():
    scale = 2.0

    def helper(x):
        return np.exp(-x) * scale

    def function(x):
        return helper(x) + math.pi + np.log1p(abs(x))

    x = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(compiled(function, x), function(x), rtol=1e-14)


def test_the_loop_is_as_exact_inside_a_function_that_may_reorder():
    """Flags of a caller must not reach into the polynomials, whose sums have to be done in their order."""
    x = np.linspace(-30, 30, 1000)
    got = compiled(lambda x: 1.0 / (1.0 + np.exp(x)), x)
    np.testing.assert_allclose(got, 1 / (1 + np.exp(x)), rtol=1e-15)


def test_every_twin_is_a_name_of_numpy_or_scipy():
    assert all(hasattr(np, name) or name == "expit" for name in _scalar_math.TWINS)
    assert _scalar_math.as_numpy().pi == np.pi
