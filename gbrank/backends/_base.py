"""What a backend is: canonical parameters in, a booster out.

A backend bins data (`bin`), grows one tree a round from gradients it is given (`Trainer`) and hands out the finished
`Model`.  It averages no measure, stops nothing early and knows no query rule: that is the ranker's.
"""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_choice, check_positive, check_whole
from ..data import RankingData
from ..data._ranking_data import replace_fields
from ..objectives import Objective
from ..objectives._base import State
from ..objectives._frames.noise import mixed
from ._cache import kept_handle
from ._constraints import Column, Groups, Signs, check_categorical, check_groups, check_signs, with_codes

FloatMatrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TreeParams:
    """The canonical parameters of trees and boosting; see `gbrank.GBRanker` for their meaning."""

    learning_rate: float = 0.1
    max_leaves: int = 31
    max_depth: int | None = None
    min_docs_in_leaf: int = 20
    subsample: float = 1.0
    query_subsample: float = 1.0
    colsample: float = 1.0
    reg_alpha: float = 0.0
    reg_lambda: float = 0.0
    max_bins: int = 255
    monotone_constraints: Signs | None = None
    interaction_constraints: Groups | None = None
    categorical_features: Sequence[Column] | str | None = None
    boosting: str = "gbdt"
    device: str = "cpu"
    backend_params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    n_threads: int = 1
    verbose: int = 0

    def __post_init__(self) -> None:
        check_positive("learning_rate", self.learning_rate)
        check_whole("max_leaves", self.max_leaves, lowest=2)
        if self.max_depth is not None:
            check_whole("max_depth", self.max_depth)
        check_whole("min_docs_in_leaf", self.min_docs_in_leaf, lowest=0)
        for name in ("subsample", "query_subsample", "colsample"):
            check_positive(name, getattr(self, name))
            if getattr(self, name) > 1:
                raise ParameterError(f"{name}={getattr(self, name)!r}: a share is above 0 and at most 1.")
        check_positive("reg_alpha", self.reg_alpha, zero=True)
        check_positive("reg_lambda", self.reg_lambda, zero=True)
        check_whole("max_bins", self.max_bins, lowest=2)
        if self.monotone_constraints is not None:
            check_signs(self.monotone_constraints)
        if self.interaction_constraints is not None:
            check_groups(self.interaction_constraints)
        if self.categorical_features is not None:
            check_categorical(self.categorical_features)
            if not isinstance(self.categorical_features, str):  # compared where bins are reused
                object.__setattr__(self, "categorical_features", tuple(self.categorical_features))
        given = self.backend_params
        if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
            raise ParameterError(f"backend_params={given!r}: give a mapping from the library's names to values.")
        object.__setattr__(self, "backend_params", dict(given))
        check_whole("verbose", self.verbose, lowest=0)
        check_choice("boosting", self.boosting, ("gbdt", "dart"))
        check_choice("device", self.device, ("cpu", "cuda"))

    def is_default(self, name: str) -> bool:
        """Tell whether a parameter has its default, which a backend that cannot translate it replaces by its own."""
        defaults = {each.name: each.default for each in dataclasses.fields(self)}
        return bool(getattr(self, name) == defaults[name])


@dataclass(frozen=True, eq=False)
class Binned:
    """Data in the form that a backend trains on, made once for many trainings.

    Attributes
    ----------
    data : RankingData
    backend : str
    settings : mapping
        The settings that the bins depend on; training with others is refused.
    handle : object
        The backend's own data set.
    """

    data: RankingData
    backend: str
    settings: Mapping[str, Any]
    handle: Any


class Trainer(ABC):
    """A booster in the making.  Scores are the sums of trees alone, without the objective's initial score."""

    @abstractmethod
    def round(self, gradient: FloatMatrix, hessian: FloatMatrix) -> bool:
        """Grow a tree (one for each output) and return whether one was grown.

        In the first round at least, a tree without a split does not count.
        """

    @abstractmethod
    def native_round(self) -> bool:
        """Grow a tree for the booster's own objective."""

    def native_state(self) -> State:
        """Return what the booster's own objective has learnt beside the trees, named as in `Bound.state`."""
        return {}

    @abstractmethod
    def scores(self, number: int = -1) -> FloatMatrix:
        """Return the scores of the training data, or of validation set `number`."""

    def scores_to_improve(self) -> FloatMatrix:
        """Return the scores of the training data that the next tree is to improve, once before each `round`.

        With DART, they are the sums of the trees that are not dropped.
        """
        return self.scores()

    @abstractmethod
    def leaves(self, binned: Binned) -> npt.NDArray[np.int64]:
        """Return the leaf of the last tree into which each document falls, shape (n_documents,).

        With several outputs, the leaf of each one's tree, shape (n_documents, n_outputs).
        """

    @abstractmethod
    def set_leaf_values(self, values: FloatMatrix) -> npt.NDArray[Any]:
        """Give the leaves of the last tree other values; return them as the booster keeps and sums them.

        `values` has the shape (n_leaves,); with several outputs, each with a tree of its own, (n_leaves, n_outputs),
        with NaN where a tree has no such leaf.
        """

    @abstractmethod
    def rescales_trees(self) -> bool:
        """Tell whether a round changes earlier trees (DART), so that the first k trees are not the model of round k."""

    @abstractmethod
    def finish(self) -> Model:
        """Return the model of all rounds."""


class Model(ABC):
    """A trained booster."""

    backend: ClassVar[str]
    file_name: ClassVar[str]

    n_outputs: int
    n_features: int

    def raw(self, X: Any, *, n_rounds: int | None = None, n_threads: int = 1) -> FloatMatrix:
        """Return the sum of trees, shape (n_documents,) or (n_documents, n_outputs)."""
        if n_rounds == 0:  # to the libraries, 0 means all
            return np.zeros(X.shape[0] if self.n_outputs == 1 else (X.shape[0], self.n_outputs))
        return self._raw(X, n_rounds, n_threads)

    @abstractmethod
    def _raw(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        """Return the sum of the trees of `n_rounds` rounds, or of all."""

    def contributions(self, X: Any, *, n_rounds: int | None = None, n_threads: int = 1) -> FloatMatrix:
        """Return what each feature adds to the sum of trees of each document, and last what all documents start from.

        These are Shapley values by TreeSHAP, as the library computes them.  The shape is (n_documents, n_features + 1),
        with several outputs (n_documents, n_features + 1, n_outputs); sums over the second axis are `raw`.
        """
        if n_rounds == 0 or X.shape[0] == 0:
            values = np.zeros((X.shape[0], self.n_features + 1, self.n_outputs))
        else:
            values = self._contributions(X, n_rounds, n_threads)
        return values[:, :, 0] if self.n_outputs == 1 else values

    @abstractmethod
    def _contributions(self, X: Any, n_rounds: int | None, n_threads: int) -> FloatMatrix:
        """Return contributions, shape (n_documents, n_features + 1, n_outputs)."""

    @abstractmethod
    def staged(self, X: Any, n_rounds: int, n_threads: int) -> Iterator[FloatMatrix]:
        """Yield the sum of trees after each of the first `n_rounds` rounds."""

    @abstractmethod
    def head(self, n_rounds: int) -> Model:
        """Return the model of the first rounds, one at least.

        Raises
        ------
        ParameterError
            The library cannot go on training with it.
        """

    @abstractmethod
    def importances(self, kind: str, *, n_rounds: int | None = None) -> FloatMatrix:
        """Return, for each feature, the total gain (``"gain"``) or the number of its splits (``"split"``)."""

    @abstractmethod
    def n_trees(self) -> int:
        """Return the number of trees, all outputs counted."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return the booster in its own format."""


class Start(NamedTuple):
    """An earlier model, whose trees come first, and its number of rounds."""

    model: Any
    rounds: int


def seed_of(params: TreeParams, start: Start | None) -> int:
    """Return the seed of a training; one that goes on does not repeat the draws of the one before."""
    return params.seed if start is None else mixed(params.seed, start.rounds) % 2**31


class Backend(ABC):
    """A library of boosted trees."""

    name: ClassVar[str]

    # Memory that a bin of one value takes, of up to 256 bins, as measured.
    bytes_per_value: ClassVar[float]

    def bin(self, data: RankingData, params: TreeParams, reference: Binned | None = None) -> Binned:
        """Return `data` binned, with the bins of `reference` where one is given; inside `bin_cache`, once for all."""
        settings = self.bin_settings(params)
        data = with_codes(data, params, None if reference is None else reference.data)
        handle = kept_handle(
            self.name,
            data,
            settings,
            None if reference is None else reference.handle,
            lambda: self._library_data(data, params, reference),
            self.bytes_per_value * (1 if params.max_bins <= 256 else 2),
        )
        return Binned(data, self.name, settings, handle)

    @abstractmethod
    def _library_data(self, data: RankingData, params: TreeParams, reference: Binned | None) -> Any:
        """Return the library's own data set; `data` hold codes where features are categorical."""

    @abstractmethod
    def bin_settings(self, params: TreeParams) -> dict[str, Any]:
        """Return the settings that bins depend on."""

    @abstractmethod
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
        """Return a booster to be trained on `train`, with scores kept for `valid`.

        With `native`, the booster uses its own version of that objective.  With `start`, the trees grown follow those
        of an earlier model, and all data have passed `going_on` before they were binned.

        Raises
        ------
        ParameterError
            A parameter or objective that this backend does not have.
        DataError
            Data beyond the limits of the booster's own objective.
        """

    def going_on(self, data: RankingData, raw: FloatMatrix) -> RankingData:
        """Return data whose scores begin at `raw`, the sums of an earlier model's trees, beside those they have."""
        return replace_fields(data, init_score=raw if data.init_score is None else raw + data.init_score)

    @abstractmethod
    def from_bytes(self, content: bytes, *, n_outputs: int, n_features: int, sparse: bool) -> Model:
        """Return the model that `Model.to_bytes` wrote."""

    @abstractmethod
    def version(self) -> str:
        """Return the library's version."""


@contextmanager
def library_errors(library: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn a library's own errors into one of ours: what the checks here did not foresee."""
    try:
        yield
    except kinds as error:
        # XGBoost puts time, source file and a stack trace around what it has to say.
        if "num_features()) > (0)" in str(error):
            raise DataError("every feature is 0 in every document, so no tree can be grown; check X.") from None
        if "a value too large" in str(error):
            raise DataError(
                f"X: a value is beyond 3.4e38, and {library} keeps features in single precision; scale the feature."
            ) from None
        text = re.sub(r"^\[[^]]*\] \S+: ", "", str(error).strip().split("\nStack trace")[0])
        raise ParameterError(f"{library} refuses these data or parameters: {text.strip()}") from error


ENGINE = "use engine='compiled'"


def require_own(objective: Objective, own: str, remedy: str = ENGINE, /, **wanted: Any) -> None:
    """Raise a `ParameterError` where a parameter is not what the library's objective `own` always has."""
    for name, value in wanted.items():
        allowed = value if isinstance(value, tuple) else (value,)
        if getattr(objective, name) not in allowed:
            raise ParameterError(
                f"{name}={getattr(objective, name)!r}: {own} has {' or '.join(map(repr, allowed))}; {remedy}."
            )


def require_binary(objective: Any, data: RankingData, own: str, remedy: str = ENGINE) -> npt.NDArray[np.float64]:
    """Return the labels for a library's objective `own`, which reads them as they are: 1 is relevant, 0 is not."""
    y = one_label(data, own)
    relevant = y if objective.relevant_from is None else y >= objective.relevant_from
    if not np.array_equal(relevant, y):
        row = int(np.argmax(relevant != y))
        raise DataError(
            f"label {y[row]:g} in row {row}: {own} takes the labels 1 for relevant and 0 for not; {remedy}, or "
            "`with_labels` to give such labels."
        )
    return y


# What the libraries' own pairwise objectives have none of.
NO_OPTIONS = {"pairs": "labels", "equal_pairs": False, "rerank_every": 1, "rank_smoothing": 0.0, "ties": "stable"}


def require_bins(binned: Binned, backend: str, settings: Mapping[str, Any]) -> None:
    """Raise a `ParameterError` where data were binned for another backend or with other settings."""
    if binned.backend != backend:
        raise ParameterError(f"the data were binned for {binned.backend!r}, not {backend!r}; bin them again.")
    for name, value in settings.items():
        if binned.settings.get(name) != value:
            raise ParameterError(
                f"the data were binned with {name}={binned.settings.get(name)!r}, not {value!r}; bin them again."
            )


def refuse_clashes(params: TreeParams, canonical: Mapping[str, str]) -> None:
    """Raise a `ParameterError` where `backend_params` repeats what has a name of its own.

    `canonical` maps each of the library's names to the name to use, or to a reason.
    """
    for name in params.backend_params:
        if name in canonical:
            raise ParameterError(f"backend_params[{name!r}]: {canonical[name]}.")


def one_label(data: RankingData, backend: str) -> npt.NDArray[np.float64]:
    """Return the label column for a booster's own objective."""
    if data.y.ndim != 1:
        raise DataError(f"{backend}'s own objectives learn from one label column, not {data.y.shape[1]}.")
    return data.y


def in_blocks(X: Any, predict: Any, rows: int = 200_000) -> Any:
    """Return ``predict(block)`` over dense blocks of the rows of a sparse matrix, put together."""
    return np.concatenate([predict(X[start : start + rows].toarray()) for start in range(0, X.shape[0], rows)])
