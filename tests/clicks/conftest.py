"""A small catalogue of documents, lists in random order, and a model of each kind."""

import numpy as np
import pytest

from gbrank.clicks import (
    Cascade,
    ClickLog,
    DependentClick,
    DynamicBayesian,
    PairTable,
    PositionBased,
    SimplifiedDynamicBayesian,
    TrustBias,
    UserBrowsing,
)

ATTRACTION = [0.15, 0.3, 0.45, 0.6, 0.75, 0.9]
SATISFACTION = [0.7, 0.2, 0.5, 0.35, 0.6, 0.4]
BROWSING = [
    [1, 0, 0, 0],
    [0.8, 0.95, 0, 0],
    [0.6, 0.7, 0.9, 0],
    [0.4, 0.5, 0.65, 0.85],
]


def table(values):
    return PairTable(["q"] * len(values), range(len(values)), values, 0.5)


def example_models():
    attraction, satisfaction = table(ATTRACTION), table(SATISFACTION)
    return {
        "pbm": PositionBased([1, 0.7, 0.5, 0.3], attraction=attraction),
        "cascade": Cascade(attraction=attraction),
        "dcm": DependentClick([0.8, 0.6, 0.5, 0.3], attraction=attraction),
        "dbn": DynamicBayesian(0.85, attraction=attraction, satisfaction=satisfaction),
        "sdbn": SimplifiedDynamicBayesian(attraction=attraction, satisfaction=satisfaction),
        "ubm": UserBrowsing(BROWSING, attraction=attraction),
        "trust": TrustBias([1, 0.75, 0.5, 0.3], [0.3, 0.15, 0.05, 0], attraction=attraction),
    }


def random_lists(n_sessions, length=4, n_documents=6, seed=0):
    """Sessions of random lists, nothing clicked."""
    rng = np.random.default_rng(seed)
    documents = rng.random((n_sessions, n_documents)).argsort(axis=1)[:, :length]
    rows = n_sessions * length
    session = np.repeat(np.arange(n_sessions), length)
    rank = np.tile(np.arange(1, length + 1), n_sessions)
    return ClickLog(session, np.full(rows, "q"), documents.ravel(), rank, np.zeros(rows))


@pytest.fixture(scope="session")
def models():
    return example_models()


@pytest.fixture(scope="session")
def lists():
    return random_lists(100_000)
