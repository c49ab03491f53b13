"""Maps from a ranker's score to a probability, and how each is fitted to held-out scores.

A calibrator is a frozen dataclass of plain arrays and numbers: it compares, pickles and is saved as what it is.
Called with scores it returns probabilities, never falling as scores rise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from .._checks import DataError, IntArray

Vector = npt.NDArray[np.float64]
FAR = 700.0  # scores are cut here, in standard deviations, where exp would overflow


class Calibrator:
    """A map from scores to probabilities, made of numbers and arrays alone."""

    def __call__(self, score: Vector) -> Vector:
        """Return the probability of each score."""
        raise NotImplementedError

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Return the calibrator of these fields, of which numbers are arrays without dimensions."""
        return cls(**{name: value if value.ndim else float(value) for name, value in arrays.items()})


@dataclass(frozen=True)
class Constant(Calibrator):
    """The same probability for all, where held-out documents were all above a grade or all below."""

    p: float

    def __call__(self, score: Vector) -> Vector:
        return np.full(len(score), self.p)


@dataclass(frozen=True)
class Platt(Calibrator):
    """1 / (1 + exp(-(slope * score + bias))).

    References
    ----------
    Platt, "Probabilistic Outputs for Support Vector Machines", 1999: its targets (n1 + 1) / (n1 + 2) and
    1 / (n0 + 2) in the place of 1 and 0 keep separable scores from infinite slopes.
    """

    slope: float
    bias: float

    @classmethod
    def fit(cls, score: Vector, target: Vector, weight: Vector) -> Platt:
        """Fit by maximum likelihood, with a slope that is not negative."""
        center, spread = _scale(score, weight)
        ones, zeros = weight[target == 1].sum(), weight[target == 0].sum()
        soft = np.where(target == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
        (slope,), bias = _logistic(((score - center) / spread)[:, None], soft, weight)
        slope = float(slope / spread)
        return cls(slope, bias - slope * center)

    def __call__(self, score: Vector) -> Vector:
        return np.asarray(expit(self.slope * score + self.bias))


@dataclass(frozen=True)
class Beta(Calibrator):
    """1 / (1 + exp(-(a ln p - b ln(1 - p) + bias))) of p = 1 / (1 + exp(-(score - center) / spread)).

    References
    ----------
    Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017; scores become p by the logistic function of their
    standardised values.
    """

    a: float
    b: float
    bias: float
    center: float
    spread: float

    @classmethod
    def fit(cls, score: Vector, target: Vector, weight: Vector) -> Beta:
        """Fit by maximum likelihood; a coefficient that would be negative is left out, as the paper does."""
        center, spread = _scale(score, weight)
        (a, b), bias = _logistic(_logs((score - center) / spread), target, weight)
        return cls(float(a), float(b), bias, center, spread)

    def __call__(self, score: Vector) -> Vector:
        return np.asarray(expit(_logs((score - self.center) / self.spread) @ [self.a, self.b] + self.bias))


@dataclass(frozen=True, eq=False)
class Isotonic(Calibrator):
    """Straight lines between the points (x, y), flat beyond them; y never falls."""

    x: Vector
    y: Vector

    @classmethod
    def fit(cls, score: Vector, target: Vector, weight: Vector) -> Isotonic:
        """Fit by least squares among functions that never fall."""
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(score, target, sample_weight=weight)
        return cls(np.asarray(fitted.X_thresholds_, np.float64), np.asarray(fitted.y_thresholds_, np.float64))

    def __call__(self, score: Vector) -> Vector:
        return np.interp(score, self.x, self.y)


METHODS: dict[str, Any] = {"platt": Platt.fit, "beta": Beta.fit, "isotonic": Isotonic.fit}
CALIBRATORS: dict[str, type[Calibrator]] = {each.__name__: each for each in (Constant, Platt, Beta, Isotonic)}


def fit_above(method: str, score: Vector, y: IntArray, weight: Vector) -> tuple[Any, ...]:
    """Return the calibrators of P(y > 0), P(y > 1), ... up to the highest grade.

    Raises
    ------
    DataError
        All labels are alike.
    """
    used = weight > 0
    score, y, weight = score[used], y[used], weight[used]
    if len(y) == 0 or y.min() == y.max():
        raise DataError(f"y: there is only the grade {y[0] if len(y) else '(none)'}, so nothing can be calibrated.")
    return tuple(_fit_one(method, score, (y > grade).astype(np.float64), weight) for grade in range(int(y.max())))


def _fit_one(method: str, score: Vector, target: Vector, weight: Vector) -> Any:
    if target.min() == target.max():
        return Constant(float(target[0]))
    if score.min() == score.max():
        return Constant(float(np.average(target, weights=weight)))
    return METHODS[method](score, target, weight)


def above(calibrators: tuple[Any, ...], score: Vector) -> npt.NDArray[np.float64]:
    """Return P(y > j) in column j, made to fall along a row where curves fitted apart cross."""
    columns = np.column_stack([each(score) for each in calibrators])
    return np.asarray(np.minimum.accumulate(columns, axis=1))


def fit_temperature(score: Vector, target: Vector, query_ptr: IntArray, query_weight: Vector) -> float:
    """Return the T that makes softmax(score / T) of each query most likely to choose by its targets.

    Each query counts the cross-entropy of its targets, divided by their sum; queries without targets say nothing.
    """
    starts = query_ptr[:-1]
    total = np.add.reduceat(target, starts)
    share = target * np.repeat(query_weight / np.where(total > 0, total, 1.0), np.diff(query_ptr))
    # T is sought in units of the scores' spread within queries.
    spread = float(np.sqrt(np.mean((score - np.repeat(_means(score, query_ptr), np.diff(query_ptr))) ** 2)))
    if share.sum() <= 0 or spread == 0:
        raise DataError("a temperature needs a query with a relevant document, and scores that differ within queries.")

    def loss(log_t: float) -> float:
        return -float(share @ log_softmax(score / (spread * np.exp(log_t)), query_ptr))

    return spread * float(np.exp(minimize_scalar(loss, bounds=(-8.0, 8.0), method="bounded").x))


def log_softmax(score: Vector, query_ptr: IntArray) -> Vector:
    """Return each document's log-probability of being chosen among those of its query."""
    starts, sizes = query_ptr[:-1], np.diff(query_ptr)
    shifted = score - np.repeat(np.maximum.reduceat(score, starts), sizes)
    return np.asarray(shifted - np.repeat(np.log(np.add.reduceat(np.exp(shifted), starts)), sizes))


def _means(score: Vector, query_ptr: IntArray) -> Vector:
    return np.asarray(np.add.reduceat(score, query_ptr[:-1]) / np.diff(query_ptr))


def _scale(score: Vector, weight: Vector) -> tuple[float, float]:
    center = float(np.average(score, weights=weight))
    return center, float(np.sqrt(np.average((score - center) ** 2, weights=weight)))


def _logs(z: Vector) -> npt.NDArray[np.float64]:
    """Return ln p and -ln(1 - p) of p = 1 / (1 + exp(-z))."""
    z = np.clip(z, -FAR, FAR)
    return np.column_stack([-np.logaddexp(0, -z), np.logaddexp(0, z)])


def _logistic(features: npt.NDArray[np.float64], target: Vector, weight: Vector) -> tuple[Vector, float]:
    """Return coefficients, none negative, and intercept of the logistic regression of targets from 0 to 1."""
    both = np.vstack([features, features])
    labels = np.repeat([1, 0], len(target))
    weights = np.concatenate([weight * target, weight * (1 - target)])
    coefficients, kept = np.zeros(features.shape[1]), list(range(features.shape[1]))
    while kept:
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
        model.fit(both[:, kept], labels, sample_weight=weights)
        if model.coef_.min() >= 0:
            coefficients[kept] = model.coef_[0]
            return coefficients, float(model.intercept_[0])
        del kept[int(np.argmin(model.coef_[0]))]
    share = float(np.average(target, weights=weight))
    return coefficients, float(np.log(share / (1 - share)))
