r"""Estimators of what a new ranking would bring, from sessions with another: arrays in, one number a session out.

Session i shows the documents :math:`S_i` of its query, document d at rank :math:`k_i(d)`, and
:math:`P(c_i(d) = 1) = \alpha_{k_i(d)} a_d + \beta_{k_i(d)}` where d attracts with probability :math:`a_d` (beta is 0 in
the position-based model).  The new ranking brings :math:`V = E_q \sum_d \lambda_d a_d`, with :math:`\lambda_d` the
reward's weight at the new rank of d.  With :math:`\rho_d` the exposure of d, and
:math:`\hat a_d` a guess of its attraction, every estimator here is the mean over sessions of

.. math:: v_i = \sum_d \lambda_d \hat a_d + \sum_{d \in S_i} \frac{\lambda_d}{\rho_d}
   (c_i(d) - \beta_{k_i(d)} - \alpha_{k_i(d)} \hat a_d).

Inverse propensity scoring has no guess, :math:`\hat a = 0`, and :math:`\rho_d = \alpha_{k_i(d)}` (Joachims, Swaminathan
and Schnabel, WSDM 2017); the policy-aware one has :math:`\rho_d = E[\alpha_{k(d)}]` over the logging policy, 0 where d
is not shown (Oosterhuis and de Rijke, SIGIR 2020); both with beta are the affine estimator (Vardasbi, Oosterhuis and de
Rijke, CIKM 2020); with a guess, the doubly robust one (Oosterhuis, ACM TOIS 41(3), 2023).  Clipping
replaces rho by max(rho, tau).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._checks import IntArray

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """The rows of a log, and the documents that the new ranking could show.

    A *candidate* is a document of one query.

    Attributes
    ----------
    session : int64 array of shape (n_rows,)
        Numbers of sessions.
    candidate : int64 array of shape (n_rows,)
    rank : int64 array of shape (n_rows,)
        From 1.
    click : float64 array of shape (n_rows,)
    session_query : int64 array of shape (n_sessions,)
    candidate_query : int64 array of shape (n_candidates,)
    new_rank : int64 array of shape (n_candidates,)
        From 1; 0 for documents that the new ranking does not hold.
    """

    session: IntArray
    candidate: IntArray
    rank: IntArray
    click: Vector
    session_query: IntArray
    candidate_query: IntArray
    new_rank: IntArray

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return len(self.session_query)

    @property
    def n_queries(self) -> int:
        """Number of queries that have candidates."""
        return int(self.candidate_query.max()) + 1

    def per_session(self, rows: Vector) -> Vector:
        """Return the sums of one number for each row."""
        return np.asarray(np.bincount(self.session, rows, minlength=self.n_sessions), np.float64)

    def per_candidate(self, rows: Vector) -> Vector:
        """Return the sums of one number for each row."""
        return np.asarray(np.bincount(self.candidate, rows, minlength=len(self.candidate_query)), np.float64)

    def of_queries(self, candidates: Vector) -> Vector:
        """Return for each session the sum of one number for each candidate of its query."""
        sums = np.bincount(self.candidate_query, candidates, minlength=self.n_queries)
        return np.asarray(sums[self.session_query])

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """Whether each candidate was ever shown."""
        return np.bincount(self.candidate, minlength=len(self.candidate_query)) > 0


def mean_exposure(shown: Shown, alpha: Vector) -> Vector:
    """Return for each row the mean of alpha over all sessions of its query, 0 in those that did not show it."""
    sessions = np.bincount(shown.session_query, minlength=shown.n_queries)
    total = shown.per_candidate(alpha)
    return np.asarray((total / np.maximum(1, sessions[shown.candidate_query]))[shown.candidate])


def session_values(
    shown: Shown,
    weight: Vector,
    alpha: Vector,
    residual: Vector,
    exposure: Vector,
    *,
    guess: Vector | None = None,
    clip: float = 0.0,
    pooled: bool = False,
) -> Vector:
    """Return one value for each session, of which the mean is the estimate, and the spread that of the estimate.

    Parameters
    ----------
    shown : Shown
    weight : array of shape (n_candidates,)
        lambda.
    alpha : array of shape (n_rows,)
    residual : array of shape (n_rows,)
        Clicks less beta.
    exposure : array of shape (n_rows,)
        rho.
    guess : array of shape (n_candidates,), optional
        Attractions; 0 by default.
    clip : float
        tau: exposures below it count as it.
    pooled : bool
        Exposures are `mean_exposure` of the same sessions: then the estimate of a document is a ratio of sums, and the
        values are its influence, sum lambda / rho (residual - alpha ratio), beside the estimate of the session's query.
    """
    rho = np.maximum(exposure, clip)
    error = residual if guess is None else residual - alpha * guess[shown.candidate]
    known = np.zeros(len(weight)) if guess is None else guess
    if pooled:
        total = shown.per_candidate(np.where(exposure >= clip, alpha, 0.0))
        sums = shown.per_candidate(error)
        ratio = np.divide(sums, total, out=np.zeros_like(total), where=total > 0)
        error = error - alpha * ratio[shown.candidate]
        known = known + ratio
    return shown.per_session(weight[shown.candidate] / rho * error) + shown.of_queries(weight * known)


def session_shares(shown: Shown, weight: Vector, alpha: Vector, exposure: Vector, *, pooled: bool = False) -> Vector:
    r"""Return :math:`z_i = \sum_{d \in S_i} \lambda_d \alpha_{k_i(d)} / \rho_d / \sum_d \lambda_d` of each session.

    Its expectation is 1 where exposures are right and above 0 for all documents with a weight: the estimate divided by
    its mean is the self-normalised one (Swaminathan and Joachims, NIPS 2015).
    """
    total = shown.of_queries(weight)
    if pooled:
        found = shown.of_queries(weight * shown.seen)
    else:
        found = shown.per_session(weight[shown.candidate] * alpha / exposure)
    return np.divide(found, total, out=np.ones_like(total), where=total > 0)


def normalised(values: Vector, shares: Vector) -> Vector:
    """Return the values of the ratio of both means: ratio + (value - ratio share) / mean share."""
    mean = shares.mean()
    ratio = values.mean() / mean
    return np.asarray(ratio + (values - ratio * shares) / mean)


def effective_number(weights: Vector) -> float:
    """Return Kish's (sum w)^2 / sum w^2: how many equal weights would vary as much.

    Examples
    --------
    >>> effective_number(np.array([1.0, 1.0, 1.0])), round(effective_number(np.array([8.0, 1.0, 1.0])), 2)
    (3.0, 1.52)
    """
    square = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / square if square else 0.0


def clicks_by_rank(shown: Shown, alpha: Vector, residual: Vector, n_ranks: int) -> tuple[Vector, Vector, Vector]:
    """Return for each rank clicks, those expected from the same documents at all ranks, and how far these are apart.

    A document that stood at several ranks has one attraction, estimated over all of them; where the propensities of
    ranks are wrong, clicks at some ranks are more than that explains.  Far apart is a number of standard errors, NaN
    where no document of the rank stood elsewhere.

    Parameters
    ----------
    shown : Shown
    alpha, residual : array of shape (n_rows,)
    n_ranks : int
    """
    cell = shown.candidate * n_ranks + shown.rank - 1
    cells, place = np.unique(cell, return_inverse=True)
    candidate, rank = np.divmod(cells, n_ranks)
    size = len(shown.candidate_query)
    exposure, clicks = np.bincount(place, alpha), np.bincount(place, residual)
    attraction = shown.per_candidate(residual) / np.maximum(shown.per_candidate(alpha), 1e-300)
    click = np.clip(alpha * attraction[shown.candidate] + shown.click - residual, 0.0, 1.0)
    spread = np.bincount(place, click * (1 - click))
    share = exposure / shown.per_candidate(alpha)[candidate]
    variance = (1 - 2 * share) * spread + share**2 * np.bincount(candidate, spread, minlength=size)[candidate]
    expected = np.asarray(np.bincount(rank, exposure * attraction[candidate], minlength=n_ranks), np.float64)
    found = np.asarray(np.bincount(rank, clicks, minlength=n_ranks), np.float64)
    error = np.sqrt(np.maximum(np.bincount(rank, variance, minlength=n_ranks), 0.0))
    return found, expected, np.divide(found - expected, error, out=np.full(n_ranks, np.nan), where=error > 1e-9)
