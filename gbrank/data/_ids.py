"""Ids as arrays of strings: what may be one, repeated ones, and where those of one table stand in another.

An array of strings is a matrix of code points, one row for each, with zeros behind the end.  A query's ids go into a
hash table of their own, whose places are empty (-1) or name a row; equal hashes are always compared in full.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray
from .._compile import in_parallel, kernel, over_queries, thread_count

LONGEST_ID = 1000  # characters

Strings = npt.NDArray[np.str_]
Hashes = npt.NDArray[np.uint64]
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_1, _29, _32 = (np.uint64(n) for n in (1, 29, 32))


def as_ids(name: str, values: Any, *, length: int | None = None) -> Strings:
    """Return ids as strings; whole numbers become their decimals.

    Raises
    ------
    DataError
        Not one-dimensional, of another length, or an id that is empty, missing, longer than `LONGEST_ID` characters
        or neither a string nor a whole number; the row is named.
    """
    ids = np.asarray(values)
    if ids.ndim != 1:
        raise DataError(f"{name}: must have one dimension, not the shape {ids.shape}; one id for each document.")
    if length is not None and len(ids) != length:
        raise DataError(f"{name}: {len(ids)} ids for {length} documents; give one for each.")
    if ids.dtype.kind == "S":
        ids = np.char.decode(ids, "utf-8")
    if ids.dtype.kind in "OT":
        ids = _from_objects(name, ids.astype(object))
    if ids.dtype.kind not in "iuU" and len(ids):
        raise DataError(f"{name}: {ids.tolist()[0]!r} in row 0 is no id; ids are strings or whole numbers.")
    strings = np.ascontiguousarray(ids.astype(str))
    sizes = np.strings.str_len(strings)
    if len(strings) and (sizes.min() < 1 or sizes.max() > LONGEST_ID):
        row = int(np.argmax((sizes < 1) | (sizes > LONGEST_ID)))
        problem = f"longer than {LONGEST_ID} characters" if sizes[row] else "empty"
        raise DataError(f"{name}: the id in row {row} is {problem}; give each document a short one.")
    return strings


def _from_objects(name: str, ids: npt.NDArray[np.object_]) -> Strings:
    given = ids.tolist()
    for row, value in enumerate(given):
        if not isinstance(value, str | int | np.integer) or isinstance(value, bool):
            raise DataError(f"{name}: row {row} is {value!r}; ids are strings or whole numbers, none is missing.")
        if isinstance(value, str) and len(value) > LONGEST_ID:
            raise DataError(f"{name}: the id in row {row} is longer than {LONGEST_ID} characters; shorten it.")
    return np.array(list(map(str, given)), dtype=str)


def code_points(ids: Strings) -> npt.NDArray[np.uint32]:
    """Return strings as a matrix of code points."""
    native = np.require(ids.astype(ids.dtype.newbyteorder("="), copy=False), requirements=["C", "W"])
    return native.view(np.uint32).reshape(len(ids), -1)


def hashes_of(ids: Strings, n_jobs: int | None = None) -> Hashes:
    """Return a hash of each string; equal strings have equal ones, whatever their arrays."""
    codes, hashes = code_points(ids), np.empty(len(ids), np.uint64)
    cuts = np.linspace(0, len(ids), thread_count(n_jobs) + 1).astype(int).tolist()
    in_parallel([(hash_rows, (a, b, codes, hashes)) for a, b in itertools.pairwise(cuts)])
    return hashes


def first_repeat(
    ids: Strings, hashes: Hashes, query_ptr: IntArray, n_jobs: int | None = None
) -> tuple[int, int] | None:
    """Return the rows of an id that a query has twice, or None where each of a query's ids is there once."""
    twice = np.full((len(query_ptr) - 1, 2), -1)
    over_queries(find_repeats, query_ptr, code_points(ids), hashes, twice, n_jobs=n_jobs)
    found = np.flatnonzero(twice[:, 0] >= 0)
    return (int(twice[found[0], 0]), int(twice[found[0], 1])) if len(found) else None


def places(
    ids: Strings, query_ptr: IntArray, wanted: Strings, wanted_ptr: IntArray, partner: IntArray,
    n_jobs: int | None = None,
) -> IntArray:  # fmt: skip
    """Return the row of each wanted id within its query's partner, or -1.

    Parameters
    ----------
    ids, query_ptr
        The table that is searched; no query has an id twice.
    wanted, wanted_ptr
        The ids to look for, in whole queries.
    partner : int64 array of shape (n_wanted_queries,)
        The query of `ids` to search for each query of `wanted`; -1 for none.
    """
    found = np.full(len(wanted), -1)
    searched = (code_points(ids), hashes_of(ids, n_jobs), query_ptr)
    sought = (code_points(wanted), hashes_of(wanted, n_jobs))
    over_queries(find_places, wanted_ptr, *sought, *searched, partner, found, n_jobs=n_jobs)
    return found


@kernel
def hash_rows(first: Any, last: Any, codes: Any, hashes: Any) -> None:
    """Write a hash of each row's code points, the same whatever the width of the matrix."""
    for row in range(first, last):
        state = np.uint64(0)
        for i in range(codes.shape[1]):
            if codes[row, i] == 0:
                break
            state = (state ^ np.uint64(codes[row, i])) * _FACTOR
            state ^= state >> _29
        hashes[row] = state


@kernel
def same_id(a: Any, i: Any, b: Any, j: Any) -> Any:
    """Whether row i of `a` and row j of `b` hold the same string."""
    width = min(a.shape[1], b.shape[1])
    for c in range(width):
        if a[i, c] != b[j, c]:
            return False
    for c in range(width, a.shape[1]):
        if a[i, c] != 0:
            return False
    for c in range(width, b.shape[1]):  # noqa: SIM110  (a kernel)
        if b[j, c] != 0:
            return False
    return True


@kernel
def table_size(n: Any) -> Any:
    """Return the power of two that leaves at least half of a table of `n` ids empty."""
    size = 2
    while size < 2 * n:
        size *= 2
    return size


@kernel
def largest_table(first: Any, last: Any, query_ptr: Any, partner: Any) -> Any:
    """Return an empty table for the largest of the queries, or of their partners if there are some."""
    most = 0
    for i in range(first, last):
        q = partner[i] if len(partner) > 0 else i
        if q >= 0:
            most = max(most, query_ptr[q + 1] - query_ptr[q])
    return np.empty(table_size(most), np.int64)


@kernel
def find_repeats(first: Any, last: Any, query_ptr: Any, codes: Any, hashes: Any, twice: Any) -> None:
    """Write the rows of the first repeated id of each query to `twice`."""
    table = largest_table(first, last, query_ptr, query_ptr[:0])
    for q in range(first, last):
        twice[q, 0], twice[q, 1] = fill_table(query_ptr[q], query_ptr[q + 1], codes, hashes, table)


@kernel
def fill_table(a: Any, b: Any, codes: Any, hashes: Any, table: Any) -> Any:
    """Put rows a:b into the table; return the row of an id and the later one that has it too, or (-1, -1)."""
    size = table_size(b - a)
    mask = np.uint64(size - 1)
    for i in range(size):
        table[i] = -1
    for row in range(a, b):
        place = (hashes[row] ^ (hashes[row] >> _32)) & mask
        while table[place] >= 0:
            other = table[place]
            if hashes[other] == hashes[row] and same_id(codes, row, codes, other):
                return other, row
            place = (place + _1) & mask
        table[place] = row
    return -1, -1


@kernel
def find_places(
    first: Any, last: Any, wanted_ptr: Any, wanted: Any, wanted_hashes: Any, codes: Any, hashes: Any, query_ptr: Any,
    partner: Any, found: Any,
) -> None:  # fmt: skip
    """Write the row of each wanted id to `found`; see `places`."""
    table = largest_table(first, last, query_ptr, partner)
    for i in range(first, last):
        q = partner[i]
        if q < 0:
            continue
        fill_table(query_ptr[q], query_ptr[q + 1], codes, hashes, table)
        mask = np.uint64(table_size(query_ptr[q + 1] - query_ptr[q]) - 1)
        for row in range(wanted_ptr[i], wanted_ptr[i + 1]):
            place = (wanted_hashes[row] ^ (wanted_hashes[row] >> _32)) & mask
            while table[place] >= 0:
                other = table[place]
                if hashes[other] == wanted_hashes[row] and same_id(wanted, row, codes, other):
                    found[row] = other
                    break
                place = (place + _1) & mask
