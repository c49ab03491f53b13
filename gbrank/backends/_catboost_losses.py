"""CatBoost's losses: which of our objectives they are, what they do with weights, and the labels that they take.

Sameness was found by comparing derivatives document by document; see the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError
from .._registry import unknown
from ..data import RankingData
from ..metrics import measure as find_measure
from ..objectives import (
    AbsoluteError,
    CatBoostLoss,
    CrossEntropy,
    Focal,
    Huber,
    LambdaRank,
    LogCosh,
    McRank,
    Objective,
    PairwiseLogistic,
    Quantile,
    Softmax,
    SquaredError,
    StochasticRank,
    YetiLoss,
)
from ._base import NO_OPTIONS, one_label, require_binary, require_own

REMEDY = "change it, or train with LightGBM or XGBoost"

WEIGHTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("RMSE", "Huber", "Logloss", "CrossEntropy", "Focal", "MultiClass", "MultiQuantile", "QueryRMSE"),
        ("sample_weight", "query_weight"),
    ),
    **dict.fromkeys(
        ("QuerySoftMax", "PairLogit", "PairLogitPairwise", "YetiRank", "YetiRankPairwise"), ("query_weight",)
    ),
}
"""The weights that a loss keeps as we mean them: 2 is the document, or the query, twice.  CatBoost ignores the others.

LambdaMart and StochasticRank ignore all in their derivatives.  Losses with exact leaf values (MAE, Quantile, LogCosh,
MAPE) ignore all there; YetiRank and PairLogit ignore those of documents, and QuerySoftMax puts these into the softmax.
"""

UNCHECKED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("YetiRank", "YetiRankPairwise"),
        ("mode", "permutations", "decay", "top", "dcg_type", "dcg_denominator", "noise", "noise_power",
         "num_neighbors", "hints"),
    ),
    "LambdaMart": ("metric", "sigma", "norm", "top", "type", "denominator", "hints"),
    "StochasticRank": (
        "metric", "num_estimations", "mu", "sigma", "lambda", "nu", "top", "type", "denominator", "decay", "hints"
    ),
}  # fmt: skip
"""The parameters of losses to which CatBoost takes any, and ignores what it does not know."""


def spelled(name: str, **parameters: Any) -> str:
    """Return a loss as CatBoost writes it; parameters that are None are left out."""
    given = [f"{key}={str(value).lower() if isinstance(value, bool) else value}"
             for key, value in parameters.items() if value is not None]  # fmt: skip
    return ":".join([name, ";".join(given)] if given else [name])


def _lambdarank(objective: LambdaRank, data: RankingData) -> dict[str, Any]:
    own = "CatBoost's own LambdaMart"
    wanted = NO_OPTIONS | {"weight": "ndcg", "hessian_factor": 1.0, "query_norm": objective.score_norm}
    require_own(objective, own, REMEDY, **wanted)
    kind, sigma = "Exp" if objective.gain == "exp" else "Base", objective.sigmoid
    return loss(
        "LambdaMart", metric="NDCG", sigma=sigma, norm=objective.score_norm, type=kind, top=objective.truncation
    )


def _pairwise(objective: PairwiseLogistic, data: RankingData) -> dict[str, Any]:
    wanted = {"weight": "uniform", "sigmoid": 1.0, "truncation": None, "score_norm": False, "query_norm": False}
    given = {"pairs": ("labels", "given"), "hessian_factor": 1.0}
    require_own(objective, "CatBoost's own PairLogit", REMEDY, **NO_OPTIONS | wanted | given)
    return loss("PairLogit")


def _yeti(objective: YetiLoss, data: RankingData) -> dict[str, Any]:
    own = "CatBoost's own YetiRank"
    unsteadied: dict[str, Any] = {"query_norm": False, "score_norm": False, "hessian_factor": 1.0}
    unsteadied |= {"rerank_every": 1, "rank_smoothing": 0.0, "ties": "stable"}
    require_own(objective, own, REMEDY, sigmoid=1.0, random_state=0, **unsteadied)
    # What CatBoost calls Gumbel noise is logistic, and has no power.
    require_own(objective, own, REMEDY, noise=("logistic", "gauss", "none"))
    if objective.noise == "logistic":
        require_own(objective, own + " with logistic noise", REMEDY, noise_power=1.0)
    noise = {"logistic": "Gumbel", "gauss": "Gauss", "none": "No"}[objective.noise]
    drawn = {"permutations": objective.draws, "noise": noise, "noise_power": objective.noise_power}
    if objective.measure == "yetirank":
        require_own(objective, own, REMEDY, neighbors=1)
        return loss("YetiRank", decay=objective.decay, **drawn)
    name, top, gain = dcg_of(objective)
    return loss("YetiRank", mode=name, top=top, dcg_type=gain, num_neighbors=objective.neighbors, **drawn)


def _stochastic_rank(objective: StochasticRank, data: RankingData) -> dict[str, Any]:
    own = "CatBoost's own StochasticRank"
    require_own(objective, own, REMEDY, query_norm=False, score_norm=False, hessian_factor=1.0, random_state=0)
    require_own(objective, own + ", as far as it is the same,", REMEDY, sigma=1.0)
    if objective.scale_free:
        require_own(objective, own + " with scale_free", REMEDY, mu=0.0)
    name, top, gain = dcg_of(objective)
    given = {"num_estimations": objective.draws, "mu": objective.mu, "nu": objective.nu}
    return loss("StochasticRank", metric=name, top=top, type=gain, **given, **{"lambda": objective.scale_free})


def dcg_of(objective: Any) -> tuple[str, int | None, str]:
    """Return CatBoost's name, cutoff and gain of the measure that an objective aims at."""
    measure = find_measure(objective.measure)
    told = measure.convention
    usual = told.discount == "log2" and told.short_list == "as_is"
    if measure.name not in ("ndcg", "dcg") or told.gain not in ("exp", "linear") or not usual:
        raise ParameterError(
            f"measure={str(measure)!r}: CatBoost's own version is the same for 'ndcg' and 'dcg' with the gain 'exp' or "
            f"'linear' only; {REMEDY}, or name CatBoost's, as in objective='catboost:YetiRank:mode=MAP'."
        )
    return measure.name.upper(), measure.k, "Exp" if told.gain == "exp" else "Base"


def _softmax(objective: Softmax, data: RankingData) -> dict[str, Any]:
    require_own(objective, "CatBoost's own QuerySoftMax", REMEDY, gain="linear", hessian_factor=1.0)
    return loss("QuerySoftMax", beta=1.0 / objective.temperature, **{"lambda": 0.0})


def _quantile(objective: Quantile, data: RankingData) -> dict[str, Any]:
    several = len(objective.alphas) > 1
    return loss("MultiQuantile" if several else "Quantile", alpha=",".join(map(str, objective.alphas)))


def _cross_entropy(objective: CrossEntropy, data: RankingData) -> dict[str, Any]:
    if objective.relevant_from is None:
        require_own(objective, "CatBoost's own CrossEntropy of probabilities", REMEDY, positive_weight=1.0)
        return loss("CrossEntropy")
    require_binary(objective, data, "CatBoost's own Logloss", "give relevant_from=1")
    if isinstance(objective.positive_weight, str):
        raise ParameterError("positive_weight='balanced': give CatBoost's own Logloss a number.")
    weights = {} if objective.positive_weight == 1 else {"class_weights": [1.0, float(objective.positive_weight)]}
    return loss("Logloss") | weights


def _focal(objective: Focal, data: RankingData) -> dict[str, Any]:
    require_binary(objective, data, "CatBoost's own Focal", "give relevant_from=1")
    return loss("Focal", focal_alpha=objective.alpha, focal_gamma=objective.gamma)


def _mcrank(objective: McRank, data: RankingData) -> dict[str, Any]:
    require_own(objective, "CatBoost's own MultiClass", REMEDY, class_weight=None)
    return loss("MultiClass") | {"classes_count": int(data.y.max()) + 1}


def _own(objective: CatBoostLoss, data: RankingData) -> dict[str, Any]:
    for name in objective.parameters:
        if objective.base in UNCHECKED and name not in UNCHECKED[objective.base]:
            raise unknown(f"parameter of CatBoost's {objective.base}", name, UNCHECKED[objective.base])
    if objective.base.startswith("Multi") or objective.base == "RMSEWithUncertainty":
        raise ParameterError(
            f"objective={objective.name!r}: has several outputs a document; use 'mcrank' for classes, or 'quantile' "
            "with several alphas."
        )
    check_range(objective, one_label(data, "CatBoost"))
    return loss(objective.loss_function)


BOUNDED: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("MAP", "MRR"), ("0 and 1", lambda y: (y == 0) | (y == 1))),
    **dict.fromkeys(("ERR", "PFound"), ("from 0 to 1", lambda y: (y >= 0) & (y <= 1))),
    **dict.fromkeys(("NDCG", "DCG"), ("of 0 or more", lambda y: y >= 0)),
}
"""The labels for which the measures that a loss may aim at have a meaning."""


def check_range(objective: CatBoostLoss, y: npt.NDArray[np.float64]) -> None:
    """Refuse labels that CatBoost takes in silence though the measure it aims at has no meaning for them."""
    if objective.base not in UNCHECKED:
        return
    default = "Classic" if objective.base.startswith("YetiRank") else "NDCG"
    target = objective.parameters.get("mode", objective.parameters.get("metric", default))
    if target in BOUNDED:
        labels, good = BOUNDED[target]
        if not good(y).all():
            row = int(np.argmin(good(y)))
            raise DataError(f"label {y[row]:g} in row {row}: {target} is defined for labels {labels}.")


def loss(name: str, **parameters: Any) -> dict[str, Any]:
    """Return the parameter that chooses a loss."""
    return {"loss_function": spelled(name, **parameters)}


NATIVE: Mapping[type[Objective], Callable[[Any, RankingData], dict[str, Any]]] = {
    LambdaRank: _lambdarank,
    PairwiseLogistic: _pairwise,
    YetiLoss: _yeti,
    StochasticRank: _stochastic_rank,
    Softmax: _softmax,
    SquaredError: lambda objective, data: loss("RMSE"),
    AbsoluteError: lambda objective, data: loss("MAE"),
    # By Newton's method, the default, leaves of documents beyond delta leap to infinity.
    Huber: lambda objective, data: loss("Huber", delta=objective.delta) | {"leaf_estimation_method": "Gradient"},
    LogCosh: lambda objective, data: loss("LogCosh"),
    Quantile: _quantile,
    CrossEntropy: _cross_entropy,
    Focal: _focal,
    McRank: _mcrank,
    CatBoostLoss: _own,
}


def native_params(objective: Objective, data: RankingData) -> dict[str, Any]:
    """Return the parameters of the library's own version of `objective`, after checking the library's limits."""
    if type(objective) not in NATIVE:
        names = ", ".join(sorted(each.name for each in NATIVE if each is not CatBoostLoss))
        raise ParameterError(
            f"CatBoost has no objective {objective.name!r} of its own, and takes none from outside for ranking; choose "
            f"another backend. It has: {names}, and its own by their names, as in objective='catboost:QueryRMSE'."
        )
    y = one_label(data, "CatBoost")
    if np.abs(y).max() > np.finfo(np.float32).max:
        row = int(np.argmax(np.abs(y)))
        raise DataError(f"label {y[row]:g} in row {row}: CatBoost keeps labels in float32; scale them down.")
    own = NATIVE[type(objective)](objective, data)
    base = own["loss_function"].partition(":")[0]
    for name in ("sample_weight", "query_weight"):
        if getattr(data, name) is not None and name not in WEIGHTS.get(base, ()):
            kept = " and ".join(WEIGHTS.get(base, ())) or "none"
            raise ParameterError(
                f"{name}: CatBoost's {base} ignores it, or reads it otherwise than documented here (it keeps: {kept}); "
                "leave it out, or choose another objective or backend."
            )
    return own
