"""Lambda weights by themselves."""

import numpy as np
import pytest

from gbrank.objectives._lambda_weights import NDCG, UNIFORM


def test_ndcg_weight_is_the_change_of_ndcg_by_a_swap():
    y = np.array([1.0, 0, 2])
    gain, discount = 2**y - 1, 1 / np.log2([2, 3, 4])
    ideal = np.array([3.0, 1, 0]) @ discount
    a, b = np.empty(3), np.empty(3)
    c = NDCG.prepare(y, gain, discount, ideal, a, b)
    change = abs(np.array([3.0, 0, 1]) @ discount - gain @ discount) / ideal
    assert NDCG.delta(0, 2, y[0], y[2], a[0], a[2], b[0], b[2], c) == pytest.approx(change)
    assert NDCG.prepare(y, gain, discount, 0.0, a, b) == 0


def test_uniform_weight_is_one():
    assert UNIFORM.delta(0, 1, 2, 0, 0, 0, 0, 0, UNIFORM.prepare(None, None, None, 0, None, None)) == 1
    assert not UNIFORM.ranked
