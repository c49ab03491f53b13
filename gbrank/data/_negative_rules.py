"""Which items must, and which must not, be taken for negatives: rules as tables of (request, item) pairs.

A table of pairs is a DataFrame with the columns ``request`` and ``item``, two arrays of equal length, or a mapping from
request to items.  What a request is, a user, a session or a query, is the caller's choice, the same in all tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, as_vector, check_whole
from .._groups import canonical_ids

if TYPE_CHECKING:
    import pandas as pd

Ids = npt.NDArray[Any]


def engaged(request: npt.ArrayLike, item: npt.ArrayLike, engagement: npt.ArrayLike, *, above: float) -> pd.DataFrame:
    """Return the pairs whose engagement, summed over their events, is above a threshold: for `exclude`.

    Parameters
    ----------
    request, item : array-like of shape (n_events,)
    engagement : array-like of shape (n_events,)
        Seconds watched, say, or times played.
    above : float

    Examples
    --------
    >>> engaged(["u", "u", "u"], [1, 1, 2], [20.0, 15.0, 12.0], above=30).values.tolist()
    [['u', 1]]
    """
    frame = _events(request, item, engagement=engagement)
    total = frame.groupby(["request", "item"], sort=False)["engagement"].sum()
    found: pd.DataFrame = total[total > above].reset_index()[["request", "item"]]
    return found


def disliked(request: npt.ArrayLike, item: npt.ArrayLike, feedback: npt.ArrayLike, *, below: float) -> pd.DataFrame:
    """Return the pairs with feedback below a threshold in any of their events, explicit negative ones: for `include`.

    Parameters
    ----------
    request, item : array-like of shape (n_events,)
    feedback : array-like of shape (n_events,)
        A rating, say, or -1 for "not interested".
    below : float

    Examples
    --------
    >>> disliked(["u", "u", "v"], [1, 2, 2], [5, 1, 4], below=2).values.tolist()
    [['u', 2]]
    """
    frame = _events(request, item, feedback=feedback)
    return frame.loc[frame["feedback"] < below, ["request", "item"]].drop_duplicates(ignore_index=True)


def shown_above(
    request: npt.ArrayLike, item: npt.ArrayLike, position: npt.ArrayLike, positive: npt.ArrayLike
) -> pd.DataFrame:
    """Return what a request showed above its lowest positive and got no positive answer for: for `include`.

    Such items were seen, in all likelihood, and passed over (Joachims et al., SIGIR 2005: "skip above").

    Parameters
    ----------
    request, item : array-like of shape (n_events,)
    position : array-like of shape (n_events,)
        The rank at which the item was shown; the first has the smallest.
    positive : array-like of bool of shape (n_events,)

    Examples
    --------
    >>> shown_above(["q"] * 4, list("abcd"), [1, 2, 3, 4], [0, 1, 0, 0]).values.tolist()
    [['q', 'a']]
    """
    frame = _events(request, item, position=position, positive=positive)
    liked = frame["positive"] > 0
    lowest = frame["position"].where(liked).groupby(frame["request"]).transform("max")
    above = ~liked & (frame["position"] < lowest)
    return frame.loc[above, ["request", "item"]].drop_duplicates(ignore_index=True)


def within_hops(
    user: npt.ArrayLike, item: npt.ArrayLike, hops: int, *, users: npt.ArrayLike | None = None
) -> pd.DataFrame:
    """Return, for each user, the items within so many hops on the graph of users and items: for `exclude`.

    The user's own items are 1 hop away; those of users who share one of these, 3; and so on.  An even number reaches
    the same items as the odd one before it.

    Parameters
    ----------
    user, item : array-like of shape (n_edges,)
        The edges: who had to do with what.
    hops : int
        At least 1.  With 3, nearly everything may be within reach; the result is as large as that.
    users : array-like, optional
        Whose items are wanted; by default those of all users.

    Raises
    ------
    DataError
        One of `users` has no edge.

    Examples
    --------
    >>> edges = ["a", "a", "b", "b", "c"], [1, 2, 2, 3, 3]
    >>> within_hops(*edges, 3, users=["a"])["item"].tolist(), within_hops(*edges, 5, users=["c"])["item"].tolist()
    ([1, 2, 3], [1, 2, 3])
    """
    import pandas as pd
    import scipy.sparse as sp

    check_whole("hops", hops)
    edges = _events(user, item)
    row, names = pd.factorize(edges["request"].to_numpy(), sort=True)
    column, items = pd.factorize(edges["item"].to_numpy(), sort=True)
    graph = sp.csr_array((np.ones(len(row), bool), (row, column)), shape=(len(names), len(items)))
    wanted = np.arange(len(names))
    if users is not None:
        wanted = pd.Index(names).get_indexer(pd.Index(canonical_ids(users, name="users")))
        if (wanted < 0).any():
            lost = np.asarray(users)[wanted < 0][0]
            raise DataError(f"users: {lost!s} has no edge in the graph; leave it out, nothing is within its reach.")
    reached = graph[wanted]
    for _ in range((hops - 1) // 2):
        reached = ((reached @ graph.T) @ graph).astype(bool)
    reached.sort_indices()
    who = np.repeat(wanted, np.diff(reached.indptr))
    return pd.DataFrame({"request": names[who], "item": items[reached.indices]})


def as_pairs(name: str, pairs: Any) -> tuple[Ids, Ids]:
    """Return a table of pairs as two arrays of ids.

    Raises
    ------
    DataError
        None of the forms that the module names, unequal lengths, or ids that are missing.
    """
    if hasattr(pairs, "columns"):
        lost = [column for column in ("request", "item") if column not in pairs.columns]
        if lost:
            raise DataError(f"{name}: no column {lost[0]!r}; rename one of {', '.join(map(repr, pairs.columns))}.")
        pairs = pairs["request"].to_numpy(), pairs["item"].to_numpy()
    elif isinstance(pairs, Mapping):
        sizes = [len(items) for items in pairs.values()]
        given = [item for items in pairs.values() for item in items]
        pairs = np.repeat(np.array(list(pairs), dtype=object), sizes), np.array(given, dtype=object)
    if not isinstance(pairs, tuple | list) or len(pairs) != 2:
        raise DataError(
            f"{name}: {type(pairs).__name__} is no table of pairs; give a DataFrame with the columns 'request' and "
            "'item', a tuple (request, item) of arrays, or a mapping from request to items."
        )
    request, item = canonical_ids(pairs[0], name=f"{name}, request"), canonical_ids(pairs[1], name=f"{name}, item")
    if len(request) != len(item):
        raise DataError(f"{name}: {len(request)} requests and {len(item)} items; give one of each for each pair.")
    return request, item


def places_in(name: str, ids: Ids, known: Ids) -> IntArray:
    """Return where each id stands in `known`, distinct ids, or -1.

    Raises
    ------
    DataError
        The ones are whole numbers, the others strings: nothing could ever match.
    """
    import pandas as pd

    if len(ids) and ids.dtype.kind != known.dtype.kind:
        kinds = {"i": "whole numbers", "U": "strings"}
        raise DataError(
            f"{name}: are {kinds[ids.dtype.kind]}, those that they must match {kinds[known.dtype.kind]}; convert one."
        )
    return np.asarray(pd.Index(known).get_indexer(pd.Index(ids)), dtype=np.int64)


def _events(request: npt.ArrayLike, item: npt.ArrayLike, **columns: npt.ArrayLike) -> pd.DataFrame:
    """Return events as a table of ids and finite numbers."""
    import pandas as pd

    who, what = canonical_ids(request, name="request"), canonical_ids(item, name="item")
    if len(who) != len(what):
        raise DataError(f"item: {len(what)} ids for {len(who)} requests; give one of each for each event.")
    numbers = {name: as_vector(name, values, length=len(who), of="events") for name, values in columns.items()}
    return pd.DataFrame({"request": who, "item": what, **numbers})
