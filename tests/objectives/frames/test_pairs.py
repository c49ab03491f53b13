"""The frame of pairwise losses: blocks of the numpy engine."""

import numpy as np

from gbrank.objectives import LambdaRank, PairwiseLogistic
from gbrank.objectives._frames import pairs
from gbrank.objectives._frames.pairs import label_blocks, pair_blocks


def test_blocks_cover_each_pair_once(monkeypatch):
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 20)
    for n, truncation in ((1, 5), (7, 3), (7, 100), (30, 30)):
        got = [(i, j) for a, b in pair_blocks(n, truncation) for i in a.ravel() for j in b.ravel() if i < j]
        assert sorted(got) == [(i, j) for i in range(min(truncation, n - 1)) for j in range(i + 1, n)]


def test_blocks_of_labels_cover_each_pair_once(monkeypatch):
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 20)
    gain = np.array([3.0, 3, 2, 1, 1, 1, 0, 0])
    for with_equals in (False, True):
        got = [
            (i, j) for a, b in label_blocks(gain, with_equals) for i in a.ravel() for j in b.ravel()
            if i < j or not with_equals
        ]  # fmt: skip
        want = [(i, j) for i in range(8) for j in range(i + 1, 8) if with_equals or gain[i] != gain[j]]
        assert sorted(got) == want


def test_blocks_do_not_change_the_gradient(monkeypatch):
    rng = np.random.default_rng(0)
    y, s = rng.integers(0, 3, 70).astype(float), rng.normal(size=70)
    for objective in (LambdaRank(), PairwiseLogistic(), PairwiseLogistic(equal_pairs=True)):
        monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 1 << 21)
        whole = objective.gradient_hessian(y, s, [0, 70], engine="numpy")
        monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 100)
        blocks = objective.gradient_hessian(y, s, [0, 70], engine="numpy")
        np.testing.assert_allclose(whole, blocks, rtol=1e-11)
