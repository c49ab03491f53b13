"""`estimate`: what a new ranking would have brought, from the sessions of other rankings."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, GbrankWarning, IntArray, ParameterError, check_choice, check_positive
from ..data import RankingData, Run
from ..evaluation._means import records
from ._candidates import bring_together, guess_of
from ._doubts import Doubt, doubts
from ._intervals import Intervals
from ._log import ClickLog, require_log
from ._model import ClickModel
from ._off_policy import clicks_by_rank
from ._problem import TOLD, Problem
from ._rewards import Examination, read_reward
from ._tables import PairTable

Vector = npt.NDArray[np.float64]
METHODS = ("ips", "snips", "clipped", "dr", "clipped_dr", "direct")
NEED_GUESS = ("dr", "clipped_dr", "direct")
ESTIMATE = ("estimate", "std_error", "low", "high")
GAIN = ("gain", "gain_low", "gain_high")


@dataclass(frozen=True, repr=False)
class PolicyValue:
    """What a new ranking would bring for each session, by several estimators; made by `estimate`.

    Attributes
    ----------
    table : DataFrame
        Index ``method``: ``logged`` for what the logged rankings brought, and each estimator.  Columns ``estimate``,
        ``std_error``, ``low``, ``high``; ``gain``, ``gain_low``, ``gain_high`` for the difference from the logged
        rankings in the same sessions; ``effective_clicks``.
    by_rank : DataFrame
        Index ``rank``: ``clicks``, those ``expected`` from the same documents at all of their ranks, and ``z``, how
        many standard errors these are apart: large where the propensities are wrong.
    doubts : tuple of Doubt
        Why the log may not support the answer.
    reward, exposure : str
    n_sessions, n_queries, n_clicks : int
        Clicks are those on documents that have a weight in the reward.
    intervals : Intervals
    """

    table: pd.DataFrame
    by_rank: pd.DataFrame
    doubts: tuple[Doubt, ...]
    reward: str
    exposure: str
    n_sessions: int
    n_queries: int
    n_clicks: int
    intervals: Intervals

    @property
    def supported(self) -> bool:
        """Whether there is no serious doubt that the log can answer."""
        return not any(doubt.serious for doubt in self.doubts)

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences below the table."""
        kind = "BCa bootstrap" if self.intervals.kind == "bootstrap" else "t"
        units = "sessions" if self.intervals.unit == "session" else "queries"
        of = (
            f"{self.reward} for each session, from {self.n_sessions:,} sessions of {self.n_queries:,} queries with "
            f"{self.n_clicks:,} clicks that count; exposure by {self.exposure}; {kind} intervals of "
            f"{self.intervals.confidence:.0%} over {units}."
        )
        return (of, *(doubt.text for doubt in self.doubts))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; None for NaN."""
        return {
            "reward": self.reward,
            "methods": records(self.table.reset_index()),
            "by_rank": records(self.by_rank.reset_index()),
            "supported": self.supported,
            "notes": list(self.notes),
        }

    def to_html(self) -> str:
        """Return what `str` says, in HTML."""
        items = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"{self.table.to_html(float_format='{:.4f}'.format, na_rep='')}<ul>{items}</ul>"

    def __str__(self) -> str:
        table = self.table.to_string(float_format="{:.4f}".format, na_rep="")
        return "\n".join([table, *self.notes])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def estimate(
    log: ClickLog,
    ranking: Any,
    *,
    propensity: npt.ArrayLike | ClickModel,
    data: RankingData | None = None,
    reward: str | npt.ArrayLike = "dcg@10",
    method: str | Sequence[str] | None = None,
    exposure: str | npt.ArrayLike | None = None,
    relevance: npt.ArrayLike | PairTable | ClickModel | None = None,
    clip: float | None = None,
    confidence: float = 0.95,
    interval: str = "t",
    unit: str = "session",
    n_resamples: int = 2000,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> PolicyValue:
    r"""Estimate what a new ranking would bring, from sessions in which others were shown.

    With :math:`a_d` the probability that document d attracts, :math:`\hat a_d` a guess of it, :math:`\lambda_d` the
    reward's weight at the new rank of d, and :math:`\rho_d` its exposure, what is estimated is the mean over sessions
    of :math:`\sum_d \lambda_d a_d`, by that of

    .. math:: \sum_d \lambda_d \hat a_d + \sum_{d\ \text{shown}} \frac{\lambda_d}{\rho_d}
       (c_d - \beta_{k_d} - \alpha_{k_d} \hat a_d)

    for clicks :math:`c_d` at the logged ranks :math:`k_d`, with the propensities :math:`\alpha` and, under trust bias,
    the clicks :math:`\beta` on what does not attract.

    Parameters
    ----------
    log : ClickLog
    ranking : Run, ranker, or array-like
        All documents of each query: a `Run`; or, with `data`, a ranker or scores of the documents.  Or scores of the
        log's rows: then each session's own documents are ranked again.  Equal scores rank in the order given.
    propensity : array-like of shape (n_ranks,), PositionBased or TrustBias
        P(seen) at each rank, from the first on, above 0 and at most 1, as `Propensities` are; nobody sees below.  A
        model of trust bias has P(click) of what never attracts, too.
    data : RankingData, optional
        Documents of `ranking`, found by query and document id.
    reward : str or array-like of shape (n_ranks,)
        ``"dcg@k"``, ``"precision@k"``: of attraction as the gain, not divided by that of the best order; ``"ctr"`` or
        ``"ctr@k"``: clicks in a session.  Or a weight of each rank.
    method : str or sequence of str, optional
        - ``"ips"``: inverse propensity scoring: unbiased if exposures are right and above 0.
        - ``"snips"``: self-normalised; equal to the former where all candidates were always shown.
        - ``"clipped"``: exposures below `clip` count as `clip`: too low, by what those documents lose.
        - ``"dr"``: doubly robust: unbiased if exposures *or* `relevance` are right.  Both stand on `propensity`.
          Equal to ``"ips"`` for what was shown where exposures are by "policy", which are ratios of sums already.
        - ``"clipped_dr"``: clipped likewise; what clipping takes off is left to `relevance`.
        - ``"direct"``: `relevance` alone.

        All that can be made by default.
    exposure : {"policy", "rank"} or array-like of shape (n_rows,), optional
        How much each shown document was seen.  "policy", the default where all documents are ranked: the mean
        propensity over all sessions of the query, 0 where the document was below the cut; unbiased for all documents
        that were shown at least once.  "rank": the propensity of its rank in the session; unbiased if each session
        showed all.  Or the expected propensity under the logging policy, where that is known.
    relevance : array-like, PairTable or fitted click model, optional
        A guess of the attraction of each document, 0 to 1, in the rows of the run, of `data` or of the log.  Learnt
        from other sessions than these, or the intervals are too narrow.
    clip : float, optional
        By default 1 / sqrt(number of sessions), whose bias vanishes with their number.
    confidence, interval, unit, n_resamples, random_state, n_jobs
        As those of `Intervals`, where `interval` is called `kind`.

    Returns
    -------
    PolicyValue

    Raises
    ------
    DataError
        A propensity of 0, above 1 or NaN, a rank of the log without one, a query of the log that is not ranked, an
        exposure that is none.
    ParameterError
        A method without what it needs, or another unknown option.

    Warns
    -----
    GbrankWarning
        The log cannot support the answer: see `PolicyValue.doubts`.

    References
    ----------
    Joachims, Swaminathan and Schnabel, WSDM 2017, for "ips" by rank; Oosterhuis and de Rijke, SIGIR 2020, by policy;
    Vardasbi, Oosterhuis and de Rijke, CIKM 2020, under trust bias; Swaminathan and Joachims, NIPS 2015, for "snips";
    Oosterhuis, "Doubly Robust Estimation for Correcting Position Bias in Click Feedback for Unbiased Learning to Rank",
    ACM TOIS 41(3), 2023, for "dr".

    Examples
    --------
    >>> import gbrank
    >>> log = ClickLog(
    ...     [1, 1, 2, 2, 3, 3, 4, 4], ["q"] * 8, ["a", "b", "b", "a"] * 2, [1, 2] * 4, [1, 0, 1, 0, 0, 0, 0, 1]
    ... )
    >>> with warnings.catch_warnings(action="ignore"):  # four sessions are few
    ...     found = estimate(log, gbrank.Run(["q", "q"], ["a", "b"], [1, 2]), propensity=[1, 0.5], reward="dcg@1")
    >>> round(float(found.table.loc["ips", "estimate"]), 4)  # b: a click where 2 x 1 + 2 x 0.5 were seen
    0.3333
    """
    require_log(log)
    intervals = Intervals(confidence, interval, unit, n_resamples, random_state, n_jobs)
    methods, clip = _methods(method, relevance), _clip(clip, log.n_sessions)
    seen = Examination.read(propensity)
    if log.n_ranks > seen.n_ranks:
        raise DataError(
            f"propensity: has {seen.n_ranks} ranks, but the log shows rank {log.n_ranks}; give one for each rank shown."
        )
    shown = bring_together(log, ranking, data)
    brings = read_reward(reward, seen, max(int(shown.new_rank.max()), log.n_ranks))
    problem = Problem.make(shown, seen, brings, exposure, isinstance(ranking, Run) or data is not None)
    by_rank = clicks_by_rank(shown, problem.alpha, problem.residual, log.n_ranks)
    guess = None if relevance is None else guess_of(relevance, log, ranking, data, len(shown.new_rank))
    found = PolicyValue(
        _table(problem, methods, guess, clip, np.unique(log.query, return_inverse=True)[1], intervals),
        pd.DataFrame(dict(zip(("clicks", "expected", "z"), by_rank, strict=True)), index=_ranks(log.n_ranks)),
        doubts(problem, methods, clip, by_rank[2]),
        brings.name,
        TOLD.get(problem.by, "the logging policy as given"),
        log.n_sessions,
        len(np.unique(log.query)),
        len(problem.click_weights()),
        intervals,
    )
    for doubt in found.doubts:
        if doubt.serious:
            warnings.warn(f"estimate: {doubt.text}", GbrankWarning, stacklevel=2)
    return found


def _table(
    problem: Problem, methods: Sequence[str], guess: Vector | None, clip: float, query: IntArray, how: Intervals
) -> pd.DataFrame:
    logged = problem.logged()
    rows = {"logged": dict(zip(ESTIMATE, how.of_mean(logged, query), strict=True))}
    for name in methods:
        values = problem.values(name, guess, clip)
        gain, _, *ends = how.of_mean(values - logged, query)
        rows[name] = dict(zip(ESTIMATE, how.of_mean(values, query), strict=True))
        rows[name] |= dict(zip(GAIN, (gain, *ends), strict=True))
        rows[name]["effective_clicks"] = problem.effective_clicks(name, clip)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def _ranks(n: int) -> pd.Index:
    return pd.Index(np.arange(1, n + 1), name="rank")


def _methods(method: str | Sequence[str] | None, relevance: Any) -> list[str]:
    """Return the names of estimators, each once."""
    if method is None:
        return [name for name in METHODS if relevance is not None or name not in NEED_GUESS]
    names = list(dict.fromkeys([method] if isinstance(method, str) else method))
    if not names:
        raise ParameterError(f"method={method!r}: name at least one of {', '.join(map(repr, METHODS))}.")
    for name in names:
        check_choice("method", name, METHODS)
        if name in NEED_GUESS and relevance is None:
            raise ParameterError(f"method={name!r}: needs `relevance`, a guess of what each document attracts.")
    return names


def _clip(clip: float | None, n_sessions: int) -> float:
    if clip is None:
        return float(1 / np.sqrt(n_sessions))
    check_positive("clip", clip)
    if clip > 1:
        raise ParameterError(f"clip={clip!r}: is the least exposure, at most 1.")
    return float(clip)
