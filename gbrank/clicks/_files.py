"""Session logs from CSV and Parquet files, and in the text format of Yandex's relevance-prediction challenge."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._checks import DataError, GbrankWarning, check_choice
from .._files import atomic_write
from .._optional import optional_module
from ..data._log_files import read_log_frame, whole_ids
from ._log import ClickLog

IDS = ("session", "query", "document", "policy")


def read_click_log(path: str | os.PathLike[str], *, names: Mapping[str, str] | None = None) -> ClickLog:
    r"""Read a log from a CSV file with a header, which may be compressed, or from Parquet.

    Parameters
    ----------
    path : str or path-like
        ``.parquet``, or else CSV.  Ids of CSV are whole numbers where all are written as such (``7``, not ``007``), and
        else strings.
    names : mapping of str to str, optional
        As in `ClickLog.from_frame`, which says what columns there are.

    Raises
    ------
    DataError
        The file cannot be read, an id is missing, or what `ClickLog.from_frame` refuses.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "log.csv")
    >>> _ = path.write_text("query,document,rank,click\nq,a,1,1\nq,b,2,0\nq,b,1,0\n")
    >>> read_click_log(path)
    ClickLog(2 sessions, 3 rows, 1 queries, 2 pairs, 1 clicks)
    """
    place = Path(path)
    ids = [(names or {}).get(name, name) for name in IDS]
    frame = read_log_frame(place, ids, "document")
    try:
        return ClickLog.from_frame(frame, names=names)
    except DataError as error:
        raise DataError(f"{place}: {error}") from None


def write_click_log(log: ClickLog, path: str | os.PathLike[str]) -> None:
    """Write a log as CSV, or as Parquet where `path` ends in ``.parquet``; `read_click_log` reads it.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    if Path(path).suffix.lower() == ".parquet":
        optional_module("pyarrow")
        with atomic_write(path, "wb") as file:
            log.to_frame().to_parquet(file, index=False)
    else:
        with atomic_write(path) as file:
            log.to_frame().to_csv(file, index=False)


def read_yandex_sessions(path: str | os.PathLike[str], *, unlisted: str = "refuse") -> ClickLog:
    r"""Read sessions in the text format of Yandex's relevance-prediction challenge.

    Sessions end with ``;`` or the end of a line.  Each is a query id, a tab, the ids of the documents shown from the
    first rank on, a colon, and those clicked, in the order of clicking: ``98435_1<tab>12,7,30 : 7, 12;``.  A document
    clicked several times counts as clicked.

    Parameters
    ----------
    path : str or path-like
    unlisted : {"refuse", "ignore"}
        What becomes of a click on a document that the session does not show: an error, or it is left out, and a warning
        tells how many.

    Returns
    -------
    ClickLog
        Sessions are numbered from 0, in the order of the file; query ids are strings, document ids whole numbers where
        all are written as such.

    Raises
    ------
    DataError
        The file cannot be read, or a session is not of this form; line and session are named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "sessions.txt")
    >>> _ = path.write_text("98_1\t12,7,30 : 7, 12; 98_1\t7,12,30 :\n")
    >>> log = read_yandex_sessions(path)
    >>> log.document.tolist(), log.click.tolist()
    ([12, 7, 30, 7, 12, 30], [True, True, False, False, False, False])
    """
    check_choice("unlisted", unlisted, ("refuse", "ignore"))
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give the path of a session log.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (byte {error.start}); convert the file to UTF-8.") from None
    found = list(_sessions(path, text))
    if not found:
        raise DataError(f"{path}: has no sessions; give a file that has.")
    stray = [each for each in found if not each.clicked <= set(each.shown)]
    if stray and unlisted == "refuse":
        other = sorted(stray[0].clicked - set(stray[0].shown))[0]
        raise DataError(
            f"{stray[0].place}: document {other!r} is clicked but not shown; pass unlisted='ignore' to leave such "
            f"clicks out, which {len(stray)} of {len(found)} sessions have."
        )
    if stray:
        number = sum(len(each.clicked - set(each.shown)) for each in stray)
        warnings.warn(
            f"{path}: {number} clicks on documents that were not shown, in {len(stray)} of {len(found)} sessions, are "
            "left out.",
            GbrankWarning,
            stacklevel=2,
        )
    sizes = [len(each.shown) for each in found]
    session = np.repeat(np.arange(len(found)), sizes)
    rank = np.concatenate([np.arange(1, size + 1) for size in sizes])
    query = np.repeat([each.query for each in found], sizes)
    document = whole_ids(np.array([each for one in found for each in one.shown]))
    click = np.array([each in one.clicked for one in found for each in one.shown])
    try:
        return ClickLog(session, query, document, rank, click)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


class _Session(NamedTuple):
    """One session of the text, and where it stands."""

    query: str
    shown: list[str]
    clicked: set[str]
    place: str


def _sessions(path: str | os.PathLike[str], text: str) -> Iterator[_Session]:
    for line, content in enumerate(text.split("\n"), start=1):
        for number, part in enumerate(content.split(";"), start=1):
            if not part.strip():
                continue
            place = f"{path}:{line}: session {number}"
            head, colon, clicks = part.partition(":")
            query, tab, shown = head.strip().partition("\t")
            if not (colon and tab):
                raise DataError(f"{place} is {part.strip()[:60]!r}; write query, tab, documents, colon, clicks.")
            listed = [each.strip() for each in shown.split(",")]
            if not query or not all(listed):
                raise DataError(f"{place} is {part.strip()[:60]!r}: an id is empty; give one for query and documents.")
            yield _Session(query, listed, {each.strip() for each in clicks.split(",") if each.strip()}, place)
