"""What can be told of a measure, read from its definition: nothing of it is written twice."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Any

from ._convention import PRESETS, Convention
from ._definitions import MEASURES
from ._spelling import FIELDS, WITH_RULES, read

FAMILIES = {
    "graded relevance": ("ndcg", "dcg", "err", "q"),
    "relevant or not": ("ap", "rr", "p", "r", "f", "hit", "rprec", "rbp"),
    "incomplete judgments": ("bpref", "infap", "judged"),
    "order of pairs": ("auc", "pairs", "tau", "tau_ap"),
    "aspects and novelty": ("alpha_ndcg", "strec", "ild", "novelty"),
}
"""The families in the order in which they are told, and their measures; others are the user's own."""

SYMBOLS = (
    "r is a rank, down to the cutoff k or to the last of the n documents found; g_r the gain and d_r the discount "
    "there; b_r 1 where the document is relevant, else 0; j_r 1 where it is judged; q_r its probability of stopping a "
    "user; R the number of relevant documents of the query, and P_r the precision at rank r. Of documents i and j, s "
    "are scores and y labels; a_i is a row of aspects, b_ra 1 where the document at r is about aspect a, c_ra how many "
    "above are; p_r the document's popularity."
)
"""What the symbols of the formulas mean."""


@dataclass(frozen=True)
class Description:
    """All that can be told of a measure.

    `rules` are the fields of the convention on which it depends, `closed_forms` the rules of ties under which nothing
    is sampled, and `ties` the rule where none is given; `cutoff` is "optional", "needed" or "none".
    """

    name: str
    aliases: tuple[str, ...]
    family: str
    words: str
    formula: str
    source: str
    cutoff: str
    ties: str
    closed_forms: tuple[str, ...]
    rules: tuple[str, ...]
    aspects: str
    higher_is_better: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        told = dataclasses.asdict(self)
        return told | {each: list(told[each]) for each in ("aliases", "closed_forms", "rules")}


def describe_measure(name: str) -> Description:
    """Return what the definition of a measure tells; cutoff and rules in `name` are read and not told.

    Examples
    --------
    >>> about = describe_measure("MAP")
    >>> about.name, about.formula, about.cutoff, about.ties
    ('ap', 'Σ_r b_r P_r / R', 'optional', 'expected')
    """
    head = read(name).head
    definition = MEASURES[head]
    aliases = [alias for alias, main in MEASURES.aliases.items() if main == head]
    aliases += [alias for alias, (main, _) in WITH_RULES.items() if main == head]
    family = next((each for each, members in FAMILIES.items() if head in members), "your own")
    ties = "expected" if "expected" in definition.closed_forms else "sampled"
    return Description(
        name=head,
        aliases=tuple(sorted(aliases)),
        family=family,
        words=definition.words,
        formula=definition.formula,
        source=definition.source,
        cutoff=definition.cutoff,
        ties=ties if "ties" in definition.uses else "",
        closed_forms=definition.closed_forms,
        rules=tuple(field for field in FIELDS if field in definition.uses),
        aspects=definition.aspects,
        higher_is_better=definition.higher_is_better,
    )


def rule_meanings() -> dict[str, str]:
    """Return what each field of a convention means, as its docstring says, as one line."""
    doc = inspect.getdoc(Convention) or ""
    section = doc.partition("Parameters\n----------\n")[2].partition("\nRaises\n")[0]
    told: dict[str, str] = {}
    for head, text in re.findall(r"^(\w[^\n]*)\n((?:[ ]+[^\n]*\n?)*)", section, flags=re.MULTILINE):
        meaning = re.sub(r"``?([^`]+)``?", r"\1", " ".join(text.split()))
        told |= dict.fromkeys(head.partition(" : ")[0].split(", "), meaning)
    return told


def preset_rules(name: str) -> str:
    """Return what a preset says beyond the default, as `gbrank.measure` reads it.

    Examples
    --------
    >>> preset_rules("lightgbm")
    'ties=stable, no_relevant=1'
    """
    usual, here = PRESETS["default"].items(), PRESETS[name].items()
    return ", ".join(f"{field}={here[field]}" for field in FIELDS if here[field] != usual[field])
