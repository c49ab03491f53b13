"""Coverage of the catalogue."""

import itertools

import numpy as np
import pytest

from gbrank import DataError, ParameterError
from gbrank.metrics import catalogue_coverage


def test_against_sets():
    rng = np.random.default_rng(0)
    query_ptr = np.concatenate(([0], np.cumsum(rng.integers(1, 40, 50))))
    n = int(query_ptr[-1])
    ids, score = rng.integers(0, 300, n), rng.integers(0, 50, n).astype(float)
    score[rng.random(n) < 0.2] = -np.inf
    for k in (1, 5, 100):
        shown = set()
        for a, b in itertools.pairwise(query_ptr):
            best = a + np.argsort(-score[a:b], kind="stable")[:k]
            shown |= {ids[row] for row in best if score[row] > -np.inf}
        assert catalogue_coverage(ids, score, query_ptr, k) == len(shown) / len(set(ids.tolist()))
        assert catalogue_coverage(ids, score, query_ptr, k, catalogue_size=1000) == len(shown) / 1000
        assert catalogue_coverage(ids.astype(str), score, query_ptr, k) == len(shown) / len(set(ids.tolist()))


def test_refusals():
    with pytest.raises(ParameterError, match="catalogue_size=1: doc_id alone holds 2"):
        catalogue_coverage([1, 2], [0, 1], [0, 2], 1, catalogue_size=1)
    with pytest.raises(DataError, match="doc_id: shape"):
        catalogue_coverage([], [], [0], 1)
    with pytest.raises(DataError, match="score: 1 values for 2"):
        catalogue_coverage([1, 2], [0], [0, 2], 1)
    with pytest.raises(ParameterError, match="k=0"):
        catalogue_coverage([1, 2], [0, 1], [0, 2], 0)
