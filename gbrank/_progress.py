"""How long work tells that it goes on.

A progress callback is called as ``progress(done, total, message)``; the library never prints.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int, str], None]


def silent(done: int, total: int, message: str) -> None:
    """Say nothing."""
