"""What a report is made of: sections of texts, tables and plots, as plain values that any form can be written from."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from matplotlib.figure import Figure

_NUMBER = re.compile(r"[-+−±]?[\d,]*\.?\d+(e[-+]?\d+)?%?( \([<\d.]+%\))?")
NONE = "–"


class Document(NamedTuple):
    """A document in a list: its label, and what it is called."""

    label: str
    name: str


Cell = str | tuple[Document, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of finished texts, of which the first column names the row.

    Parameters
    ----------
    caption : str
    columns : tuple of str
    rows : tuple of tuple of str or Documents
        Each as long as `columns`.
    marked : frozenset of int
        Rows that stand out.
    note : str
        What a reader must know to read the numbers.
    """

    kind: ClassVar[str] = "table"

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: frozenset[int] = frozenset()
    note: str = ""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether a column holds nothing but numbers, which stand to the right; never the first."""
        columns = [[row[number] for row in self.rows] for number in range(len(self.columns))]
        return tuple(number > 0 and all(map(is_number, column)) for number, column in enumerate(columns))


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure, drawn when it is asked for.

    Parameters
    ----------
    caption : str
    alt : str
        What the figure shows, for those who cannot see it.
    draw : callable
        Returns the figure.
    """

    kind: ClassVar[str] = "plot"

    caption: str
    alt: str
    draw: Callable[[], Figure]


Block = Text | Bullets | Table | Plot


@dataclass(frozen=True)
class Section:
    """A titled part of a report.

    Parameters
    ----------
    title : str
    rows : tuple of tuples of blocks
        The blocks of a row stand side by side where there is room.
    """

    title: str
    rows: tuple[tuple[Block, ...], ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks in order."""
        return tuple(block for row in self.rows for block in row)


class Headline(NamedTuple):
    """A number for the head of a report."""

    label: str
    value: str
    note: str


def is_number(cell: Cell) -> bool:
    """Tell whether a cell is a number, a number with its share in brackets, or empty.

    Examples
    --------
    >>> [is_number(cell) for cell in ("0.4512", "1,204 (3.1%)", "–", "f12", "2 3")]
    [True, True, True, False, False]
    """
    return isinstance(cell, str) and (cell in ("", NONE) or _NUMBER.fullmatch(cell) is not None)


def fixed(value: float, places: int = 4, *, sign: bool = False) -> str:
    """Return a number with `places` decimals, or a dash for NaN.

    Examples
    --------
    >>> fixed(0.45678), fixed(float("nan")), fixed(0.01, sign=True), fixed(-0.00001, 3, sign=True)
    ('0.4568', '–', '+0.0100', '+0.000')
    """
    if value != value:
        return NONE
    rounded = round(float(value), places) + 0.0  # no "-0.0000"
    return f"{rounded:{'+' if sign else ''}.{places}f}"


def shown(value: object) -> str:
    """Return a parameter's value as text: a function by its name, long values cut."""
    name = getattr(value, "__qualname__", None)
    if isinstance(value, list | tuple) and any(map(callable, value)):
        return ", ".join(map(shown, value))
    text = str(name) if name else value if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def clean(text: object) -> str:
    """Return text that every file can hold: control characters and lone surrogates become U+FFFD."""
    return "".join("\ufffd" if _unfit(character) else character for character in str(text))


def _unfit(character: str) -> bool:
    code = ord(character)
    return (
        (code < 32 and character not in "\t\n") or 127 <= code < 160 or 0xD800 <= code < 0xE000 or code & ~1 == 0xFFFE
    )
