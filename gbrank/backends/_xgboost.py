"""XGBoost."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xgboost as xgb

from .._checks import DataError, ParameterError
from ..data import RankingData
from ..objectives import Objective
from ..objectives._base import State
from ._base import (
    Backend,
    Binned,
    FloatMatrix,
    Model,
    Start,
    Trainer,
    TreeParams,
    in_blocks,
    library_errors,
    require_bins,
)
from ._constraints import categorical_columns
from ._trees import tree_leaves, xgboost_tree
from ._xgboost_losses import native_params
from ._xgboost_params import BOOSTERS, feature_types, require_device, translate

BIAS = {"click_bias": "ti+", "skip_bias": "tj-"}  # of `UnbiasedLambdaRank`


class XGBoostBackend(Backend):
    """Trains `xgboost.Booster` round by round."""

    name = "xgboost"
    bytes_per_value = 2.1

    def version(self) -> str:
        return str(xgb.__version__)

    def bin_settings(self, params: TreeParams) -> dict[str, Any]:
        return {"max_bin": params.max_bins, "categorical_features": params.categorical_features}

    def _library_data(self, data: RankingData, params: TreeParams, reference: Binned | None) -> Any:
        with library_errors("XGBoost", xgb.core.XGBoostError):
            return xgb.QuantileDMatrix(
                stored_nonzeros(data.X),
                label=data.y if data.y.ndim == 1 else data.y[:, 0],
                weight=data.query_weight,
                base_margin=data.init_score,
                group=data.query_sizes,
                ref=None if reference is None else reference.handle,
                nthread=params.n_threads,
                max_bin=params.max_bins,
                **feature_types(data.n_features, categorical_columns(data)),
            )

    def trainer(
        self,
        train: Binned,
        valid: list[Binned],
        params: TreeParams,
        *,
        n_outputs: int,
        native: Objective | None = None,
        start: Start | None = None,
    ) -> Trainer:
        for binned in (train, *valid):
            require_bins(binned, self.name, self.bin_settings(params))
        own = {} if native is None else native_params(native, train.data)
        if native is None and n_outputs > 1:
            own["num_class"] = n_outputs
        if native is not None and train.data.init_score is not None:  # from which training starts then
            own["base_score"] = 0.5 if own["objective"] == "binary:logistic" else 0.0
        if native is not None and params.query_subsample != 1:
            raise ParameterError(
                f"query_subsample={params.query_subsample!r}: with engine='native' XGBoost samples documents only; use "
                "engine='compiled', or subsample."
            )
        if start is not None and "lambdarank_unbiased" in own:
            raise ParameterError(
                "init_model: XGBoost's own lambdarank_unbiased cannot take up the bias that it learnt before; use "
                "engine='compiled', or train anew."
            )
        if start is not None and sp.issparse(train.data.X) != start.model.sparse:
            raise ParameterError(
                "init_model: was trained on a sparse X, or the data here are sparse, and what is not stored is missing "
                "to XGBoost; give an X of the same kind."
            )
        matrices = [train.handle, *(binned.handle for binned in valid)]
        with library_errors("XGBoost", xgb.core.XGBoostError, ValueError), refused_names():
            booster = xgb.Booster({**translate(params, train.data.feature_names), **own}, matrices)
            config = json.loads(booster.save_config())  # parameters are read only when they are needed: now
        require_device(params, config)
        kind = str(params.backend_params.get("booster", BOOSTERS[params.boosting]))
        learns_bias = "lambdarank_unbiased" in own
        return XGBoostTrainer(booster, train, valid, n_outputs, kind, params.n_threads, start, learns_bias)

    def from_bytes(self, content: bytes, *, n_outputs: int, n_features: int, sparse: bool) -> Model:
        booster = xgb.Booster()
        booster.load_model(bytearray(content))
        return XGBoostModel(booster, n_outputs, n_features, sparse)


class XGBoostTrainer(Trainer):
    """Steps a booster.  New leaf values are written into the model once, at the end: the library has no call for it."""

    def __init__(
        self,
        booster: xgb.Booster,
        train: Binned,
        valid: list[Binned],
        n_outputs: int,
        kind: str,
        n_threads: int,
        start: Start | None = None,
        learns_bias: bool = False,
    ) -> None:
        self.booster, self.train, self.valid, self.n_outputs, self.kind = booster, train, valid, n_outputs, kind
        self.n_threads, self.start, self.learns_bias = n_threads, start, learns_bias
        self.rounds, self.before = 0, 0 if start is None else start.rounds
        self.renewed: dict[int, FloatMatrix] = {}

    def round(self, gradient: FloatMatrix, hessian: FloatMatrix) -> bool:
        # Not `update`, which would drop other trees (DART) than those without which the gradients were computed.
        with library_errors("XGBoost", xgb.core.XGBoostError):
            self.booster.boost(
                self.train.handle,
                self.before + self.rounds,
                grad=gradient.astype(np.float32),
                hess=hessian.astype(np.float32),
            )
        return self._grown()

    def native_round(self) -> bool:
        with library_errors("XGBoost", xgb.core.XGBoostError):
            self.booster.update(self.train.handle, self.before + self.rounds)
        return self._grown()

    def native_state(self) -> State:
        if not self.learns_bias:
            return {}
        learnt = json.loads(self.booster.save_config())["learner"]["objective"]
        position: Any = self.train.data.position  # of which there are some; the curves are as long as the truncation
        shown = int(position.max())
        return {name: np.array(learnt[own], float)[:shown] for name, own in BIAS.items()}

    def _grown(self) -> bool:
        # XGBoost goes on with trees that have no split; from a first one of that kind it would learn nothing.
        self.rounds += 1
        return self.rounds > 1 or bool(self.booster.get_score(importance_type="weight"))

    def scores(self, number: int = -1) -> FloatMatrix:
        binned = self.train if number < 0 else self.valid[number]
        return self.booster.predict(binned.handle, output_margin=True).astype(np.float64)

    def scores_to_improve(self) -> FloatMatrix:
        return self.booster.predict(self.train.handle, output_margin=True, training=True).astype(np.float64)

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
        if self.start is not None:
            booster = joined(self.start.model.booster, booster)
        booster.set_param({"device": "cpu"})  # where predictions are made
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
        self.n_threads: int | None = None

    def _use_threads(self, n_threads: int) -> None:
        """Set the number of threads; a booster that is told a parameter configures itself anew, which takes a while."""
        if n_threads != self.n_threads:
            self.booster.set_param({"nthread": n_threads})
            self.n_threads = n_threads

    def _raw(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        self._use_threads(n_threads)

        def predict(block: Any) -> Any:
            return self.booster.inplace_predict(
                block, predict_type="margin", iteration_range=(0, n_rounds or 0), validate_features=False
            )

        if self.sparse:
            score = predict(stored_nonzeros(sp.csr_array(X)))
        else:
            score = in_blocks(X, predict) if sp.issparse(X) else predict(X)
        return np.asarray(score, dtype=np.float64)

    def _contributions(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        def predict(block: Any) -> Any:
            return self.booster.predict(
                xgb.DMatrix(block, nthread=n_threads),
                pred_contribs=True,
                iteration_range=(0, n_rounds or 0),
                strict_shape=True,
                validate_features=False,
            )

        self._use_threads(n_threads)
        with library_errors("XGBoost", xgb.core.XGBoostError):
            if self.sparse:
                values = predict(stored_nonzeros(sp.csr_array(X)))
            else:
                values = in_blocks(X, predict) if sp.issparse(X) else predict(X)
        return np.asarray(values, dtype=np.float64).transpose(0, 2, 1)

    def staged(self, X: Any, n_rounds: int, n_threads: int) -> Iterator[FloatMatrix]:
        self._use_threads(n_threads)
        X, total = self._readable(X), None
        for number in range(n_rounds):
            total = self.booster.inplace_predict(
                X, predict_type="margin", iteration_range=(number, number + 1), base_margin=total,
                validate_features=False,
            )  # fmt: skip
            yield np.asarray(total, dtype=np.float64)

    def _readable(self, X: Any) -> Any:
        if self.sparse:
            return stored_nonzeros(sp.csr_array(X))
        return X.toarray() if sp.issparse(X) else X

    def head(self, n_rounds: int) -> Model:
        kind = json.loads(self.booster.save_config())["learner"]["gradient_booster"]["name"]
        if kind != "gbtree":
            raise ParameterError(f"init_model: XGBoost cannot go on from trees of the kind {kind!r}; train anew.")
        return XGBoostModel(self.booster[:n_rounds], self.n_outputs, self.n_features, self.sparse)

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
    """Return a sparse matrix without stored zeros, which would differ from zeros not stored; others as they are.

    Raises
    ------
    DataError
        A missing value that is stored: it would be the same as a 0 that is not.
    """
    if not sp.issparse(X):
        return X
    if np.isnan(X.data).any():
        raise DataError(
            "X: a value stored in a sparse matrix is NaN; XGBoost takes what is not stored for missing as well, so it "
            "could not tell a missing value from 0. Give a dense X, or use another backend."
        )
    X = sp.csr_matrix(X, copy=True)
    X.eliminate_zeros()
    return X


def joined(first: xgb.Booster, later: xgb.Booster) -> xgb.Booster:
    """Return `first` with the trees of `later` after its own."""
    whole, model = contents(first)
    _, more = contents(later)
    count = len(model["trees"])
    model["trees"] += [tree | {"id": count + number} for number, tree in enumerate(more["trees"])]
    model["tree_info"] += more["tree_info"]
    model["iteration_indptr"] += [count + place for place in more["iteration_indptr"][1:]]
    model["gbtree_model_param"]["num_trees"] = str(len(model["trees"]))
    return loaded(whole)


def contents(booster: xgb.Booster) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a booster as in its JSON, and the part of that which holds the trees."""
    whole = json.loads(bytes(booster.save_raw("json")))
    return whole, whole["learner"]["gradient_booster"]["model"]


def loaded(whole: Mapping[str, Any]) -> xgb.Booster:
    """Return the booster of a JSON."""
    booster = xgb.Booster()
    booster.load_model(bytearray(json.dumps(whole).encode("utf-8")))
    return booster


def renew(booster: xgb.Booster, values: Mapping[int, FloatMatrix]) -> xgb.Booster:
    """Return a copy of `booster` with other leaf values: ``values[t][node]`` for the leaf `node` of tree t."""
    whole, model = contents(booster)
    for number, by_node in values.items():
        tree = model["trees"][number]
        for node, left in enumerate(tree["left_children"]):
            if left == -1 and node < len(by_node):
                tree["split_conditions"][node] = tree["base_weights"][node] = float(by_node[node])
    return loaded(whole)
