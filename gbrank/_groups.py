"""Query ids to row offsets: the one place where documents become queries."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._checks import DataError, IntArray


class Groups(NamedTuple):
    """Where each query's documents stand.

    query_ptr : int64 array of shape (n_queries + 1,); query q holds the rows query_ptr[q]:query_ptr[q + 1].
    query_ids : int64 or str array of shape (n_queries,), in order of first appearance.
    order : int64 array of shape (n_documents,); the given row that stands at each place.
    contiguous : whether `order` is 0, 1, 2, ..., so that no row need be moved.
    """

    query_ptr: IntArray
    query_ids: npt.NDArray[Any]
    order: IntArray
    contiguous: bool


def group_rows(qid: npt.ArrayLike, *, name: str = "qid") -> Groups:
    """Group rows by query id.

    Queries keep the order of their first appearance, the rows of a query their given order; rows whose
    queries are already contiguous are therefore never moved.

    Parameters
    ----------
    qid : array-like of shape (n_documents,)
        Whole numbers that fit 64 bits, or strings, in any order.
    name : str
        What errors call the ids.

    Raises
    ------
    DataError
        An id is missing, fractional, beyond 64 bits or of another type; the row is named.

    Examples
    --------
    >>> groups = group_rows(["b", "b", "a", "b"])
    >>> groups.query_ptr.tolist(), groups.query_ids.tolist(), groups.order.tolist()
    ([0, 3, 4], ['b', 'a'], [0, 1, 3, 2])
    """
    ids = canonical_ids(qid, name=name)
    n = len(ids)
    if n == 0:
        return Groups(np.zeros(1, np.int64), ids, np.empty(0, np.int64), True)
    starts = np.concatenate(([0], np.flatnonzero(ids[1:] != ids[:-1]) + 1))
    heads = ids[starts]
    unique, first, code = np.unique(heads, return_index=True, return_inverse=True)
    if len(unique) == len(heads):
        query_ptr = np.append(starts, n).astype(np.int64)
        return Groups(query_ptr, heads, np.arange(n, dtype=np.int64), True)
    by_appearance = np.argsort(first)
    place = np.empty(len(unique), np.int64)
    place[by_appearance] = np.arange(len(unique))
    query = np.repeat(place[code], np.diff(np.append(starts, n)))
    query_ptr = np.concatenate(([0], np.cumsum(np.bincount(query)))).astype(np.int64)
    return Groups(query_ptr, unique[by_appearance], np.argsort(query, kind="stable"), False)


def canonical_ids(qid: npt.ArrayLike, *, name: str = "qid") -> npt.NDArray[Any]:
    """Return ids as one int64 or one str array; see `group_rows` for what is refused."""
    ids = np.asarray(qid)
    if ids.dtype.kind == "U" and isinstance(qid, list | tuple):
        ids = np.asarray(qid, dtype=object)  # or 1 and "1" would be one id
    if ids.ndim != 1:
        raise DataError(f"{name}: must have one dimension, not the shape {ids.shape}; one id for each document.")
    kind = ids.dtype.kind
    if kind in "iu":
        if kind == "u" and len(ids) and ids.max() > np.iinfo(np.int64).max:
            raise DataError(f"{name}: {ids.max()} does not fit a signed 64-bit number; pass the ids as strings.")
        return ids.astype(np.int64, copy=False)
    if kind == "f":
        whole = np.isfinite(ids) & (ids == np.floor(ids)) & (np.abs(ids) < 2.0**53)
        if not whole.all():
            row = int(np.argmin(whole))
            raise DataError(f"{name}: row {row} is {ids[row]!s}; an id is a whole number or a string.")
        return ids.astype(np.int64)
    if kind == "S":
        try:
            return np.char.decode(ids, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}: {error.object!r} is not UTF-8; decode the ids, or pass them as strings."
            ) from None
    if kind == "U":
        return ids
    return _from_objects(name, ids.astype(object))


def _from_objects(name: str, ids: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    strings = isinstance(ids[0], str) if len(ids) else False
    wanted: Any = str if strings else (int, np.integer)
    for row, value in enumerate(ids):
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise DataError(
                f"{name}: row {row} is {value!r}; ids are all whole numbers or all strings, none is missing."
            )
    try:
        return ids.astype(str if strings else np.int64)
    except OverflowError:
        raise DataError(f"{name}: an id does not fit a signed 64-bit number; pass the ids as strings.") from None


def chosen_groups(name: str, chosen: npt.ArrayLike, n_groups: int, *, twice: str | None = None) -> IntArray:
    """Return the numbers of the groups that a user chose, by number or by a mask.

    Parameters
    ----------
    name : str
        What errors call the choice: "queries".
    chosen : array-like of int, or bool array of shape (n_groups,)
    n_groups : int
    twice : str, optional
        The remedy told where one is chosen twice, which is allowed without it.

    Raises
    ------
    DataError
        A mask of another shape, a number out of range, nothing chosen, or one twice.
    """
    numbers: npt.NDArray[Any] = np.asarray(chosen)
    if numbers.dtype.kind == "b":
        if numbers.shape != (n_groups,):
            raise DataError(f"{name}: a mask of shape {numbers.shape} for {n_groups} {name}; give one for each.")
        numbers = np.flatnonzero(numbers)
    if numbers.ndim != 1 or len(numbers) == 0 or numbers.dtype.kind not in "iu":
        raise DataError(f"{name}: choose at least one, by whole numbers or by a mask.")
    outside = (numbers < 0) | (numbers >= n_groups)
    if outside.any():
        raise DataError(f"{name}: {numbers[outside][0]} is outside 0 to {n_groups - 1}.")
    if twice is not None and len(np.unique(numbers)) != len(numbers):
        raise DataError(f"{name}: one is chosen twice; {twice}.")
    return numbers.astype(np.int64)


def runs_of(ptr: IntArray, chosen: IntArray) -> tuple[IntArray, IntArray]:
    """Return the offsets of the chosen runs once they stand one after the other, and what stood in each place."""
    sizes = np.diff(ptr)[chosen]
    new_ptr = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return new_ptr, np.repeat(ptr[chosen] - new_ptr[:-1], sizes) + np.arange(new_ptr[-1])


def check_query_ptr(query_ptr: npt.ArrayLike, n_documents: int) -> IntArray:
    """Return `query_ptr` as int64 offsets after checking that they cut `n_documents` rows into queries.

    Raises
    ------
    DataError
        The offsets do not start at 0, do not end at `n_documents`, or leave a query without documents.
    """
    ptr = np.ascontiguousarray(query_ptr)
    if ptr.ndim != 1 or ptr.dtype.kind not in "iu" or len(ptr) < 1:
        raise DataError("query_ptr: must be a vector of whole row offsets, one more than there are queries.")
    ptr = ptr.astype(np.int64, copy=False)
    if ptr[0] != 0 or ptr[-1] != n_documents:
        raise DataError(f"query_ptr: runs from {ptr[0]} to {ptr[-1]}; it must run from 0 to {n_documents}.")
    sizes = np.diff(ptr)
    if len(sizes) and sizes.min() < 1:
        raise DataError(f"query_ptr: query {int(np.argmin(sizes))} has {sizes.min()} documents; each needs one.")
    return ptr
