"""Error types, and the checks that every room shares.

An error names the place (file:line, row, query or argument), the value and the remedy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]

LAST_POSITION = 1_000_000
"""The greatest rank at which a document may be shown; a curve learnt by rank is as long as the greatest."""


class GbrankError(ValueError):
    """Anything that a user can get wrong."""


class DataError(GbrankError):
    """The data cannot be used as they are."""


class DataTypeError(DataError, TypeError):
    """The data hold something that is no number; a TypeError, too, as in scikit-learn."""


class ParameterError(GbrankError):
    """An argument cannot be used as it is."""


class GbrankWarning(UserWarning):
    """Something that is allowed, but that a careful user would want to know."""


def as_vector(
    name: str, values: npt.ArrayLike, *, length: int | None = None, of: str = "documents"
) -> npt.NDArray[np.float64]:
    """Return `values` as a finite float64 vector.

    Raises
    ------
    DataError
        Not one-dimensional, not numbers, of another length, NaN or infinite; the row is named.
    """
    vector = real_numbers(name, values)
    if vector.ndim != 1:
        raise DataError(f"{name}: must have one dimension, not the shape {vector.shape}.")
    if length is not None and len(vector) != length:
        raise DataError(f"{name}: {len(vector)} values for {length} {of}; give one for each.")
    require_finite(name, vector)
    return vector


def real_numbers(name: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return `values` as a contiguous float64 array.

    Raises
    ------
    DataError
        Something that is no number, or a complex one.
    """
    try:
        given = np.asarray(values)
        if given.dtype.kind == "c":
            raise DataError(f"{name}: Complex data not supported; give real numbers.")
        return np.ascontiguousarray(given, dtype=np.float64)
    except TypeError as error:
        raise DataTypeError(f"{name}: every value must be a number ({error}).") from None
    except GbrankError:
        raise
    except ValueError as error:
        raise DataError(f"{name}: every value must be a number ({error}).") from None


def require_finite(name: str, values: npt.NDArray[Any]) -> None:
    """Raise a `DataError` that names the first row with NaN or infinity."""
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite.all(axis=1) if values.ndim == 2 else finite))
        raise DataError(f"{name}: row {row} is {values[row]!s}; remove the row or give it a finite value.")


def as_weights(name: str, values: npt.ArrayLike, length: int, *, of: str = "documents") -> npt.NDArray[np.float64]:
    """Return `values` as weights: finite, none negative, not all zero."""
    weights = as_vector(name, values, length=length, of=of)
    if len(weights) and weights.min() < 0:
        row = int(np.argmin(weights))
        raise DataError(f"{name}: row {row} is {weights[row]:g}; a weight cannot be negative.")
    if len(weights) and not weights.any():
        raise DataError(f"{name}: all weights are zero, so nothing could be learnt; leave them out or correct them.")
    return weights


def as_positions(position: npt.ArrayLike, length: int) -> IntArray:
    """Return `position` as whole ranks from 1 to `LAST_POSITION`, one for each document."""
    values = as_vector("position", position, length=length)
    bad = (values < 1) | (values > LAST_POSITION) | (values != np.floor(values))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"position: row {row} is {values[row]:g}; positions are whole ranks from 1 to {LAST_POSITION:,}."
        )
    return values.astype(np.int64)


def whole_grades(y: npt.NDArray[np.float64], used_by: str, *, highest: int = 1000) -> npt.NDArray[np.int64]:
    """Return the labels `y` as whole grades 0, 1, ..., `highest`.

    Raises
    ------
    DataError
        A label is negative, fractional or too large; row, value and the asking objective or measure are named.
    """
    bad = (y < 0) | (y > highest) | (y != np.floor(y))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"label {y[row]:g} in row {row}: {used_by} needs whole grades from 0 to {highest}. "
            "Map the labels to grades, or choose a linear gain or an objective for real labels."
        )
    return y.astype(np.int64)


def check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise a `ParameterError` unless `value` is one of `choices`."""
    if value not in choices:
        raise ParameterError(f"{name}={value!r}: choose one of {', '.join(map(repr, choices))}.")


def check_positive(name: str, value: Any, *, zero: bool = False) -> None:
    """Raise a `ParameterError` unless `value` is a finite number above 0 (or 0 itself, if `zero`)."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise ParameterError(f"{name}={value!r}: must be a number {'of 0 or more' if zero else 'above 0'}.")


def check_whole(name: str, value: Any, *, lowest: int = 1) -> None:
    """Raise a `ParameterError` unless `value` is a whole number of at least `lowest`."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < lowest:
        raise ParameterError(f"{name}={value!r}: must be a whole number of at least {lowest}.")


def check_confidence(confidence: Any) -> None:
    """Raise a `ParameterError` unless `confidence` lies between 0 and 1."""
    if isinstance(confidence, bool | str) or not 0 < confidence < 1:
        raise ParameterError(f"confidence={confidence!r}: must lie between 0 and 1, such as 0.95.")
