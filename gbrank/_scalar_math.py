"""NumPy's elementwise functions as scalar code without branches, for loops that become vector instructions.

NumPy's own, as the compiler knows them, call the C library once for each number: 2-4 ns, and the loop around them
stays scalar.  These are polynomials, within 3 units in the last place, and cost a fraction of that; only `logaddexp`
near a result of 0, and `power` with large exponents, lose more.  Infinity and NaN are what NumPy makes of them; results
below 2.2e-308 are 0.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ._compile import float_bits, float_of_bits, inlined_fused

LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
# Added to a number below 2**51, this leaves its nearest whole number in the low bits.
ROUNDING = 6755399441055744.0
ROUNDING_BITS = int(np.float64(ROUNDING).view(np.int64))
LOWEST, HIGHEST = -708.0, 709.7
ONE_BITS, MANTISSA = 0x3FF0000000000000, 0x000FFFFFFFFFFFFF
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@inlined_fused
def where(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


@inlined_fused
def maximum(a: Any, b: Any) -> Any:
    return b if (b > a or b != b) else a


@inlined_fused
def minimum(a: Any, b: Any) -> Any:
    return b if (b < a or b != b) else a


@inlined_fused
def clip(x: Any, a_min: Any = None, a_max: Any = None) -> Any:
    low = x
    if a_min is not None:
        low = maximum(x, a_min)
    if a_max is not None:
        return minimum(low, a_max)
    return low


@inlined_fused
def sign(x: Any) -> Any:
    return (1.0 if x > 0.0 else 0.0) - (1.0 if x < 0.0 else 0.0) if x == x else x


@inlined_fused
def square(x: Any) -> Any:
    return x * x


@inlined_fused
def exp(x: Any) -> Any:
    # x = k ln 2 + r; a polynomial of degree 13 for exp(r), and k added to its exponent.
    z = 1.0 * x
    within = minimum(maximum(z, LOWEST), HIGHEST)
    shifted = within * LOG2_E + ROUNDING
    k = shifted - ROUNDING
    r = (within - k * LN2_HIGH) - k * LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    value = float_of_bits(float_bits(p) + (float_bits(shifted) << 52))
    value = value if z >= LOWEST else 0.0
    value = value if z <= HIGHEST else np.inf
    return value if z == z else z


@inlined_fused
def log(x: Any) -> Any:
    # x = 2**k m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s) for s = (m - 1) / (m + 1).
    z = 1.0 * x
    bits = float_bits(z)
    k = (bits - SQRT_HALF_BITS) >> 52
    m = float_of_bits(bits - (k << 52))
    whole = float_of_bits(k + ROUNDING_BITS) - ROUNDING
    f = m - 1.0
    s = f / (2.0 + f)
    t = s * s
    p = 1.0 / 21.0
    p = p * t + 1.0 / 19.0
    p = p * t + 1.0 / 17.0
    p = p * t + 1.0 / 15.0
    p = p * t + 1.0 / 13.0
    p = p * t + 1.0 / 11.0
    p = p * t + 1.0 / 9.0
    p = p * t + 1.0 / 7.0
    p = p * t + 1.0 / 5.0
    p = p * t + 1.0 / 3.0
    rest = 2.0 * t * p
    half = 0.5 * f * f
    # log(1 + f) = f - f^2/2 + s (f^2/2 + rest), which loses nothing where f is small.
    value = whole * LN2_HIGH - ((half - (s * (half + rest) + whole * LN2_LOW)) - f)
    value = value if z < np.inf else z
    value = value if z >= 2.2250738585072014e-308 else -np.inf
    return value if z >= 0.0 else np.nan


@inlined_fused
def log1p(x: Any) -> Any:
    # Kahan's: the rounding error of 1 + x cancels between log(u) and u - 1.
    u = 1.0 + x
    scaled = log(u) * (x / (u - 1.0))
    return x if u == 1.0 else (scaled if u < np.inf else u)


@inlined_fused
def expm1(x: Any) -> Any:
    # Kahan's: the rounding error of u = exp(x) cancels between u - 1 and log(u).
    u = exp(x)
    scaled = (u - 1.0) * (x / log(u))
    near = x if u == 1.0 else scaled
    return near if abs(x) < 1.0 else u - 1.0


@inlined_fused
def logaddexp(a: Any, b: Any) -> Any:
    value = maximum(a, b) + log1p(exp(-abs(a - b)))
    return value if a != b else a + 0.6931471805599453


@inlined_fused
def tanh(x: Any) -> Any:
    u = expm1(minimum(2.0 * abs(x), 40.0))
    value = u / (u + 2.0)
    value = value if x >= 0.0 else -value
    return value if x == x else x


@inlined_fused
def power(x: Any, exponent: Any) -> Any:
    size = exp(exponent * log(abs(x)))
    whole, even = np.floor(exponent) == exponent, np.floor(0.5 * exponent) == 0.5 * exponent
    negative = (size if even else -size) if whole else np.nan
    value = negative if x < 0.0 else size
    return value if exponent != 0.0 else 1.0


@inlined_fused
def ones_like(x: Any) -> Any:
    return 1.0


@inlined_fused
def zeros_like(x: Any) -> Any:
    return 0.0


@inlined_fused
def heaviside(x: Any, at_zero: Any) -> Any:
    value = 1.0 if x > 0.0 else (0.0 if x < 0.0 else 1.0 * at_zero)
    return value if x == x else x


@inlined_fused
def expit(x: Any) -> Any:
    return 1.0 / (1.0 + exp(-x))


TWINS: dict[str, Callable[..., Any]] = {
    "where": where, "maximum": maximum, "minimum": minimum, "fmax": maximum, "fmin": minimum, "clip": clip,
    "sign": sign, "square": square, "exp": exp, "log": log, "log1p": log1p, "expm1": expm1, "logaddexp": logaddexp,
    "tanh": tanh, "power": power, "expit": expit, "ones_like": ones_like, "zeros_like": zeros_like,
    "heaviside": heaviside,
}  # fmt: skip


@functools.cache
def as_numpy() -> types.ModuleType:
    """Return a module of NumPy's names with the functions above in their places."""
    module = types.ModuleType("numpy")
    module.__dict__.update({name: getattr(np, name) for name in np.__all__})
    module.__dict__.update({name: twin for name, twin in TWINS.items() if name != "expit"})
    return module
