"""Blocks of queries, and what is gathered from them."""

import itertools

import numpy as np
import pytest

from gbrank import DataError
from gbrank.metrics import _walk, all_values
from gbrank.metrics._ranking import ALL

NAMES = ("ndcg@3", "ap", "auc", "infap(tie_samples=3)", "rr(ties=trec)", "p@2(ties=worst)", "ap(unjudged=removed)")


@pytest.fixture(scope="module")
def lists():
    rng = np.random.default_rng(3)
    query_ptr = np.concatenate(([0], np.cumsum(rng.integers(1, 60, 150))))
    n = int(query_ptr[-1])
    score = rng.integers(0, 20, n).astype(float)
    score[rng.random(n) < 0.1] = -np.inf
    return rng.integers(-1, 3, n).astype(float), score, query_ptr


@pytest.mark.parametrize("n_jobs", [1, 3])
@pytest.mark.parametrize("block", [1, 50, 1000, 10**9])
def test_blocks_and_threads_change_nothing(lists, monkeypatch, block, n_jobs):
    y, score, query_ptr = lists
    whole = all_values(NAMES, y, score, query_ptr, n_jobs=1)
    monkeypatch.setattr(_walk, "BLOCK", block)
    np.testing.assert_array_equal(all_values(NAMES, y, score, query_ptr, n_jobs=n_jobs), whole)
    cuts = list(_walk._blocks(2, 140, query_ptr))
    assert [a for a, _ in cuts] == [2, *(b for _, b in cuts[:-1])]
    assert cuts[-1][1] == 140
    assert all(query_ptr[b] - query_ptr[a] <= max(block, 59) for a, b in cuts)


@pytest.mark.parametrize("depth", [1, 4, ALL])
def test_tied_rows(lists, monkeypatch, depth):
    monkeypatch.setattr(_walk, "BLOCK", 200)
    _, score, query_ptr = lists
    wanted = set()
    for a, b in itertools.pairwise(query_ptr):
        placed = [row for row in range(a, b) if score[row] > -np.inf]
        last = sorted((score[row] for row in placed), reverse=True)[:depth][-1:]
        for row in placed:
            if score[row] >= last[0] and sum(score[other] == score[row] for other in placed) > 1:
                wanted.add(row)
    rows = _walk.tied_rows(query_ptr, _walk.Ranking(score), depth, 1).tolist()
    assert len(rows) == len(set(rows))
    assert wanted <= set(rows)
    if depth == ALL:
        assert set(rows) == wanted


def test_placed_scores():
    got = _walk.placed_scores([1, -np.inf, 2], 3)
    assert got.tolist() == [1, -np.inf, 2]
    assert _walk.placed_scores([], 0).shape == (0,)
    for bad in ([[1.0]], ["x"], [np.nan, -np.inf], [np.inf, 1], [1, 2, 3]):
        with pytest.raises(DataError):
            _walk.placed_scores(bad, 2)
