"""Files of scores, one number a line."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, as_vector
from .._compile import in_parallel, thread_count
from .._files import atomic_write
from . import _trec_kernels as kernels
from ._letor_text import Text


def read_scores(path: str | os.PathLike[str], *, n_jobs: int | None = None) -> npt.NDArray[np.float64]:
    r"""Read a file with one score a line.

    Parameters
    ----------
    path : str or path-like
        Text, which gzip may have compressed; the last line need not be ended.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Raises
    ------
    DataError
        The file cannot be read, or a line, empty ones among them, is not one finite number; it is named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "scores.txt")
    >>> _ = path.write_text("0.5\n-1e3\n")
    >>> read_scores(path).tolist()
    [0.5, -1000.0]
    """
    return read_numbers(path, "score", n_jobs=n_jobs)


def read_numbers(path: str | os.PathLike[str], what: str, *, n_jobs: int | None = None) -> npt.NDArray[np.float64]:
    """Return the numbers of a file, of which each line has one; errors say `what` it should be."""
    text = Text(path, thread_count(n_jobs))
    rows = np.array(in_parallel([(kernels.count_lines, piece) for piece in text.pieces]))
    starts = np.cumsum(rows) - rows
    scores, at = np.empty(rows.sum()), np.empty(rows.sum(), np.int64)
    calls = [(*piece, int(start), scores, at) for piece, start in zip(text.pieces, starts, strict=True)]
    for code, address in in_parallel([(kernels.parse_numbers, call) for call in calls]):
        if code != kernels.DONE:
            raise _refusal(text, code, address, what)
    for row in np.flatnonzero(np.isnan(scores)).tolist():
        scores[row] = float(text.line(at[row]))
        if np.isinf(scores[row]):
            raise _refusal(text, kernels.DONE, at[row], what)
    return scores


def write_scores(scores: npt.ArrayLike, path: str | os.PathLike[str]) -> None:
    """Write scores one a line, each in the fewest digits that `read_scores` reads as the same number."""
    values = as_vector("scores", scores)
    if not len(values):
        raise DataError("scores: there are none; give at least one.")
    write_numbers(values, path)


def write_numbers(values: npt.NDArray[Any], path: str | os.PathLike[str]) -> None:
    """Write numbers one a line, each in the fewest digits that read back as the same."""
    with atomic_write(path) as file:
        file.write("".join(f"{value!r}\n" for value in values.tolist()))


def _refusal(text: Text, code: int, address: int, what: str) -> DataError:
    shown = text.line(address).strip()
    problem = f"is no number; give one {what} a line"
    if shown.lower().lstrip(b"+-") in (b"nan", b"inf", b"infinity") or code == kernels.DONE:
        problem = f"is not finite; give a finite {what}"
    elif re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", shown) or _undecodable(shown):
        problem = f"is not text; give a file with one {what} a line"
    token = shown[:60].decode("utf-8", "backslashreplace") + ("..." if len(shown) > 60 else "")
    return DataError(f"{text.name}:{text.line_number(address)}: {token!r} {problem}.")


def _undecodable(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False
