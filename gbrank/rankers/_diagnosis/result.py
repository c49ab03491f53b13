"""What `gbrank.diagnose` found: numbers with remedies."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

SEVERITIES = ("error", "warning", "note")
MOST_NAMED = 10  # queries or features that a sentence names


@dataclass(frozen=True)
class Finding:
    """One reason why a ranker may learn nothing, or less than it could.

    Attributes
    ----------
    name : str
        What was found, one word for each kind of finding.
    severity : {"error", "warning", "note"}
        Nothing, or nothing sensible, can be learnt; something is probably wrong; worth knowing.
    text : str
        The finding with its numbers, in a sentence.
    remedy : str
        What to do about it.
    numbers : mapping from str to number
    queries : tuple
        Ids of queries that it is about, the first ten.
    features : tuple of str
        Names of features that it is about, all of them.
    """

    name: str
    severity: str
    text: str
    remedy: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    queries: tuple[Any, ...] = ()
    features: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for JSON."""
        fields = {name: getattr(self, name) for name in ("name", "severity", "text", "remedy")}
        return fields | {
            "numbers": dict(self.numbers),
            "queries": list(self.queries),
            "features": list(self.features),
        }

    def __str__(self) -> str:
        return f"{self.severity}: {self.name}\n  {self.text}\n  Remedy: {self.remedy}"


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What `gbrank.diagnose` found.  It is true where a finding is more than a note.

    Attributes
    ----------
    findings : tuple of Finding
        Errors first, then warnings, then notes.
    facts : dict of str to number
        Counts that tell how much there is to learn from: "queries", "documents" and "features"; "pairs", two documents
        of a query with different labels; "queries_with_signal".  With a ranker "queries_with_signal" are those in
        which a document has a gradient at the start, beside "documents_with_gradient", and "effective_pairs" are the
        pairs that its objective looks at (with gains, truncation and weights).
    """

    findings: tuple[Finding, ...]
    facts: Mapping[str, float]

    @classmethod
    def of(cls, findings: Iterable[Finding], facts: Mapping[str, float]) -> Diagnosis:
        """Make one from findings in any order."""
        return cls(tuple(sorted(findings, key=lambda each: SEVERITIES.index(each.severity))), dict(facts))

    def __bool__(self) -> bool:
        return any(each.severity != "note" for each in self.findings)

    def __getitem__(self, name: str) -> Finding:
        """Return the finding of that name; a `KeyError` where there is none."""
        for each in self.findings:
            if each.name == name:
                return each
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(each.name == name for each in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return {"facts": dict(self.facts), "findings": [each.to_dict() for each in self.findings]}

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each finding; columns: name, severity, text, remedy, numbers, queries, features."""
        rows = [each.to_dict() for each in self.findings]
        return pd.DataFrame(rows, columns=list(Finding.__dataclass_fields__))

    def to_html(self) -> str:
        """Return what `str` says, in HTML."""
        rows = (
            [("Severity", "Finding", "Remedy")]
            + [(each.severity, f"{each.name}: {each.text}", each.remedy) for each in self.findings]
        )  # fmt: skip
        cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
        table = "".join(f"<tr>{row}</tr>" for row in cells) if self.findings else "<tr><td>nothing found</td></tr>"
        return f"<p>{html.escape(self._facts())}</p><table>{table}</table>"

    def _facts(self) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {value:,.0f}" for name, value in self.facts.items())

    def __str__(self) -> str:
        return "\n".join([self._facts(), *(map(str, self.findings) if self.findings else ["nothing found"])])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def counted(count: float, of: float, what: str) -> str:
    """Return a count with its share, in words.

    Examples
    --------
    >>> counted(3, 12, "queries")
    '3 of 12 queries (25%)'
    """
    share = count / of if of else 0.0
    return f"{count:,.0f} of {of:,.0f} {what} ({share:.0%})"


def named(names: Iterable[Any]) -> str:
    """Return a few names as text.

    Examples
    --------
    >>> named(["f1", "f2"]), named(range(12))
    ('f1, f2', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more')
    """
    names = list(names)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(map(str, names[:MOST_NAMED])) + more
