"""Query and document ids from LETOR text, given by addresses: compiled passes, and arrays of strings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import IntArray
from .._compile import byte_at, kernel, word_at
from ._decimals import ends_token
from ._letor_kernels import skip_blanks
from ._letor_text import LONGEST_ID, Text

_FIVE_BYTES, _DOCID = np.uint64(0xFFFFFFFFFF), np.uint64(int.from_bytes(b"docid", "little"))


@kernel
def token_lengths(at: Any, lengths: Any) -> Any:
    """Measure the query ids that start at each address."""
    for row in range(len(at)):
        p = at[row]
        while not ends_token(byte_at(p)):
            p += 1
        lengths[row] = p - at[row]


@kernel
def doc_ids(at: Any, lengths: Any) -> Any:
    """Move each address, of a comment or 0, to the document id that it states; the length is 0 where there is none."""
    for row in range(len(at)):
        if at[row] != 0:
            at[row], lengths[row] = doc_id(at[row])


@kernel
def doc_id(p: Any) -> Any:
    """Find ``docid = X`` in the comment that starts at `p`: (where X starts, its length or 0)."""
    while byte_at(p) != 10:
        # d, o, c, i, d, as a word of its own
        if word_at(p) & _FIVE_BYTES == _DOCID and ends_token(byte_at(p - 1)):
            q = skip_blanks(p + 5)
            if byte_at(q) == 61:
                start = end = skip_blanks(q + 1)
                while byte_at(end) == 35 or not ends_token(byte_at(end)):
                    end += 1
                return start, end - start
        p += 1
    return p, 0


@kernel
def copy_tokens(at: Any, lengths: Any, width: Any, out: Any) -> Any:
    """Write tokens, in order, into `width` bytes each: (highest byte, first row with a control character or -1)."""
    highest, bad = 0, -1
    for row in range(len(at)):
        for i in range(lengths[row]):
            byte = byte_at(at[row] + i)
            highest = max(highest, byte)
            if (byte < 32 or byte == 127) and bad < 0:
                bad = row
            out[row * width + i] = byte
    return highest, bad


def document_strings(text: Text, at: IntArray) -> npt.NDArray[np.str_] | None:
    """Return what comments, from each address or 0, state as ``docid = X``, "" for nothing; None if none does."""
    lengths = np.zeros(len(at), np.int64)
    doc_ids(at, lengths)
    return _strings(text, "document id", at, lengths) if lengths.any() else None


def query_strings(text: Text, at: IntArray) -> npt.NDArray[np.str_]:
    """Return the query ids that start at each address."""
    lengths = np.zeros(len(at), np.int64)
    token_lengths(at, lengths)
    return _strings(text, "query id", at, lengths)


def _strings(text: Text, what: str, at: IntArray, lengths: IntArray) -> npt.NDArray[np.str_]:
    """Return tokens as one array of strings."""
    width = int(lengths.max())
    if width > LONGEST_ID:
        row = int(np.argmax(lengths > LONGEST_ID))
        raise text.error(at[row], f"the {what} is longer than {LONGEST_ID} bytes; shorten it")
    table = np.zeros(len(at), f"S{max(width, 1)}")
    highest, bad = copy_tokens(at, lengths, table.itemsize, table.view(np.uint8))
    if bad >= 0:
        raise text.error(at[bad], f"the {what} holds a control character; remove it")
    if highest < 128:
        return table.astype(str)
    try:
        return np.char.decode(table, "utf-8")
    except UnicodeDecodeError:
        bad = next(row for row, token in enumerate(table.tolist()) if token.decode("utf-8", "ignore").encode() != token)
        raise text.error(at[bad], f"the {what} is not UTF-8; convert the file to UTF-8") from None
