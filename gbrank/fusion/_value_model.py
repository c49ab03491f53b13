"""`ValueModel`: the final score as a weighted sum, or product of powers, of the predictions of several tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import issparse

from .._checks import DataError, IntArray, ParameterError, check_choice
from .._registry import unknown
from ..data import RankingData
from ..rankers._ranks import ranks_in_queries
from ._json import JsonFile
from ._transforms import Transform, as_transforms

Vector = npt.NDArray[np.float64]
FORMS = ("sum", "product")
KEYS = ("weights", "transforms", "form")


@dataclass(frozen=True)
class ValueModel(JsonFile):
    r"""The final score as a weighted sum, or a product of powers, of task predictions.

    :math:`s = \sum_t w_t p_t`, or :math:`s = \prod_t p_t^{w_t}`, for transformed predictions :math:`p_t`.

    Parameters
    ----------
    weights : mapping of task name to float
        Finite, not all 0.
    transforms : mapping of task name to transform, optional
        What is done to the predictions first: a name of `TRANSFORMS` ("log1p", "rank", ...), a mapping of ``name`` and
        parameters ({"name": "clip", "low": 0, "high": 1}), or a list of these, the first applied first.
    form : {"sum", "product"}
        A product needs predictions above 0.

    Raises
    ------
    ParameterError
        No tasks, weights that are not finite or all 0, unknown transforms.

    Examples
    --------
    >>> from gbrank import RankingData, ValueModel
    >>> scores = RankingData([[0.2, 9.0], [0.4, 1.0]], [0, 0], qid=[7, 7], feature_names=["click", "dwell"])
    >>> model = ValueModel({"click": 1.0, "dwell": 0.1}, {"dwell": "log1p"})
    >>> model.score(scores).round(3).tolist(), model.rank(scores).tolist()
    ([0.43, 0.469], [2, 1])
    >>> ValueModel.from_json(model.to_json()) == model
    True
    """

    weights: Mapping[str, float]
    transforms: Mapping[str, tuple[Transform, ...]]
    form: str

    def __init__(
        self, weights: Mapping[str, float], transforms: Mapping[str, Any] | None = None, form: str = "sum"
    ) -> None:
        check_choice("form", form, FORMS)
        checked = _weights(weights)
        for task in transforms or {}:
            if task not in checked:
                raise unknown("task of transforms", task, checked)
        made = {task: as_transforms(task, (transforms or {}).get(task)) for task in checked}
        object.__setattr__(self, "weights", checked)
        object.__setattr__(self, "transforms", {task: each for task, each in made.items() if each})
        object.__setattr__(self, "form", form)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks."""
        return tuple(self.weights)

    def with_weights(self, weights: Mapping[str, float]) -> ValueModel:
        """Return the same model with other weights of the same tasks."""
        return ValueModel(weights, self.transforms, self.form)

    def predictions(self, scores: RankingData) -> npt.NDArray[np.float64]:
        """Return the transformed predictions, a column for each task.

        Parameters
        ----------
        scores : RankingData
            Predictions as features; the tasks are found by `feature_names`, and features of other names are no part
            of the model.

        Raises
        ------
        DataError
            A task that is not there, NaN, or a value that a transform or the form cannot use.
        """
        raw = _columns(scores, self.tasks)
        out = np.empty(raw.shape)
        for j, task in enumerate(self.tasks):
            out[:, j] = self._transformed(task, raw[:, j], scores.query_ptr)
        return out

    def _transformed(self, task: str, x: Vector, query_ptr: IntArray) -> Vector:
        try:
            for transform in self.transforms.get(task, ()):
                x = transform(x, query_ptr)
        except DataError as error:
            raise DataError(f"task {task!r}: {error}") from None
        right = np.isfinite(x) & (x > 0) if self.form == "product" else np.isfinite(x)
        if not right.all():
            row = int(np.argmin(right))
            needs = "a product of powers needs predictions above 0" if self.form == "product" else "it must be finite"
            raise DataError(f"task {task!r}: row {row} is {x[row]:g}; {needs}. Choose a transform, such as clip.")
        return x

    def terms(self, scores: RankingData) -> npt.NDArray[np.float64]:
        """Return what each task adds to the score, ``w_t p_t``, or to its logarithm, ``w_t log(p_t)``: a column each.

        See `predictions` for what is taken and refused.
        """
        p = self.predictions(scores)
        return np.asarray((np.log(p) if self.form == "product" else p) * np.array(list(self.weights.values())))

    def score(self, scores: RankingData) -> Vector:
        """Return the score of each document, in the order of the rows of `scores`; see `predictions`."""
        total = self.terms(scores).sum(axis=1)
        return np.asarray(np.exp(total) if self.form == "product" else total)

    def rank(self, scores: RankingData) -> IntArray:
        """Return the rank of each document in its query, from 1; ties share the better rank."""
        return ranks_in_queries(self.terms(scores).sum(axis=1), scores.qid)

    def contributions(self, scores: RankingData) -> pd.DataFrame:
        """Return what each task contributes to the order, a row for each query.

        A task's contribution is its share in the variance of the query's scores (of a product, of their logarithms):
        cov(term, score) / var(score), which sums to 1 over tasks.  It is negative for a task that on the whole works
        against the others, and NaN for a query whose scores are all equal.  The mean over queries is ``.mean()``.

        Examples
        --------
        >>> from gbrank import RankingData, ValueModel
        >>> scores = RankingData([[1.0, 0.0], [0.0, 2.0]], [0, 0], qid=["a", "a"], feature_names=["x", "y"])
        >>> ValueModel({"x": 3.0, "y": 1.0}).contributions(scores)
             x    y
        a  3.0 -2.0
        """
        terms, ptr = self.terms(scores), scores.query_ptr
        centred = terms - np.repeat(_means(terms, ptr), np.diff(ptr), axis=0)
        total = centred.sum(axis=1, keepdims=True)
        covariance, variance = np.add.reduceat(centred * total, ptr[:-1]), np.add.reduceat(total**2, ptr[:-1])
        level = np.add.reduceat((terms**2).sum(axis=1, keepdims=True), ptr[:-1])
        moved = variance > 1e-28 * level  # beyond rounding
        share = np.where(moved, covariance / np.where(moved, variance, 1.0), np.nan)
        return pd.DataFrame(share, index=pd.Index(scores.query_ids), columns=list(self.tasks))

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain content; `from_dict` reads it back."""
        transforms = {task: [each.to_dict() for each in chain] for task, chain in self.transforms.items()}
        return {"weights": dict(self.weights), "transforms": transforms, "form": self.form}

    @classmethod
    def from_dict(cls, content: Any) -> ValueModel:
        """Return the model that `to_dict` describes.

        Raises
        ------
        ParameterError
            No mapping of weights, or a key that is unknown.
        """
        if not isinstance(content, Mapping) or not isinstance(content.get("weights"), Mapping):
            raise ParameterError("value model: give {'weights': {task: weight}, 'transforms': .., 'form': ..}.")
        for key in content:
            if key not in KEYS:
                raise unknown("key of a value model", key, KEYS)
        transforms = content.get("transforms") or {}
        if not isinstance(transforms, Mapping):
            raise ParameterError(f"transforms: {transforms!r} is no mapping; give {{task: transform}}.")
        return cls(content["weights"], transforms, content.get("form", "sum"))


def require_model(model: Any) -> None:
    """Raise a `ParameterError` unless `model` is a `ValueModel`."""
    if not isinstance(model, ValueModel):
        raise ParameterError(f"model: give a ValueModel, not {type(model).__name__}.")


def _weights(weights: Any) -> dict[str, float]:
    if not isinstance(weights, Mapping) or not weights:
        raise ParameterError(f"weights: {weights!r} is no mapping of tasks; give {{task: weight}}.")
    for task, weight in weights.items():
        number = isinstance(weight, int | float | np.integer | np.floating) and not isinstance(weight, bool)
        if not isinstance(task, str) or not number or not np.isfinite(weight):
            raise ParameterError(f"weights: {task!r}: {weight!r}; give a finite number for the name of a task.")
    if not any(weights.values()):
        raise ParameterError("weights: all are 0, so all documents would be equal; give at least one another.")
    return {task: float(weight) for task, weight in weights.items()}


def _columns(scores: Any, tasks: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return the tasks' predictions, checked."""
    if not isinstance(scores, RankingData):
        raise DataError(f"scores: give a RankingData with a feature for each task, not {type(scores).__name__}.")
    names = list(scores.feature_names)
    missing = [task for task in tasks if task not in names]
    if missing:
        raise DataError(f"scores: no predictions of the task {missing[0]!r}; there are {', '.join(names[:20])}.")
    X = scores.X[:, [names.index(task) for task in tasks]]
    raw = np.asarray(X.toarray() if issparse(X) else X, dtype=np.float64)
    if np.isnan(raw).any():
        row, column = np.argwhere(np.isnan(raw))[0]
        raise DataError(
            f"task {tasks[column]!r}: row {row} (query {scores.qid[row]}) is NaN; every document needs a prediction "
            "of every task. Predict it, or leave the document out."
        )
    return raw


def _means(values: npt.NDArray[np.float64], query_ptr: IntArray) -> npt.NDArray[np.float64]:
    """Return the mean of each column in each query."""
    return np.asarray(np.add.reduceat(values, query_ptr[:-1]) / np.diff(query_ptr)[:, None])
