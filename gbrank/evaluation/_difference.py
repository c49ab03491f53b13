"""`explain_difference`: which rule of a convention moves a mean by how much, and on which queries."""

from __future__ import annotations

import dataclasses
import html
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, IntArray, ParameterError
from ..data import Qrels, RankingData
from ..metrics import PRESETS, Convention, Measure, all_values
from ..metrics import measure as find_measure
from ._means import query_weights, records
from ._systems import as_lists

SHOWN = 5  # queries of each rule that text and HTML show

COLUMNS_SAY = "contribution: mean over all orders of switching rules; first, last: switched before, after all others"
COLUMNS = ("rule", "qid", "documents", "before", "after", "shift")

Vector = npt.NDArray[np.float64]
Switched = frozenset[str]


@dataclass(frozen=True, eq=False, repr=False)
class ConventionDifference:
    """What each rule does to a mean; made by `gbrank.explain_difference`.

    Attributes
    ----------
    a, b : Measure
        One measure under two conventions.
    names : tuple of two str
        What the conventions are called.
    mean_a, mean_b : float
    rules : DataFrame of shape (n_rules, 6)
        Indexed by the rules that differ ("rule"), the largest contribution first.

        - ``from``, ``to``: what the rule says in `a` and in `b`.
        - ``contribution``: its part of ``mean_b - mean_a``; the contributions sum to that.
        - ``first``: by how much the mean moves if this rule is switched while all others are as in `a`.
        - ``last``: the same while all others are as in `b`.  Where ``first`` and ``last`` differ, rules act together.
        - ``queries``: on how many queries the rule acts if it is switched first.
    queries : DataFrame
        These queries, the most moved of each rule first: "rule", "qid", "documents", the values "before" and "after"
        (NaN is skipped), and "shift": by how much the mean moves if the rule is switched for this query alone.
    """

    a: Measure
    b: Measure
    names: tuple[str, str]
    mean_a: float
    mean_b: float
    rules: pd.DataFrame
    queries: pd.DataFrame

    @property
    def difference(self) -> float:
        """The mean under `b` minus that under `a`."""
        return self.mean_b - self.mean_a

    @property
    def measure(self) -> str:
        """The measure without its rules, such as ``ndcg@10``."""
        return self.a.name if self.a.k is None else f"{self.a.name}@{self.a.k}"

    def to_dict(self) -> dict[str, Any]:
        """Return measures, means, rules and queries as plain values for JSON; None for NaN."""
        return {
            "a": {"name": self.names[0], "measure": str(self.a), "mean": self.mean_a},
            "b": {"name": self.names[1], "measure": str(self.b), "mean": self.mean_b},
            "difference": self.difference,
            "rules": records(self.rules.reset_index()),
            "queries": records(self.queries),
            "conventions": {str(m): m.describe() for m in (self.a, self.b)},
        }

    def _head(self) -> str:
        a, b = self.names
        return f"{self.measure}: {self.mean_a:.4f} by {a}, {self.mean_b:.4f} by {b}, difference {self.difference:+.4f}"

    def _table(self) -> pd.DataFrame:
        signed = {name: self.rules[name].map("{:+.4f}".format) for name in ("contribution", "first", "last")}
        return self.rules.assign(**signed).rename_axis(None)

    def _moved(self) -> list[str]:
        lines = []
        for rule, moved in self.queries.groupby("rule", sort=False):
            lines.append(f"{rule} acts on {_counted(len(moved), 'query', 'queries')}{'; most on' * (len(moved) > 1)}")
            for row in moved.head(SHOWN).to_dict("records"):
                change = f"{row['before']:.4f} -> {row['after']:.4f}".replace("nan", "skipped")
                lines.append(f"    {row['qid']} ({_counted(row['documents'], 'document', 'documents')}): {change}")
        return lines

    def to_html(self) -> str:
        """Return what `str` says, in HTML."""
        listed = "".join(f"<li>{html.escape(m.describe())}</li>" for m in (self.a, self.b))
        moved = html.escape("\n".join(self._moved()))
        table = f"<p>{html.escape(self._head())}</p>{self._table().to_html()}<p>{COLUMNS_SAY}</p>"
        return f"{table}<pre>{moved}</pre><ul>{listed}</ul>"

    def __str__(self) -> str:
        if self.rules.empty:
            return f"{self._head()}\nThe conventions agree for this measure."
        return "\n".join([self._head(), self._table().to_string(), COLUMNS_SAY, *self._moved()])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def explain_difference(
    data: RankingData | Qrels,
    scores: Any,
    a: str | Convention | Measure,
    b: str | Convention | Measure,
    *,
    measure: str | Measure | None = None,
    n_jobs: int | None = None,
) -> ConventionDifference:
    """Tell which rule moves the mean of one ranking by how much, from convention `a` to convention `b`.

    Each of the rules in which the two differ, and on which the measure depends, gets its Shapley value: the change of
    the mean when the rule is switched, averaged over all orders in which the rules could be switched one after the
    other (Shapley, "A value for n-person games", 1953).  All 2^n settings of n rules are evaluated, so nothing is
    sampled, and the contributions sum to the difference of the means.

    Parameters
    ----------
    data : RankingData or Qrels
        With one label column.
    scores : array-like of shape (n_documents,), fitted ranker, or Run
        As `gbrank.evaluate` takes them; for judgments, a run.
    a, b : str, Convention or Measure
        A preset ("default", "letor", "lightgbm", ...), a convention, or a measure with its rules, also as text
        ("ndcg@10(ties=worst)").
    measure : str or Measure, optional
        Which measure, where `a` and `b` are conventions; that of the other by default, or else ndcg@10.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Raises
    ------
    DataError
        Scores or labels that cannot be used, also under a rule that refuses; a convention that skips all queries.
    ParameterError
        An unknown preset, or two measures that differ in more than their rules.

    Examples
    --------
    >>> data = RankingData([[0.0]] * 4, [0, 1, 0, 0], qid=[1, 1, 2, 2])
    >>> print(explain_difference(data, [0.5, 0.5, 0.9, 0.1], "default", "rr(ties=worst, no_relevant=0)"))
    rr: 0.7500 by default, 0.2500 by rr(ties=worst, no_relevant=0), difference -0.5000
                     from     to contribution    first     last  queries
    no_relevant      skip      0      -0.3125  -0.3750  -0.2500        1
    ties         expected  worst      -0.1875  -0.2500  -0.1250        1
    contribution: mean over all orders of switching rules; first, last: switched before, after all others
    no_relevant acts on 1 query
        2 (2 documents): skipped -> 0.0000
    ties acts on 1 query
        1 (2 documents): 0.7500 -> 0.5000
    """
    first, second = _pair(a, b, measure)
    lists = as_lists(data, scores, None, "scores", n_jobs)
    rules = _differing(first, second)
    sets = [frozenset(each) for size in range(len(rules) + 1) for each in itertools.combinations(rules, size)]
    mixed = [_mixed(first, second, switched) for switched in sets]
    columns = all_values(mixed, *lists[:4], n_jobs=n_jobs).T
    values = dict(zip(sets, columns, strict=True))
    means = {each: _mean(m, values[each], data.query_ptr) for each, m in zip(sets, mixed, strict=True)}
    none, every = frozenset[str](), frozenset(rules)
    parts = [_queries(rule, first, second, data.query_ids, data.query_ptr, values) for rule in rules]
    table = pd.DataFrame(
        {
            "from": [_told(first, rule) for rule in rules],
            "to": [_told(second, rule) for rule in rules],
            "contribution": [_shapley(rule, rules, means) for rule in rules],
            "first": [means[frozenset({rule})] - means[none] for rule in rules],
            "last": [means[every] - means[every - {rule}] for rule in rules],
            "queries": [len(part) for part in parts],
        },
        index=pd.Index(rules, name="rule", dtype=object),
    )
    order = np.argsort(-table["contribution"].abs().to_numpy(), kind="stable")
    moved = pd.concat([parts[i] for i in order], ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    names = (_name(a, first), _name(b, second))
    return ConventionDifference(first, second, names, means[none], means[every], table.iloc[order], moved)


def _pair(a: Any, b: Any, measure: str | Measure | None) -> tuple[Measure, Measure]:
    """Return the measure under both conventions."""
    given = [_as_measure(each) for each in (a, b)]
    wanted = find_measure(measure) if measure is not None else next((m for m in given if m is not None), None)
    base = find_measure("ndcg@10") if wanted is None else wanted
    first, second = (_under(base, each) if m is None else m for m, each in zip(given, (a, b), strict=True))
    for m in (first, second):
        if (m.name, m.k) != (base.name, base.k):
            raise ParameterError(f"{m} and {base}: the rules of one measure are compared; give one name and cutoff.")
    return first, second


def _as_measure(given: Any) -> Measure | None:
    """Return what was given as a measure; None for a convention or the name of a preset."""
    if isinstance(given, Measure):
        return given
    if not isinstance(given, str) or given in PRESETS:
        return None
    try:
        return find_measure(given)
    except ParameterError:
        if "@" in given or "(" in given:
            raise
        return None


def _under(measure: Measure, convention: Any) -> Measure:
    if isinstance(convention, Convention):
        return dataclasses.replace(measure, convention=convention)
    if isinstance(convention, str):
        return find_measure(measure, preset=convention)
    raise ParameterError(f"{convention!r}: give the name of a preset, a Convention or a Measure.")


def _name(given: Any, measure: Measure) -> str:
    return given if isinstance(given, str) else str(measure)


def _rules(measure: Measure) -> dict[str, Any]:
    """Return the rules in force: those that the measure uses, and the seed of ties only where they need one."""
    unused = () if measure.ties == "sampled" else ("tie_samples", "tie_seed")
    uses = [rule for rule in measure.uses if rule not in unused]
    return {rule: measure.ties if rule == "ties" else getattr(measure.convention, rule) for rule in uses}


def _differing(a: Measure, b: Measure) -> list[str]:
    first, second = _rules(a), _rules(b)
    return [rule for rule in first if rule in second and first[rule] != second[rule]]


def _mixed(a: Measure, b: Measure, switched: Switched) -> Measure:
    changed = {rule: _rules(b)[rule] for rule in switched}
    return dataclasses.replace(a, convention=dataclasses.replace(a.convention, **changed))


def _told(measure: Measure, rule: str) -> str:
    return measure.ties if rule == "ties" else measure.convention.items()[rule]


def _counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _mean(measure: Measure, values: Vector, query_ptr: IntArray) -> float:
    if np.isnan(values).all():
        raise DataError(f"{measure} skips all {len(values)} queries, so it has no mean; compare other conventions.")
    return measure.mean(values, query_ptr)


def _shapley(rule: str, rules: Sequence[str], means: Mapping[Switched, float]) -> float:
    """Return the sum over sets S of the other rules of |S|! (n - |S| - 1)! / n! times what `rule` adds to S."""
    n, terms = len(rules), []
    others = [each for each in rules if each != rule]
    for size in range(n):
        weight = 1 / (n * math.comb(n - 1, size))
        for before in map(frozenset, itertools.combinations(others, size)):
            terms.append(weight * (means[before | {rule}] - means[before]))
    return math.fsum(terms)


def _queries(
    rule: str, a: Measure, b: Measure, qid: npt.NDArray[Any], query_ptr: IntArray, values: Mapping[Switched, Vector]
) -> pd.DataFrame:
    """Return the queries on which a rule acts when it alone is switched, the most moved first.

    The mean is sum w v / sum w over the queries that have a value, with weights of mean 1; a query's shift is what that
    becomes with this query's new v and w.
    """
    before, after = values[frozenset()], values[frozenset({rule})]
    sizes = np.diff(query_ptr)
    w0, w1 = (
        np.where(np.isnan(v), 0.0, weights / weights.mean())
        for v, weights in (
            (before, query_weights(a, sizes)),
            (after, query_weights(_mixed(a, b, frozenset({rule})), sizes)),
        )
    )
    v0, v1 = np.nan_to_num(before), np.nan_to_num(after)
    total, weight = (w0 * v0).sum(), w0.sum()
    with np.errstate(invalid="ignore"):
        shift = (total - w0 * v0 + w1 * v1) / (weight - w0 + w1) - total / weight
    acts = (w0 != w1) | (v0 != v1)
    columns = (rule, qid, sizes, before, after, shift)
    order = np.argsort(-np.abs(shift), kind="stable")
    moved: pd.DataFrame = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))).iloc[order[acts[order]]]
    return moved
