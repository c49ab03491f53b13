"""Feature matrices and the names of their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError, real_numbers

BLOCK = 1 << 22  # values looked at together, so that checks need little memory beside the matrix


def check_features(X: Any, feature_names: Sequence[str] | None = None) -> tuple[Any, tuple[str, ...]]:
    """Return a feature matrix as a float ndarray or CSR array, and its column names.

    Raises
    ------
    DataError
        Not two-dimensional, not numbers, infinite, or names that are repeated or too few.
    """
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        feature_names = [str(name) for name in X.columns] if feature_names is None else feature_names
        X = _from_frame(X)
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
        return X, numbered(X.shape[1])
    names = tuple(map(str, feature_names))
    if len(names) != X.shape[1] or len(set(names)) != len(names):
        raise DataError(f"feature_names: {len(set(names))} distinct names for {X.shape[1]} columns.")
    return X, names


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


def _from_frame(frame: Any) -> npt.NDArray[Any]:
    for name, dtype in frame.dtypes.items():
        if getattr(dtype, "kind", "O") not in "iufb":
            raise DataError(f"X: column {name!r} is of type {dtype}; encode it as numbers first.")
    if len(set(frame.dtypes)) == 1 and frame.dtypes.iloc[0] == np.float32:
        return np.asarray(frame.to_numpy())
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def require_no_infinity(values: npt.NDArray[Any]) -> None:
    """Raise a `DataError` that names the first infinite feature value; NaN means missing and is allowed."""
    flat = values.reshape(-1)
    width = values.shape[1] if values.ndim == 2 else 1
    for start in range(0, flat.size, BLOCK):
        bad = np.isinf(flat[start : start + BLOCK])
        if bad.any():
            row, column = divmod(start + int(np.argmax(bad)), width)
            where = f"row {row}, column {column}" if values.ndim == 2 else f"stored value {row}"
            raise DataError(f"X: {where} is infinite; use NaN for a missing value.")
