"""XGBoost."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xgboost as xgb

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
)
from ._base import (
    NO_OPTIONS,
    Backend,
    Binned,
    FloatMatrix,
    Model,
    Trainer,
    TreeParams,
    in_blocks,
    library_errors,
    one_label,
    refuse_clashes,
    require_binary,
    require_bins,
    require_own,
)
from ._trees import tree_leaves, xgboost_tree

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
    "random_state": "random_state",
    "nthread": "n_jobs",
    "n_jobs": "n_jobs",
    "verbosity": "verbose",
    "objective": "objective",
    "num_class": "objective",
    "eval_metric": "measure",
}
MAX_GRADE = 31


class XGBoostBackend(Backend):
    """Trains `xgboost.Booster` round by round."""

    name = "xgboost"

    def version(self) -> str:
        return str(xgb.__version__)

    def bin_settings(self, params: TreeParams) -> dict[str, Any]:
        return {"max_bin": params.max_bins}

    def bin(self, data: RankingData, params: TreeParams, reference: Binned | None = None) -> Binned:
        settings = self.bin_settings(params)
        with library_errors("XGBoost", xgb.core.XGBoostError):
            matrix = xgb.QuantileDMatrix(
                stored_nonzeros(data.X),
                label=data.y if data.y.ndim == 1 else data.y[:, 0],
                weight=data.query_weight,
                group=data.query_sizes,
                ref=None if reference is None else reference.handle,
                nthread=params.n_threads,
                **settings,
            )
        return Binned(data, self.name, settings, matrix)

    def trainer(
        self, train: Binned, valid: list[Binned], params: TreeParams, *, n_outputs: int, native: Objective | None = None
    ) -> Trainer:
        for binned in (train, *valid):
            require_bins(binned, self.name, self.bin_settings(params))
        own = {} if native is None else native_params(native, train.data)
        if native is None and n_outputs > 1:
            own["num_class"] = n_outputs
        matrices = [train.handle, *(binned.handle for binned in valid)]
        with library_errors("XGBoost", xgb.core.XGBoostError, ValueError), refused_names():
            booster = xgb.Booster({**translate(params), **own}, matrices)
            booster.save_config()  # parameters are read only when they are needed: now
        kind = str(params.backend_params.get("booster", "gbtree"))
        return XGBoostTrainer(booster, train, valid, n_outputs, kind, params.n_threads)

    def from_bytes(self, content: bytes, *, n_outputs: int, n_features: int, sparse: bool) -> Model:
        booster = xgb.Booster()
        booster.load_model(bytearray(content))
        return XGBoostModel(booster, n_outputs, n_features, sparse)


class XGBoostTrainer(Trainer):
    """Steps a booster.  New leaf values are written into the model once, at the end: the library has no call for it."""

    def __init__(
        self, booster: xgb.Booster, train: Binned, valid: list[Binned], n_outputs: int, kind: str, n_threads: int
    ) -> None:
        self.booster, self.train, self.valid, self.n_outputs, self.kind = booster, train, valid, n_outputs, kind
        self.n_threads = n_threads
        self.rounds = 0
        self.renewed: dict[int, FloatMatrix] = {}

    def round(self, gradient: FloatMatrix, hessian: FloatMatrix) -> bool:
        given = gradient.astype(np.float32), hessian.astype(np.float32)
        return self._round(fobj=lambda scores, matrix: given)

    def native_round(self) -> bool:
        return self._round()

    def _round(self, **objective: Any) -> bool:
        with library_errors("XGBoost", xgb.core.XGBoostError):
            self.booster.update(self.train.handle, self.rounds, **objective)
        # XGBoost goes on with trees that have no split; from a first one of that kind it would learn nothing.
        self.rounds += 1
        return self.rounds > 1 or bool(self.booster.get_score(importance_type="weight"))

    def scores(self, number: int = -1) -> FloatMatrix:
        binned = self.train if number < 0 else self.valid[number]
        return self.booster.predict(binned.handle, output_margin=True).astype(np.float64)

    def leaves(self, binned: Binned) -> npt.NDArray[np.int64]:
        grown = self.booster[self.rounds - 1 : self.rounds]
        contents = json.loads(bytes(grown.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
        if len(contents) != self.n_outputs:
            raise ParameterError("num_parallel_tree: the leaves of a round's forest cannot be renewed; leave it out.")
        leaf = tree_leaves(
            binned.data, [xgboost_tree(each) for each in contents], single=True, n_threads=self.n_threads
        )
        if leaf is None:
            leaf = grown.predict(binned.handle, pred_leaf=True)
        shape = binned.data.n_documents if self.n_outputs == 1 else (binned.data.n_documents, self.n_outputs)
        return np.asarray(leaf).reshape(shape).astype(np.int64)

    def set_leaf_values(self, values: FloatMatrix) -> npt.NDArray[Any]:
        first = (self.rounds - 1) * self.n_outputs
        for output, column in enumerate(values.reshape(len(values), -1).T):
            self.renewed[first + output] = column[~np.isnan(column)]
        return values.astype(np.float32)

    def rescales_trees(self) -> bool:
        return self.kind == "dart"

    def finish(self) -> Model:
        booster = renew(self.booster, self.renewed) if self.renewed else self.booster
        return XGBoostModel(booster, self.n_outputs, self.train.data.n_features, sp.issparse(self.train.data.X))


class XGBoostModel(Model):
    """A trained booster, saved as XGBoost's JSON.

    XGBoost takes what a sparse matrix does not store for missing, not for 0.  A model remembers which kind of matrix it
    was trained on, and reads the other kind accordingly.
    """

    backend = "xgboost"
    file_name = "booster.json"

    def __init__(self, booster: xgb.Booster, n_outputs: int, n_features: int, sparse: bool) -> None:
        self.booster, self.n_outputs, self.n_features, self.sparse = booster, n_outputs, n_features, sparse

    def _raw(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        self.booster.set_param({"nthread": n_threads})

        def predict(block: Any) -> Any:
            return self.booster.inplace_predict(
                block, predict_type="margin", iteration_range=(0, n_rounds or 0), validate_features=False
            )

        if self.sparse:
            score = predict(stored_nonzeros(sp.csr_array(X)))
        else:
            score = in_blocks(X, predict) if sp.issparse(X) else predict(X)
        return np.asarray(score, dtype=np.float64)

    def importances(self, kind: str, *, n_rounds: int | None = None) -> FloatMatrix:
        booster = self.booster[:n_rounds] if n_rounds else self.booster
        booster.feature_names = None
        scores = booster.get_score(importance_type="total_gain" if kind == "gain" else "weight")
        values = np.zeros(self.n_features)
        for name, value in scores.items():
            values[int(name[1:])] = value
        return values

    def n_trees(self) -> int:
        return int(self.booster.num_boosted_rounds()) * max(1, self.n_outputs)

    def to_bytes(self) -> bytes:
        return bytes(self.booster.save_raw("json"))


@contextmanager
def refused_names() -> Iterator[None]:
    """Turn the warning with which XGBoost answers unknown parameters into an error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield
    for warning in told:
        found = re.search(r"Parameters: \{(.*)\} are not used", str(warning.message))
        if found:
            raise ParameterError(f"backend_params: XGBoost has no use for {found[1].strip()}; correct or remove it.")
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def stored_nonzeros(X: Any) -> Any:
    """Return a sparse matrix without stored zeros, which would differ from zeros not stored; others as they are."""
    if not sp.issparse(X):
        return X
    X = sp.csr_matrix(X, copy=True)
    X.eliminate_zeros()
    return X


def renew(booster: xgb.Booster, values: Mapping[int, FloatMatrix]) -> xgb.Booster:
    """Return a copy of `booster` with other leaf values: ``values[t][node]`` for the leaf `node` of tree t."""
    model = json.loads(bytes(booster.save_raw("json")))
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    for number, by_node in values.items():
        tree = trees[number]
        for node, left in enumerate(tree["left_children"]):
            if left == -1 and node < len(by_node):
                tree["split_conditions"][node] = tree["base_weights"][node] = float(by_node[node])
    renewed = xgb.Booster()
    renewed.load_model(bytearray(json.dumps(model).encode("utf-8")))
    return renewed


def translate(params: TreeParams) -> dict[str, Any]:
    """Return the library's parameters.

    XGBoost has no smallest number of documents in a leaf; at its default the library's own rule (`min_child_weight`)
    stands.
    """
    refuse_clashes(params, {name: f"use {ours}=" for name, ours in CANONICAL.items()})
    if params.min_docs_in_leaf != 0 and not params.is_default("min_docs_in_leaf"):
        raise ParameterError(
            f"min_docs_in_leaf={params.min_docs_in_leaf}: XGBoost counts hessians, not documents; "
            "set backend_params={'min_child_weight': ...} instead."
        )
    return {
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
        "nthread": params.n_threads,
        "verbosity": min(params.verbose + 1, 3),
        "base_score": 0.0,
        "disable_default_eval_metric": True,
        **params.backend_params,
    }


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
    if data.query_weight is not None and type(objective) not in (LambdaRank, PairwiseLogistic):
        raise ParameterError(
            "query_weight: XGBoost keeps one weight a query, which its own pointwise objectives do not read; use "
            "engine='compiled'."
        )
    return NATIVE[type(objective)](objective, data)
