"""Tables of features for people and for the estimators of others: names for columns, categories for codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..data._categories import Categories

if TYPE_CHECKING:
    import pandas as pd


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
    """Return item ids as strings; each distinct number is spelled once."""
    if item.dtype.kind == "U":
        return item
    import pandas as pd

    code, items = pd.factorize(item)
    text = items.astype(str)
    return np.asarray(text.astype(f"U{np.strings.str_len(text).max()}")[code])
