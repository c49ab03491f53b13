"""`estimate_propensities`: how likely each rank is examined, from clicks."""

from __future__ import annotations

import numpy as np

from .._checks import DataError, ParameterError, check_choice, check_confidence, check_positive, check_whole
from ..data import RankingData
from ..rankers import GBRanker
from ._curves import CURVES, Curve, of_pairs, of_sets
from ._intervals import UNITS, resampled
from ._log import ClickLog, require_log
from ._pairs import Vector
from ._propensities import Propensities
from ._regression import Regression, default_regressor
from ._showings import Showings

METHODS = (*CURVES, "pbm", "regression")
N_RESAMPLES = 200


def estimate_propensities(
    log: ClickLog,
    method: str = "all_pairs",
    *,
    n_ranks: int | None = None,
    data: RankingData | None = None,
    regressor: GBRanker | None = None,
    max_iterations: int = 50,
    tolerance: float = 2e-3,
    n_resamples: int | None = None,
    confidence: float = 0.95,
    unit: str = "session",
    random_state: int = 0,
    n_jobs: int | None = None,
) -> Propensities:
    r"""Estimate how likely each rank is examined, relative to the first.

    All methods hold clicks to follow the position-based model: a click at rank k on document d has the probability
    :math:`p_k r_d`, and what stands where does not depend on the user beyond the query.

    Parameters
    ----------
    log : ClickLog
    method : str
        - ``"swaps"``: the log is that of `RandomSwaps`; its policies name the swaps.  Clicks at one rank over clicks at
          the other: randomised, so right whatever attracts.
        - ``"all_pairs"``, ``"adjacent"``, ``"pivot"``: intervention harvesting: a document that stood at two ranks in
          answers to one query, because several rankers were at work or one that draws its rankings, has the same
          attraction at both.  "pivot" compares each rank with the first, "adjacent" with the one above and multiplies
          down, "all_pairs" takes all by maximum likelihood, with the least variance.
        - ``"pbm"``: maximum likelihood with an attraction for each query-document pair, by expectation maximisation.
          With few showings of each pair, low ranks come out too high.
        - ``"regression"``: likewise, with attractions that a ranker learns from features, for logs in which pairs
          hardly recur.

    n_ranks : int, optional
        Only the first so many ranks are estimated; by default those of the longest list.
    data : RankingData, optional
        For "regression": the features of all documents shown, found by query and document id.
    regressor : GBRanker, optional
        For "regression": how attractions are learnt, on any backend that takes gradients; its objective is not used.
        By default 50 trees of 7 leaves.
    max_iterations, tolerance
        For "regression": rounds at most, and the change of a propensity below which they end.
    n_resamples : int, optional
        Of the bootstrap; 0 for no intervals.  200 by default; 0 with "regression", which trains a ranker several times
        in each.
    confidence : float
        Of the percentile intervals.
    unit : {"session", "query"}
        What is drawn at random in the bootstrap.  Given what was shown, the model holds clicks of sessions to be
        independent, also those of one query; with "query", intervals are wide enough for users who examine otherwise
        in some queries.
    random_state : int
    n_jobs : int, optional
        Threads of the regressor, where that is the default one.

    Returns
    -------
    Propensities

    Raises
    ------
    DataError
        A rank of which the log does not tell: it has no swaps, documents that never change ranks, as with one
        deterministic policy, or no click; the rank and the remedy are named.
    ParameterError
        An unknown method or unit, or a number that is out of range.

    Notes
    -----
    In intervention harvesting, Agarwal et al. weigh a showing by how many sessions the policies had that put the
    document there.  Here it is by how often it was shown there, which is the same in expectation, needs no ranking that
    the log does not show, and takes policies that draw rankings.

    References
    ----------
    Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017, for swaps; Agarwal,
    Zaitsev, Wang, Li, Najork and Joachims, "Estimating Position Bias without Intrusive Interventions", WSDM 2019, for
    harvesting; Wang, Golbandi, Bendersky, Metzler and Najork, "Position Bias Estimation for Unbiased Learning to Rank
    in Personal Search", WSDM 2018, for regression.

    Examples
    --------
    >>> from gbrank import make_letor, simulate_clicks
    >>> from gbrank.clicks import PositionBased, concat_click_logs
    >>> data = make_letor(20, random_state=0)
    >>> users = PositionBased([1, 0.5, 0.25])
    >>> logs = [simulate_clicks(data, data.X[:, j], users, 30000, j, top_k=3, policy=j) for j in range(3)]
    >>> found = estimate_propensities(concat_click_logs(logs), n_resamples=50)
    >>> bool((found.low[1:] < [0.5, 0.25]).all() and (found.high[1:] > [0.5, 0.25]).all())
    True
    """
    require_log(log)
    check_choice("method", method, METHODS)
    ranks = _ranks(n_ranks, log)
    resamples = (0 if method == "regression" else N_RESAMPLES) if n_resamples is None else n_resamples
    check_whole("n_resamples", resamples, lowest=0)
    check_confidence(confidence)
    check_choice("unit", unit, UNITS)
    check_whole("max_iterations", max_iterations)
    check_positive("tolerance", tolerance)
    if method != "regression" and (data is not None or regressor is not None):
        raise ParameterError(f"data, regressor: the method {method!r} takes none; leave them out.")
    showings = (Showings.of_swaps if method == "swaps" else Showings.of_pairs)(log, ranks)
    curve: Curve
    if method == "regression":
        ranker = default_regressor(n_jobs) if regressor is None else regressor
        curve = Regression.make(log, showings, data, ranker, max_iterations, tolerance)
    elif method == "pbm":
        curve = of_pairs(showings)
    else:
        curve = of_sets(showings, method)
    counts = showings.counts()
    _require_clicks(showings, *counts)
    values = curve(*counts)
    _require_all(values, method, log)
    if not resamples:
        return Propensities(values, method=method, n_sessions=log.n_sessions)
    drawn = [curve(*showings.counts(weight)) for weight in resampled(log, resamples, unit, random_state)]
    low, high = _ends(np.array(drawn), confidence)
    return Propensities(values, low, high, method=method, n_sessions=log.n_sessions, confidence=confidence)


def _ranks(n_ranks: int | None, log: ClickLog) -> int:
    if n_ranks is None:
        return log.n_ranks
    check_whole("n_ranks", n_ranks)
    if n_ranks > log.n_ranks:
        raise ParameterError(f"n_ranks={n_ranks}: the log shows {log.n_ranks} ranks; give at most so many.")
    return n_ranks


def _require_clicks(showings: Showings, shown: Vector, clicks: Vector) -> None:
    """Raise a `DataError` where a rank has no click."""
    n = showings.n_ranks
    counts = np.bincount(showings.rank, clicks, n)
    some = np.bincount(showings.rank, shown, n)
    bad = (counts == 0) & (some > 0)
    if bad.any():
        k = int(np.argmax(bad))
        raise DataError(
            f"click: none at rank {k + 1}, of {some[k]:,.0f} showings; log more sessions"
            + (f", or give n_ranks={k}." if k else ".")
        )


def _require_all(values: Vector, method: str, log: ClickLog) -> None:
    """Raise a `DataError` where the counts do not tell a propensity."""
    bad = ~(np.isfinite(values) & (values > 0))
    if not bad.any():
        return
    k = int(np.argmax(bad))
    to = {"pivot": "rank 1", "adjacent": f"rank {k}"}.get(method, "ranks that lead to rank 1")
    less = f", or give n_ranks={k}" if k > 1 else ""
    if method == "swaps":
        raise DataError(
            f"policy: no swaps that were clicked lead from rank {k + 1} to rank 1; show more lists by "
            f"RandomSwaps{less}."
        )
    if method != "regression":
        policies = 1 if log.policy is None else len(np.unique(log.policy))
        raise DataError(
            f"log: no document that was clicked stood at rank {k + 1} and at {to} in answers to one query "
            f"({policies} polic{'y' if policies == 1 else 'ies'}); bring logs of several rankers together with "
            f"concat_click_logs, or show rankings that vary (PlackettLuce, RandomSwaps){less}."
        )
    raise DataError(f"log: says nothing of rank {k + 1} by {method!r}; log more sessions{less}.")


def _ends(drawn: Vector, confidence: float) -> tuple[Vector, Vector]:
    """Return the quantiles of resampled curves."""
    lost = ~np.isfinite(drawn).all(axis=0)
    if lost.any():
        k = int(np.argmax(lost))
        times = int((~np.isfinite(drawn[:, k])).sum())
        raise DataError(
            f"log: {times} of {len(drawn)} resamples say nothing of rank {k + 1}, so it has no interval; log more "
            f"sessions, give n_ranks={max(k, 1)}, or n_resamples=0 for no intervals."
        )
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
