"""Splits in more than two parts: training, validation and test, and folds within folds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .._checks import ParameterError
from ..data import LetorFold, RankingData
from ._base import QuerySplitter, queries_of
from ._random import QueryKFold


class NestedFold(NamedTuple):
    """One outer split, and the inner splits of its training part."""

    train: RankingData
    test: RankingData
    inner: tuple[tuple[RankingData, RankingData], ...]


def nested_folds(
    data: RankingData, outer: QuerySplitter | None = None, inner: QuerySplitter | None = None
) -> Iterator[NestedFold]:
    """Yield outer splits with inner splits of each training part: choose on the inner ones, report on the outer.

    Parameters
    ----------
    data : RankingData
    outer, inner : splitter, optional
        ``QueryKFold(5)`` by default.

    Examples
    --------
    >>> data = RankingData(np.zeros((6, 1)), [0, 1, 0, 1, 0, 1], qid=[1, 1, 2, 2, 3, 3])
    >>> for fold in nested_folds(data, QueryKFold(3), QueryKFold(2)):
    ...     print(fold.test.query_ids, [vali.query_ids.tolist() for _, vali in fold.inner])
    [1] [[2], [3]]
    [2] [[1], [3]]
    [3] [[1], [2]]
    """
    for train, test in (outer or QueryKFold(5)).split_data(data):
        yield NestedFold(train, test, tuple((inner or QueryKFold(5)).split_data(train)))


def three_parts(data: RankingData, folds: QuerySplitter | None = None) -> Iterator[LetorFold]:
    """Yield training, validation and test part of each fold, in LETOR's way.

    Fold k tests on the k-th test part of `folds` and validates on the one before it (the first fold on the last one).

    Parameters
    ----------
    data : RankingData
    folds : splitter, optional
        One with three test parts or more, in which each query is tested once; ``QueryKFold(5)`` by default.

    Raises
    ------
    ParameterError
        There are fewer than three test parts, or a query is not tested exactly once.

    Examples
    --------
    >>> data = RankingData(np.zeros((3, 1)), [0, 1, 0], qid=["a", "b", "c"])
    >>> for train, vali, test in three_parts(data, QueryKFold(3)):
    ...     print(train.query_ids, vali.query_ids, test.query_ids)
    ['b'] ['c'] ['a']
    ['c'] ['a'] ['b']
    ['a'] ['b'] ['c']
    """
    splits = list((folds or QueryKFold(5))._parts(queries_of(data)))
    tests = [test for _, test in splits]
    if len(tests) < 3 or not np.array_equal(np.sort(np.concatenate(tests)), np.arange(data.n_queries)):
        raise ParameterError(f"folds={folds!r}: give three folds or more in which each query is tested exactly once.")
    for k, (train, test) in enumerate(splits):
        yield LetorFold(data.take(np.setdiff1d(train, tests[k - 1])), data.take(tests[k - 1]), data.take(test))
