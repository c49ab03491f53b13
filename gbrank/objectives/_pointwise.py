"""Regression of the label: losses of the difference of score and label.

Robust losses bend less the farther a document lies from its label, and a Newton step by the second derivative then
leaps: far documents have a slope but no curvature.  In its place they use the curvature :math:`L'(d) / d` of the
parabola that touches the loss at the difference d, has its apex at 0 and lies nowhere below the loss.  With it a step
never raises the loss, and a leaf of far documents arrives as fast as by squared error.  At d = 0 it is the second
derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import check_positive
from ._base import OBJECTIVES, Bound, Labelled, Objective, require_varied, single_labels
from ._frames.points import PointBound, best_constant, mean_label


def squared(y: Any, s: Any) -> Any:
    """Half the squared error."""
    return 0.5 * (s - y) ** 2, s - y, 1.0


def huber(y: Any, s: Any, delta: Any) -> Any:
    """Huber loss, and the curvature of the parabola above it."""
    d = s - y
    size = np.abs(d)
    near = np.minimum(size, delta)
    return near * (size - 0.5 * near), np.where(d < 0.0, -near, near), delta / np.maximum(size, delta)


def log_cosh(y: Any, s: Any) -> Any:
    """Logarithm of the hyperbolic cosine, and the curvature of the parabola above it."""
    d = s - y
    size = np.abs(d)
    slope = np.tanh(d)
    curvature = np.where(size < 1e-5, 1.0, slope / np.where(size < 1e-5, 1.0, d))
    # log cosh d cancels near 0, where it is d^2/2 - d^4/12.
    value = np.where(size < 1e-2, d * d * (0.5 - d * d / 12.0), size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0))
    return value, slope, curvature


@OBJECTIVES.add("mse", "l2", "regression")
@dataclass(frozen=True, repr=False)
class SquaredError(Objective):
    r"""Squared error of the label: :math:`L = \sum_i (s_i - y_i)^2 / 2`.

    Boosting starts from the weighted mean label.

    References
    ----------
    Cossock and Zhang, "Subset Ranking Using Regression", COLT 2006.
    """

    name: ClassVar[str] = "mse"
    pointwise: ClassVar[bool] = True

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_varied(y, self.name)
        return PointBound(squared, (), y, data, engine, n_jobs, mean_label)


@OBJECTIVES.add("huber")
@dataclass(frozen=True, repr=False)
class Huber(Objective):
    r"""Huber loss: squared error near the label, absolute error far from it.

    With :math:`d = s - y`, :math:`L = \sum_i \ell(d_i)` for :math:`\ell(d) = d^2 / 2` where :math:`|d| \le \delta`,
    and :math:`\delta (|d| - \delta / 2)` beyond.  For the second derivative, which is 0 beyond delta, stands the
    curvature :math:`\min(1, \delta / |d|)` of the parabola above the loss.  Boosting starts from the best constant.

    Parameters
    ----------
    delta : float
        The difference up to which the error is squared, in units of the label.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964; for the curvature
    ("modified weights") Huber, "Robust Statistics", 1981, section 7.8.
    """

    name: ClassVar[str] = "huber"
    pointwise: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    delta: float = 1.0

    def __post_init__(self) -> None:
        check_positive("delta", self.delta)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_varied(y, self.name)
        params = (float(self.delta),)
        return PointBound(huber, params, y, data, engine, n_jobs, best_constant(huber, params))


@OBJECTIVES.add("log_cosh", "logcosh")
@dataclass(frozen=True, repr=False)
class LogCosh(Objective):
    r"""Log-cosh loss, a smooth relative of Huber's: :math:`L = \sum_i \log \cosh(s_i - y_i)`.

    With :math:`d = s - y`, for the second derivative :math:`1 - \tanh^2 d`, which vanishes far from the label, stands
    the curvature :math:`\tanh(d) / d` of the parabola above the loss.  Boosting starts from the best constant.

    References
    ----------
    Green, "Bayesian Reconstructions from Emission Tomography Data Using a Modified EM Algorithm", IEEE Transactions on
    Medical Imaging 9, 1990.
    """

    name: ClassVar[str] = "log_cosh"
    pointwise: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_varied(y, self.name)
        return PointBound(log_cosh, (), y, data, engine, n_jobs, best_constant(log_cosh, ()))
