"""Folds by size, difficulty, time or plan: whole queries, alike, in order, as planned."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from gbrank import (
    DataError,
    ParameterError,
    QueryPredefinedSplit,
    QueryStratifiedKFold,
    QueryTimeSplit,
    RankingData,
    concat,
    read_letor_fold,
)


def data_of(sizes, labels=None, seed=0):
    rng = np.random.default_rng(seed)
    qid = rng.permutation(np.repeat([f"q{i}" for i in range(len(sizes))], sizes))
    y = np.zeros(len(qid)) if labels is None else np.array([labels[int(q[1:])] for q in qid])
    return RankingData(np.arange(len(qid), dtype=float)[:, None], y, qid)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("n_queries", [20, 23])
def test_each_fold_gets_one_of_each_run_of_neighbours(n_queries, shuffle):
    sizes = np.random.default_rng(1).permutation(np.arange(1, n_queries + 1))
    data = data_of(sizes)
    by_size = {f"q{i}": size for i, size in enumerate(sizes)}
    tests = [
        sorted(by_size[q] for q in test.query_ids)
        for _, test in QueryStratifiedKFold(5, shuffle=shuffle).split_data(data)
    ]
    assert sorted(size for fold in tests for size in fold) == list(range(1, n_queries + 1))
    for fold in tests:
        assert [(size - 1) // 5 for size in fold] == list(range(len(fold)))


def test_strata_by_label_and_by_a_number_of_ones_own():
    labels = np.random.default_rng(2).permutation(12).astype(float)
    data = data_of([3] * 12, labels)
    given = {f"q{i}": label for i, label in enumerate(labels)}
    in_order = [given[q] for q in data.query_ids]
    parts = [
        [test.query_ids.tolist() for _, test in QueryStratifiedKFold(3, by=by).split_data(data)]
        for by in ("relevance", given, pd.Series(given), in_order)
    ]
    assert parts[0] == parts[1] == parts[2] == parts[3]
    rows = [test for _, test in QueryStratifiedKFold(3, by="relevance").split(data.X, data.y, data.qid)]
    assert [list(dict.fromkeys(data.qid[each])) for each in rows] == parts[0]


def test_equal_numbers_are_dealt_out_by_the_seed():
    data = data_of([2] * 30)
    splits = [
        [test.query_ids.tolist() for _, test in QueryStratifiedKFold(3, shuffle=True, random_state=s).split_data(data)]
        for s in (0, 0, 1)
    ]
    assert splits[0] == splits[1] != splits[2]


def test_time_split_is_scikit_learns_on_queries_of_one_document():
    n = 23
    data = data_of([1] * n)
    for ours, theirs in (
        (QueryTimeSplit(4), TimeSeriesSplit(4)),
        (QueryTimeSplit(3, test_size=2, gap=3), TimeSeriesSplit(3, test_size=2, gap=3)),
        (QueryTimeSplit(3, max_train_size=5, gap=1), TimeSeriesSplit(3, max_train_size=5, gap=1)),
    ):
        for (train, test), (rows, test_rows) in zip(ours.split(data), theirs.split(data.X), strict=True):
            np.testing.assert_array_equal(train, rows)
            np.testing.assert_array_equal(test, test_rows)


@given(time=st.lists(st.integers(0, 12), min_size=6, max_size=40), gap=st.integers(0, 2))
@settings(max_examples=200, deadline=None)
def test_nothing_of_the_future_and_no_cut_through_one_time(time, gap):
    data = data_of([1 + t % 3 for t in time])
    when = {f"q{i}": t for i, t in enumerate(time)}
    try:
        parts = list(QueryTimeSplit(2, time=when, gap=gap).split_data(data))
    except ParameterError:
        return
    for train, test in parts:
        assert max(when[q] for q in train.query_ids) < min(when[q] for q in test.query_ids)
    (_, first), (_, second) = parts
    assert max(when[q] for q in first.query_ids) < min(when[q] for q in second.query_ids)


def test_times_may_be_dates_or_text():
    data = data_of([2] * 9)
    days = np.random.default_rng(3).permutation(9)
    dates = {f"q{i}": np.datetime64("2026-01-01") + int(d) for i, d in enumerate(days)}
    text = {q: str(d) for q, d in dates.items()}
    numbers = {f"q{i}": d for i, d in enumerate(days)}
    parts = [
        [(a.query_ids.tolist(), b.query_ids.tolist()) for a, b in QueryTimeSplit(2, time=time).split_data(data)]
        for time in (dates, text, numbers)
    ]
    assert parts[0] == parts[1] == parts[2]


def test_planned_folds_test_on_what_was_planned():
    data = data_of([2, 3, 1, 4, 2])
    plan = {"q0": "x", "q1": "y", "q2": None, "q3": "x", "q4": "y"}
    splitter = QueryPredefinedSplit(plan)
    assert splitter.get_n_splits() == 2
    tests = [set(test.query_ids) for _, test in splitter.split_data(data)]
    trains = [set(train.query_ids) for train, _ in splitter.split_data(data)]
    assert tests == [{"q0", "q3"}, {"q1", "q4"}]
    assert trains == [{"q1", "q2", "q4"}, {"q0", "q2", "q3"}]
    by_place = QueryPredefinedSplit(np.array([0, 1, -1, 0, 1]))
    assert [len(test.query_ids) for _, test in by_place.split_data(data)] == [2, 2]


def test_letor_folds_as_a_splitter(real_data):
    folds = [read_letor_fold(real_data / "mq2008" / f"Fold{k}") for k in range(1, 6)]
    data = concat([fold.test for fold in folds])
    assert data.n_queries == 784
    splitter = QueryPredefinedSplit.of_test_parts([fold.test for fold in folds])
    for fold, (train, test) in zip(folds, splitter.split_data(data), strict=True):
        np.testing.assert_array_equal(test.X, fold.test.X)
        assert set(train.query_ids) == set(fold.train.query_ids) | set(fold.vali.query_ids)


def test_planned_folds_in_a_search():
    class Sees(BaseEstimator):
        def __init__(self, a=1):
            self.a = a

        def fit(self, X, y):
            self.seen_ = set(X[:, 0])
            return self

        def score(self, X, y):
            return float(not self.seen_ & set(X[:, 0]))

    data = data_of([3, 2, 4, 1, 5, 2])
    code = np.unique(data.qid, return_inverse=True)[1].astype(float)[:, None]
    for splitter in (
        QueryPredefinedSplit([0, 1, 2, 0, 1, 2]),
        QueryStratifiedKFold(3),
        QueryTimeSplit(2, time=[5, 4, 3, 2, 1, 0]),
    ):
        search = GridSearchCV(Sees(), {"a": [1, 2]}, cv=splitter).fit(code, data.y, groups=data.qid)
        assert search.cv_results_["mean_test_score"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: QueryStratifiedKFold(1), ParameterError, "n_splits=1"),
        (lambda d: QueryStratifiedKFold(2, by="sise"), ParameterError, "by='sise'"),
        (lambda d: QueryStratifiedKFold(2, random_state=0), ParameterError, "no effect without shuffle"),
        (lambda d: list(QueryStratifiedKFold(9).split_data(d)), ParameterError, "there are only 4 queries"),
        (lambda d: list(QueryStratifiedKFold(2, by={"q0": 1}).split_data(d)), DataError, "3 of 4 queries lack one"),
        (lambda d: list(QueryStratifiedKFold(2, by=[1, 2]).split_data(d)), DataError, "shape (2,) for 4 queries"),
        (
            lambda d: list(QueryStratifiedKFold(2, by=[1, 2, np.nan, 3]).split_data(d)),
            DataError,
            "by: is nan for query",
        ),
        (lambda d: list(QueryStratifiedKFold(2, by=list("abcd")).split_data(d)), DataError, "by: must be numbers"),
        (
            lambda d: list(QueryStratifiedKFold(2, by="relevance").split(d.X, None, d.qid)),
            DataError,
            "by='relevance' needs labels",
        ),
        (lambda d: list(QueryTimeSplit(4).split_data(d)), ParameterError, "4 queries are too few"),
        (lambda d: list(QueryTimeSplit(2, gap=2).split_data(d)), ParameterError, "after a gap of 2"),
        (lambda d: list(QueryTimeSplit(2, time=[1, 1, 1, 2]).split_data(d)), ParameterError, "have the time 1"),
        (lambda d: list(QueryTimeSplit(2, time=[1, None, 3, 4]).split_data(d)), DataError, "missing for 1 queries"),
        (lambda d: list(QueryTimeSplit(2, time=[1, "a", (), 4]).split_data(d)), DataError, "time: "),
        (lambda d: QueryTimeSplit(2, gap=-1), ParameterError, "gap=-1"),
        (lambda d: QueryTimeSplit(2, test_size=0), ParameterError, "test_size=0"),
        (lambda d: QueryPredefinedSplit([-1, -1]), ParameterError, "no query is in any fold"),
        (lambda d: QueryPredefinedSplit([1, "a"]), ParameterError, "all whole numbers or all strings"),
        (lambda d: list(QueryPredefinedSplit({"q0": 1}).split_data(d)), DataError, "fold: no value for query"),
        (lambda d: list(QueryPredefinedSplit([1, 1, 1, 1]).split_data(d)), ParameterError, "every query"),
        (lambda d: QueryPredefinedSplit.of_test_parts([d, d]), DataError, "is in two of them"),
    ],
)
def test_what_cannot_be_split(call, error, message):
    with pytest.raises(error) as caught:
        call(data_of([2, 1, 3, 2]))
    assert message in str(caught.value)
