"""`CalibratedRanker`: a ranker whose scores are turned into probabilities that mean what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import available_if

from .._checks import IntArray, ParameterError, check_choice, whole_grades
from .._groups import group_rows
from ..data import RankingData
from ._calibrators import CALIBRATORS, METHODS, Vector, above, fit_above, fit_temperature, log_softmax
from ._composite import Arrays, CompositeRanker, require_takes_data
from ._grades import grade_values
from ._parts import folds
from ._ranker import GBRanker
from ._ranks import query_ids


class HeldOut(NamedTuple):
    """Scores of documents whose query the scoring model was not trained on, and what they are held against."""

    score: Vector
    y: IntArray
    weight: Vector
    query_ptr: IntArray


def _of_grades(ranker: CalibratedRanker) -> bool:
    if ranker.method == "softmax":
        raise AttributeError("method='softmax' gives the probability of a choice, see predict_choice, not of grades.")
    return True


def _of_choice(ranker: CalibratedRanker) -> bool:
    if ranker.method != "softmax":
        raise AttributeError(
            f"method={ranker.method!r} gives probabilities of grades; choose 'softmax' for a choice's."
        )
    return True


def _grades_only(method: Callable[..., Any]) -> Any:
    return available_if(_of_grades)(method)


def _choice_only(method: Callable[..., Any]) -> Any:
    return available_if(_of_choice)(method)


class CalibratedRanker(CompositeRanker, BaseEstimator):  # type: ignore[misc]
    """Probabilities of grades, or of being chosen, from the scores of any ranker.

    Scores of held-out queries are collected by folds of whole queries; on them a curve is fitted for each P(y > grade),
    or one temperature.  The ranker is then trained on all data.

    Parameters
    ----------
    ranker : GBRanker, optional
        What is trained and calibrated; ``GBRanker()`` by default.  It is cloned, unless ``cv="prefit"``.
    method : {"platt", "isotonic", "beta", "softmax"}
        ``platt`` a logistic curve; ``isotonic`` any curve that does not fall, which needs some thousand documents;
        ``beta`` the three parameters of Kull et al. (AISTATS 2017); ``softmax`` exp(score / T) divided by its sum over
        the query's documents, with the temperature T of the highest likelihood.
    cv : int, splitter, iterable of (rows to train on, rows to leave out), or "prefit"
        Number of query folds, or other folds, none of which may cut a query; ``prefit`` takes the ranker as it is,
        fitted on other queries, and calibrates it on the data given to `fit`.
    values : sequence or mapping, optional
        The value of each grade, as in `expected_value`.  With them `predict` returns the expected value.  Where values
        rise with grades this leaves the order as it is, for all curves rise with one score: it puts a scale on scores,
        to be weighed against costs.  See the page "What a score means" of the documentation.

    Attributes
    ----------
    ranker_ : GBRanker
        Trained on all data.
    calibrators_ : tuple
        The curve of P(y > 0), P(y > 1), ...; empty with ``softmax``.
    temperature_ : float
        Only with ``softmax``.
    n_features_in_ : int
    feature_names_ : tuple of str

    Notes
    -----
    A document's weight in fitting a curve is its own times its query's.  Curves fitted apart may cross; P(y > j) is
    then the lowest of those up to j.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(60, n_features=10, random_state=0)
    >>> ranker = CalibratedRanker(gbrank.GBRanker(n_estimators=20), cv=3).fit(data)
    >>> p = ranker.predict_proba(data)
    >>> p.shape[1], bool(np.allclose(p.sum(axis=1), 1))
    (5, True)
    """

    def __init__(
        self,
        ranker: GBRanker | None = None,
        *,
        method: str = "platt",
        cv: Any = 5,
        values: Sequence[float] | Mapping[int, float] | None = None,
    ) -> None:
        self.ranker = ranker
        self.method = method
        self.cv = cv
        self.values = values

    def _train(self, data: RankingData, given: IntArray | None) -> None:
        check_choice("method", self.method, (*METHODS, "softmax"))
        if self.values is not None and self.method == "softmax":
            raise ParameterError("values: need probabilities of grades, which method='softmax' does not give.")
        ranker = GBRanker() if self.ranker is None else self.ranker
        require_takes_data("ranker", ranker)
        held_out = self._held_out(ranker, data, given)
        self.ranker_ = ranker if self._prefit() else clone(ranker).fit(data)
        self.calibrators_: tuple[Any, ...] = ()
        if self.method == "softmax":
            starts, target = held_out.query_ptr[:-1], np.exp2(held_out.y) - 1.0
            by_query = np.maximum.reduceat(held_out.weight, starts)
            self.temperature_ = fit_temperature(held_out.score, target, held_out.query_ptr, by_query)
        else:
            self.calibrators_ = fit_above(self.method, held_out.score, held_out.y, held_out.weight)

    def _prefit(self) -> bool:
        if isinstance(self.cv, str) and self.cv != "prefit":
            raise ParameterError(f"cv={self.cv!r}: give a number of query folds, a splitter, or 'prefit'.")
        return isinstance(self.cv, str)

    def _held_out(self, ranker: Any, data: RankingData, given: IntArray | None = None) -> HeldOut:
        if self._prefit():
            parts = [(ranker.predict(data), data)]
        else:
            parts = [
                (clone(ranker).fit(fold.train).predict(fold.test), fold.test)
                for fold in folds(data, self.cv, given=given)
            ]
        return HeldOut(
            np.concatenate([score for score, _ in parts]),
            np.concatenate([whole_grades(part.y, "calibration") for _, part in parts]),
            np.concatenate([_weights(part) for _, part in parts]),
            np.concatenate([[0], np.cumsum(np.concatenate([part.query_sizes for _, part in parts]))]),
        )

    def _parts(self) -> dict[str, Any]:
        return {"ranker": self.ranker_}

    def _told(self) -> dict[str, Any]:
        values: Any = self.values
        if isinstance(values, Mapping):  # pairs, for the keys of JSON are text
            values = {"pairs": [[int(grade), np.asarray(value).item()] for grade, value in values.items()]}
        elif values is not None:
            values = np.asarray(values).tolist()
        return {
            "params": {"method": self.method, "cv": self._told_cv(), "values": values},
            "default_ranker": self.ranker is None,
            "calibrators": [type(each).__name__ for each in self.calibrators_],
            "temperature": float(self.temperature_) if self.method == "softmax" else None,
        }

    def _arrays(self) -> Arrays:
        return {
            f"calibrators/{number}/{name}": np.asarray(value, np.float64)
            for number, each in enumerate(self.calibrators_)
            for name, value in vars(each).items()
        }

    @classmethod
    def _retold(cls, told: Mapping[str, Any], arrays: Arrays, parts: Mapping[str, Any]) -> Self:
        params, fitted = dict(told["params"]), parts["ranker"]
        if isinstance(params["values"], Mapping):
            params["values"] = dict(params["values"]["pairs"])
        spec = None if told["default_ranker"] else fitted if params["cv"] == "prefit" else clone(fitted)
        ranker = cls(spec, **params)
        ranker.ranker_ = fitted
        ranker.calibrators_ = tuple(
            CALIBRATORS[kind].of_arrays(
                {
                    name.rpartition("/")[2]: value
                    for name, value in arrays.items()
                    if name.startswith(f"calibrators/{number}/")
                }
            )
            for number, kind in enumerate(told["calibrators"])
        )
        if ranker.method == "softmax":
            ranker.temperature_ = told["temperature"]
        return ranker

    def predict(self, X: Any) -> Vector:
        """Return the ranker's score of each document; with `values`, its expected value."""
        self._require_fitted()
        if self.values is not None:
            return np.asarray(self.expected_value(X, self.values))
        return np.asarray(self.ranker_.predict(X))

    @_grades_only
    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the probability of each grade, shape (n_documents, n_grades), in the order of the rows of `X`."""
        exceeds = self.predict_above(X)
        edges = np.column_stack([np.ones(len(exceeds)), exceeds, np.zeros(len(exceeds))])
        return np.asarray(edges[:, :-1] - edges[:, 1:])

    @_grades_only
    def predict_above(self, X: Any) -> npt.NDArray[np.float64]:
        """Return P(grade > j) in column j, shape (n_documents, n_grades - 1)."""
        self._require_fitted()
        return above(self.calibrators_, self.ranker_.predict(X))

    @_grades_only
    def expected_value(self, X: Any, values: Sequence[float] | Mapping[int, float] | None = None) -> Vector:
        """Return the expected value of each document; of the grade itself by default, see `GBRanker.expected_value`."""
        p = self.predict_proba(X)
        worth = np.arange(p.shape[1], dtype=float) if values is None else grade_values(values, p.shape[1])
        return np.asarray(p @ worth)

    @_choice_only
    def predict_choice(self, X: Any, qid: npt.ArrayLike | None = None) -> Vector:
        """Return the probability that each document is chosen among those of its query; only with ``softmax``.

        Parameters
        ----------
        X : RankingData, or array-like of shape (n_documents, n_features) with `qid`
        """
        self._require_fitted()
        groups = group_rows(query_ids(X, qid))
        score = np.asarray(self.ranker_.predict(X)) / self.temperature_
        p = np.empty(len(score))
        p[groups.order] = np.exp(log_softmax(score[groups.order], groups.query_ptr))
        return p


def _weights(data: RankingData) -> Vector:
    weight = np.ones(data.n_documents) if data.sample_weight is None else data.sample_weight
    return weight if data.query_weight is None else weight * np.repeat(data.query_weight, data.query_sizes)
