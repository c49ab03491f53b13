"""Pairwise losses and the lambda-weighted ones made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import DataError, ParameterError, check_choice, check_positive, check_whole
from . import _margins
from ._base import OBJECTIVES, Bound, Labelled, Vector, single_labels
from ._classification import focal_of_margin, focal_of_margin_squared
from ._frames.gains import stopping_probability, worth_of_labels
from ._frames.lambda_weights import WEIGHTS
from ._frames.pair_lists import OfRatio, Phi, ValueOfRatio
from ._frames.pairs import PairBound, PairFrame
from ._frames.preferences import PreferenceBound, given_pairs
from ._frames.stabilisers import PairNormed, Ranked


def logistic(d: Any, sigmoid: Any) -> Any:
    """Logistic loss of the margin: log(1 + exp(-sigmoid d))."""
    p = 1.0 / (1.0 + np.exp(sigmoid * d))  # probability that the pair is in the wrong order
    return np.logaddexp(0.0, -sigmoid * d), -sigmoid * p, sigmoid * sigmoid * p * (1.0 - p)


def undecided(d: Any, sigmoid: Any) -> Any:
    """Logistic loss of a pair whose order is as likely as the reverse: half of both."""
    z = sigmoid * d
    p = 1.0 / (1.0 + np.exp(-z))
    return np.logaddexp(0.0, -z) + 0.5 * z, sigmoid * (p - 0.5), sigmoid * sigmoid * p * (1.0 - p)


def hinge(d: Any, margin: Any) -> Any:
    """Hinge loss of the margin; its second derivative is 0, and 1 stands in for it where the pair is not settled."""
    short = np.where(d < margin, 1.0, 0.0)
    return short * (margin - d), -short, short


def exponential(d: Any) -> Any:
    """Exponential loss of the margin; a straight line below -30."""
    inside = np.maximum(d, -30.0)
    e = np.exp(-inside)
    return e * (1.0 + inside - d), -e, e


def focal(d: Any, gamma: Any, sigmoid: Any) -> Any:
    """Focal loss of the margin: the logistic loss times q^gamma, q being the probability of the wrong order."""
    value, first, second = focal_of_margin(sigmoid * d, gamma)
    return value, sigmoid * first, sigmoid * sigmoid * np.maximum(second, 0.0)


def focal_squared(d: Any, gamma: Any, sigmoid: Any) -> Any:
    """`focal` for a gamma of 2."""
    value, first, second = focal_of_margin_squared(sigmoid * d)
    return value, sigmoid * first, sigmoid * sigmoid * np.maximum(second, 0.0)


def contrast(d: Any, margin: Any) -> Any:
    """Half the square of what a margin of unequal documents lacks."""
    lack = np.maximum(margin - d, 0.0)
    return 0.5 * lack * lack, -lack, np.where(d < margin, 1.0, 0.0)


def attract(d: Any, margin: Any) -> Any:
    """Half the square of the distance of equal documents."""
    return 0.5 * d * d, d, 1.0 + 0.0 * d


OF_RATIO: Mapping[Phi, OfRatio] = {
    logistic: _margins.logistic_of_ratio,
    exponential: _margins.exponential_of_ratio,
    focal: _margins.focal_of_ratio,
    focal_squared: _margins.focal_squared_of_ratio,
}
VALUE_OF_RATIO: Mapping[Phi, ValueOfRatio] = {logistic: _margins.logistic_value_of_ratio}


@dataclass(frozen=True, kw_only=True, repr=False)
class Pairwise(PairNormed, Ranked):
    r"""What every pairwise objective has: :math:`L = \sum_{y_i > y_j} w_{ij}\,\varphi(s_i - s_j)`.

    Parameters
    ----------
    weight : {"uniform", "label_difference", "ndcg", "map", "mrr", "err"}
        Weight of a pair: 1; :math:`|y_i - y_j|`; or what swapping the two documents would change in the measure at the
        present ranks (of NDCG divided by the ideal DCG of the first `truncation` places).
    truncation : int, optional
        Truncation level T: one document of the pair must rank among the first T.
    pairs : {"labels", "given"}
        All pairs of a query with different labels, or the pairs of the data (``RankingData(pairs=...)``) with their
        weights, whatever the labels.
    gain : {"exp", "linear"}
        What a label is worth to NDCG: 2^y - 1, or y.
    relevant_from : float
        The lowest label that is relevant to MAP and MRR.
    max_grade : int
        The highest grade, for ERR: a document of grade y stops the reader with probability (2^y - 1) / 2^max_grade.
    score_norm : bool
        Divide weights by 0.01 + :math:`|s_i - s_j|`, as LightGBM and XGBoost do by default.
    query_norm : bool
        Multiply a query's lambdas by :math:`\log_2(1 + S) / S`, S the sum of their absolute values over both documents
        of each pair.
    hessian_factor : float
        1 is the diagonal of the second derivative; 2 bounds the curvature safely (the full matrix is at most twice its
        diagonal), as in XGBoost.
    rerank_every, rank_smoothing, ties, random_state
        See `Ranked`.
    """

    shift_invariant: ClassVar[bool] = True
    phi: ClassVar[Phi]
    equal: ClassVar[Phi | None] = None

    weight: str = "uniform"
    truncation: int | None = None
    pairs: str = "labels"
    gain: str = "exp"
    relevant_from: float = 1.0
    max_grade: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("weight", self.weight, tuple(WEIGHTS))
        if self.truncation is not None:
            check_whole("truncation", self.truncation)
        check_choice("pairs", self.pairs, ("labels", "given"))
        check_choice("gain", self.gain, ("exp", "linear"))
        check_whole("max_grade", self.max_grade)
        if self.pairs == "given":
            self._require_given_weights()

    def _require_given_weights(self) -> None:
        own = {"weight": "uniform", "truncation": None, "score_norm": False, "query_norm": False}
        changed = [f"{name}={getattr(self, name)!r}" for name in own if getattr(self, name) != own[name]]
        if changed:
            raise ParameterError(
                f"pairs='given' brings its own weights: {' and '.join(changed)} would change them, and "
                f"{'belong' if len(changed) > 1 else 'belongs'} to pairs made from labels; leave that out."
            )

    @property
    def reads_pairs(self) -> bool:
        return self.pairs == "given"

    def phi_params(self) -> tuple[float, ...]:
        """Return the parameters of the loss of a margin."""
        return ()

    def loss_of_margin(self) -> Phi:
        """Return the loss of a margin."""
        return type(self).phi

    def pair_of_equals(self) -> Phi | None:
        """Return the loss of pairs with equal labels, if they count."""
        return type(self).equal

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        if self.pairs == "given":
            given = given_pairs(data)
            return PreferenceBound(
                self.loss_of_margin(), self.phi_params(), given, self.hessian_factor, data, engine, n_jobs
            )
        return PairBound(self.frame(), self.worth_of(y), data, engine, n_jobs)

    def frame(self) -> PairFrame:
        """Return what the loss of pairs made from labels consists of."""
        phi, equal = self.loss_of_margin(), self.pair_of_equals()
        of_ratio, value_of_ratio = (None, None) if equal else (OF_RATIO.get(phi), VALUE_OF_RATIO.get(phi))
        return PairFrame(
            phi, self.phi_params(), WEIGHTS[self.weight], equal, self.truncation, self.score_norm, self.query_norm,
            self.hessian_factor, self.rank_options(), of_ratio, value_of_ratio,
        )  # fmt: skip

    def worth_of(self, y: Vector) -> Vector:
        """Return what a document of each label is worth to the weight of its pairs."""
        kind = WEIGHTS[self.weight].worth
        if kind == "gain":
            return worth_of_labels(y, self.gain, self.name)
        if kind == "relevant":
            if not (y >= self.relevant_from).any():
                raise DataError(
                    f"{self.name}: no document has a label of at least relevant_from={self.relevant_from:g}, for the "
                    f"highest is {y.max():g}; set it to the lowest label that is relevant."
                )
            return (y >= self.relevant_from).astype(np.float64)
        return stopping_probability(y, self.max_grade, self.name) if kind == "stopping" else y


@OBJECTIVES.add("pairwise_logistic", "ranknet")
@dataclass(frozen=True, repr=False)
class PairwiseLogistic(Pairwise):
    r"""RankNet: logistic loss of the pairs of a query's documents with different labels.

    :math:`L = \sum_{y_i > y_j} w_{ij} \log(1 + e^{-a (s_i - s_j)})` with a = `sigmoid`.  The hessian is the exact
    diagonal.

    Parameters
    ----------
    sigmoid : float
        Steepness a.
    equal_pairs : bool
        Whether pairs with equal labels count, as equally likely in either order:
        :math:`\log(1 + e^{-a d}) + a d / 2` with d = s_i - s_j, least where the scores are equal.
    weight, truncation, pairs, ...
        See `Pairwise`.

    References
    ----------
    Burges et al., "Learning to Rank using Gradient Descent", ICML 2005.
    """

    name: ClassVar[str] = "pairwise_logistic"
    phi: ClassVar[Phi] = staticmethod(logistic)
    sigmoid: float = 1.0
    equal_pairs: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("sigmoid", self.sigmoid)
        if self.equal_pairs and (self.weight != "uniform" or self.pairs != "labels"):
            raise ParameterError(
                "equal_pairs=True needs weight='uniform' and pairs='labels': to every other weight, swapping equals "
                "changes nothing."
            )

    def phi_params(self) -> tuple[float, ...]:
        return (float(self.sigmoid),)

    def pair_of_equals(self) -> Phi | None:
        return undecided if self.equal_pairs else None


@OBJECTIVES.add("pairwise_hinge", "hinge_pairwise")
@dataclass(frozen=True, repr=False)
class PairwiseHinge(Pairwise):
    r"""Hinge loss of pairs: the better document shall score higher by a margin.

    :math:`L = \sum_{y_i > y_j} w_{ij} \max(0, m - (s_i - s_j))` with m = `margin`.  Its second derivative is 0; 1
    stands in for it for pairs that lack the margin.

    Parameters
    ----------
    margin : float
    weight, truncation, pairs, ...
        See `Pairwise`.

    References
    ----------
    Herbrich, Graepel and Obermayer, "Large Margin Rank Boundaries for Ordinal Regression", 2000.
    """

    name: ClassVar[str] = "pairwise_hinge"
    exact_hessian: ClassVar[bool] = False
    phi: ClassVar[Phi] = staticmethod(hinge)
    margin: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("margin", self.margin)

    def phi_params(self) -> tuple[float, ...]:
        return (float(self.margin),)


@OBJECTIVES.add("pairwise_exponential", "rankboost")
@dataclass(frozen=True, repr=False)
class PairwiseExponential(Pairwise):
    r"""Exponential loss of pairs, which RankBoost minimises.

    :math:`L = \sum_{y_i > y_j} w_{ij}\, e^{-(s_i - s_j)}`.  The hessian is the exact diagonal.  Beyond a margin of -30
    the loss goes on as a straight line, so that no score overflows; there the hessian stays what it was.

    Parameters
    ----------
    weight, truncation, pairs, ...
        See `Pairwise`.

    References
    ----------
    Freund, Iyer, Schapire and Singer, "An Efficient Boosting Algorithm for Combining Preferences", JMLR 4, 2003.
    """

    name: ClassVar[str] = "pairwise_exponential"
    phi: ClassVar[Phi] = staticmethod(exponential)


@OBJECTIVES.add("pairwise_focal", "focal_pairwise")
@dataclass(frozen=True, repr=False)
class PairwiseFocal(Pairwise):
    r"""Focal loss of pairs: logistic loss that turns its weight to the pairs in the wrong order.

    :math:`L = -\sum_{y_i > y_j} w_{ij}\, (1 - p)^\gamma \log p` with :math:`p = \sigma(a (s_i - s_j))` and a =
    `sigmoid`.  The second derivative is negative for pairs far in the wrong order; there it is 0, elsewhere exact.

    Parameters
    ----------
    gamma : float
        Focusing, at least 0; 0 is the logistic loss.
    sigmoid : float
    weight, truncation, pairs, ...
        See `Pairwise`.

    References
    ----------
    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, section 3; here of a pair's margin.
    """

    name: ClassVar[str] = "pairwise_focal"
    exact_hessian: ClassVar[bool] = False
    phi: ClassVar[Phi] = staticmethod(focal)
    gamma: float = 2.0
    sigmoid: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("gamma", self.gamma, zero=True)
        check_positive("sigmoid", self.sigmoid)

    def phi_params(self) -> tuple[float, ...]:
        return float(self.gamma), float(self.sigmoid)

    def loss_of_margin(self) -> Phi:
        return focal_squared if self.gamma == 2 else focal


@OBJECTIVES.add("pairwise_contrastive")
@dataclass(frozen=True, repr=False)
class PairwiseContrastive(Pairwise):
    r"""Contrastive loss: documents with equal labels come together, others part by a margin.

    With :math:`d = s_i - s_j` and m = `margin`, :math:`L = \sum_{y_i > y_j} \max(0, m - d)^2 / 2 + \sum_{y_i = y_j,
    i < j} d^2 / 2`.  In place of the distance of two embeddings stands the difference of two scores, with its sign,
    so that unequal documents part in the right direction.  The hessian is the exact diagonal (where d = m, its limit).

    Parameters
    ----------
    margin : float
    truncation, score_norm, query_norm, ...
        See `Pairwise`; pairs are always those of labels, and weigh the same.

    References
    ----------
    Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006, section 2.1.
    """

    name: ClassVar[str] = "pairwise_contrastive"
    phi: ClassVar[Phi] = staticmethod(contrast)
    equal: ClassVar[Phi | None] = staticmethod(attract)
    # What has no meaning here is no parameter.
    weight: ClassVar[str] = "uniform"  # type: ignore[misc]
    pairs: ClassVar[str] = "labels"  # type: ignore[misc]
    gain: ClassVar[str] = "exp"  # type: ignore[misc]
    relevant_from: ClassVar[float] = 1.0  # type: ignore[misc]
    max_grade: ClassVar[int] = 4  # type: ignore[misc]
    margin: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("margin", self.margin)

    def phi_params(self) -> tuple[float, ...]:
        return (float(self.margin),)


@OBJECTIVES.add("lambdarank", "lambdamart")
@dataclass(frozen=True, repr=False)
class LambdaRank(PairwiseLogistic):
    r"""LambdaRank: logistic loss of pairs, each weighted by what swapping the two would change in NDCG.

    :math:`\Delta_{ij} = |G_i - G_j|\,|D(r_i) - D(r_j)| / \mathrm{IDCG@T}` with :math:`D(r) = 1 / \log_2(r + 1)`, over
    pairs of which one document ranks among the first T, the truncation level.  With `score_norm`, :math:`\Delta` is
    divided by 0.01 + :math:`|s_i - s_j|`, with `query_norm` a query's lambdas are multiplied by :math:`\log_2(1 + S) /
    S`.  The defaults are LightGBM's.  Labels are whole grades for the exponential gain, any numbers of 0 or more for
    the linear one.  The same as `PairwiseLogistic` but for the defaults: `weight` may be another measure.

    Parameters
    ----------
    sigmoid : float
        Steepness a of the logistic loss.
    weight, truncation, pairs, ...
        See `Pairwise`.

    References
    ----------
    Burges, "From RankNet to LambdaRank to LambdaMART: An Overview", MSR-TR-2010-82, section 4.
    """

    name: ClassVar[str] = "lambdarank"
    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False
    weight: str = "ndcg"
    truncation: int | None = 30
    score_norm: bool = True
    query_norm: bool = True
