"""A digest of data, by which stored results know what they are results of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import scipy.sparse as sp

from ._ranking_data import RankingData

SAMPLED = 1000  # rows of X that are looked at


def digest(folds: Iterable[Iterable[RankingData]]) -> str:
    """Return a digest of all labels, queries, weights and pairs of the folds and of a sample of their features."""
    total = hashlib.sha256()
    for data in (part for fold in folds for part in fold):
        rows = np.linspace(0, data.n_documents - 1, min(SAMPLED, data.n_documents)).astype(np.int64)
        sample = data.X[rows]
        total.update(f"{data.X.shape} {data.X.dtype} {sp.issparse(data.X)} {data.feature_names}".encode())
        total.update(np.ascontiguousarray(sample.toarray() if sp.issparse(sample) else sample).tobytes())
        total.update(repr([(name, values.tolist()) for name, values in data.categories.items()]).encode())
        pairs = [values for values in (data.pairs, data.pair_weight) if values is not None]
        for values in (data.y, data.query_ptr, data.query_ids, data.sample_weight, data.query_weight, *pairs):
            total.update(b"none" if values is None else f"{values.dtype}".encode() + values.tobytes())
    return total.hexdigest()
