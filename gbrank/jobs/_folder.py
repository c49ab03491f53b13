"""The output folder: written beside and renamed, never over what a job has not written."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._checks import DataError

RECORD = "versions.json"  # its "files" say what the job wrote


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Make a folder beside `output`; on success it takes the place of `output`, on error it is removed.

    Raises
    ------
    DataError
        `output` is a file, or holds anything that no earlier job wrote.
    """
    require_replaceable(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        work = beside / "new"
        work.mkdir()
        yield work
        require_replaceable(output)
        if output.exists():
            os.replace(output, beside / "old")
        os.replace(work, output)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def require_replaceable(output: Path) -> None:
    """Raise a `DataError` unless `output` is absent, empty, or exactly what an earlier job wrote."""
    if not output.exists():
        return
    if not output.is_dir():
        raise DataError(f"{output}: is a file; give another output folder.")
    foreign = sorted(set(files_of(output)) - _written(output))
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise DataError(
            f"{output}: holds {foreign[0]}{more}, which no earlier job wrote; give another output folder, or move them."
        )


def files_of(folder: Path) -> list[str]:
    """Return the paths of all files, relative to the folder, sorted."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def _written(folder: Path) -> set[str]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {str(name) for name in record["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
