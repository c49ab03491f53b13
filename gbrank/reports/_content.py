"""Plain content, as users give it, to blocks of a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from .._checks import ParameterError
from ._document import Block, Bullets, Plot, Table, Text, fixed, shown

MOST_ROWS = 200


def block(name: str, content: Any) -> Block:
    """Return plain content as a block of a report.

    Raises
    ------
    ParameterError
        Not a text, mapping, table, figure or sequence of texts.
    """
    if isinstance(content, str):
        return Text(content)
    if isinstance(content, pd.DataFrame):
        return frame_table(name, content)
    if isinstance(content, Mapping):
        return Table(name, ("name", "value"), tuple((str(key), cell(value)) for key, value in content.items()))
    if isinstance(content, Figure):
        return Plot(name, name, partial(_same, content))
    if isinstance(content, Sequence) and all(isinstance(item, str) for item in content):
        return Bullets(tuple(content))
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        return block(name, dataclasses.asdict(content))
    raise ParameterError(
        f"{name}: a {type(content).__name__} cannot be shown; give a text, a list of texts, a mapping, a DataFrame "
        "or a matplotlib Figure."
    )


def _same(figure: Figure) -> Figure:
    return figure


def frame_table(name: str, frame: pd.DataFrame) -> Table:
    """Return a DataFrame as a table with its index first; long ones are cut, with a note that says so."""
    head = frame.head(MOST_ROWS)
    index = [str(level or "") for level in frame.index.names]
    columns = (", ".join(filter(None, index)) or "row", *map(label, frame.columns))
    rows = tuple((label(row[0]), *map(cell, row[1:])) for row in head.itertuples())
    note = f"The first {MOST_ROWS} of {len(frame):,} rows." if len(frame) > MOST_ROWS else ""
    return Table(name, columns, rows, note=note)


def label(name: Any) -> str:
    """Return the name of a row or column, those of several levels with commas."""
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def cell(value: Any) -> str:
    """Return a value of a table as text.

    Examples
    --------
    >>> cell(0.25), cell(1200), cell("a"), cell(None)
    ('0.2500', '1,200', 'a', '–')
    """
    if value is None or value is pd.NaT:
        return fixed(float("nan"))
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, float):
        return (
            fixed(value)
            if value == 0 or 1e-3 <= abs(value) < 1e6
            else f"{value:.4g}"
            if value == value
            else fixed(value)
        )
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return cell(item())
    return f"{value:,}" if isinstance(value, int) else shown(value)
