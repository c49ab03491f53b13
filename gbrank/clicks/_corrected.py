"""Training data of session logs: labels that are relevance, estimated from the clicks of all sessions, or of each."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, GbrankWarning, IntArray, ParameterError, check_choice, check_whole
from ..data import RankingData
from ..data._ranking_data import replace_fields
from ..objectives._inverse_propensity import FAINT, by_rank, check_clip, warn_of_faint
from ._log import ClickLog, require_log
from ._pairs import Vector, document_ids
from ._position import PositionBased, TrustBias
from ._simulate import _shown

LISTS = 100_000  # that are drawn together


def session_data(log: ClickLog, data: RankingData) -> RankingData:
    """Return the sessions of a log as training data: a query for each, with clicks for labels and ranks for positions.

    Parameters
    ----------
    log : ClickLog
    data : RankingData
        The features of all documents shown, found by query and document id as in `ClickLog.rows_in`.

    Returns
    -------
    RankingData
        Row i is row i of the log; query ids are session ids.  It has the `sample_weight` and `init_score` of the data,
        and no query weights: how often a query was asked is its weight already.

    Raises
    ------
    DataError
        The log shows a document that the data do not have.

    Examples
    --------
    >>> from gbrank import RankingData
    >>> data = RankingData([[0.1], [0.2]], [0, 0], qid=["q", "q"], doc_id=["a", "b"])
    >>> log = ClickLog([1, 1, 2, 2], ["q"] * 4, ["a", "b", "b", "a"], [1, 2, 1, 2], [1, 0, 0, 1])
    >>> shown = session_data(log, data)
    >>> shown.X.ravel().tolist(), shown.y.tolist(), shown.position.tolist(), shown.qid.tolist()
    ([0.1, 0.2, 0.2, 0.1], [1.0, 0.0, 0.0, 1.0], [1, 2, 1, 2], [1, 1, 2, 2])
    """
    rows = _rows(log, data)
    of_rows = {name: getattr(data, name) for name in ("sample_weight", "init_score")}
    return replace_fields(
        data,
        X=data.X[rows],
        y=log.click.astype(np.float64),
        query_ptr=log.session_ptr,
        query_ids=log.session_ids,
        order=np.arange(log.n_rows),
        doc_id=document_ids(data)[rows].astype(str),
        position=log.rank,
        query_weight=None,
        pairs=None,
        pair_weight=None,
        **{name: None if values is None else values[rows] for name, values in of_rows.items()},
    )


def corrected_labels(
    log: ClickLog,
    data: RankingData,
    bias: PositionBased | TrustBias | npt.ArrayLike,
    *,
    policy: Any = None,
    clip: float | None = None,
    draws: int = 1000,
    top_k: int | None = None,
    random_state: int | np.random.Generator | None = 0,
) -> RankingData:
    r"""Return data whose labels are unbiased estimates of relevance, made of the clicks of all sessions.

    With the click probabilities :math:`a_k` of a relevant document at rank k, and :math:`b_k` of another, the label of
    a document is the mean over the query's N sessions of :math:`(c - b_k) / (a_k - b_k)` where it was shown, and of 0
    elsewhere: inverse propensity scoring with b = 0, else the affine correction.  That is unbiased if every session
    shows every document.

    With a `policy` it is policy-aware: :math:`\sum_s (c - b_k) \,/\, N\, E[a_k - b_k]` with the expectation over the
    policy's rankings, 0 for ranks that are not shown.  That is unbiased, too, where lists are cut, of documents that
    the policy shows at all.

    Training on these data takes the time of the data, whatever the number of sessions.  For losses that are linear in
    the label (`gbrank.objectives.EstimatedRelevance` of a pointwise objective or softmax; mse as it is) it is the same
    as training on the sessions one by one with `InversePropensity` or `AffineCorrection`, if these show whole lists:
    the labels are means, and N is the query's weight.  `LambdaRank(gain="linear")` takes labels of 0 or more, too, but
    is not linear in them, so that noise in labels moves it.

    Parameters
    ----------
    log : ClickLog
    data : RankingData
        The documents, found by query and document id as in `ClickLog.rows_in`; its labels are not read.
    bias : PositionBased, TrustBias or array-like of shape (n_ranks,)
        How clicks depend on ranks: a click model, or the propensity of each rank (b is then 0).
    policy : "log", policy, ranker, callable or array-like, optional
        The policy that made the lists: ``"log"`` takes the ranks at which the log shows each document for its
        distribution; others are as the `logging_policy` of `simulate_clicks`.
    clip : float, optional
        The least :math:`a_k - b_k`, or the least expectation of it; smaller ones are raised to it.
    draws : int
        Rankings drawn of each query, for a policy that draws them.
    top_k : int, optional
        How many documents the policy shows; by default the length of the longest list of the log.
    random_state : int or Generator, optional
        Of the draws.

    Returns
    -------
    RankingData
        `data` with these labels, and with the number of sessions of each query as its query weight: 0 for queries that
        the log does not have, from which training learns nothing.  A label may be negative or above 1.  A document that
        is never shown has the label 0; with a policy also one that it cannot show: nothing is known of it.

    Raises
    ------
    DataError
        The log shows a document that the data do not have, at a rank for which there is no bias, or where the policy
        never shows it.
    ParameterError
        Propensities that are 0, above 1 or NaN; a model of other kind.

    Warns
    -----
    GbrankWarning
        Without `clip`: a and b nearly agree, as in `AffineCorrection`, at a rank of the log; with `policy`, on average
        over the ranks at which a document was shown.

    References
    ----------
    Oosterhuis and de Rijke, "Policy-Aware Unbiased Learning to Rank for Top-k Rankings", SIGIR 2020, section 3.

    Vardasbi, Oosterhuis and de Rijke, "When Inverse Propensity Scoring does not Work", CIKM 2020, section 4.

    Examples
    --------
    >>> from gbrank import RankingData
    >>> data = RankingData([[0.1], [0.2]], [0, 0], qid=["q", "q"], doc_id=["a", "b"])
    >>> log = ClickLog([1, 1, 2, 2], ["q"] * 4, ["a", "b", "b", "a"], [1, 2, 1, 2], [1, 0, 0, 1])
    >>> corrected_labels(log, data, [1.0, 0.5]).y.tolist()
    [1.5, 0.0]
    >>> corrected_labels(log, data, [1.0, 0.5], policy="log").y.round(3).tolist()
    [1.333, 0.0]
    """
    slope, base = _lines(bias)
    check_clip(clip)
    rows, place = _rows(log, data), log.rank - 1
    if log.n_ranks > len(slope):
        raise DataError(f"bias: has {len(slope)} ranks, and the log shows {log.n_ranks}; give one for each rank.")
    query = np.searchsorted(data.query_ptr, rows[log.session_ptr[:-1]], side="right") - 1
    sessions = np.bincount(query, minlength=data.n_queries)
    if clip is None and policy is None:
        warn_of_faint("bias", slope + base, base, np.arange(1, log.n_ranks + 1), stacklevel=2)
    elif clip is None:
        _warn_of_faint_documents(rows, slope[place], base[place], data)
    least = 0.0 if clip is None else clip
    signal, per_query = log.click - base[place], np.repeat(np.maximum(sessions, 1.0), data.query_sizes)
    if policy is None:
        label = _sums(rows, signal / np.maximum(slope[place], least), data) / per_query
    else:
        if isinstance(policy, str):
            check_choice("policy", policy, ("log",))
            expected = _sums(rows, slope[place], data) / per_query
        else:
            lists = _Lists(policy, log.n_ranks if top_k is None else top_k, draws)
            expected = lists.expected(data, slope, np.random.default_rng(random_state))
            _require_possible(rows, expected, data)
        mean = _sums(rows, signal, data) / per_query
        label = np.divide(mean, np.maximum(expected, least), out=np.zeros_like(mean), where=expected > 0)
    return replace_fields(data, y=label, query_weight=1.0 * sessions, pairs=None, pair_weight=None)


class _Lists:
    """What a policy shows: rankings of each query, cut after some rank."""

    def __init__(self, policy: Any, top_k: int, draws: int) -> None:
        check_whole("top_k", top_k)
        check_whole("draws", draws)
        drawn = hasattr(policy, "bind") or hasattr(policy, "swap")
        self.policy, self.top_k, self.draws = policy, top_k, draws if drawn else 1

    def expected(self, data: RankingData, slope: Vector, generator: np.random.Generator) -> Vector:
        """Return the mean over rankings of the slope of each document's rank, 0 where it is not shown."""
        if self.top_k > len(slope):
            raise DataError(f"bias: has {len(slope)} ranks for top_k={self.top_k}; give one for each rank.")
        total, left = np.zeros(data.n_documents), self.draws
        while left:
            times = min(left, max(1, LISTS // data.n_queries))
            asked = np.repeat(np.arange(data.n_queries), times)
            ptr, rows, _ = _shown(data, self.policy, asked, self.top_k, None, generator)
            place = np.arange(len(rows)) - np.repeat(ptr[:-1], np.diff(ptr))
            total += _sums(rows, slope[place], data)
            left -= times
        return total / self.draws


def _lines(bias: Any) -> tuple[Vector, Vector]:
    """Return, by rank, how much likelier a relevant document is to be clicked, and how likely another is."""
    if isinstance(bias, TrustBias):
        low = np.asarray(bias.unattractive, np.float64)
        slope = np.asarray(bias.attractive) - low
        if (slope <= 0).any():
            k = int(np.argmax(slope <= 0))
            raise ParameterError(f"bias: rank {k + 1} is clicked no more often if attractive; give fewer ranks.")
        return slope, low
    if hasattr(bias, "tables") and not isinstance(bias, PositionBased):
        raise ParameterError(
            f"bias: a model of kind {bias.name!r} has no probability by rank alone; fit PositionBased."
        )
    given = bias.examination if isinstance(bias, PositionBased) else bias
    values = np.array(by_rank("bias", given))
    return values, np.zeros(len(values))


def _rows(log: ClickLog, data: RankingData) -> IntArray:
    """Return the row of `data` that each row of the log shows."""
    require_log(log)
    rows = log.rows_in(data)[log.pair]
    if (rows < 0).any():
        at = int(np.argmax(rows < 0))
        query, document = log.pair_query[log.pair[at]], log.document[at]
        raise DataError(
            f"data: have no document {document!s} of query {query!s}, which the log shows in row {at}; add it, or "
            "leave the session out."
        )
    return rows


def _sums(rows: IntArray, values: Vector, data: RankingData) -> Vector:
    return np.asarray(np.bincount(rows, values, minlength=data.n_documents), dtype=np.float64)


def _warn_of_faint_documents(rows: IntArray, slope: Vector, base: Vector, data: RankingData) -> None:
    """Warn of documents that were only shown where clicks on what is relevant and on the rest are nearly alike."""
    shown, noise, signal = (_sums(rows, each, data) for each in (np.ones(len(rows)), base * (1 - base), slope))
    spread = np.sqrt(noise * shown) / np.maximum(signal, 1e-300)
    faint = spread > FAINT
    if faint.any():
        row = int(np.argmax(spread))
        low = _sums(rows, base, data)[row] / shown[row]
        warnings.warn(
            f"bias: document {document_ids(data)[row]!s} of query {data.qid[row]!s} was shown where a click has the "
            f"probability {low + signal[row] / shown[row]:.4g} if it is relevant and {low:.4g} if not, on average, so "
            f"that its label is mostly noise, as are those of {int(faint.sum()):,} documents in all; set clip, the "
            "least difference, as clip=0.1 (some bias, less noise).",
            GbrankWarning,
            stacklevel=3,
        )


def _require_possible(rows: IntArray, shown: Vector, data: RankingData) -> None:
    """Raise a `DataError` where the log shows a document that the policy never does."""
    never = shown[rows] == 0
    if never.any():
        row = int(rows[np.argmax(never)])
        raise DataError(
            f"policy: never shows document {document_ids(data)[row]!s} of query {data.qid[row]!s}, which the log "
            "shows; give the policy that made the log, or more draws."
        )
