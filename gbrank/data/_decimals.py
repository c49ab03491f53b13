"""Decimal numbers to the nearest double: the scanner of one token, and the arithmetic that rounds it.

A decimal is read as ``mantissa * 10**exponent`` with up to 19 digits in the mantissa.  Where both factors are exact
doubles, one multiplication or division rounds correctly.  Otherwise the 64 leading bits of the mantissa are multiplied
by those of the power of ten; the 128-bit product decides the rounding unless it lies within its own error of the
middle between two doubles (about one token in 300), and such a token is left to Python's `float`.
Source: Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._compile import kernel

EXACT, UNDECIDED, MALFORMED = 0, 1, 2
LOWEST, HIGHEST = -280, 280  # powers of ten with which no intermediate or final result is subnormal or overflows
MOST_DIGITS = 19  # of a number that always fits 64 bits
EXACT_POWER = 22  # 10**22 is the largest power of ten that is a double
EXACT_MANTISSA = 1 << 53

_LOW_HALF = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


class Powers(NamedTuple):
    """Powers of ten, as kernels take them.

    exact : float64 array of shape (23,); 10**k.
    leading : uint64 array; the 64 leading bits of 10**(LOWEST + i), cut off.
    scale : float64 array; the power of two with 10**(LOWEST + i) = leading[i] / 2**64 * scale[i], about.
    """

    exact: npt.NDArray[np.float64]
    leading: npt.NDArray[np.uint64]
    scale: npt.NDArray[np.float64]


def _powers() -> Powers:
    leading, scale = [], []
    for power in range(LOWEST, HIGHEST + 1):
        if power >= 0:
            shift = (10**power).bit_length() - 64
            bits = 10**power >> shift if shift > 0 else 10**power << -shift
        else:
            shift = -(10**-power).bit_length() - 63
            bits = (1 << -shift) // 10**-power
        leading.append(bits)
        scale.append(2.0 ** (shift + 64))
    exact = [float(10**k) for k in range(EXACT_POWER + 1)]
    return Powers(np.array(exact), np.array(leading, np.uint64), np.array(scale))


POWERS = _powers()


@kernel
def is_digit(byte: Any) -> Any:
    """Whether a byte is one of 0-9."""
    return 48 <= byte <= 57


@kernel
def ends_token(byte: Any) -> Any:
    """Whether a byte is a space, tab, carriage return, line feed or ``#``."""
    return byte == 32 or byte == 10 or byte == 35 or byte == 9 or byte == 13


@kernel
def high_product(a: Any, b: Any) -> Any:
    """Return the upper 64 bits of the product of two uint64."""
    a_low, a_high, b_low, b_high = a & _LOW_HALF, a >> _32, b & _LOW_HALF, b >> _32
    middle = a_high * b_low + ((a_low * b_low) >> _32)
    rest = a_low * b_high + (middle & _LOW_HALF)
    return a_high * b_high + (middle >> _32) + (rest >> _32)


@kernel
def to_double(mantissa: Any, exponent: Any, cut: Any, powers: Any) -> Any:
    """Return the double nearest to mantissa * 10**exponent, and whether it is certain.

    With `cut` the true mantissa is that uint64 plus some fraction of 1.
    """
    if mantissa == np.uint64(0) and not cut:
        return 0.0, True
    if not cut and mantissa < np.uint64(EXACT_MANTISSA) and -EXACT_POWER <= exponent <= EXACT_POWER:
        m = np.float64(mantissa)
        return (m * powers.exact[exponent] if exponent >= 0 else m / powers.exact[-exponent]), True
    if exponent < LOWEST or exponent > HIGHEST:
        return 0.0, False
    scale = powers.scale[exponent - LOWEST]
    error = np.uint64(2)  # of the product below, in its last place: the cut-off power, the cut-off product
    slack = np.uint64(1)
    while mantissa < np.uint64(1 << 63):
        mantissa <<= np.uint64(1)
        slack <<= np.uint64(1)
        scale *= 0.5
    if cut:
        error += slack
    product = high_product(mantissa, powers.leading[exponent - LOWEST])
    surplus = np.uint64(11) if product >= np.uint64(1 << 63) else np.uint64(10)
    half = np.uint64(1) << (surplus - np.uint64(1))
    low = product & (half + half - np.uint64(1))
    if low <= half and low + error >= half:
        return 0.0, False
    whole = (product >> surplus) + np.uint64(low > half)
    return np.float64(whole) * (scale * np.float64(half + half)), True


@kernel
def scan_number(text: Any, at: Any, powers: Any) -> Any:
    """Read the number that starts at `at`: (value, where it stops, EXACT, UNDECIDED or MALFORMED).

    A number is ``[+-]digits[.digits][e[+-]digits]`` with a digit before or after the point, and a blank, line end or
    ``#`` behind it; the caller promises a line end at the latest.
    """
    p = at + 1 if text[at] == 45 or text[at] == 43 else at
    mantissa, kept, seen, exponent, cut = np.uint64(0), 0, 0, 0, False
    point = False
    while True:
        byte = text[p]
        if is_digit(byte):
            seen += 1
            if kept < MOST_DIGITS:
                mantissa = mantissa * np.uint64(10) + np.uint64(byte - 48)
                kept += mantissa != np.uint64(0)
                exponent -= point
            else:
                cut |= byte != 48
                exponent += not point
        elif byte == 46 and not point:
            point = True
        else:
            break
        p += 1
    if seen == 0:
        return 0.0, p, MALFORMED
    if text[p] == 101 or text[p] == 69:
        p += 1
        sign = -1 if text[p] == 45 else 1
        p += text[p] == 45 or text[p] == 43
        if not is_digit(text[p]):
            return 0.0, p, MALFORMED
        power = 0
        while is_digit(text[p]):
            power = min(power * 10 + text[p] - 48, 1 << 40)
            p += 1
        exponent += sign * power
    if not ends_token(text[p]):
        return 0.0, p, MALFORMED
    value, certain = to_double(mantissa, exponent, cut, powers)
    return (-value if text[at] == 45 else value), p, EXACT if certain else UNDECIDED
