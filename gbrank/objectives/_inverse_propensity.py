r"""Losses of clicks made unbiased: what was seldom examined counts for more.

A click tells of a document only if it was examined, which depends on the rank k at which it was shown.  Losses that are
sums over documents (pointwise ones), over clicked documents (softmax), or over pairs of a clicked document with others
are corrected by a weight of each document.  Of the first two, the expectation over examination is then the loss of true
relevance; what holds of pairs is said in `InversePropensity`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, GbrankWarning, IntArray, ParameterError, check_choice, check_positive
from ._base import OBJECTIVES, Bound, Labelled, Vector, shown_positions, single_labels
from ._classification import check_relevant_from, relevance
from ._frames.two_labels import bind_linear, require_linear, require_plain
from ._frames.wrapped import Wrapped
from ._pairwise import Pairwise
from ._position_pairs import bind_against_all, bind_pairs, of_equal_weights, require_pairs_of_labels

FAINT = 10.0
"""Standard deviation of the relevance that a click or skip on something irrelevant stands for, above which we warn."""


@OBJECTIVES.add("ips", "inverse_propensity")
@dataclass(frozen=True, repr=False)
class InversePropensity(Wrapped):
    r"""Inverse propensity scoring: a click at rank k counts for 1 / p_k, p_k the probability that rank k is examined.

    Of a pointwise loss :math:`\ell`, :math:`L = \sum_i \frac{1}{p_{k_i}} \ell(c_i, s_i) + (1 - \frac{1}{p_{k_i}})
    \ell(0, s_i)` with the label c, 0 for what was not clicked; so a click of label 1 is a relevance of 1 / p.  Of
    `Softmax`, the gain of a document is divided by its p; of pairwise losses, the weight of a pair by that of the
    document that is preferred.  The score from which boosting starts is the base's for the corrected labels.

    The expectation over examination of a pointwise loss and of softmax is the base's loss of true relevance, if the
    propensities are right, if not examined means not clicked, and if every document is shown.  Of pairs,
    :math:`\varphi(s_i - s_j)` counts with :math:`r_i (1 - p_{k_j} r_j)` in expectation, r being relevance: an
    irrelevant j as it should, but a relevant one, too, as often as it is not clicked.  Of two relevant documents, the
    one that was shown above is so preferred.  With ``against="all"``, j counts whether clicked or not, with
    :math:`r_i`: two relevant documents then count both ways alike.  That is the loss of Joachims et al., and unbiased.
    The weights of `LambdaRank` depend on all clicks of a session at once, so that theirs is a heuristic.

    A pointwise loss so corrected may have no least value: where clicks divided by propensities have a mean above 1 in a
    leaf, cross-entropy falls without end.  So hessians of clicked documents are at least a twentieth of the gradient,
    and no leaf moves by more than 20 before the learning rate; `clip`, larger leaves, or
    `gbrank.clicks.corrected_labels` of many sessions help more.

    Parameters
    ----------
    base : Objective
        A pointwise objective of one output that fits nothing beside the trees, `Softmax`, or a pairwise one such as
        `LambdaRank`; also by name or table.  The others normalise by all labels of a query (NDCG's ideal in
        `ApproxNDCG`, the target of `ListNet`), or fit thresholds and leaves to labels, so that no weight of a document
        makes them unbiased: they are refused.
    propensity : sequence of float or None
        :math:`p_k` by rank k from 1: above 0, at most 1; anything that NumPy makes an array of.  None is 1 / k, the
        usual assumption where nothing is known.
    clip : float or None
        The least propensity; smaller ones are raised to it, for less variance and some bias.
    against : {"unclicked", "all"}
        Of pairwise losses: which documents of the query a clicked one is compared with.  With "all", labels are 0 and
        1, and pairs weigh the same, as in `PairwiseLogistic`, for swapping two clicked documents changes no measure;
        without bias that is not the base's loss, in which two clicked documents are no pair.

    References
    ----------
    Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017, section 4 (pairs).

    Saito, Yaginuma, Nishino, Sakata and Nakata, "Unbiased Recommender Learning from Missing-Not-At-Random Implicit
    Feedback", WSDM 2020, section 3 (pointwise losses).

    Examples
    --------
    The click at rank 2, half as likely to be examined, counts twice:

    >>> InversePropensity("softmax", [1.0, 0.5]).gradient_hessian([1, 1], [0, 0], [0, 2], position=[1, 2])[0].tolist()
    [0.5, -0.5]
    """

    name: ClassVar[str] = "ips"
    exact_hessian: ClassVar[bool] = False

    propensity: Sequence[float] | None = None
    clip: float | None = None
    against: str = "unclicked"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("against", self.against, ("unclicked", "all"))
        if self.propensity is not None:
            object.__setattr__(self, "propensity", by_rank("propensity", self.propensity))
        check_clip(self.clip)
        if isinstance(self.base, Pairwise):
            require_plain(self)
            require_pairs_of_labels(self.base)
        else:
            require_linear(self)
        if self.against == "all" and not (isinstance(self.base, Pairwise) and of_equal_weights(self.base)):
            raise self.refused(
                "against='all' is of pairs that weigh the same; give a pairwise loss with weight='uniform', without "
                "truncation, score_norm and query_norm, such as PairwiseLogistic(), or leave it out."
            )
        if self.base.pointwise:
            object.__setattr__(self, "exact_hessian", False)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        weight = 1 / self.propensities(shown_positions(data, self.name))
        if isinstance(self.base, Pairwise):
            if self.against == "all":
                return bind_against_all(self.base, data, weight, engine, n_jobs)
            return bind_pairs(self.base, data, weight, np.ones(len(weight)), engine, n_jobs)
        y = single_labels(data, self.name)
        return bind_linear(self.base, y, np.where(y == 0, 1.0, weight), data, engine, n_jobs)

    def propensities(self, position: IntArray) -> Vector:
        """Return the propensity of each position, not below `clip`."""
        return np.maximum(at_ranks("propensity", self.propensity, position), self.clip or 0.0)


@OBJECTIVES.add("affine", "affine_correction")
@dataclass(frozen=True, repr=False)
class AffineCorrection(Wrapped):
    r"""Affine correction of clicks: for users who trust the ranking, and click at its top on what is not relevant, too.

    If rank k is clicked with probability :math:`a_k` where the document is relevant and :math:`b_k` where it is not,
    the click c stands for the relevance :math:`r = (c - b_k) / (a_k - b_k)`, which may be negative or above 1.  Of a
    pointwise loss :math:`\ell`, :math:`L = \sum_i r_i\, \ell(1, s_i) + (1 - r_i)\, \ell(0, s_i)`; of `Softmax`, r is
    the gain.  The expectation over clicks is the base's loss of true relevance, if a and b are right.  With b = 0 that
    is `InversePropensity`.

    Negative relevance makes losses that are not convex, nor bounded below, so that more data help, and few large steps
    do not: of pointwise losses, hessians where r is outside 0 to 1, of `Softmax` those of queries with a negative r,
    are at least a twentieth of the gradient.

    Where a and b nearly agree, a click says next to nothing, and r is huge.  Of what is not relevant, r has the mean 0
    and the standard deviation :math:`\sqrt{b_k (1 - b_k)} / (a_k - b_k)`; above 10 at a rank of the data, a warning
    names the worst rank, unless `clip` is set.

    Parameters
    ----------
    base : Objective
        A pointwise objective of one output that fits nothing beside the trees, or `Softmax`; also by name or table.
        Losses of pairs are refused: a pair has the product of two labels, of which an affine correction makes no
        weight.
    attractive : sequence of float or None
        :math:`a_k` by rank k from 1, each above that of `unattractive`; as in `gbrank.clicks.TrustBias`.  None is
        1 / k, as in `InversePropensity`.
    unattractive : sequence of float or None
        :math:`b_k`; 0 by default.
    clip : float or None
        The least difference of the two; smaller ones are raised to it, for less variance and some bias.
    relevant_from : float
        The lowest label that is a click.

    References
    ----------
    Vardasbi, Oosterhuis and de Rijke, "When Inverse Propensity Scoring does not Work: Affine Corrections for Unbiased
    Learning to Rank", CIKM 2020, section 4.

    Examples
    --------
    >>> trusting = AffineCorrection("mse", attractive=[1.0, 0.5], unattractive=[0.2, 0.0])
    >>> trusting.gradient_hessian([1, 0, 1], [0, 0, 0], [0, 3], position=[1, 1, 2])[0].round(2).tolist()
    [-1.0, 0.25, -2.0]
    """

    name: ClassVar[str] = "affine"
    exact_hessian: ClassVar[bool] = False

    attractive: Sequence[float] | None = None
    unattractive: Sequence[float] | None = None
    clip: float | None = None
    relevant_from: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "attractive", self._probabilities("attractive"))
        object.__setattr__(self, "unattractive", self._probabilities("unattractive", zero=True))
        if self.unattractive is not None:
            self._require_telling_clicks(self.attractive or (), self.unattractive)
        check_clip(self.clip)
        check_relevant_from(self.relevant_from)
        require_linear(self)
        object.__setattr__(self, "exact_hessian", False)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        position = shown_positions(data, self.name)
        if self.attractive is not None and self.unattractive is not None and self.clip is None:
            ranks = np.unique(position[position <= len(self.attractive)])
            warn_of_faint("attractive, unattractive", self.attractive, self.unattractive, ranks, stacklevel=4)
        r = self.relevance(relevance(data, self.name, self.relevant_from), position)
        label = np.where(r == 0, 0.0, 1.0)
        return bind_linear(self.base, label, np.where(r == 0, 1.0, r), data, engine, n_jobs)

    def _probabilities(self, name: str, *, zero: bool = False) -> tuple[float, ...] | None:
        given = getattr(self, name)
        return None if given is None else by_rank(name, given, zero=zero)

    def _require_telling_clicks(self, high: Sequence[float], low: Sequence[float]) -> None:
        if len(low) != len(high):
            raise ParameterError(f"unattractive: has {len(low)} ranks and attractive {len(high)}; give as many.")
        for k, (a, b) in enumerate(zip(high, low, strict=True), 1):
            if a <= b:
                raise ParameterError(
                    f"attractive: rank {k} has {a:g}, which is not above the {b:g} of unattractive, so clicks there "
                    "tell nothing; give fewer ranks and leave out documents shown below them."
                )

    def relevance(self, click: Vector, position: IntArray) -> Vector:
        """Return the relevance that each click or skip stands for."""
        a = at_ranks("attractive", self.attractive, position)
        b = 0.0 if self.unattractive is None else at_ranks("unattractive", self.unattractive, position)
        return np.asarray((click - b) / np.maximum(a - b, self.clip or 0.0))


def by_rank(name: str, values: Any, *, zero: bool = False) -> tuple[float, ...]:
    """Return probabilities by rank as a tuple; 0 only if `zero`.

    Raises
    ------
    ParameterError
        Something else, with the rank where it stands.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 1 or len(found) == 0:
        raise ParameterError(f"{name}={values!r}: give a probability for each rank, from rank 1 on.")
    good = (found >= 0 if zero else found > 0) & (found <= 1)  # NaN is neither
    if not good.all():
        rank = int(np.argmin(good))
        raise ParameterError(
            f"{name}: rank {rank + 1} has {found[rank]:g}; a probability is {'from 0' if zero else 'above 0'} to 1. "
            + ("" if zero or found[rank] > 1 else "What is never examined teaches nothing: leave out such ranks.")
            + ("An estimate may be above 1: see clipped() of Propensities." if found[rank] > 1 else "")
        )
    return tuple(found.tolist())


def warn_of_faint(name: str, high: npt.ArrayLike, low: npt.ArrayLike, ranks: IntArray, stacklevel: int) -> None:
    """Warn where clicks on the relevant and on others are so nearly alike that each stands for a huge relevance.

    Parameters
    ----------
    name : str
        Of the argument that the curves come from.
    high, low : array-like of shape (n_ranks,)
        Probability of a click by rank, of what is relevant, and of what is not; high is above low.
    ranks : int array
        Those that are used.
    stacklevel : int
        That of `warnings.warn`, counted from the caller of this.
    """
    a, b = np.asarray(high)[ranks - 1], np.asarray(low)[ranks - 1]
    spread = np.sqrt(b * (1 - b)) / (a - b)
    faint = spread > FAINT
    if not faint.any():
        return
    k = int(np.argmax(spread))
    others = f", and at {faint.sum() - 1} other ranks it is likewise" if faint.sum() > 1 else ""
    warnings.warn(
        f"{name}: rank {ranks[k]} is clicked with {a[k]:.4g} if relevant and {b[k]:.4g} if not, so that a click there "
        f"counts as a relevance of {(1 - b[k]) / (a[k] - b[k]):,.0f} and none as {-b[k] / (a[k] - b[k]):,.0f}{others}; "
        "set clip, the least difference, as clip=0.1 (some bias, less noise), or leave out what was shown there.",
        GbrankWarning,
        stacklevel=stacklevel + 1,
    )


def at_ranks(name: str, values: Sequence[float] | None, position: IntArray) -> Vector:
    """Return the value at each position; without values, 1 divided by it.

    Raises
    ------
    DataError
        A position beyond the values.
    """
    if values is None:
        return np.asarray(1.0 / position)
    beyond = position > len(values)
    if beyond.any():
        row = int(np.argmax(beyond))
        raise DataError(
            f"position: row {row} was shown at rank {position[row]}, and {name} has {len(values)} ranks; give one for "
            "each rank, or leave out what was shown below."
        )
    return np.asarray(values)[position - 1]


def check_clip(clip: float | None) -> None:
    """Raise a `ParameterError` unless `clip` is None or a number between 0 and 1."""
    if clip is not None:
        check_positive("clip", clip)
        if clip > 1:
            raise ParameterError(f"clip={clip!r}: must be at most 1.")
