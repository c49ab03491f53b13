"""Intervals of weights: they cover the truth as often as they say, and are those of queries drawn again."""

import numpy as np
import pytest

from gbrank import ParameterError, RankingData, ValueModel, target_weights
from gbrank.fusion import Constraints

TASKS = ["click", "like", "share"]
DESIRED = dict(zip(TASKS, (0.5, 0.3, 0.2), strict=True))
MODEL = ValueModel(dict.fromkeys(TASKS, 1.0))


def sample(seed, n_queries, n_documents=15):
    """Return queries of one population, which differ in how strongly each task speaks in them."""
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 5, size=(n_queries, n_documents, 3)) * rng.gamma(3, 1 / 3, size=(n_queries, 1, 3))
    query = np.repeat(np.arange(n_queries), n_documents)
    return RankingData(p.reshape(-1, 3), np.zeros(len(query)), query, feature_names=TASKS)


@pytest.fixture(scope="module")
def truth():
    found = target_weights(MODEL, sample(1_000, 1_500), DESIRED, tolerance=0.001)
    assert found.reached
    return np.array(list(found.model.weights.values()))


@pytest.mark.parametrize(("weights", "n_samples", "n_resamples"), [("step", 40, 100), ("search", 12, 16)])
def test_intervals_cover_the_truth_as_often_as_they_say(truth, weights, n_samples, n_resamples):
    covered = []
    for seed in range(n_samples):
        found = target_weights(MODEL, sample(seed, 60), DESIRED, method="heuristic", n_jobs=1)
        table = found.intervals(n_resamples=n_resamples, confidence=0.8, random_state=seed, weights=weights)
        covered.append((table["weight_low"] <= truth) & (truth <= table["weight_high"]))
    share = np.mean(covered)
    assert 0.6 <= share <= 0.95, share


def test_a_search_is_of_the_queries_drawn_again():
    data = sample(0, 40)
    found = target_weights(MODEL, data, DESIRED, n_jobs=1)
    table = found.intervals(n_resamples=8, random_state=3, weights="search", confidence=0.999999)
    counts = np.random.default_rng(3).multinomial(40, np.full(40, 1 / 40), size=8)
    weights = []
    for drawn in counts:
        rows = np.concatenate([np.arange(15 * q, 15 * (q + 1)) for q in np.repeat(np.arange(40), drawn)])
        again = RankingData(data.X[rows], np.zeros(600), np.repeat(np.arange(40), 15), feature_names=TASKS)
        weights.append(list(target_weights(found.model, again, DESIRED, n_jobs=1).model.weights.values()))
    np.testing.assert_allclose(table["weight_low"], np.min(weights, axis=0), atol=0.02)
    np.testing.assert_allclose(table["weight_high"], np.max(weights, axis=0), atol=0.02)


def test_a_search_keeps_constraints():
    limits = Constraints(fixed={"like": 0.3}, upper={"click": 0.45})
    found = target_weights(MODEL, sample(0, 40), DESIRED, constraints=limits, n_jobs=1)
    table = found.intervals(n_resamples=6, weights="search")
    assert table.loc["like", ["weight_low", "weight_high"]].tolist() == [0.3, 0.3]
    assert table.loc["click", "weight_high"] <= 0.45 + 1e-9
    with pytest.raises(ParameterError, match="weights='newton': choose one of 'step', 'search'"):
        found.intervals(weights="newton")
