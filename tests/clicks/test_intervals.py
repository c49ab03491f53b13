"""Intervals of means over sessions and over whole queries."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from gbrank.clicks._intervals import Intervals

rng = np.random.default_rng(0)
QUERY = rng.integers(0, 9, 60)
VALUES = rng.normal(size=60) + QUERY


def test_of_sessions_it_is_the_t_interval():
    mean, error, low, high = Intervals(0.9).of_mean(VALUES, QUERY)
    assert (mean, error) == pytest.approx((VALUES.mean(), VALUES.std(ddof=1) / np.sqrt(60)))
    assert (low, high) == pytest.approx(tuple(ttest_1samp(VALUES, 0).confidence_interval(0.9)))


def test_of_queries_it_is_that_of_a_ratio_of_sums():
    """The delta method by hand: sums of values over queries, divided by sums of sessions."""
    _, error, *_ = Intervals(unit="query").of_mean(VALUES, QUERY)
    sums, sizes = np.bincount(QUERY, VALUES), np.bincount(QUERY)
    ratio = sums.sum() / sizes.sum()
    assert error == pytest.approx(np.sqrt(9 / 8 * np.square(sums - ratio * sizes).sum()) / 60)
    each = np.arange(60)
    assert Intervals(unit="query").of_mean(VALUES, each) == pytest.approx(Intervals().of_mean(VALUES, each))


@pytest.mark.parametrize("unit", ["session", "query"])
def test_bootstrap_and_t_agree_where_nothing_is_skew(unit):
    values, query = rng.normal(size=3000), rng.integers(0, 300, 3000)
    ends = [Intervals(kind=kind, unit=unit, n_jobs=1).of_mean(values, query)[2:] for kind in ("t", "bootstrap")]
    assert ends[0] == pytest.approx(ends[1], abs=0.006)


def test_one_unit_has_no_interval():
    assert np.isnan(Intervals().of_mean(np.ones(1), np.zeros(1, np.int64))[1:]).all()
    assert np.isnan(Intervals(unit="query").of_mean(VALUES, np.zeros(60, np.int64))[1:]).all()
