"""Canonical parameters in XGBoost's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._checks import ParameterError
from ._base import TreeParams, refuse_clashes
from ._constraints import interaction_groups, monotone_signs

CANONICAL = {
    "learning_rate": "learning_rate",
    "eta": "learning_rate",
    "max_leaves": "max_leaves",
    "max_depth": "max_depth",
    "subsample": "subsample",
    "colsample_bytree": "colsample",
    "alpha": "reg_alpha",
    "reg_alpha": "reg_alpha",
    "lambda": "reg_lambda",
    "reg_lambda": "reg_lambda",
    "max_bin": "max_bins",
    "seed": "random_state",
    "seed_per_iteration": "random_state",
    "random_state": "random_state",
    "nthread": "n_jobs",
    "n_jobs": "n_jobs",
    "verbosity": "verbose",
    "objective": "objective",
    "num_class": "objective",
    "eval_metric": "measure",
    "monotone_constraints": "monotone_constraints",
    "interaction_constraints": "interaction_constraints",
    "enable_categorical": "categorical_features",
    "feature_types": "categorical_features",
    "device": "device",
}
BOOSTERS = {"gbdt": "gbtree", "dart": "dart"}


def feature_types(n_features: int, categorical: Sequence[int]) -> dict[str, Any]:
    """Return what a data matrix is told of categorical columns: nothing where there are none."""
    if not categorical:
        return {}
    types = ["c" if column in set(categorical) else "q" for column in range(n_features)]
    return {"feature_types": types, "enable_categorical": True}


def require_device(params: TreeParams, config: Mapping[str, Any]) -> None:
    """Raise a `ParameterError` where XGBoost has gone over to another device than the one asked for."""
    chosen = str(config["learner"]["generic_param"]["device"])
    if not chosen.startswith(params.device):
        raise ParameterError(
            f"device={params.device!r}: XGBoost finds no GPU, or was built without CUDA, and would train on "
            f"{chosen!r}; use device='cpu', or a machine with a GPU and its driver."
        )


def translate(params: TreeParams, names: Sequence[str]) -> dict[str, Any]:
    """Return the library's parameters, for features of these names.

    XGBoost has no smallest number of documents in a leaf; at its default the library's own rule (`min_child_weight`)
    stands.
    """
    refuse_clashes(params, {name: f"use {ours}=" for name, ours in CANONICAL.items()})
    if params.min_docs_in_leaf != 0 and not params.is_default("min_docs_in_leaf"):
        raise ParameterError(
            f"min_docs_in_leaf={params.min_docs_in_leaf}: XGBoost counts hessians, not documents; "
            "set backend_params={'min_child_weight': ...} instead."
        )
    if params.boosting != "gbdt" and "booster" in params.backend_params:
        kind = params.backend_params["booster"]
        raise ParameterError(f"backend_params['booster']={kind!r}: remove it, or boosting='dart'.")
    told = {
        "monotone_constraints": monotone_signs(params, names),
        "interaction_constraints": interaction_groups(params, names),
    }
    return {
        "booster": BOOSTERS[params.boosting],
        "device": params.device,
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "learning_rate": params.learning_rate,
        "max_leaves": params.max_leaves,
        "max_depth": params.max_depth or 0,
        "subsample": params.subsample,
        "colsample_bytree": params.colsample,
        "reg_alpha": params.reg_alpha,
        "reg_lambda": params.reg_lambda,
        "max_bin": params.max_bins,
        "seed": params.seed,
        "seed_per_iteration": True,  # else trainings in one thread would draw from one stream, in turns
        "nthread": params.n_threads,
        "verbosity": min(params.verbose + 1, 3),
        "base_score": 0.0,
        "disable_default_eval_metric": True,
        **{name: str(tuple(value) if name[0] == "m" else value) for name, value in told.items() if value is not None},
        **params.backend_params,
    }
