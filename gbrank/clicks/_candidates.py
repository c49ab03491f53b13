"""A log and a new ranking brought together: which documents it shows, where, and what the log has of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector
from ..data import RankingData, Run
from ._log import ClickLog
from ._model import ClickModel
from ._off_policy import Shown
from ._pairs import match_pairs, pairs_of
from ._tables import PairTable, as_probabilities

Vector = npt.NDArray[np.float64]
Ids = npt.NDArray[Any]


def bring_together(log: ClickLog, ranking: Any, data: RankingData | None = None) -> Shown:
    """Return the rows of a log and the candidates of a new ranking.

    Parameters
    ----------
    log : ClickLog
    ranking : Run, ranker, or array-like
        See `gbrank.clicks.estimate`.
    data : RankingData, optional

    Raises
    ------
    DataError
        A query of the log is not ranked, or a score is missing or not finite.
    ParameterError
        A ranker without data, or a run with.
    """
    session = np.repeat(np.arange(log.n_sessions), log.session_sizes)
    if data is None and not isinstance(ranking, Run):
        return Shown(
            session=session,
            candidate=np.arange(log.n_rows),
            rank=log.rank,
            click=log.click.astype(np.float64),
            session_query=np.arange(log.n_sessions),
            candidate_query=session,
            new_rank=ranks_of(_scores_of_rows(ranking, log), log.session_ptr),
        )
    new = ranked(ranking, data, "ranking")
    place = match_pairs((new.queries, new.documents), (log.pair_query, log.pair_document))
    query = _places(new.query_ids, log.query)
    others = np.flatnonzero(place < 0)
    place[others] = len(new.score) + np.arange(len(others))
    sizes, pair_query = np.diff(new.query_ptr), np.zeros(log.n_pairs, np.int64)
    pair_query[log.pair] = query[session]
    return Shown(
        session=session,
        candidate=place[log.pair],
        rank=log.rank,
        click=log.click.astype(np.float64),
        session_query=query,
        candidate_query=np.concatenate((np.repeat(np.arange(len(sizes)), sizes), pair_query[others])),
        new_rank=np.concatenate((ranks_of(new.score, new.query_ptr), np.zeros(len(others), np.int64))),
    )


def guess_of(relevance: Any, log: ClickLog, ranking: Any, data: RankingData | None, n_candidates: int) -> Vector:
    """Return a guess of the attraction of each candidate; 0 for those that the new ranking does not hold.

    Parameters
    ----------
    relevance : array-like, PairTable or ClickModel
        Numbers of what is ranked, or what finds them by query and document id.
    log, ranking, data
        As in `bring_together`.
    n_candidates : int
    """
    if data is not None:
        queries, documents = pairs_of(data)
    elif isinstance(ranking, Run):
        queries, documents = ranking.qid, ranking.doc_id
    else:
        queries, documents = np.repeat(log.query, log.session_sizes), log.document
    if isinstance(relevance, ClickModel):
        if relevance.attraction is None:
            raise ParameterError(f"relevance: the {relevance.name} model has no attractions; fit it first.")
        relevance = relevance.attraction
    if isinstance(relevance, PairTable):
        given = relevance.find(queries, documents)
    else:
        given = as_vector(
            "relevance", as_probabilities("relevance", relevance), length=len(queries), of="documents ranked"
        )
    return np.concatenate((given, np.zeros(n_candidates - len(given))))


def ranks_of(score: Vector, query_ptr: IntArray) -> IntArray:
    """Return the rank, from 1, of each document in its query; of equal scores the first given ranks first.

    Examples
    --------
    >>> ranks_of(np.array([0.5, 2.0, 0.5, 1.0]), np.array([0, 3, 4])).tolist()
    [2, 1, 3, 1]
    """
    ranks = np.empty(len(score), np.int64)
    ranks[_sorted(score, query_ptr)] = np.arange(len(score)) - np.repeat(query_ptr[:-1], np.diff(query_ptr)) + 1
    return ranks


def order_of(score: Vector, query_ptr: IntArray, k: int) -> list[list[int]]:
    """Return the rows of the first k documents of each query, the first first.

    Examples
    --------
    >>> order_of(np.array([0.5, 2.0, 0.7, 1.0]), np.array([0, 3, 4]), 2)
    [[1, 2], [3]]
    """
    order = _sorted(score, query_ptr).tolist()
    ends = np.minimum(query_ptr[1:], query_ptr[:-1] + k).tolist()
    return [order[start:end] for start, end in zip(query_ptr[:-1].tolist(), ends, strict=True)]


def _sorted(score: Vector, query_ptr: IntArray) -> IntArray:
    sizes = np.diff(query_ptr)
    return np.lexsort((-score, np.repeat(np.arange(len(sizes)), sizes)))


def _scores_of_rows(ranking: Any, log: ClickLog) -> Vector:
    if hasattr(ranking, "predict"):
        raise ParameterError(
            f"ranking: {type(ranking).__name__} needs documents to rank; give `data` with those of each query."
        )
    return as_vector("ranking", ranking, length=log.n_rows, of="rows of the log")


@dataclass(frozen=True)
class Ranked:
    """Documents of queries with scores.

    Attributes
    ----------
    score : array of shape (n_documents,)
    query_ptr : int64 array of shape (n_queries + 1,)
    query_ids : array of shape (n_queries,)
    queries, documents : array of shape (n_documents,)
        The ids of each document.
    """

    score: Vector
    query_ptr: IntArray
    query_ids: Ids
    queries: Ids
    documents: Ids


def ranked(ranking: Any, data: RankingData | None, name: str) -> Ranked:
    """Return what is ranked: a run, or documents of `data` by a ranker or scores.

    Raises
    ------
    ParameterError
        A run beside data, or no run and no data.
    """
    if isinstance(ranking, Run):
        if data is not None:
            raise ParameterError(
                f"data: {name} is a run, which has documents of its own; leave the data out, or give scores of theirs."
            )
        return Ranked(ranking.score, ranking.query_ptr, ranking.query_ids, ranking.qid, ranking.doc_id)
    if data is None:
        raise ParameterError(
            f"{name}: {type(ranking).__name__} needs documents to rank; give `data` with those of each query, or a Run."
        )
    if hasattr(ranking, "predict"):
        ranking = ranking.predict(data)
    score = as_vector(name, ranking, length=data.n_documents)
    return Ranked(score, data.query_ptr, data.query_ids, *pairs_of(data))


def _places(queries: Ids, wanted: Ids) -> IntArray:
    """Return the number of each session's query among those ranked."""
    place = match_pairs((queries, np.zeros(len(queries), np.int64)), (wanted, np.zeros(len(wanted), np.int64)))
    if place.min() < 0:
        missing = wanted[int(np.argmin(place))]
        raise DataError(
            f"ranking: query {missing!s} of the log is not in it; rank the documents of every query of the log, or "
            "take the sessions of those that are ranked."
        )
    return place
