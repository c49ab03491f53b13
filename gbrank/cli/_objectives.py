"""``gbrank objectives``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from ._inputs import AsJson
from ._talk import answer, answer_json

if TYPE_CHECKING:
    from ..objectives._catalog import Description

WIDTH = 110


def objectives(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One of them, to be told whole.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what can be minimised: every objective with its formula, parameters and reference.

    For example:

        gbrank objectives
        gbrank objectives lambdarank

    A name is what --objective of the other commands takes, and parameters are what --objective-param sets. Scores are
    s, labels y; the loss L is a sum over queries. A hessian is exact, or a surrogate where the loss has none that
    boosting could use.
    """
    from ..objectives import OBJECTIVES
    from ..objectives._catalog import describe_objective

    names = [name] if name else list(OBJECTIVES)
    found = [describe_objective(OBJECTIVES[each]) for each in names]
    if as_json:
        answer_json({"objectives": [each.to_dict() for each in found]})
    elif name:
        answer(told_whole(found[0]))
    else:
        answer(told_all(found))


def told_all(found: list[Description]) -> str:
    """Return all objectives by family, in a few lines each."""
    from ..objectives._catalog import FAMILIES

    blocks = []
    for family in (*FAMILIES, "other"):
        members = [told_briefly(each) for each in found if each.family == family]
        blocks += [family.upper(), *members] if members else []
    return "\n\n".join(blocks)


def told_briefly(about: Description) -> str:
    """Return name, summary, formula, parameters with defaults, and references."""
    parameters = ", ".join(f"{each.name}={each.default!r}" for each in about.parameters)
    lines = [about.summary, about.formula_text, parameters, f"{hessian(about)} hessian", *about.references]
    return "\n".join([named(about), *(wrapped(line, "  ") for line in lines if line)])


def named(about: Description) -> str:
    """Return the name, and the others by which it is found."""
    return f"{about.name} (also {', '.join(about.aliases)})" if about.aliases else about.name


def told_whole(about: Description) -> str:
    """Return all about one objective."""
    blocks = [
        f"{named(about)}\n{wrapped(about.constructor, '  ')}",
        wrapped(f"{about.summary} {hessian(about).capitalize()} hessian; {about.family}."),
        *map(wrapped, about.details.split("\n\n")),
    ]
    if about.parameters:
        told = [f"{each.name} = {each.default!r}\n{wrapped(each.meaning, '    ')}" for each in about.parameters]
        blocks.append("\n".join(["Parameters", *(textwrap.indent(each.rstrip(), "  ") for each in told)]))
    if about.references:
        blocks.append("\n".join(["References", *(wrapped(each, "  ") for each in about.references)]))
    return "\n\n".join(block for block in blocks if block)


def hessian(about: Description) -> str:
    """Return what the hessian is, in a word."""
    return "exact" if about.exact_hessian else "surrogate"


def wrapped(text: str, indent: str = "") -> str:
    """Return text in lines that fit a terminal."""
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
