"""`StageLog`: what each item of a request reached in a system of several stages, and the feedback of what was shown.

The notation is that of Zheng et al., "Full Stage Learning to Rank: A Unified Framework for Multi-Stage Systems",
arXiv 2405.04844 (2024).  A system of n stages passes the candidates of a request on from stage to stage; what the last
one lets through is exposed.  S(u, v) is the last stage that let item v through: 0 for a candidate that stage 1 did not
pass, n for an exposed item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_whole, real_numbers
from .._groups import canonical_ids, chosen_groups, group_rows, runs_of
from ..data import RankingData
from ..data._categories import Categories
from ..data._features import check_features
from ..data._ranking_data import replace_fields
from ._frames import as_text, frame_of, plain
from ._log_checks import Mask, Vector, as_flags, as_stages, check_distinct, check_feedback, top_of

if TYPE_CHECKING:
    import pandas as pd

PER_ROW = ("item", "stage", "feedback", "forced", "features", "order")
COLUMNS = ("request", "item", "stage", "feedback")


@dataclass(frozen=True, eq=False, init=False, repr=False)
class StageLog:
    """Requests to a system of several stages: the stage that each item reached, feedback where it was exposed.

    Rows stand request by request, requests in order of first appearance, rows of a request in the order given.

    Parameters
    ----------
    request : array-like of shape (n_rows,)
        Request ids: whole 64-bit numbers or strings, in any order.
    item : array-like of shape (n_rows,)
        Item ids, of the same kinds; none twice in a request.
    stage : array-like of int of shape (n_rows,)
        The last stage that let the item through, 0 to `n_stages`: 0 for candidates that stage 1 did not pass (random
        ones of the whole pool, as a rule), `n_stages` for what was exposed.
    feedback : array-like of shape (n_rows,)
        What the user answered, 0 or more, binary or graded, where the item was exposed, and NaN elsewhere: not to have
        been seen is not a 0.
    features : array, sparse array or DataFrame of shape (n_rows, n_features), optional
        As the `X` of `RankingData`.
    n_stages : int
        How many stages there are, at least 1.
    forced : array-like of bool of shape (n_rows,), optional
        Items that were shown past the later stages, as an experiment: `stage` is what they reached by themselves, and
        they have feedback all the same.  `check_assumption_2` needs some.
    top_feedback : float, optional
        The highest feedback there can be; by default the highest of the log, or 1.
    feature_names : sequence of str, optional

    Attributes
    ----------
    request_ptr : int64 array of shape (n_requests + 1,)
        Request q holds the rows ``request_ptr[q]:request_ptr[q + 1]``; none is empty.
    request_ids : int64 or str array of shape (n_requests,)
    order : int64 array of shape (n_rows,)
        The row, as given, that now stands in each place.
    categories : dict of str to array
        As those of `RankingData`.

    Raises
    ------
    DataError
        Unequal lengths, no rows, a stage outside 0 to `n_stages`, an item twice in a request, feedback on what was not
        exposed, none on what was, or a negative or infinite one; the row is named.

    Examples
    --------
    >>> nan = float("nan")
    >>> log = StageLog(
    ...     ["r1", "r1", "r1", "r2", "r2"], [7, 8, 9, 7, 5], [2, 0, 1, 2, 2], [1, nan, nan, 0, 1], n_stages=2
    ... )
    >>> log
    StageLog(2 requests, 5 rows, 2 stages)
    >>> log.summary()["rows"].tolist(), log.take([1]).item.tolist()
    ([1, 1, 3], [7, 5])
    """

    item: npt.NDArray[Any]
    stage: IntArray
    feedback: Vector
    forced: Mask | None
    features: Any
    request_ptr: IntArray
    request_ids: npt.NDArray[Any]
    order: IntArray
    n_stages: int
    top_feedback: float
    feature_names: tuple[str, ...] | None
    categories: Categories

    def __init__(
        self,
        request: npt.ArrayLike,
        item: npt.ArrayLike,
        stage: npt.ArrayLike,
        feedback: npt.ArrayLike,
        features: Any = None,
        *,
        n_stages: int,
        forced: npt.ArrayLike | None = None,
        top_feedback: float | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        check_whole("n_stages", n_stages)
        groups = group_rows(request, name="request")
        n = len(groups.order)
        if n == 0:
            raise DataError("the log has no rows; give at least one.")
        found = None if features is None else check_features(features, feature_names)
        fields: dict[str, Any] = {
            "item": canonical_ids(item, name="item"),
            "stage": as_stages(stage, n_stages),
            "feedback": real_numbers("feedback", feedback),
            "forced": None if forced is None else as_flags(forced),
            "features": None if found is None else found.X,
        }
        for name, value in fields.items():
            if value is not None and (value.shape[0] != n or (name != "features" and value.ndim != 1)):
                raise DataError(f"{name}: has the shape {value.shape} for {n} rows of request; give one for each.")
        check_feedback(fields["feedback"], fields["stage"], fields["forced"], n_stages)
        if not groups.contiguous:
            fields = {name: None if value is None else value[groups.order] for name, value in fields.items()}
        check_distinct(fields["item"], groups.query_ptr, groups.query_ids, groups.order)
        fields |= {"request_ptr": groups.query_ptr, "request_ids": groups.query_ids, "order": groups.order}
        fields |= {"n_stages": int(n_stages), "top_feedback": top_of(top_feedback, fields["feedback"])}
        self._store(**fields, feature_names=found and found.names, categories={} if found is None else found.categories)

    def _store(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        n_stages: int,
        names: Mapping[str, str] | None = None,
        features: Sequence[str] | None = None,
        top_feedback: float | None = None,
    ) -> Self:
        """Make a log from a DataFrame with a row for each item of a request.

        Parameters
        ----------
        frame : DataFrame
            Columns ``request``, ``item``, ``stage`` and ``feedback`` (missing where not exposed), and ``forced`` where
            there are forced exposures.
        n_stages : int
        names : mapping of str to str, optional
            The frame's names of these columns, where they differ: ``{"request": "session_id"}``.
        features : sequence of str, optional
            The columns of features; by default all others.
        top_feedback : float, optional

        Raises
        ------
        DataError
            A column is missing, or what the constructor refuses.
        ParameterError
            A name in `names` that no log has.
        """
        if not hasattr(frame, "columns"):
            raise DataError(f"frame: a {type(frame).__name__} is no DataFrame; give one, or arrays to StageLog itself.")
        if names is not None and not isinstance(names, Mapping):
            raise ParameterError(f"names={names!r}: give a mapping, as {{'request': 'session_id'}}.")
        called = {name: name for name in (*COLUMNS, "forced")} | dict(names or {})
        if set(called) != {*COLUMNS, "forced"}:
            other = next(name for name in called if name not in (*COLUMNS, "forced"))
            raise ParameterError(f"names: a log has no {other!r}; name request, item, stage, feedback or forced.")
        wanted = [called[name] for name in COLUMNS] + list(features or ())
        missing = [column for column in wanted if column not in frame.columns]
        if missing:
            raise DataError(
                f"the log has no column {missing[0]!r}, only {', '.join(map(repr, frame.columns))}; say by `names` "
                "what it is called."
            )
        if features is None:
            features = [column for column in frame.columns if column not in called.values()]
        forced = called["forced"]
        return cls(
            plain(frame[called["request"]]),
            plain(frame[called["item"]]),
            plain(frame[called["stage"]]),
            plain(frame[called["feedback"]]),
            frame[list(features)] if len(features) else None,
            n_stages=n_stages,
            forced=frame[forced].to_numpy() if forced in frame.columns else None,
            top_feedback=top_feedback,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame that `from_frame` takes, rows in the log's order."""
        import pandas as pd

        columns = {name: getattr(self, name) for name in COLUMNS}
        frame = pd.DataFrame(columns if self.forced is None else columns | {"forced": self.forced})
        if self.features is None:
            return frame
        given = frame_of(self.features, self.feature_names or (), self.categories)
        return pd.concat([frame, given], axis=1)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.item)

    @property
    def n_requests(self) -> int:
        """Number of requests."""
        return len(self.request_ids)

    @property
    def request_sizes(self) -> IntArray:
        """Number of rows of each request."""
        return np.diff(self.request_ptr)

    @property
    def request(self) -> npt.NDArray[Any]:
        """The request id of each row."""
        return np.repeat(self.request_ids, self.request_sizes)

    @property
    def exposed(self) -> Mask:
        """Whether each row passed all stages."""
        return np.asarray(self.stage == self.n_stages)

    @property
    def positive(self) -> Mask:
        """Whether each row passed all stages and has feedback above 0."""
        return self.exposed & (self.feedback > 0)

    def __len__(self) -> int:
        return self.n_rows

    def __repr__(self) -> str:
        more = "" if self.features is None else f", {self.features.shape[1]:,} features"
        forced = "" if self.forced is None else f", {int(self.forced.sum()):,} forced exposures"
        return f"StageLog({self.n_requests:,} requests, {self.n_rows:,} rows, {self.n_stages} stages{more}{forced})"

    def take(self, requests: npt.ArrayLike) -> StageLog:
        """Return the chosen whole requests, in the order wanted.

        Parameters
        ----------
        requests : array-like of int, or bool array of shape (n_requests,)
            Which, by number (0 is the first); none twice.

        Raises
        ------
        DataError
            A number is out of range or repeated, or no request is chosen.
        """
        twice = "`sample_requests` makes several lists of a request"
        chosen = chosen_groups("requests", requests, self.n_requests, twice=twice)
        ptr, rows = runs_of(self.request_ptr, chosen)
        return self._at(rows, ptr, self.request_ids[chosen])

    def rows(self, kept: npt.ArrayLike) -> StageLog:
        """Return the rows of a mask; a request of which none is left goes.

        Parameters
        ----------
        kept : bool array of shape (n_rows,)

        Raises
        ------
        DataError
            Another shape, no mask, or no row is left.
        """
        mask = np.asarray(kept)
        if mask.dtype.kind != "b" or mask.shape != (self.n_rows,):
            raise DataError(f"kept: give a mask with one True or False for each of the {self.n_rows} rows.")
        sizes = np.add.reduceat(mask, self.request_ptr[:-1], dtype=np.int64)
        if not sizes.any():
            raise DataError("kept: no row is left; keep at least one.")
        ptr = np.concatenate(([0], np.cumsum(sizes[sizes > 0])))
        return self._at(np.flatnonzero(mask), ptr, self.request_ids[sizes > 0])

    def _at(self, rows: IntArray, request_ptr: IntArray, request_ids: npt.NDArray[Any]) -> StageLog:
        """Return the log of some rows, cut into requests as told."""
        given = {name: getattr(self, name) for name in PER_ROW}
        fields = {name: None if value is None else value[rows] for name, value in given.items()}
        return self._with(**fields, request_ptr=request_ptr, request_ids=request_ids)

    def _with(self, **fields: Any) -> StageLog:
        """Return the log with some fields replaced by values that are known to be right."""
        log = object.__new__(StageLog)
        log._store(**{name: getattr(self, name) for name in self.__dataclass_fields__} | fields)
        return log

    def with_features(self, features: Any, feature_names: Sequence[str] | None = None) -> StageLog:
        """Return the same log with other features, given in this object's row order.

        So features need be looked up only for the rows that are left of a large log.

        Raises
        ------
        DataError
            Another number of rows, or what `RankingData` refuses.
        """
        found = check_features(features, feature_names)
        if found.X.shape[0] != self.n_rows:
            raise DataError(f"features: {found.X.shape[0]} rows for the {self.n_rows} of the log; give one for each.")
        return self._with(features=found.X, feature_names=found.names, categories=found.categories)

    def to_data(self, y: npt.ArrayLike | str = "feedback") -> RankingData:
        """Return rows as documents, with requests as queries and item ids as document ids.

        Parameters
        ----------
        y : {"feedback", "stage"} or array-like of shape (n_rows,)
            The labels: the feedback, and then only the rows that have some; or the stage reached, or labels of yours,
            and then all rows.

        Raises
        ------
        DataError
            The log has no features, or no row has feedback.
        ParameterError
            A name other than the two.
        """
        if self.features is None:
            raise DataError("the log has no features; give them to StageLog, or later by `with_features`.")
        if isinstance(y, str) and y not in ("feedback", "stage"):
            raise ParameterError(f"y={y!r}: choose 'feedback' or 'stage', or give labels.")
        if isinstance(y, str) and y == "feedback":
            seen = np.logical_not(np.isnan(self.feedback))
            if not seen.any():
                raise DataError("no row of the log has feedback; choose y='stage' or give labels.")
            shown = self.rows(seen)
            return shown.to_data(shown.feedback)
        labels = self.stage if isinstance(y, str) else y
        data = RankingData(
            self.features, labels, self.request, doc_id=as_text(self.item), feature_names=self.feature_names
        )
        return replace_fields(data, categories=self.categories)

    def summary(self) -> pd.DataFrame:
        """Return what the log holds of each stage.

        Returns
        -------
        DataFrame
            A row for each stage 0 to `n_stages`: `rows`; `requests` that have some; `rows_per_request`, a mean over all
            requests; `with_feedback`, the rows that have some, and the `positive` ones of these; `feedback`, its mean
            (NaN where there is none).
        """
        import pandas as pd

        bins = self.n_stages + 1
        number = np.repeat(np.arange(self.n_requests), self.request_sizes)
        present = np.bincount(number * bins + self.stage, minlength=self.n_requests * bins).reshape(-1, bins)
        seen = np.logical_not(np.isnan(self.feedback))
        counts = np.bincount(self.stage[seen], minlength=bins)
        sums = np.bincount(self.stage[seen], self.feedback[seen], minlength=bins)
        return pd.DataFrame(
            {
                "rows": present.sum(axis=0),
                "requests": (present > 0).sum(axis=0),
                "rows_per_request": present.mean(axis=0),
                "with_feedback": counts,
                "positive": np.bincount(self.stage[self.feedback > 0], minlength=bins),
                "feedback": np.where(counts > 0, sums / np.maximum(counts, 1), np.nan),
            },
            index=pd.RangeIndex(bins, name="stage"),
        )


def require_log(log: Any, name: str = "log") -> None:
    """Raise a `DataError` unless `log` is a `StageLog`."""
    if not isinstance(log, StageLog):
        raise DataError(f"{name}: a {type(log).__name__} is no StageLog; make one of it.")
