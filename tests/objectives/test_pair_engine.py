"""The frame of pairwise losses: ranking and blocks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank.objectives import LambdaRank, _pair_engine
from gbrank.objectives._pair_engine import pair_blocks, rank


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([-1.5, -1.0, 0.0, 0.25, 2.0]), min_size=1, max_size=80), st.randoms())
def test_rank_is_a_stable_sort_from_any_first_guess(scores, random):
    score = np.array(scores)
    n = len(score)
    guess = list(range(n))
    random.shuffle(guess)
    order, row = np.array(guess), np.empty(n, np.int64)
    rank(score, order, np.empty(n), row, np.empty(n), np.empty(n, np.int64))
    want = np.argsort(-score, kind="stable")
    assert order.tolist() == row.tolist() == want.tolist()


def test_blocks_cover_each_pair_once(monkeypatch):
    monkeypatch.setattr(_pair_engine, "PAIRS_AT_ONCE", 20)
    for n, truncation in ((1, 5), (7, 3), (7, 100), (30, 30)):
        pairs = [(i, j) for a, b in pair_blocks(n, truncation) for i in a.ravel() for j in b.ravel() if i < j]
        assert sorted(pairs) == [(i, j) for i in range(min(truncation, n - 1)) for j in range(i + 1, n)]


def test_blocks_do_not_change_the_gradient(monkeypatch):
    rng = np.random.default_rng(0)
    y, s = rng.integers(0, 3, 70).astype(float), rng.normal(size=70)
    whole = LambdaRank().gradient_hessian(y, s, [0, 70], engine="numpy")
    monkeypatch.setattr(_pair_engine, "PAIRS_AT_ONCE", 100)
    blocks = LambdaRank().gradient_hessian(y, s, [0, 70], engine="numpy")
    np.testing.assert_allclose(whole, blocks, rtol=1e-12)
