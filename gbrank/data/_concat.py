"""Data sets put one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._checks import DataError, IntArray
from ._categories import Categories, code_columns
from ._ranking_data import OPTIONAL, RankingData, replace_fields


def concat(parts: Sequence[RankingData], *, shared_queries: str = "refuse") -> RankingData:
    """Put data sets one after the other.

    Parameters
    ----------
    parts : sequence of RankingData
        With the same feature names and optional fields; ids of one kind (whole numbers or strings).
    shared_queries : {"refuse", "merge"}
        What happens to a query id that two parts use: an error that names it (the same number often means
        another query in another file), or one query with the documents of all parts in order.

    Returns
    -------
    RankingData
        `order` counts the rows of the parts, one after the other, as they stand in the parts; `pairs` name the same
        documents as before.

    Raises
    ------
    DataError
        The parts differ in feature names, fields or kind of id, or share an id that is refused.
    """
    parts = list(parts)
    if shared_queries not in ("refuse", "merge"):
        raise DataError(f"shared_queries={shared_queries!r}: choose 'refuse' or 'merge'.")
    if not parts:
        raise DataError("concat: give at least one data set.")
    _require_alike(parts)
    ids = np.concatenate([part.query_ids for part in parts])
    distinct, count = np.unique(ids, return_counts=True)
    shared = bool((count > 1).any())
    if shared and shared_queries == "refuse":
        raise DataError(
            f"concat: query {distinct[count > 1][0]} is in more than one part. If it is the same query, pass "
            "shared_queries='merge'; if not, make the ids distinct, for example as strings with a prefix."
        )
    if shared and parts[0].query_weight is not None:
        raise DataError("concat: merged queries cannot keep query_weight; set it after merging.")

    def joined(name: str) -> Any:
        if getattr(parts[0], name) is None:
            return None
        return np.concatenate([getattr(part, name) for part in parts])

    sparse = sp.issparse(parts[0].X)
    X = sp.vstack([part.X for part in parts], format="csr") if sparse else joined("X")
    X, categories = (X, {}) if sparse else _one_coding(X, parts)
    fields = {name: joined(name) for name in ("y", "qid", *OPTIONAL) if name != "pairs"}
    data = RankingData(X, **fields, pairs=_joined_pairs(parts), feature_names=parts[0].feature_names)
    return replace_fields(data, categories=categories)


def _one_coding(X: Any, parts: list[RankingData]) -> tuple[Any, Categories]:
    """Return the joined features, in which a category has the same code in every part."""
    names, first = parts[0].feature_names, parts[0].categories
    columns = [names.index(name) for name in first]
    if not columns:
        return X, {}
    common = {name: np.unique(np.concatenate([part.categories[name] for part in parts])) for name in first}
    coded = [code_columns(part.X, names, part.categories, columns, common)[0] for part in parts]
    return np.concatenate(coded), common


def _joined_pairs(parts: list[RankingData]) -> IntArray | None:
    """Return the pairs of all parts as rows of the parts one after the other."""
    starts = np.cumsum([0, *(part.n_documents for part in parts[:-1])])
    pairs = [part.pairs + start for part, start in zip(parts, starts, strict=True) if part.pairs is not None]
    return np.concatenate(pairs) if pairs else None


def _require_alike(parts: list[RankingData]) -> None:
    first = parts[0]
    for number, part in enumerate(parts[1:], 1):
        if part.feature_names != first.feature_names:
            raise DataError(
                f"concat: part {number} has {part.n_features} features and part 0 {first.n_features}, or other "
                "names; read the files with the same n_features."
            )
        for name in part.categories.keys() ^ first.categories.keys():
            raise DataError(f"concat: column {name!r} holds categories in one of part 0 and part {number} alone.")
        for name, values in part.categories.items():
            if values.dtype.kind != first.categories[name].dtype.kind:
                raise DataError(
                    f"concat: the categories of column {name!r} are text in one part and numbers in another."
                )
        if part.query_ids.dtype.kind != first.query_ids.dtype.kind:
            raise DataError(f"concat: query ids are numbers in one part and strings in another (part {number}).")
        if sp.issparse(part.X) != sp.issparse(first.X) or part.y.shape[1:] != first.y.shape[1:]:
            raise DataError(f"concat: part {number} is not of the form of part 0 (dense or sparse, label columns).")
        for name in OPTIONAL:
            if (getattr(part, name) is None) != (getattr(first, name) is None):
                raise DataError(f"concat: {name} is given in only one of part 0 and part {number}.")
        one, other = part.init_score, first.init_score
        if one is not None and other is not None and one.shape[1:] != other.shape[1:]:
            raise DataError(f"concat: init_score has another number of columns in part {number} than in part 0.")
