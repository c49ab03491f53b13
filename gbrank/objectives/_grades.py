"""Objectives that model the grade of a document: probabilities, not only ranks."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import ParameterError
from ._base import OBJECTIVES, Objective, State, Vector


@dataclass(frozen=True, repr=False)
class GradeObjective(Objective):
    """An objective from whose scores the probability of each grade follows.

    With two classes, grade 1 is "relevant" and grade 0 "not relevant".
    """

    @abstractmethod
    def probabilities(self, score: npt.NDArray[Any], state: State) -> Vector:
        """Return the probability of each grade, shape (n_documents, n_grades), from raw scores."""

    def above(self, score: npt.NDArray[Any], state: State) -> Vector:
        """Return P(grade > j) for j = 0, ..., n_grades - 2, shape (n_documents, n_grades - 1)."""
        p = self.probabilities(score, state)
        return np.asarray(np.cumsum(p[:, :0:-1], axis=1)[:, ::-1])


class NoProbabilitiesError(ParameterError, AttributeError):
    """The objective models no grades; an `AttributeError`, so that ``hasattr(ranker, "predict_proba")`` is False."""


def require_grades(objective: Objective, asked: str) -> GradeObjective:
    """Return the objective, of one label column the one within, if it models grades; else say which ones do."""
    objective, _ = objective.alone({})
    if isinstance(objective, GradeObjective):
        return objective
    able = [name for name in OBJECTIVES if issubclass(OBJECTIVES[name], GradeObjective)]
    raise NoProbabilitiesError(
        f"{asked}: the objective {objective.name!r} models no grades, so it has no probabilities of them; choose one "
        f"of {', '.join(able)}."
    )


def softmax(score: npt.NDArray[Any]) -> Vector:
    """Return the softmax of each row."""
    e = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def sigmoid(x: npt.NDArray[Any]) -> Vector:
    """Return 1 / (1 + exp(-x)), at any x."""
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


def log_odds(share: Any) -> Any:
    """Return the log-odds of a share, which is first kept away from 0 and 1 by 1e-6."""
    share = np.clip(share, 1e-6, 1 - 1e-6)
    return np.log(share) - np.log1p(-share)


def unfocused(log_p: npt.NDArray[Any], log_q: npt.NDArray[Any], gamma: float, weight: npt.NDArray[Any]) -> Vector:
    r"""Return the class probabilities at which a focal loss is least for given outputs.

    A focal loss with class weights w does not bring its outputs p to the probabilities of the classes, but to those
    :math:`\eta` with :math:`\eta_c \propto p_c / (w_c (1 - p_c)^{\gamma - 1} (1 - p_c - \gamma p_c \log p_c))`.

    Parameters
    ----------
    log_p, log_q : arrays of shape (n_documents, n_classes)
        Logarithms of p and of 1 - p.
    gamma : float
    weight : array of shape (n_classes,)

    References
    ----------
    Charoenphakdee, Vongkulbhisal, Chairatanakonkul and Sugiyama, "On Focal Loss for Class-Posterior Probability
    Estimation", CVPR 2021.
    """
    # Of q^gamma (1 - gamma p log p / q), the second factor lies between 1 and 1 + gamma.
    ratio = np.where(log_q < -30, -1.0, np.exp(log_p) * log_p / np.maximum(np.exp(log_q), 1e-13))
    return softmax(log_p - np.log(weight) - gamma * np.maximum(log_q, -700.0) - np.log1p(-gamma * ratio))
