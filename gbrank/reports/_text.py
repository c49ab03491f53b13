"""A report as plain text, for terminals and logs."""

from __future__ import annotations

import textwrap
from itertools import starmap
from typing import TYPE_CHECKING

from ._document import Block, Bullets, Cell, Plot, Table, Text, clean

if TYPE_CHECKING:
    from ._report import Report

WIDTH = 100
WIDEST = 44  # characters of a cell before the last of its row


def to_text(report: Report) -> str:
    """Return a report as text: tables are aligned, plots are told by their description."""
    lines = [
        report.title,
        "=" * len(report.title),
        *wrapped(report.subject),
        f"{report.date:%Y-%m-%d %H:%M %Z}".strip(),
    ]
    lines += ["", *(f"{head.label}: {head.value} ({head.note})" for head in report.headlines)]
    if report.cautions:
        lines += ["", "To be read with care", *bulleted(report.cautions)]
    for section in report.sections:
        lines += ["", "", section.title, "-" * len(section.title)]
        for block in section.blocks:
            lines += ["", *block_lines(block)]
    return clean("\n".join(lines))


def block_lines(block: Block) -> list[str]:
    """Return the lines of a block."""
    match block:
        case Text():
            return wrapped(block.text)
        case Bullets():
            return bulleted(block.items)
        case Table():
            return table_lines(block)
        case Plot():
            return wrapped(f"[{block.caption}] {block.alt}")


def table_lines(table: Table) -> list[str]:
    """Return a table with its columns aligned, numbers to the right."""
    rows = [
        (*(cell_text(each)[:WIDEST] for each in row[:-1]), cell_text(row[-1])) for row in (table.columns, *table.rows)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = [
        "  ".join(
            f"{text:>{width}}" if right else f"{text:<{width}}"
            for text, width, right in zip(row, widths, table.numeric, strict=True)
        ).rstrip()
        for row in rows
    ]
    rule = "  ".join("-" * min(width, WIDEST) for width in widths)
    return [
        *wrapped(table.caption),
        "",
        aligned[0],
        rule,
        *aligned[1:],
        *([""] if table.note else []),
        *wrapped(table.note),
    ]


def cell_text(cell: Cell) -> str:
    """Return a cell on one line."""
    return " ".join(cell.split()) if isinstance(cell, str) else " ".join(starmap("{}:{}".format, cell))


def wrapped(text: str) -> list[str]:
    """Return a paragraph as lines."""
    return textwrap.wrap(text, WIDTH)


def bulleted(items: tuple[str, ...]) -> list[str]:
    """Return a list as lines."""
    return [line for item in items for line in textwrap.wrap(item, WIDTH, initial_indent="- ", subsequent_indent="  ")]
