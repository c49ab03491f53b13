"""What a row of a click log may be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, real_numbers
from ._pairs import Ids, Mask


def as_clicks(click: npt.ArrayLike) -> Mask:
    flags = np.asarray(click)
    if flags.dtype.kind == "b":
        return flags
    values = real_numbers("click", click)
    bad = np.logical_not(np.isin(values, (0, 1)))
    if bad.any():
        at = np.argwhere(bad)[0]
        raise DataError(f"click: row {at[0]} is {values[tuple(at)]:g}; give 1 for a click and 0 for none.")
    return np.asarray(values == 1)


def as_ranks(rank: npt.ArrayLike, click: Mask) -> IntArray:
    """Return ranks as whole numbers from 1."""
    values = real_numbers("rank", rank)
    bad = np.logical_not((values >= 1) & (values == np.floor(values)) & (values < 2**31))
    if not bad.any():
        return values.astype(np.int64)
    row = int(np.argwhere(bad)[0][0])
    if values.ndim == 1 and np.isnan(values[row]):
        clicked = row < len(click) and bool(click[row])
        what = "and is clicked: what was not shown cannot be" if clicked else "so its document was not shown"
        raise DataError(f"rank: row {row} has none, {what}; leave the row out, or give its rank.")
    raise DataError(f"rank: row {row} is {values[row]!s}; ranks are whole numbers from 1.")


def check_whole_lists(rank: IntArray, ptr: IntArray, ids: Ids, order: IntArray) -> None:
    """Raise a `DataError` unless each session, sorted by rank, has the ranks 1, 2, ..., n."""
    due = np.arange(1, len(rank) + 1) - np.repeat(ptr[:-1], np.diff(ptr))
    wrong = rank != due
    if not wrong.any():
        return
    at = int(np.argmax(wrong))
    s = int(np.searchsorted(ptr, at, side="right")) - 1
    if rank[at] < due[at]:
        raise DataError(f"rank: session {ids[s]!s} has rank {rank[at]} twice (row {order[at]}); each stands once.")
    raise DataError(
        f"rank: session {ids[s]!s} has {ptr[s + 1] - ptr[s]} rows and rank {rank[at]} (row {order[at]}) but no rank "
        f"{due[at]}; log the whole list, clicked or not."
    )


def one_each(name: str, values: Ids, ptr: IntArray, ids: Ids) -> Ids:
    """Return the one value of each session."""
    heads = values[ptr[:-1]]
    other = values != np.repeat(heads, np.diff(ptr))
    if other.any():
        at = int(np.argmax(other))
        s = int(np.searchsorted(ptr, at, side="right")) - 1
        raise DataError(
            f"{name}: session {ids[s]!s} has {heads[s]!s} and {values[at]!s}; all rows of a session have one: give "
            "each answer to a query a session of its own."
        )
    return heads


def check_distinct(pair: IntArray, session: IntArray, document: Ids, ids: Ids) -> None:
    order = np.lexsort((pair, session))
    same = (pair[order][1:] == pair[order][:-1]) & (session[order][1:] == session[order][:-1])
    if same.any():
        row = int(order[1:][np.argmax(same)])
        raise DataError(f"document: session {ids[session[row]]!s} has {document[row]!s} twice; keep its first rank.")


def sessions_by_rank(rank: IntArray) -> IntArray:
    begins = np.asarray(rank == 1)
    if len(begins) and not begins[0]:
        raise DataError("rank: the first row is not at rank 1; without a column of sessions, each begins with rank 1.")
    return np.cumsum(begins)
