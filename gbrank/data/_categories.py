"""Columns of categories: what stands in a feature matrix for each, and how two data sets agree on it.

A feature matrix holds numbers, so a category is a code: code k of column `name` stands for ``categories[name][k]``, a
text or a whole number.  The codes of a model are those of the categories in its training data, sorted; whatever else
turns up later is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError

Values = npt.NDArray[Any]
Categories = Mapping[str, Values]

MOST = 1 << 24  # up to which single precision knows every whole number
KINDS = {"U": "text", "i": "whole numbers"}


def of_column(name: Any, column: Any) -> tuple[npt.NDArray[np.float64], Values] | None:
    """Return the codes of a pandas column of categories or text, NaN where missing, and its categories.

    None for a column of another type.

    Raises
    ------
    DataError
        Categories that are neither text nor whole numbers.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy(), column.cat.categories
    elif isinstance(column.dtype, pd.StringDtype) or _all_text(column):
        codes, values = pd.factorize(column, sort=True)
    else:
        return None
    return np.where(codes < 0, np.nan, codes), _plain(name, values)


def _all_text(column: Any) -> bool:
    """Tell whether a column of Python objects holds nothing but text and missing values."""
    import pandas as pd

    return column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")


def _plain(name: Any, values: Any) -> Values:
    """Return categories as an array of text or of int64."""
    items = list(values)
    if all(isinstance(item, str) for item in items):
        return np.array(items, dtype=str)
    if all(isinstance(item, int | float | np.number) and not isinstance(item, bool) for item in items):
        numbers = np.array(items, dtype=np.float64)
        if (numbers == np.floor(numbers)).all():
            return numbers.astype(np.int64)
    raise DataError(
        f"X: column {name!r} has categories such as {items[0]!r}: give text or whole numbers, as in "
        f"X[{name!r}].astype(str)."
    )


def as_categories(values: list[Any]) -> Values:
    """Return categories, as JSON keeps them, as an array; a `TypeError` tells that they are none."""
    if all(isinstance(value, str) for value in values):
        return np.array(values, dtype=str)
    if all(type(value) is int for value in values):
        return np.array(values, dtype=np.int64)
    raise TypeError("categories are texts or whole numbers")


def decoded(codes: Values, values: Values) -> Values:
    """Return the categories that codes stand for, None where missing."""
    return np.array([None if np.isnan(code) else values[int(code)] for code in codes], dtype=object)


def code_columns(
    X: Any, names: tuple[str, ...], given: Categories, columns: Iterable[int], like: Categories | None = None
) -> tuple[Any, dict[str, Values]]:
    """Return the matrix with the codes of a model in some columns, and the categories that these stand for.

    Parameters
    ----------
    X : array of shape (n_documents, n_features)
    names : tuple of str
        Of the columns.
    given : mapping
        The categories of the columns that hold codes; the others hold numbers.
    columns : iterable of int
        Which columns are categorical; the numbers of one without categories are themselves its categories.
    like : mapping, optional
        The categories of the model, by the names of its columns, in the order of `columns`; what is not among them is
        missing.  By default they are those found, sorted.

    Raises
    ------
    DataError
        Codes that are negative or not whole; text where the model has numbers, or the other way round; a sparse matrix.
    """
    columns = list(columns)
    for name, values in given.items():
        if len(values) and names.index(name) not in columns:
            raise DataError(
                f"X: column {name!r} holds categories"
                + (
                    "; name it in categorical_features, or give categorical_features='auto'."
                    if like is None
                    else ", and held numbers in training; give it as numbers."
                )
            )
    if not columns:
        return X, {}
    if sp.issparse(X):
        raise DataError(
            "X: is sparse, where a value that is not stored is 0 to one library and missing to another; give a dense "
            "X where there are categorical features."
        )
    wanted = list(like.values()) if like is not None else [None] * len(columns)
    out, categories = X, {}
    for j, model_values in zip(columns, wanted, strict=True):
        codes, values = _codes(X[:, j], names[j], given.get(names[j]))
        if model_values is None:
            categories[names[j]] = values
        else:
            codes = _translated(codes, values, model_values, names[j])
            categories[names[j]] = model_values
        if not np.array_equal(codes, X[:, j], equal_nan=True):
            out = X.copy() if out is X else out
            out[:, j] = codes
    return out, categories


def _codes(column: Values, name: str, values: Values | None) -> tuple[npt.NDArray[np.float64], Values]:
    """Return codes of the categories that occur, sorted, and these categories."""
    known = ~np.isnan(column)
    found, places = np.unique(column[known], return_inverse=True)
    bad = (found < 0) | (found != np.floor(found)) | (found >= 2.0**53)
    if values is None and bad.any():
        row = int(np.argmax(column == found[np.argmax(bad)]))
        raise DataError(
            f"X: column {name!r} is categorical, and row {row} is {column[row]:g} there: codes are whole numbers from "
            "0; use NaN for a missing category, or give the column as text."
        )
    own = found.astype(np.int64)
    present = own if values is None else values[own]
    if len(present) >= MOST:
        raise DataError(f"X: column {name!r} has {len(present)} categories; below {MOST} can be told apart.")
    order = np.argsort(present, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    codes = np.full(len(column), np.nan)
    codes[known] = rank[places]
    return codes, present[order]


def _translated(codes: Values, values: Values, wanted: Values, name: str) -> npt.NDArray[np.float64]:
    """Return codes of `values` as codes of the sorted categories `wanted`, NaN for what is not among them."""
    if len(values) and len(wanted) and values.dtype.kind != wanted.dtype.kind:
        raise DataError(
            f"X: column {name!r} holds {KINDS[values.dtype.kind]}, and held {KINDS[wanted.dtype.kind]} in training; "
            "give the categories of the training data."
        )
    if not len(values) or not len(wanted):
        return np.full(len(codes), np.nan)
    at = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    new = np.where(wanted[at] == values, at, np.nan)
    out = np.full(len(codes), np.nan)
    known = ~np.isnan(codes)
    out[known] = new[codes[known].astype(np.int64)]
    return out


def require_numbers(categories: Categories, used_by: str) -> None:
    """Raise a `DataError` where data hold categories, which stand for no quantity."""
    for name in categories:
        raise DataError(
            f"X: column {name!r} holds categories, which {used_by} would take for quantities; leave the column out, "
            "or encode it as numbers first."
        )
