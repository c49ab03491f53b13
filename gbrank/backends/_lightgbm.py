"""LightGBM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError, ParameterError
from .._registry import unknown
from ..data import RankingData
from ..objectives import AbsoluteError, CrossEntropy, Huber, LambdaRank, McRank, Objective, Quantile, SquaredError
from ._base import (
    NO_OPTIONS,
    Backend,
    Binned,
    FloatMatrix,
    Model,
    Trainer,
    TreeParams,
    library_errors,
    one_label,
    refuse_clashes,
    require_binary,
    require_bins,
    require_own,
)
from ._trees import lightgbm_tree, tree_leaves

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

MAX_GRADE, MAX_DOCUMENTS = 30, 10_000

ONE_AT_A_TIME = threading.Lock()
"""While a booster is made: LightGBM keeps gains in a table of the whole process until its objective has read them."""
UNEVEN = 2.0**-20
"""By what share the gradients of half of the documents are raised where all sum to exactly 0.

LightGBM gives up a feature for a whole tree if no split of it has a gain above 0 at the root.  Gradients that sum to 0
in each query without a rounding error, as whole numbers do, have no gain there on features of the query; yet deeper
down these matter.
"""


class LightGBMBackend(Backend):
    """Trains `lightgbm.Booster` round by round."""

    name = "lightgbm"

    def version(self) -> str:
        return str(lgb.__version__)

    def bin_settings(self, params: TreeParams) -> dict[str, Any]:
        given = backend_params(params)
        return {"max_bin": params.max_bins, **{name: given[name] for name in BIN_PARAMS if name in given}}

    def bin(self, data: RankingData, params: TreeParams, reference: Binned | None = None) -> Binned:
        settings = self.bin_settings(params)
        dataset = lgb.Dataset(
            csr_matrix(data.X),
            label=data.y if data.y.ndim == 1 else data.y[:, 0],
            group=data.query_sizes,
            weight=None if data.query_weight is None else np.repeat(data.query_weight, data.query_sizes),
            reference=None if reference is None else reference.handle,
            # Filtering features by min_docs_in_leaf would tie the bins to a parameter of trees.
            params={**settings, "feature_pre_filter": False, "verbosity": -1, "num_threads": params.n_threads},
            free_raw_data=True,
        )
        with library_errors("LightGBM", lgb.basic.LightGBMError):
            return Binned(data, self.name, settings, dataset.construct())

    def trainer(
        self, train: Binned, valid: list[Binned], params: TreeParams, *, n_outputs: int, native: Objective | None = None
    ) -> Trainer:
        for binned in (train, *valid):
            require_bins(binned, self.name, self.bin_settings(params))
        own = {"objective": "none", "num_class": n_outputs} if native is None else native_params(native, train.data)
        with library_errors("LightGBM", lgb.basic.LightGBMError), ONE_AT_A_TIME:
            booster = lgb.Booster({**translate(params), **own}, train.handle)
            for number, binned in enumerate(valid):
                booster.add_valid(binned.handle, f"valid{number}")
        return LightGBMTrainer(booster, train, n_outputs, params.n_threads, RAW.get(str(own["objective"])))

    def from_bytes(self, content: bytes, *, n_outputs: int, n_features: int, sparse: bool) -> Model:
        return LightGBMModel(lgb.Booster(model_str=content.decode("utf-8")), n_outputs, n_features)


class LightGBMTrainer(Trainer):
    """Steps a booster; scores stand class by class in the library, document by document here."""

    def __init__(
        self,
        booster: lgb.Booster,
        train: Binned,
        n_outputs: int,
        n_threads: int,
        to_raw: Callable[[FloatMatrix], FloatMatrix] | None = None,
    ) -> None:
        self.booster, self.train, self.n_outputs, self.to_raw = booster, train, n_outputs, to_raw
        self.n_threads = n_threads
        self.uneven = 1 + UNEVEN * (np.random.default_rng(0).random(train.data.n_documents) < 0.5)

    def round(self, gradient: FloatMatrix, hessian: FloatMatrix) -> bool:
        if gradient.ndim == 1 and gradient.sum() == 0.0:
            gradient = gradient * self.uneven
        given = gradient.astype(np.float32), hessian.astype(np.float32)
        with library_errors("LightGBM", lgb.basic.LightGBMError):
            return not self.booster.update(fobj=lambda scores, dataset: given)

    def native_round(self) -> bool:
        with library_errors("LightGBM", lgb.basic.LightGBMError):
            return not self.booster.update()

    def scores(self, number: int = -1) -> FloatMatrix:
        seen: list[FloatMatrix] = []

        def keep(scores: FloatMatrix, dataset: lgb.Dataset) -> tuple[str, float, bool]:
            raw = np.array(scores, dtype=np.float64, order="C")
            seen.append(raw if self.to_raw is None else self.to_raw(raw))
            return "scores", 0.0, True

        if number < 0:
            self.booster.eval_train(feval=keep)
            return seen[0]
        # eval_valid visits every set in turn.
        self.booster.eval_valid(feval=keep)
        return seen[number]

    def leaves(self, binned: Binned) -> npt.NDArray[np.int64]:
        last = self.booster.current_iteration() - 1
        grown = self.booster.dump_model(start_iteration=last, num_iteration=1)["tree_info"]
        trees = [lightgbm_tree(each["tree_structure"]) for each in grown]
        leaf: Any = tree_leaves(binned.data, trees, single=False, n_threads=self.n_threads)
        if leaf is None:
            leaf = self.booster.predict(
                csr_matrix(binned.data.X), pred_leaf=True, start_iteration=last, num_iteration=1,
                num_threads=self.n_threads, validate_features=False,
            )  # fmt: skip
        shape = binned.data.n_documents if self.n_outputs == 1 else (binned.data.n_documents, self.n_outputs)
        return np.asarray(leaf, dtype=np.int64).reshape(shape)

    def set_leaf_values(self, values: FloatMatrix) -> npt.NDArray[Any]:
        first = self.booster.num_trees() - self.n_outputs
        for output, column in enumerate(values.reshape(len(values), -1).T):
            for leaf, value in enumerate(column[~np.isnan(column)]):
                self.booster.set_leaf_output(first + output, leaf, float(value))
        return values

    def rescales_trees(self) -> bool:
        return str(self.booster.params.get("boosting", "gbdt")) == "dart"

    def finish(self) -> Model:
        return LightGBMModel(self.booster, self.n_outputs, self.train.data.n_features)


class LightGBMModel(Model):
    """A trained booster, saved as LightGBM's text."""

    backend = "lightgbm"
    file_name = "booster.txt"

    def __init__(self, booster: lgb.Booster, n_outputs: int, n_features: int) -> None:
        self.booster, self.n_outputs, self.n_features = booster, n_outputs, n_features

    def _raw(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        return np.asarray(
            self.booster.predict(
                csr_matrix(X),
                raw_score=True,
                num_iteration=n_rounds or -1,
                num_threads=n_threads,
                validate_features=False,
            ),
            dtype=np.float64,
        )

    def importances(self, kind: str, *, n_rounds: int | None = None) -> FloatMatrix:
        return self.booster.feature_importance(kind, iteration=n_rounds or -1).astype(np.float64)

    def n_trees(self) -> int:
        return int(self.booster.num_trees())

    def to_bytes(self) -> bytes:
        return str(self.booster.model_to_string(num_iteration=-1)).encode("utf-8")


def log_odds(p: FloatMatrix) -> FloatMatrix:
    """Return the log-odds of probabilities; where they round to 0 or 1, about -37 or 37."""
    p = np.clip(p, 1e-16, 1 - 1e-16)
    return np.asarray(np.log(p) - np.log1p(-p))


def csr_matrix(X: Any) -> Any:
    """Return what LightGBM understands: scipy's older sparse class instead of the newer."""
    return sp.csr_matrix(X) if sp.issparse(X) else X


def backend_params(params: TreeParams) -> dict[str, Any]:
    """Return the given LightGBM parameters under their main names, after refusing clashes and unknown names."""
    main = main_names()
    given = {main.get(name, name): value for name, value in params.backend_params.items()}
    refuse_clashes(params, {alias: f"use {CANONICAL[name]}=" for alias, name in main.items() if name in CANONICAL})
    for name in params.backend_params:
        if name not in main:
            raise unknown("parameter of LightGBM in backend_params:", name, main)
    return given


def main_names() -> dict[str, str]:
    """Return each of the library's parameter names and aliases with its main name."""
    aliases = lgb.basic._ConfigAliases._get_all_param_aliases()
    return {alias: name for name, others in aliases.items() for alias in (name, *others)}


def translate(params: TreeParams) -> dict[str, Any]:
    """Return the library's parameters."""
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
        "deterministic": True,
        "force_row_wise": True,
        **backend_params(params),
        "max_bin": params.max_bins,
    }


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
            f"LightGBM has no objective {objective.name!r} of its own; use engine='compiled'. "
            f"It has: {', '.join(sorted(each.name for each in NATIVE))}."
        )
    if data.sample_weight is not None:
        raise ParameterError(
            "sample_weight: LightGBM's own objectives read it otherwise than documented here; use engine='compiled', "
            "or query_weight."
        )
    return NATIVE[type(objective)](objective, data)
