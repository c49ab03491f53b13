"""Splits in more than two parts keep whole queries, and choose nothing on what they test."""

import pytest

from gbrank import (
    ParameterError,
    QueryKFold,
    QueryShuffleSplit,
    QueryTimeSplit,
    make_letor,
    nested_folds,
    read_letor_fold,
    three_parts,
)


def ids(data):
    return set(data.query_ids.tolist())


def test_inner_folds_cut_the_training_part_only():
    data = make_letor(30, random_state=0)
    for fold in nested_folds(data, QueryKFold(3), QueryShuffleSplit(2, random_state=1)):
        assert ids(fold.train) | ids(fold.test) == ids(data)
        assert len(fold.inner) == 2
        for train, vali in fold.inner:
            assert ids(train) | ids(vali) == ids(fold.train)
            assert not ids(train) & ids(vali)
            assert not (ids(train) | ids(vali)) & ids(fold.test)


def test_three_parts_are_letors_scheme():
    data = make_letor(25, random_state=0)
    folds = list(three_parts(data, QueryKFold(5, shuffle=True, random_state=3)))
    for k, (train, vali, test) in enumerate(folds):
        assert ids(train) | ids(vali) | ids(test) == ids(data)
        assert train.n_queries + vali.n_queries + test.n_queries == data.n_queries
        assert ids(vali) == ids(folds[k - 1].test)


def test_three_parts_of_mq2008_are_its_own(real_data):
    published = [read_letor_fold(real_data / "mq2008" / f"Fold{k}") for k in range(1, 6)]
    for k, fold in enumerate(published):
        assert ids(fold.vali) == ids(published[k - 1].test)


@pytest.mark.parametrize(
    "folds", [QueryKFold(2), QueryShuffleSplit(3, test_size=0.5, random_state=0), QueryTimeSplit(3)]
)
def test_three_parts_need_three_that_test_each_query_once(folds):
    with pytest.raises(ParameterError, match="tested exactly once"):
        list(three_parts(make_letor(12, random_state=0), folds))
