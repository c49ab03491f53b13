"""Compiled passes over columns of text: TREC runs and judgments, and numbers one a line.

`count_lines` says how much room a piece of text may need; a parser then writes numbers, and the addresses of ids, to
where they belong.  Text is given as in `_letor_kernels`: a piece starts at a line, ends with a line feed and has
`MARGIN` readable bytes behind it.  Kernels judge, Python explains.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compile import byte_at, count_ones, inlined_exactly, kernel, trailing_zeros, word_at
from ._decimals import HIGH, MALFORMED, ONES, UNDECIDED, equal_bytes, scan_number, short_number, tiny_number
from ._letor_ids import put_token
from ._letor_kernels import line_end, skip_blanks

DONE, BAD_LINE, BAD_NUMBER, OTHER_NAME = range(4)
MOST_MORE = 5  # columns behind the sixth; one more, and the line is two in one

_LINE_FEEDS = np.uint64(10) * ONES
_FROM_33 = np.uint64(33) * ONES
_1, _8, _FLAG = np.uint64(1), np.uint64(8), np.uint64(128)


@kernel
def count_lines(start: Any, stop: Any) -> Any:
    """Count the line feeds of byte_at(start:stop)."""
    n, p = 0, start
    while p + 8 <= stop:
        n += count_ones(equal_bytes(word_at(p), _LINE_FEEDS))
        p += 8
    while p < stop:
        n += byte_at(p) == 10
        p += 1
    return n


@inlined_exactly
def blanks(word: Any) -> Any:
    """Set the highest bit of bytes up to 32; of the flags set, the lowest is right."""
    return (word - _FROM_33) & ~word & HIGH


@inlined_exactly
def token_end(p: Any) -> Any:
    """Return the place of the first blank or control byte from `p` on."""
    low = blanks(word_at(p))
    while low == np.uint64(0):
        p += 8
        low = blanks(word_at(p))
    return p + (trailing_zeros(low) >> 3)


@inlined_exactly
def likely_end(p: Any, size: Any) -> Any:
    """Return `token_end`, sooner where the token has `size` bytes: what follows need not wait for where it ends."""
    q, rest = p, size
    while rest >= 8 and blanks(word_at(q)) == np.uint64(0):
        q, rest = q + 8, rest - 8
    low = blanks(word_at(q))
    if rest < 8 and low & (~low + _1) == _FLAG << (_8 * np.uint64(rest)):
        return p + size
    return token_end(q)


@inlined_exactly
def same_bytes(a: Any, b: Any, n: Any) -> Any:
    """Whether byte_at(a:a + n) and byte_at(b:b + n) are equal; up to 8 bytes behind them are read."""
    while n >= 8:
        if word_at(a) != word_at(b):
            return False
        a, b, n = a + 8, b + 8, n - 8
    return n == 0 or (word_at(a) ^ word_at(b)) << (_8 * np.uint64(8 - n)) == np.uint64(0)


@inlined_exactly
def number_at(p: Any, end: Any) -> Any:
    """Return the number that byte_at(p:end) is, NaN where Python must finish it, and whether it is one."""
    if end - p <= 8:
        value, stop = tiny_number(p)
    else:
        value, stop = short_number(p)
    if stop < 0:
        value, stop, status = scan_number(p)
        if status == UNDECIDED:
            value = np.nan
        if status == MALFORMED:
            stop = -1
    return value, stop == end


@inlined_exactly
def next_token(p: Any) -> Any:
    """Return where the next token of the line starts, or the line feed, from the blank at `p` on."""
    p += byte_at(p) == 32 or byte_at(p) == 9
    return skip_blanks(p) if byte_at(p) <= 32 else p


@inlined_exactly
def end_of(p: Any, known: Any, size: Any) -> Any:
    """Return where the token at `p` ends, and whether it is the one at `known` of so many bytes."""
    if size > 0 and same_bytes(p, known, size + 1):  # with what stands behind it, mostly the same
        return p + size, True
    end = token_end(p)
    return end, end - p == size and same_bytes(p, known, size)


@kernel
def token_sizes(at: Any, sizes: Any) -> None:
    """Measure the tokens that start at each address."""
    for row in range(len(at)):
        sizes[row] = token_end(at[row]) - at[row]


@kernel
def skip_rest(p: Any) -> Any:
    """Return the line feed behind up to `MOST_MORE` tokens, or where another one or a control byte stands."""
    more = 0
    while byte_at(p) != 10 and more < MOST_MORE:
        end = token_end(p)
        if end == p:
            break
        p = next_token(end)
        more += 1
    return p


@kernel
def parse_lines(start: Any, stop: Any, row: Any, last: Any, is_run: Any, one_name: Any, out: Any) -> Any:
    """Parse lines of six columns (a run) or four (judgments).

    Parameters
    ----------
    row, last : int
        Where in `out` to start, and the row that is not reached.
    is_run, one_name : bool
        Whether there are rank and name too; whether the name must be the same in all lines.
    out : tuple of arrays, each of shape (n_rows,)
        value : float64; NaN where Python must finish it.
        doc_at : int64; address of the document id.
        head, head_at, head_size : int64; for each query id that is not that of the row before: its row, address and
        bytes, from the same place on.
        hashes, codes, codes_at, width : the document ids as `put_token` writes them, where none is longer.

    Returns
    -------
    tuple of int
        DONE or a code, its address, rows, query ids and numbers for Python that were written, address of the first name
        or 0, and whether `codes` holds all document ids: they are ASCII, of up to `width` bytes, without controls.
    """
    value, doc_at, head, head_at, head_size, hashes, codes, codes_at, width = out
    p, first, heads, unfinished = start, row, row, 0
    query, size, name, name_size = start, 0, 0, 0
    ignored, usual, rank, digits = 0, 0, 0, 0  # bytes of these columns in the row before
    code, refused, written, bits = DONE, start, True, np.uint64(0)
    while p < stop:
        p = skip_blanks(p)
        if byte_at(p) == 10 or byte_at(p) == 35:
            p = line_end(p) + 1
            continue
        refused = p
        end, same = end_of(p, query, size)
        if not same:
            query, size = p, end - p
            head[heads], head_at[heads], head_size[heads] = row, query, size
            heads += 1
        p = next_token(end)
        end = likely_end(p, ignored)
        ignored = end - p
        p = next_token(end)
        end = likely_end(p, usual)
        usual = end - p
        doc_at[row] = p
        if usual <= width:
            hashes[row], seen, control = put_token(p, usual, row, width, last, codes, codes_at)
            bits |= seen
            written &= not control
        else:
            written = False
        p = next_token(end)
        if is_run:
            end = likely_end(p, rank)
            rank = end - p
            p = next_token(end)
        end = likely_end(p, digits)
        digits = end - p
        if size == 0 or ignored == 0 or usual == 0 or (is_run and rank == 0) or digits == 0:
            code = BAD_LINE
            break
        number, good = number_at(p, end)
        if not good:
            code, refused = BAD_NUMBER, p
            break
        value[row] = number
        unfinished += number != number
        token = p = next_token(end)
        if is_run:
            end, same = end_of(p, name, name_size)
            if name == 0:
                name, name_size, same = p, end - p, True
            p = skip_rest(next_token(end))
        if byte_at(p) != 10 or (is_run and end == token):
            code = BAD_LINE
            break
        if is_run and one_name and not same:
            code, refused = OTHER_NAME, token
            break
        p += 1
        row += 1
    written &= bits & HIGH == np.uint64(0)
    return code, refused, row - first, heads - first, unfinished, name, written


@kernel
def parse_numbers(start: Any, stop: Any, row: Any, out: Any, unfinished_at: Any) -> Any:
    """Parse lines of one number, from out[row] on: (DONE or BAD_NUMBER, its address).

    A number that Python must finish is NaN in `out`, and its address is in `unfinished_at`.
    """
    p = start
    while p < stop:
        p = skip_blanks(p)
        end = token_end(p)
        number, good = number_at(p, end)
        end = next_token(end)
        if not good or byte_at(end) != 10:
            return BAD_NUMBER, p
        out[row] = number
        if number != number:
            unfinished_at[row] = p
        p = end + 1
        row += 1
    return DONE, p
