"""What a number means: the rules that a measure's name leaves open, as one value with names for the usual sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_choice, check_positive, check_whole, require_finite, whole_grades

Vector = npt.NDArray[np.float64]
GainTable = tuple[tuple[float, float], ...]

MOST_GRADES = 1000  # 2^1000 is a number, 2^2000 is not

TIES = ("expected", "stable", "reversed", "worst", "trec", "sampled")
CHOICES: dict[str, tuple[Any, ...]] = {
    "discount": ("log2", "letor"),
    "ties": TIES,
    "no_relevant": ("skip", 0, 1),
    "short_list": ("as_is", "zero"),
    "single_document": ("as_is", "skip", "refuse"),
    "missing_queries": ("zero", "skip"),
    "unjudged": ("not_relevant", "removed", "refuse"),
    "average": ("queries", "documents"),
}


@dataclass(frozen=True)
class Convention:
    """The rules of a measure that its name does not state.

    Parameters
    ----------
    gain : {"exp", "linear"}, mapping from grade to gain, or callable
        What a document of label y adds before the discount: ``exp`` 2^y - 1 for whole grades, ``linear`` y.  A mapping
        must name every grade that occurs; its gains are finite and not negative, and may fall as grades rise.  A
        callable takes and returns an array; it prints as its name, which does not parse back.
    discount : {"log2", "letor"}
        Weight of a rank r = 1, 2, ...: ``log2`` 1 / log2(r + 1); ``letor`` 1 at ranks 1 and 2, then 1 / log2(r).
    ties : {"expected", "stable", "reversed", "worst", "trec", "sampled"}
        Documents of equal score: ``expected`` the exact mean over all their orders; ``stable`` the order of rows;
        ``reversed`` the last row first; ``worst`` the least relevant first; ``trec`` scores compared as float32, then
        document ids descending as strings (row numbers where there are no ids); ``sampled`` the mean over
        `tie_samples` seeded shuffles.  A measure that has no exact mean is sampled where nothing else is said.
    no_relevant : {"skip", 0, 1}
        Value of a query with nothing relevant (all gains 0), or in AUC, pairs and tau with nothing to tell apart;
        ``skip`` makes it NaN.
    short_list : {"as_is", "zero"}
        NDCG@k of a query with fewer than k documents: as it comes, or 0.
    relevant_from : float
        Lowest label that counts as relevant in measures of relevant against not relevant.
    max_grade : int
        Highest grade g of the scale, in ERR's probability (2^y - 1) / 2^g of stopping at a document.
    single_document : {"as_is", "skip", "refuse"}
        A query of one document: as it comes, NaN, or an error.
    missing_queries : {"zero", "skip"}
        A query of which no document was retrieved (all scores are -inf): 0, or NaN.
    unjudged : {"not_relevant", "removed", "refuse"}
        Documents of label -1 (in the judged pool, but not judged) or -2 (unknown to the judgments): not relevant,
        taken out of the list before ranks are given, or an error.
    average : {"queries", "documents"}
        What a mean over queries weighs each by: 1, or its number of documents.
    persistence : float
        RBP's probability of going on to the next document, between 0 and 1.
    beta : float
        Weight of recall against precision in F, of gains against counts in Q-measure.
    alpha : float
        alpha-nDCG's loss of interest in an aspect by each document about it, above 0 and at most 1.
    tie_samples, tie_seed : int
        Number and seed of the shuffles of ``ties="sampled"``.  They depend on the place of a row in its query, and
        not on the order of queries.

    Raises
    ------
    ParameterError
        A value is none of these.

    Examples
    --------
    >>> Convention(gain={0: 0, 1: 1, 2: 5}).gain
    ((0.0, 0.0), (1.0, 1.0), (2.0, 5.0))
    """

    gain: str | GainTable | Mapping[float, float] | Callable[[Vector], Vector] = "exp"
    discount: str = "log2"
    ties: str = "expected"
    no_relevant: str | float = "skip"
    short_list: str = "as_is"
    relevant_from: float = 1.0
    max_grade: int = 4
    single_document: str = "as_is"
    missing_queries: str = "zero"
    unjudged: str = "not_relevant"
    average: str = "queries"
    persistence: float = 0.8
    beta: float = 1.0
    alpha: float = 0.5
    tie_samples: int = 100
    tie_seed: int = 0

    def __post_init__(self) -> None:
        if not callable(self.gain) and not (isinstance(self.gain, str) and self.gain in ("exp", "linear")):
            object.__setattr__(self, "gain", _gain_table(self.gain))
        for name, choices in CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        for name, lowest in (("max_grade", 1), ("tie_samples", 1), ("tie_seed", 0)):
            check_whole(name, getattr(self, name), lowest=lowest)
            object.__setattr__(self, name, int(getattr(self, name)))
        if isinstance(self.relevant_from, bool | str) or not np.isfinite(self.relevant_from):
            raise ParameterError(f"relevant_from={self.relevant_from!r}: must be a finite number.")
        for name in ("persistence", "beta", "alpha"):
            check_positive(name, getattr(self, name))
        if self.persistence >= 1 or self.alpha > 1:
            name, limit = ("persistence", "below 1") if self.persistence >= 1 else ("alpha", "at most 1")
            raise ParameterError(f"{name}={getattr(self, name)!r}: must be above 0 and {limit}.")
        for name in ("relevant_from", "persistence", "beta", "alpha"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.no_relevant != "skip":
            object.__setattr__(self, "no_relevant", int(self.no_relevant))

    def items(self) -> dict[str, str]:
        """Return each field as the text that `gbrank.measure` reads."""
        return {field.name: _text(getattr(self, field.name)) for field in dataclasses.fields(self)}


PRESETS: dict[str, Convention] = {
    "default": Convention(),
    "letor": Convention(discount="letor", ties="stable", no_relevant=0, short_list="zero"),
    "mslr": Convention(discount="letor", ties="stable", no_relevant=0, short_list="zero"),
    "lightgbm": Convention(ties="stable", no_relevant=1),
    "xgboost": Convention(ties="stable", no_relevant=1),
    "xgboost-": Convention(ties="stable", no_relevant=0),
    "catboost": Convention(gain="linear", ties="worst", no_relevant=1),
    "sklearn": Convention(gain="linear", no_relevant=0, single_document="refuse"),
    "trec": Convention(gain="linear", ties="trec", no_relevant=0, missing_queries="skip"),
    "ranx": Convention(gain="linear", ties="stable", no_relevant=0),
    "ir_measures": Convention(gain="linear", ties="trec", no_relevant=0),
}
"""Whose numbers come out: what each tool does with NDCG when nothing else is asked of it."""


def _gain_table(gain: Any) -> GainTable:
    try:
        pairs = sorted((float(grade), float(value)) for grade, value in dict(gain).items())
        values = np.array(pairs).reshape(-1, 2)
    except (TypeError, ValueError):
        raise ParameterError(f"gain={gain!r}: give 'exp', 'linear', a mapping {{grade: gain}} or a callable.") from None
    if len(values) == 0 or not np.isfinite(values).all() or values[:, 1].min() < 0:
        raise ParameterError(f"gain={gain!r}: gains must be finite and not negative.")
    return tuple(pairs)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{_text(grade)}: {_text(gain)}" for grade, gain in value) + "}"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return getattr(value, "__qualname__", None) or str(value)


def gains(y: Vector, convention: Convention, used_by: str) -> Vector:
    """Return each document's gain.

    Raises
    ------
    DataError
        A label that the gain cannot use, or a gain that is negative or not finite; the row is named.
    """
    gain = convention.gain
    if gain == "exp":
        with np.errstate(invalid="ignore"):
            grades = y.astype(np.int64)
        if len(y) and (grades.min() < 0 or grades.max() > MOST_GRADES or not np.array_equal(grades, y)):
            grades = whole_grades(y, f"{used_by} with gain exp", highest=MOST_GRADES)  # raises, and names the row
        table: Vector = np.exp2(np.arange(grades.max(initial=0) + 1)) - 1
        return table[grades]
    if gain == "linear":
        return _not_negative(y, y, used_by)
    if isinstance(gain, tuple):
        return _looked_up(y, gain, used_by)
    assert callable(gain)
    values = np.ascontiguousarray(gain(y), dtype=np.float64)
    if values.shape != y.shape:
        raise DataError(f"gain {_text(gain)}: shape {values.shape} for {len(y)} labels; it must return one for each.")
    require_finite(f"gain {_text(gain)}", values)
    return _not_negative(values, y, used_by)


def _not_negative(values: Vector, y: Vector, used_by: str) -> Vector:
    if len(values) and values.min() < 0:
        row = int(np.argmin(values))
        raise DataError(
            f"label {y[row]:g} in row {row}: its gain in {used_by} is {values[row]:g}, and a gain cannot be negative. "
            "Shift the labels, or give a mapping as gain."
        )
    return values


def _looked_up(y: Vector, gain: GainTable, used_by: str) -> Vector:
    grades, values = np.array(gain).T
    place = np.minimum(np.searchsorted(grades, y), len(grades) - 1)
    known = grades[place] == y
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(f"label {y[row]:g} in row {row}: {used_by} has no gain for it; add it to gain={_text(gain)}.")
    return np.ascontiguousarray(values[place])


def discounts(convention: Convention, n: int) -> Vector:
    """Return the weights of ranks 1, ..., `n`."""
    rank = np.arange(1, n + 1)
    if convention.discount == "letor":
        return np.asarray(1 / np.log2(np.maximum(rank, 2)))
    return np.asarray(1 / np.log2(rank + 1))
