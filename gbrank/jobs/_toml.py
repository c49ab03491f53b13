"""Tables to TOML; the standard library only reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._checks import ParameterError

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(table: Mapping[str, Any]) -> str:
    """Return a table as TOML text that `tomllib` reads back equal.

    Parameters
    ----------
    table : mapping
        Of strings, whole numbers, floats, bools, lists and mappings; None is left out, a tuple becomes a list.

    Raises
    ------
    ParameterError
        A value of another kind; its key is named.

    Examples
    --------
    >>> print(to_toml({"output": "out", "ranker": {"learning_rate": 0.1, "max_depth": None, "verbose": 0}}))
    output = "out"
    <BLANKLINE>
    [ranker]
    learning_rate = 0.1
    verbose = 0
    <BLANKLINE>
    """
    return "\n\n".join(block for block in _blocks(table, ()) if block) + "\n"


def _blocks(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Return the text of a table and of the tables in it; plain keys must come before the first of those."""
    present = {key: value for key, value in table.items() if value is not None}
    lines = [f"[{'.'.join(map(_key, path))}]"] if path else []
    for key, value in present.items():
        if not isinstance(value, Mapping):
            lines.append(f"{_key(key)} = {_value(value, (*path, key))}")
    blocks = ["\n".join(lines)]
    for key, value in present.items():
        if isinstance(value, Mapping):
            blocks += _blocks(value, (*path, key))
    return blocks


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    # JSON's escapes are TOML's; TOML alone forbids a bare DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        inner = (f"{_key(key)} = {_value(each, (*path, key))}" for key, each in value.items() if each is not None)
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ", ".join(_value(each, path) for each in value) + "]"
    raise ParameterError(f"{'.'.join(path)}: TOML has no form for {value!r} ({type(value).__name__}).")
