"""Folds that follow what is known of the queries: their size or difficulty, their time, or a plan made before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_whole
from ..data import RankingData
from ._base import Parts, Queries, QuerySplitter, both, generator, per_query, require_apart


class QueryStratifiedKFold(QuerySplitter):
    """Folds of whole queries that are alike in a number known of each query, such as its size or its difficulty.

    Queries stand in order of that number, and each run of `n_splits` neighbours gives one query to every fold.

    Parameters
    ----------
    n_splits : int
        Number of folds, 2 or more.
    by : {"size", "relevance"}, or mapping, Series or array of shape (n_queries,)
        ``size``: number of documents; ``relevance``: mean label.  Or a number for each query, by id or in order of
        first appearance, such as the NDCG that a baseline has on it.
    shuffle : bool
        Deal neighbours out at random; otherwise in turn.
    random_state : int, Generator, RandomState or None
        Only with `shuffle`.

    Examples
    --------
    >>> qid = np.repeat(["a", "b", "c", "d"], [1, 9, 8, 2])
    >>> for train, test in QueryStratifiedKFold(2, by="size").split(np.zeros((20, 1)), groups=qid):
    ...     print(np.unique(qid[test]))
    ['a' 'b']
    ['c' 'd']
    """

    def __init__(self, n_splits: int = 5, *, by: Any = "size", shuffle: bool = False, random_state: Any = None) -> None:
        check_whole("n_splits", n_splits, lowest=2)
        if isinstance(by, str) and by not in ("size", "relevance"):
            raise ParameterError(f"by={by!r}: give 'size', 'relevance', or a number for each query.")
        if random_state is not None and not shuffle:
            raise ParameterError(f"random_state={random_state!r}: has no effect without shuffle=True.")
        self.n_splits = n_splits
        self.by = by
        self.shuffle = shuffle
        self.random_state = random_state

    def _parts(self, queries: Queries) -> Iterator[Parts]:
        n, k = len(queries.ids), self.n_splits
        if n < k:
            raise ParameterError(f"n_splits={k}: there are only {n} queries; give a lower number.")
        known, random = self._known(queries), generator(self.random_state)
        order = random.permutation(n) if self.shuffle else np.arange(n)
        order = order[np.argsort(known[order], kind="stable")]
        fold = np.empty(n, np.int64)
        for block, a in enumerate(range(0, n, k)):
            # In turn: forwards and backwards, so that no fold always gets the lowest of its neighbours.
            turn = random.permutation(k) if self.shuffle else np.arange(k)[:: -1 if block % 2 else 1]
            fold[order[a : a + k]] = turn[: n - a]
        for number in range(k):
            yield both(np.flatnonzero(fold == number), n)

    def _known(self, queries: Queries) -> npt.NDArray[np.float64]:
        if isinstance(self.by, str):
            found = queries.sizes if self.by == "size" else queries.mean_label
            if found is None:
                raise DataError("y: by='relevance' needs labels that are numbers; pass y, or a RankingData as X.")
        else:
            found = per_query("by", self.by, queries.ids)
        try:
            numbers = np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(f"by: must be numbers, not {np.asarray(found).dtype}.") from None
        if not np.isfinite(numbers).all():
            at = int(np.argmin(np.isfinite(numbers)))
            raise DataError(f"by: is {numbers[at]} for query {queries.ids.tolist()[at]!r}; give a finite number.")
        return numbers


class QueryTimeSplit(QuerySplitter):
    """Tests on later queries than those trained on, in splits that move forward; nothing of the future is learnt from.

    Queries of the same time are never on both sides of a cut: they all belong to the later part.

    Parameters
    ----------
    n_splits : int
        Number of splits.
    time : mapping, Series or array of shape (n_queries,), optional
        When each query was asked, by id or in order of first appearance: anything that sorts.  Without it, queries
        stand in order of time already, as rows do in scikit-learn's `TimeSeriesSplit`.
    test_size : int, optional
        Number of queries in each test part; n_queries // (n_splits + 1) by default.
    max_train_size : int, optional
        The latest so many queries, at most, are trained on.
    gap : int
        Number of queries left out between the parts.

    Examples
    --------
    >>> for train, test in QueryTimeSplit(2).split(np.zeros((4, 1)), groups=["a", "b", "b", "c"]):
    ...     print(train, test)
    [0] [1 2]
    [0 1 2] [3]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        time: Any = None,
        test_size: int | None = None,
        max_train_size: int | None = None,
        gap: int = 0,
    ) -> None:
        check_whole("n_splits", n_splits)
        for name, value in (("test_size", test_size), ("max_train_size", max_train_size)):
            if value is not None:
                check_whole(name, value)
        check_whole("gap", gap, lowest=0)
        self.n_splits = n_splits
        self.time = time
        self.test_size = test_size
        self.max_train_size = max_train_size
        self.gap = gap

    def _parts(self, queries: Queries) -> Iterator[Parts]:
        n = len(queries.ids)
        time = np.arange(n) if self.time is None else _sortable(per_query("time", self.time, queries.ids))
        order = np.argsort(time, kind="stable")
        time = time[order]
        size = self.test_size or n // (self.n_splits + 1)
        cuts = np.array([n - (self.n_splits - i) * size for i in range(self.n_splits)])
        if size == 0 or cuts[0] - self.gap < 1:
            raise ParameterError(
                f"n_splits={self.n_splits}: {n} queries are too few for that many test parts of {max(size, 1)}"
                f"{f' after a gap of {self.gap}' if self.gap else ''}; give a lower number."
            )
        starts = np.searchsorted(time, time[cuts])  # the first query of the same time
        for start, end in zip(starts, [*starts[1:], n], strict=True):
            train = order[max(start - self.gap - (self.max_train_size or n), 0) : max(start - self.gap, 0)]
            if len(train) == 0 or start == end:
                raise ParameterError(
                    f"time: so many of the {n} queries have the time {time[start]} that a part would be empty; "
                    "give finer times or fewer splits."
                )
            yield np.sort(train), np.sort(order[start:end])

    def _check(self, train: npt.NDArray[Any], test: npt.NDArray[Any], n_rows: int) -> None:
        require_apart(train, test, None)  # later queries, and the gap, are in neither part


class QueryPredefinedSplit(QuerySplitter):
    """Folds that were planned before, such as those that LETOR data sets come in.

    Parameters
    ----------
    fold : mapping, Series or array of shape (n_queries,)
        The fold, a whole number or a string, in whose test part each query is, by id or in order of first appearance;
        -1 or None for a query that is always trained on.  Folds come in the order of their names.

    Examples
    --------
    >>> for train, test in QueryPredefinedSplit({"a": 1, "b": 2, "c": -1}).split(np.zeros((3, 1)), groups=list("abc")):
    ...     print(train, test)
    [1 2] [0]
    [0 2] [1]
    """

    def __init__(self, fold: Any) -> None:
        self.fold = fold
        values = fold.values() if hasattr(fold, "values") and callable(fold.values) else fold
        self._names = _fold_names(values)
        self.n_splits = len(self._names)

    @classmethod
    def of_test_parts(cls, parts: Sequence[RankingData]) -> Self:
        """Return the split in which fold 0, 1, ... tests on the queries of each part.

        Raises
        ------
        DataError
            Two parts share a query.
        """
        fold: dict[Any, int] = {}
        for number, part in enumerate(parts):
            shared = fold.keys() & set(part.query_ids.tolist())
            if shared:
                raise DataError(f"parts: query {min(shared)!r} is in two of them; each query is tested once.")
            fold |= dict.fromkeys(part.query_ids.tolist(), number)
        return cls(fold)

    def _parts(self, queries: Queries) -> Iterator[Parts]:
        fold = per_query("fold", self.fold, queries.ids).astype(object)
        for name in self._names:
            test = np.flatnonzero(fold == name)
            if len(test) in (0, len(fold)):
                raise ParameterError(
                    f"fold {name!r}: {'no' if len(test) == 0 else 'every'} query of the data is in it."
                )
            yield both(test, len(fold))


def _fold_names(values: Any) -> list[Any]:
    plain = {value.item() if isinstance(value, np.generic) else value for value in values}
    names = {name for name in plain if name is not None and name != -1}
    if not names:
        raise ParameterError("fold: no query is in any fold; give the fold in whose test part each query is.")
    if len({isinstance(name, str) for name in names}) > 1 or not all(
        isinstance(name, str | int) and not isinstance(name, bool) for name in names
    ):
        raise ParameterError("fold: folds are all whole numbers or all strings, and -1 or None for none.")
    return sorted(names)


def _sortable(time: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return times that compare; missing ones are refused."""
    missing = np.array([value is None or value != value for value in time.tolist()], bool)
    if missing.any() or (time.dtype.kind in "mM" and np.isnat(time).any()):
        raise DataError(f"time: is missing for {int(missing.sum()) or 'some'} queries; give each a time.")
    try:
        np.sort(time)
    except TypeError:
        raise DataError("time: the values do not compare with each other; give numbers, dates or strings.") from None
    return time
