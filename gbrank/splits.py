"""Hold-out and folds of whole queries: no query is ever in two parts.

The splitters follow scikit-learn's protocol, with query ids as ``groups``.  A ranker needs the ids as well, in `fit`
and in `score`; scikit-learn passes both on where metadata routing is switched on::

    with sklearn.config_context(enable_metadata_routing=True):
        cross_validate(ranker, X, y, cv=QueryKFold(5), params={"qid": qid, "groups": qid})

Ids may be whole numbers or strings in any order.  `random_state` is everywhere an int, a NumPy
generator, a ``RandomState``, or None for another result at each call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import BaseCrossValidator

from ._checks import DataError, IntArray, ParameterError, check_whole
from ._groups import group_rows
from .data import RankingData

Parts = tuple[IntArray, IntArray]


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


class _QuerySplitter(BaseCrossValidator):  # type: ignore[misc]
    """What both splitters share: from parts of queries to parts of rows or of data."""

    __metadata_request__split = {"groups": True}  # noqa: RUF012  (scikit-learn reads it from the class)
    n_splits: int

    def split(self, X: Any, y: Any = None, groups: npt.ArrayLike | None = None) -> Iterator[Parts]:
        """Yield the row numbers of the training and the test part of each split.

        Parameters
        ----------
        X : RankingData, or anything with one row per document
        y : ignored
        groups : array-like of shape (n_documents,)
            Query id of each row; taken from `X` where that is a `RankingData`.

        Raises
        ------
        ParameterError
            There are no query ids, or too few queries.
        DataError
            `groups` is not one id for each row.
        """
        number = _query_numbers(X, groups)
        for _, test in self._parts(int(number.max()) + 1):
            in_test = np.isin(number, test)
            rows, test_rows = np.flatnonzero(~in_test), np.flatnonzero(in_test)
            _require_apart(number[rows], number[test_rows], len(number))
            yield rows, test_rows

    def split_data(self, data: RankingData) -> Iterator[tuple[RankingData, RankingData]]:
        """Yield the training and the test part of each split, with every field and the queries in their order."""
        for train, test in self._parts(data.n_queries):
            parts = data.take(train), data.take(test)
            _require_apart(parts[0].qid, parts[1].qid, data.n_documents)
            yield parts

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits; the arguments are ignored."""
        return self.n_splits

    def _parts(self, n_queries: int) -> Iterator[Parts]:
        """Yield the query numbers, rising, of both parts."""
        raise NotImplementedError


class QueryKFold(_QuerySplitter):
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

    def _parts(self, n_queries: int) -> Iterator[Parts]:
        if n_queries < self.n_splits:
            raise ParameterError(f"n_splits={self.n_splits}: there are only {n_queries} queries; give a lower number.")
        order = _generator(self.random_state).permutation(n_queries) if self.shuffle else np.arange(n_queries)
        for fold in np.array_split(order, self.n_splits):
            yield _both(fold, n_queries)


class QueryShuffleSplit(_QuerySplitter):
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

    def _parts(self, n_queries: int) -> Iterator[Parts]:
        n_test = _test_count(self.test_size, n_queries)
        generator = _generator(self.random_state)
        for _ in range(self.n_splits):
            yield _both(generator.permutation(n_queries)[:n_test], n_queries)


def _both(test: IntArray, n_queries: int) -> Parts:
    in_test = np.zeros(n_queries, bool)
    in_test[test] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def _test_count(test_size: Any, n_queries: int) -> int:
    whole = isinstance(test_size, int | np.integer) and not isinstance(test_size, bool)
    if not whole and not (isinstance(test_size, float | np.floating) and 0 < test_size < 1):
        raise ParameterError(f"test_size={test_size!r}: give a share between 0 and 1, or a whole number of queries.")
    n_test = int(test_size) if whole else math.ceil(test_size * n_queries - 1e-9)
    if not 1 <= n_test < n_queries:
        raise ParameterError(f"test_size={test_size!r}: of {n_queries} queries, each part needs at least one.")
    return n_test


def _generator(random_state: Any) -> np.random.Generator | np.random.RandomState:
    if isinstance(random_state, np.random.Generator | np.random.RandomState):
        return random_state
    if random_state is not None:
        check_whole("random_state", random_state, lowest=0)
    return np.random.default_rng(random_state)


def _query_numbers(X: Any, groups: npt.ArrayLike | None) -> IntArray:
    """Return each row's query as a number 0, 1, ..., in order of first appearance."""
    if groups is None and not isinstance(X, RankingData):
        raise ParameterError("groups: pass the query id of each row, or a RankingData as X; rows alone are no queries.")
    found = group_rows(X.qid if groups is None else groups)
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if len(found.order) != n_rows or n_rows == 0:
        raise DataError(f"groups: {len(found.order)} query ids for {n_rows} rows; give one for each.")
    number = np.empty(n_rows, np.int64)
    number[found.order] = np.repeat(np.arange(len(found.query_ids)), np.diff(found.query_ptr))
    return number


def _require_apart(train: npt.NDArray[Any], test: npt.NDArray[Any], n_rows: int) -> None:
    """Raise if a query id is in both parts, or a row in none: gbrank's promise, checked on every split."""
    shared = np.intersect1d(train, test)
    if len(shared) or len(train) + len(test) != n_rows:
        raise RuntimeError(f"a split of whole queries failed ({len(shared)} queries are in both parts); report this.")
