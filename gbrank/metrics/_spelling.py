"""The ways to write a measure, ours, trec_eval's and ir_measures', read as one: name, cutoff and rules."""

from __future__ import annotations

import ast
import dataclasses
import re
from typing import Any, NamedTuple

from .._checks import ParameterError
from .._registry import unknown
from ._convention import Convention
from ._definitions import MEASURES

FIELDS = tuple(field.name for field in dataclasses.fields(Convention))
WITH_RULES: dict[str, tuple[str, dict[str, Any]]] = {"gauc": ("auc", {"average": "documents"})}
"""Names by which the field knows a measure under a rule of its own."""

_RULES = r"\s*(?:\((.*)\))?"
_SPELLING = re.compile(
    rf"\s*([A-Za-z_]\w*(?:\.\d+)?){_RULES}\s*(?:@\s*([0-9]{{1,18}}))?{_RULES}\s*", re.DOTALL | re.ASCII
)
_OF_TREC = re.compile(r"(.+)[_.]([0-9]{1,18})")
_OF_IR_MEASURES: dict[str, tuple[str, dict[Any, Any]]] = {
    "rel": ("relevant_from", {}),
    "p": ("persistence", {}),
    "gains": ("gain", {}),
    "dcg": ("gain", {"log2": "linear", "exp-log2": "exp"}),
    "judged_only": ("unjudged", {True: "removed", False: "not_relevant"}),
}
"""ir_measures' name of a parameter: ours, and what its values are called here."""


class Spelt(NamedTuple):
    """What a text says of a measure."""

    head: str
    k: int | None
    rules: dict[str, Any]


def read(name: str) -> Spelt:
    """Return what `name` says.

    Raises
    ------
    ParameterError
        An unknown name, or a text of another form.
    """
    found = _SPELLING.fullmatch(name) if isinstance(name, str) else None
    if found is None or (found[2] is not None and found[4] is not None):
        raise ParameterError(f"measure {name!r}: write it as 'ndcg@10' or 'ndcg@10(gain=linear, ties=stable)'.")
    head, k, inside = found[1], found[3], found[2] if found[2] is not None else found[4]
    if known(head) is None and k is None and (trec := _OF_TREC.fullmatch(head)):
        head, k = trec[1], trec[2]
    rules = _rules(inside, name)
    if "cutoff" in rules and k is None:
        k = rules.pop("cutoff")
    called = known(head) or str(head).lower()
    head, own = WITH_RULES.get(called, (called, {}))
    if head not in MEASURES:
        raise unknown("measure", head, [*MEASURES, *MEASURES.aliases, *WITH_RULES])
    return Spelt(MEASURES.aliases.get(head, head), None if k is None else int(k), own | rules)


def known(head: str) -> str | None:
    """Return the name by which a measure is found, in the case in which it is entered."""
    return next((each for each in (head, head.lower()) if each in MEASURES or each in WITH_RULES), None)


def _rules(inside: str | None, name: str) -> dict[str, Any]:
    """Return the rules written in brackets: bare words as strings, numbers and mappings as in Python."""
    if not inside or not inside.strip():
        return {}
    try:
        call = ast.parse(f"f({inside})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or not all(word.arg for word in call.keywords):
            raise ValueError
        return dict(
            _ours(str(word.arg), word.value.id if isinstance(word.value, ast.Name) else ast.literal_eval(word.value))
            for word in call.keywords
        )
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ParameterError(f"measure {name!r}: write rules as 'ndcg@10(gain=linear, ties=stable)'.") from None


def _ours(field: str, value: Any) -> tuple[str, Any]:
    field, values = _OF_IR_MEASURES.get(field, (field, {}))
    return field, values.get(value, value) if values else value


def joined(written: dict[str, Any], given: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the rules of a text and of arguments, which must not contradict each other."""
    for field in written.keys() & given.keys():
        if written[field] != given[field]:
            raise ParameterError(f"measure {name!r} says {field}={written[field]}, the argument {given[field]!r}.")
    return written | given
