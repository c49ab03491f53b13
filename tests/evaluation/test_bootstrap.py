"""BCa intervals against scipy's, from the same resamples, and their coverage."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from gbrank.evaluation._bootstrap import bca
from gbrank.evaluation._resampling import resampled_means


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_bca_is_scipys_on_the_same_resamples(confidence):
    rng = np.random.default_rng(0)
    for values in (rng.exponential(1, 25), rng.beta(0.5, 0.5, 60), rng.integers(0, 2, 30) * 1.0):
        means = resampled_means(values[:, None], 2001, 4)[:, 0]
        given = SimpleNamespace(bootstrap_distribution=means)
        n = len(values)
        level = 1 - 2 * stats.norm.sf(np.sqrt(n / (n - 1)) * stats.t.ppf((1 + confidence) / 2, n - 1))
        truth = stats.bootstrap(
            (values,), np.mean, n_resamples=0, bootstrap_result=given, confidence_level=level, method="BCa"
        )
        found = bca(values.mean(), values - values.mean(), means, confidence)
        assert found == pytest.approx(tuple(truth.confidence_interval), rel=1e-9)


def test_constant_values_have_no_width():
    means = resampled_means(np.full((10, 1), 0.1), 100, 0)[:, 0]
    assert bca(0.1, np.zeros(10), means, 0.95) == (0.1, 0.1)


def test_resampled_means_have_the_moments_of_the_bootstrap():
    values = np.random.default_rng(1).exponential(1, (41, 2))
    means = resampled_means(values, 40_000, 0)
    np.testing.assert_allclose(means.mean(axis=0), values.mean(axis=0), rtol=0.01)
    np.testing.assert_allclose(means.std(axis=0), values.std(axis=0) / np.sqrt(41), rtol=0.02)
    third = ((means - means.mean(axis=0)) ** 3).mean(axis=0)
    np.testing.assert_allclose(third, ((values - values.mean(axis=0)) ** 3).mean(axis=0) / 41**2, rtol=0.25)


def test_every_row_is_drawn_as_often():
    n = 13
    drawn = resampled_means(np.eye(n), 20_000, 0) * n
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.04)
    np.testing.assert_allclose(drawn.sum(axis=1), n)
    np.testing.assert_allclose(np.cov(drawn.T)[~np.eye(n, dtype=bool)], -1 / n, atol=0.04)


def test_same_seed_same_means_for_any_number_of_threads():
    values = np.random.default_rng(2).random((50, 3))
    np.testing.assert_array_equal(resampled_means(values, 777, 5, 1), resampled_means(values, 777, 5, 3))
    assert (resampled_means(values, 777, 5) != resampled_means(values, 777, 6)).any()


def test_columns_share_their_resamples():
    values = np.random.default_rng(3).random((20, 2))
    both = resampled_means(values, 200, 0)
    gaps = resampled_means(values[:, :1] - values[:, 1:], 200, 0)
    np.testing.assert_allclose(both[:, :1] - both[:, 1:], gaps, atol=1e-14)


@pytest.mark.parametrize(("kind", "n"), [("normal", 10), ("ndcg", 50), ("ndcg", 100)])
def test_coverage_of_95_percent(kind, n):
    """Of 2,000 intervals about 95% hold the truth, 0."""
    rng, shape = np.random.default_rng(5), (n, 2000)
    gaps = rng.beta(0.6, 0.8, shape) - rng.beta(0.6, 0.8, shape)
    d = rng.normal(size=shape) if kind == "normal" else np.where(rng.random(shape) < 0.5, 0, gaps)
    means = resampled_means(d, 2000, 0)
    ends = [bca(x.mean(), x - x.mean(), m, 0.95) for x, m in zip(d.T, means.T, strict=True)]
    assert 0.935 <= np.mean([low <= 0 <= high for low, high in ends]) <= 0.96
