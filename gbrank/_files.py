"""Files are written beside and renamed, so that an interrupted run leaves the old one whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ._checks import DataError


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file beside `path` for writing; on success it takes the place of `path`, on error it is removed.

    A link stays a link: the file that it leads to is replaced.

    Raises
    ------
    DataError
        The folder does not exist, or `path` is a folder, a device or a pipe.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise DataError(f"{target}: is a folder; give the path of a file.")
    if target.exists() and not target.is_file():
        raise DataError(f"{target}: is no regular file, which writing would replace; give the path of a file.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except FileNotFoundError:
        raise DataError(f"{target}: the folder {target.parent} does not exist; create it first.") from None
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror}); give another path.") from None
    try:
        encoding = None if "b" in mode else "utf-8"
        with os.fdopen(handle, mode, encoding=encoding, newline=None if "b" in mode else "") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
