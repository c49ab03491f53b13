"""Contrastive losses: each relevant document of a query against those that are not, its negatives.

Negatives are the other documents of the query, for those alone are comparable; all of them, or some drawn anew for each
relevant document in each round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._checks import DataError, check_choice, check_positive, check_whole
from ._base import OBJECTIVES, Bound, Labelled, Objective, sum_by_query
from ._classification import check_relevant_from, relevance
from ._contrast import INFO_NCE, TRIPLET, Contrast
from ._frames.lists import ListBound, ListTargets
from ._frames.ranking import RankOptions


class ContrastiveBound(ListBound):
    """Lists with their relevant documents first."""

    def __init__(
        self, contrast: Contrast, objective: Contrastive, data: Labelled, engine: str, n_jobs: int | None
    ) -> None:  # fmt: skip
        relevant = relevance(data, objective.name, objective.relevant_from)
        n_queries, sizes = len(data.query_ptr) - 1, np.diff(data.query_ptr)
        found = sum_by_query(relevant, data.query_ptr)
        if not np.any((found > 0) & (found < sizes)):
            raise DataError(
                f"{objective.name}: nothing to learn: none of the {n_queries} queries has both a relevant document, "
                f"with a label of at least relevant_from={objective.relevant_from:g}, and another; check `qid` and "
                "the labels."
            )
        loss = contrast.loss(drawn=objective.negatives is not None)
        options = RankOptions(seed=objective.random_state)
        targets = ListTargets(relevant, found, options, objective.hessian_factor)
        params = float(objective.negatives or 0), float(objective.replace), *objective.own_params()
        super().__init__(loss, params, targets, data, engine, n_jobs)
        self.ranking.rows = np.lexsort((-relevant, np.repeat(np.arange(n_queries), sizes)))


@dataclass(frozen=True, kw_only=True, repr=False)
class Contrastive(Objective):
    """What every contrastive objective has: relevant documents and their negatives.

    Parameters
    ----------
    relevant_from : float
        The lowest label that counts as relevant; a query with nothing else, or nothing of it, has no gradient.
    negatives : int, optional
        How many negatives each relevant document gets, drawn uniformly from the others of its query and anew in each
        round; all of them by default.
    replace : bool
        Whether a relevant document may get the same negative twice; if not, it gets at most all there are.
    hessian_factor : float
        Multiplies the hessian.
    random_state : int
        Seed of all draws.
    """

    shift_invariant: ClassVar[bool] = True
    contrast: ClassVar[Contrast]

    relevant_from: float = 1.0
    negatives: int | None = None
    replace: bool = False
    hessian_factor: float = 1.0
    random_state: int = 0

    def __post_init__(self) -> None:
        check_relevant_from(self.relevant_from)
        if self.negatives is not None:
            check_whole("negatives", self.negatives)
        check_choice("replace", self.replace, (True, False))
        check_positive("hessian_factor", self.hessian_factor)
        check_whole("random_state", self.random_state, lowest=0)

    def own_params(self) -> tuple[float, ...]:
        """Return the parameters of the loss beside its negatives."""
        return ()

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        return ContrastiveBound(type(self).contrast, self, data, engine, n_jobs)


@OBJECTIVES.add("info_nce", "infonce", "batch_softmax")
@dataclass(frozen=True, repr=False)
class InfoNCE(Contrastive):
    r"""InfoNCE: each relevant document shall be told from its negatives.

    With the negatives N(p) of the relevant document p, :math:`L = -\sum_p w_p \log \frac{e^{s_p / \tau}}{e^{s_p / \tau}
    + \sum_{n \in N(p)} w_n e^{s_n / \tau}}`.  With all negatives and :math:`\tau = 1` this is the batch softmax loss,
    the batch being the query's list; unlike in `Softmax`, relevant documents do not compete with each other.  With all
    negatives, a weight of 2 equals the document twice.  The hessian is the exact diagonal.

    Parameters
    ----------
    temperature : float
        :math:`\tau`.
    corrected : bool
        Whether drawn negatives stand for all: N / `negatives`-fold, N being the number to draw from.  The loss is then
        sampled softmax.
    relevant_from, negatives, replace, hessian_factor, random_state
        See `Contrastive`.

    References
    ----------
    Van den Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive Coding", 2018, section 2.3.

    Jean, Cho, Memisevic and Bengio, "On Using Very Large Target Vocabulary for Neural Machine Translation", ACL 2015,
    section 3 (the correction).
    """

    name: ClassVar[str] = "info_nce"
    contrast: ClassVar[Contrast] = INFO_NCE
    temperature: float = 1.0
    corrected: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("temperature", self.temperature)
        check_choice("corrected", self.corrected, (True, False))

    def own_params(self) -> tuple[float, ...]:
        return float(self.temperature), float(self.corrected)


@OBJECTIVES.add("sampled_softmax")
@dataclass(frozen=True, repr=False)
class SampledSoftmax(InfoNCE):
    r"""Sampled softmax: InfoNCE whose few drawn negatives stand for all of the query.

    :math:`L = -\sum_p w_p \log \frac{e^{s_p / \tau}}{e^{s_p / \tau} + \frac{N}{k} \sum_{n \in N(p)} w_n e^{s_n /
    \tau}}` with the k negatives N(p), drawn from N.  The same as `InfoNCE` but for the defaults.

    Parameters
    ----------
    temperature, corrected, relevant_from, negatives, replace, hessian_factor, random_state
        See `InfoNCE`.

    References
    ----------
    Jean, Cho, Memisevic and Bengio, "On Using Very Large Target Vocabulary for Neural Machine Translation", ACL 2015,
    section 3.
    """

    name: ClassVar[str] = "sampled_softmax"
    corrected: bool = True
    negatives: int | None = 10


@OBJECTIVES.add("triplet")
@dataclass(frozen=True, repr=False)
class Triplet(Contrastive):
    r"""Triplet loss: a relevant document shall score higher than its negatives by a margin.

    :math:`L = \sum_p \sum_{n \in N(p)} w_p w_n \max(0, m - (s_p - s_n))` over the relevant documents p and their
    negatives N(p), with m = `margin`.  The distance from the query to a document is its negative score.  With all
    negatives this is `PairwiseHinge` of two grades; each relevant document counts `negatives` pairs, however long the
    list.  The second derivative is 0; 1 stands in for it for pairs that lack the margin.

    Parameters
    ----------
    margin : float
    relevant_from, negatives, replace, hessian_factor, random_state
        See `Contrastive`.

    References
    ----------
    Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015,
    section 3.1.
    """

    name: ClassVar[str] = "triplet"
    exact_hessian: ClassVar[bool] = False
    contrast: ClassVar[Contrast] = TRIPLET
    margin: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("margin", self.margin)

    def own_params(self) -> tuple[float, ...]:
        return (float(self.margin),)
