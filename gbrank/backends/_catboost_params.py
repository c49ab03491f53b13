"""CatBoost's parameters: what ours become, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._checks import ParameterError
from ._base import TreeParams, refuse_clashes
from ._constraints import monotone_signs

CANONICAL = {
    "learning_rate": ("learning_rate", "eta"),
    "max_leaves": ("max_leaves", "num_leaves"),
    "max_depth": ("depth", "max_depth"),
    "min_docs_in_leaf": ("min_data_in_leaf", "min_child_samples"),
    "subsample": ("subsample",),
    "colsample": ("rsm", "colsample_bylevel"),
    "reg_lambda": ("l2_leaf_reg", "reg_lambda"),
    "max_bins": ("border_count", "max_bin"),
    "random_state": ("random_seed", "random_state"),
    "n_jobs": ("thread_count",),
    "verbose": ("verbose", "verbose_eval", "logging_level", "silent", "metric_period"),
    "n_estimators": ("iterations", "n_estimators", "num_boost_round", "num_trees"),
    "early_stopping_rounds": ("early_stopping_rounds", "od_wait", "od_type", "od_pval", "use_best_model",
                              "best_model_min_trees", "eval_fraction"),
    "measure": ("eval_metric", "custom_metric", "custom_loss"),
    "callbacks": ("callbacks",),
    "monotone_constraints": ("monotone_constraints",),
    "categorical_features": ("cat_features",),
    "device": ("task_type", "devices"),
    "objective": ("loss_function", "objective", "class_weights", "auto_class_weights", "scale_pos_weight",
                  "classes_count", "class_names", "target_border"),
}  # fmt: skip
REFUSED = {
    **{name: f"use {ours}=" for ours, names in CANONICAL.items() for name in names},
    **dict.fromkeys(
        ("train_dir", "allow_writing_files", "save_snapshot", "snapshot_file", "snapshot_interval"),
        "training leaves no files behind; save the ranker",
    ),
    **dict.fromkeys(("text_features", "embedding_features"), "features are numbers here; encode them before"),
    **dict.fromkeys(("input_borders", "output_borders"), "bins come from `GBRanker.bin`"),
}

LEVELS = ("Silent", "Silent", "Verbose", "Info", "Debug")

ROUNDS = 1_000_000
"""What CatBoost is told; the ranker ends training.  From 200 rounds on, no default depends on this number."""


def translate(params: TreeParams, names: Sequence[str]) -> dict[str, Any]:
    """Return the library's parameters, for features of these names."""
    refuse_clashes(params, REFUSED)
    if params.reg_alpha:
        raise ParameterError(f"reg_alpha={params.reg_alpha}: CatBoost has no L1 penalty; use reg_lambda.")
    if params.device != "cpu":
        raise ParameterError(
            f"device={params.device!r}: gbrank follows the scores after each round, which CatBoost shows on the CPU "
            "only; use device='cpu', or another backend."
        )
    if params.boosting != "gbdt":
        raise ParameterError(f"boosting={params.boosting!r}: CatBoost has no DART; use LightGBM or XGBoost.")
    if params.interaction_constraints is not None:
        raise ParameterError("interaction_constraints: CatBoost has none; use LightGBM or XGBoost.")
    return {
        "iterations": ROUNDS,
        "learning_rate": params.learning_rate,
        **({} if params.max_depth is None else {"depth": params.max_depth}),
        "l2_leaf_reg": params.reg_lambda,
        "rsm": params.colsample,
        "border_count": params.max_bins - 1,
        "random_seed": params.seed,
        "thread_count": params.n_threads,
        "logging_level": LEVELS[min(params.verbose, len(LEVELS) - 1)],
        "allow_writing_files": False,
        **monotone(params, names),
        **leaf_limits(params),
        **sampling(params),
        **params.backend_params,
    }


def monotone(params: TreeParams, names: Sequence[str]) -> dict[str, Any]:
    """Return the monotone constraints, which CatBoost has in symmetric trees.

    With them CatBoost would shrink the earlier trees by 1% of the learning rate in every round, so that neither the
    best round's model nor that of `init_model` stayed what it was; without being told it does not.
    """
    signs = monotone_signs(params, names)
    policy = params.backend_params.get("grow_policy", "SymmetricTree")
    if signs is not None and policy != "SymmetricTree":
        raise ParameterError(
            f"monotone_constraints: CatBoost has them in symmetric trees only, not with grow_policy={policy!r}; leave "
            "one of the two out."
        )
    return {} if signs is None else {"monotone_constraints": signs, "model_shrink_rate": 0.0}


def leaf_limits(params: TreeParams) -> dict[str, Any]:
    """Return the limits of leaves, which depend on how trees grow.

    Symmetric trees, the default, have no such limits; at our default CatBoost's rule stands there.
    """
    policy = params.backend_params.get("grow_policy", "SymmetricTree")
    limits: dict[str, Any] = {}
    for name, own, policies in (
        ("max_leaves", "max_leaves", ("Lossguide",)),
        ("min_docs_in_leaf", "min_data_in_leaf", ("Lossguide", "Depthwise")),
    ):
        value = getattr(params, name)
        if policy in policies:
            limits[own] = value
        elif not params.is_default(name):
            raise ParameterError(
                f"{name}={value}: CatBoost limits it only in trees of another kind; set backend_params="
                f"{{'grow_policy': {policies[0]!r}}}, or use max_depth."
            )
    return limits


def sampling(params: TreeParams) -> dict[str, Any]:
    """Return how documents are sampled for each tree: a plain share of them, unless another way is given."""
    kind = params.backend_params.get("bootstrap_type")
    if params.query_subsample != 1:
        return query_sampling(params)
    if kind is None:
        return {"bootstrap_type": "No"} if params.subsample == 1 else {
            "bootstrap_type": "Bernoulli", "subsample": params.subsample
        }  # fmt: skip
    if kind in ("No", "Bayesian"):
        if params.subsample != 1:
            raise ParameterError(f"subsample={params.subsample}: bootstrap_type={kind!r} samples no documents.")
        return {}
    if params.subsample == 1:
        raise ParameterError(f"subsample=1: bootstrap_type={kind!r} would sample nothing; set a share below 1.")
    return {"subsample": params.subsample}


def query_sampling(params: TreeParams) -> dict[str, Any]:
    """Return how whole queries are sampled for the splits of each tree; leaf values come from all of them."""
    share = params.query_subsample
    if params.subsample != 1:
        raise ParameterError(
            f"query_subsample={share!r}, subsample={params.subsample!r}: CatBoost samples queries or documents, not "
            "both; leave one out."
        )
    for name in ("bootstrap_type", "sampling_unit"):
        if name in params.backend_params:
            raise ParameterError(f"backend_params[{name!r}]: query_subsample={share!r} sets it; leave one of them out.")
    return {"bootstrap_type": "Bernoulli", "sampling_unit": "Group", "subsample": share}


def check_monotone(own: Mapping[str, Any], params: TreeParams) -> None:
    """Refuse monotone constraints where CatBoost takes them and does not keep them: in its losses of pairs."""
    loss = str(own["loss_function"]).partition(":")[0]
    if params.monotone_constraints is not None and loss.startswith(("YetiRank", "PairLogit")):
        raise ParameterError(
            f"monotone_constraints: CatBoost's {loss} does not keep them, its scores rise and fall; leave them out, or "
            "choose another objective, such as 'softmax'."
        )


def check_lambdamart(own: Mapping[str, Any], params: TreeParams) -> None:
    """Refuse settings with which CatBoost's LambdaMart descends in the wrong direction.

    Both of its derivatives have the wrong sign, which cancels in the quotient alone: in Newton steps without a penalty.
    """
    if not str(own["loss_function"]).startswith("LambdaMart"):
        return
    if params.reg_lambda:
        raise ParameterError(
            f"reg_lambda={params.reg_lambda}: with a penalty CatBoost's LambdaMart moves small leaves in the wrong "
            "direction; leave it at 0."
        )
    if params.backend_params.get("leaf_estimation_method", "Newton") != "Newton":
        raise ParameterError(
            "backend_params['leaf_estimation_method']: CatBoost's LambdaMart moves in the wrong direction with any but "
            "'Newton'; leave it out."
        )
