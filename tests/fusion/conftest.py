"""Predictions of several tasks."""

import numpy as np
import pytest

from gbrank import RankingData, ValueModel


@pytest.fixture(scope="session")
def predict():
    """Return a function that makes predictions of tasks t0, t1, ... which depend on each other a little."""

    def make(seed=0, n_tasks=5, n_queries=200, n_documents=20):
        rng = np.random.default_rng(seed)
        n = n_queries * n_documents
        p = 0.8 * rng.beta(2, 5, size=(n, n_tasks)) + 0.2 * rng.beta(2, 5, size=(n, 1))
        return RankingData(p, np.zeros(n), np.arange(n) // n_documents, feature_names=[f"t{i}" for i in range(n_tasks)])

    return make


@pytest.fixture(scope="session")
def even():
    """Return a function that makes a value model of equal weights."""
    return lambda n_tasks, **options: ValueModel({f"t{i}": 1 / n_tasks for i in range(n_tasks)}, **options)


@pytest.fixture(scope="session")
def wanted():
    """Return a function that names fractions."""
    return lambda values: {f"t{i}": float(value) for i, value in enumerate(values)}
