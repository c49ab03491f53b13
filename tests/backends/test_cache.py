"""`bin_cache`: data are binned once, models are what they are without it, and changed data are binned anew."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV

import gbrank
from gbrank.backends import backend
from gbrank.backends._cache import Kept, fingerprint, settings_key
from gbrank.data._ranking_data import replace_fields

RANKERS = {
    "lightgbm": {"subsample": 0.7, "colsample": 0.5},
    "lightgbm, its own": {"engine": "native"},
    "lightgbm, DART": {"boosting": "dart"},
    "xgboost": {"backend": "xgboost", "subsample": 0.7, "colsample": 0.5},
    "xgboost, its own": {"backend": "xgboost", "engine": "native"},
    "catboost": {"backend": "catboost", "engine": "native", "objective": "mse"},
}


def ranker(name, **params):
    return gbrank.GBRanker(**{"n_estimators": 8, "n_jobs": 1, "random_state": 3, **RANKERS[name], **params})


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(450, 6))
    y = np.clip(np.round(X[:, 0] + X[:, 1] ** 2 / 2 + rng.normal(size=450) / 2), 0, 4)
    return gbrank.RankingData(X, y, np.repeat(np.arange(30), 15))


@pytest.fixture
def calls(monkeypatch):
    """The data sets that LightGBM has been given to bin."""
    given, kind = [], type(backend("lightgbm"))
    made = kind._library_data
    monkeypatch.setattr(kind, "_library_data", lambda self, data, *rest: given.append(data) or made(self, data, *rest))
    return given


def test_a_search_bins_each_fold_once(data, calls):
    """Eight settings on three folds: three data sets and, to refit, the whole; with other bins, as many again."""

    def search(grid):
        cv, scorer = gbrank.QueryKFold(3), gbrank.make_scorer("ndcg@5")
        found = GridSearchCV(ranker("lightgbm", n_estimators=3), grid, cv=cv, scoring=scorer)
        return found.fit(data.X, data.y, qid=data.qid, groups=data.qid).cv_results_

    grid = {"max_leaves": [3, 6, 12, 24], "learning_rate": [0.1, 0.5]}
    with sklearn.config_context(enable_metadata_routing=True):
        with gbrank.bin_cache() as cache:
            found = search(grid)
            assert len(calls) == cache.misses == 4
            assert cache.hits == 24 + 1 - 4
            search({"max_bins": [31]})
            assert len(calls) == 8
        calls.clear()
        assert np.array_equal(found["mean_test_score"], search(grid)["mean_test_score"])
        assert len(calls) == 25


@pytest.mark.parametrize("name", RANKERS)
def test_models_are_the_same_as_without(data, name):
    """Training leaves no trace in the data: one setting, another, and the first again, each as if it were alone."""
    train, valid = gbrank.train_test_split(data, test_size=0.3, random_state=0)

    def scores(**params):
        return ranker(name, **params).fit(train, eval_set=valid).predict(data)

    settings = [{}, {"learning_rate": 0.5, "reg_lambda": 5.0, "random_state": 4}, {}]
    alone = [scores(**each) for each in settings]
    with gbrank.bin_cache() as cache:
        assert all(np.array_equal(scores(**each), a) for each, a in zip(settings, alone, strict=True))
        assert (cache.misses, cache.hits) == (2, 4)
    assert np.ptp(alone[0] - alone[1]) > 0.1


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost"])
def test_models_are_the_same_when_threads_share_the_data(data, name):
    settings = [{"learning_rate": 0.1 * k} for k in range(1, 7)]
    alone = [ranker(name, **each).fit(data).predict(data) for each in settings]
    with gbrank.bin_cache() as cache, ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: ranker(name, **each).fit(data).predict(data), settings))
        assert (cache.misses, cache.hits) == (1, 5)
    assert np.array_equal(together, alone)


def test_data_changed_in_place_are_binned_anew(data, calls):
    X, y = data.X.copy(), data.y.copy()

    def scores():
        return ranker("lightgbm").fit(X, y, qid=data.qid).predict(data)

    with gbrank.bin_cache():
        before = scores()
        X[:, 0] *= -1
        other = scores()
        X[:, 0] *= -1
        y[:15] = y[14::-1]
        third = scores()
        y[:15] = y[14::-1]
        assert np.array_equal(scores(), before)
        assert len(calls) == 3
    X[:, 0] *= -1
    assert np.array_equal(scores(), other)
    assert len({before.tobytes(), other.tobytes(), third.tobytes()}) == 3


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_bins_that_were_there_come_with_the_data_of_this_fit(data, name):
    """Leaves are found in the features themselves: not in those of an earlier fit, which have changed since."""
    X = data.X.copy()
    quantile = ranker(name, objective="quantile")
    alone = quantile.fit(data).predict(data)
    with gbrank.bin_cache() as cache:
        quantile.fit(X, data.y, qid=data.qid)
        X[:] = 0.0
        assert np.array_equal(quantile.fit(data.X.copy(), data.y, qid=data.qid).predict(data), alone)
        assert (cache.misses, cache.hits) == (1, 1)


def test_evaluation_data_are_kept_for_the_bins_that_they_share(data):
    train, valid = gbrank.train_test_split(data, test_size=0.3, random_state=0)
    with gbrank.bin_cache() as cache:
        for _ in range(2):
            ranker("lightgbm").fit(train, eval_set=valid)
        assert (cache.misses, cache.hits) == (2, 2)
        ranker("lightgbm").fit(valid, eval_set=train)  # each with its own bins, or those of the other
        assert (cache.misses, cache.hits) == (4, 2)


def full_data():
    rng = np.random.default_rng(0)
    return gbrank.RankingData(
        rng.normal(size=(12, 2)).astype(np.float32), rng.integers(0, 3, 12), np.repeat([5, 6, 7], 4),
        doc_id=[f"d{i}" for i in range(12)], position=np.tile([1, 2, 3, 4], 3), sample_weight=np.ones(12),
        query_weight=[1.0, 2.0, 3.0], pairs=[[0, 1]], pair_weight=[1.0], init_score=np.zeros(12),
    )  # fmt: skip


def another(value):
    """Return a value of the same shape that differs in its last part."""
    if isinstance(value, tuple):
        return (*value[:-1], "other")
    if isinstance(value, dict):
        return {"f1": np.array(["a"])}
    value = value.copy()
    value[-1] = "other" if value.dtype.kind == "U" else value[-1] + 1
    return value


@pytest.mark.parametrize("field", sorted(gbrank.RankingData.__dataclass_fields__))
def test_the_fingerprint_sees_every_field(field):
    data = full_data()
    changed = replace_fields(data, **{field: another(getattr(data, field))})
    assert fingerprint(changed) != fingerprint(data) == fingerprint(full_data())
    if field not in ("X", "y", "query_ptr", "query_ids", "order", "feature_names", "categories"):
        assert fingerprint(replace_fields(data, **{field: None})) != fingerprint(data)


def test_the_fingerprint_sees_types_shapes_and_what_is_stored():
    dense = full_data().X
    values = [dense, dense.astype(np.float64), dense.reshape(4, 6), sp.csr_array(dense), sp.csr_array(dense.T)]
    stored = sp.csr_array(dense)
    stored.data[0] += 1
    seen = {fingerprint(replace_fields(full_data(), X=each)) for each in [*values, stored]}
    assert len(seen) == 6


def test_settings_of_any_kind_have_a_key():
    bins = np.arange(3000)
    same = settings_key("lightgbm", {"max_bin": 3, "max_bin_by_feature": bins})
    assert same == settings_key("lightgbm", {"max_bin_by_feature": bins.tolist(), "max_bin": 3})
    bins[1500] = 0  # where NumPy prints dots
    assert same != settings_key("lightgbm", {"max_bin": 3, "max_bin_by_feature": bins})
    assert same != settings_key("xgboost", {"max_bin": 3, "max_bin_by_feature": np.arange(3000)})


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=40), st.integers(1, 12))
def test_what_is_kept_is_what_was_asked_for_last_and_has_room(asked, room):
    """Against a list in the order of last use; key k has the size k, and some fail to be made."""
    kept, order, made = Kept(room), [], []
    for key, fails in asked:

        def make(key=key, fails=fails):
            if fails:
                raise OSError
            made.append(key)
            return key

        count = len(made)
        try:
            assert kept.get(key, make, size=key) == key
        except OSError:
            assert fails
        assert (len(made) > count) == (key not in order and not fails)
        there = key in order
        order = [each for each in order if each != key]
        if key <= room:
            while not there and sum(order) + key > room:
                order.pop(0)
            order += [key] if there or not fails else []
        assert kept.filled == sum(order) <= room
    assert kept.hits + kept.misses == len(asked)


def test_threads_wait_for_the_first_and_try_themselves_where_it_fails():
    kept, made = Kept(3), []
    failing, waiting = threading.Event(), threading.Barrier(4)

    def make():
        made.append(threading.get_ident())
        failing.wait(0.1)  # the others come meanwhile
        if len(made) == 1:
            raise OSError("the first")
        return object()

    def ask(_):
        waiting.wait()
        try:
            return kept.get("key", make)
        except OSError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert answers.count("the first") == 1
    assert len({id(each) for each in answers if each != "the first"}) == 1
    assert len(made) == 2


def test_too_little_room_is_said(data):
    def fit_two_in_turn(**room):
        with gbrank.bin_cache(**room) as cache:
            for part in (slice(0, 20), slice(10, 30)) * 2:
                ranker("lightgbm").fit(data.take(np.arange(30)[part]))
            assert cache.n_bytes <= cache.max_bytes
        return cache

    one = 1.3 * 20 * 15 * 6
    cache = fit_two_in_turn()
    assert (cache.misses, cache.hits, cache.n_bytes) == (2, 2, 0)
    for room in (one, one / 2):
        with pytest.warns(gbrank.GbrankWarning, match=r"2 data sets were binned again; all .* about 4,680 bytes"):
            assert fit_two_in_turn(max_bytes=room).hits == 0
    with pytest.raises(gbrank.ParameterError, match="max_bytes=0"), gbrank.bin_cache(max_bytes=0):
        pass


def test_the_innermost_cache_is_used_and_none_after_an_error(data, calls):
    with gbrank.bin_cache() as outer:
        with gbrank.bin_cache() as inner:
            ranker("lightgbm").fit(data)
        with pytest.raises(gbrank.DataError, match="nothing to learn"), gbrank.bin_cache():
            ranker("lightgbm").fit(data.with_labels(np.zeros(450)))
        ranker("lightgbm").fit(data)
        assert (outer.misses, inner.misses) == (1, 1)
    for _ in range(2):
        ranker("lightgbm").fit(data)
    assert len(calls) == 4
    assert repr(outer).startswith("BinCache(max_bytes=1,073,741,824): binned 1 times, not again 0 times; 0 bytes")
