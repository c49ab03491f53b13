"""Losses of labels that are estimates of relevance: right in the mean, each by itself any number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ._base import OBJECTIVES, Bound, Labelled, single_labels
from ._frames.two_labels import bind_linear, require_linear
from ._frames.wrapped import Wrapped


@OBJECTIVES.add("estimated_relevance", "relevance_estimates")
@dataclass(frozen=True, repr=False)
class EstimatedRelevance(Wrapped):
    r"""Labels that are unbiased estimates of relevance, such as those of `gbrank.clicks.corrected_labels`.

    An estimate r may be negative or above 1.  Of a pointwise loss :math:`\ell`, :math:`L = \sum_i r_i\, \ell(1, s_i) +
    (1 - r_i)\, \ell(0, s_i)`; of `Softmax`, r is the gain.  Either is linear in r, so its expectation is the base's
    loss of the relevance that is estimated, and the mean of many labels does for all of them.  For labels 0 and 1, and
    pointwise objectives that take labels for probabilities between, it is the base itself.  Where r is outside 0 to 1,
    the loss may have no least value, and hessians are at least a twentieth of the gradient, as in `AffineCorrection`.

    Parameters
    ----------
    base : Objective
        A pointwise objective of one output that fits nothing beside the trees, or `Softmax`; also by name or table.

    References
    ----------
    Oosterhuis and de Rijke, "Policy-Aware Unbiased Learning to Rank for Top-k Rankings", SIGIR 2020, section 3.

    Examples
    --------
    >>> EstimatedRelevance("softmax").gradient_hessian([1.5, -0.5], [0, 0], [0, 2])[0].tolist()
    [-1.0, 1.0]
    """

    name: ClassVar[str] = "estimated_relevance"
    exact_hessian: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_linear(self)
        object.__setattr__(self, "exact_hessian", False)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        r = single_labels(data, self.name)
        return bind_linear(self.base, np.where(r == 0, 0.0, 1.0), np.where(r == 0, 1.0, r), data, engine, n_jobs)
