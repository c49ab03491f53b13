"""Options that steady the training of objectives that depend on ranks: parameters that several of them share.

Each class here brings some parameters and their checks; an objective inherits those that have a meaning for it, and
has no others.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..._checks import check_choice, check_positive
from .._base import Objective
from .ranking import RankOptions


@dataclass(frozen=True, kw_only=True, repr=False)
class Ranked(Objective):
    """What objectives have in common that see the documents' present ranks.

    Parameters
    ----------
    rerank_every : int
        Rounds between two rankings.
    rank_smoothing : float
        Weight of the past in an exponential average of each document's rank, from 0 to below 1; what depends on ranks
        is then that of the average.
    ties : {"stable", "shuffled"}
        Tied documents rank in row order, or in a random one, drawn anew in each round.
    random_state : int
        Seed of all draws.
    """

    rerank_every: int = 1
    rank_smoothing: float = 0.0
    ties: str = "stable"
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rank_options()

    def rank_options(self) -> RankOptions:
        """Return how ranks follow scores."""
        return RankOptions(self.rerank_every, self.rank_smoothing, self.ties, self.random_state)


@dataclass(frozen=True, kw_only=True, repr=False)
class QueryNormed(Objective):
    r"""What objectives have in common whose steps in a query can be shortened as a whole.

    Normalised, the gradient is that of no loss, and the hessian no second derivative.

    Parameters
    ----------
    query_norm : bool
        Multiply a query's gradient and hessian by :math:`\log_2(1 + S) / S`, S the sum of the absolute values of its
        gradient.
    hessian_factor : float
        What the hessian is multiplied by.
    """

    query_norm: bool = False
    hessian_factor: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("query_norm", self.query_norm, (True, False))
        check_positive("hessian_factor", self.hessian_factor)
        if self.query_norm:
            self._deny_derivatives()

    def _deny_derivatives(self) -> None:
        for promise in ("exact_hessian", "gradient_of_loss"):  # the class speaks for the default
            object.__setattr__(self, promise, False)


@dataclass(frozen=True, kw_only=True, repr=False)
class PairNormed(QueryNormed):
    """What objectives have in common whose gradients are sums over pairs of documents.

    Parameters
    ----------
    score_norm : bool
        Divide what a pair adds by 0.01 + :math:`|s_i - s_j|`, in queries whose scores are not all equal.
    """

    score_norm: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("score_norm", self.score_norm, (True, False))
        if self.score_norm:
            self._deny_derivatives()
