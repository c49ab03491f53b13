"""`GBRanker`: boosted trees that rank, as a scikit-learn estimator."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from .._checks import DataError, GbrankWarning, ParameterError, check_choice, check_whole
from .._compile import thread_count
from ..backends import Backend, Binned, TreeParams
from ..backends import backend as find_backend
from ..data import RankingData
from ..data._features import numbered
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..objectives import Objective
from ..objectives import objective as find_objective
from ._boosting import Boosting, Callback, Outcome
from ._diagnosis import why_constant
from ._grades import GradePredictions
from ._inputs import EvalSet, as_data, as_eval_sets, data_of, features_as_trained, hold_out, require_same_features
from ._measuring import mean_measure, measured_labels, refuse_weights
from ._ranks import RankerMixin

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
    reg_alpha, reg_lambda : float
        L1 and L2 penalty of leaf values.
    max_bins : int
        Bins of a feature at most.
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
        Seed of sampling.  None is 0: the same data give the same model.
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
        The measure after each round on each evaluation set.
    state_ : dict of str to array
        What the objective learnt beside the trees (thresholds, ...).
    init_score_ : array of shape (n_outputs,)
        The score from which boosting started.
    n_features_in_ : int
    feature_names_ : tuple of str
    feature_importances_ : array of shape (n_features_in_,)
        Total gain of each feature's splits, as a share of all.

    Notes
    -----
    What a model may depend on is the order of rows: tied documents rank in row order while training, as in the boosters
    themselves, and XGBoost's bins of a feature come from a sketch that sees rows in order.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.RankingData([[0.1], [0.9], [0.4], [0.8]] * 20, [0, 2, 0, 1] * 20, qid=[i // 4 for i in range(80)])
    >>> ranker = GBRanker(n_estimators=5, min_docs_in_leaf=1).fit(data)
    >>> ranker.rank([[0.1], [0.9], [0.2]], qid=[7, 7, 7]).tolist()
    [2, 1, 2]
    """

    # Where scikit-learn's metadata routing is on, fit and score ask for the query ids.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"qid": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"qid": True}

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
        colsample: float = 1.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 0.0,
        max_bins: int = 255,
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
        self.colsample = colsample
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.max_bins = max_bins
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
        objective, measure = self._objective(), find_measure(self.measure)
        weights = {"sample_weight": sample_weight, "query_weight": query_weight, "pair_weight": pair_weight}
        train = as_data(X, y, qid, pairs=pairs, **weights)
        evaluated = as_eval_sets(eval_set)
        if self.validation_fraction is not None and not 0 < self.validation_fraction < 1:
            raise ParameterError(f"validation_fraction={self.validation_fraction!r}: a share lies between 0 and 1.")
        if not evaluated and self.validation_fraction is not None:
            train, evaluated["valid"] = hold_out(train, self.validation_fraction, self.random_state)
        if self.early_stopping_rounds is not None:
            check_whole("early_stopping_rounds", self.early_stopping_rounds)
            if not evaluated:
                raise ParameterError("early_stopping_rounds: give fit an eval_set, or set validation_fraction.")
        train_data = data_of(train)
        if train_data.n_documents == 1:
            raise DataError("X: has 1 sample, and nothing can be learnt from one document alone; give more.")
        if train_data.pairs is not None and not objective.reads_pairs:
            text = (
                f"the data hold {len(train_data.pairs)} pairs, which {objective} does not read: choose a pairwise "
                "objective with pairs='given', as in gbrank.objective('pairwise_logistic', pairs='given')."
            )
            warnings.warn(text, GbrankWarning, stacklevel=2)
        for name, data in evaluated.items():
            require_same_features(train_data, data_of(data), name)
        outcome = self._boost(train, evaluated, objective, measure)
        self._keep(outcome, train_data, objective, measure)
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
        """Return the ranking score of each document, in the order of the rows of `X` (or of a `RankingData`)."""
        raw = self._raw(X)
        return np.asarray(self.objective_.transform(raw, self.state_), dtype=np.float64)

    def _raw(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the outputs of the model, of which the objective makes scores, probabilities or quantiles."""
        features = self._features(X)
        raw = self.model_.raw(features, n_rounds=self.best_iteration_, n_threads=thread_count(self.n_jobs))
        return np.asarray(raw + (self.init_score_ if raw.ndim == 2 else self.init_score_[0]))

    def score(
        self, X: Any, y: npt.ArrayLike | None = None, qid: npt.ArrayLike | None = None, sample_weight: None = None
    ) -> float:
        """Return the mean of `measure` over the queries that it does not skip; `sample_weight` is refused.

        A measure of ranked lists has no weights of documents.  The argument is there because a scikit-learn Pipeline
        hands it on.
        """
        self._require_fitted()
        refuse_weights(sample_weight)
        data = data_of(as_data(X, y, qid))
        labels = measured_labels(data, self.objective_, self.measure_label, "the data")
        return mean_measure(self.measure_, labels, self.predict(data), data, "the data")

    @property
    def feature_names_in_(self) -> npt.NDArray[np.object_]:
        """The names of the columns, where the training data had names of their own."""
        names = getattr(self, "feature_names_", ())
        if names == numbered(len(names)):
            raise AttributeError("feature_names_in_: the training data had no names of columns, or there are none yet.")
        return np.array(names, dtype=object)

    @property
    def feature_importances_(self) -> npt.NDArray[np.float64]:
        """Share of the total gain that each feature's splits have."""
        self._require_fitted()
        gain = self.model_.importances("gain", n_rounds=self.best_iteration_)
        return np.asarray(gain / gain.sum() if gain.sum() > 0 else gain)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted ranker to a file that `gbrank.load` reads; see there for the format."""
        from ._files import save

        self._require_fitted()
        save(self, path)

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

    def _objective(self) -> Objective:
        return find_objective(self.objective)

    def _backend(self) -> Backend:
        return find_backend(self.backend)

    def _tree_params(self) -> TreeParams:
        seed = 0 if self.random_state is None else int(check_random_state(self.random_state).randint(2**31 - 1))
        return TreeParams(
            learning_rate=self.learning_rate,
            max_leaves=self.max_leaves,
            max_depth=self.max_depth,
            min_docs_in_leaf=self.min_docs_in_leaf,
            subsample=self.subsample,
            colsample=self.colsample,
            reg_alpha=self.reg_alpha,
            reg_lambda=self.reg_lambda,
            max_bins=self.max_bins,
            backend_params=dict(self.backend_params or {}),
            seed=seed,
            n_threads=thread_count(self.n_jobs),
            verbose=self.verbose,
        )

    def _boost(
        self, train: Any, evaluated: Mapping[str, RankingData | Binned], objective: Objective, measure: Measure
    ) -> Outcome:
        backend, params = self._backend(), self._tree_params()
        train_data = data_of(train)
        labels = {
            name: measured_labels(data_of(one), objective, self.measure_label, f"evaluation set {name!r}")
            for name, one in evaluated.items()
        }
        native = self.engine == "native"
        # Binding comes first: it refuses what cannot be learnt before time is spent on bins.
        bound = objective.bind(train_data, engine="numpy" if native else self.engine, n_jobs=self.n_jobs)
        binned = train if isinstance(train, Binned) else backend.bin(train, params)
        sets = {
            name: one if isinstance(one, Binned) else binned if one is train_data else backend.bin(one, params, binned)
            for name, one in evaluated.items()
        }
        trainer = backend.trainer(
            binned,
            [one for one in sets.values() if one is not binned],
            params,
            n_outputs=bound.n_outputs,
            native=objective if native else None,
        )
        if self.early_stopping_rounds is not None and trainer.rescales_trees():
            raise ParameterError(
                "early_stopping_rounds: DART changes earlier trees in every round, so the best round's model is lost "
                "when training goes on; leave early stopping out."
            )
        if bound.renews_leaves and not native and trainer.rescales_trees():
            raise ParameterError(
                f"objective={objective}: renews the leaves of each tree, which DART then scales; leave DART out."
            )
        own = None if native else bound
        explain = functools.partial(why_constant, train_data, self, objective)
        boosting = Boosting(trainer, binned, sets, labels, objective, own, measure, params.learning_rate, explain)
        outcome = boosting.run(self.n_estimators, self.early_stopping_rounds, list(self.callbacks or ()))
        self.model_ = trainer.finish()
        return outcome

    def _keep(self, outcome: Outcome, data: RankingData, objective: Objective, measure: Measure) -> None:
        self.objective_, self.measure_ = objective, measure
        self.best_iteration_, self.best_score_ = outcome.best_round, outcome.best_value
        self.history_, self.init_score_, self.state_ = outcome.history, outcome.init_score, dict(outcome.state)
        self.n_features_in_, self.feature_names_ = data.n_features, data.feature_names

    def _features(self, X: Any) -> Any:
        self._require_fitted()
        return features_as_trained(X, self.feature_names_, type(self).__name__)
