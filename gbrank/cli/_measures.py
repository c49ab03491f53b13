"""``gbrank measures``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ._inputs import AsJson
from ._objectives import wrapped
from ._talk import answer, answer_json

if TYPE_CHECKING:
    from ..metrics._catalog import Description

CUTOFFS = {"optional": "NAME or NAME@k", "needed": "NAME@k", "none": "NAME"}


def measures(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One of them, to be told whole.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what can be measured: every measure with its formula, source and rules of ties, and every preset.

    For example:

        gbrank measures
        gbrank measures ndcg
        gbrank measures "ndcg@10(preset=lightgbm)"

    A name is what --measure of the other commands takes: with @k for a cutoff, and rules in brackets. The names of
    trec_eval and the spelling of ir_measures are read, too.
    """
    from ..metrics import PRESETS
    from ..metrics._catalog import describe_measure, preset_rules
    from ..metrics._definitions import MEASURES

    found = [describe_measure(each) for each in ([name] if name else MEASURES)]
    if as_json:
        presets = {each: preset_rules(each) for each in PRESETS}
        answer_json({"measures": [each.to_dict() for each in found], "presets": presets})
    elif name:
        answer(told_whole(found[0], name))
    else:
        answer(told_all(found))


def told_all(found: list[Description]) -> str:
    """Return all measures by family, in a few lines each, the symbols and the presets."""
    from ..metrics import PRESETS
    from ..metrics._catalog import FAMILIES, SYMBOLS, preset_rules

    blocks = []
    for family in (*FAMILIES, "your own"):
        members = [told_briefly(each) for each in found if each.family == family]
        blocks += [family.upper(), *members] if members else []
    presets = [f"  {each:12} {preset_rules(each)}".rstrip() for each in PRESETS]
    return "\n\n".join([*blocks, "SYMBOLS", wrapped(SYMBOLS, "  "), "PRESETS", "\n".join(presets)])


def told_briefly(about: Description) -> str:
    """Return name, meaning, formula, source and rules of ties."""
    lines = [f"{about.words}.", about.formula, told_ties(about), about.source]
    return "\n".join([named(about), *(wrapped(line, "  ") for line in lines if line)])


def named(about: Description) -> str:
    """Return how the name is written, and the others by which it is found."""
    written = CUTOFFS[about.cutoff].replace("NAME", about.name)
    return f"{written} (also {', '.join(about.aliases)})" if about.aliases else written


def told_ties(about: Description) -> str:
    """Return what becomes of tied documents."""
    if not about.ties:
        return "ties: tied scores are no order"
    return f"ties: {about.ties}; in closed form {', '.join(about.closed_forms)}"


def told_whole(about: Description, name: str) -> str:
    """Return all about one measure, with what the rules on which it depends mean."""
    from ..metrics import measure
    from ..metrics._catalog import rule_meanings

    blocks = [told_briefly(about)]
    if about.cutoff != "needed" or "@" in name:
        blocks.append(wrapped(measure(name).describe()))
    if about.aspects:
        blocks.append(wrapped(f"It needs aspects: an array (documents, aspects), each entry {about.aspects}."))
    meanings = rule_meanings()
    told = [f"  {field}\n{wrapped(meanings[field], '    ')}" for field in about.rules]
    return "\n\n".join([*blocks, "\n".join(["Rules", *told])])
