"""What boosters call their objectives, and what the same loss is called here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .._checks import ParameterError


class Elsewhere(NamedTuple):
    """An objective of another library, and ours of the same loss, or the nearest; None where none is near."""

    library: str
    name: str | None
    params: Mapping[str, Any] = MappingProxyType({})
    nearest: bool = False


def _all(library: str, *names: str, here: str | None = None) -> dict[str, Elsewhere]:
    return dict.fromkeys(names, Elsewhere(library, here))


ELSEWHERE: Mapping[str, Elsewhere] = {
    **_all("LightGBM", "regression_l1", "mean_absolute_error", here="mae"),
    **_all("LightGBM", "regression_l2", "l2_root", "mean_squared_error", "root_mean_squared_error", here="mse"),
    "xentropy": Elsewhere("LightGBM", "cross_entropy", {"relevant_from": None}),
    **_all("LightGBM", "fair", "poisson", "mape", "mean_absolute_percentage_error", "gamma", "tweedie"),
    **_all("LightGBM", "cross_entropy_lambda", "xentlambda", "multiclassova", "multiclass_ova", "ova", "ovr"),
    **_all("XGBoost", "rank:ndcg", here="lambdarank"),
    "rank:map": Elsewhere("XGBoost", "lambdarank", {"weight": "map"}),
    **_all("XGBoost", "rank:pairwise", here="pairwise_logistic"),
    **_all("XGBoost", "reg:squarederror", "reg:linear", here="mse"),
    **_all("XGBoost", "reg:absoluteerror", here="mae"),
    **_all("XGBoost", "reg:quantileerror", here="quantile"),
    "reg:pseudohubererror": Elsewhere("XGBoost", "huber", nearest=True),
    "reg:logistic": Elsewhere("XGBoost", "cross_entropy", {"relevant_from": None}),
    **_all("XGBoost", "binary:logistic", "binary:logitraw", here="cross_entropy"),
    **_all("XGBoost", "binary:hinge", here="hinge"),
    **_all("XGBoost", "multi:softprob", "multi:softmax", here="mcrank"),
    **_all("XGBoost", "count:poisson", "reg:gamma", "reg:tweedie", "reg:squaredlogerror", "reg:expectileerror"),
    **_all("XGBoost", "survival:cox", "survival:aft"),
    **_all("CatBoost", "rmse", here="mse"),
    "multiquantile": Elsewhere("CatBoost", "quantile", {"alpha": (0.25, 0.5, 0.75)}),
    **_all("CatBoost", "pairlogit", here="pairwise_logistic"),
    "pairlogitpairwise": Elsewhere("CatBoost", "pairwise_logistic", nearest=True),
    "querysoftmax": Elsewhere("CatBoost", "softmax", {"gain": "linear"}),
    "yetirankpairwise": Elsewhere("CatBoost", "yeti", nearest=True),
    **_all("CatBoost", "queryrmse", "querycrossentropy", "groupquantile", "expectile", "lq", "survivalaft"),
    **_all("CatBoost", "multiclassonevsall", "multilogloss", "multicrossentropy", "multirmse"),
}
"""By their names in small letters; what other libraries call as we do is not here."""


def named_elsewhere(name: str) -> ParameterError | None:
    """Return the error for a name that another library has, which may go on with parameters after a colon.

    Examples
    --------
    >>> print(named_elsewhere("rank:map"))
    unknown objective 'rank:map'. That is XGBoost's name; here it is 'lambdarank' with weight='map'.
    >>> print(named_elsewhere("QueryRMSE:hints=skip_train~false"))
    unknown objective 'QueryRMSE'. That is CatBoost's name, and there is none like it here; `gbrank.list_loss`,
    `gbrank.pair_loss` and `gbrank.point_loss` make one of a NumPy function.
    """
    for known in (name, name.partition(":")[0]):
        found = ELSEWHERE.get(known.lower())
        if found is not None:
            return ParameterError(f"unknown objective {known!r}. That is {found.library}'s name{_here(found)}.")
    return None


def _here(found: Elsewhere) -> str:
    if found.name is None:
        return (
            ", and there is none like it here; `gbrank.list_loss`, `gbrank.pair_loss` and `gbrank.point_loss` make one "
            "of a NumPy function"
        )
    params = ", ".join(f"{name}={value!r}" for name, value in found.params.items())
    return f"; {'the nearest here is' if found.nearest else 'here it is'} {found.name!r}{params and f' with {params}'}"
