"""Leaves found on our own are those that the libraries find."""

import lightgbm as lgb
import numpy as np
import pytest
import scipy.sparse as sp

import gbrank
from gbrank.backends import _trees
from gbrank.backends._base import TreeParams
from gbrank.backends._lightgbm import LightGBMBackend
from gbrank.backends._trees import find_leaves, lightgbm_tree, xgboost_tree
from gbrank.backends._xgboost import XGBoostBackend

BACKENDS = {"lightgbm": LightGBMBackend, "xgboost": XGBoostBackend}


def some_data(rng, dtype=np.float32, n=900):
    X = rng.normal(size=(n, 6)).astype(dtype)
    X[:, 1] = rng.integers(-2, 3, n)  # zeros, and values that equal a threshold
    X[:, 2] *= rng.random(n) < 0.4
    X[rng.random((n, 6)) < 0.2] = np.nan
    X[:, 0] = np.where(np.isnan(X[:, 0]), 0.25, X[:, 0])  # nothing missing
    return gbrank.RankingData(X, rng.integers(0, 4, n).astype(float), np.repeat(np.arange(n // 9), 9))


def grown(backend, data, n_outputs=1, seed=0, **backend_params):
    """Return a trainer after three rounds, and the binned data."""
    params = TreeParams(max_leaves=15, backend_params=backend_params)
    binned = BACKENDS[backend]().bin(data, params)
    trainer = BACKENDS[backend]().trainer(binned, [], params, n_outputs=n_outputs)
    rng = np.random.default_rng(seed)
    shape = data.n_documents if n_outputs == 1 else (data.n_documents, n_outputs)
    for _ in range(3):
        assert trainer.round(rng.normal(size=shape), np.ones(shape))
    return trainer, binned


def librarys_leaves(trainer, binned, monkeypatch):
    with monkeypatch.context() as patch:
        for backend in BACKENDS:
            patch.setattr(f"gbrank.backends._{backend}.tree_leaves", lambda *args, **kwargs: None)
        return trainer.leaves(binned)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("backend", "params"),
    [("lightgbm", {}), ("lightgbm", {"zero_as_missing": True}), ("lightgbm", {"use_missing": False}), ("xgboost", {})],
)
def test_leaves_are_the_librarys(backend, params, dtype, monkeypatch):
    rng = np.random.default_rng(1)
    data = some_data(rng, dtype)
    trainer, binned = grown(backend, data, **params)
    got = trainer.leaves(binned)
    assert got.shape == (data.n_documents,)
    assert len(np.unique(got)) == 15
    np.testing.assert_array_equal(got, librarys_leaves(trainer, binned, monkeypatch))
    other = some_data(rng, dtype, n=450)
    others = BACKENDS[backend]().bin(other, TreeParams(backend_params=params), binned)
    np.testing.assert_array_equal(trainer.leaves(others), librarys_leaves(trainer, others, monkeypatch))


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_each_output_has_leaves_of_its_own(backend, monkeypatch):
    data = some_data(np.random.default_rng(2))
    trainer, binned = grown(backend, data, n_outputs=3)
    got = trainer.leaves(binned)
    assert got.shape == (data.n_documents, 3)
    np.testing.assert_array_equal(got, librarys_leaves(trainer, binned, monkeypatch))


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_numbers_at_a_threshold(backend, monkeypatch):
    """Features one step in single precision below, at and above each threshold, given in either precision."""
    data = some_data(np.random.default_rng(3))
    trainer, binned = grown(backend, data)
    seen = np.sort(data.X[:, 0])
    near = np.concatenate(
        [np.nextafter(seen, np.float32(a)) for a in (-np.inf, np.inf)] + [seen, (seen[1:] + seen[:-1]) / 2]
    )
    for X in (near.astype(np.float64), near.astype(np.float64) * (1 - 1e-9)):
        rows = np.tile(data.X[:1].astype(np.float64), (len(X), 1))
        rows[:, 0] = X
        other = gbrank.RankingData(rows, np.zeros(len(rows)), np.zeros(len(rows), int))
        others = BACKENDS[backend]().bin(other, TreeParams(max_leaves=15), binned)
        np.testing.assert_array_equal(trainer.leaves(others), librarys_leaves(trainer, others, monkeypatch))


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_sparse_features_are_left_to_the_library(backend, monkeypatch):
    rng = np.random.default_rng(4)
    data = gbrank.RankingData(
        sp.random(300, 5, 0.5, "csr", random_state=1), rng.normal(size=300), np.repeat(range(30), 10)
    )
    trainer, binned = grown(backend, data)
    monkeypatch.setattr(_trees, "find_leaves", None)
    assert len(np.unique(trainer.leaves(binned))) > 2


def test_splits_on_categories_are_left_to_the_library():
    rng = np.random.default_rng(5)
    X, y = rng.integers(0, 8, (500, 1)).astype(float), rng.normal(size=500)
    y += X[:, 0] == 3
    dataset = lgb.Dataset(X, y, categorical_feature=[0], params={"verbosity": -1})
    booster = lgb.train({"num_leaves": 4, "verbosity": -1, "max_cat_to_onehot": 1, "min_data_per_group": 1}, dataset, 1)
    assert lightgbm_tree(booster.dump_model()["tree_info"][0]["tree_structure"]) is None
    assert xgboost_tree({"split_type": [1, 0, 0]}) is None


def test_a_tree_without_a_split():
    tree = lightgbm_tree({"leaf_value": 0.5})
    assert tree is not None
    assert tree.depth() == 0
    out = np.full(4, 9)
    find_leaves(0, 1, np.array([0, 4]), np.zeros((4, 2)), False, np.zeros(1, int), 0, *tree, out)
    assert out.tolist() == [0, 0, 0, 0]
