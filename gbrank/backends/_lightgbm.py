"""LightGBM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import ParameterError
from ..data import RankingData
from ..objectives import Objective, PositionTerm
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
    require_own,
    seed_of,
)
from ._constraints import categorical_columns
from ._lightgbm_losses import RAW, native_params
from ._lightgbm_params import BIN_PARAMS, backend_params, query_sampling, require_device, translate
from ._trees import lightgbm_tree, tree_leaves

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
    bytes_per_value = 1.3

    def version(self) -> str:
        return str(lgb.__version__)

    def bin_settings(self, params: TreeParams) -> dict[str, Any]:
        given = backend_params(params)
        return {
            "max_bin": params.max_bins,
            "categorical_features": params.categorical_features,
            "device": params.device,
            **{name: given[name] for name in BIN_PARAMS if name in given},
        }

    def _library_data(self, data: RankingData, params: TreeParams, reference: Binned | None) -> Any:
        require_device(params)
        settings = self.bin_settings(params)
        library = {name: value for name, value in settings.items() if name not in ("categorical_features", "device")}
        if params.device != "cpu":
            library["device_type"] = params.device
        dataset = lgb.Dataset(
            csr_matrix(data.X),
            label=data.y if data.y.ndim == 1 else data.y[:, 0],
            group=data.query_sizes,
            weight=None if data.query_weight is None else np.repeat(data.query_weight, data.query_sizes),
            init_score=data.init_score,
            reference=None if reference is None else reference.handle,
            categorical_feature=categorical_columns(data),
            # Filtering features by min_docs_in_leaf would tie the bins to a parameter of trees.
            params={**library, "feature_pre_filter": False, "verbosity": -1, "num_threads": params.n_threads},
            free_raw_data=True,
        )
        with library_errors("LightGBM", lgb.basic.LightGBMError):
            return dataset.construct()

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
        own = {"objective": "none", "num_class": n_outputs} if native is None else native_params(native, train.data)
        own |= {"seed": seed_of(params, start), **query_sampling(params, own=native is not None)}
        handle = train.handle
        if isinstance(native, PositionTerm):
            handle = self._with_positions(native, train, params, start)
        with library_errors("LightGBM", lgb.basic.LightGBMError), ONE_AT_A_TIME:
            booster = lgb.Booster({**translate(params, train.data.feature_names), **own}, handle)
            sets = [*valid, train] if is_dart(booster) else valid
            for number, binned in enumerate(sets):
                booster.add_valid(binned.handle, f"valid{number}")
        return LightGBMTrainer(booster, train, n_outputs, params.n_threads, RAW.get(str(own["objective"])), start)

    def _with_positions(
        self, native: PositionTerm, train: Binned, params: TreeParams, start: Start | None
    ) -> lgb.Dataset:
        """Return a copy of the data with their positions: where it finds any, LightGBM always learns their bias."""
        if start is not None:
            raise ParameterError(
                "init_model: LightGBM's own position bias cannot take up the terms that it learnt before; use "
                "engine='compiled', or train anew."
            )
        require_own(native, "LightGBM's own position bias", "use engine='compiled'", learning_rate=params.learning_rate)
        dataset: lgb.Dataset = self._library_data(train.data, params, train)
        return dataset.set_position(train.data.position)

    def from_bytes(self, content: bytes, *, n_outputs: int, n_features: int, sparse: bool) -> Model:
        return LightGBMModel(lgb.Booster(model_str=content.decode("utf-8")), n_outputs, n_features)


class LightGBMTrainer(Trainer):
    """Steps a booster; scores stand class by class in the library, document by document here.

    With DART, LightGBM drops trees as soon as it is asked for the scores of its training data, and turns their signs
    round until the next tree has grown.  So it is asked for these once before each tree; the scores of the whole model
    are those of a last validation set, the training data again.
    """

    def __init__(
        self,
        booster: lgb.Booster,
        train: Binned,
        n_outputs: int,
        n_threads: int,
        to_raw: Callable[[FloatMatrix], FloatMatrix] | None = None,
        start: Start | None = None,
    ) -> None:
        self.booster, self.train, self.n_outputs, self.to_raw, self.start = booster, train, n_outputs, to_raw, start
        self.n_threads = n_threads
        self.drops = is_dart(booster)
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
        return self._scores(number, training=number < 0 and not self.drops)

    def scores_to_improve(self) -> FloatMatrix:
        return self._scores(-1, training=True)

    def _scores(self, number: int, *, training: bool) -> FloatMatrix:
        seen: list[FloatMatrix] = []

        def keep(scores: FloatMatrix, dataset: lgb.Dataset) -> tuple[str, float, bool]:
            raw = np.array(scores, dtype=np.float64, order="C")
            seen.append(raw if self.to_raw is None else self.to_raw(raw))
            return "scores", 0.0, True

        if training:
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
        return self.drops

    def finish(self) -> Model:
        if self.drops:
            take_back_drops(self.booster)
        if self.start is not None:
            put_first(self.start.model.booster, self.booster)
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

    def _contributions(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        def predict(block: Any) -> Any:
            return self.booster.predict(
                block, pred_contrib=True, num_iteration=n_rounds or -1, num_threads=n_threads, validate_features=False
            )

        with library_errors("LightGBM", lgb.basic.LightGBMError):
            values = in_blocks(X, predict) if sp.issparse(X) else predict(X)
        by_output = np.asarray(values, dtype=np.float64).reshape(X.shape[0], self.n_outputs, self.n_features + 1)
        return by_output.transpose(0, 2, 1)

    def staged(self, X: Any, n_rounds: int, n_threads: int) -> Iterator[FloatMatrix]:
        total = np.zeros(X.shape[0] if self.n_outputs == 1 else (X.shape[0], self.n_outputs))
        for number in range(n_rounds):
            total = total + self.booster.predict(
                csr_matrix(X), raw_score=True, start_iteration=number, num_iteration=1, num_threads=n_threads,
                validate_features=False,
            )  # fmt: skip
            yield total

    def head(self, n_rounds: int) -> Model:
        booster = lgb.Booster(model_str=self.booster.model_to_string(num_iteration=n_rounds))
        return LightGBMModel(booster, self.n_outputs, self.n_features)

    def importances(self, kind: str, *, n_rounds: int | None = None) -> FloatMatrix:
        return self.booster.feature_importance(kind, iteration=n_rounds or -1).astype(np.float64)

    def n_trees(self) -> int:
        return int(self.booster.num_trees())

    def to_bytes(self) -> bytes:
        return str(self.booster.model_to_string(num_iteration=-1)).encode("utf-8")


def is_dart(booster: lgb.Booster) -> bool:
    """Tell whether a booster drops trees."""
    return str(booster.params.get("boosting", "gbdt")) == "dart"


def take_back_drops(booster: lgb.Booster) -> None:
    """Turn the signs of trees round that were dropped for a tree which then did not grow."""
    for number, tree in enumerate(booster.dump_model()["tree_info"]):
        if tree["shrinkage"] < 0:
            for leaf in range(tree["num_leaves"]):
                booster.set_leaf_output(number, leaf, -booster.get_leaf_output(number, leaf))


def put_first(first: lgb.Booster, booster: lgb.Booster) -> None:
    """Put the trees of `first` before those of `booster`, as the library does where it goes on training."""
    with library_errors("LightGBM", lgb.basic.LightGBMError):
        library = lgb.basic._LIB  # type: ignore[attr-defined]
        lgb.basic._safe_call(library.LGBM_BoosterMerge(booster._handle, first._handle))


def csr_matrix(X: Any) -> Any:
    """Return what LightGBM understands: scipy's older sparse class instead of the newer."""
    return sp.csr_matrix(X) if sp.issparse(X) else X
