"""Feature matrices and the names of their columns."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError, real_numbers
from .._compile import kernel
from ._categories import Categories, of_column


class Features(NamedTuple):
    """A float ndarray or CSR array, the names of its columns, and the categories that the codes of some stand for."""

    X: Any
    names: tuple[str, ...]
    categories: Categories


def check_features(X: Any, feature_names: Sequence[str] | None = None) -> Features:
    """Return a feature matrix as numbers.

    Raises
    ------
    DataError
        Not two-dimensional, not numbers, infinite, or names that are repeated or too few.
    """
    coded: dict[int, npt.NDArray[Any]] = {}
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        feature_names = [str(name) for name in X.columns] if feature_names is None else feature_names
        X, coded = _from_frame(X)
    if sp.issparse(X):
        X = sp.csr_array(X)
        if X.dtype.kind == "c":
            raise DataError("X: Complex data not supported; give real numbers.")
        X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
        require_no_infinity(X.data)
    else:
        X = _dense(X)
    if X.shape[1] == 0:
        raise DataError(f"X: has 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
    if feature_names is None:
        return Features(X, numbered(X.shape[1]), {})
    names = tuple(map(str, feature_names))
    if len(names) != X.shape[1] or len(set(names)) != len(names):
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        which = f" ({', '.join(map(repr, twice[:3]))} more than once)" if twice else ""
        raise DataError(
            f"feature_names: {len(set(names))} distinct names for {X.shape[1]} columns{which}; give each its own."
        )
    return Features(X, names, {names[j]: values for j, values in coded.items()})


@functools.lru_cache(maxsize=64)
def numbered(n_features: int) -> tuple[str, ...]:
    """Return the names of features that have none of their own: f1, f2, ..., as LETOR counts."""
    return tuple(f"f{i}" for i in range(1, n_features + 1))


def _dense(X: Any) -> npt.NDArray[Any]:
    single = getattr(X, "dtype", None) == np.float32
    matrix: npt.NDArray[Any] = np.asarray(X) if single else real_numbers("X", X)
    if matrix.ndim != 2:
        raise DataError(
            f"X: must have two dimensions (documents, features), not the shape {matrix.shape}. Reshape your data: "
            "a row for each document."
        )
    matrix = np.ascontiguousarray(matrix)
    require_no_infinity(matrix)
    return matrix


def _from_frame(frame: Any) -> tuple[npt.NDArray[Any], dict[int, npt.NDArray[Any]]]:
    """Return the values of a frame, with codes for categories and text, and the categories of each such column."""
    kinds = [getattr(dtype, "kind", "O") in "iufb" for dtype in frame.dtypes]
    if all(kinds):
        if len(set(frame.dtypes)) == 1 and frame.dtypes.iloc[0] == np.float32:
            return np.asarray(frame.to_numpy()), {}
        return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan)), {}
    X, coded = np.empty(frame.shape), {}
    for j, (name, column) in enumerate(frame.items()):
        if kinds[j]:
            X[:, j] = column.to_numpy(dtype=np.float64, na_value=np.nan)
            continue
        found = of_column(name, column)
        if found is None:
            raise DataError(f"X: column {name!r} is of type {column.dtype}; encode it as numbers or as text first.")
        X[:, j], coded[j] = found
    return X, coded


def require_no_infinity(values: npt.NDArray[Any]) -> None:
    """Raise a `DataError` that names the first infinite feature value; NaN means missing and is allowed."""
    flat = np.asarray(values).reshape(-1)
    width = values.shape[1] if values.ndim == 2 else 1
    if any_infinite(flat):
        row, column = divmod(int(np.argmax(np.isinf(flat))), width)
        where = f"row {row}, column {column}" if values.ndim == 2 else f"stored value {row}"
        raise DataError(f"X: {where} is infinite; use NaN for a missing value.")


@kernel
def any_infinite(values: npt.NDArray[Any]) -> bool:
    """Tell whether a value is infinite, in one pass and without memory: a part of what a prediction takes."""
    found = False
    for i in range(values.size):
        found |= abs(values[i]) == np.inf
    return found
