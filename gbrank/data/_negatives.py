"""`sample_negatives`: items that stand for what a request would not have liked, beside its known positives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_choice, check_whole
from .._groups import canonical_ids
from ._negative_draws import (
    ByPopularity,
    Hard,
    Ids,
    Score,
    Stratified,
    available,
    distinct,
    draw,
    draw_hard,
    is_in,
    places_within,
)
from ._negative_rules import as_pairs, places_in

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Negatives:
    """Negatives, request by request; made by `sample_negatives` and `bootstrap_negatives`.

    Attributes
    ----------
    request_ids : int64 or str array of shape (n_requests,)
        In order of first appearance among the positives.
    request_ptr : int64 array of shape (n_requests + 1,)
        Request q has the rows ``request_ptr[q]:request_ptr[q + 1]``.
    item : int64 or str array of shape (n_negatives,)
    included : bool array of shape (n_negatives,)
        Whether a rule said so; these stand first.
    round : int64 array of shape (n_negatives,)
        The round of `bootstrap_negatives` that added it; else 0.
    missing : int64 array of shape (n_requests,)
        How many negatives each request lacks; none but with ``too_few="fewer"``.
    """

    request_ids: Ids
    request_ptr: IntArray
    item: Ids
    included: npt.NDArray[np.bool_]
    round: IntArray
    missing: IntArray

    @property
    def request(self) -> Ids:
        """The request of each negative."""
        return np.repeat(self.request_ids, np.diff(self.request_ptr))

    def __len__(self) -> int:
        return len(self.item)

    def __repr__(self) -> str:
        lost = int(self.missing.sum())
        return (
            f"Negatives({len(self.request_ids):,} requests, {len(self):,} items{f', {lost:,} missing' if lost else ''})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with the columns request, item, included and round."""
        import pandas as pd

        return pd.DataFrame(
            {"request": self.request, "item": self.item, "included": self.included, "round": self.round}
        )


def sample_negatives(
    positives: Any,
    items: npt.ArrayLike,
    n: int,
    *,
    how: str | ByPopularity | Hard | Stratified = "random",
    per: str = "request",
    include: Any = None,
    exclude: Any = None,
    too_few: str = "error",
    random_state: int | np.random.Generator | None = None,
) -> Negatives:
    """Sample negatives for each request: never one of its positives, and no item twice.

    Tables of pairs are DataFrames with the columns ``request`` and ``item``, tuples (request, item) of arrays, or
    mappings from request to items.  A request is whatever they have in common: a user, a session, a query.

    Parameters
    ----------
    positives : table of pairs
        The known positives; their requests are those that get negatives.
    items : array-like of shape (n_items,)
        The items to sample from, each once.
    n : int
        How many negatives.
    how : {"random", "popularity"}, ByPopularity, Hard or Stratified
        All items alike; by popularity with a cap; those that a ranker scores high; or shared out to strata.
        ``"popularity"`` is ``ByPopularity()``.  Without replacement: each next item is drawn from what is left.
    per : {"request", "positive"}
        Whether `n` are for a request, or for each of its positives.
    include : table of pairs, or list of such, optional
        Negatives by rule, as `disliked` and `shown_above` find them: taken first, and where there are more than the
        request gets, `n` of them at random.  They must be among `items`.
    exclude : table of pairs, or list of such, optional
        What is no negative, as `engaged` and `within_hops` find it.  It also overrules `include`.
    too_few : {"error", "fewer"}
        What happens where a request has fewer items left than it should get: an error that names it, or all that there
        are, and `Negatives.missing` counts the rest.
    random_state : int, numpy.random.Generator or None

    Returns
    -------
    Negatives

    Raises
    ------
    DataError
        Ids that are missing, repeated in `items` or of different kinds in two tables; too few items.
    ParameterError
        A value outside the choices.

    Examples
    --------
    >>> positives = {"u": [1, 2], "v": [3]}
    >>> negatives = sample_negatives(positives, range(1, 6), 2, exclude={"u": [3]}, random_state=0)
    >>> sorted(negatives.item[:2].tolist()), len(negatives), 3 in negatives.item[2:]
    ([4, 5], 4, False)
    """
    check_whole("n", n)
    check_choice("per", per, ("request", "positive"))
    check_choice("too_few", too_few, ("error", "fewer"))
    rng = np.random.default_rng(random_state)
    table = _Table.of(positives, items)
    forbidden = table.union("exclude", exclude, table.positives)
    need = np.full(len(table.requests), n)
    if per == "positive":
        need *= table.positive_counts
    included = _included(table, include, forbidden, need, rng)
    taken = np.bincount(included // table.n_items, minlength=len(need))
    lost, parts = np.zeros(len(need), np.int64), [included]
    forbidden = np.sort(np.concatenate((forbidden, included)))
    for weights, wanted in _passes(how, need - taken, table, rng):
        short = np.maximum(wanted - available(weights, forbidden, len(need), table.n_items), 0)
        if short.any() and too_few == "error":
            q = int(np.argmax(short > 0))
            raise DataError(
                f"request {table.requests[q]!s}: {need[q]} negatives are wanted, {short[q]} more than there are items "
                "that are neither positive nor excluded and can be drawn; lower n, exclude less, or pass "
                "too_few='fewer'."
            )
        if isinstance(how, Hard):
            parts.append(draw_hard(how, table.requests, wanted - short, forbidden, table.n_items, rng))
        else:
            parts.append(draw(weights, wanted - short, forbidden, table.n_items, rng))
        lost += short
        forbidden = np.sort(np.concatenate((forbidden, parts[-1])))
    return _result(table, parts, lost)


def bootstrap_negatives(
    positives: Any,
    items: npt.ArrayLike,
    n: int,
    train: Callable[[Negatives], npt.ArrayLike | Score],
    *,
    rounds: int = 3,
    pool: int | None = None,
    how: str | ByPopularity | Stratified = "random",
    per: str = "request",
    include: Any = None,
    exclude: Any = None,
    too_few: str = "error",
    random_state: int | np.random.Generator | None = None,
) -> Negatives:
    """Sample negatives in rounds: easy ones first, then those that a ranker trained on the ones so far gets wrong.

    Round 0 samples `n` by `how`.  Each further round calls ``train(negatives)`` with all negatives so far and adds the
    `n` that are hardest by the scores that it returns, see `Hard`; no item is added twice.

    Parameters
    ----------
    positives, items, n, how, per, include, exclude, too_few, random_state
        As in `sample_negatives`; `include` is for round 0.
    train : callable
        From `Negatives` to scores, in one of the two forms that `Hard` takes.
    rounds : int
        How many rounds follow round 0.
    pool : int, optional
        As in `Hard`.

    Examples
    --------
    >>> popular = lambda negatives: [[0.1, 0.9, 0.5, 0.7, 0.2]]
    >>> negatives = bootstrap_negatives({"u": [2]}, range(1, 6), 1, popular, rounds=2, exclude={"u": [1, 5]},
    ...                                 too_few="fewer", random_state=1)
    >>> sorted(negatives.item.tolist()), negatives.round.tolist(), negatives.missing.tolist()
    ([3, 4], [0, 1], [1])
    """
    check_whole("rounds", rounds)
    rng = np.random.default_rng(random_state)
    common: dict[str, Any] = {"per": per, "too_few": too_few, "random_state": rng}
    rules = _list_of(exclude)
    found = sample_negatives(positives, items, n, how=how, include=include, exclude=rules, **common)
    for number in range(1, rounds + 1):
        hard = Hard(train(found), pool)
        chosen = (found.request, found.item)
        added = sample_negatives(positives, items, n, how=hard, exclude=[*rules, chosen], **common)
        found = _joined(found, added, number)
    return found


@dataclass(frozen=True, eq=False)
class _Table:
    """Requests and items as numbers, positives as sorted pairs."""

    requests: Ids
    items: Ids
    positives: IntArray
    positive_counts: IntArray

    @property
    def n_items(self) -> int:
        return len(self.items)

    @classmethod
    def of(cls, positives: Any, items: npt.ArrayLike) -> _Table:
        import pandas as pd

        request, item = as_pairs("positives", positives)
        if isinstance(positives, Mapping) and (bare := [name for name, liked in positives.items() if not len(liked)]):
            raise DataError(f"positives: request {bare[0]!s} has none; leave it out, or give it one.")
        if len(request) == 0:
            raise DataError("positives: the table is empty; give at least one pair.")
        catalogue = canonical_ids(list(items) if isinstance(items, range) else items, name="items")
        repeated = pd.Series(catalogue).duplicated().to_numpy()
        if len(catalogue) == 0 or repeated.any():
            what = f"{catalogue[np.argmax(repeated)]!s} is there twice" if repeated.any() else "there are none"
            raise DataError(f"items: {what}; give each item to sample from once.")
        number, requests = pd.factorize(request)
        place = places_in("items of positives", item, catalogue)
        counts = pd.DataFrame({"q": number, "i": item}).drop_duplicates()["q"].value_counts()
        known = distinct((number * len(catalogue) + place)[place >= 0])
        return cls(requests, catalogue, known, np.asarray(counts.reindex(range(len(requests))), dtype=np.int64))

    def pairs(self, name: str, given: Any, *, all_known: bool = False) -> IntArray:
        """Return a table of pairs as numbers, those of other requests and items left out."""
        request, item = as_pairs(name, given)
        q = places_in(f"requests of {name}", request, self.requests)
        i = places_in(f"items of {name}", item, self.items)
        if all_known and ((q >= 0) & (i < 0)).any():
            lost = item[np.argmax((q >= 0) & (i < 0))]
            raise DataError(f"{name}: item {lost!s} is not among the items; add it there, or leave the pair out.")
        return np.asarray((q * self.n_items + i)[(q >= 0) & (i >= 0)])

    def union(self, name: str, rules: Any, pairs: IntArray) -> IntArray:
        """Return `pairs` and those of all rules, sorted."""
        return distinct(np.concatenate([pairs, *(self.pairs(name, rule) for rule in _list_of(rules))]))


def _list_of(rules: Any) -> list[Any]:
    """Return one rule or several as a list."""
    if rules is None:
        return []
    return rules if isinstance(rules, list) else [rules]


def _included(table: _Table, include: Any, forbidden: IntArray, need: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the pairs that rules make negatives, no more of a request than it gets."""
    given = [table.pairs("include", rule, all_known=True) for rule in _list_of(include)]
    pairs = distinct(np.concatenate(given)) if given else np.empty(0, np.int64)
    pairs = rng.permutation(pairs[~is_in(pairs, forbidden)])
    pairs = pairs[np.argsort(pairs // table.n_items, kind="stable")]
    request = pairs // table.n_items
    return np.asarray(pairs[places_within(request) < need[request]])


def _passes(how: Any, need: IntArray, table: _Table, rng: np.random.Generator) -> list[Any]:
    """Return what is drawn one after the other: the weights of items, and how many of each request."""
    if how == "random" or isinstance(how, Hard):
        return [(None, need)]
    if how == "popularity":
        how = ByPopularity()
    if isinstance(how, ByPopularity):
        return [(how.weights(table.positives % table.n_items, table.n_items), need)]
    if isinstance(how, Stratified):
        return list(how.passes(need, table.n_items, rng))
    raise ParameterError(f"how={how!r}: choose 'random' or 'popularity', or give a ByPopularity, Hard or Stratified.")


def _result(table: _Table, parts: list[IntArray], missing: IntArray) -> Negatives:
    pairs = np.concatenate(parts)
    order = np.argsort(pairs // table.n_items, kind="stable")
    sizes = np.bincount(pairs // table.n_items, minlength=len(table.requests))
    return Negatives(
        request_ids=table.requests,
        request_ptr=np.concatenate(([0], np.cumsum(sizes))),
        item=table.items[pairs[order] % table.n_items],
        included=(np.arange(len(pairs)) < len(parts[0]))[order],
        round=np.zeros(len(pairs), np.int64),
        missing=missing,
    )


def _joined(a: Negatives, b: Negatives, number: int) -> Negatives:
    """Return the negatives of two rounds, request by request."""
    sizes_a, sizes_b = np.diff(a.request_ptr), np.diff(b.request_ptr)
    q = np.arange(len(sizes_a))
    order = np.argsort(np.concatenate((np.repeat(q, sizes_a), np.repeat(q, sizes_b))), kind="stable")
    return Negatives(
        request_ids=a.request_ids,
        request_ptr=a.request_ptr + b.request_ptr,
        item=np.concatenate((a.item, b.item))[order],
        included=np.concatenate((a.included, b.included))[order],
        round=np.concatenate((a.round, np.full(len(b), number)))[order],
        missing=a.missing + b.missing,
    )
