"""What a ranker predicts beside ranks: probabilities of grades, expected values, quantiles."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import ParameterError, as_vector
from ..objectives import NoProbabilitiesError, Objective, Quantile, require_grades

Array = npt.NDArray[np.float64]


def require_quantiles(objective: Objective, asked: str) -> Quantile:
    """Return the objective if it models quantiles; otherwise say which one does."""
    objective, _ = objective.alone({})
    if isinstance(objective, Quantile):
        return objective
    raise NoProbabilitiesError(f"{asked}: the objective {objective.name!r} models no quantiles; choose 'quantile'.")


class OnlyFor:
    """A method that a ranker has only with some objectives.

    With others, asking for it raises what `require` raises, an `AttributeError` that names those objectives; so
    ``hasattr`` and scikit-learn see no such method.
    """

    def __init__(self, require: Callable[[Objective, str], Any]) -> None:
        self.require = require

    def __call__(self, method: Callable[..., Any]) -> OnlyFor:
        """Take the method; the decorator becomes what stands in the class."""
        self.method = method
        functools.update_wrapper(self, method)
        return self

    def __get__(self, ranker: Any, owner: Any = None) -> Any:
        """Return the bound method if the ranker's objective allows."""
        if ranker is None:
            return self.method
        try:
            objective = ranker.objective_ if hasattr(ranker, "objective_") else ranker._objective()
        except ParameterError as error:  # no objective, no method
            raise NoProbabilitiesError(str(error)) from None
        self.require(objective, self.method.__name__)
        return types.MethodType(self.method, ranker)


class GradePredictions:
    """Predictions of grades and quantiles, from raw scores."""

    objective_: Any
    state_: Mapping[str, npt.NDArray[Any]]

    def _raw(self, X: Any) -> Array:
        raise NotImplementedError

    def _modelled(self, X: Any) -> tuple[Array, Any, Mapping[str, Array]]:
        """Return the outputs of the model, and the objective and the state that they belong to."""
        return self._raw(X), *self.objective_.alone(self.state_)

    @OnlyFor(require_grades)
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each grade, shape (n_documents, n_grades), in the order of the rows of `X`.

        Column c is grade c, up to the highest grade of the training labels.  For objectives that tell relevant
        documents from others (cross_entropy, focal, brier) the columns are "not relevant" and "relevant".  Other
        objectives have no such method.
        """
        raw, objective, state = self._modelled(X)
        return np.asarray(objective.probabilities(raw, state))

    @OnlyFor(require_grades)
    def predict_above(self, X: Any) -> Array:
        """Return P(grade > j) in column j, shape (n_documents, n_grades - 1); see `predict_proba`."""
        raw, objective, state = self._modelled(X)
        return np.asarray(objective.above(raw, state))

    @OnlyFor(require_grades)
    def expected_value(self, X: Any, values: Sequence[float] | Mapping[int, float]) -> Array:
        """Return the expected value of each document, shape (n_documents,), where each grade has a value.

        Parameters
        ----------
        X : RankingData or array of shape (n_documents, n_features)
        values : sequence or mapping
            The value of each grade from 0: ``[0, 1, 2, 3, 4]``, or ``{0: 0.0, 1: 0.1, 2: 0.5, 3: 2.0, 4: 25.0}`` for no
            action, a click, a long stay, a full cart and a purchase.  Grades above all training labels do not count.
            Binary objectives have two: of what is not relevant, and of what is.

        Raises
        ------
        ParameterError
            A grade has no value, or one that is not a finite number; more than two values of a binary objective.

        Examples
        --------
        >>> import gbrank
        >>> data = gbrank.RankingData([[0.0], [1.0]] * 40, [0, 2, 0, 1] * 20, qid=[i // 4 for i in range(80)])
        >>> ranker = gbrank.GBRanker("mcrank", n_estimators=200).fit(data)
        >>> ranker.predict_proba([[0.0], [1.0]]).round(2).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]
        >>> ranker.expected_value([[0.0], [1.0]], {0: 0.0, 1: 10.0, 2: 30.0}).round(1).tolist()
        [0.0, 20.0]
        """
        raw, objective, state = self._modelled(X)
        p = objective.probabilities(raw, state)
        if hasattr(objective, "relevant_from") and len(values) != 2:
            raise ParameterError(
                f"values: {len(values)}, where {objective.name} tells only relevant from not; give the values of "
                "these two, or train an objective of grades, such as 'ordinal' or 'mcrank'."
            )
        return np.asarray(p @ grade_values(values, p.shape[1]))

    @OnlyFor(require_quantiles)
    def predict_quantiles(self, X: Any) -> Array:
        """Return the quantiles of the label, shape (n_documents, n_quantiles); only with the objective "quantile".

        Columns are in the order of the objective's `alpha`; with its ``sorted_quantiles=True`` they never cross.
        """
        raw, objective, state = self._modelled(X)
        return np.asarray(objective.quantiles(raw, state), dtype=np.float64)


def grade_values(values: Sequence[float] | Mapping[int, float], n_grades: int) -> Array:
    """Return the values of the grades 0, ..., n_grades - 1."""
    if isinstance(values, Mapping):
        missing = [grade for grade in range(n_grades) if grade not in values]
        if missing:
            raise ParameterError(f"values: grade {missing[0]} has none; give one for each grade to {n_grades - 1}.")
        values = [values[grade] for grade in range(n_grades)]
    if len(values) < n_grades:
        raise ParameterError(
            f"values: {len(values)} for {n_grades} grades; give one for each grade from 0 to {n_grades - 1}."
        )
    try:
        return as_vector("values", values)[:n_grades]
    except ValueError as error:
        raise ParameterError(str(error)) from None
