"""The index of pandas objects: rows are taken by place, and what shows that places do not fit is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._checks import DataError


def has_own_index(given: Any) -> bool:
    """Tell whether `given` is a Series or DataFrame with an index other than 0, 1, 2, ... by default."""
    index = getattr(given, "index", None)
    if not hasattr(given, "iloc") or index is None:
        return False
    return not (type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1)


def require_aligned(X: Any, by_row: Mapping[str, Any]) -> None:
    """Refuse a Series whose index holds the labels of the frame `X`, in another order.

    As in scikit-learn, the first value belongs to the first row, whatever the index says; but the same labels in
    another order say that it does not.  An index by default says nothing.

    Raises
    ------
    DataError
        It is named, with the first row that differs.
    """
    if not has_own_index(X):
        return
    for name, given in by_row.items():
        if not has_own_index(given) or len(given.index) != len(X.index) or given.index.equals(X.index):
            continue
        if len(X.index.symmetric_difference(given.index, sort=False)) == 0:
            row = int(np.argmax(np.asarray(X.index != given.index)))
            there, here = (each.index[[row]].tolist()[0] for each in (X, given))
            raise DataError(
                f"{name}: its index has the labels of X in another order (row {row} is {there!r} in X, and "
                f"{here!r} here); align it, as in {name}.loc[X.index], or, if rows do belong together as they stand, "
                f"give {name}.to_numpy()."
            )
