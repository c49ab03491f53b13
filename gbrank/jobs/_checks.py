"""Checks of tables that people write: every key, the kind of every value, and all problems told at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .._checks import GbrankError, ParameterError

T = TypeVar("T")

WORDS = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Problems:
    """What is wrong so far.

    Parameters
    ----------
    source : str
        What every message starts with: the name of the job's file.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.found: list[str] = []

    def add(self, place: str, text: str) -> None:
        """Note a problem at a place such as ``[ranker] learning_rate``; the place may be empty."""
        self.found.append(": ".join(part for part in (self.source, place, text) if part))

    def attempt(self, place: str, call: Callable[..., T], *args: Any, **kwargs: Any) -> T | None:
        """Return what the call returns, or note why gbrank refuses it."""
        try:
            return call(*args, **kwargs)
        except GbrankError as error:
            self.add(place, str(error))
            return None

    def raise_any(self) -> None:
        """Raise a `ParameterError` that lists all problems, one a line, if there are any."""
        if self.found:
            raise ParameterError("\n".join(self.found))


@dataclass(frozen=True)
class Key:
    """What a key may hold.

    Parameters
    ----------
    kinds : tuple of type
        Of str, bool, int, float, list and dict; a float may be written as a whole number.
    default : object
        None where there is none.
    items : type, optional
        The kind of a list's items.
    """

    kinds: tuple[type, ...]
    default: Any = None
    items: type | None = None

    def complaint(self, value: Any) -> str | None:
        """Return what is wrong with the kind of a value, or None."""
        if not any(is_kind(value, kind) for kind in self.kinds):
            return f"must be {' or '.join(WORDS[kind] for kind in self.kinds)}, not {value!r}"
        if self.items is not None and isinstance(value, list):
            for number, item in enumerate(value, 1):
                if not is_kind(item, self.items):
                    return f"item {number} must be {WORDS[self.items]}, not {item!r}"
        return None


def is_kind(value: Any, kind: type) -> bool:
    """Tell whether a value is of a kind of TOML: true is no number, a whole number also a float."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is dict:
        return isinstance(value, Mapping)
    if kind is list:
        return isinstance(value, list | tuple)
    return isinstance(value, kind)


def read_table(table: Mapping[str, Any], keys: Mapping[str, Key], name: str, problems: Problems) -> dict[str, Any]:
    """Return every known key with its value or default; note unknown keys and values of another kind.

    `name` is the table's, empty for the file's own keys.
    """
    for key in table:
        if key not in keys:
            problems.add(place(name, key), unknown_key(key, keys))
    values = {key: spec.default for key, spec in keys.items()}
    for key, spec in keys.items():
        if key in table:
            complaint = spec.complaint(table[key])
            if complaint:
                problems.add(place(name, key), complaint)
            else:
                values[key] = table[key]
    return values


def place(table: str, key: str) -> str:
    """Return how a message names a key."""
    return f"[{table}] {key}" if table else key


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Return the message for an unknown key, with the nearest known one or all."""
    names = sorted(known)
    near = difflib.get_close_matches(key, names, n=1)
    return f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; known are {', '.join(names)}"
