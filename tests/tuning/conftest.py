"""Small data on which parameters matter."""

import numpy as np
import pytest

from gbrank import RankingData


@pytest.fixture(scope="session")
def train() -> RankingData:
    """60 queries of 12 documents with noisy grades 0-2; the ids are strings out of order."""
    generator = np.random.default_rng(5)
    X = generator.normal(size=(720, 6)).astype(np.float32)
    hidden = X[:, 0] + 0.7 * X[:, 1] * X[:, 2] + generator.normal(scale=0.8, size=720)
    ids = [f"q{(37 * i) % 60}" for i in range(60)]
    return RankingData(X, np.digitize(hidden, [0.6, 1.6]), qid=np.repeat(ids, 12))


@pytest.fixture(scope="session")
def parts(train: RankingData) -> tuple[RankingData, RankingData]:
    """The first 40 queries and the other 20."""
    return train.take(range(40)), train.take(range(40, 60))
