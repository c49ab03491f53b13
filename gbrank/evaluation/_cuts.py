"""Columns of queries cut into slices: numbers into ranges, frequencies into head and tail, all else as it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, IntArray, ParameterError, as_vector, check_whole

NO_VALUE = "(no value)"

Vector = npt.NDArray[np.float64]


def head_tail(frequency: pd.Series[Any] | Mapping[Any, float], *, head: float = 0.5) -> pd.Series[Any]:
    """Return "head" for the most frequent queries that together have a share of all occurrences, "tail" for the others.

    Parameters
    ----------
    frequency : Series or mapping
        How often each query occurred, by query id.
    head : float
        The share, between 0 and 1.  Queries of equal frequency stay together, in the head if they begin in it.

    Returns
    -------
    Series
        By query id, for `slices`; NaN where there is no frequency.

    Examples
    --------
    >>> head_tail({"weather": 60, "news": 30, "llama hat": 1, "moth soup": 1}, head=0.6).tolist()
    ['head', 'tail', 'tail', 'tail']
    """
    if isinstance(head, bool) or not isinstance(head, int | float) or not 0 < head < 1:
        raise ParameterError(f"head={head!r}: a share lies between 0 and 1.")
    given = pd.Series(frequency, dtype=object)
    counts = given.dropna()
    values = as_vector("frequency", counts.to_numpy(), of="queries")
    if len(values) and values.min() < 0:
        at = int(np.argmin(values))
        raise DataError(f"frequency: query {counts.index[at]!r} has {values[at]:g}; give counts of 0 or more.")
    distinct, place = np.unique(-values, return_inverse=True)
    occurrences = np.bincount(place, values, len(distinct))
    more_frequent = np.cumsum(occurrences) - occurrences
    in_head = more_frequent[place] < head * values.sum()
    dtype = pd.CategoricalDtype(["head", "tail"], ordered=True)
    return pd.Series(np.where(in_head, "head", "tail"), counts.index, dtype).reindex(given.index).rename("head or tail")


def cut(column: pd.Series[Any], bins: int | Sequence[float] | None) -> pd.Series[Any]:
    """Return the slice of each query; an ordered categorical whose last category may be `NO_VALUE`."""
    known = column.dropna()
    if bins is None or not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        names, place = _categories(known)
    else:
        values = np.asarray(known, dtype=np.float64)
        names, place = _quantiles(values, bins) if isinstance(bins, int | np.integer) else _between(values, bins)
    if len(known) < len(column):
        if NO_VALUE in names:
            raise DataError(f"by: {NO_VALUE!r} is what queries without a value are called; rename that value.")
        names = [*names, NO_VALUE]
    codes: IntArray = np.full(len(column), len(names) - 1)
    codes[column.notna().to_numpy()] = place
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(names), ordered=True), column.index, name="slice")


def _categories(known: pd.Series[Any]) -> tuple[list[str], IntArray]:
    """Return the distinct values as text, in the order of a categorical or sorted, and each query's place."""
    if not isinstance(known.dtype, pd.CategoricalDtype):
        try:
            known = known.astype("category")
        except TypeError:  # values of several kinds have no order
            known = known.astype(str).astype("category")
    known = known.cat.remove_unused_categories()
    names = [str(value) for value in known.cat.categories]
    if len(set(names)) < len(names):
        raise DataError(f"by: two values print alike, of {names}; give them distinct names.")
    return names, np.asarray(known.cat.codes, dtype=np.int64)


def _quantiles(values: Vector, bins: int) -> tuple[list[str], IntArray]:
    """Cut into parts of about equally many values; each is named by the lowest and highest value in it."""
    check_whole("bins", bins)
    if len(values) == 0:
        return [], np.empty(0, np.int64)
    last = np.unique(np.quantile(values, np.arange(1, bins + 1) / bins, method="inverted_cdf"))
    place = np.searchsorted(last, values)
    ends = [(float(values[place == i].min()), float(values[place == i].max())) for i in range(len(last))]
    text = told_apart(itertools.chain(*ends), digits=3)
    return [text[a] if a == b else f"{text[a]} to {text[b]}" for a, b in ends], place


def told_apart(values: Iterable[float], *, digits: int) -> dict[float, str]:
    """Return each number as text: in so many digits or, where these cut some off or make two alike, in more.

    Examples
    --------
    >>> told_apart([0.12345, 0.12399, 1234567.0], digits=3)
    {0.12345: '0.12345', 0.12399: '0.12399', 1234567.0: '1234567'}
    """
    distinct = dict.fromkeys(values)
    for more in range(digits, 18):
        text = {value: f"{value:.{more}g}" for value in distinct}
        if len(set(text.values())) == len(distinct) and not any("e+" in each for each in text.values()):
            break
    return text


def _between(values: Vector, edges: Sequence[float]) -> tuple[list[str], IntArray]:
    """Cut at inner edges; each belongs to the part above it."""
    cuts = as_vector("bins", edges, of="edges")
    if len(cuts) == 0 or (np.diff(cuts) <= 0).any():
        raise ParameterError(f"bins={edges!r}: give at least one edge, rising.")
    texts = [f"{cut:.15g}" for cut in cuts]
    middle = [f"from {a} to below {b}" for a, b in itertools.pairwise(texts)]
    return [f"below {texts[0]}", *middle, f"from {texts[-1]}"], np.searchsorted(cuts, values, side="right")
