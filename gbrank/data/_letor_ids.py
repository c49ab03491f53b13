"""Query and document ids from LETOR text, given by addresses: compiled passes, and arrays of strings."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray
from .._compile import byte_at, in_parallel, inlined_exactly, kernel, thread_count, trailing_zeros, widen, word_at
from ._decimals import HIGH, ONES, ends_token, equal_bytes
from ._letor_kernels import skip_blanks
from ._letor_text import LONGEST_ID, Text

_1, _8, _29, _BYTE = (np.uint64(n) for n in (1, 8, 29, 255))
_FROM_32, _DELETE = np.uint64(32) * ONES, np.uint64(127) * ONES
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
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
def holds_control(word: Any, n: Any) -> Any:
    """Whether one of the first `n` bytes of a word, which has zeros behind them, is below 32 or 127."""
    low = (word - _FROM_32) & ~word & HIGH  # exact up to the lowest that is set
    return trailing_zeros(low | equal_bytes(word, _DELETE)) < 8 * n


@inlined_exactly
def put_token(p: Any, n: Any, row: Any, width: Any, last: Any, out: Any, start: Any) -> Any:
    """Write the token of `n` bytes at `p` to `width` numbers of a row.

    Returns its hash, the bits that occur in it, and whether there is a control character.  `start` is the address of
    `out`.  Rows are written in order: what goes beyond one is written again with the next.
    """
    state, seen, control = np.uint64(0), np.uint64(0), False
    for i in range(0, width, 8):
        word = np.uint64(0)
        if i < n:
            word = word_at(p + i)
            if n - i < 8:
                word &= (_1 << np.uint64(8 * (n - i))) - _1
            control |= holds_control(word, min(n - i, 8))
        seen |= word
        state = (state ^ word) * _FACTOR
        state ^= state >> _29
        place = row * width + i
        if place + 8 <= last * width:
            widen(start + 4 * place, word)
        else:
            for j in range(np.uint64(min(8, width - i))):
                out[np.uint64(place) + j] = (word >> (_8 * j)) & _BYTE
    return state, seen, control


@kernel
def copy_tokens(first: Any, last: Any, at: Any, lengths: Any, width: Any, out: Any, start: Any, hashes: Any) -> Any:
    """Write rows first:last as `put_token` does: (whether all tokens are ASCII, a control character's row or -1).

    With `hashes`, an array that is not empty, it gets a hash of each token.
    """
    all_seen, bad = np.uint64(0), -1
    for row in range(first, last):
        state, seen, control = put_token(at[row], lengths[row], row, width, last, out, start)
        all_seen |= seen
        if control and bad < 0:
            bad = row
        if len(hashes) > 0:
            hashes[row] = state
    return all_seen & HIGH == np.uint64(0), bad


def document_strings(text: Text, at: IntArray) -> npt.NDArray[np.str_] | None:
    """Return what comments, from each address or 0, state as ``docid = X``, "" for nothing; None if none does."""
    lengths = np.zeros(len(at), np.int64)
    doc_ids(at, lengths)
    return token_strings(text, "document id", at, lengths) if lengths.any() else None


def query_strings(text: Text, at: IntArray) -> npt.NDArray[np.str_]:
    """Return the query ids that start at each address."""
    lengths = np.zeros(len(at), np.int64)
    token_lengths(at, lengths)
    return token_strings(text, "query id", at, lengths)


def token_strings(text: Text, what: str, at: IntArray, lengths: IntArray) -> npt.NDArray[np.str_]:
    """Return the tokens at each address as one array of strings; see `hashed_strings`."""
    return hashed_strings(text, what, at, lengths, np.empty(0, np.uint64), 1)


def hashed_strings(
    text: Text, what: str, at: IntArray, lengths: IntArray, hashes: npt.NDArray[np.uint64], n_jobs: int | None
) -> npt.NDArray[np.str_]:
    """Return the tokens at each address as one array of strings, and write their hashes.

    Raises
    ------
    DataError
        A token is longer than `LONGEST_ID`, not UTF-8 or holds a control character; `what` it is is named.
    """
    width = max(int(lengths.max()), 1)
    if width > LONGEST_ID:
        row = int(np.argmax(lengths > LONGEST_ID))
        raise text.error(at[row], f"the {what} is longer than {LONGEST_ID} bytes; shorten it")
    try:
        codes = np.empty(len(at) * width, np.uint32)
    except MemoryError:
        problem = f"{len(at)} {what}s of up to {width} bytes do not fit into memory; shorten them or split the file"
        raise DataError(f"{text.name}: {problem}.") from None
    start = codes.ctypes.data
    cuts = np.linspace(0, len(at), thread_count(n_jobs) + 1).astype(int).tolist()
    done = in_parallel(
        [(copy_tokens, (a, b, at, lengths, width, codes, start, hashes)) for a, b in itertools.pairwise(cuts)]
    )
    bad = next((row for _, row in done if row >= 0), -1)
    if bad >= 0:
        raise text.error(at[bad], f"the {what} holds a control character; remove it")
    if all(ascii_only for ascii_only, _ in done):
        return codes.view(f"U{width}")  # each byte is its character
    table = codes.astype(np.uint8).view(f"S{width}")
    try:
        return np.char.decode(table, "utf-8")
    except UnicodeDecodeError:
        bad = next(row for row, token in enumerate(table.tolist()) if token.decode("utf-8", "ignore").encode() != token)
        raise text.error(at[bad], f"the {what} is not UTF-8; convert the file to UTF-8") from None
