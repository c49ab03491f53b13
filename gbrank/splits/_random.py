"""Random hold-out and folds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .._checks import ParameterError, check_whole
from ..data import RankingData
from ._base import Parts, Queries, QuerySplitter, both, generator


def train_test_split(
    data: RankingData, *, test_size: float = 0.2, random_state: Any = None
) -> tuple[RankingData, RankingData]:
    """Split `data` at random into two parts of whole queries, which keep every field and the order of queries.

    Parameters
    ----------
    data : RankingData
    test_size : float or int
        Share of the queries (0 < share < 1, rounded up), or their number, in the second part.
    random_state : int, Generator, RandomState or None

    Raises
    ------
    ParameterError
        `test_size` leaves no query for one of the parts.

    Examples
    --------
    >>> data = RankingData(np.zeros((6, 1)), [0, 1, 0, 1, 0, 1], qid=[1, 1, 2, 2, 3, 3])
    >>> train, test = train_test_split(data, test_size=1, random_state=0)
    >>> train.n_queries, test.n_documents
    (2, 2)
    """
    splitter = QueryShuffleSplit(1, test_size=test_size, random_state=random_state)
    return next(splitter.split_data(data))


class QueryKFold(QuerySplitter):
    """Folds of whole queries, each the test part once; their numbers of queries differ by at most one.

    Parameters
    ----------
    n_splits : int
        Number of folds, 2 or more.
    shuffle : bool
        Deal the queries out at random; otherwise a fold is a run of queries in order of first appearance.
    random_state : int, Generator, RandomState or None
        Only with `shuffle`.

    Examples
    --------
    >>> for train, test in QueryKFold(2).split(np.zeros((5, 1)), groups=["b", "a", "b", "c", "a"]):
    ...     print(train, test)
    [3] [0 1 2 4]
    [0 1 2 4] [3]
    """

    def __init__(self, n_splits: int = 5, *, shuffle: bool = False, random_state: Any = None) -> None:
        check_whole("n_splits", n_splits, lowest=2)
        if random_state is not None and not shuffle:
            raise ParameterError(f"random_state={random_state!r}: has no effect without shuffle=True.")
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def _parts(self, queries: Queries) -> Iterator[Parts]:
        n_queries = len(queries.ids)
        if n_queries < self.n_splits:
            raise ParameterError(f"n_splits={self.n_splits}: there are only {n_queries} queries; give a lower number.")
        order = generator(self.random_state).permutation(n_queries) if self.shuffle else np.arange(n_queries)
        for fold in np.array_split(order, self.n_splits):
            yield both(fold, n_queries)


class QueryShuffleSplit(QuerySplitter):
    """Independent random splits of whole queries.

    Parameters
    ----------
    n_splits : int
        Number of splits.
    test_size : float or int
        Share of the queries (0 < share < 1, rounded up), or their number, in the test part.
    random_state : int, Generator, RandomState or None

    Examples
    --------
    >>> splitter = QueryShuffleSplit(3, test_size=0.5, random_state=0)
    >>> [len(test) for _, test in splitter.split(np.zeros((4, 1)), groups=[7, 8, 8, 7])]
    [2, 2, 2]
    """

    def __init__(self, n_splits: int = 10, *, test_size: float = 0.2, random_state: Any = None) -> None:
        check_whole("n_splits", n_splits)
        self.n_splits = n_splits
        self.test_size = test_size
        self.random_state = random_state

    def _parts(self, queries: Queries) -> Iterator[Parts]:
        n_queries = len(queries.ids)
        n_test = _test_count(self.test_size, n_queries)
        random = generator(self.random_state)
        for _ in range(self.n_splits):
            yield both(random.permutation(n_queries)[:n_test], n_queries)


def _test_count(test_size: Any, n_queries: int) -> int:
    whole = isinstance(test_size, int | np.integer) and not isinstance(test_size, bool)
    if not whole and not (isinstance(test_size, float | np.floating) and 0 < test_size < 1):
        raise ParameterError(f"test_size={test_size!r}: give a share between 0 and 1, or a whole number of queries.")
    n_test = int(test_size) if whole else math.ceil(test_size * n_queries - 1e-9)
    if not 1 <= n_test < n_queries:
        raise ParameterError(f"test_size={test_size!r}: of {n_queries} queries, each part needs at least one.")
    return n_test
