"""Logs put one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError
from ..data._categories import Categories
from ._log import PER_ROW, StageLog, require_log


def concat_logs(logs: Sequence[StageLog]) -> StageLog:
    """Put logs of the same system one after the other.

    `order` counts the rows of the logs, one after the other, as they stand in them; the top feedback is the highest.

    Raises
    ------
    DataError
        There are none, they differ in stages, features, kind of ids or forced exposures, or share a request.

    Examples
    --------
    >>> log = StageLog(["a", "b"], [1, 1], [1, 0], [0, float("nan")], n_stages=1)
    >>> concat_logs([log.take([1]), log.take([0])]).request_ids.tolist()
    ['b', 'a']
    """
    if isinstance(logs, StageLog) or not isinstance(logs, Iterable):
        raise DataError(f"concat_logs: a {type(logs).__name__} is no sequence of logs; give them in a list.")
    logs = list(logs)
    for number, log in enumerate(logs):
        require_log(log, f"concat_logs: log {number}")
    if not logs:
        raise DataError("concat_logs: give at least one log.")
    first = logs[0]
    for number, log in enumerate(logs):
        for name in ("n_stages", "feature_names"):
            if getattr(log, name) != getattr(first, name):
                raise DataError(f"concat_logs: {name} of log {number} is not that of log 0; join logs of one system.")
        for name, of in (("item", "item"), ("request_ids", "request")):
            if (kind := _kind(getattr(log, name))) != _kind(getattr(first, name)):
                raise DataError(
                    f"concat_logs: {of} ids are {kind} in log {number}, but {_kind(getattr(first, name))} in log 0; "
                    "make all logs with ids of one kind."
                )
        if (log.forced is None) != (first.forced is None):
            raise DataError(f"concat_logs: forced is given in only one of log 0 and log {number}.")
        if not _same_categories(log.categories, first.categories):
            raise DataError(f"concat_logs: log {number} has other categories than log 0; code both alike first.")
    ids, count = np.unique(np.concatenate([log.request_ids for log in logs]), return_counts=True)
    if (count > 1).any():
        raise DataError(f"concat_logs: request {ids[count > 1][0]} is in more than one log; make the ids distinct.")
    parts = {name: [getattr(log, name) for log in logs] for name in PER_ROW}
    joined = {name: None if values[0] is None else _stacked(values) for name, values in parts.items()}
    sizes = np.concatenate([log.request_sizes for log in logs])
    return first._with(
        **joined | {"order": np.arange(int(sizes.sum()))},
        request_ptr=np.concatenate(([0], np.cumsum(sizes))),
        request_ids=np.concatenate([log.request_ids for log in logs]),
        top_feedback=max(log.top_feedback for log in logs),
    )


def _kind(ids: npt.NDArray[Any]) -> str:
    return "strings" if ids.dtype.kind == "U" else "whole numbers"


def _stacked(values: list[Any]) -> Any:
    return sp.vstack(values, format="csr") if sp.issparse(values[0]) else np.concatenate(values)


def _same_categories(a: Categories, b: Categories) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
