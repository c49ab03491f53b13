"""`catalogue_coverage`: how much of a catalogue the first places show, over all queries."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_whole
from .._groups import check_query_ptr
from ._walk import Ranking, Step, placed_scores, shown_places, walk


def catalogue_coverage(
    doc_id: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    k: int,
    *,
    catalogue_size: int | None = None,
    n_jobs: int | None = None,
) -> float:
    """Return the share of a catalogue's documents that stand among the first `k` of at least one query.

    This is no measure of a query, so it is no `Measure`: it is of all lists together.  Of documents tied at the
    cutoff, those in earlier rows are shown.

    Parameters
    ----------
    doc_id : array-like of shape (n_documents,)
        The same document has the same id in every query.
    score : array-like of shape (n_documents,)
        A higher score ranks first; documents of score -inf are not shown.
    query_ptr : array-like of int of shape (n_queries + 1,)
        Query q holds the rows ``query_ptr[q]:query_ptr[q + 1]``.
    k : int
        Cutoff.
    catalogue_size : int, optional
        Number of documents that could be shown; by default the distinct ids in `doc_id`.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Raises
    ------
    DataError
        Lengths differ, or there is no document.
    ParameterError
        The catalogue is smaller than the number of ids in `doc_id`.

    References
    ----------
    Ge, Delgado-Battenfeld and Jannach, "Beyond Accuracy", RecSys 2010.

    Examples
    --------
    >>> catalogue_coverage(["a", "b", "c", "a", "b", "d"], [3, 2, 1, 3, 2, 1], [0, 3, 6], k=2)
    0.5
    """
    check_whole("k", k)
    ids = np.asarray(doc_id)
    if ids.ndim != 1 or len(ids) == 0:
        raise DataError(f"doc_id: shape {ids.shape}; give one id for each document, and at least one.")
    scores = np.require(placed_scores(score, len(ids)), requirements=["W"])
    ptr = np.require(check_query_ptr(query_ptr, len(ids)), requirements=["W"])
    unique, code = np.unique(ids, return_inverse=True)
    size = len(unique) if catalogue_size is None else catalogue_size
    check_whole("catalogue_size", size)
    if size < len(unique):
        raise ParameterError(f"catalogue_size={size}: doc_id alone holds {len(unique)} different ids.")
    shown: list[npt.NDArray[Any]] = []

    def gather(a: int, b: int, query_ptr: IntArray, row: IntArray, tie_end: IntArray, places: IntArray) -> None:
        first, _, local = shown_places(query_ptr, a, b, np.minimum(places[: b - a, 0], k))
        shown.append(np.unique(code[first + row[local]]))

    walk(ptr, Ranking(scores, split=True), min(k, len(ids)), [Step(gather, (), ())], n_jobs)
    return len(np.unique(np.concatenate(shown))) / size
