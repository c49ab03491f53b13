"""Ordinal regression: one score, and thresholds that cut it into grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import check_whole, whole_grades
from ._base import OBJECTIVES, Bound, Labelled, Objective, State, Vector, require_varied, single_labels
from ._point_engine import PointBound

NEWTON_STEPS = 20


def all_threshold(y: Any, s: Any, thresholds: Any) -> Any:
    """Sum over all thresholds of the logistic loss of lying on the right side of each."""
    value = 0.0 * s
    gradient = 0.0 * s - y
    hessian = 0.0 * s
    for k in range(len(thresholds)):
        above = s - thresholds[k]
        p = 1.0 / (1.0 + np.exp(-above))
        value = value + np.logaddexp(0.0, np.where(y > k, -above, above))
        gradient = gradient + p
        hessian = hessian + p * (1.0 - p)
    return value, gradient, hessian


@OBJECTIVES.add("ordinal")
@dataclass(frozen=True)
class Ordinal(Objective):
    r"""All-threshold ordinal regression with logistic losses.

    For grades 0, ..., K - 1 and thresholds :math:`\theta_0 \le ... \le \theta_{K-2}`,
    :math:`L = \sum_i \sum_k \log(1 + e^{-S_{ik} (s_i - \theta_k)})` with :math:`S_{ik} = 1` if :math:`y_i > k`, else
    -1.  So :math:`\sigma(s - \theta_k)` models P(y > k).  Convex in the scores; for given scores the thresholds are
    K - 1 separate convex problems, solved by Newton steps every `refit_every` rounds.  The score itself ranks: the
    expected grade grows with it.

    Parameters
    ----------
    refit_every : int
        Rounds between two fits of the thresholds.

    References
    ----------
    Rennie and Srebro, "Loss Functions for Preference Levels", IJCAI workshop 2005, section 4.2.
    """

    name: ClassVar[str] = "ordinal"
    refit_every: int = 1

    def __post_init__(self) -> None:
        check_whole("refit_every", self.refit_every)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        grades = whole_grades(single_labels(data, self.name), "the objective ordinal", highest=100)
        require_varied(grades, self.name)
        return OrdinalBound(self.refit_every, grades.astype(np.float64), data, engine, n_jobs)

    def expected_grade(self, score: npt.NDArray[Any], state: State) -> Vector:
        r"""Return :math:`\sum_k \sigma(s - \theta_k)` for each document."""
        return np.asarray((1 / (1 + np.exp(state["thresholds"] - score[:, None]))).sum(axis=1))


class OrdinalBound(PointBound):
    """Holds the thresholds, and fits them again as the scores move."""

    def __init__(self, refit_every: int, y: Vector, data: Labelled, engine: str, n_jobs: int | None) -> None:
        n_thresholds = int(y.max())
        super().__init__(all_threshold, (np.zeros(n_thresholds),), y, data, engine, n_jobs)
        self.refit_every, self.rounds = refit_every, 0
        above = np.array([np.average(y > k, weights=self.weight) for k in range(n_thresholds)])
        # Where no or every document lies above, the best threshold is infinite; the clip keeps it finite.
        above = np.clip(above, 1e-6, 1 - 1e-6)
        self.params = (np.log1p(-above) - np.log(above),)

    @property
    def thresholds(self) -> Vector:
        """The thresholds in force, never falling."""
        return np.asarray(self.params[0])

    def end_round(self, score: npt.NDArray[Any]) -> None:
        self.rounds += 1
        if self.rounds % self.refit_every == 0:
            self.params = (fit_thresholds(self.y, score, self.thresholds, self.weight),)

    def state(self) -> State:
        return {"thresholds": self.thresholds}


def fit_thresholds(y: Vector, score: Vector, start: Vector, weight: Vector | None) -> Vector:
    r"""Return the thresholds that minimise the all-threshold loss of fixed scores.

    Each solves :math:`\sum_i w_i \sigma(s_i - \theta_k) = \sum_i w_i [y_i > k]` by Newton's method with a step of at
    most 1 (the left side falls with the threshold, so the iteration cannot leave the basin).
    """
    w = np.ones(len(y)) if weight is None else weight
    fitted = start.copy()
    for k in range(len(start)):
        above = np.dot(w, y > k)
        if not 0 < above < w.sum():
            continue
        for _ in range(NEWTON_STEPS):
            p = 1 / (1 + np.exp(fitted[k] - score))
            step = np.clip((np.dot(w, p) - above) / max(np.dot(w, p * (1 - p)), 1e-12), -1.0, 1.0)
            fitted[k] += step
            if abs(step) < 1e-6:
                break
    return np.asarray(np.maximum.accumulate(fitted))
