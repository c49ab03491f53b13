"""The tables of a comparison as text, Markdown, LaTeX and HTML."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from ._compare import Comparison

WORDS = {
    "t": "paired t-test",
    "wilcoxon": "Wilcoxon signed-rank test (zeros by Pratt; exact where all sign patterns are no more than {n})",
    "randomisation": "sign-flip randomisation of paired differences ({n} patterns, seed {seed}; all where there are no "
    "more)",
}
LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$"}
LATEX |= {each: f"\\{each}" for each in "&%$#_{}"}
OPTIONAL = ("fold_sd", "seeds_low", "seeds_high", "seeds_p")


@dataclass(frozen=True)
class Table:
    """A table of text: the first `words` columns are names, the others numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int


def notes(comparison: Comparison, name: str) -> list[str]:
    """Return what has to be known of both tables: measure, queries, folds and seeds, test, correction, intervals."""
    settings, pairs, systems = comparison.settings, _of(comparison.table, name), _of(comparison.systems, name)
    tested = WORDS[settings.test].format(n=f"{settings.n_resamples:,}", seed=settings.random_state)
    level = _level(comparison)
    told = [
        comparison.conventions[name],
        f"{_range(pairs['queries'], 'queries')} in a pair (those for which both have a value); "
        f"{_range(systems['folds'], 'fold')}, {_range(systems['seeds'], 'seed')} a fold; the unit is the query, "
        "averaged over its seeds.",
        f"p: {tested}, two-sided; {_correction(comparison, len(pairs))}.",
        f"Intervals: BCa bootstrap over queries, {level} each, not corrected, {settings.n_resamples:,} resamples, seed "
        f"{settings.random_state}.",
        "d: mean by standard deviation of the differences. Superiority: share of queries on which a is better, ties "
        "half. Detectable: smallest true difference that the paired t-test finds at "
        f"{100 - 100 * settings.confidence:.3g}% with power {settings.power:g}.",
    ]
    if "seeds_low" in pairs:
        told.append(
            f"With new seeds: {level} interval and p over queries and seeds (Satterthwaite's t), not corrected."
        )
    return told


def text(comparison: Comparison) -> str:
    """Return aligned columns."""
    parts = []
    for name in comparison.measures:
        for table in _both(comparison, name):
            parts.append("\n".join("  ".join(cells).rstrip() for cells in _aligned(table)))
        parts.append("\n".join(notes(comparison, name)))
    return "\n\n".join(parts)


def markdown(comparison: Comparison) -> str:
    """Return tables with pipes."""
    parts = []
    for name in comparison.measures:
        for table in _both(comparison, name):
            rows = tuple(tuple(map(_piped, row)) for row in table.rows)
            lines = _aligned(Table(tuple(map(_piped, table.header)), rows, table.words))
            widths = [len(cell) for cell in lines[0]]
            rule = ["-" * width if j < table.words else "-" * (width - 1) + ":" for j, width in enumerate(widths)]
            parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in [lines[0], rule, *lines[1:]]))
        parts.append("\n".join(f"* {_piped(note)}" for note in notes(comparison, name)))
    return "\n\n".join(parts) + "\n"


def latex(comparison: Comparison) -> str:
    """Return tables for booktabs."""
    parts = []
    for name in comparison.measures:
        caption = _tex(" ".join(notes(comparison, name)))
        for table in _both(comparison, name):
            columns = "l" * table.words + "r" * (len(table.header) - table.words)
            rows = [f"{' & '.join(map(_tex, cells))} \\\\" for cells in (table.header, *table.rows)]
            lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule"]
            ends = [r"\end{tabular}", rf"\caption{{{caption}}}", r"\end{table}"]
            parts.append("\n".join([r"\begin{table}", r"\centering", *lines, *ends]))
    return "\n\n".join(parts) + "\n"


def to_html(comparison: Comparison) -> str:
    """Return tables without style."""
    parts = []
    for name in comparison.measures:
        for table in _both(comparison, name):
            head, *body = (
                _html_row(cells, tag) for cells, tag in [(table.header, "th"), *((r, "td") for r in table.rows)]
            )
            rows = "\n".join(body)
            parts.append(f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>\n</table>")
        parts.append(f"<ul>{''.join(f'<li>{html.escape(note)}</li>' for note in notes(comparison, name))}</ul>")
    return "\n".join(parts) + "\n"


def chance(p: float) -> str:
    """Return a probability: four decimals, or two digits where these would not show.

    Examples
    --------
    >>> chance(0.04321), chance(0.0000123), chance(1.0)
    ('0.0432', '1.2e-05', '1.0000')
    """
    return f"{p:.4f}" if p >= 0.00005 or p == 0 or math.isnan(p) else f"{p:.1e}"


def _both(comparison: Comparison, name: str) -> tuple[Table, Table]:
    """Return the table of systems and the table of pairs of one measure."""
    return _systems(comparison, name), _pairs(comparison, name)


def _systems(comparison: Comparison, name: str) -> Table:
    frame, spread = _of(comparison.systems, name), _of(comparison.components, name)
    columns: dict[str, list[str]] = {
        name: frame["system"].tolist(),
        "mean": _fixed(frame["mean"]),
        f"{_level(comparison)} interval": _interval(frame["low"], frame["high"]),
        "std": _fixed(frame["std"]),
        "queries": _whole(frame["queries"]),
    }
    columns |= {each: _whole(frame[each]) for each in ("skipped", "missing") if frame[each].any()}
    columns |= {each: _whole(frame[each]) for each in ("folds", "seeds") if frame[each].max() > 1}
    if spread[["seed", "fold"]].notna().any(axis=None):
        shown = [each for each in ("query", "seed", "fold", "residual") if spread[each].notna().any()]
        columns |= {f"sd of {each}": _fixed(spread[each]) for each in shown}
    return _table(columns, 1)


def _pairs(comparison: Comparison, name: str) -> Table:
    frame, settings = _of(comparison.table, name), comparison.settings
    columns: dict[str, list[str]] = {
        "a": frame["a"].tolist(),
        "b": frame["b"].tolist(),
        "a - b": _fixed(frame["difference"], sign=True),
        f"{_level(comparison)} interval": _interval(frame["low"], frame["high"], sign=True),
        "p": [chance(p) for p in frame["p"]],
    }
    if settings.correction != "none":
        columns[f"p ({settings.correction.title()})"] = [chance(p) for p in frame["p_adjusted"]]
    if "seeds_low" in frame:
        columns["with new seeds"] = _interval(frame["seeds_low"], frame["seeds_high"], sign=True)
        columns["p with new seeds"] = ["" if math.isnan(p) else chance(p) for p in frame["seeds_p"]]
    if "fold_sd" in frame:
        columns["sd of folds"] = _fixed(frame["fold_sd"])
    counts = zip(_whole(frame["wins"]), _whole(frame["ties"]), _whole(frame["losses"]), strict=True)
    columns |= {
        "d": _fixed(frame["effect_size"], sign=True, digits=2),
        "superiority": _fixed(frame["superiority"], digits=3),
        "win/tie/loss": ["/".join(each) for each in counts],
        "detectable": _fixed(frame["detectable"]),
        "queries": _whole(frame["queries"]),
    }
    return _table(columns, 2)


def _correction(comparison: Comparison, pairs: int) -> str:
    settings = comparison.settings
    family = f"{pairs} pair{'s' if pairs > 1 else ''} of this measure"
    if settings.correction == "holm":
        return f"corrected over the {family} by Holm"
    if settings.correction == "none":
        return f"not corrected for the {family}"
    if settings.test == "t":
        return f"corrected over the {family} by Tukey's HSD after two-way analysis of variance"
    return f"corrected over the {family} by randomised Tukey HSD ({settings.n_resamples:,} permutations)"


def _level(comparison: Comparison) -> str:
    return f"{100 * comparison.settings.confidence:g}%"


def _of(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of one measure, without the columns of folds and seeds of which it has none."""
    rows = frame[frame["measure"] == name]
    return rows.drop(columns=[each for each in OPTIONAL if each in rows and rows[each].isna().all()])


def _table(columns: dict[str, list[str]], words: int) -> Table:
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)), words)


def _fixed(values: Any, *, sign: bool = False, digits: int = 4) -> list[str]:
    return ["" if math.isnan(value) else f"{value:{'+' if sign else ''}.{digits}f}" for value in values]


def _whole(values: Any) -> list[str]:
    return [f"{value:,}" for value in values]


def _interval(low: Any, high: Any, *, sign: bool = False) -> list[str]:
    ends = zip(_fixed(low, sign=sign), _fixed(high, sign=sign), strict=True)
    return [f"[{a}, {b}]" if a else "" for a, b in ends]


def _range(values: pd.Series[int], what: str) -> str:
    low, high = int(values.min()), int(values.max())
    plural = what if high == 1 or what.endswith("s") else f"{what}s"
    return f"{low:,} {plural}" if low == high else f"{low:,} to {high:,} {plural}"


def _aligned(table: Table) -> list[list[str]]:
    """Return header and rows with cells of one width for each column."""
    lines: Sequence[Sequence[str]] = (table.header, *table.rows)
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    sides = ["<" if j < table.words else ">" for j in range(len(widths))]
    return [[f"{cell:{s}{w}}" for cell, s, w in zip(line, sides, widths, strict=True)] for line in lines]


def _piped(cell: str) -> str:
    return re.sub(r"([\\|*_<>`])", r"\\\1", cell.replace("\n", " "))


def _tex(cell: str) -> str:
    return "".join(LATEX.get(character, character) for character in cell)


def _html_row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
