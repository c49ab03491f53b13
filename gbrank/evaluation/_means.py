"""What results share: weighted means with their standard errors, and tables as plain values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..metrics import Measure

Vector = npt.NDArray[np.float64]


def query_weights(measure: Measure, sizes: npt.ArrayLike) -> Vector:
    """Return what each query counts in the mean: 1, or its number of documents where the convention says so."""
    documents = np.asarray(sizes, dtype=np.float64)
    return documents if measure.convention.average == "documents" else np.ones(len(documents))


def mean_and_error(values: Vector, weights: Vector) -> tuple[float, float, int]:
    """Return the weighted mean of the values that are not NaN, its standard error, and their number.

    The standard error is sqrt(n / (n - 1) sum w^2 (v - mean)^2) / sum w: for equal weights the standard deviation
    divided by the root of n.

    Examples
    --------
    >>> mean_and_error(np.array([1.0, 3.0, np.nan]), np.array([1.0, 1.0, 1.0]))
    (2.0, 1.0, 2)
    """
    kept = ~np.isnan(values)
    v, w, n = values[kept], weights[kept], int(kept.sum())
    if n == 0:
        return np.nan, np.nan, 0
    mean = float(v @ w / w.sum())
    error = np.sqrt(n / (n - 1) * ((w * (v - mean)) ** 2).sum()) / w.sum() if n > 1 else np.nan
    return mean, float(error), n


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values for JSON; None for NaN."""
    return [
        {str(name): value if isinstance(value, str) else plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def plain(value: Any) -> float | int | None:
    """Return a number for JSON: whole ones as int, None for NaN and what is missing."""
    if value is None or value is pd.NA:
        return None
    number = float(value)
    return None if math.isnan(number) else int(number) if number.is_integer() else number


def _plain(value: Any) -> float | int | None:
    number = float(value)
    return None if math.isnan(number) else int(number) if number.is_integer() else number
