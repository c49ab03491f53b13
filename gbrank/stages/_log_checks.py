"""What a row of a stage log may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, check_positive, real_numbers
from .._compile import over_queries
from ..data._ids import code_points, find_repeats, hashes_of

Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def as_stages(stage: npt.ArrayLike, n_stages: int) -> IntArray:
    """Return the stage of each row as whole numbers of the cascade."""
    values: npt.NDArray[Any] = np.asarray(stage)
    if values.dtype.kind not in "iu":
        values = real_numbers("stage", stage)
    bad = (values < 0) | (values > n_stages)
    if values.dtype.kind == "f":
        bad = ~((values >= 0) & (values <= n_stages) & (values == np.floor(values)))
    if bad.any() and values.ndim == 1:
        row = int(np.argmax(bad))
        raise DataError(
            f"stage: row {row} is {values[row]!s}, outside the cascade: give the last stage that let the item through, "
            f"a whole number from 0 to n_stages={n_stages}."
        )
    return values.astype(np.int64)


def as_flags(forced: npt.ArrayLike) -> Mask:
    """Return which exposures were forced; 0 and 1 will do."""
    flags = np.asarray(forced)
    if flags.dtype.kind == "b":
        return flags
    values = real_numbers("forced", forced)
    if not np.isin(values, (0, 1)).all():
        raise DataError("forced: give True or False for each row.")
    return np.asarray(values == 1)


def check_feedback(feedback: Vector, stage: IntArray, forced: Mask | None, n_stages: int) -> None:
    """Raise a `DataError` unless there is feedback, 0 or more, where an item was shown, and NaN elsewhere."""
    shown = stage == n_stages if forced is None else (stage == n_stages) | forced
    known = np.logical_not(np.isnan(feedback))
    if (known & ~shown).any():
        row = int(np.argmax(known & ~shown))
        raise DataError(
            f"feedback: row {row} is {feedback[row]:g}, but its item reached stage {stage[row]} of {n_stages} and was "
            "not exposed; give NaN where nobody saw the item, or mark it in `forced`."
        )
    if (shown & ~known).any():
        row = int(np.argmax(shown & ~known))
        raise DataError(
            f"feedback: row {row} is missing, but its item was exposed; give 0 where there was none, or leave it out."
        )
    bad = known & ~((feedback >= 0) & np.isfinite(feedback))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"feedback: row {row} is {feedback[row]:g}; it must be a finite number of 0 or more.")


def top_of(given: float | None, feedback: Vector) -> float:
    """Return the highest feedback there can be."""
    highest = float(np.nanmax(feedback, initial=0.0, where=~np.isnan(feedback)))
    if given is None:
        return max(1.0, highest)
    check_positive("top_feedback", given)
    if highest > given:
        raise DataError(f"feedback: {highest:g} is above top_feedback={given:g}; raise that, or cap the feedback.")
    return float(given)


def check_distinct(item: npt.NDArray[Any], request_ptr: IntArray, ids: npt.NDArray[Any], order: IntArray) -> None:
    """Raise a `DataError` that names the first item that a request has twice, by the rows as given."""
    if item.dtype.kind == "U":
        codes, hashes = code_points(item), hashes_of(item)
    else:
        codes = np.ascontiguousarray(item).view(np.uint32).reshape(len(item), 2)
        hashes = item.astype(np.uint64) * HASH_FACTOR
    twice = np.full((len(ids), 2), -1)
    over_queries(find_repeats, request_ptr, codes, hashes, twice)
    found = np.flatnonzero(twice[:, 0] >= 0)
    if len(found):
        q = int(found[0])
        first, row = twice[q].tolist()
        raise DataError(
            f"item: {item[row]!s} of request {ids[q]!s} is in rows {order[first]} and {order[row]}; "
            "log each item of a request once, with the last stage that it reached."
        )
