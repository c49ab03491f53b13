"""XGBoost's own objectives: which of ours they are, and what data they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._checks import DataError, ParameterError
from ..data import RankingData
from ..objectives import (
    AbsoluteError,
    CrossEntropy,
    Hinge,
    Huber,
    LambdaRank,
    McRank,
    Objective,
    PairwiseLogistic,
    Quantile,
    SquaredError,
    UnbiasedLambdaRank,
)
from ._base import NO_OPTIONS, one_label, require_binary, require_own

MAX_GRADE = 31


def _lambdarank(objective: LambdaRank, data: RankingData) -> dict[str, Any]:
    y = one_label(data, "XGBoost")
    own = "XGBoost's own rank:ndcg and rank:map"
    require_own(objective, own, weight=("ndcg", "map"), sigmoid=1.0, hessian_factor=(1.0, 2.0), **NO_OPTIONS)
    if objective.weight == "map":
        require_own(objective, own, relevant_from=1.0)
        if not np.isin(y, (0, 1)).all():
            raise DataError("XGBoost's own rank:map takes the labels 0 and 1 only; use engine='compiled'.")
    elif objective.gain == "exp" and y.max() > MAX_GRADE:
        raise DataError(
            f"label {y.max():g} in row {int(np.argmax(y))}: XGBoost's own rank:ndcg has grades up to {MAX_GRADE}; "
            "use engine='compiled', which has no such limit."
        )
    return {
        "objective": f"rank:{objective.weight}",
        "lambdarank_pair_method": "topk",
        "lambdarank_num_pair_per_sample": objective.truncation or int(data.query_sizes.max()),
        "lambdarank_normalization": objective.query_norm,
        "lambdarank_score_normalization": objective.score_norm,
        "ndcg_exp_gain": objective.gain == "exp",
    }


def _pairwise(objective: PairwiseLogistic, data: RankingData) -> dict[str, Any]:
    require_own(objective, "XGBoost's own rank:pairwise", weight="uniform", sigmoid=1.0, **NO_OPTIONS)
    return {
        "objective": "rank:pairwise",
        "lambdarank_pair_method": "topk",
        "lambdarank_num_pair_per_sample": objective.truncation or int(data.query_sizes.max()),
        "lambdarank_normalization": objective.query_norm,
        "lambdarank_score_normalization": objective.score_norm,
    }


def _unbiased(objective: UnbiasedLambdaRank, data: RankingData) -> dict[str, Any]:
    own = "XGBoost's own lambdarank_unbiased"
    params = (_pairwise if objective.weight == "uniform" else _lambdarank)(objective, data)
    if data.query_weight is not None:
        raise ParameterError(f"query_weight: {own} learns from costs without it; use engine='compiled'.")
    require_own(objective, own, clip=None)
    # `Objective.bind` has refused data without positions before.
    position: Any = data.position
    in_order = np.arange(1, data.n_documents + 1) - np.repeat(data.query_ptr[:-1], data.query_sizes)
    if not np.array_equal(position, in_order):
        row = int(np.argmax(position != in_order))
        raise DataError(
            f"position: row {row} is {position[row]}, and the document is number {in_order[row]} of its query: {own} "
            "takes the order of rows for the positions; give the rows of each query in the order of all positions from "
            "1 on, or use engine='compiled'."
        )
    if position.max() > min(objective.n_positions, params["lambdarank_num_pair_per_sample"]):
        require_own(objective, own + " of documents shown beyond", beyond="uncorrected")
        require_own(objective, own, n_positions=params["lambdarank_num_pair_per_sample"])
    return params | {"lambdarank_unbiased": True, "lambdarank_bias_norm": objective.bias_norm}


def _cross_entropy(objective: CrossEntropy, data: RankingData) -> dict[str, Any]:
    y = require_binary(objective, data, "XGBoost's own binary:logistic")
    if isinstance(objective.positive_weight, str):
        raise ParameterError(
            "positive_weight='balanced': give XGBoost's own binary:logistic a number; or engine='compiled'."
        )
    if objective.relevant_from is None:
        require_own(objective, "XGBoost's own binary:logistic of probabilities", positive_weight=1.0)
    share = float(objective.positive_weight * y.sum() / (objective.positive_weight * y.sum() + (1 - y).sum()))
    return {"objective": "binary:logistic", "scale_pos_weight": objective.positive_weight, "base_score": share}


def _hinge(objective: Hinge, data: RankingData) -> dict[str, Any]:
    require_binary(objective, data, "XGBoost's own binary:hinge")
    require_own(objective, "XGBoost's own binary:hinge", margin=1.0)
    return {"objective": "binary:hinge"}


def _mcrank(objective: McRank, data: RankingData) -> dict[str, Any]:
    require_own(objective, "XGBoost's own multi:softprob", class_weight=None)
    return {"objective": "multi:softprob", "num_class": int(data.y.max()) + 1}


NATIVE: Mapping[type[Objective], Callable[[Any, RankingData], dict[str, Any]]] = {
    LambdaRank: _lambdarank,
    PairwiseLogistic: _pairwise,
    SquaredError: lambda objective, data: {"objective": "reg:squarederror", "base_score": float(data.y.mean())},
    AbsoluteError: lambda objective, data: {"objective": "reg:absoluteerror", "base_score": float(np.median(data.y))},
    Quantile: lambda objective, data: {
        "objective": "reg:quantileerror",
        "quantile_alpha": list(objective.alphas),
        "base_score": float(np.quantile(data.y, np.median(objective.alphas))),
    },
    CrossEntropy: _cross_entropy,
    Hinge: _hinge,
    McRank: _mcrank,
    UnbiasedLambdaRank: _unbiased,
}
OTHERWISE: Mapping[type[Objective], str] = {Huber: "its reg:pseudohubererror is another function; "}


def native_params(objective: Objective, data: RankingData) -> dict[str, Any]:
    """Return the parameters of the library's own version of `objective`, after checking the library's limits."""
    if type(objective) not in NATIVE:
        raise ParameterError(
            f"XGBoost has no objective {objective.name!r} of its own; {OTHERWISE.get(type(objective), '')}"
            "use engine='compiled'. "
            f"It has: {', '.join(sorted(each.name for each in NATIVE))}."
        )
    if data.sample_weight is not None:
        raise ParameterError("sample_weight: XGBoost's ranking takes weights of queries only; use engine='compiled'.")
    if data.query_weight is not None and type(objective) not in (LambdaRank, PairwiseLogistic, UnbiasedLambdaRank):
        raise ParameterError(
            "query_weight: XGBoost keeps one weight a query, which its own pointwise objectives do not read; use "
            "engine='compiled'."
        )
    return NATIVE[type(objective)](objective, data)
