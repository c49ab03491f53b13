"""LightGBM's own objectives: which of ours they are, and what data they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._checks import DataError, ParameterError
from ..data import RankingData
from ..objectives import (
    AbsoluteError,
    CrossEntropy,
    Huber,
    LambdaRank,
    McRank,
    Objective,
    PositionTerm,
    Quantile,
    SquaredError,
    UnbiasedLambdaRank,
)
from ._base import NO_OPTIONS, FloatMatrix, one_label, require_binary, require_own

MAX_GRADE, MAX_DOCUMENTS = 30, 10_000


def log_odds(p: FloatMatrix) -> FloatMatrix:
    """Return the log-odds of probabilities; where they round to 0 or 1, about -37 or 37."""
    p = np.clip(p, 1e-16, 1 - 1e-16)
    return np.asarray(np.log(p) - np.log1p(-p))


def _lambdarank(objective: LambdaRank, data: RankingData) -> dict[str, Any]:
    y = one_label(data, "LightGBM")
    own = "LightGBM's own lambdarank"
    require_own(objective, own, weight="ndcg", hessian_factor=1.0, query_norm=objective.score_norm, **NO_OPTIONS)
    if y.max() > MAX_GRADE:
        raise DataError(
            f"label {y.max():g} in row {int(np.argmax(y))}: LightGBM's own lambdarank has grades up to {MAX_GRADE}; "
            "use engine='compiled', which has no such limit."
        )
    if data.query_sizes.max() > MAX_DOCUMENTS:
        worst = int(np.argmax(data.query_sizes))
        raise DataError(
            f"query {data.query_ids[worst]} has {data.query_sizes[worst]} documents: LightGBM's own lambdarank takes "
            f"{MAX_DOCUMENTS}; use engine='compiled', which has no such limit."
        )
    grades = np.arange(MAX_GRADE + 1)
    return {
        "objective": "lambdarank",
        "sigmoid": objective.sigmoid,
        "lambdarank_truncation_level": objective.truncation or int(data.query_sizes.max()),
        "lambdarank_norm": objective.query_norm,
        "label_gain": (2.0**grades - 1 if objective.gain == "exp" else grades).tolist(),
    }


def _position_term(objective: PositionTerm, data: RankingData) -> dict[str, Any]:
    own = "LightGBM's own position bias"
    if type(objective.base) is not LambdaRank:
        raise ParameterError(f"base={objective.base!r}: {own} is that of LambdaRank(); use engine='compiled'.")
    if objective.regularisation and data.query_weight is not None:
        raise ParameterError(
            f"query_weight: {own} regularises by the number of documents, whatever their weights; use engine='compiled'"
            ", or regularisation=0."
        )
    return _lambdarank(objective.base, data) | {"lambdarank_position_bias_regularization": objective.regularisation}


def _quantile(objective: Quantile, data: RankingData) -> dict[str, Any]:
    if len(objective.alphas) > 1:
        raise ParameterError("alpha: LightGBM's own quantile has one quantile; use engine='compiled'.")
    return {"objective": "quantile", "alpha": objective.alphas[0]}


def _cross_entropy(objective: CrossEntropy, data: RankingData) -> dict[str, Any]:
    require_binary(objective, data, "LightGBM's own binary")
    if objective.relevant_from is None:
        require_own(objective, "LightGBM's own cross_entropy", positive_weight=1.0)
        return {"objective": "cross_entropy"}
    if isinstance(objective.positive_weight, str):
        raise ParameterError("positive_weight='balanced': give LightGBM's own binary a number; or engine='compiled'.")
    return {"objective": "binary", "scale_pos_weight": objective.positive_weight}


def _mcrank(objective: McRank, data: RankingData) -> dict[str, Any]:
    require_own(objective, "LightGBM's own multiclass", class_weight=None)
    return {"objective": "multiclass", "num_class": int(data.y.max()) + 1}


NATIVE: Mapping[type[Objective], Callable[[Any, RankingData], dict[str, Any]]] = {
    LambdaRank: _lambdarank,
    SquaredError: lambda objective, data: {"objective": "regression"},
    AbsoluteError: lambda objective, data: {"objective": "regression_l1"},
    Huber: lambda objective, data: {"objective": "huber", "alpha": objective.delta},
    Quantile: _quantile,
    CrossEntropy: _cross_entropy,
    McRank: _mcrank,
    PositionTerm: _position_term,
}
OTHERWISE: Mapping[type[Objective], str] = {
    UnbiasedLambdaRank: "its own correction of positions is that of PositionTerm(LambdaRank()); "
}
# The library shows its scores through these functions; here are their inverses.
RAW: Mapping[str, Callable[[FloatMatrix], FloatMatrix]] = {
    "binary": log_odds,
    "cross_entropy": log_odds,
    "multiclass": lambda p: np.log(np.maximum(p, 1e-300)),
}


def native_params(objective: Objective, data: RankingData) -> dict[str, Any]:
    """Return the parameters of the library's own version of `objective`, after checking the library's limits."""
    if type(objective) not in NATIVE:
        raise ParameterError(
            f"LightGBM has no objective {objective.name!r} of its own; {OTHERWISE.get(type(objective), '')}"
            "use engine='compiled'. "
            f"It has: {', '.join(sorted(each.name for each in NATIVE))}."
        )
    if data.sample_weight is not None:
        raise ParameterError(
            "sample_weight: LightGBM's own objectives read it otherwise than documented here; use engine='compiled', "
            "or query_weight."
        )
    return NATIVE[type(objective)](objective, data)
