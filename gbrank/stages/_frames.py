"""Tables of features for people and for the estimators of others: names for columns, categories for codes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._compile import in_parallel, kernel, thread_count
from ..data._categories import Categories

if TYPE_CHECKING:
    import pandas as pd

_0, _10 = np.uint64(0), np.uint64(10)
ZERO, MINUS = np.uint64(ord("0")), ord("-")


def frame_of(X: Any, names: Sequence[str], categories: Categories) -> pd.DataFrame:
    """Return features as a DataFrame, with the categories themselves where `X` has their codes; sparse ones as dense.

    Examples
    --------
    >>> frame = frame_of(np.array([[0.5, 1.0], [0.7, np.nan]]), ("price", "kind"), {"kind": np.array(["a", "b"])})
    >>> frame["kind"].tolist()
    ['b', nan]
    """
    import pandas as pd

    frame = pd.DataFrame(X.toarray() if hasattr(X, "toarray") else X, columns=list(names))
    for name, values in categories.items():
        codes = frame[name].fillna(-1).astype(np.int64)
        frame[name] = pd.Categorical.from_codes(codes.to_numpy(), dtype=pd.CategoricalDtype(values.tolist()))
    return frame


def plain(column: pd.Series) -> npt.NDArray[Any]:
    """Return a column as an array; what is missing in one of pandas' own number types is NaN."""
    if column.dtype.kind in "iufb" and column.isna().any():
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return column.to_numpy()


def as_text(item: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return item ids as strings, whole numbers as their decimals.

    Examples
    --------
    >>> as_text(np.array([7, -120, 0])).tolist()
    ['7', '-120', '0']
    """
    if item.dtype.kind == "U":
        return item
    width = max(len(str(end)) for end in (item.min(), item.max()))
    codes = np.zeros((len(item), width), np.uint32)
    cuts = np.linspace(0, len(item), thread_count(None) + 1).astype(int).tolist()
    in_parallel([(write_decimals, (a, b, np.ascontiguousarray(item), codes)) for a, b in itertools.pairwise(cuts)])
    return codes.view(f"U{width}").ravel()


@kernel
def write_decimals(first: Any, last: Any, number: Any, codes: Any) -> None:
    """Write the decimals of int64 numbers as code points, a row for each, with zeros behind the end."""
    for row in range(first, last):
        rest = np.uint64(number[row]) if number[row] >= 0 else _0 - np.uint64(number[row])
        length, left = 1, rest // _10
        while left > _0:
            left //= _10
            length += 1
        at = length if number[row] >= 0 else length + 1
        if number[row] < 0:
            codes[row, 0] = MINUS
        for _ in range(length):
            at -= 1
            codes[row, at] = ZERO + rest % _10
            rest //= _10
