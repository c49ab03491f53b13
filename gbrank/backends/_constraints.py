"""What a tree is told of single features: constraints, and which are categorical.

Features are named by their names or by the numbers of their columns, from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import ParameterError
from .._registry import unknown
from ..data import RankingData
from ..data._categories import code_columns
from ..data._ranking_data import replace_fields
from ..objectives import Bound, Objective

if TYPE_CHECKING:
    from ._base import TreeParams

Column = str | int
Signs = Mapping[Column, int] | Sequence[int]
Groups = Sequence[Sequence[Column]]


def check_signs(constraints: Any) -> None:
    """Raise a `ParameterError` unless monotone constraints are -1, 0 or 1 for each feature, or by feature."""
    if not isinstance(constraints, Mapping) and not _is_list(constraints):
        raise ParameterError(
            f"monotone_constraints={constraints!r}: give -1, 0 or 1 for each feature in a list, or {{feature: 1}}."
        )
    for place, sign in constraints.items() if isinstance(constraints, Mapping) else enumerate(constraints):
        if isinstance(sign, bool) or sign not in (-1, 0, 1):
            raise ParameterError(
                f"monotone_constraints[{place!r}]={sign!r}: 1 is rising, -1 falling, and 0 is no constraint."
            )


def check_groups(groups: Any) -> None:
    """Raise a `ParameterError` unless interaction constraints are a list of lists of features."""
    if not _is_list(groups) or not all(_is_list(group) and len(group) for group in groups):
        raise ParameterError(
            f"interaction_constraints={groups!r}: give a list of groups of features, as in [['bm25', 'age'], [3, 4]]."
        )


def check_categorical(features: Any) -> None:
    """Raise a `ParameterError` unless categorical features are a list, or "auto"."""
    if not _is_list(features) and not (isinstance(features, str) and features == "auto"):
        raise ParameterError(f"categorical_features={features!r}: give a list of features, or 'auto'.")


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | range) or (isinstance(value, np.ndarray) and value.ndim == 1)


def column_of(feature: Any, names: Sequence[str], argument: str) -> int:
    """Return the column of a feature, which is given by its name or its column."""
    if isinstance(feature, str):
        if feature not in names:
            raise unknown(f"feature in {argument}:", feature, names)
        return names.index(feature)
    if isinstance(feature, int | np.integer) and not isinstance(feature, bool) and 0 <= feature < len(names):
        return int(feature)
    raise ParameterError(f"{argument}: {feature!r} is no feature; columns are counted from 0 to {len(names) - 1}.")


def monotone_signs(params: TreeParams, names: Sequence[str]) -> list[int] | None:
    """Return the monotone constraint of each column, or None if there is none."""
    given = params.monotone_constraints
    if given is None:
        return None
    signs = [0] * len(names)
    if isinstance(given, Mapping):
        for feature, sign in given.items():
            signs[column_of(feature, names, "monotone_constraints")] = int(sign)
    elif len(given) != len(names):
        raise ParameterError(
            f"monotone_constraints: {len(given)} of them for {len(names)} features; give one for each."
        )
    else:
        signs = [int(sign) for sign in given]
    return signs if any(signs) else None


def interaction_groups(params: TreeParams, names: Sequence[str]) -> list[list[int]] | None:
    """Return the groups of columns that may meet on a path of a tree; a feature in no group is one of its own."""
    if params.interaction_constraints is None:
        return None
    groups = [
        sorted({column_of(feature, names, "interaction_constraints") for feature in group})
        for group in params.interaction_constraints
    ]
    return groups + [[column] for column in sorted(set(range(len(names))) - set().union(*groups))]


def with_codes(data: RankingData, params: TreeParams, reference: RankingData | None) -> RankingData:
    """Return data in which exactly the categorical columns hold codes: those of `reference`, if there is one.

    Raises
    ------
    ParameterError
        A feature that is not there; a categorical one that has a monotone constraint.
    DataError
        Categories in another column; what is no code; see `code_columns`.
    """
    names, given = data.feature_names, params.categorical_features
    if reference is not None:
        columns = [reference.feature_names.index(name) for name in reference.categories]
    elif given is None:
        columns = []
    elif isinstance(given, str):
        columns = [names.index(name) for name in data.categories]
    else:
        columns = sorted({column_of(feature, names, "categorical_features") for feature in given})
    signs = monotone_signs(params, names)
    for column in columns:
        if signs is not None and signs[column]:
            raise ParameterError(
                f"monotone_constraints: feature {names[column]!r} is categorical, and categories have no order to be "
                "monotone in; leave one of the two out."
            )
    like = None if reference is None else reference.categories
    X, categories = code_columns(data.X, names, data.categories, columns, like)
    if X is data.X and not data.categories and not categories:
        return data
    return replace_fields(data, X=X, categories=categories)


def categorical_columns(data: RankingData) -> list[int]:
    """Return the columns that hold codes of categories."""
    return [data.feature_names.index(name) for name in data.categories]


def require_monotone(objective: Objective, bound: Bound, backend: str) -> None:
    """Raise a `ParameterError` where trees that are monotone would not make scores that are."""
    if bound.n_outputs > 1:
        raise ParameterError(
            f"monotone_constraints: the score of {objective} is made of {bound.n_outputs} outputs; each would be "
            "monotone, but not the score. Leave the constraints out, or choose an objective with one output."
        )
    if bound.renews_leaves and backend != "catboost":
        raise ParameterError(
            f"monotone_constraints: {objective} gives the leaves of a grown tree new values, which breaks the "
            "constraints; leave them out, or choose another objective."
        )
