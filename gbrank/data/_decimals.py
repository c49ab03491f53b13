"""Decimal numbers to the nearest double: the scanner of one token, and the arithmetic that rounds it.

A decimal is read as ``mantissa * 10**exponent`` with up to 19 digits in the mantissa.  Where both factors are exact
doubles, one multiplication or division rounds correctly.  Otherwise the 64 leading bits of the mantissa are multiplied
by those of the power of ten; the 128-bit product decides the rounding unless it lies within its own error of the
middle between two doubles (about one token in 300), and such a token is left to Python's `float`.
Source: Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._compile import byte_at, kernel

EXACT, UNDECIDED, MALFORMED = 0, 1, 2
LOWEST, HIGHEST = -280, 280  # powers of ten with which no intermediate or final result is subnormal or overflows
MOST_DIGITS = 19  # of a number that always fits 64 bits
EXACT_POWER = 22  # 10**22 is the largest power of ten that is a double
EXACT_MANTISSA = 1 << 53

_LOW_HALF = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def _leading_bits() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float64]]:
    """Return the 64 leading bits (cut off) of each power of ten, and the power of two to scale them / 2**64 by."""
    leading, scale = [], []
    for power in range(LOWEST, HIGHEST + 1):
        size = (10 ** abs(power)).bit_length()
        shift = size - 64 if power >= 0 else -size - 63
        over, under = 10 ** max(power, 0) << max(-shift, 0), 10 ** max(-power, 0) << max(shift, 0)
        leading.append(over // under)
        scale.append(2.0 ** (shift + 64))
    return np.array(leading, np.uint64), np.array(scale)


# Kernels take these from here as constants.
POWERS = 10.0 ** np.arange(EXACT_POWER + 1)
LEADING, SCALE = _leading_bits()


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
def to_double(mantissa: Any, exponent: Any, cut: Any) -> Any:
    """Return the double nearest to mantissa * 10**exponent, and whether it is certain.

    With `cut` the true mantissa is that uint64 plus some fraction of 1.
    """
    if mantissa == np.uint64(0) and not cut:
        return 0.0, True
    if not cut and mantissa < np.uint64(EXACT_MANTISSA) and -EXACT_POWER <= exponent <= EXACT_POWER:
        m = np.float64(mantissa)
        return (m * POWERS[exponent] if exponent >= 0 else m / POWERS[-exponent]), True
    if exponent < LOWEST or exponent > HIGHEST:
        return 0.0, False
    scale = SCALE[exponent - LOWEST]
    error = np.uint64(2)  # of the product below, in its last place: the cut-off power, the cut-off product
    slack = np.uint64(1)
    while mantissa < np.uint64(1 << 63):
        mantissa <<= np.uint64(1)
        slack <<= np.uint64(1)
        scale *= 0.5
    if cut:
        error += slack
    product = high_product(mantissa, LEADING[exponent - LOWEST])
    surplus = np.uint64(11) if product >= np.uint64(1 << 63) else np.uint64(10)
    half = np.uint64(1) << (surplus - np.uint64(1))
    low = product & (half + half - np.uint64(1))
    if low <= half and low + error >= half:
        return 0.0, False
    whole = (product >> surplus) + np.uint64(low > half)
    return np.float64(whole) * (scale * np.float64(half + half)), True


@kernel
def scan_number(at: Any) -> Any:
    """Read the number that starts at the address `at`: (value, where it stops, EXACT, UNDECIDED or MALFORMED).

    A number is ``[+-]digits[.digits][e[+-]digits]`` with a digit before or after the point, and a blank, line end or
    ``#`` behind it; the caller promises a line end at the latest.
    """
    p = at + 1 if byte_at(at) == 45 or byte_at(at) == 43 else at
    mantissa, kept, seen, exponent, cut = np.uint64(0), 0, 0, 0, False
    point = False
    while True:
        byte = byte_at(p)
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
    if byte_at(p) == 101 or byte_at(p) == 69:
        p += 1
        sign = -1 if byte_at(p) == 45 else 1
        p += byte_at(p) == 45 or byte_at(p) == 43
        if not is_digit(byte_at(p)):
            return 0.0, p, MALFORMED
        power = 0
        while is_digit(byte_at(p)):
            power = min(power * 10 + byte_at(p) - 48, 1 << 40)
            p += 1
        exponent += sign * power
    if not ends_token(byte_at(p)):
        return 0.0, p, MALFORMED
    value, certain = to_double(mantissa, exponent, cut)
    return (-value if byte_at(at) == 45 else value), p, EXACT if certain else UNDECIDED
