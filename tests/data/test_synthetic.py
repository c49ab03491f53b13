"""Properties that the synthetic data promise."""

import numpy as np
import pytest

from gbrank import ParameterError, make_letor


@pytest.fixture(scope="module")
def data():
    return make_letor(400, random_state=0)


def test_shape_and_types(data):
    assert data.X.shape == (data.n_documents, 136)
    assert data.X.dtype == np.float32
    assert data.query_ids.tolist() == list(range(1, 401))
    assert data.doc_id is None
    assert np.isfinite(data.X).all()


def test_query_sizes_are_skewed(data):
    sizes = data.query_sizes
    assert sizes.min() >= 1
    assert sizes.max() <= 900
    assert 100 < sizes.mean() < 130
    assert np.median(sizes) < sizes.mean()


def test_grades_have_the_shares_of_mslr_and_some_queries_nothing_relevant(data):
    shares = np.bincount(data.y.astype(int), minlength=5) / len(data)
    np.testing.assert_allclose(shares, [0.52, 0.32, 0.13, 0.02, 0.01], atol=0.001)
    best = np.maximum.reduceat(data.y, data.query_ptr[:-1])
    assert 0 < (best == 0).mean() < 0.1


def test_features_are_of_all_kinds(data):
    X = data.X.astype(float)
    spread = X.std(axis=0)
    assert (spread == 0).any(), "a constant"
    within = [np.ptp(X[a:b], axis=0) for a, b in zip(data.query_ptr[:-1], data.query_ptr[1:], strict=True)]
    assert ((np.max(within, axis=0) == 0) & (spread > 0)).any(), "the same for all documents of a query"
    assert ((X == 0).mean(axis=0) > 0.5).any()
    assert 0.2 < (X == 0).mean() < 0.6
    varied = X[:, spread > 0]
    correlation = np.corrcoef(varied.T)
    np.fill_diagonal(correlation, 0)
    assert correlation.max() > 0.7
    with_grade = np.abs([np.corrcoef(column, data.y)[0, 1] for column in varied.T])
    assert (with_grade < 0.01).any(), "noise"
    assert 0.1 < with_grade.max() < 0.6, "no feature says it all"


def test_values_have_at_most_six_decimals(data):
    block = data.X[:2000].astype(float)
    assert (np.round(block, 6).astype(np.float32) == data.X[:2000]).all()


def test_equal_seeds_give_equal_data():
    a, b, c = (make_letor(5, random_state=seed) for seed in (1, np.random.default_rng(1), 2))
    assert np.array_equal(a.X, b.X)
    assert np.array_equal(a.y, b.y)
    assert np.array_equal(a.query_ptr, b.query_ptr)
    assert not np.array_equal(a.query_ptr, c.query_ptr) or not np.array_equal(a.X, c.X)
    assert not np.array_equal(make_letor(5).X[:5], make_letor(5).X[:5])


@pytest.mark.parametrize("n_grades", [2, 3, 5, 8])
def test_other_numbers_of_grades_and_documents(n_grades):
    data = make_letor(60, n_features=7, max_documents=30, n_grades=n_grades, random_state=0)
    assert set(np.unique(data.y)) == set(range(n_grades))
    assert data.query_sizes.max() <= 30
    assert data.n_features == 7


def test_trees_beat_every_feature():
    """A list-wise model finds what no single feature holds."""
    lightgbm = pytest.importorskip("lightgbm")
    data = make_letor(150, n_features=40, max_documents=200, random_state=1)
    train, test = data.take(np.arange(100)), data.take(np.arange(100, 150))
    model = lightgbm.LGBMRanker(n_estimators=40, verbose=-1, n_jobs=1).fit(train.X, train.y, group=train.query_sizes)
    best = max(_ndcg(test, sign * test.X[:, j]) for j in range(40) for sign in (-1, 1))
    assert _ndcg(test, model.predict(test.X)) > best + 0.1


def _ndcg(data, score, k=10):
    values = []
    for a, b in zip(data.query_ptr[:-1], data.query_ptr[1:], strict=True):
        gain = 2.0 ** data.y[a:b] - 1
        discount = 1 / np.log2(np.arange(2, min(k, b - a) + 2))
        ideal = np.sort(gain)[::-1][:k] @ discount
        if ideal:
            values.append(gain[np.argsort(-score[a:b], kind="stable")][:k] @ discount / ideal)
    return np.mean(values)


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_queries": 0},
        {"n_queries": 2.5},
        {"n_queries": 1, "n_features": 0},
        {"n_queries": 1, "max_documents": 0},
        {"n_queries": 1, "n_grades": 1},
        {"n_queries": 1, "noise": -1},
    ],
)
def test_arguments_out_of_range(arguments):
    with pytest.raises(ParameterError, match="="):
        make_letor(**arguments)
