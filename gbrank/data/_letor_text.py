"""A text file as kernels want it, and the errors that name a place in it."""

from __future__ import annotations

import gzip
import itertools
import mmap
import os
import re
import stat
import warnings
import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import DataError, GbrankWarning
from . import _letor_kernels as kernels

LONGEST_ID = 1000  # bytes of a query or document id
MOST_EXPANSION = 200  # how many times its size a compressed file may become, above 64 MiB: text never reaches it
SMALL = 1 << 17
BLOCK = 1 << 22

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Piece(NamedTuple):
    """Addresses of whole lines: start, and behind the last line feed."""

    start: int
    stop: int


class Text:
    """The bytes of a file, mapped where they can be, cut into pieces of whole lines.

    The lines at the end are copied, so that the last one is ended and `MARGIN` bytes behind it can be read; all others
    stay where they are.

    Raises
    ------
    DataError
        No such file, a folder, empty, or not plain text.
    """

    def __init__(self, path: str | os.PathLike[str], n_pieces: int) -> None:
        self.name = os.fspath(path)
        self._raw = raw = contents(self.name)
        self._check_start()
        self._cut = raw.rfind(b"\n", 0, max(len(raw) - kernels.MARGIN, 0)) + 1
        end = raw[self._cut :] + (b"" if raw[-1:] == b"\n" else b"\n")
        self._body: npt.NDArray[np.uint8] = np.frombuffer(raw, np.uint8)
        self._end = np.frombuffer(end + bytes(kernels.MARGIN), np.uint8)
        self.pieces = [Piece(self._end.ctypes.data, self._end.ctypes.data + len(end))]
        cuts = [0]
        for i in range(1, n_pieces):
            aim = max(self._cut * i // n_pieces, cuts[-1])
            cuts.append(raw.find(b"\n", aim, self._cut) + 1 or self._cut)
        cuts.append(self._cut)
        body = self._body.ctypes.data
        self.pieces[:0] = [Piece(body + a, body + b) for a, b in itertools.pairwise(cuts) if a < b]

    def _check_start(self) -> None:
        if not len(self._raw):
            raise DataError(f"{self.name}: the file is empty; give one with at least one document.")
        if self._raw[:3].startswith(_BYTE_ORDER_MARKS):
            raise DataError(f"{self.name}:1: starts with a byte order mark; save it as UTF-8 without one.")

    def place(self, address: int) -> int:
        """Return the place in the file of an address."""
        in_end = address - self._end.ctypes.data
        return self._cut + in_end if 0 <= in_end < len(self._end) else address - self._body.ctypes.data

    def between(self, start: int, stop: int) -> bytes:
        """Return the bytes between two addresses."""
        place = self.place(start)
        return bytes(self._raw[place : place + stop - start])

    def line_number(self, address: int) -> int:
        """Return the number, from 1, of the line of an address."""
        return self._line_at(self.place(address))

    def _line_at(self, place: int) -> int:
        before = self._body[:place]
        return 1 + sum(int(np.count_nonzero(before[i : i + BLOCK] == 10)) for i in range(0, len(before), BLOCK))

    def line(self, address: int) -> bytes:
        """Return the line of an address."""
        place = self.place(address)
        end = self._raw.find(b"\n", place)
        return bytes(self._raw[self._raw.rfind(b"\n", 0, place) + 1 : end if end >= 0 else len(self._raw)])

    def warn_of_line_ends(self, stacklevel: int) -> None:
        """Warn of a carriage return within a line, or else of a last line that ends with a number and no line feed."""
        # Most blocks have none at all, which this says far faster than the expression does.
        starts = (i for i in range(0, len(self._body), SMALL) if (self._body[i : i + SMALL] == 13).any())
        pattern = re.compile(rb"\r(?![\r\n]|\Z)")
        found = (pattern.search(self._raw, i, min(i + SMALL + 1, len(self._raw))) for i in starts)
        lone = next((each for each in found if each is not None), None)
        last = self._raw[self._raw.rfind(b"\n") + 1 :]
        if lone is not None:
            place, problem = lone.start(), "a carriage return stands within the line"
            remedy = "if lines end with it alone, all that follows a comment is lost in it: convert the line ends"
        elif last and b"#" not in last and not last[-1:].isspace():
            token = last.split()[-1][:60].decode("utf-8", "backslashreplace")
            place, problem = len(self._raw), f"the file ends with {token!r} and no line feed"
            remedy = "if it was cut off there, fetch it again; else end the line"
        else:
            return
        told = f"{self.name}:{self._line_at(place)}: {problem}; {remedy}."
        warnings.warn(told, GbrankWarning, stacklevel=stacklevel + 1)

    def contains(self, pattern: bytes) -> bool:
        """Whether a regular expression matches anywhere."""
        return re.search(pattern, self._raw) is not None

    def first(self, pattern: bytes) -> bytes:
        """Return what a regular expression matches first, or nothing."""
        found = re.search(pattern, self._raw)
        return found[0] if found else b""

    def error(self, address: int, problem: str, *, token: bytes | None = None) -> DataError:
        """Return the error that names file, line and token, says what is wrong and what helps."""
        line = self.line(address)
        if token is None:
            place = self.place(address)
            start = place - len(re.split(rb"\s", self._raw[max(place - 2 * LONGEST_ID, 0) : place])[-1])
            token = re.split(rb"\s", self._raw[start : place + len(line) + 1], maxsplit=1)[0]
        shown = token[:60].decode("utf-8", "backslashreplace") + ("..." if len(token) > 60 else "")
        if b"\0" in line:
            problem = "the line holds NUL bytes; this is no text file, or a damaged one"
        return DataError(f"{self.name}:{self.line_number(address)}: token {shown!r}: {problem}.")


def contents(name: str) -> mmap.mmap | bytes:
    """Return the bytes of a file: mapped if it is a plain one, read if it is a pipe, decompressed if gzip."""
    try:
        with open(name, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return file.read()
            if status.st_size == 0:
                return b""
            raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{name!s}: cannot be read ({reason}); give the path of a text file.") from None
    if raw[:2] != b"\x1f\x8b":
        return raw
    with raw:
        return _decompressed(name, raw)


def _decompressed(name: str, raw: mmap.mmap) -> bytes:
    most = max(64 << 20, MOST_EXPANSION * len(raw))
    try:
        with gzip.GzipFile(fileobj=raw) as file:
            content: bytes = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: a damaged gzip file ({error}); fetch or compress it again.") from None
    if len(content) > most:
        raise DataError(f"{name}: becomes more than {MOST_EXPANSION} times as large; decompress it yourself first.")
    return content
