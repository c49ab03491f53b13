"""Splits of whole queries: nothing is shared, nothing is lost, every field is carried."""

import warnings

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate

from gbrank import DataError, ParameterError, QueryKFold, QueryShuffleSplit, RankingData, train_test_split
from gbrank.splits._base import require_apart

SPLITTERS = [
    QueryKFold(3),
    QueryKFold(3, shuffle=True, random_state=1),
    QueryShuffleSplit(4, test_size=0.3, random_state=2),
    QueryShuffleSplit(2, test_size=2, random_state=3),
]


def make_data(n_queries=11, seed=0):
    rng = np.random.default_rng(seed)
    qid = rng.permutation(np.repeat([f"q{i}" for i in range(n_queries)], rng.integers(1, 7, n_queries)))
    n = len(qid)
    return RankingData(
        np.arange(n, dtype=float)[:, None],
        np.arange(n) % 3,
        qid=qid,
        doc_id=[f"d{i}" for i in range(n)],
        position=np.arange(n) + 1,
        sample_weight=np.arange(n) + 1.0,
        query_weight={q: 1.0 + int(q[1:]) for q in set(qid)},
        feature_names=["row"],
    )


@pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
def test_whole_queries_and_every_field(splitter):
    data = make_data()
    pairs = list(splitter.split_data(data))
    assert len(pairs) == splitter.get_n_splits() == splitter.get_n_splits(data.X, data.y, data.qid)
    for train, test in pairs:
        assert not set(train.query_ids) & set(test.query_ids)
        assert set(train.query_ids) | set(test.query_ids) == set(data.query_ids)
        for part in (train, test):
            rows = part.X[:, 0].astype(int)
            np.testing.assert_array_equal(part.y, rows % 3)
            np.testing.assert_array_equal(part.doc_id, [f"d{i}" for i in rows])
            np.testing.assert_array_equal(part.position, rows + 1)
            np.testing.assert_array_equal(part.sample_weight, rows + 1.0)
            np.testing.assert_array_equal(part.query_weight, [1.0 + int(q[1:]) for q in part.query_ids])
            np.testing.assert_array_equal(part.order, rows)
            numbers = [data.query_ids.tolist().index(q) for q in part.query_ids]
            assert numbers == sorted(numbers)


@given(
    qid=st.one_of(
        st.lists(st.sampled_from([5, 5 + 2**32, -3, 2**62, 0]), min_size=8, max_size=40),
        st.lists(st.text("ab\u00e9", max_size=2), min_size=8, max_size=40),
    ),
    splitter=st.sampled_from([QueryKFold(2), QueryKFold(2, shuffle=True), QueryShuffleSplit(3, test_size=1)]),
)
@settings(max_examples=200, deadline=None)
def test_rows_of_any_ids_in_any_order(qid, splitter):
    if len(set(qid)) < 2:
        return
    seen = []
    for train, test in splitter.split(np.zeros((len(qid), 1)), groups=qid):
        assert sorted([*train, *test]) == list(range(len(qid)))
        assert not {qid[i] for i in train} & {qid[i] for i in test}
        assert len(train)
        assert len(test)
        seen += test.tolist()
    if isinstance(splitter, QueryKFold):
        assert sorted(seen) == list(range(len(qid)))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("n_queries", [5, 7, 11, 20])
def test_folds_differ_by_at_most_one_query(n_queries, shuffle):
    folds = [test.n_queries for _, test in QueryKFold(5, shuffle=shuffle).split_data(make_data(n_queries))]
    assert sum(folds) == n_queries
    assert max(folds) - min(folds) <= 1


def test_split_of_ranking_data_gives_its_rows():
    data = make_data()
    for (rows, test_rows), (train, test) in zip(QueryKFold(3).split(data), QueryKFold(3).split_data(data), strict=True):
        np.testing.assert_array_equal(data.X[rows], train.X)
        np.testing.assert_array_equal(data.X[test_rows], test.X)


@pytest.mark.parametrize("state", [0, np.int64(7)])
def test_a_seed_repeats_and_generators_move_on(state):
    data = make_data(30)

    def ids(random_state):
        return train_test_split(data, random_state=random_state)[1].query_ids.tolist()

    assert ids(state) == ids(state)
    generator = np.random.default_rng(3)
    assert ids(generator) == ids(np.random.default_rng(3))
    assert ids(generator) != ids(np.random.default_rng(3))
    assert ids(np.random.RandomState(3)) == ids(np.random.RandomState(3))
    assert len({tuple(ids(None)) for _ in range(5)}) > 1


@pytest.mark.parametrize(
    ("size", "expected"), [(0.2, 2), (0.21, 3), (0.1, 1), (0.01, 1), (3, 3), (9, 9), (np.int32(4), 4), (0.3, 3)]
)
def test_size_of_the_test_part(size, expected):
    train, test = train_test_split(make_data(10), test_size=size, random_state=0)
    assert (train.n_queries, test.n_queries) == (10 - expected, expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: list(QueryKFold(12).split_data(d)), "n_splits=12: there are only 11 queries"),
        (lambda d: QueryKFold(1), "n_splits=1"),
        (lambda d: QueryKFold(2.0), "n_splits=2.0"),
        (lambda d: QueryKFold(2, random_state=0), "no effect without shuffle"),
        (lambda d: QueryShuffleSplit(0), "n_splits=0"),
        (lambda d: train_test_split(d, test_size=11), "of 11 queries, each part needs at least one"),
        (lambda d: train_test_split(d, test_size=0), "each part needs at least one"),
        (lambda d: train_test_split(d, test_size=0.99), "each part needs at least one"),
        (lambda d: train_test_split(d, test_size=1.0), "share between 0 and 1"),
        (lambda d: train_test_split(d, test_size="half"), "share between 0 and 1"),
        (lambda d: train_test_split(d, test_size=True), "share between 0 and 1"),
        (lambda d: train_test_split(d, random_state="x"), "random_state='x'"),
        (lambda d: list(QueryKFold(2).split(d.X)), "groups: pass the query id of each row"),
    ],
)
def test_parameter_errors(call, message):
    with pytest.raises(ParameterError) as error:
        call(make_data())
    assert message in str(error.value)


@pytest.mark.parametrize("groups", [[1, 2], [1, 2, None], [1, 2, 0.5], ["a", "b", 3]])
def test_bad_groups(groups):
    with pytest.raises(DataError):
        list(QueryKFold(2).split(np.zeros((3, 1)), groups=np.array(groups, dtype=object)))


def test_the_internal_check_finds_a_cut_query():
    with pytest.raises(RuntimeError, match="1 queries are in both"):
        require_apart(np.array([1, 1, 2]), np.array([2, 3]), 5)
    with pytest.raises(RuntimeError):
        require_apart(np.array([1, 1]), np.array([3]), 4)


class SeesWholeQueries(BaseEstimator):
    """Remembers the query of each training row, given as the only feature."""

    def __init__(self, scale=1):
        self.scale = scale

    def fit(self, X, y):
        self.queries_ = set(X[:, 0])
        return self

    def score(self, X, y):
        return float(not self.queries_ & set(X[:, 0]))


@pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
def test_scikit_learn_cross_validation_and_search(splitter):
    data = make_data()
    code = np.unique(data.qid, return_inverse=True)[1].astype(float)[:, None]
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(code))
    X, y, groups = code[rows], data.y[rows], data.qid[rows]
    assert cross_validate(SeesWholeQueries(), X, y, groups=groups, cv=splitter)["test_score"].min() == 1
    search = GridSearchCV(SeesWholeQueries(), {"scale": [1, 2]}, cv=splitter).fit(X, y, groups=groups)
    assert search.cv_results_["mean_test_score"].tolist() == [1, 1]


def test_groups_are_routed_without_being_asked_for():
    data = make_data()
    with sklearn.config_context(enable_metadata_routing=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = cross_validate(Ridge(), data.X, data.y, params={"groups": data.qid}, cv=QueryKFold(3))
    assert len(scores["test_score"]) == 3


def test_splitters_print_their_parameters():
    assert repr(QueryKFold(4, shuffle=True, random_state=1)) == "QueryKFold(n_splits=4, random_state=1, shuffle=True)"
