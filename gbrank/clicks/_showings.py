"""Counts of showings and clicks by rank, of what may be compared: the material of all estimators of propensities.

Rows are counted in *cells* of one group and one rank.  A group's clicks at two ranks are of the same attraction: those
of one query-document pair that stood at both, or those of all lists in which a coin decided what stood where.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import DataError, IntArray
from .._compile import kernel
from ._context import compacted
from ._log import ClickLog
from ._pairs import Mask, Vector

_SWAP = re.compile(r"([1-9]\d{0,8})-([1-9]\d{0,8})")
NO_SWAP = "none"


@dataclass(frozen=True, eq=False)
class Showings:
    """Where each row of a log is counted.

    Attributes
    ----------
    n_ranks : int
    group, rank : int64 array of shape (n_cells,)
        Of each cell, sorted by both; ranks from 0.
    session_ptr : int64 array of shape (n_sessions + 1,)
    cell : int64 array of shape (n_rows,)
        The cell of each row, -1 for those that do not count.
    click : bool array of shape (n_rows,)
    """

    n_ranks: int
    group: IntArray
    rank: IntArray
    session_ptr: IntArray
    cell: IntArray
    click: Mask

    @classmethod
    def of_pairs(cls, log: ClickLog, n_ranks: int) -> Showings:
        """Count the showings of each query-document pair."""
        return cls._of(log, n_ranks, log.pair, log.rank <= n_ranks)

    @classmethod
    def of_swaps(cls, log: ClickLog, n_ranks: int) -> Showings:
        """Count the showings at both ranks of each swap; see `RandomSwaps`.

        Raises
        ------
        DataError
            The log's policies are no swaps, none is among the first `n_ranks` ranks, or one is beyond its list.
        """
        ends, code = swaps_of(log)
        swap, rank = np.repeat(code, log.session_sizes), log.rank
        counts = (rank[:, None] == ends[swap]).any(axis=1) & (ends[swap, 1] <= n_ranks)
        if not counts.any():
            raise DataError(f"policy: no session has a swap among the first {n_ranks} ranks; give a larger n_ranks.")
        return cls._of(log, n_ranks, swap, counts)

    @classmethod
    def _of(cls, log: ClickLog, n_ranks: int, group: IntArray, counts: Mask) -> Showings:
        code = (group * n_ranks + log.rank - 1)[counts]
        found, at = compacted(code, int(group.max() + 1) * n_ranks)
        cell = np.full(log.n_rows, -1)
        cell[counts] = at
        return cls(n_ranks, found // n_ranks, found % n_ranks, log.session_ptr, cell, log.click)

    def counts(self, weight: IntArray | None = None) -> tuple[Vector, Vector]:
        """Return how often each cell was shown, and clicked; sessions count `weight` times, or once."""
        shown, clicks = np.zeros(len(self.group)), np.zeros(len(self.group))
        times = np.ones(len(self.session_ptr) - 1, np.int64) if weight is None else weight
        _count(self.session_ptr, self.cell, self.click, times, shown, clicks)
        return shown, clicks

    def sets(self, shown: Vector, clicks: Vector) -> Sets:
        """Return the counts of all groups that were shown at two ranks, brought together for each two.

        A group shown n and m times at them counts n m / (n + m) times at both, with its own click rate at each: what
        stood at both ranks is then the same, and the weight that with the least variance of the difference.
        """
        square = (self.n_ranks, self.n_ranks)
        found = Sets(np.zeros(square), np.zeros(square))
        _pool(self.group, self.rank, shown, clicks, found.shown, found.clicks)
        return found


@dataclass(frozen=True, eq=False)
class Sets:
    """What was shown at two ranks: in row k and column l, counts at rank k of what was shown at rank l as well.

    Attributes
    ----------
    shown, clicks : array of shape (n_ranks, n_ranks)
    """

    shown: Vector
    clicks: Vector

    @property
    def rates(self) -> Vector:
        """Clicks for each showing, NaN where there is none."""
        nothing = np.full_like(self.shown, np.nan)
        return np.divide(self.clicks, self.shown, out=nothing, where=self.shown > 0)


def swaps_of(log: ClickLog) -> tuple[IntArray, IntArray]:
    """Return the two ranks of each swap that the log has, 0 for none, and the number of each session's swap."""
    if log.policy is None:
        raise DataError(
            "policy: the log has none; that of a session has to name the ranks that a coin may have swapped, as '1-3', "
            "see RandomSwaps."
        )
    code, names = pd.factorize(log.policy if log.policy.dtype.kind == "i" else log.policy.astype(object))
    ends = np.zeros((len(names), 2), np.int64)
    for at, name in enumerate(names.tolist()):
        found = _SWAP.fullmatch(str(name))
        if found and int(found[1]) < int(found[2]):
            ends[at] = int(found[1]), int(found[2])
        elif name != NO_SWAP:
            raise DataError(f"policy: {name!r} is no swap; write two ranks, the upper first, as '1-3', or {NO_SWAP!r}.")
    if not ends.any():
        raise DataError(f"policy: all are {NO_SWAP!r}: no session has a swap; show lists by RandomSwaps.")
    short = log.session_sizes < ends[code, 1]
    if short.any():
        s = int(np.argmax(short))
        raise DataError(
            f"policy: session {log.session_ids[s]!s} has the swap {log.policy[s]!s}, but {log.session_sizes[s]} ranks; "
            "name the ranks of its list that the coin was thrown for."
        )
    return ends, code


@kernel
def _count(ptr: Any, cell: Any, click: Any, weight: Any, shown: Any, clicks: Any) -> None:
    for s in range(len(ptr) - 1):
        if weight[s] == 0:
            continue
        for row in range(ptr[s], ptr[s + 1]):
            if cell[row] >= 0:
                shown[cell[row]] += weight[s]
                if click[row]:
                    clicks[cell[row]] += weight[s]


@kernel
def _pool(group: Any, rank: Any, shown: Any, clicks: Any, set_shown: Any, set_clicks: Any) -> None:
    for i in range(len(group)):
        j = i + 1
        while j < len(group) and group[j] == group[i]:
            if shown[i] > 0 and shown[j] > 0:
                size = shown[i] * shown[j] / (shown[i] + shown[j])
                k, m = rank[i], rank[j]
                set_shown[k, m] += size
                set_shown[m, k] += size
                set_clicks[k, m] += size * clicks[i] / shown[i]
                set_clicks[m, k] += size * clicks[j] / shown[j]
            j += 1
