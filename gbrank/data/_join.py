"""Judgments and a run, brought together by query and document id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError
from ._ids import Strings, as_ids, first_repeat, hashes_of, places
from ._ranking_data import RankingData
from ._runs import Qrels, Run, labels_of

UNJUDGED, UNKNOWN = -1, -2  # labels: pooled but not judged; not mentioned by the judgments


@dataclass(frozen=True, eq=False)
class Joined:
    """Judged and retrieved documents of the judged queries, as measures take them; made by `join`.

    Attributes
    ----------
    y : float64 array of shape (n_documents,)
        Labels; -2 for a document of the run that the judgments do not mention.
    score : float64 array of shape (n_documents,)
        Scores; -inf for a judged document that the run did not retrieve.
    query_ptr : int64 array of shape (n_queries + 1,)
        Query q, the q-th of the judgments, holds the rows query_ptr[q]:query_ptr[q + 1].
    doc_id : str array of shape (n_documents,)
    row : int64 array of shape (n_documents,)
        Where each document stands in the judgments; -1 where they do not mention it.
    other_queries : str array
        The queries of the run that the judgments lack; they are left out.
    other_documents : int
        How many documents the run has for these.
    """

    y: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    query_ptr: IntArray
    doc_id: Strings
    row: IntArray
    other_queries: Strings
    other_documents: int


def join(judgments: RankingData | Qrels, run: Run, *, n_jobs: int | None = None) -> Joined:
    """Bring judgments and a run together, by query and document id.

    Queries stand in the order of the judgments.  Within one, the documents of the run come first, in its order, and
    then those that it did not retrieve.  Ids are compared as strings: query 7 of the one is ``"7"`` of the other.

    Parameters
    ----------
    judgments : RankingData or Qrels
        Data need document ids, none twice in a query, and one label column.
    run : Run
    n_jobs : int, optional
        Number of threads; all cores by default.

    Raises
    ------
    DataError
        Data without document ids, or with one twice in a query, or no query of the run is judged.

    Examples
    --------
    >>> qrels = Qrels.from_dict({"q1": {"a": 2, "b": 0}, "q2": {"a": 1}})
    >>> joined = join(qrels, Run.from_dict({"q1": {"c": 0.9, "a": 0.5}, "q7": {"a": 1.0}}))
    >>> joined.doc_id.tolist(), joined.y.tolist(), joined.score.tolist(), joined.query_ptr.tolist()
    (['c', 'a', 'b', 'a'], [-2.0, 2.0, 0.0, 1.0], [0.9, 0.5, -inf, -inf], [0, 3, 4])
    >>> joined.other_queries.tolist()
    ['q7']
    """
    if not isinstance(run, Run):
        raise ParameterError(f"run={type(run).__name__}: give a gbrank.Run, as Run.from_dict or read_run make it.")
    query_ids, doc_id, y = judged(judgments)
    partner, other = _partners(query_ids, run)
    if other.all():
        raise DataError(
            f"no query of the run is judged: it has {run.query_ids[0]!s}, the judgments {query_ids[0]!s}; "
            "give the judgments of its queries."
        )
    in_run = np.full(run.n_queries, -1)
    found_queries = np.flatnonzero(partner >= 0)
    in_run[partner[found_queries]] = found_queries
    found = places(doc_id, judgments.query_ptr, run.doc_id, run.query_ptr, in_run, n_jobs)
    query_of_row = np.repeat(np.arange(len(query_ids)), np.diff(judgments.query_ptr))
    seen = np.zeros(len(doc_id), bool)
    seen[found[found >= 0]] = True
    kept, rest = np.flatnonzero(np.repeat(in_run >= 0, run.query_sizes)), np.flatnonzero(~seen)
    query = np.concatenate((np.repeat(in_run, run.query_sizes)[kept], query_of_row[rest]))
    order = np.argsort(query, kind="stable")
    row = np.concatenate((found[kept], rest))[order]
    score = np.concatenate((run.score[kept], np.full(len(rest), -np.inf)))[order]
    return Joined(
        y=np.where(row >= 0, y[row], float(UNKNOWN)),
        score=score,
        query_ptr=np.concatenate(([0], np.cumsum(np.bincount(query, minlength=len(query_ids))))),
        doc_id=np.concatenate((run.doc_id[kept], doc_id[rest]))[order],
        row=row,
        other_queries=run.query_ids[other],
        other_documents=int(run.query_sizes[other].sum()),
    )


def judged(judgments: RankingData | Qrels) -> tuple[Strings, Strings, npt.NDArray[np.float64]]:
    """Return query ids, document ids and labels, checked for joining."""
    if isinstance(judgments, Qrels):
        return judgments.query_ids, judgments.doc_id, judgments.label
    y = labels_of(judgments)
    if judgments.doc_id is None:
        raise DataError("the data have no document ids, by which a run is joined; give RankingData a doc_id.")
    documents, queries = as_ids("doc_id", judgments.doc_id), judgments.query_ids.astype(str)
    twice = first_repeat(documents, hashes_of(documents), judgments.query_ptr)
    if twice is not None:
        query = queries[np.searchsorted(judgments.query_ptr, twice[0], "right") - 1]
        raise DataError(
            f"doc_id: document {documents[twice[0]]!s} of query {query!s} is in rows {twice[0]} and {twice[1]} of the "
            "data; a run cannot be joined by it, make the ids distinct."
        )
    return queries, documents, y


def _partners(query_ids: Strings, run: Run) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Return each judged query's number in the run, or -1, and which queries of the run are not judged."""
    number = {query: i for i, query in enumerate(run.query_ids.tolist())}
    partner = np.array([number.get(query, -1) for query in query_ids.tolist()], np.int64)
    other = np.ones(run.n_queries, bool)
    other[partner[partner >= 0]] = False
    return partner, other
