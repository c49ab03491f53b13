"""Compiled formatting of LETOR lines: each number in the fewest decimals that read back as the same number."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compile import kernel
from ._decimals import EXACT_MANTISSA, EXACT_POWER, POWERS

LONGEST_PAIR = 48  # bytes: a blank, ten digits, a colon, a sign, 16 digits and a point with 22 zeros and digits


@kernel
def shortest(value: Any, typed: Any) -> Any:
    """Return (m, k) with the smallest k such that m / 10**k, rounded to the type of `typed`, is `value`; or k = -1.

    With m below 2**53 and k up to 22 the quotient is the decimal's nearest double, which is what the reader takes.
    `typed` is an array of one element, for scratch.
    """
    for k in range(EXACT_POWER + 1):
        scaled = np.rint(np.float64(value) * POWERS[k])
        if not scaled < EXACT_MANTISSA:
            break
        typed[0] = scaled / POWERS[k]
        if typed[0] == value:
            return np.int64(scaled), k
    return np.int64(0), -1


@kernel
def put_decimal(number: Any, decimals: Any, out: Any, p: Any) -> Any:
    """Write number / 10**decimals at out[p:] and return where it stops."""
    digits, rest = 1, number // 10
    while rest > 0:
        digits += 1
        rest //= 10
    end = p + max(digits, decimals + 1) + (decimals > 0)
    at = end - 1
    for i in range(max(digits, decimals + 1)):
        if decimals > 0 and i == decimals:
            out[at] = 46
            at -= 1
        out[at] = 48 + number % 10
        number //= 10
        at -= 1
    return end


@kernel
def put_bytes(source: Any, start: Any, stop: Any, out: Any, p: Any) -> Any:
    """Copy source[start:stop] to out[p:] and return where it stops."""
    for i in range(start, stop):
        out[p] = source[i]
        p += 1
    return p


@kernel
def format_rows(
    values: Any, columns: Any, row_ptr: Any, heads: Any, head_ptr: Any, tails: Any, tail_ptr: Any, out: Any
) -> Any:
    """Write the lines of rows into `out` and return how many bytes they take; -1 if a number has no short decimal.

    Line i is ``heads[head_ptr[i]:head_ptr[i + 1]]``, the row's pairs with indices from 1, and that part of `tails`.
    """
    typed = np.zeros(1, values.dtype)
    p = 0
    for row in range(len(row_ptr) - 1):
        p = put_bytes(heads, head_ptr[row], head_ptr[row + 1], out, p)
        for i in range(row_ptr[row], row_ptr[row + 1]):
            value = values[i]
            number, decimals = shortest(abs(value), typed)
            if decimals < 0:
                return -1
            out[p] = 32
            p = put_decimal(np.int64(columns[i]) + 1, 0, out, p + 1)
            out[p] = 58
            p += 1
            if np.signbit(value):
                out[p] = 45
                p += 1
            p = put_decimal(number, decimals, out, p)
        p = put_bytes(tails, tail_ptr[row], tail_ptr[row + 1], out, p)
    return p
