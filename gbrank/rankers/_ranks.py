"""Scores to ranks, query by query."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray
from .._groups import group_rows


def ranks_in_queries(score: npt.NDArray[np.float64], qid: npt.ArrayLike) -> IntArray:
    """Return the rank of each document in its query, from 1, in the order of the rows; ties share the better rank.

    Raises
    ------
    DataError
        `qid` is not one id for each score.
    """
    groups = group_rows(qid)
    if len(groups.order) != len(score):
        raise DataError(f"qid: {len(groups.order)} ids for {len(score)} documents; give one for each.")
    ranks = np.empty(len(score), np.int64)
    for a, b in zip(groups.query_ptr[:-1], groups.query_ptr[1:], strict=True):
        rows = groups.order[a:b]
        ascending = np.sort(score[rows])
        ranks[rows] = 1 + (b - a) - np.searchsorted(ascending, score[rows], side="right")
    return ranks
