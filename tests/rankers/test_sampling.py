"""Queries are drawn whole, those not drawn have no part in a tree, and the same fit draws the same everywhere."""

import importlib.util
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gbrank
from gbrank.backends import TreeParams
from gbrank.backends._lightgbm import LightGBMTrainer
from gbrank.backends._xgboost import XGBoostTrainer
from gbrank.rankers._sampling import drawn_rows, set_apart, without_last

HAS_CATBOOST = importlib.util.find_spec("catboost") is not None
DATA = gbrank.make_letor(40, n_features=6, max_documents=25, random_state=0)
TRAINERS = {"lightgbm": LightGBMTrainer, "xgboost": XGBoostTrainer}


def fitted(data=DATA, objective="lambdarank", **params):
    return gbrank.GBRanker(objective, **{"n_estimators": 5, "n_jobs": 1, **params}).fit(data)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.floats(0.01, 1), st.integers(0, 99), st.integers(0, 99))
def test_a_share_of_whole_queries_is_drawn(sizes, share, seed, number):
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    drawn = drawn_rows(ptr, share, seed, number)
    by_query = [set(drawn[a:b].tolist()) for a, b in itertools.pairwise(ptr)]
    assert all(len(each) == 1 for each in by_query)
    assert sum(True in each for each in by_query) == max(1, round(share * len(sizes)))
    assert np.array_equal(drawn, drawn_rows(ptr, share, seed, number))


def test_each_round_draws_anew_and_every_backend_the_same(monkeypatch):
    seen = {"lightgbm": [], "xgboost": []}
    for name, trainer in TRAINERS.items():

        def spied(self, gradient, hessian, own=trainer.round, kept=seen[name]):
            kept.append((gradient != 0, hessian != 0))
            return own(self, gradient, hessian)

        monkeypatch.setattr(trainer, "round", spied)
        fitted(objective="mse", backend=name, query_subsample=0.4, random_state=3)
    for (g, h), (g2, h2) in zip(seen["lightgbm"], seen["xgboost"], strict=True):
        assert np.array_equal(h, h2)
        assert not (g & ~h).any()
        assert not (g2 & ~h2).any()
        assert len(np.unique(DATA.qid[h])) == 16
        assert h.sum() == np.isin(DATA.qid, DATA.qid[h]).sum()
    assert len({h.tobytes() for _, h in seen["lightgbm"]}) == 5


@pytest.mark.parametrize("backend", TRAINERS)
@pytest.mark.parametrize("objective", ["lambdarank", "mse", "quantile", "mcrank", "ordinal"])
def test_queries_that_are_not_drawn_have_no_part_in_the_tree(backend, objective):
    """Their labels turned round change nothing; those of a single query that is drawn do."""
    seed = int(np.random.RandomState(4).randint(2**31 - 1))
    drawn = drawn_rows(DATA.query_ptr, 0.5, seed, 0)
    turned = np.concatenate([DATA.y[a:b][::-1] for a, b in itertools.pairwise(DATA.query_ptr)])
    params = {"backend": backend, "n_estimators": 1, "query_subsample": 0.5, "random_state": 4, "base_score": 0.0}
    params |= {"min_docs_in_leaf": 3} if backend == "lightgbm" else {}
    plain = fitted(objective=objective, **params)._raw(DATA)
    poisoned = DATA.with_labels(np.where(drawn, DATA.y, turned))
    np.testing.assert_array_equal(fitted(poisoned, objective, **params)._raw(DATA), plain)
    assert np.ptp(plain) > 0
    seen = DATA.with_labels(np.where(drawn, turned, DATA.y))
    assert not np.array_equal(fitted(seen, objective, **params)._raw(DATA), plain)


def test_leaves_are_renewed_from_the_drawn_documents_alone():
    leaf = np.array([[0, 2], [1, 0], [1, 1], [0, 0]])
    drawn = np.array([True, False, True, True])
    assert set_apart(drawn, leaf).tolist() == [[0, 2], [2, 3], [1, 1], [0, 0]]
    assert set_apart(drawn, leaf[:, 0]).tolist() == [0, 2, 1, 0]
    values = np.array([[1.0, 4], [2, 5], [99, 6], [np.nan, 99]])
    np.testing.assert_array_equal(
        without_last(values, leaf), [[1, 4], [2, 5], [np.nan, 6], [np.nan, np.nan]], strict=True
    )
    assert without_last(np.array([1.0, 2, 99]), leaf[:, 0]).tolist() == [1, 2]


def test_the_least_number_of_documents_in_a_leaf_is_of_those_drawn():
    """LightGBM would count the others, too: without the remedy leaves hold about 5 of 20."""
    data = gbrank.make_letor(200, n_features=6, max_documents=25, random_state=0)
    model = fitted(data, "mse", n_estimators=1, query_subsample=0.25, min_docs_in_leaf=20, max_leaves=200)
    drawn = drawn_rows(data.query_ptr, 0.25, 0, 0)
    counts = np.unique(model.predict(data)[drawn], return_counts=True)[1]
    assert len(counts) > 5
    assert counts.min() >= 12


@pytest.mark.parametrize("objective", ["lambdarank", "mse"])
def test_lightgbms_own_bagging_keeps_queries_whole(objective):
    """A document's label matters only where its whole query does."""
    params = {"engine": "native", "n_estimators": 1, "min_docs_in_leaf": 2, "query_subsample": 0.5}
    rows = DATA.query_ptr[:10, None] + np.arange(4)  # four documents of each of ten queries
    plain, matters = fitted(objective=objective, **params)._raw(DATA), np.zeros(rows.shape, bool)
    for place, row in np.ndenumerate(rows):
        y = DATA.y.copy()
        y[row] = 4 - y[row] if y[row] != 2 else 4
        other = fitted(DATA.with_labels(y), objective, **params)._raw(DATA)
        matters[place] = np.ptp(other - plain) > 1e-5  # the start, one constant for all, may move
    assert 0 < matters.any(axis=1).sum() < 10


@pytest.mark.skipif(not HAS_CATBOOST, reason="CatBoost is not installed")
def test_catboost_samples_groups():
    from gbrank.backends._catboost_params import sampling

    groups = {"bootstrap_type": "Bernoulli", "sampling_unit": "Group", "subsample": 0.5}
    assert sampling(TreeParams(query_subsample=0.5)) == groups
    params = {"backend": "catboost", "engine": "native"}
    sampled = fitted(objective="mse", query_subsample=0.5, **params)
    assert not np.array_equal(sampled.predict(DATA), fitted(objective="mse", subsample=0.5, **params).predict(DATA))


NATIVE = {"engine": "native", "query_subsample": 0.5}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"query_subsample": 0.0}, "query_subsample=0.0"),
        ({"query_subsample": 1.5}, "query_subsample=1.5: a share is above 0 and at most 1"),
        (NATIVE | {"backend": "xgboost"}, "with engine='native' XGBoost samples documents only"),
        (NATIVE | {"subsample": 0.5}, "with engine='native' LightGBM samples queries or documents, not both"),
        *(
            [
                (NATIVE | {"backend": "catboost", "subsample": 0.5}, "CatBoost samples queries or documents, not both"),
                (
                    NATIVE | {"backend": "catboost", "backend_params": {"sampling_unit": "Object"}},
                    r"backend_params\['sampling_unit'\]: query_subsample=0.5 sets it",
                ),
            ]
            if HAS_CATBOOST
            else []
        ),
    ],
)
def test_what_is_refused(params, message):
    with pytest.raises(gbrank.ParameterError, match=message):
        fitted(**params)


EVERYTHING = [
    ("lightgbm", "compiled", "lambdarank"),
    ("lightgbm", "native", "lambdarank"),
    ("xgboost", "compiled", "mcrank"),
    ("xgboost", "native", "lambdarank"),
    *([("catboost", "native", "yeti")] if HAS_CATBOOST else []),
]


@pytest.mark.parametrize(("backend", "engine", "objective"), EVERYTHING)
def test_the_same_fit_gives_the_same_model_on_every_run_and_any_number_of_threads(backend, engine, objective):
    params = {"backend": backend, "engine": engine, "colsample": 0.6, "random_state": 7, "objective": objective}
    if engine == "compiled":
        params |= {"subsample": 0.7, "query_subsample": 0.7}
    else:
        params |= {"subsample": 0.7} if backend == "xgboost" else {"query_subsample": 0.7}
    params |= {"min_docs_in_leaf": 3} if backend == "lightgbm" else {}
    models = [fitted(**params, n_jobs=n).predict(DATA) for n in (1, 1, 2)]
    assert np.array_equal(models[0], models[1])
    assert np.array_equal(models[0], models[2])
    assert not np.array_equal(models[0], fitted(**params | {"random_state": 8}).predict(DATA))


@pytest.mark.parametrize(("backend", "engine", "objective"), EVERYTHING)
def test_another_training_in_between_changes_no_draw(backend, engine, objective):
    """XGBoost's trainings would share one stream of random numbers in a thread."""
    params = {"backend": backend, "engine": engine, "objective": objective, "colsample": 0.6, "subsample": 0.7}
    other = lambda info: fitted(**params, n_estimators=1) and None  # noqa: E731
    alone = fitted(**params).predict(DATA)
    assert np.array_equal(alone, fitted(**params, callbacks=[other]).predict(DATA))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"random_state": -1}, "random_state=-1: give a whole number from 0"),
        ({"random_state": "x"}, "random_state='x': give"),
        ({"validation_fraction": "x"}, "validation_fraction='x': a share lies between 0 and 1"),
    ],
)
def test_seeds_and_shares_that_are_none(params, words):
    data = gbrank.make_letor(5, n_features=2, max_documents=8, random_state=0)
    with pytest.raises(gbrank.ParameterError, match=words):
        gbrank.GBRanker(n_estimators=1, n_jobs=1, **params).fit(data)
