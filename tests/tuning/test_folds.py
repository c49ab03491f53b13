import threading

import pytest

from gbrank import DataError, GBRanker, ParameterError, QueryKFold, QueryShuffleSplit
from gbrank.tuning._folds import KEPT, BinnedFolds, make_folds


@pytest.mark.parametrize("cv", [None, 3, QueryKFold(4), QueryShuffleSplit(2, random_state=0)])
def test_folds_keep_queries_whole(train, cv):
    folds = make_folds(train, None, cv, 0)
    assert len(folds) == (5 if cv is None else cv if isinstance(cv, int) else cv.get_n_splits())
    whole = dict(zip(train.query_ids.tolist(), train.query_sizes.tolist(), strict=True))
    for kept, held in folds:
        assert not set(kept.query_ids) & set(held.query_ids)
        assert {*kept.query_ids, *held.query_ids} == set(whole)
        for part in (kept, held):
            assert dict(zip(part.query_ids.tolist(), part.query_sizes.tolist(), strict=True)).items() <= whole.items()


def test_a_validation_set_is_the_only_fold(parts):
    assert make_folds(*parts, None, 0) == [parts]


@pytest.mark.parametrize(
    ("cv", "message"),
    [(1, "at least 2"), (True, "splitter"), (2.0, "splitter"), ("five", "splitter"), (61, "only 60 queries")],
)
def test_bad_folds_are_refused(train, cv, message):
    with pytest.raises(ParameterError, match=message):
        make_folds(train, None, cv, 0)


def test_bad_data_are_refused(train, parts):
    with pytest.raises(ParameterError, match="not both"):
        make_folds(*parts, 3, 0)
    with pytest.raises(DataError, match="train: give a RankingData, not ndarray"):
        make_folds(train.X, None, 3, 0)
    with pytest.raises(DataError, match="valid: give a RankingData, not tuple"):
        make_folds(train, (train.X, train.y), None, 0)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_folds_are_binned_once_for_equal_settings(train, backend):
    folds = BinnedFolds(make_folds(train, None, 3, 0))
    first = folds.get(GBRanker(backend=backend))
    assert len(first) == len(folds) == 3
    assert folds.get(GBRanker(backend=backend, learning_rate=0.5, max_leaves=4, reg_lambda=9.0)) is first
    assert folds.get(GBRanker(backend=backend, max_bins=15)) is not first
    assert folds.get(GBRanker(backend=backend)) is first


def test_other_bin_settings_of_the_library_are_binned_anew(train):
    folds = BinnedFolds(make_folds(train, None, 2, 0))
    assert folds.get(GBRanker()) is not folds.get(GBRanker(backend_params={"min_data_in_bin": 50}))
    assert folds.get(GBRanker(min_docs_in_leaf=5)) is folds.get(GBRanker(backend_params={"path_smooth": 1.0}))


def test_only_the_last_settings_are_kept(train):
    folds = BinnedFolds(make_folds(train, None, 2, 0))
    first = folds.get(GBRanker(max_bins=7))
    for bins in range(8, 8 + KEPT):
        folds.get(GBRanker(max_bins=bins))
    assert len(folds._kept) == KEPT
    assert folds.get(GBRanker(max_bins=7)) is not first


def test_threads_that_need_the_same_bins_share_them(train):
    folds, seen = BinnedFolds(make_folds(train, None, 2, 0)), []
    threads = [threading.Thread(target=lambda: seen.append(folds.get(GBRanker()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert all(each is seen[0] for each in seen)
