"""Checks of what a command is to write, made before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FORMATS = (".svg", ".png", ".pdf")


def check_output(path: Path, option: str, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse a file that could not be written, or that would take the place of what the command uses.

    Parameters
    ----------
    path : Path
    option : str
        The option that gave it.
    inputs : iterable of Path or None
        What must not be overwritten; None is passed over.

    Raises
    ------
    DataError
    """
    from .. import DataError

    if path.is_dir():
        raise DataError(f"{option} {path}: is a folder; give the path of a file.")
    if not path.absolute().parent.is_dir():
        raise DataError(f"{option} {path}: the folder {path.parent} does not exist; create it first.")
    for each in inputs:
        if each is not None and same_file(path, each):
            raise DataError(f"{option} {path}: is also given as {each}, which would be overwritten; give another file.")


def check_figure(path: Path, option: str) -> None:
    """Refuse a figure of a format that is not written."""
    from .. import ParameterError

    if path.suffix.lower() not in FORMATS:
        raise ParameterError(f"{option} {path}: a figure ends in {', '.join(FORMATS)}; give such a name.")


def write_figure(figure: Any, path: Path) -> None:
    """Write a figure in the format that the name of the file tells."""
    from .._files import atomic_write

    with atomic_write(path, "wb") as file:
        figure.savefig(file, format=path.suffix.lower().removeprefix("."))


def same_file(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to the same file, which need not be there."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
