"""Reading and writing TREC text: runs of six columns and judgments of four.

Nothing is guessed or left out: a line that does not say exactly one thing is refused with its file, line, token and a
remedy.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray
from .._compile import in_parallel, thread_count
from .._groups import group_rows
from . import _trec_kernels as kernels
from ._ids import LONGEST_ID, Hashes, Strings, code_points, first_repeat
from ._letor_ids import hashed_strings, token_strings
from ._letor_text import Text

RUN, QRELS = "run", "qrels"
COLUMNS = {RUN: "query Q0 document rank score name", QRELS: "query 0 document label"}
VALUES = {RUN: "score", QRELS: "label"}
SAMPLES = 16  # lines of each piece that are looked at first
LONGEST_SAMPLED = 64  # bytes; longer ids are rare, and read in a second pass
NOUNS = {RUN: "a run", QRELS: "judgments"}


class Table(NamedTuple):
    """Documents in whole queries, each with a number."""

    query_ptr: IntArray
    query_ids: Strings
    doc_id: Strings
    value: npt.NDArray[np.float64]
    name: str | None


class _Lines(NamedTuple):
    """What the parser writes, without gaps; see `_trec_kernels.parse_lines`."""

    value: npt.NDArray[np.float64]
    doc_at: IntArray
    head: IntArray
    head_at: IntArray
    head_size: IntArray
    hashes: Hashes
    doc_id: Strings


def read_trec(path: Any, kind: str, *, one_name: bool, n_jobs: int | None) -> Table:
    """Read a run or judgments; `one_name` says that all lines of a run must bear the same."""
    text = Text(path, thread_count(n_jobs))
    lines, name = _parse(text, kind, one_name, n_jobs)
    n, doc_id, hashes = len(lines.value), lines.doc_id, lines.hashes
    head_ids = token_strings(text, "query id", lines.head_at, lines.head_size)
    groups = group_rows(head_ids)  # a query has several heads where it is scattered, or cut between pieces
    head, value, order = np.append(lines.head, n), lines.value, None
    query_ptr = head[groups.query_ptr]
    if not groups.contiguous:
        sizes = np.diff(head)
        order = np.concatenate([np.arange(head[h], head[h + 1]) for h in groups.order.tolist()])
        query_ptr = np.concatenate(([0], np.cumsum(sizes[groups.order])))[groups.query_ptr]
        doc_id, value, hashes = doc_id[order], value[order], hashes[order]
    twice = first_repeat(doc_id, hashes, query_ptr, n_jobs)
    if twice is not None:
        earlier, row = (int(lines.doc_at[i if order is None else order[i]]) for i in twice)
        problem = f"the document stands in line {text.line_number(earlier)} for the same query; keep one of them"
        raise text.error(row, problem)
    return Table(query_ptr, groups.query_ids, doc_id, value, name)


def _parse(text: Text, kind: str, one_name: bool, n_jobs: int | None) -> tuple[_Lines, str | None]:
    """Return the rows of a file, and the name of a run."""
    room = np.array(in_parallel([(kernels.count_lines, piece) for piece in text.pieces]))
    starts, n = np.cumsum(room) - room, int(room.sum())
    width = _likely_width(text)
    numbers = (np.empty(n), *(np.empty(n, np.int64) for _ in range(4)), np.empty(n, np.uint64))
    codes = np.empty(n * width, np.uint32)
    results = in_parallel(
        [
            (
                kernels.parse_lines,
                (*piece, start, stop, kind == RUN, one_name, (*numbers, codes, codes.ctypes.data, width)),
            )
            for piece, start, stop in zip(text.pieces, starts.tolist(), (starts + room).tolist(), strict=True)
        ]
    )
    for code, address, *_ in results:
        if code != kernels.DONE:
            raise _refusal(text, kind, code, address)
    rows, heads, unfinished, names, written = (
        list(column) for column in zip(*(result[2:] for result in results), strict=True)
    )
    if not sum(rows):
        raise DataError(f"{text.name}: holds no document, only blank lines or comments.")
    parts = [*[rows] * 2, *[heads] * 3, rows]
    value, doc_at, head, head_at, head_size, hashes = (
        _closed(array, starts, sizes) for array, sizes in zip(numbers, parts, strict=True)
    )
    head = head - np.repeat(starts - (np.cumsum(rows) - rows), heads)  # blank lines and comments leave gaps
    if all(written):
        doc_id = _closed(codes.view(f"U{width}"), starts, rows)
    else:
        sizes = np.empty(len(doc_at), np.int64)
        kernels.token_sizes(doc_at, sizes)
        doc_id = hashed_strings(text, "document id", doc_at, sizes, hashes, n_jobs)
    lines = _Lines(value, doc_at, head, head_at, head_size, hashes, doc_id)
    if any(unfinished):
        _finish(text, kind, lines)
    return lines, _name(text, [name for name in names if name], one_name)


def _likely_width(text: Text) -> int:
    """Return the length of the longest document id of some lines; if another is longer, ids are read again."""
    lines = [text.line(at).split() for piece in text.pieces for at in np.linspace(*piece, SAMPLES, dtype=np.int64)[:-1]]
    return min(max((len(line[2]) for line in lines if len(line) > 2), default=1), LONGEST_SAMPLED)


def _closed(array: npt.NDArray[Any], starts: IntArray, sizes: list[int]) -> npt.NDArray[Any]:
    """Return what was written from each of the starts on, without the gaps between."""
    if sum(sizes) == len(array):
        return array
    return np.concatenate([array[start : start + size] for start, size in zip(starts, sizes, strict=True)])


def _finish(text: Text, kind: str, lines: _Lines) -> None:
    """Convert the numbers that the kernel left to Python."""
    for row in np.flatnonzero(np.isnan(lines.value)).tolist():
        at = int(lines.doc_at[row])
        columns = text.line(at).split()
        lines.value[row] = float(columns[4 if kind == RUN else 3])
        if math.isinf(lines.value[row]):
            problem = f"the {VALUES[kind]} is too large for a double; scale it"
            raise text.error(at, problem, token=columns[4 if kind == RUN else 3])


def _name(text: Text, addresses: list[int], one_name: bool) -> str | None:
    """Return the name that stands at each of the addresses."""
    names = [text.line(at).split()[5] for at in addresses]
    for name, at in zip(names, addresses, strict=True):
        if one_name and name != names[0]:
            raise _refusal(text, RUN, kernels.OTHER_NAME, at)
    if not names:
        return None
    try:
        return names[0].decode("utf-8")
    except UnicodeDecodeError:
        raise text.error(addresses[0], "the name is not UTF-8; convert the file to UTF-8") from None


def _refusal(text: Text, kind: str, code: int, address: int) -> DataError:
    """Explain what the kernel refused."""
    if code == kernels.OTHER_NAME:
        return text.error(address, "the run has another name in the lines before; split the file, or pass name=")
    if code == kernels.BAD_NUMBER:
        return text.error(address, f"the {VALUES[kind]} is not a finite decimal number; correct it")
    line = text.line(address)
    control = next((token for token in re.split(rb"[ \t\r]+", line) if re.search(rb"[\x00-\x1f]", token)), None)
    if control is not None:
        return text.error(address, "the line holds a control character; remove it", token=control)
    columns = len(line.split())
    other = QRELS if kind == RUN else RUN
    problem = f"the line has {columns} columns, not the {len(COLUMNS[kind].split())} of {COLUMNS[kind]!r}"
    if columns == len(COLUMNS[other].split()):
        return text.error(address, f"{problem}; it looks like {NOUNS[other]}, which read_{other} reads")
    return text.error(address, f"{problem}; correct it")


def write_trec(file: Any, table: Table, kind: str) -> None:
    """Write a run with each query's documents in rank order, or judgments as they stand."""
    query_ids, doc_id = table.query_ids, table.doc_id
    check_tokens("qid", query_ids)
    check_tokens("doc_id", doc_id)
    if query_ids[0].startswith("\ufeff") or (np.strings.startswith(query_ids, "#")).any():
        raise DataError("qid: a query id that starts with '#' or a byte order mark would not read back; rename it.")
    name = table.name or "gbrank"
    if kind == RUN:
        check_tokens("name", np.array([name]))
    value = np.asarray(table.value)
    for q, query in enumerate(query_ids.tolist()):
        a, b = table.query_ptr[q], table.query_ptr[q + 1]
        documents, numbers = doc_id[a:b], value[a:b]
        if kind == RUN:
            order = np.argsort(-numbers, kind="stable")
            pairs = zip(documents[order].tolist(), numbers[order].tolist(), strict=True)
            lines = [f"{query} Q0 {document} {i} {score!r} {name}\n" for i, (document, score) in enumerate(pairs, 1)]
        else:
            pairs = zip(documents.tolist(), numbers.tolist(), strict=True)
            lines = [f"{query} 0 {document} {_label(label)}\n" for document, label in pairs]
        file.write("".join(lines).encode())


def _label(value: float) -> str:
    return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def check_tokens(what: str, ids: Strings) -> None:
    """Raise a `DataError` unless each id reads back as one token of TREC text."""
    codes = code_points(ids)
    within = np.arange(codes.shape[1]) < np.strings.str_len(ids)[:, None]
    bad = within & ((codes <= 32) | (codes == 127) | ((codes >= 0xD800) & (codes < 0xE000)))
    long = np.strings.str_len(ids) > LONGEST_ID // 4  # characters; up to 4 bytes each
    if long.any():
        long &= np.array([len(each.encode("utf-8", "replace")) for each in ids.tolist()]) > LONGEST_ID
    wrong = bad.any(axis=1) | long
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{what}: {str(ids[row])[:60]!r} cannot be written; TREC text has ids of at most {LONGEST_ID} bytes of "
            "UTF-8 without blanks and control characters. Rename it, or write JSON."
        )
