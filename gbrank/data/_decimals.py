"""Decimal numbers to the nearest double: scanners of one token, and the arithmetic that rounds it.

`scan_number` reads any number, `tiny_number` and `short_number` the usual ones, eight bytes at a time; they read up to
24 bytes from where they start.

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

from .._compile import byte_at, inlined_exactly, kernel, trailing_zeros, word_at

EXACT, UNDECIDED, MALFORMED = 0, 1, 2
LOWEST, HIGHEST = -280, 280  # powers of ten with which no intermediate or final result is subnormal or overflows
MOST_DIGITS = 19  # of a number that always fits 64 bits
EXACT_POWER = 22  # 10**22 is the largest power of ten that is a double
EXACT_MANTISSA = 1 << 53

ONES = np.uint64(0x0101010101010101)  # times a byte: a word of that byte
_LOW = np.uint64(0x7F) * ONES
HIGH = np.uint64(0x80) * ONES
_ZEROS = np.uint64(48) * ONES  # "00000000"
_POINT_DIGITS = np.uint64(46 ^ 48) * ONES
_ABOVE_9 = np.uint64(128 - 10) * ONES  # added to bytes of 10 or more it sets their highest bits
_FROM_36 = np.uint64(128 - 36) * ONES
_BYTE, _MINUS = np.uint64(255), np.uint64(45)
_PAIRS = np.uint64(0x000000FF000000FF)
_1, _7, _8, _10, _16, _32 = (np.uint64(n) for n in (1, 7, 8, 10, 16, 32))
_LOW_HALF = np.uint64(0xFFFFFFFF)


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


@kernel
def equal_bytes(word: Any, pattern: Any) -> Any:
    """Set the highest bit of each byte of `word` that equals that of `pattern`, and no other bit."""
    x = word ^ pattern
    return ~(((x & _LOW) + _LOW) | x | _LOW)


@kernel
def spelt(digits: Any) -> Any:
    """Return the number of eight digits, the first in the lowest byte: neighbours are added, then pairs, fours."""
    x = digits * _10 + (digits >> _8)
    x = (x & _PAIRS) * np.uint64(0x000F424000000064) + ((x >> _16) & _PAIRS) * np.uint64(0x0000271000000001)
    return np.float64(np.int64(x >> _32))


@inlined_exactly
def tiny_number(at: Any) -> Any:
    """Read a plain decimal of up to 8 characters: (value, where it stops, or -1 for any other text).

    Without branches on the data: numbers differ in length, and a branch that is mispredicted costs more than all of
    this.  Each mask has the highest bit of a byte set, or whole bytes.
    """
    word = word_at(at)
    behind = ~(((word & _LOW) + _FROM_36) | word) & HIGH  # bytes below 36, as are blanks, line ends and "#"
    within = ((behind & (~behind + _1)) >> _7) - _1
    n = trailing_zeros(behind) >> 3
    sign = np.uint64((word & _BYTE) == _MINUS)
    word = (word ^ _ZEROS) & within & ~(sign * _BYTE)  # digits as numbers; a sign becomes a leading 0
    other = (((word & _LOW) + _ABOVE_9) | word) & HIGH
    bad = (other & (other - _1)) | (other & ~equal_bytes(word, _POINT_DIGITS))
    point = np.int64(other != np.uint64(0))
    n_digits = n - point
    if bad or n_digits - np.int64(sign) < 1 or not ends_token(byte_at(at + n)):
        return 0.0, -1
    left = (other >> _7) - _1  # what stands before the point
    digits = (word & left) | ((word >> _8) & ~left)
    value = spelt(digits << np.uint64(64 - 8 * n_digits)) / POWERS[point * (n - 1 - (trailing_zeros(other) >> 3))]
    return (-value if sign else value), at + n


@kernel
def digits_at(at: Any, n: Any) -> Any:
    """Return the number that the `n` < 8 digits from `at` on spell."""
    return spelt(((word_at(at) ^ _ZEROS) << np.uint64(56 - 8 * n)) << _8)


@kernel
def short_number(at: Any) -> Any:
    """Read a decimal with a point and up to 15 digits, 7 of them before it: (value, where it stops, or -1)."""
    p = at + (byte_at(at) == 45)
    n_left = leading_digits(word_at(p))
    q = p + n_left + 1
    if n_left == 8 or byte_at(q - 1) != 46:
        return 0.0, -1
    n_right = leading_digits(word_at(q))
    if n_right < 8:
        right = digits_at(q, n_right)
    else:
        more = leading_digits(word_at(q + 8))
        if n_left + more > 7:
            return 0.0, -1
        right = spelt(word_at(q) ^ _ZEROS) * POWERS[more] + digits_at(q + 8, more)
        n_right += more
    if n_left + n_right == 0 or not ends_token(byte_at(q + n_right)):
        return 0.0, -1
    value = (digits_at(p, n_left) * POWERS[n_right] + right) / POWERS[n_right]
    return (-value if p > at else value), q + n_right


@kernel
def leading_digits(word: Any) -> Any:
    """Count the digits before the first other byte."""
    digits = word ^ _ZEROS
    return trailing_zeros((((digits & _LOW) + _ABOVE_9) | digits) & HIGH) >> 3
