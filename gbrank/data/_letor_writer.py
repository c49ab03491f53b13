"""Writing LETOR text that reads back equal."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError, IntArray
from .._files import atomic_write
from ._beside import columns_beside
from ._categories import require_numbers
from ._letor_format import LONGEST_PAIR, format_rows
from ._letor_text import LONGEST_ID
from ._ranking_data import RankingData
from ._scores import write_numbers

BLOCK = 1 << 16  # values formatted together

_QUERY_ID = re.compile(r"[^\s\x00-\x1f\x7f#:]+", re.ASCII)
_DOC_ID = re.compile(r"[^\s\x00-\x1f\x7f]*", re.ASCII)


class _Rows(NamedTuple):
    values: npt.NDArray[Any]
    columns: npt.NDArray[Any]
    row_ptr: IntArray


def write_letor(data: RankingData, path: str | os.PathLike[str]) -> None:
    r"""Write documents as LETOR text, which `read_letor` reads back equal.

    Every value of a dense `X`, and every stored one of a sparse `X`, is written in the fewest decimals that give the
    same number back in its type; read float64 features with ``dtype="float64"``.  Document ids become comments
    ``# docid = X``.  Weights, positions and initial scores go into files beside it, see `read_letor`.  Each file takes
    its place at once, when it is complete.

    Not written, since there is no place for them: feature names and pairs.  Query ids that are strings but all look
    like numbers read back as numbers.

    Parameters
    ----------
    data : RankingData
    path : str or path-like

    Raises
    ------
    DataError
        Several label columns, a missing value, or an id that would not read back; row and value are named.  Weights of
        documents and of queries both, or several columns of initial scores; a file beside `path` of other data.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "tiny.txt")
    >>> write_letor(RankingData([[0.1, 3.0]], [2], qid=["q1"], doc_id=["a"]), path)
    >>> path.read_text()
    '2 qid:q1 1:0.1 2:3 # docid = a\n'
    """
    if data.y.ndim > 1:
        raise DataError(
            f"y: {data.y.shape[1]} label columns; LETOR text has one, choose it with data.with_labels(...)."
        )
    require_numbers(data.categories, "readers of LETOR text")
    beside = columns_beside(data, path)
    X = _canonical(data.X) if sp.issparse(data.X) else data.X
    _check_values(data, X)
    queries = _encoded("qid", data.query_ids, _QUERY_ID)
    documents = None if data.doc_id is None else _encoded("doc_id", data.doc_id, _DOC_ID)
    heads = [label + b" qid:" for label in map(_label, data.y.tolist())]
    query = np.repeat(np.arange(data.n_queries), data.query_sizes).tolist()
    rows_each = max(1, BLOCK // max(1, X.shape[1]))
    for other, numbers in beside.items():  # first: a text without its weights would be read in silence
        write_numbers(numbers, other)
    with atomic_write(path, "wb") as file:
        for start in range(0, data.n_documents, rows_each):
            stop = min(start + rows_each, data.n_documents)
            block_heads = [heads[row] + queries[query[row]] for row in range(start, stop)]
            tails = [_tail(document) for document in documents[start:stop]] if documents else [b"\n"] * (stop - start)
            file.write(_lines(_rows(X, start, stop), block_heads, tails))


def _canonical(X: Any) -> Any:
    """Return CSR with rising indices and, so that the width can be read back, a value stored in the last column."""
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    last = X.shape[1] - 1
    if last < 0 or (X.nnz and X.indices.max() == last):
        return X
    at = X.indptr[1]
    indptr = X.indptr.copy()
    indptr[1:] += 1
    return sp.csr_array((np.insert(X.data, at, 0), np.insert(X.indices, at, last), indptr), shape=X.shape)


def _check_values(data: RankingData, X: Any) -> None:
    values = X.data if sp.issparse(X) else X
    for start in range(0, len(values), BLOCK):
        missing = np.isnan(values[start : start + BLOCK])
        if missing.any():
            first = tuple(int(i[0]) for i in np.nonzero(missing))
            row, column = start + first[0], first[-1]
            if sp.issparse(X):
                row, column = int(np.searchsorted(X.indptr, row, "right")) - 1, int(X.indices[row])
            raise DataError(
                f"X: row {row}, feature {data.feature_names[column]} is NaN; LETOR text has no missing values, "
                "replace them by a number first."
            )


def _encoded(what: str, ids: npt.NDArray[Any], allowed: re.Pattern[str]) -> list[bytes]:
    """Return ids as UTF-8 after checking that they read back as one token."""
    tokens = []
    for number, value in enumerate(map(str, ids.tolist())):
        token = value.encode("utf-8", "surrogatepass")
        if not allowed.fullmatch(value) or len(token) > LONGEST_ID or re.search("[\ud800-\udfff]", value):
            place = "query" if what == "qid" else "row"
            extra = ", '#', ':'" if what == "qid" else ""
            raise DataError(
                f"{what}: {value[:60]!r} ({place} {number}) cannot be written; an id is at most {LONGEST_ID} bytes "
                f"of UTF-8 without blanks, control characters{extra}. Rename it."
            )
        tokens.append(token)
    return tokens


def _label(value: float) -> bytes:
    return (repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)).encode()


def _tail(document: bytes) -> bytes:
    return b" # docid = " + document + b"\n" if document else b"\n"


def _rows(X: Any, start: int, stop: int) -> _Rows:
    if sp.issparse(X):
        first, last = X.indptr[start], X.indptr[stop]
        row_ptr = (X.indptr[start : stop + 1] - first).astype(np.int64)
        return _Rows(X.data[first:last], X.indices[first:last].astype(np.int64), row_ptr)
    n, width = stop - start, X.shape[1]
    return _Rows(X[start:stop].ravel(), np.tile(np.arange(width), n), np.arange(n + 1) * width)


def _lines(rows: _Rows, heads: list[bytes], tails: list[bytes]) -> bytes:
    head, head_ptr = _joined(heads)
    tail, tail_ptr = _joined(tails)
    out = np.empty(len(head) + len(tail) + LONGEST_PAIR * len(rows.values), np.uint8)
    size = format_rows(*rows, head, head_ptr, tail, tail_ptr, out)
    return out[:size].tobytes() if size >= 0 else _lines_by_numpy(rows, heads, tails)


def _joined(parts: list[bytes]) -> tuple[npt.NDArray[np.uint8], IntArray]:
    offsets = np.concatenate(([0], np.cumsum([len(part) for part in parts]))).astype(np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), offsets


def _lines_by_numpy(rows: _Rows, heads: list[bytes], tails: list[bytes]) -> bytes:
    """Format a block with a number that needs more digits or an exponent: NumPy writes the shortest that reads back."""
    values = rows.values.astype("U32").tolist()
    pairs = [f" {column + 1}:{value}" for column, value in zip(rows.columns.tolist(), values, strict=True)]
    ptr = rows.row_ptr.tolist()
    lines = (
        head + "".join(pairs[ptr[i] : ptr[i + 1]]).encode() + tail
        for i, (head, tail) in enumerate(zip(heads, tails, strict=True))
    )
    return b"".join(lines)
