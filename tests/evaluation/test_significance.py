"""Tests of differences: against scipy, exact enumeration, hand-worked cases, and their rate of false positives."""

import itertools

import numpy as np
import pytest
from scipy import stats

from gbrank.evaluation._resampling import _subset_sums
from gbrank.evaluation._significance import (
    detectable,
    holm,
    paired_t,
    randomised_tukey,
    sign_flip,
    tukey_hsd,
    wilcoxon,
)

LEVEL = 0.05


def ragged(rng, n, columns):
    """Differences with ties, zeros and NaN."""
    d = rng.integers(-4, 6, (n, columns)) / 4.0
    d[rng.random(d.shape) < 0.1] = np.nan
    return d


def test_t_is_scipys():
    d = ragged(np.random.default_rng(0), 40, 6)
    t, p = paired_t(d)
    for j in range(6):
        known = d[~np.isnan(d[:, j]), j]
        truth = stats.ttest_rel(known, np.zeros(len(known)))
        assert (t[j], p[j]) == pytest.approx((truth.statistic, truth.pvalue), rel=1e-12)


def test_t_of_constant_differences():
    t, p = paired_t(np.column_stack([np.zeros(5), np.ones(5), -np.ones(5)]))
    assert t.tolist() == [0, np.inf, -np.inf]
    assert p.tolist() == [1, 0, 0]


def test_wilcoxon_is_scipys_with_pratts_zeros():
    d = ragged(np.random.default_rng(1), 60, 6)
    _, p = wilcoxon(d, 1000, 0)
    for j in range(6):
        known = d[~np.isnan(d[:, j]), j]
        truth = stats.wilcoxon(known, zero_method="pratt", method="asymptotic", correction=False)
        assert p[j] == pytest.approx(truth.pvalue, rel=1e-10)


def test_wilcoxon_is_exact_for_few_queries():
    rng = np.random.default_rng(2)
    d = rng.normal(0.5, 1, (9, 4))
    total, p = wilcoxon(d, 1000, 0)
    for j in range(4):
        truth = stats.wilcoxon(d[:, j], method="exact")
        assert p[j] == pytest.approx(truth.pvalue, rel=1e-12)
        ranks = stats.rankdata(np.abs(d[:, j]))
        assert total[j] == (np.sign(d[:, j]) * ranks).sum()


def test_wilcoxon_with_ties_and_zeros_by_enumeration():
    d = np.array([0.5, -0.5, 0.0, 1.0, 0.3 - 0.1, 0.2, 1.5, 0.0])  # 0.3 - 0.1 is 0.2 but for rounding
    ranks = np.array([5.5, -5.5, 0, 7, 3.5, 3.5, 8, 0])  # zeros take ranks 1 and 2
    sums = [np.dot(signs, ranks) for signs in itertools.product((1, -1), repeat=8)]
    total, p = wilcoxon(d[:, None], 1000, 0)
    assert total[0] == ranks.sum()
    assert p[0] == np.mean(np.abs(sums) >= ranks.sum() - 1e-9)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_sign_flips_of_few_queries_are_enumerated(n):
    d = ragged(np.random.default_rng(n), n, 8)
    mean, p = sign_flip(d, 1000, 0)
    for j in range(8):
        known = d[~np.isnan(d[:, j]), j]
        if not len(known):
            continue
        sums = [np.dot(signs, known) for signs in itertools.product((1, -1), repeat=len(known))]
        assert p[j] == pytest.approx(np.mean(np.abs(sums) >= abs(known.sum()) - 1e-12), rel=1e-14)
        assert mean[j] == pytest.approx(known.mean())


def test_sign_flips_are_scipys_permutations():
    d = np.random.default_rng(3).normal(0.3, 1, 10)
    truth = stats.permutation_test(
        (d,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=2000
    )
    assert sign_flip(d[:, None], 2000, 0)[1][0] == pytest.approx(truth.pvalue, rel=1e-12)


def test_random_sign_flips_approach_enumeration():
    d = np.random.default_rng(4).normal(0.35, 1, (16, 5))
    exact = sign_flip(d, 1 << 16, 0)[1]
    m = 20_000
    found = sign_flip(d, m, 7)[1]
    np.testing.assert_allclose(found, exact, atol=4 * np.sqrt(0.25 / m))
    scaled = found * (m + 1)  # (b + 1) / (m + 1)
    np.testing.assert_allclose(scaled, np.round(scaled), atol=1e-6)
    assert scaled.min() >= 1
    huge = sign_flip(np.full((30, 1), 1.0), m, 0)[1]
    assert huge[0] == pytest.approx(1 / (m + 1))


@pytest.mark.parametrize("n", [9, 64, 70])
def test_random_signs_are_fair_and_independent(n):
    """Subsets of the rows of the unit matrix show which rows are in: each in half of them, pairs in a quarter."""
    seeds = np.random.default_rng(5).integers(0, 1 << 63, 8000).astype(np.uint64)
    kept = np.zeros((8000, n))
    _subset_sums(0, 8000, seeds, np.eye(n), kept)
    assert set(kept.ravel()) == {0, 1}
    both = kept.T @ kept / 8000
    np.testing.assert_allclose(both, 0.25 + 0.25 * np.eye(n), atol=0.03)


def test_p_does_not_depend_on_threads():
    d = np.random.default_rng(5).normal(0.02, 1, (300, 7))
    alone = sign_flip(d, 1001, 3, 1)[1]
    np.testing.assert_array_equal(alone, sign_flip(d, 1001, 3, 3)[1])
    pairs = [(0, 1), (2, 6)]
    np.testing.assert_array_equal(randomised_tukey(d, pairs, 1001, 3, 1), randomised_tukey(d, pairs, 1001, 3, 2))


def test_two_systems_tukey_is_the_paired_t_test():
    x = np.random.default_rng(6).random((30, 2))
    x[:, 0] += 0.1
    assert tukey_hsd(x, [(0, 1)])[0] == pytest.approx(paired_t((x[:, 0] - x[:, 1])[:, None])[1][0], rel=1e-6)


def test_tukey_by_least_squares():
    """The residual of regressing on one dummy for each query and system, by a general solver."""
    x = np.random.default_rng(7).random((12, 4)) + np.arange(4) * 0.15
    n, k = x.shape
    dummies = np.column_stack([np.kron(np.eye(n), np.ones((k, 1))), np.kron(np.ones((n, 1)), np.eye(k))])
    residual = x.ravel() - dummies @ np.linalg.lstsq(dummies, x.ravel(), rcond=None)[0]
    freedom = n * k - np.linalg.matrix_rank(dummies)
    error = np.sqrt(residual @ residual / freedom / n)
    pairs = list(itertools.combinations(range(k), 2))
    truth = [stats.studentized_range.sf(abs(x[:, a].mean() - x[:, b].mean()) / error, k, freedom) for a, b in pairs]
    np.testing.assert_allclose(tukey_hsd(x, pairs), truth, rtol=1e-9)


def test_tukey_without_query_effects_is_near_scipys_one_way():
    x = np.random.default_rng(8).normal(0, 1, (400, 3)) + np.array([0, 0.1, 0.2])
    truth = stats.tukey_hsd(*x.T).pvalue
    found = tukey_hsd(x, [(0, 1), (0, 2), (1, 2)])
    np.testing.assert_allclose(found, [truth[0, 1], truth[0, 2], truth[1, 2]], atol=0.02)


def test_randomised_tukey_by_enumeration():
    x = np.random.default_rng(9).random((4, 3))
    x[:, 0] += 0.3
    pairs = [(0, 1), (0, 2), (1, 2)]
    orders = [[row[list(order)] for order in itertools.permutations(range(3))] for row in x]
    ranges = np.array([np.ptp(np.mean(rows, axis=0)) for rows in itertools.product(*orders)])
    means = x.mean(axis=0)
    exact = [np.mean(ranges >= abs(means[a] - means[b]) - 1e-12) for a, b in pairs]
    np.testing.assert_allclose(randomised_tukey(x, pairs, 20_000, 0), exact, atol=0.015)


@pytest.mark.parametrize("width", [5, 12])
def test_permutations_are_fair(width):
    """One system has all the value: each place gets it as often."""
    x = np.zeros((1, width))
    x[0, 0] = 1
    p = randomised_tukey(x, [(0, 1), (1, 2)], 1000, 0)
    assert p.tolist() == [1, 1]  # the range is 1 in every order
    two = np.zeros((2, width))
    two[:, 0] = 1
    p = randomised_tukey(two, [(0, 1)], 40_000, 0)[0]  # both in one place: 1 of `width`
    assert p == pytest.approx(1 / width, abs=0.01)


def test_randomised_tukey_of_two_systems_is_the_sign_flip():
    x = np.random.default_rng(10).random((12, 2))
    x[:, 0] += 0.1
    exact = sign_flip((x[:, 0] - x[:, 1])[:, None], 1 << 12, 0)[1][0]
    assert randomised_tukey(x, [(0, 1)], 20_000, 0)[0] == pytest.approx(exact, abs=0.015)


def test_holm_by_hand():
    """Holm 1979: ordered .005 .01 .03 .04 by 4 3 2 1, each at least the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]).tolist() == [1, 1]
    assert holm([0.2]).tolist() == [0.2]


def test_detectable_is_cohens_table():
    """Cohen 1988, table 2.4.1 for d = .5 and power .8: 34 pairs (G*Power: power .8078)."""
    assert stats.nct.sf(stats.t.ppf(0.975, 33), 33, 0.5 * np.sqrt(34)) == pytest.approx(0.8077, abs=1e-3)
    assert detectable(34, 2.0, power=0.8077, level=0.05) == pytest.approx(1.0, abs=1e-3)
    large = detectable(1_000_000, 1.0, power=0.8, level=0.05)
    assert large == pytest.approx((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / 1000, rel=1e-3)
    assert detectable(50, 0.0, power=0.8, level=0.05) == 0


def test_what_is_detectable_is_detected():
    n, rng = 40, np.random.default_rng(11)
    shift = detectable(n, 1.0, power=0.8, level=0.05)
    p = paired_t(rng.normal(shift, 1, (n, 4000)))[1]
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.03)


def null_differences(kind, n, columns, rng):
    """Differences of two systems that are equally good: any exchange of the two is as likely."""
    if kind == "normal":
        return rng.normal(size=(n, columns))
    if kind == "heavy":
        return rng.standard_t(3, size=(n, columns))
    values = rng.beta(0.6, 0.8, (2, n, columns)).round(2)  # NDCG-like: both systems mostly give the same list
    same = rng.random((n, columns)) < 0.5
    return np.where(same, 0, values[0] - values[1])


@pytest.mark.parametrize("kind", ["normal", "heavy", "ndcg"])
@pytest.mark.parametrize("test", [paired_t, lambda d: wilcoxon(d, 1000, 0), lambda d: sign_flip(d, 1000, 0)])
def test_false_positives_at_5_percent(kind, test):
    d = null_differences(kind, 50, 2000, np.random.default_rng(12))
    assert 0.04 <= np.mean(test(d)[1] <= LEVEL) <= 0.06


@pytest.mark.parametrize("randomised", [False, True])
def test_tukeys_family_has_5_percent(randomised):
    """Of 2,000 families of five equal systems, about 5% have any pair below the level."""
    rng, pairs = np.random.default_rng(13), list(itertools.combinations(range(5), 2))
    families = rng.normal(size=(2000, 30, 5)) + rng.normal(0, 2, (2000, 30, 1))
    if randomised:
        found = [randomised_tukey(x, pairs, 499, 0, 1).min() for x in families[:1000]]
    else:
        limit = stats.studentized_range.isf(LEVEL, 5, 29 * 4)
        widest = [max(itertools.combinations(range(5), 2), key=lambda ab: gap(x, ab)) for x in families]
        edge = [tukey_hsd(x, [ab])[0] for x, ab in zip(families[:20], widest, strict=False)]
        by_limit = [studentised(x, ab) for x, ab in zip(families, widest, strict=True)]
        np.testing.assert_array_equal(np.array(edge) <= LEVEL, np.array(by_limit[:20]) >= limit)
        found = np.where(np.array(by_limit) >= limit, 0.0, 1.0)
    assert 0.035 <= np.mean(np.array(found) <= LEVEL) <= 0.065


def gap(x, ab):
    return abs(x[:, ab[0]].mean() - x[:, ab[1]].mean())


def studentised(x, ab):
    n, k = x.shape
    residual = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()
    return gap(x, ab) / np.sqrt((residual**2).sum() / ((n - 1) * (k - 1)) / n)
