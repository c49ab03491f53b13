"""`ClickLog`: what users were shown and what they clicked, the currency of everything that learns from clicks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector
from .._groups import canonical_ids, chosen_groups, group_rows, runs_of
from ..data import RankingData
from ._log_checks import as_clicks, as_ranks, check_distinct, check_whole_lists, one_each, sessions_by_rank
from ._pairs import Ids, Mask, Vector, match_pairs, number_pairs, pairs_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("session", "query", "document", "rank", "click")
OPTIONAL = ("time", "policy")


@dataclass(frozen=True, eq=False, init=False, repr=False)
class ClickLog:
    """Sessions of whole result lists: the documents that were shown to one query, in order, and which were clicked.

    Rows stand session by session, sessions in order of first appearance, rows of a session by rank, so that the
    document at rank r of session s is row ``session_ptr[s] + r - 1``.  A click is one or none: how often, and in what
    order, documents were clicked is not kept.

    Parameters
    ----------
    session : array-like of shape (n_rows,)
        Session ids: whole 64-bit numbers or strings, in any order.  A session is one answer to one query.
    query, document : array-like of shape (n_rows,)
        Ids of the same kinds; all rows of a session have one query, and no document twice.
    rank : array-like of int of shape (n_rows,)
        From 1; the rows of a session have the ranks 1 to n, each once.
    click : array-like of bool of shape (n_rows,)
        0 and 1 will do.
    time : array-like of shape (n_rows,), optional
        When the session began, the same in all its rows, in any unit.
    policy : array-like of shape (n_rows,), optional
        Id of the ranker that made the list, the same in all rows of a session.

    Attributes
    ----------
    session_ptr : int64 array of shape (n_sessions + 1,)
    session_ids : int64 or str array of shape (n_sessions,)
    pair : int64 array of shape (n_rows,)
        The number of the row's query-document pair, a row of the catalogue.
    pair_query, pair_document : int64 or str arrays of shape (n_pairs,)
        The catalogue: every pair once.  What `take` returns shares it, so it may have pairs that no row has.
    click : bool array of shape (n_rows,)
    time : float64 array of shape (n_sessions,) or None
    policy : int64 or str array of shape (n_sessions,) or None

    Raises
    ------
    DataError
        Unequal lengths, no rows, a rank that is missing, below 1, fractional, twice in a session or beyond its list, a
        document twice in a session, two queries in one, a click that is neither 0 nor 1, or on what has no rank.

    Examples
    --------
    >>> log = ClickLog([1, 1, 2, 2], ["q", "q", "q", "q"], ["a", "b", "b", "a"], [1, 2, 1, 2], [1, 0, 0, 1])
    >>> log
    ClickLog(2 sessions, 4 rows, 1 queries, 2 pairs, 2 clicks)
    >>> log.document.tolist(), log.rank.tolist(), log.click_rates().tolist()
    (['a', 'b', 'b', 'a'], [1, 2, 1, 2], [0.5, 0.5])
    """

    session_ptr: IntArray
    session_ids: Ids
    pair: IntArray
    pair_query: Ids
    pair_document: Ids
    click: Mask
    time: Vector | None
    policy: Ids | None

    def __init__(
        self,
        session: npt.ArrayLike,
        query: npt.ArrayLike,
        document: npt.ArrayLike,
        rank: npt.ArrayLike,
        click: npt.ArrayLike,
        *,
        time: npt.ArrayLike | None = None,
        policy: npt.ArrayLike | None = None,
    ) -> None:
        groups = group_rows(session, name="session")
        n = len(groups.order)
        if n == 0:
            raise DataError("the log has no rows; give at least one.")
        columns: dict[str, Any] = {
            "query": canonical_ids(query, name="query"),
            "document": canonical_ids(document, name="document"),
            "click": as_clicks(click),
            "rank": rank,
        }
        columns["rank"] = as_ranks(rank, columns["click"])
        if time is not None:
            columns["time"] = as_vector("time", time)
        if policy is not None:
            columns["policy"] = canonical_ids(policy, name="policy")
        for name, values in columns.items():
            if values.shape != (n,):
                raise DataError(f"{name}: has the shape {values.shape} for {n} rows of session; give one for each.")
        ptr, ids = groups.query_ptr, groups.query_ids
        number = np.repeat(np.arange(len(ids)), np.diff(ptr))
        order = groups.order[np.lexsort((columns["rank"][groups.order], number))]
        columns = {name: values[order] for name, values in columns.items()}
        check_whole_lists(columns["rank"], ptr, ids, order)
        heads = {name: one_each(name, columns[name], ptr, ids) for name in ("query", *OPTIONAL) if name in columns}
        pair, firsts = number_pairs(columns["query"], columns["document"])
        check_distinct(pair, number, columns["document"], ids)
        self._store(
            session_ptr=ptr,
            session_ids=ids,
            pair=pair,
            pair_query=columns["query"][firsts],
            pair_document=columns["document"][firsts],
            click=columns["click"],
            time=heads.get("time"),
            policy=heads.get("policy"),
        )

    def _store(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def _of(cls, **fields: Any) -> Self:
        """Make one from fields that are known to be right."""
        log = object.__new__(cls)
        log._store(**{"time": None, "policy": None} | fields)
        return log

    @classmethod
    def from_frame(cls, frame: Any, *, names: Mapping[str, str] | None = None) -> Self:
        """Make a log from a DataFrame with a row for each document shown.

        Parameters
        ----------
        frame : DataFrame
            Columns ``query``, ``document``, ``rank`` and ``click``, and where there are such ``session``, ``time`` and
            ``policy``.  Without ``session``, rows must stand in order, and a session begins with each rank of 1.
        names : mapping of str to str, optional
            The frame's names of these columns, where they differ: ``{"document": "url"}``.

        Raises
        ------
        DataError
            A column is missing, or what the constructor refuses.
        ParameterError
            A name in `names` that no log has.
        """
        known = (*COLUMNS, *OPTIONAL)
        called = dict(zip(known, known, strict=True)) | dict(names or {})
        for name in called:
            if name not in known:
                raise ParameterError(f"names: a log has no {name!r}; name some of {', '.join(known)}.")
        missing = [called[name] for name in COLUMNS[1:] if called[name] not in frame.columns]
        missing += [called[name] for name in names or () if called[name] not in frame.columns]
        if missing:
            raise DataError(
                f"the log has no column {missing[0]!r}, only {', '.join(map(repr, frame.columns))}; say by `names` "
                "what it is called."
            )
        found = {name: np.asarray(frame[column]) for name, column in called.items() if column in frame.columns}
        if "session" not in found:
            found["session"] = sessions_by_rank(as_ranks(found["rank"], as_clicks(found["click"])))
        return cls(**found)

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame that `from_frame` takes, rows in the log's order."""
        import pandas as pd

        sizes = self.session_sizes
        columns: dict[str, Any] = {
            "session": np.repeat(self.session_ids, sizes),
            "query": self.pair_query[self.pair],
            "document": self.document,
            "rank": self.rank,
            "click": self.click.astype(np.int64),
        }
        columns |= {name: np.repeat(getattr(self, name), sizes) for name in OPTIONAL if getattr(self, name) is not None}
        return pd.DataFrame(columns)

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return len(self.session_ids)

    @property
    def n_rows(self) -> int:
        """Number of documents shown, over all sessions."""
        return len(self.pair)

    @property
    def n_pairs(self) -> int:
        """Number of pairs of the catalogue."""
        return len(self.pair_query)

    @property
    def n_ranks(self) -> int:
        """The length of the longest list."""
        return int(self.session_sizes.max())

    @property
    def session_sizes(self) -> IntArray:
        """Number of rows of each session."""
        return np.diff(self.session_ptr)

    @property
    def query(self) -> Ids:
        """The query id of each session."""
        return np.asarray(self.pair_query[self.pair[self.session_ptr[:-1]]])

    @property
    def document(self) -> Ids:
        """The document id of each row."""
        return np.asarray(self.pair_document[self.pair])

    @property
    def rank(self) -> IntArray:
        """The rank of each row, from 1."""
        return np.arange(1, self.n_rows + 1) - np.repeat(self.session_ptr[:-1], self.session_sizes)

    def click_rates(self) -> Vector:
        """Return the share of clicked documents at each rank, of those shown there."""
        place = self.rank - 1
        return np.bincount(place, self.click) / np.bincount(place)

    def __len__(self) -> int:
        return self.n_sessions

    def __repr__(self) -> str:
        queries = len(np.unique(self.pair_query[np.unique(self.pair[self.session_ptr[:-1]])]))
        return (
            f"ClickLog({self.n_sessions:,} sessions, {self.n_rows:,} rows, {queries:,} queries, {self.n_pairs:,} "
            f"pairs, {int(self.click.sum()):,} clicks)"
        )

    def take(self, sessions: npt.ArrayLike) -> ClickLog:
        """Return the chosen whole sessions, in the order wanted, with the same catalogue.

        Parameters
        ----------
        sessions : array-like of int, or bool array of shape (n_sessions,)
            Which, by number (0 is the first); one may come several times, as in a bootstrap.

        Raises
        ------
        DataError
            A number is out of range, or no session is chosen.
        """
        chosen = chosen_groups("sessions", sessions, self.n_sessions)
        ptr, rows = runs_of(self.session_ptr, chosen)
        return self._of(
            session_ptr=ptr,
            session_ids=self.session_ids[chosen],
            pair=self.pair[rows],
            pair_query=self.pair_query,
            pair_document=self.pair_document,
            click=self.click[rows],
            time=None if self.time is None else self.time[chosen],
            policy=None if self.policy is None else self.policy[chosen],
        )

    def split_by_time(self, share: float, *, within_queries: bool = False) -> tuple[ClickLog, ClickLog]:
        """Return the earlier sessions and the later ones.

        Parameters
        ----------
        share : float
            The share of sessions, rounded down, that are the earlier ones; between 0 and 1.  A log without `time` is
            taken to stand in order of time; sessions of equal time keep their order.
        within_queries : bool
            Whether the share is of each query's sessions, so that a query of two or more is in both parts; for logs
            that stand query by query.

        Raises
        ------
        ParameterError
            A share with which either part would be empty.
        """
        number = isinstance(share, int | float | np.floating) and not isinstance(share, bool)
        order = np.arange(self.n_sessions) if self.time is None else np.argsort(self.time, kind="stable")
        earlier = np.zeros(self.n_sessions, np.bool_)
        if number and 0 < share < 1:
            runs = group_rows(self.query[order]) if within_queries else group_rows(np.zeros(len(order), np.int64))
            sizes = np.diff(runs.query_ptr)
            place = np.arange(len(order)) - np.repeat(runs.query_ptr[:-1], sizes)
            earlier[runs.order] = place < np.repeat((share * sizes).astype(np.int64), sizes)
        if not earlier.any():
            raise ParameterError(
                f"share={share!r}: give a number between 0 and 1 with which neither part of {self.n_sessions} sessions "
                "is empty."
            )
        return self.take(order[earlier]), self.take(order[~earlier])

    def rows_in(self, data: RankingData) -> IntArray:
        """Return the row of `data` that holds each pair of the catalogue, -1 where none does.

        Pairs are found by query id and document id, and document ids are compared as strings; data without document
        ids have the row numbers of what they were made from as such, as in `gbrank.clicks.simulate_clicks`.

        Raises
        ------
        DataError
            The data have a document twice in a query, so that it is not clear which is meant.
        ParameterError
            No `RankingData`.
        """
        if not isinstance(data, RankingData):
            raise ParameterError(f"data: is a {type(data).__name__}; give a RankingData, with the ids of documents.")
        return match_pairs(pairs_of(data), (self.pair_query, self.pair_document))


def require_log(log: Any) -> None:
    """Raise a `ParameterError` unless it is a `ClickLog`."""
    if not isinstance(log, ClickLog):
        raise ParameterError(
            f"log: is a {type(log).__name__}; give a ClickLog, which ClickLog.from_frame makes of a DataFrame."
        )
