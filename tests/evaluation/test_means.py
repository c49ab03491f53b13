"""Weighted means and their standard errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import measure
from gbrank.evaluation._means import mean_and_error, query_weights


def test_equal_weights_are_the_textbook():
    values = np.array([0.1, 0.5, 0.2, np.nan, 0.9])
    kept = values[~np.isnan(values)]
    for weight in (1.0, 7.0):
        mean, error, n = mean_and_error(values, np.full(5, weight))
        assert (mean, n) == (pytest.approx(kept.mean()), 4)
        assert error == pytest.approx(kept.std(ddof=1) / 2)


def test_nothing_and_one():
    assert mean_and_error(np.array([np.nan]), np.ones(1))[2] == 0
    mean, error, n = mean_and_error(np.array([0.5, np.nan]), np.array([3.0, 1.0]))
    assert (mean, n) == (0.5, 1)
    assert np.isnan(error)


def test_error_of_a_weighted_mean_by_simulation():
    generator = np.random.default_rng(0)

    def draw():
        sizes = generator.integers(1, 40, 200).astype(float)
        return mean_and_error(0.3 + 0.01 * sizes + generator.normal(size=200), sizes)

    drawn = np.array([draw()[:2] for _ in range(2000)])
    assert drawn[:, 1].mean() == pytest.approx(drawn[:, 0].std(), rel=0.06)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4)), min_size=1, max_size=20))
def test_a_weight_is_a_repetition_in_the_mean(pairs):
    values, counts = map(np.array, zip(*pairs, strict=True))
    mean, _, _ = mean_and_error(values, counts.astype(float))
    assert mean == pytest.approx(np.repeat(values, counts).mean())


def test_weights_follow_the_convention():
    assert query_weights(measure("rr"), np.array([3, 5])).tolist() == [1, 1]
    assert query_weights(measure("rr", average="documents"), np.array([3, 5])).tolist() == [3, 5]
