"""Canonical parameters in LightGBM's words."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import lightgbm as lgb
import numpy as np

from .._checks import ParameterError
from .._registry import unknown
from ._base import TreeParams, refuse_clashes
from ._constraints import interaction_groups, monotone_signs

# The library's names (with its aliases) for what has a canonical name.
CANONICAL = {
    "learning_rate": "learning_rate",
    "num_leaves": "max_leaves",
    "max_depth": "max_depth",
    "min_data_in_leaf": "min_docs_in_leaf",
    "bagging_fraction": "subsample",
    "feature_fraction": "colsample",
    "lambda_l1": "reg_alpha",
    "lambda_l2": "reg_lambda",
    "max_bin": "max_bins",
    "seed": "random_state",
    "num_threads": "n_jobs",
    "verbosity": "verbose",
    "num_iterations": "n_estimators",
    "early_stopping_round": "early_stopping_rounds",
    "objective": "objective",
    "metric": "measure",
    "num_class": "objective",
    "monotone_constraints": "monotone_constraints",
    "interaction_constraints": "interaction_constraints",
    "categorical_feature": "categorical_features",
    "device_type": "device",
}
BIN_PARAMS = (
    "min_data_in_bin",
    "bin_construct_sample_cnt",
    "max_bin_by_feature",
    "data_random_seed",
    "use_missing",
    "zero_as_missing",
    "enable_bundle",
    "linear_tree",
)


def backend_params(params: TreeParams) -> dict[str, Any]:
    """Return the given LightGBM parameters under their main names, after refusing clashes and unknown names."""
    main = main_names()
    given = {main.get(name, name): value for name, value in params.backend_params.items()}
    refuse_clashes(params, {alias: f"use {CANONICAL[name]}=" for alias, name in main.items() if name in CANONICAL})
    for name in params.backend_params:
        if name not in main:
            raise unknown("parameter of LightGBM in backend_params:", name, main)
    return given


@functools.cache
def main_names() -> dict[str, str]:
    """Return each of the library's parameter names and aliases with its main name."""
    aliases = lgb.basic._ConfigAliases._get_all_param_aliases()
    return {alias: name for name, others in aliases.items() for alias in (name, *others)}


@functools.cache
def has_cuda() -> bool:
    """Tell whether this LightGBM can train on a GPU of NVIDIA; it says so only when a booster is made."""
    device = {"device_type": "cuda", "verbosity": -1}
    try:
        with silent():
            lgb.Booster(device, lgb.Dataset(np.arange(4.0)[:, None], np.arange(4.0), params=device))
    except lgb.basic.LightGBMError:
        return False
    return True


@contextmanager
def silent() -> Iterator[None]:
    """Have standard error go nowhere: LightGBM writes there what it ends with, whatever its verbosity and logger."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def require_device(params: TreeParams) -> None:
    """Raise a `ParameterError` where the device is not there."""
    if params.device == "cuda" and not has_cuda():
        raise ParameterError(
            "device='cuda': this LightGBM was built without CUDA, or there is no GPU; install a build with CUDA on a "
            "machine with one, or use device='cpu'."
        )


def translate(params: TreeParams, names: Sequence[str]) -> dict[str, Any]:
    """Return the library's parameters, for features of these names."""
    own = backend_params(params)
    if params.boosting != "gbdt" and "boosting" in own:
        raise ParameterError(f"backend_params['boosting']={own['boosting']!r}: remove it, or boosting='dart'.")
    if params.monotone_constraints is not None and own.get("linear_tree"):
        raise ParameterError(
            "backend_params['linear_tree']: the lines in the leaves do not keep monotone_constraints; leave one out."
        )
    told = {
        "monotone_constraints": monotone_signs(params, names),
        "interaction_constraints": interaction_groups(params, names),
    }
    # Sums in one order, on the CPU.
    exact = {"deterministic": True, "force_row_wise": True} if params.device == "cpu" else {}
    return {
        "learning_rate": params.learning_rate,
        "num_leaves": params.max_leaves,
        "max_depth": -1 if params.max_depth is None else params.max_depth,
        "min_data_in_leaf": params.min_docs_in_leaf,
        "bagging_fraction": params.subsample,
        "bagging_freq": 0 if params.subsample == 1 else 1,
        "feature_fraction": params.colsample,
        "lambda_l1": params.reg_alpha,
        "lambda_l2": params.reg_lambda,
        "seed": params.seed,
        "num_threads": params.n_threads,
        "verbosity": params.verbose - 1,
        "metric": "None",
        "feature_pre_filter": False,
        "boosting": params.boosting,
        "device_type": params.device,
        **{name: value for name, value in told.items() if value is not None},
        **exact,
        **own,
        "max_bin": params.max_bins,
    }


def query_sampling(params: TreeParams, *, own: bool) -> dict[str, Any]:
    """Return what samples queries: LightGBM's bagging for its own objectives, else what gradients of 0 need.

    LightGBM takes documents without gradient and hessian for documents, so a leaf must hold as many more.
    """
    share = params.query_subsample
    if share == 1:
        return {}
    if not own:
        return {"min_data_in_leaf": int(min(np.ceil(params.min_docs_in_leaf / share), np.iinfo(np.int32).max))}
    if params.subsample != 1:
        raise ParameterError(
            f"query_subsample={share!r}, subsample={params.subsample!r}: with engine='native' LightGBM samples queries "
            "or documents, not both; leave one out, or use engine='compiled'."
        )
    return {"bagging_by_query": True, "bagging_fraction": share, "bagging_freq": 1}
