"""NaN is a missing value: something of its own, which each split sends to the better side."""

import numpy as np
import pytest
import scipy.sparse as sp

from gbrank import DataError, GBRanker, RankingData

N = 480
RNG = np.random.default_rng(0)
QID = np.repeat(np.arange(N // 12), 12)
GONE = RNG.random(N) < 0.4
X = RNG.normal(size=(N, 3))
X[GONE, 1] = np.nan
BACKENDS = ("lightgbm", "xgboost", "catboost")


def fitted(backend, X, y, **params):
    pytest.importorskip(backend)
    engine = "native" if backend == "catboost" else "compiled"
    small = {"n_estimators": 10, "learning_rate": 0.5, "n_jobs": 1, "engine": engine} | params
    return GBRanker("mse", backend=backend, **small).fit(RankingData(X, y, QID))


def is_apart(ranker, X):
    score = ranker.predict(X)
    return score[GONE].min() > score[~GONE].max()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_missing_is_told_from_every_value(backend, sign):
    """Missing documents are the relevant ones, whichever way the values stand: no number stands for them all."""
    ranker = fitted(backend, sign * X, GONE.astype(float))
    assert is_apart(ranker, sign * X)
    # Within a split that has learnt where they belong, they are all the same.
    held = np.zeros((5, 3))
    held[:, 1] = np.nan
    assert np.ptp(ranker.predict(held)) == 0


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("backend", BACKENDS)
def test_where_a_single_split_sends_what_is_missing(backend, side):
    """With the values whose labels are like its own; to CatBoost it is less than any number."""
    y = (GONE | (side * X[:, 1] > 0.3)).astype(float)
    shape = {"max_depth": 1} if backend == "catboost" else {"max_leaves": 2}
    ranker = fitted(backend, X, y, n_estimators=1, **shape)
    low, high, missing = ranker.predict([[0, -3, 0], [0, 3, 0], [0, np.nan, 0]])
    assert low != high
    assert missing == (low if backend == "catboost" or side == -1 else high)


@pytest.mark.parametrize("backend", ["lightgbm", "catboost"])
def test_a_sparse_matrix_keeps_missing_values_apart_from_zeros(backend):
    few = np.where(RNG.random((N, 3)) < 0.5, 0.0, X)
    few[:, 1] = np.where(GONE, np.nan, few[:, 1])
    ranker = fitted(backend, sp.csr_array(few), GONE.astype(float))
    assert is_apart(ranker, sp.csr_array(few))
    np.testing.assert_allclose(ranker.predict(few), ranker.predict(sp.csr_array(few)), atol=1e-12)


def test_xgboost_cannot_keep_them_apart():
    with pytest.raises(DataError, match="could not tell a missing value from 0"):
        fitted("xgboost", sp.csr_array(X), GONE.astype(float))
    filled = sp.csr_array(np.nan_to_num(X))
    ranker = fitted("xgboost", filled, GONE.astype(float))
    for given in (sp.csr_array(X), X):
        with pytest.raises(DataError, match="could not tell a missing value from 0"):
            ranker.predict(given)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused(backend, value):
    bad = X.copy()
    bad[7, 2] = value
    with pytest.raises(DataError, match="row 7, column 2 is infinite; use NaN"):
        fitted(backend, bad, GONE.astype(float))
    ranker = fitted(backend, X, GONE.astype(float))
    for given in (bad, sp.csr_array(bad)):
        with pytest.raises(DataError, match="is infinite"):
            ranker.predict(given)
