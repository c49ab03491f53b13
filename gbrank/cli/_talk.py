"""How the command line talks: results to standard output, all else to standard error."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._progress import Progress

STDOUT = "standard output"  # the file name in errors of writing it
OPTIONS = (
    ("pass zero_based=True", "give --zero-based", "set zero_based = true in [data]"),
    ("pass scattered='regroup'", "give --scattered regroup", 'set scattered = "regroup" in [data]'),
    (r"\bn_features=(\d+)", r"--n-features \1", r"n_features = \1"),
    ("pass unlisted='ignore'", "give --ignore-unlisted", "pass unlisted='ignore'"),
)
"""What the library's messages say, what the command line calls it, and what a job does."""

PATIENCE = 10.0  # seconds between lines of progress where there is no terminal


def say(text: str) -> None:
    """Print talk."""
    print(text, file=sys.stderr)


def answer(text: str) -> None:
    """Print a result."""
    flush(text + "\n")


def flush(text: str = "") -> None:
    """Write to standard output at once; an error of doing so names it, and a reader that went away is told as such."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, STDOUT) from None


def spoken(message: str, *, of_job: bool = False) -> str:
    """Return a message of the library with the options of the command line, or the keys of a job, for its parameters.

    Examples
    --------
    >>> spoken("feature indices start at 1; pass zero_based=True.")
    'feature indices start at 1; give --zero-based.'
    """
    for pattern, option, key in OPTIONS:
        message = re.sub(pattern, key if of_job else option, message)
    return message


def answer_json(values: Mapping[str, Any]) -> None:
    """Print a result as JSON."""
    answer(json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False))


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
