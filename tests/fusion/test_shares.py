"""Gaps and regrets against their definition, and the slopes of a smooth order against differences."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from gbrank import RankingData
from gbrank.fusion import shares
from gbrank.fusion._shares import Problem, fraction_slopes, fractions

WEIGHTS = np.array([0.2, 0.4, 0.1, 0.3])


def by_definition(p, sizes, by, k, form):
    """Return the mean gap or regret of each task, query by query, with scikit-learn."""
    terms = np.log(p) if form == "product" else p
    out = []
    for t in range(p.shape[1]):
        values, start = [], 0
        for size in sizes:
            rows = slice(start, start + size)
            start += size
            total = terms[rows] @ WEIGHTS
            base = np.exp(total) if form == "product" else total
            without = total - WEIGHTS[t] * terms[rows, t]
            gain, score = (base, without) if by == "gap" else (p[rows, t], total)
            values.append(1 - ndcg_score(gain[None], score[None], k=k))
        out.append(np.mean(values))
    return np.array(out)


@pytest.mark.parametrize("form", ["sum", "product"])
@pytest.mark.parametrize("k", [3, 10, None])
@pytest.mark.parametrize("by", ["gap", "regret"])
def test_shares_are_those_of_the_definition(by, k, form, even):
    rng = np.random.default_rng(0)
    sizes = rng.integers(2, 15, 40)
    p = rng.uniform(0.1, 1, (sizes.sum(), 4))
    scores = RankingData(p, np.zeros(len(p)), np.repeat(np.arange(40), sizes), feature_names=["t0", "t1", "t2", "t3"])
    model = even(4, form=form).with_weights({f"t{i}": w for i, w in enumerate(WEIGHTS)})
    found = shares(model, scores, by=by, k=k, n_jobs=1)
    expected = by_definition(p, sizes, by, k, form)
    np.testing.assert_allclose(found[by], expected, atol=1e-12)
    np.testing.assert_allclose(found["fraction"], expected / expected.sum(), atol=1e-10)


@pytest.mark.parametrize("gain", ["value", "above_lowest"])
@pytest.mark.parametrize("form", ["sum", "product"])
@pytest.mark.parametrize("k", [5, None])
@pytest.mark.parametrize("by", ["gap", "regret"])
def test_smooth_slopes_are_differences_and_cold_values_are_hard(predict, even, by, k, form, gain):
    problem = Problem.of(even(4, form=form), predict(n_tasks=4, n_queries=30), k, gain, 1)
    for temperature in (0.3, 0.05):
        heat = temperature * problem.deviation(WEIGHTS)
        _, slopes = problem.smooth(WEIGHTS, by, heat)
        for u, step in enumerate(1e-6 * np.eye(4)):
            ends = [problem.smooth(WEIGHTS + sign * step, by, heat)[0] for sign in (1, -1)]
            np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, slopes[:, u], atol=1e-6)
    cold, _ = problem.smooth(WEIGHTS, by, 1e-7 * problem.deviation(WEIGHTS))
    np.testing.assert_allclose(cold, problem.mean(problem.hard(WEIGHTS, by)), atol=1e-6)


@pytest.mark.parametrize("by", ["gap", "regret"])
def test_ties_share_their_places(even, by):
    rng = np.random.default_rng(1)
    p = rng.integers(1, 4, (300, 4)).astype(float)  # full of ties
    scores = RankingData(p, np.zeros(300), np.arange(300) // 10, feature_names=["t0", "t1", "t2", "t3"])
    problem, weights = Problem.of(even(4), scores, 4, "value", 1), np.array([1.0, 2.0, 1.0, 1.0])
    cold, _ = problem.smooth(weights, by, 1e-7)
    np.testing.assert_allclose(cold, problem.mean(problem.hard(weights, by)), atol=1e-9)


def test_threads_change_nothing(predict, even):
    scores = predict(n_tasks=4, n_queries=300)
    for by in ("gap", "regret"):
        one, two = (Problem.of(even(4), scores, 10, "value", n).smooth(WEIGHTS, by, 0.01) for n in (1, 3))
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)


def test_fraction_slopes():
    rng = np.random.default_rng(0)
    means, slopes = rng.uniform(size=3), rng.normal(size=(3, 2))
    for u in range(2):
        ends = [fractions(means + sign * 1e-6 * slopes[:, u]) for sign in (1, -1)]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, fraction_slopes(means, slopes)[:, u], atol=1e-8)
