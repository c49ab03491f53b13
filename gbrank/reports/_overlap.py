"""Whether data sets share queries: by their ids, or of sessions, whose ids are no query's, by what they show."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..data import RankingData

SAME = 0.5
"""The least share of a session's documents that the other data have, for the session to be one of their queries."""
MIX, SPREAD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)

Keys = npt.NDArray[np.uint64]


def shared_ids(one: RankingData, other: RankingData) -> int:
    """Return how many query ids both have."""
    return len(set(one.query_ids.tolist()) & set(other.query_ids.tolist()))


def shared_sessions(sessions: RankingData, other: RankingData) -> int:
    """Return how many queries of `sessions` have at least half of their documents in `other` as well.

    Documents are the same if their features are equal, and where both data have document ids, these too.
    """
    with_ids = sessions.doc_id is not None and other.doc_id is not None
    known = np.isin(document_keys(sessions, with_ids), document_keys(other, with_ids))
    return int((np.add.reduceat(known, sessions.query_ptr[:-1], dtype=np.float64) >= SAME * sessions.query_sizes).sum())


def document_keys(data: RankingData, with_ids: bool) -> Keys:
    """Return a number for each document, made of its features, and of its id if wanted; of a sparse X as of a dense."""
    with np.errstate(over="ignore"):
        factor = mixed(np.arange(1, data.n_features + 1, dtype=np.uint64)) | np.uint64(1)
        if hasattr(data.X, "indptr"):
            sums = np.append(np.uint64(0), np.cumsum(mixed(bits(data.X.data)) * factor[data.X.indices]))
            keys = sums[data.X.indptr[1:]] - sums[data.X.indptr[:-1]]
        else:
            keys = np.zeros(data.n_documents, np.uint64)
            for j in range(data.n_features):
                keys += mixed(bits(data.X[:, j])) * factor[j]
        if with_ids:
            keys += pd.util.hash_array(np.asarray(data.doc_id, dtype=object))
    return np.asarray(keys, np.uint64)


def bits(values: npt.NDArray[Any]) -> Keys:
    """Return the bits of numbers as float64; those of 0 are 0, whatever its sign."""
    return np.asarray((np.asarray(values, np.float64) + 0.0).view(np.uint64), np.uint64)


def mixed(keys: Keys) -> Keys:
    """Return numbers in which each bit depends on many, 0 for 0."""
    keys = keys * MIX
    keys = (keys ^ (keys >> np.uint64(32))) * SPREAD
    return keys ^ (keys >> np.uint64(29))
