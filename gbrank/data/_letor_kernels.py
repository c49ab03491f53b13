"""Compiled passes over SVMLight/LETOR text.

`count` says how many rows, values and columns a piece of text holds; `parse` then writes them to where they belong.
Text is given by addresses.  A piece starts at a line, ends with a line feed and has `MARGIN` readable bytes behind it,
since eight bytes are looked at together.  Kernels judge, Python explains: of a line that is refused they return a code
and the place.  A kernel takes plain tuples and arrays only: kept on disk, it would need a class again to be loaded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import IntArray
from .._compile import byte_at, count_ones, kernel, word_at
from ._decimals import (
    HIGH,
    MALFORMED,
    MOST_DIGITS,
    ONES,
    UNDECIDED,
    ends_token,
    equal_bytes,
    is_digit,
    scan_number,
    short_number,
    tiny_number,
)

DONE, MORE_ROOM = 0, 1  # how `parse` ends; MORE_ROOM: call again with more room for undecided numbers
MARGIN = 64  # readable bytes behind a piece
BAD_LABEL, NO_QID, BAD_QID, BAD_PAIR, BAD_VALUE, ZERO_INDEX, INDEX_ORDER, LARGE_INDEX, OVERFLOW = range(2, 11)
MOST_INDEX = (1 << 31) - 1

_1, _10 = np.uint64(1), np.uint64(10)
_MOST_POSITIVE = np.uint64((1 << 63) - 1)
_LINE_FEEDS, _HASHES, _COLONS = (np.uint64(byte) * ONES for byte in (10, 35, 58))


class Columns(NamedTuple):
    """What `parse` writes, shared by all pieces.

    values : float32 or float64 array; all values row by row if dense, else those that are written.
    columns : int32 or int64 array; the column of each value if sparse, else empty.
    row_ptr : int64 array of shape (n_rows + 1,); if sparse, where each row starts in `values`; else empty.
    y : float64 array of shape (n_rows,); labels.
    qid : int64 array of shape (n_rows,); query ids as long as all are canonical numbers.
    qid_at, note_at : int64 arrays of shape (n_rows,); address of the query id, and behind the ``#`` or 0.
    """

    values: npt.NDArray[Any]
    columns: npt.NDArray[Any]
    row_ptr: IntArray
    y: npt.NDArray[np.float64]
    qid: IntArray
    qid_at: IntArray
    note_at: IntArray


class Form(NamedTuple):
    """How lines are read.

    `first` is the index of column 0, `limit` the largest; `overflow` the least |value| refused; `has_ids` says whether
    a query id stands behind each label.
    """

    first: int
    limit: int
    width: int
    dense: bool
    overflow: float
    has_ids: bool


def spelt_indices(n: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], IntArray]:
    """Return, for each index below `n`, " index:" as a word, the mask of its bytes, and how many they are."""
    spelt = [f" {index}:".encode() for index in range(min(n, 1_000_000))]  # up to eight bytes
    words = [int.from_bytes(each, "little") for each in spelt]
    sizes = np.array([len(each) for each in spelt], np.int64)
    return np.array(words, np.uint64), np.array([(1 << 8 * len(each)) - 1 for each in spelt], np.uint64), sizes


@kernel
def ends_text(word: Any) -> Any:
    """Not 0 if a byte of `word` is a line feed or ``#``."""
    a, b = word ^ _LINE_FEEDS, word ^ _HASHES  # a - 1 borrows into the highest bit of the lowest byte that is 0
    return (((a - ONES) & ~a) | ((b - ONES) & ~b)) & HIGH


@kernel
def last_index(line: Any, end: Any) -> Any:
    """Return the whole number before the last colon of byte_at(line:end), or -1; cut off above `MOST_INDEX`."""
    p = end - 1
    while p >= line and byte_at(p) != 58:
        p -= 1
    index, unit = -1, 1
    p -= 1
    while p >= line and is_digit(byte_at(p)) and index <= MOST_INDEX:
        index = max(index, 0) + (byte_at(p) - 48) * unit
        unit = min(unit * 10, MOST_INDEX + 1)
        p -= 1
    return index


@kernel
def skip_blanks(p: Any) -> Any:
    """Return the first place from `p` on that is no space, tab or carriage return."""
    while byte_at(p) == 32 or byte_at(p) == 9 or byte_at(p) == 13:
        p += 1
    return p


@kernel
def count(start: Any, stop: Any, has_ids: Any) -> Any:
    """Count rows and values, and find the largest index that ends a row: (rows, values, index or -1).

    A row of n colons before its comment holds n values, or n - 1 if the query id has the other; so `parse`, whatever
    the text, accepts no more rows and writes no more values than are counted here.
    """
    rows, values, colons, largest = 0, 0, 0, -1
    line = p = start
    while p < stop:
        word = word_at(p)
        if not ends_text(word) and p + 8 <= stop:
            colons += count_ones(equal_bytes(word, _COLONS))
            p += 8
            continue
        last = min(p + 8, stop)
        while p < last and byte_at(p) != 10 and byte_at(p) != 35:
            colons += byte_at(p) == 58
            p += 1
        if p == last:
            continue
        if skip_blanks(line) < p:
            rows += 1
            values += max(colons - has_ids, 0)
            largest = max(largest, last_index(line, p))
        colons = 0
        line = p = line_end(p) + 1
    return rows, values, largest


@kernel
def line_end(p: Any) -> Any:
    """Return the place of the first line feed from `p` on."""
    while not equal_bytes(word_at(p), _LINE_FEEDS):
        p += 8
    while byte_at(p) != 10:
        p += 1
    return p


@kernel
def scan_qid(at: Any) -> Any:
    """Read ``qid:`` and a query id: (number, whether it is a canonical 64-bit one, where it stops, DONE or a code)."""
    if not (byte_at(at) == 113 and byte_at(at + 1) == 105 and byte_at(at + 2) == 100 and byte_at(at + 3) == 58):
        return np.int64(0), False, at, NO_QID
    at += 4
    negative = byte_at(at) == 45
    p = first = at + negative
    number, canonical = np.uint64(0), True
    while not ends_token(byte_at(p)):
        if byte_at(p) == 58:
            return np.int64(0), False, p, BAD_QID
        digit = is_digit(byte_at(p)) and p - first < MOST_DIGITS
        canonical &= digit
        number = number * _10 + np.uint64(byte_at(p) - 48 if digit else 0)
        p += 1
    plain = p > first and (byte_at(first) != 48 or (p == first + 1 and not negative))
    fits = number <= _MOST_POSITIVE + np.uint64(negative)
    signed = np.int64(~number + _1) if negative else np.int64(number)
    return signed, canonical and plain and fits, p, BAD_QID if p == at else DONE


@kernel
def keep(undecided: Any, n: Any, first: Any, stop: Any, place: Any) -> Any:
    """Note a number for Python; whether there was room."""
    if n == len(undecided):
        return False
    undecided[n, 0], undecided[n, 1], undecided[n, 2] = first, stop, place
    return True


@kernel
def parse(stop: Any, form: Any, expected: Any, out: Any, undecided: Any, state: Any) -> Any:
    """Parse lines from state[0] to `stop`: (DONE, MORE_ROOM or the code of an error, its address).

    Parameters
    ----------
    stop : int
        Address behind the last line feed.
    form, out : tuple
        The fields of a `Form` and of a `Columns`.
    expected : tuple of arrays
        `spelt_indices`: in a dense file the next index is almost always the last one plus 1.
    undecided : int64 array of shape (room, 3)
        Receives numbers that Python must finish: start, stop, and place in `values` or ``-1 - row`` in `y`.
    state : int64 array of shape (5,)
        Where to go on: address, row, place in `values`, number of undecided; and a count of query ids that are not
        canonical numbers.  Moved on line by line.
    """
    # Taken out of the tuple once: each time an array is taken out, references are counted.
    values, columns, row_ptr, y, qid, qid_at, note_at = out
    first_index, limit, width, dense, overflow, has_ids = form
    spelt, spelt_mask, spelt_size = expected
    n_spelt = len(spelt)
    p, row, at, n_undecided = state[0], state[1], state[2], state[3]
    while p < stop:
        p = skip_blanks(p)
        if byte_at(p) == 10 or byte_at(p) == 35:
            p = line_end(p) + 1
            continue
        y[row], end, status = scan_number(p)
        if status == MALFORMED:
            return BAD_LABEL, p
        if status == UNDECIDED:
            if not keep(undecided, n_undecided, p, end, -1 - row):
                return MORE_ROOM, p
            n_undecided += 1
        p = end
        if has_ids:
            p = skip_blanks(end)
            qid[row], canonical, end, code = scan_qid(p)
            if code != DONE:
                return code, p
            qid_at[row] = p + 4
            state[4] += not canonical
            p = end
        previous = first_index - 1
        start = row * width - first_index
        while True:
            index = previous + 1
            i = np.uint64(index)
            if index < n_spelt and word_at(p) & spelt_mask[i] == spelt[i]:
                token = p + 1
                p += spelt_size[i]
            else:
                p = token = skip_blanks(p)
                if not is_digit(byte_at(p)):
                    break
                index = 0
                while is_digit(byte_at(p)) and index <= MOST_INDEX:
                    index = index * 10 + (byte_at(p) - 48)
                    p += 1
                if index <= previous or index > limit or byte_at(p) != 58:
                    return refused_index(p, index, first_index, limit), token
                p += 1
            previous = index
            place = start + index if dense else at
            value, end = tiny_number(p)
            if end < 0:
                value, end = short_number(p)
            if end < 0:
                value, end, status = scan_number(p)
                if status == MALFORMED:
                    return BAD_VALUE, token
                if status == UNDECIDED:
                    if not keep(undecided, n_undecided, p, end, place):
                        return MORE_ROOM, p
                    n_undecided += 1
                elif abs(value) >= overflow:
                    return OVERFLOW, token
            values[np.uint64(place)] = value
            if not dense:
                columns[at] = index - first_index
            at += 1
            p = end
        note_at[row] = 0
        if byte_at(p) == 35:
            note_at[row] = p + 1
            p = line_end(p)
        elif byte_at(p) != 10:
            return BAD_PAIR, p
        p += 1
        row += 1
        if not dense:
            row_ptr[row] = at
        state[0], state[1], state[2], state[3] = p, row, at, n_undecided
    return DONE, p


@kernel
def refused_index(p: Any, index: Any, first_index: Any, limit: Any) -> Any:
    """Say what is wrong with an index that was read up to `p`."""
    if index > MOST_INDEX:
        return LARGE_INDEX
    if byte_at(p) != 58:
        return BAD_PAIR
    if index < first_index:
        return ZERO_INDEX
    return LARGE_INDEX if index > limit else INDEX_ORDER
