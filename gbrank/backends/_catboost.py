"""CatBoost, with its own losses: it takes no ranking objective from outside."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError
from ..data import RankingData
from ..objectives import Objective
from ._base import Backend, Binned, FloatMatrix, Model, Start, Trainer, TreeParams, require_bins, seed_of
from ._catboost_losses import native_params
from ._catboost_params import check_lambdamart, check_monotone, translate
from ._catboost_pools import BIN_PARAMS, library_features, pool_of, quantized

try:
    import catboost
except ModuleNotFoundError as error:
    if error.name != "catboost":
        raise
    raise ParameterError(
        "backend='catboost': CatBoost is not installed; install it with pip install 'gbrank[catboost]'."
    ) from None

SHRINKING = ("model_shrink_rate", "langevin", "posterior_sampling")


class CatBoostBackend(Backend):
    """Trains `catboost.CatBoost` in a thread that waits after each round."""

    name = "catboost"
    bytes_per_value = 5.4

    def version(self) -> str:
        return str(catboost.__version__)

    def bin_settings(self, params: TreeParams) -> dict[str, Any]:
        given = params.backend_params
        return {
            "border_count": params.max_bins - 1,
            "categorical_features": params.categorical_features,
            **{name: given[name] for name in BIN_PARAMS if name in given},
        }

    def _library_data(self, data: RankingData, params: TreeParams, reference: Binned | None) -> Any:
        with catboost_errors():
            return quantized(pool_of(data), self.bin_settings(params), reference)

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
        if native is None:
            raise ParameterError(
                "backend='catboost': CatBoost takes no ranking objective from outside, so its own losses alone can be "
                "trained; give engine='native' (or another backend)."
            )
        own = native_params(native, train.data)
        check_lambdamart(own, params)
        check_monotone(own, params)
        own |= translate(params, train.data.feature_names) | {"random_seed": seed_of(params, start)}
        pairs = uses_given_pairs(native, train.data)
        if start is not None:  # whose trees need the values of features, which bins have lost
            train, *valid = (replace(one, handle=pool_of(one.data)) for one in (train, *valid))
            pool = pool_of(train.data, pairs=True) if pairs else train.handle
        elif pairs:
            pool = quantized(pool_of(train.data, pairs=True), self.bin_settings(params), train)
        else:
            pool = train.handle
        return CatBoostTrainer(own, pool, train, [one.handle for one in valid], n_outputs, start)

    def going_on(self, data: RankingData, raw: FloatMatrix) -> RankingData:
        if data.init_score is not None:
            raise ParameterError(
                "init_model: CatBoost goes on from a model or from init_score, not from both; leave one of them out."
            )
        return data  # CatBoost itself adds up the earlier trees

    def from_bytes(self, content: bytes, *, n_outputs: int, n_features: int, sparse: bool) -> Model:
        return CatBoostModel(read_model(content), n_outputs, n_features)


class Follower:
    """Sees all scores after each round, as CatBoost's evaluation metric, and waits there, as its callback."""

    no_jit = True  # or CatBoost would try to compile `evaluate`

    def __init__(self) -> None:
        self.scores: list[FloatMatrix] = []
        self.fresh: list[FloatMatrix] = []
        self.round_done, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.stopped = False
        self.model: Any = None
        self.error: BaseException | None = None

    def __deepcopy__(self, memo: Any) -> Follower:  # CatBoost copies its parameters
        return self

    def is_max_optimal(self) -> bool:
        return True

    def get_final_error(self, error: float, weight: float) -> float:
        return error

    def evaluate(self, approxes: Any, target: Any, weight: Any) -> tuple[float, float]:
        """Keep the scores of one data set: the training data come first, then the others."""
        self.fresh.append(np.array(approxes[0]) if len(approxes) == 1 else np.stack(approxes, axis=1))
        return 0.0, 1.0

    def after_iteration(self, info: Any) -> bool:
        """Hand the scores over and wait until the next round is asked for, or the end."""
        self.scores, self.fresh = self.fresh, []
        self.round_done.release()
        self.go_on.acquire()
        return not self.stopped

    def stop(self) -> None:
        self.stopped = True
        self.go_on.release()


def fit(follower: Follower, params: Mapping[str, Any], train: Any, valid: list[Any], start: Any) -> None:
    """Run CatBoost's training from its first round to its last; in a thread that holds no trainer."""
    try:
        follower.model = catboost.CatBoost({**params, "eval_metric": follower}).fit(
            train, eval_set=valid or None, use_best_model=False, callbacks=[follower], init_model=start
        )
    except BaseException as error:  # of any kind: the thread that waits raises it
        follower.error = error
    follower.round_done.release()


class CatBoostTrainer(Trainer):
    """Steps a training that CatBoost runs in one call; given up half-way, the call ends after its round."""

    def __init__(
        self,
        params: Mapping[str, Any],
        pool: Any,
        train: Binned,
        valid: list[Any],
        n_outputs: int,
        start: Start | None = None,
    ) -> None:
        self.params, self.train, self.n_outputs, self.rounds = params, train, n_outputs, 0
        # Ordered boosting shuffles the training data, and statistics of categories leave each document's own label
        # out of its score: the model's scores, in our order, are then those of a further set.
        self.shuffled = params.get("boosting_type") == "Ordered" or bool(train.data.categories)
        self.follower = Follower()
        sets = [*valid, train.handle] if self.shuffled else valid
        first = None if start is None else start.model.booster
        self.thread = threading.Thread(target=fit, args=(self.follower, params, pool, sets, first), daemon=True)
        weakref.finalize(self, self.follower.stop).atexit = False

    def native_round(self) -> bool:
        if self.thread.ident is None:
            self.thread.start()
        else:
            self.follower.go_on.release()
        self.follower.round_done.acquire()
        self._raise()
        if self.follower.model is not None:  # ended by itself
            return False
        self.rounds += 1
        return self.rounds > 1 or bool(np.ptp(self.scores(), axis=0).any())

    def _raise(self) -> None:
        if self.follower.error is not None:
            with catboost_errors():
                raise self.follower.error

    def scores(self, number: int = -1) -> FloatMatrix:
        place = number + 1 if number >= 0 else -1 if self.shuffled else 0
        return self.follower.scores[place]

    def rescales_trees(self) -> bool:
        return any(self.params.get(name) for name in SHRINKING)

    def finish(self) -> Model:
        self.follower.stop()
        self.thread.join()
        self._raise()
        # What CatBoost returns holds the follower; what it writes is the model alone.
        booster = read_model(written(self.follower.model, "cbm"))
        return CatBoostModel(booster, self.n_outputs, self.train.data.n_features)

    def round(self, gradient: FloatMatrix, hessian: FloatMatrix) -> bool:
        raise NotImplementedError("CatBoost takes no gradients")

    def leaves(self, binned: Binned) -> npt.NDArray[np.int64]:
        raise NotImplementedError("CatBoost renews its leaves itself")

    def set_leaf_values(self, values: FloatMatrix) -> npt.NDArray[Any]:
        raise NotImplementedError("CatBoost renews its leaves itself")


class CatBoostModel(Model):
    """A trained booster, saved in CatBoost's binary format."""

    backend = "catboost"
    file_name = "booster.cbm"

    def __init__(self, booster: catboost.CatBoost, n_outputs: int, n_features: int) -> None:
        self.booster, self.n_outputs, self.n_features = booster, n_outputs, n_features

    def _raw(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        raw = self.booster.predict(
            library_features(X, self.booster.get_cat_feature_indices()),
            prediction_type="RawFormulaVal",
            ntree_end=n_rounds or 0,
            thread_count=n_threads,
        )
        return np.asarray(raw, dtype=np.float64)

    def staged(self, X: Any, n_rounds: int, n_threads: int) -> Iterator[FloatMatrix]:
        features = library_features(X, self.booster.get_cat_feature_indices())
        total: Any = 0.0
        for number in range(n_rounds):
            total = total + self.booster.predict(
                features, prediction_type="RawFormulaVal", ntree_start=number, ntree_end=number + 1,
                thread_count=n_threads,
            )  # fmt: skip
            yield total

    def head(self, n_rounds: int) -> Model:
        return CatBoostModel(self._cut(n_rounds), self.n_outputs, self.n_features)

    def _contributions(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        with catboost_errors():
            values = self._cut(n_rounds).get_feature_importance(
                self._pool(X), type="ShapValues", thread_count=n_threads
            )
        by_output = np.asarray(values, dtype=np.float64).reshape(X.shape[0], self.n_outputs, self.n_features + 1)
        return by_output.transpose(0, 2, 1)

    def _pool(self, X: Any) -> Any:
        columns = self.booster.get_cat_feature_indices()
        return catboost.Pool(library_features(X, columns), cat_features=columns)

    def _cut(self, n_rounds: int | None) -> Any:
        """Return the booster of the first rounds; CatBoost's importances know only whole ones."""
        if not n_rounds or n_rounds >= self.booster.tree_count_:
            return self.booster
        booster = self.booster.copy()
        booster.shrink(n_rounds)
        return booster

    def importances(self, kind: str, *, n_rounds: int | None = None) -> FloatMatrix:
        """Return CatBoost's own importance for ``"gain"``, for it keeps no gains.

        That is by how much predictions change on average where a feature's value does ("PredictionValuesChange"), in
        percent of all.  For ``"split"``, a condition that a whole level of a symmetric tree shares counts once.
        """
        booster = self._cut(n_rounds)
        if kind == "gain":
            changes = booster.get_feature_importance(type="PredictionValuesChange")
            return np.nan_to_num(np.asarray(changes, dtype=np.float64))
        content = json.loads(written(booster, "json"))
        counts = Counter(splits(content, split_columns(content["features_info"])))
        return np.array([counts[feature] for feature in range(self.n_features)], dtype=np.float64)

    def n_trees(self) -> int:
        return int(self.booster.tree_count_) * self.n_outputs

    def to_bytes(self) -> bytes:
        return written(self.booster, "cbm")


def splits(node: Any, columns: list[list[int]]) -> Iterator[int]:
    """Yield the columns of every split in a part of CatBoost's JSON; `columns` holds those of each numbered split."""
    if isinstance(node, Mapping):
        if "split_index" in node:
            yield from columns[node["split_index"]]
        node = [each for name, each in node.items() if name not in ("features_info", "ctr_data")]
    if isinstance(node, list):
        for each in node:
            yield from splits(each, columns)


def split_columns(info: Mapping[str, Any]) -> list[list[int]]:
    """Return the columns that each of a model's splits reads, as CatBoost numbers them.

    Borders of numbers come first, then single categories, then borders of statistics of categories, which may combine
    several columns.
    """
    numbers, categories = info.get("float_features") or [], info.get("categorical_features") or []
    flat = {
        "float_feature_index": [one["flat_feature_index"] for one in numbers],
        "cat_feature_index": [one["flat_feature_index"] for one in categories],
    }
    columns = [[one["flat_feature_index"]] for one in numbers for _ in one["borders"] or ()]
    columns += [[one["flat_feature_index"]] for one in categories for _ in one.get("values") or ()]
    for statistic in info.get("ctrs") or ():
        read = {flat[key][part[key]] for part in statistic["elements"] for key in flat if key in part}
        columns += [sorted(read) for _ in statistic["borders"]]
    return columns


def written(booster: Any, format: str) -> bytes:
    """Return a model as CatBoost writes it to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        booster.save_model(str(path), format=format)
        return path.read_bytes()


def read_model(content: bytes) -> Any:
    """Return the model that `written` has as "cbm"."""
    return catboost.CatBoost().load_model(blob=content)


def uses_given_pairs(objective: Objective, data: RankingData) -> bool:
    """Tell whether a loss learns from the pairs of the data: where it says so, or is a pairwise one of CatBoost's."""
    return objective.reads_pairs and data.pairs is not None


@contextmanager
def catboost_errors() -> Iterator[None]:
    """Turn CatBoost's own errors into ours: what the checks here did not foresee."""
    try:
        yield
    except (catboost.CatBoostError, ValueError, TypeError) as error:
        if isinstance(error, DataError | ParameterError):
            raise
        text = re.sub(r"^\S+\.(cpp|h):\d+: ", "", str(error).strip())
        if text.startswith("All features are either constant"):
            raise DataError("every feature is constant, so no tree can be grown; check X.") from None
        raise ParameterError(f"CatBoost refuses these data or parameters: {text}") from error
