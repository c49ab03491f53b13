"""`compare`: systems against each other, query by query, with the evidence for each difference."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .._checks import DataError, ParameterError, check_choice, check_whole
from .._registry import unknown
from . import _compare_tables as tables
from . import _significance as significance
from ._design import read_design
from ._measured import Measured


@dataclass(frozen=True)
class Settings:
    """How systems are compared; see `compare`."""

    baseline: str | None
    test: str
    correction: str
    confidence: float
    power: float
    n_resamples: int
    random_state: int

    def __post_init__(self) -> None:
        check_choice("test", self.test, significance.TESTS)
        check_choice("correction", self.correction, significance.CORRECTIONS)
        for name in ("confidence", "power"):
            value = getattr(self, name)
            if isinstance(value, bool | str) or not 0.5 <= value < 1:
                raise ParameterError(f"{name}={value!r}: must be at least 0.5 and below 1, such as 0.95.")
        check_whole("n_resamples", self.n_resamples, lowest=100)
        check_whole("random_state", self.random_state, lowest=0)
        if self.correction == "tukey" and self.test == "wilcoxon":
            raise ParameterError("correction='tukey': goes with test='t' or 'randomisation'; choose 'holm'.")
        if self.correction == "tukey" and self.baseline is not None:
            raise ParameterError("correction='tukey': is over all pairs; leave out baseline=, or choose 'holm'.")


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `gbrank.compare` found: numbers, and what they are of.

    Attributes
    ----------
    table : DataFrame
        One row for each pair and measure.  Columns: measure, a, b; mean_a, mean_b, difference (a less b) with the ends
        low and high of its interval; statistic (t, the sum of signed ranks, or the mean difference), p and p_adjusted;
        effect_size (Cohen's d: mean by standard deviation of the differences); superiority (share of queries on which
        a is better, ties half); wins, ties, losses (of a); detectable (the smallest true difference that the paired
        t-test finds with the given power); queries (on which both have values).  With several folds fold_sd, the
        standard deviation of the folds' mean differences; with several seeds seeds_low, seeds_high and seeds_p, the
        interval and p over new seeds as well as new queries.
    systems : DataFrame
        One row for each system and measure.  Columns: measure, system, mean, low, high, std (over queries), queries,
        skipped (no value), missing (queries that only other systems have), folds, seeds (the most in any fold).
    components : DataFrame
        One row for each system and measure: the standard deviations of the effects query, seed, fold and residual;
        NaN where there is one of them only.
    conventions : dict
        The sentence that states each measure and its convention.
    settings : Settings
        The arguments of `compare`.
    """

    table: pd.DataFrame
    systems: pd.DataFrame
    components: pd.DataFrame
    conventions: dict[str, str]
    settings: Settings

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures' names."""
        return tuple(self.conventions)

    def notes(self, name: str) -> list[str]:
        """Return what has to be known of the tables of a measure, in sentences."""
        return tables.notes(self, name)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; None for NaN and infinity."""
        return {
            "settings": {name: getattr(self.settings, name) for name in Settings.__dataclass_fields__},
            "conventions": dict(self.conventions),
            "notes": {name: self.notes(name) for name in self.measures},
            "systems": _records(self.systems),
            "components": _records(self.components),
            "pairs": _records(self.table),
        }

    def to_markdown(self) -> str:
        """Return the tables in Markdown, with their notes."""
        return tables.markdown(self)

    def to_latex(self) -> str:
        r"""Return the tables in LaTeX, with their notes as captions; they need ``\usepackage{booktabs}``."""
        return tables.latex(self)

    def to_html(self) -> str:
        """Return the tables in HTML, with their notes."""
        return tables.to_html(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return tables.text(self)

    def __repr__(self) -> str:
        return str(self)


def compare(
    systems: Any,
    measures: Any = None,
    *,
    baseline: str | None = None,
    test: str = "randomisation",
    correction: str = "holm",
    confidence: float = 0.95,
    power: float = 0.8,
    n_resamples: int = 10_000,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> Comparison:
    """Compare systems query by query.

    Parameters
    ----------
    systems : Evaluation, mapping or DataFrame
        One of

        * the `Evaluation` of several runs;
        * a mapping from the system's name to its values: an `Evaluation`, a Series of a measure indexed by query id,
          or, where it was trained several times, a mapping from (fold, seed) to these;
        * a mapping from (fold, seed) to the `Evaluation` of all systems as runs;
        * a DataFrame with one row for each value: columns system, qid and value, and measure, fold and seed where there
          are several.
    measures : str, Measure or sequence of them, optional
        Those to compare by; all by default.  One name says what a Series or a DataFrame without names holds.
    baseline : str, optional
        The system to compare all others with, instead of all pairs.
    test : {"randomisation", "t", "wilcoxon"}
        Of the paired differences; two-sided.  ``randomisation`` flips their signs.
    correction : {"holm", "tukey", "none"}
        For the family of pairs of one measure.  ``tukey`` is Tukey's honestly significant difference after the analysis
        of variance by query and system, with test ``t``, or the randomised one, with test ``randomisation``; it takes
        the queries of which all systems have a value.
    confidence : float
        Of each interval by itself; ``1 - confidence`` is also the level at which a difference is detectable.
    power : float
        With which a difference is detectable.
    n_resamples : int
        Of every bootstrap and randomisation.
    random_state : int
        Seed of these; the same one gives the same numbers, whatever the order of queries and systems.
    n_jobs : int, optional
        Number of threads; all cores by default.  The numbers do not depend on it.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        Values that are infinite, given twice or under two conventions, a query in two folds, a measure that a system
        lacks, or two systems with fewer than two queries in common.
    ParameterError
        A form that does not say what it holds, or an argument that is none of those above.

    Notes
    -----
    Queries are matched by id.  A pair counts the queries for which both systems have a value; the others are counted in
    `Comparison.systems`.  The unit is the query: its value is the mean over the seeds of its fold, all of which must
    have one, so seeds are never counted as queries.  p and intervals are thus about these trained models and new
    queries; seeds_low, seeds_high and seeds_p are about new seeds too.  Where a measure's mean weighs queries by their
    documents (``average="documents"``), so does all here but wins, ties, losses, superiority and components.

    References
    ----------
    Urbano, Lima and Hanjalic, Statistical Significance Testing in Information Retrieval, SIGIR 2019.
    Carterette, Multiple Testing in Statistical Analysis of Systems-Based Information Retrieval Experiments, ACM TOIS
    30(1), 2012.

    Examples
    --------
    >>> a = pd.Series([0.5, 0.9, 0.4, 0.8, 0.7, 1.0], index=list("uvwxyz"))
    >>> b = pd.Series([0.4, 0.7, 0.4, 0.5, 0.6, 0.5], index=list("uvwxyz"))
    >>> table = compare({"A": a, "B": b}, "ndcg@10").table
    >>> table[["difference", "p"]].round(6).values.tolist()  # 2 of the 2^5 sign patterns are as far from 0
    [[0.2, 0.0625]]
    >>> table[["wins", "ties", "losses"]].values.tolist()
    [[5, 1, 0]]
    """
    settings = Settings(baseline, test, correction, confidence, power, n_resamples, random_state)
    design = read_design(systems, measures)
    names = list(next(iter(design.systems.values())))
    pairs = _pairs(names, baseline)
    found = [Measured(name, design, pairs, settings, n_jobs) for name in design.systems]
    return Comparison(
        pd.concat([each.pair_rows() for each in found], ignore_index=True),
        pd.concat([each.system_rows() for each in found], ignore_index=True),
        pd.concat([each.component_rows() for each in found], ignore_index=True),
        {name: design.conventions[name] for name in design.systems},
        settings,
    )


def _pairs(names: list[str], baseline: str | None) -> list[tuple[int, int]]:
    if len(names) < 2:
        raise DataError(f"systems: there is {names[0]!r} only; give at least two.")
    if baseline is None:
        return list(itertools.combinations(range(len(names)), 2))
    if baseline not in names:
        raise unknown("system given as baseline", baseline, names)
    other = names.index(baseline)
    return [(each, other) for each in range(len(names)) if each != other]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    return value if not isinstance(value, float) or math.isfinite(value) else None
