"""Variance components, and the interval over seeds, against simulation with known effects."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gbrank.evaluation._components import components, interval_over_seeds
from gbrank.evaluation._design import System
from gbrank.evaluation._significance import paired_t


def made(rng, *, folds=1, queries=200, seeds=1, query=0.0, seed=0.0, fold=0.0, residual=0.0):
    tables = {}
    for f in range(folds):
        values = rng.normal(0, fold) + rng.normal(0, query, (queries, 1)) + rng.normal(0, seed, (1, seeds))
        values = values + rng.normal(0, residual, (queries, seeds))
        tables[str(f)] = pd.DataFrame(values, index=[f"{f}-{q}" for q in range(queries)])
    return System(tables)


def test_components_are_found_again():
    truth = {"query": 0.3, "seed": 0.1, "fold": 0.2, "residual": 0.15}
    found = [components(made(np.random.default_rng(s), folds=8, queries=60, seeds=5, **truth)) for s in range(30)]
    for name, value in truth.items():
        assert np.mean([each[name] ** 2 for each in found]) == pytest.approx(value**2, rel=0.12), name


def test_nothing_is_claimed_of_one_seed_or_one_fold():
    found = components(made(np.random.default_rng(0), query=0.3, residual=0.4))
    assert found["query"] == pytest.approx(0.5, rel=0.15)  # one seed: the residual is in it
    assert np.isnan([found["seed"], found["fold"], found["residual"]]).all()


def test_components_by_hand():
    """Two queries by two seeds, additive: no residual, variances of means 2 and 0.5."""
    table = pd.DataFrame([[0.0, 1.0], [2.0, 3.0]], index=["a", "b"])
    found = components(System({"": table}))
    assert found["query"] == pytest.approx(np.sqrt(2))
    assert found["seed"] == pytest.approx(np.sqrt(0.5))
    assert found["residual"] == 0


def test_one_seed_each_is_the_t_interval():
    rng = np.random.default_rng(1)
    one, other = made(rng, query=1.0, queries=30), made(rng, query=1.0, queries=30)
    gaps = one.by_query() - other.by_query()
    low, high, p = interval_over_seeds(gaps, gaps * 0 + 1, one, other, 0.95)
    truth = stats.ttest_1samp(gaps, 0)
    assert p == pytest.approx(truth.pvalue)
    assert (low, high) == pytest.approx(tuple(truth.confidence_interval(0.95)))


def test_doubled_weight_is_the_query_twice_in_the_share_of_folds():
    rng = np.random.default_rng(2)
    one, other = made(rng, folds=2, queries=20, seeds=3, query=1.0, seed=0.5), made(rng, folds=2, queries=20, query=1.0)
    gaps = one.by_query() - other.by_query()
    same = interval_over_seeds(gaps, gaps * 0 + 1, one, other, 0.95)
    assert interval_over_seeds(gaps, gaps * 0 + 7, one, other, 0.95) == pytest.approx(same)


def simulated(rng, *, seed, runs=400, queries=60, seeds=5):
    """Comparisons of a method with itself, trained `seeds` times each: shares of p below 5%.

    The unit is the query; each seed of a query is one, as it should not be; and the interval over seeds.
    """
    counted, naive, with_seeds = [], [], []
    for _ in range(runs):
        difficulty, taste = rng.normal(0, 1, (queries, 1)), rng.normal(0, 0.5, (2, queries, 1))
        noise = rng.normal(0, 0.2, (2, queries, seeds)) + rng.normal(0, seed, (2, 1, seeds))
        values = difficulty + taste + noise
        one, other = (System({"": pd.DataFrame(each)}) for each in values)
        gaps = one.by_query() - other.by_query()
        counted.append(paired_t(gaps.to_numpy()[:, None])[1][0])
        naive.append(paired_t((values[0] - values[1]).reshape(-1, 1))[1][0])
        with_seeds.append(interval_over_seeds(gaps, gaps * 0 + 1, one, other, 0.95)[2])
    return [np.mean(np.array(p) < 0.05) for p in (counted, naive, with_seeds)]


def test_seeds_are_not_queries():
    """Each system has its taste in queries, the same in all its trainings: five seeds are not more queries."""
    counted, naive, with_seeds = simulated(np.random.default_rng(3), seed=0.0)
    assert naive > 0.25
    assert 0.02 <= counted <= 0.08
    assert with_seeds <= 0.08


def test_seeds_that_shift_a_whole_run():
    """Where a training is better or worse as a whole, only the interval over seeds holds its level."""
    counted, naive, with_seeds = simulated(np.random.default_rng(4), seed=0.25)
    assert naive > 0.3
    assert counted > 0.12
    assert 0.02 <= with_seeds <= 0.08
