"""How the command line talks: results to standard output, all else to standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._progress import Progress

PATIENCE = 10.0  # seconds between lines of progress where there is no terminal


def say(text: str) -> None:
    """Print talk."""
    print(text, file=sys.stderr)


def answer(text: str) -> None:
    """Print a result."""
    print(text)


def answer_json(values: Mapping[str, Any]) -> None:
    """Print a result as JSON."""
    print(json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False))


@contextmanager
def progress() -> Iterator[Progress]:
    """Give a callback ``progress(done, total, message)``: a bar on a terminal, elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(20), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    text = TextColumn("{task.description}", markup=False)
    with Progress(*columns, text, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, message: bar.update(task, completed=done, total=total, description=message)


def _lines() -> Progress:
    last = time.monotonic()

    def tell(done: int, total: int, message: str) -> None:
        nonlocal last
        if time.monotonic() - last >= PATIENCE:
            last = time.monotonic()
            say(f"{message} ({done} of {total})")

    return tell
