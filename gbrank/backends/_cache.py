"""Binned data kept for the fits that follow, and found again by what they were made from."""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import scipy.sparse as sp

from .._checks import GbrankWarning, check_positive
from ..data import RankingData

V = TypeVar("V")


@dataclass(eq=False)
class Entry(Generic[V]):
    """One value in the making, or made."""

    size: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    made: list[V] = field(default_factory=list)


class Kept(Generic[V]):
    """Values made once for each key, and kept while there is room; the one not asked for longest goes first.

    May be asked from several threads: those that need the same value wait for the first, which makes it.

    Parameters
    ----------
    room : float
        The sum of the sizes of what is kept, at most.

    Attributes
    ----------
    hits, misses : int
        How often a value was there, and how often it was not.
    again : int
        How many of the misses were of a key that had to go before.
    wanted : float
        The room that all keys so far would need together.
    """

    def __init__(self, room: float) -> None:
        self.room = room
        self.hits = self.misses = self.again = 0
        self.wanted = 0.0
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, Entry[V]] = OrderedDict()
        self._seen: set[Hashable] = set()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def filled(self) -> float:
        """The sum of the sizes of what is kept."""
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    def get(self, key: Hashable, make: Callable[[], V], size: float = 1.0) -> V:
        """Return the value of `key`, which ``make()`` makes if it is not there; room is made for it before."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._admit(key, size)
            else:
                self.hits += 1
                self._entries.move_to_end(key)
        with entry.lock:
            if not entry.made:
                try:
                    entry.made.append(make())
                except BaseException:
                    self._drop(key, entry)
                    raise
            return entry.made[0]

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            self._entries.clear()

    def _admit(self, key: Hashable, size: float) -> Entry[V]:
        self.misses += 1
        self.again += key in self._seen
        self.wanted += 0 if key in self._seen else size
        self._seen.add(key)
        entry: Entry[V] = Entry(size)
        if size <= self.room:
            while sum(each.size for each in self._entries.values()) + size > self.room:
                self._entries.popitem(last=False)
            self._entries[key] = entry
        return entry

    def _drop(self, key: Hashable, entry: Entry[V]) -> None:
        with self._lock:
            if self._entries.get(key) is entry:
                del self._entries[key]


class BinCache:
    """The binned data of all fits inside a `bin_cache`.

    Attributes
    ----------
    max_bytes : float
    """

    def __init__(self, max_bytes: float) -> None:
        check_positive("max_bytes", max_bytes)
        self.max_bytes = max_bytes
        self._kept: Kept[tuple[Any, Any]] = Kept(max_bytes)

    @property
    def hits(self) -> int:
        """How often a data set had been binned already."""
        return self._kept.hits

    @property
    def misses(self) -> int:
        """How often a data set was binned."""
        return self._kept.misses

    @property
    def n_bytes(self) -> int:
        """Memory of what is kept, as estimated from its size."""
        return int(self._kept.filled)

    def __repr__(self) -> str:
        return (
            f"BinCache(max_bytes={self.max_bytes:,.0f}): binned {self.misses} times, not again {self.hits} times; "
            f"{self.n_bytes:,} bytes kept"
        )

    def handle(self, key: Hashable, reference: Any, make: Callable[[], Any], n_bytes: float) -> Any:
        """Return a library's data set.  With it stays that of `reference`, whose identity is part of its key."""
        return self._kept.get((key, id(reference)), lambda: (make(), reference), n_bytes)[0]

    def close(self) -> None:
        """Let everything go, and say so if there was too little room."""
        self._kept.clear()
        if self._kept.again:
            warnings.warn(
                f"bin_cache: max_bytes={self.max_bytes:,.0f} was too little: {self._kept.again} data sets were binned "
                f"again; all that were asked for take about {self._kept.wanted:,.0f} bytes.",
                GbrankWarning,
                stacklevel=4,
            )


_active: list[BinCache] = []


@contextmanager
def bin_cache(max_bytes: float = 2**30) -> Iterator[BinCache]:
    """Have every fit inside bin the same data once, as in a search over parameters that do not change the bins.

    A fit finds the data of an earlier one by their content, every value of every field, and by the settings that bins
    depend on (`max_bins`, `categorical_features`, ...), so that data changed in place are binned anew.  Models are the
    same as without.  The cache is that of the process: it serves all its threads, but no worker processes, as
    scikit-learn starts them with ``n_jobs=2``.  What was not asked for longest goes first.

    Parameters
    ----------
    max_bytes : float
        Memory to be used at most, as estimated from the size of the data: on LightGBM 1.3 bytes for each value of `X`,
        on XGBoost 2.1, on CatBoost 5.4.

    Returns
    -------
    context manager
        That gives a `BinCache`, which counts; after the end it is empty.

    Warns
    -----
    GbrankWarning
        At the end, where there was too little room for data that were asked for again.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(20, random_state=0)
    >>> with gbrank.bin_cache() as cache:
    ...     rankers = [gbrank.GBRanker(max_leaves=k, n_estimators=3, n_jobs=1).fit(data) for k in (4, 8, 16)]
    >>> cache.misses, cache.hits
    (1, 2)
    """
    cache = BinCache(max_bytes)
    _active.append(cache)
    try:
        yield cache
    finally:
        _active.remove(cache)
        cache.close()


def kept_handle(
    backend: str,
    data: RankingData,
    settings: Mapping[str, Any],
    reference: Any,
    make: Callable[[], Any],
    bytes_per_value: float,
) -> Any:
    """Return what ``make()`` makes of `data`: from the innermost `bin_cache`, if there is one.

    Parameters
    ----------
    reference : object or None
        The library's own data set whose bins are shared.
    """
    if not _active:
        return make()
    # Sparse: what is stored takes about ten times as much as a value of a dense matrix.
    values = 10 * data.X.nnz if sp.issparse(data.X) else data.X.size
    key = settings_key(backend, settings), fingerprint(data)
    return _active[-1].handle(key, reference, make, bytes_per_value * values)


def settings_key(backend: str, settings: Mapping[str, Any]) -> str:
    """Return a text that is the same for equal settings of a backend."""

    def plain(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else repr(value)

    return json.dumps([backend, settings], sort_keys=True, default=plain)


def fingerprint(data: RankingData) -> bytes:
    """Return a digest of all fields of `data`, value by value."""
    total = hashlib.blake2b(digest_size=32)

    def add(name: str, value: Any) -> None:
        if sp.issparse(value):
            total.update(f"{name} {value.shape} ".encode())
            for part in ("data", "indices", "indptr"):
                add(part, getattr(value, part))
        elif isinstance(value, np.ndarray):
            total.update(f"{name} {value.dtype.str} {value.shape} ".encode())
            total.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
        elif isinstance(value, Mapping):
            total.update(f"{name} {len(value)} ".encode())
            for inner, each in value.items():
                add(json.dumps(inner), each)
        else:
            total.update(f"{name} {json.dumps(value)} ".encode())

    for name, value in data._fields().items():
        add(name, value)
    return total.digest()
