"""`GBRanker`: boosted trees that rank, as a scikit-learn estimator."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from .._checks import ParameterError, check_choice, check_whole
from .._compile import thread_count
from ..backends import Backend, Binned, TreeParams
from ..backends import backend as find_backend
from ..data import RankingData
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..objectives import Objective
from ..objectives import objective as find_objective
from ._boosting import Callback
from ._continued import earlier
from ._grades import GradePredictions
from ._init_score import require_columns
from ._inputs import EvalSet, as_data, as_eval_sets, check_callbacks, data_of, features_as_trained
from ._measuring import measured_labels
from ._position_bias import position_bias
from ._ranks import RankerMixin
from ._training import Trained, boosted, prepared

ENGINES = ("compiled", "numpy", "native")


class GBRanker(RankerMixin, GradePredictions, BaseEstimator):  # type: ignore[misc]
    """Gradient-boosted trees that rank the documents of a query.

    Parameters
    ----------
    objective : str or Objective
        What is minimised, by name ("lambdarank", "pairwise_logistic", "focal", ...) or as a value, see
        `gbrank.objectives`.
    backend : {"lightgbm", "xgboost", "catboost"}
        The library that grows the trees.  CatBoost, an extra, has its own losses only (``engine="native"``).
    engine : {"compiled", "numpy", "native"}
        What computes the gradients: gbrank in machine code, gbrank in NumPy (the definition), or the library's own
        version of the objective, with its limits.
    n_estimators : int
        Rounds of boosting at most.
    learning_rate : float
    max_leaves : int
        Leaves of a tree.
    max_depth : int, optional
        Depth of a tree; unlimited by default.
    min_docs_in_leaf : int
        Documents in a leaf at least; 0 is no limit.  LightGBM estimates them from the sum of hessians.  XGBoost has no
        such limit, and takes 0 or the default only; its own `min_child_weight` stands.  CatBoost has one in trees of
        ``grow_policy`` "Depthwise" or "Lossguide".
    subsample, colsample : float
        Share of documents, and of features, that each tree sees.
    query_subsample : float
        Share of the queries, whole, that each tree learns from: drawn anew in each round, the same on every backend.
        The others have no gradient and no hessian, and no part in leaf values; what an objective fits beside the trees
        (thresholds, ...) it fits to all.  With `subsample`, documents are drawn from all, so that a tree learns from
        the product of both shares.  `min_docs_in_leaf`, like limits of sums of hessians, counts the queries drawn: with
        few of them trees are smaller.  With ``engine="native"`` LightGBM draws the queries itself, and CatBoost for the
        choice of splits only; both then refuse `subsample`, and XGBoost this.
    reg_alpha, reg_lambda : float
        L1 and L2 penalty of leaf values.
    max_bins : int
        Bins of a feature at most.
    monotone_constraints : mapping or sequence, optional
        Features in which the score may only rise (1) or only fall (-1), all others fixed: ``{"price": -1, 7: 1}``, by
        name or column number, or -1, 0 or 1 for each feature.  CatBoost has them in symmetric trees.
    interaction_constraints : sequence of groups of features, optional
        Features that may meet on the way from a tree's root to a leaf: only those of one group, as in
        ``[["bm25", "length"], ["length", 7]]``.  A feature in no group is a group of its own.  Not with CatBoost.
    categorical_features : sequence of features, or "auto", optional
        Features that are categories: columns of categories or text of a DataFrame (all of them with "auto"), or whole
        numbers from 0.  A category that the training data do not have is missing.  Columns of categories or text that
        are not named here are refused.
    boosting : {"gbdt", "dart"}
        How trees add up: with "dart", each is grown beside a random part of the earlier ones, which are then scaled.
        Its further settings go into `backend_params`.  Not with CatBoost.
    device : {"cpu", "cuda"}
        Where trees are grown; "cuda" is a GPU of NVIDIA, and refused where there is none.  Not with CatBoost.
    base_score : float, optional
        The score from which boosting starts, for all documents and outputs; the objective's own start by default, or 0
        where the data have an `init_score`.
    init_model : GBRanker or path, optional
        A fitted ranker, or the file of one: training goes on from the trees that its `predict` uses, with
        `n_estimators` more, on the data given, and from its `init_score_` and `state_`.  Backend, features and kind of
        objective have to be the same.  Early stopping never goes back behind its trees.  The new trees are those of a
        longer training on the same data; but draws of documents and features (not of queries) begin anew, except those
        of documents on XGBoost, and so do ranks that an objective smooths or keeps for several rounds.
    early_stopping_rounds : int, optional
        Stop when the measure on the (first) evaluation set has not improved for so many rounds; the model then predicts
        with the trees of the best round.
    validation_fraction : float, optional
        Share of the queries to hold out, whole, as the evaluation set, where `fit` is given none.
    measure : str or Measure
        What early stopping and `score` use: the mean over queries.
    measure_label : int, optional
        The label column that the measure reads, from 0, where there are several; by default the one that the objective
        learns from, if that is one (``LambdaRank().on(1)``).
    backend_params : mapping, optional
        Further parameters of the library, under its own names.
    callbacks : sequence of callables, optional
        Called after each round with a `RoundInfo`; one that returns True ends the training.
    random_state : int, RandomState or None
        Seed of sampling.  None is a fixed one, too (not that of 0): the same data give the same model.
    n_jobs : int, optional
        Threads; all cores by default.  The model does not depend on it.
    verbose : int
        How much the library prints: nothing at 0, warnings at 1.

    Attributes
    ----------
    model_ : Model
        The booster.
    objective_ : Objective
    measure_ : Measure
    best_iteration_ : int
        Rounds that `predict` uses.
    best_score_ : float
        The measure after that round on the (first) evaluation set; NaN without one.
    history_ : dict of str to list of float
        The measure after each round on each evaluation set; with `init_model` those before are measured on it, too.
    state_ : dict of str to array
        What the objective learnt beside the trees (thresholds, ...).
    init_score_ : array of shape (n_outputs,)
        The score from which boosting started.
    n_features_in_ : int
    feature_names_ : tuple of str
    categories_ : dict of str to array
        The categories of each categorical feature, sorted: those of the training data, texts or whole numbers.
    feature_importances_ : array of shape (n_features_in_,)
        Total gain of each feature's splits, as a share of all.

    Notes
    -----
    NaN is a missing value, which trees tell from every number: LightGBM and XGBoost send it, split by split, to the
    side that fits the training data better, and to CatBoost it is less than any number.  Where a feature is never
    missing in training, the side is the library's choice.  In a sparse matrix what is not stored is 0, and a stored NaN
    is missing, which XGBoost refuses: it cannot tell the two apart.  Infinity is refused.

    What a model may depend on is the order of rows: tied documents rank in row order while training, as in the boosters
    themselves, and XGBoost's bins of a feature come from a sketch that sees rows in order.

    Queries of weight 0, and with pointwise objectives documents of weight 0, are as if absent, bins included.  To other
    objectives a document of weight 0 still takes its rank.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.RankingData([[0.1], [0.9], [0.4], [0.8]] * 20, [0, 2, 0, 1] * 20, qid=[i // 4 for i in range(80)])
    >>> ranker = GBRanker(n_estimators=5, min_docs_in_leaf=1).fit(data)
    >>> ranker.rank([[0.1], [0.9], [0.2]], qid=[7, 7, 7]).tolist()
    [2, 1, 2]
    """

    def __init__(
        self,
        objective: str | Objective = "lambdarank",
        *,
        backend: str = "lightgbm",
        engine: str = "compiled",
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        max_leaves: int = 31,
        max_depth: int | None = None,
        min_docs_in_leaf: int = 20,
        subsample: float = 1.0,
        query_subsample: float = 1.0,
        colsample: float = 1.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 0.0,
        max_bins: int = 255,
        monotone_constraints: Mapping[str | int, int] | Sequence[int] | None = None,
        interaction_constraints: Sequence[Sequence[str | int]] | None = None,
        categorical_features: Sequence[str | int] | str | None = None,
        boosting: str = "gbdt",
        device: str = "cpu",
        base_score: float | None = None,
        init_model: GBRanker | str | os.PathLike[str] | None = None,
        early_stopping_rounds: int | None = None,
        validation_fraction: float | None = None,
        measure: str | Measure = "ndcg@10",
        measure_label: int | None = None,
        backend_params: Mapping[str, Any] | None = None,
        callbacks: Sequence[Callback] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.objective = objective
        self.backend = backend
        self.engine = engine
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaves = max_leaves
        self.max_depth = max_depth
        self.min_docs_in_leaf = min_docs_in_leaf
        self.subsample = subsample
        self.query_subsample = query_subsample
        self.colsample = colsample
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.max_bins = max_bins
        self.monotone_constraints = monotone_constraints
        self.interaction_constraints = interaction_constraints
        self.categorical_features = categorical_features
        self.boosting = boosting
        self.device = device
        self.base_score = base_score
        self.init_model = init_model
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_fraction = validation_fraction
        self.measure = measure
        self.measure_label = measure_label
        self.backend_params = backend_params
        self.callbacks = callbacks
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: npt.ArrayLike | None = None,
        *,
        qid: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        query_weight: npt.ArrayLike | Mapping[Any, float] | None = None,
        pairs: npt.ArrayLike | None = None,
        pair_weight: npt.ArrayLike | None = None,
        position: npt.ArrayLike | None = None,
        init_score: npt.ArrayLike | None = None,
        eval_set: EvalSet | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : RankingData, Binned, or array, sparse array or DataFrame of shape (n_documents, n_features)
            With a `RankingData`, or one binned by `bin`, all else comes from it.
        y : array-like of shape (n_documents,)
            Labels.
        qid : array-like of shape (n_documents,)
            Query ids of any kind, in any order.  Without them all documents are one query, with a warning.
        sample_weight : array-like of shape (n_documents,), optional
        query_weight : array-like of shape (n_queries,) or mapping, optional
        pairs : array-like of int of shape (n_pairs, 2), optional
            Rows of `X`, from 0, of the preferred and of the other document, for objectives that learn from pairs; `y`
            may then be all 0.  Row numbers do not survive scikit-learn's cutting of `X`: cut a `RankingData`.
        pair_weight : array-like of shape (n_pairs,), optional
            For these four see `gbrank.RankingData`.
        position : array-like of int of shape (n_documents,), optional
            The rank, from 1, at which each document was shown when its label was observed, for objectives that learn
            from clicks.  It is for training alone: `predict` and `score` know of none.
        init_score : array-like of shape (n_documents,) or (n_documents, n_outputs), optional
            The score from which boosting starts for each document, such as another model's, instead of the objective's
            own start.  Evaluation sets then need theirs: give them as `RankingData`.  As in the libraries, `predict`
            returns what the trees add, without it; add that model's scores.
        eval_set : RankingData, Binned, (X, y, qid), or mapping from names to these, optional
            Data on which the measure is followed; the first decides on early stopping.

        Raises
        ------
        DataError
            Data, or labels, that cannot be used; nothing to learn.
        ParameterError
            A parameter that is wrong or that the backend does not have.
        """
        check_choice("engine", self.engine, ENGINES)
        check_whole("n_estimators", self.n_estimators)
        check_callbacks(self.callbacks)
        objective, measure = self._objective(), find_measure(self.measure)
        weights = {"sample_weight": sample_weight, "query_weight": query_weight, "pair_weight": pair_weight}
        train = as_data(X, y, qid, pairs=pairs, position=position, init_score=init_score, **weights)
        train, evaluated = prepared(self, train, as_eval_sets(eval_set), objective)
        before = earlier(self.init_model, self, objective, data_of(train))
        self._keep(boosted(self, train, evaluated, objective, measure, before), data_of(train), objective, measure)
        if before is not None:
            self.feature_names_ = before.ranker.feature_names_
        return self

    def bin(self, data: RankingData, reference: Binned | None = None) -> Binned:
        """Return `data` as the backend trains on it, to be given to `fit` any number of times.

        Parameters
        ----------
        data : RankingData
        reference : Binned, optional
            Training data whose bins an evaluation set shares; needed for a binned `eval_set`.
        """
        return self._backend().bin(data, self._tree_params(), reference)

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the ranking score of each document, in the order of the rows of `X` (or of a `RankingData`).

        It is what the trees add to the score from which all documents start; not to the `init_score` of the data.
        """
        raw = self._raw(X)
        return np.asarray(self.objective_.transform(raw, self.state_), dtype=np.float64)

    def _raw(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the outputs of the model, of which the objective makes scores, probabilities or quantiles."""
        features = self._features(X)
        raw = self.model_.raw(features, n_rounds=self.best_iteration_, n_threads=thread_count(self.n_jobs))
        return np.asarray(raw + (self.init_score_ if raw.ndim == 2 else self.init_score_[0]))

    def _scored(self, data: RankingData) -> npt.NDArray[np.float64]:
        if data.init_score is None:
            return self.predict(data)
        require_columns(data, self.model_.n_outputs, "the data")
        return np.asarray(self.objective_.transform(self._raw(data) + data.init_score, self.state_), dtype=np.float64)

    def _measured(self, data: RankingData) -> tuple[Measure, npt.NDArray[np.float64]]:
        return self.measure_, measured_labels(data, self.objective_, self.measure_label, "the data")

    @property
    def position_bias_(self) -> pd.DataFrame:
        """What the objective learnt of positions: a row for each rank from 1, a column for each curve.

        Raises
        ------
        AttributeError
            The objective learns none.
        """
        self._require_fitted()
        return position_bias(self.objective_, self.state_)

    @property
    def feature_importances_(self) -> npt.NDArray[np.float64]:
        """Share of the total gain that each feature's splits have."""
        self._require_fitted()
        gain = self.model_.importances("gain", n_rounds=self.best_iteration_)
        return np.asarray(gain / gain.sum() if gain.sum() > 0 else gain)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep`, those of the objective as ``objective__name``."""
        params: dict[str, Any] = super().get_params(deep=False)
        if deep and "objective" in params:
            try:
                inner = self._objective().params(deep=True)
            except (ParameterError, KeyError):
                return params
            params |= {f"objective__{name}": value for name, value in inner.items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``objective__name`` replaces the objective by one with another parameter."""
        inner = {name: params.pop(name) for name in list(params) if name.startswith("objective__")}
        super().set_params(**params)
        if inner:
            changed = {name.removeprefix("objective__"): value for name, value in inner.items()}
            self.objective = self._objective().with_params(**changed)
        return self

    def __sklearn_clone__(self) -> Self:
        made: Self = super().__sklearn_clone__()
        made.init_model = self.init_model  # scikit-learn would make it one that is not fitted
        return made

    def _objective(self) -> Objective:
        return find_objective(self.objective)

    def _backend(self) -> Backend:
        return find_backend(self.backend)

    def _tree_params(self) -> TreeParams:
        try:
            seed = 0 if self.random_state is None else int(check_random_state(self.random_state).randint(2**31 - 1))
        except ValueError:
            raise ParameterError(
                f"random_state={self.random_state!r}: give a whole number from 0, a numpy.random.RandomState, or None."
            ) from None
        given = {each.name: getattr(self, each.name) for each in fields(TreeParams) if hasattr(self, each.name)}
        given["backend_params"] = {} if self.backend_params is None else self.backend_params
        return TreeParams(**given, seed=seed, n_threads=thread_count(self.n_jobs))

    def _keep(self, trained: Trained, data: RankingData, objective: Objective, measure: Measure) -> None:
        outcome = trained.outcome
        self.model_, self.categories_ = trained.model, trained.categories
        self.objective_, self.measure_ = objective, measure
        self.best_iteration_, self.best_score_ = outcome.best_round, outcome.best_value
        self.history_, self.init_score_, self.state_ = outcome.history, outcome.init_score, dict(outcome.state)
        self.n_features_in_, self.feature_names_ = data.n_features, data.feature_names

    def _features(self, X: Any) -> Any:
        self._require_fitted()
        return features_as_trained(X, self.feature_names_, type(self).__name__, self.categories_)
