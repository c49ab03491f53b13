"""What `fit`, `score` and `predict` are given, made into data and checked against the training data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._checks import DataError, GbrankWarning, ParameterError
from ..backends import Backend, Binned, TreeParams
from ..data import RankingData
from ..data._categories import Categories, code_columns
from ..data._features import check_features, numbered
from ..splits import train_test_split

NO_CATEGORIES: Categories = {}
EvalSet = Any  # RankingData, Binned, (X, y, qid), or a mapping from names to these


def as_data(X: Any, y: Any, qid: Any, **optional: Any) -> Any:
    """Return `X` if it is data already, else the `RankingData` of all arguments."""
    if isinstance(X, RankingData | Binned):
        if any(given is not None for given in (y, qid, *optional.values())):
            raise ParameterError(
                "y, qid, positions, weights and pairs come from the RankingData; do not give them beside it."
            )
        return X
    if y is None:
        raise DataError(
            "fit requires y to be passed, but the target y is None: give a label for each document, or a RankingData."
        )
    if qid is None:
        warnings.warn(
            "no qid: all documents are taken for one query. Give one query id for each document; inside "
            "scikit-learn's searches and cross-validation switch on metadata routing, which passes them on.",
            GbrankWarning,
            stacklevel=3,
        )
        qid = np.zeros(len(np.asarray(y)), np.int64)
    return RankingData(X, y, qid, **optional)


def data_of(given: RankingData | Binned) -> RankingData:
    """Return data without their bins."""
    return given.data if isinstance(given, Binned) else given


def require_several(data: RankingData) -> None:
    """Raise a `DataError` where there is one document alone."""
    if data.n_documents == 1:
        raise DataError("X: has 1 sample, and nothing can be learnt from one document alone; give more.")


def as_eval_sets(eval_set: EvalSet | None) -> dict[str, RankingData | Binned]:
    """Return the evaluation sets by name; a single one is called "valid"."""
    if eval_set is None:
        return {}
    named = eval_set if isinstance(eval_set, Mapping) else {"valid": eval_set}
    return {str(name): _eval_set(str(name), one) for name, one in named.items()}


def _eval_set(name: str, one: Any) -> RankingData | Binned:
    if isinstance(one, RankingData | Binned):
        return one
    if isinstance(one, tuple) and len(one) == 3:
        return RankingData(*one)
    got = f"a tuple of {len(one)}" if isinstance(one, tuple) else type(one).__name__
    raise DataError(f"eval_set ({name}): give a RankingData or a tuple (X, y, qid), not {got}.")


def hold_out(train: RankingData | Binned, share: float, seed: Any) -> tuple[RankingData, RankingData]:
    """Return training data without a share of the queries, and these."""
    if isinstance(train, Binned):
        raise ParameterError("validation_fraction: cannot cut binned data; give an eval_set instead.")
    kept, held = train_test_split(train, test_size=share, random_state=seed or 0)
    return kept, held


def require_same_features(train: RankingData, other: RankingData, name: str) -> None:
    """Raise a `DataError` where an evaluation set has other columns than the training data."""
    if other.n_features != train.n_features:
        raise DataError(
            f"eval_set ({name}) has {other.n_features} features and the training data {train.n_features}; read both "
            "with the same n_features."
        )
    if other.feature_names != train.feature_names:
        raise DataError(f"eval_set ({name}) has other feature names, or another order, than the training data.")
    if sp.issparse(other.X) != sp.issparse(train.X):
        raise DataError(f"eval_set ({name}) and the training data must both be dense or both be sparse.")


def require_same_codes(train: RankingData, other: RankingData, name: str) -> None:
    """Raise a `DataError` where an evaluation set was binned with other categories than the training data."""
    for column, values in train.categories.items():
        if not np.array_equal(other.categories.get(column, ()), values):
            raise DataError(
                f"eval_set ({name}): was binned with other categories of {column!r} than the training data; bin it "
                "with reference=, the binned training data."
            )


def check_callbacks(callbacks: Any) -> None:
    """Raise a `ParameterError` unless `callbacks` is None or a sequence of what can be called."""
    if callbacks is not None and not (isinstance(callbacks, Sequence) and all(map(callable, callbacks))):
        raise ParameterError(f"callbacks={callbacks!r}: give a list of functions of a RoundInfo, or None.")


def with_bins(
    train: RankingData | Binned, evaluated: Mapping[str, RankingData | Binned], backend: Backend, params: TreeParams
) -> tuple[Binned, dict[str, Binned]]:
    """Return training data and evaluation sets with bins; a set that is the training data shares theirs."""
    binned, sets = train if isinstance(train, Binned) else backend.bin(train, params), {}
    for name, one in evaluated.items():
        if isinstance(one, RankingData):
            one = binned if one is data_of(train) else backend.bin(one, params, binned)
        require_same_codes(binned.data, one.data, name)
        sets[name] = one
    return binned, sets


def features_as_trained(
    X: Any, trained_on: tuple[str, ...], ranker: str, categories: Categories = NO_CATEGORIES
) -> Any:
    """Return the feature matrix of `X`, whose columns are those that the ranker, of that class, was trained on.

    Columns of categories hold the codes of the ranker's `categories`.
    """
    features, names, given = (X.X, X.feature_names, X.categories) if isinstance(X, RankingData) else check_features(X)
    if features.shape[1] != len(trained_on):
        raise DataError(
            f"X has {features.shape[1]} features, but {ranker} is expecting {len(trained_on)} features as input: "
            "those it was trained on."
        )
    named = isinstance(X, RankingData) or hasattr(X, "columns")
    # Data without names of their own (LETOR text, arrays) have numbered ones: their columns go by position.
    if named and names != trained_on and names != numbered(len(names)):
        at = next(i for i, (a, b) in enumerate(zip(names, trained_on, strict=True)) if a != b)
        raise DataError(
            f"column {at} is {names[at]!r}; the ranker was trained with {trained_on[at]!r} there. "
            "Give the columns the names and the order of the training data."
        )
    columns = [trained_on.index(name) for name in categories]
    return code_columns(features, names, given, columns, categories)[0]
