"""Reading LETOR text: one document a line, ``label qid:ID index:value index:value ... # comment``.

The file is mapped, cut at line ends into pieces that threads take in turn, and read twice: a light pass counts rows,
values and columns, so that the second can write each number to where it stays.  Nothing is guessed or left out: a line
that does not say exactly one thing is refused with its file, line, token and a remedy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import DataError, IntArray, ParameterError, check_choice, check_whole
from .._compile import in_parallel, thread_count
from .._groups import group_rows
from . import _letor_kernels as kernels
from ._beside import SIZES, check_same_queries, check_sizes, fields_beside, read_sizes
from ._features import numbered
from ._letor_ids import document_strings, query_strings
from ._letor_text import Piece, Text
from ._ranking_data import OPTIONAL, RankingData

DENSE_FROM = 0.3  # share of values written from which an ndarray is smaller, or nearly, and faster than CSR
MOST_COLUMNS = 1 << 20  # more must be asked for, so that one stray number does not cost gigabytes
PIECES_EACH = 8  # pieces of text for each thread
MOST_SPELT = 4096  # indices that are compared as words
ROOM = 4096  # numbers that a thread collects for Python to finish
_QID = rb"(?m)^[^#\n]*[ \t]qid:"
OVERFLOWS = {"float32": 2.0**128 - 2.0**103, "float64": math.inf}  # the least that rounds to infinity


class LetorFold(NamedTuple):
    """The three parts of a fold, with the same columns."""

    train: RankingData
    vali: RankingData
    test: RankingData


@dataclass(frozen=True)
class Options:
    """The arguments of `read_letor`, checked."""

    n_features: int | None
    zero_based: bool
    scattered: str
    dtype: str
    sparse: bool | None
    n_jobs: int | None
    feature_names: tuple[str, ...] | None

    def __post_init__(self) -> None:
        if self.n_features is not None:
            check_whole("n_features", self.n_features)
        names = self.feature_names
        if names is not None and not 0 < len(names) == len(set(names)) == (self.n_features or len(names)):
            of = "" if self.n_features is None else f" for n_features={self.n_features}"
            raise ParameterError(
                f"feature_names: {len(set(names))} distinct names of {len(names)}{of}; give one a column."
            )
        check_choice("scattered", self.scattered, ("refuse", "regroup"))
        check_choice("dtype", self.dtype, tuple(OVERFLOWS))
        check_choice("sparse", self.sparse, (None, True, False))

    @property
    def first(self) -> int:
        """Index of the first column."""
        return 0 if self.zero_based else 1

    @property
    def most_columns(self) -> int:
        """The number of columns that is not exceeded."""
        return self.n_columns or MOST_COLUMNS

    @property
    def n_columns(self) -> int | None:
        """The number of columns, where it is given, if only by their names."""
        return self.n_features if self.feature_names is None else len(self.feature_names)


def read_letor(
    path: str | os.PathLike[str],
    *,
    n_features: int | None = None,
    zero_based: bool = False,
    scattered: str = "refuse",
    dtype: npt.DTypeLike = "float32",
    sparse: bool | None = None,
    n_jobs: int | None = None,
    feature_names: Sequence[str] | None = None,
) -> RankingData:
    r"""Read a file of LETOR (SVMLight) text.

    Each line is ``label qid:ID index:value index:value ... # comment``: any finite label, indices that rise, finite
    values; what is not written is 0.  Blanks are spaces and tabs; empty lines, lines of comment only, carriage returns
    before line ends and a last line that is not ended are fine.  A gzip-compressed file is decompressed in memory; any
    other must not be changed while it is read.

    Files beside it, named as LightGBM's and XGBoost's, are read, too, each with one number a line: ``PATH.query`` or
    ``PATH.group``, the number of documents of each query, for text without ``qid:ID`` (queries are then 1, 2, ...);
    ``PATH.weight``, a weight for each document or for each query; ``PATH.position``, the rank, from 1, at which each
    document was shown; ``PATH.init``, the score from which boosting starts for each.

    Parameters
    ----------
    path : str or path-like
    n_features : int, optional
        Number of columns; by default as many as the largest index says (at most 2**20).
    zero_based : bool
        Whether the first column has index 0, not 1.
    scattered : {"refuse", "regroup"}
        What happens when a query's rows do not stand together: an error that names both lines, or they are
        brought together (`RankingData.order` keeps the row numbers of the file).
    dtype : {"float32", "float64"}
        Of the features.  A value is the decimal's nearest double, rounded to this type: ``dtype(float(token))``.
    sparse : bool, optional
        Whether `X` is a CSR array; by default where fewer than 3 of 10 values (rows times columns) are written.
    n_jobs : int, optional
        Number of threads; all cores by default.
    feature_names : sequence of str, optional
        Distinct names, one for each column; ``f1``, ``f2``, ... by default.

    Returns
    -------
    RankingData
        `query_ids` are int64 if every id of the file is a decimal of 64 bits in its shortest spelling; otherwise
        (``q1``, ``007``) all are strings.  `doc_id` holds what comments state as ``docid = X``, "" where one states
        nothing; None where none does.

    Raises
    ------
    DataError
        The file cannot be read or a line is refused; file, line, token and remedy are named.  What stands beside it
        does not fit it.
    ParameterError
        An argument is out of its range.

    Warns
    -----
    GbrankWarning
        A carriage return stands within a line, or the file ends with a number and no line feed, and may have been cut.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "tiny.txt")
    >>> _ = path.write_text("2 qid:7 1:0.5 2:3 # docid = a\n0 qid:7 1:1 # docid = b\n")
    >>> data = read_letor(path)
    >>> data.X.tolist(), data.y.tolist(), data.query_ids.tolist(), data.doc_id.tolist()
    ([[0.5, 3.0], [1.0, 0.0]], [2.0, 0.0], [7], ['a', 'b'])
    """
    options = Options(n_features, zero_based, scattered, _dtype_name(dtype), sparse, n_jobs, _names(feature_names))
    return _read_alike([path], options)[0]


def read_letor_fold(
    folder: str | os.PathLike[str],
    *,
    n_features: int | None = None,
    zero_based: bool = False,
    scattered: str = "refuse",
    dtype: npt.DTypeLike = "float32",
    sparse: bool | None = None,
    n_jobs: int | None = None,
    feature_names: Sequence[str] | None = None,
) -> LetorFold:
    """Read ``train.txt``, ``vali.txt`` and ``test.txt`` of a folder, all with the same columns.

    The arguments are those of `read_letor`.  The number of columns is the largest that one of the files has, unless
    `n_features` is given; all three are dense or all three sparse.

    Raises
    ------
    DataError
        As `read_letor`; a file that is missing is named.
    """
    options = Options(n_features, zero_based, scattered, _dtype_name(dtype), sparse, n_jobs, _names(feature_names))
    return LetorFold(*_read_alike([Path(folder, f"{part}.txt") for part in LetorFold._fields], options))


def _names(feature_names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if feature_names is None else tuple(map(str, feature_names))


def _dtype_name(dtype: npt.DTypeLike) -> str:
    try:
        return np.dtype(dtype).name
    except TypeError:
        return str(dtype)


def _read_alike(paths: list[Any], options: Options) -> list[RankingData]:
    """Read files to one number of columns and one form."""
    n_threads = thread_count(options.n_jobs)
    texts = [Text(path, PIECES_EACH * n_threads) for path in paths]
    sizes = [read_sizes(text.name) if _has_no_ids(text) else None for text in texts]
    counts = [_count(text, each is None, n_threads) for text, each in zip(texts, sizes, strict=True)]
    rows, values, largest = (np.concatenate([count[:, i] for count in counts]) for i in range(3))
    width = options.n_columns or int(largest.max()) + 1 - options.first
    too_wide = int(largest.max()) - options.first >= options.most_columns
    dense = values.sum() >= DENSE_FROM * rows.sum() * width if options.sparse is None else not options.sparse
    limit = min(width, options.most_columns) + options.first - 1
    form = kernels.Form(options.first, limit, width, bool(dense) and not too_wide, OVERFLOWS[options.dtype], True)
    read = [_read(text, count, each, form, options) for text, count, each in zip(texts, counts, sizes, strict=True)]
    for text in texts:
        text.warn_of_line_ends(stacklevel=3)
    return read


def _has_no_ids(text: Text) -> bool:
    """Tell whether no line has a query id; most texts have one in the first line."""
    first = text.first(rb"(?m)^[ \t\r]*[^#\s][^#\n]*")
    return b" qid:" not in first.replace(b"\t", b" ") and not (text.contains(b"qid:") and text.contains(_QID))


def _count(text: Text, has_ids: bool, n_threads: int) -> IntArray:
    """Return rows, values and the largest last index of each piece."""
    calls = [(*piece, int(has_ids)) for piece in text.pieces]
    counts = np.array(_in_turn(kernels.count, calls, n_threads), dtype=np.int64)
    if not counts[:, 0].any():
        raise DataError(f"{text.name}: holds no document, only blank lines or comments.")
    return counts


def _read(text: Text, counts: IntArray, sizes: IntArray | None, form: kernels.Form, options: Options) -> RankingData:
    """Read a file; `sizes` are those of its queries where it has no ids."""
    form = form._replace(has_ids=sizes is None)
    out = _allocate(text, counts, form, options)
    starts = np.cumsum(counts, axis=0) - counts
    expected = kernels.spelt_indices(min(form.limit + 1, MOST_SPELT) if form.dense else 0)
    calls = [
        (text, piece, int(row), int(at), form, expected, out)
        for piece, (row, at, _) in zip(text.pieces, starts, strict=True)
    ]
    results = _in_turn(_parse, calls, thread_count(options.n_jobs))
    for code, address in results:
        if code > kernels.DONE:
            raise _refusal(text, code, address, form, options)
    if form.width < 1:
        raise DataError(f"{text.name}: no line has a feature; give n_features if that is meant.")
    if sizes is not None:
        check_sizes(text.name, sizes, len(out.y))
        ids: npt.NDArray[Any] = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    else:
        canonical = all(address == 0 for _, address in results)
        ids = out.qid if canonical else query_strings(text, out.qid_at)
    return _assemble(text, ids, out, form, options)


def _allocate(text: Text, counts: IntArray, form: kernels.Form, options: Options) -> kernels.Columns:
    n_rows, n_values = int(counts[:, 0].sum()), int(counts[:, 1].sum())
    index_type = np.int32 if n_values < 1 << 31 else np.int64
    rows: Any = (np.empty(n_rows), *(np.empty(n_rows, np.int64) for _ in range(3)))
    try:
        if form.dense:
            values = np.zeros(n_rows * max(form.width, 0), options.dtype)
            return kernels.Columns(values, np.empty(0, index_type), np.empty(0, np.int64), *rows)
        values, columns = np.empty(n_values, options.dtype), np.empty(n_values, index_type)
    except MemoryError:
        raise DataError(
            f"{text.name}: {n_rows} rows of {form.width} columns do not fit into memory; read it with sparse=True."
        ) from None
    return kernels.Columns(values, columns, np.zeros(n_rows + 1, np.int64), *rows)


def _in_turn(function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], n_threads: int) -> list[Any]:
    """Return the results of the calls; each thread takes the next one when it is done, so that all end together."""
    results: list[Any] = [None] * len(calls)
    waiting = iter(range(len(calls)))

    def work() -> None:
        for i in waiting:
            results[i] = function(*calls[i])

    in_parallel([(work, ())] * min(n_threads, len(calls)))
    return results


def _parse(
    text: Text, piece: Piece, row: int, at: int, form: kernels.Form, expected: Any, out: kernels.Columns
) -> tuple[int, int]:
    """Parse a piece: (DONE, how many query ids are not canonical) or (code, address) of what is refused."""
    state = np.array([piece.start, row, at, 0, 0])
    undecided = np.empty((ROOM, 3), np.int64)
    while True:
        code, address = kernels.parse(piece.stop, tuple(form), expected, tuple(out), undecided, state)
        infinite = _finish(text, undecided[: state[3]], out)
        if infinite is not None:
            return kernels.OVERFLOW, infinite
        if code != kernels.MORE_ROOM:
            return code, int(state[4]) if code == kernels.DONE else address
        if state[3] == 0:
            undecided = np.empty((2 * len(undecided), 3), np.int64)
        state[3] = 0


def _finish(text: Text, undecided: IntArray, out: kernels.Columns) -> int | None:
    """Convert the numbers that the kernel left; return the address of one that is too large."""
    for start, stop, place in undecided.tolist():
        values, i = (out.values, place) if place >= 0 else (out.y, -1 - place)
        with np.errstate(over="ignore"):
            values[i] = float(text.between(start, stop))
        if np.isinf(values[i]):
            return int(start)
    return None


def _assemble(
    text: Text, ids: npt.NDArray[Any], out: kernels.Columns, form: kernels.Form, options: Options
) -> RankingData:
    """Make the container; what `RankingData` would check is known to hold."""
    X: Any = out.values.reshape(len(ids), form.width) if form.dense else _csr(out, form)
    fields = {"X": X, "y": out.y, "doc_id": document_strings(text, out.note_at)}
    groups = group_rows(ids)
    fields |= fields_beside(text.name, len(ids), len(groups.query_ids))
    if form.has_ids:
        check_same_queries(text.name, groups.query_ptr, groups.contiguous)
    if not groups.contiguous:
        if options.scattered == "refuse":
            raise _scattered(text, ids, out.qid_at)
        by_query = fields.pop("query_weight", None)
        fields = {name: None if value is None else value[groups.order] for name, value in fields.items()}
        fields["query_weight"] = by_query
    optional = {name: None for name in OPTIONAL if name not in fields}
    grouping = {"query_ptr": groups.query_ptr, "query_ids": groups.query_ids, "order": groups.order}
    return RankingData._of(
        **fields, **grouping, **optional, feature_names=options.feature_names or numbered(form.width), categories={}
    )


def _csr(out: kernels.Columns, form: kernels.Form) -> Any:
    row_ptr = out.row_ptr.astype(out.columns.dtype, copy=False)  # or SciPy makes both int64
    X = sp.csr_array((out.values, out.columns, row_ptr), shape=(len(out.y), form.width))
    X.has_canonical_format = True  # indices rise within each row
    return X


def _scattered(text: Text, ids: npt.NDArray[Any], at: IntArray) -> DataError:
    seen = set()
    for row in [0, *(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist()]:
        if ids[row] in seen:
            break
        seen.add(ids[row])
    earlier = int(np.flatnonzero(ids[:row] == ids[row])[-1])
    problem = (
        f"the rows of query {ids[row]} end in line {text.line_number(at[earlier])} and go on here; sort the file by "
        "query, or pass scattered='regroup'"
    )
    return text.error(at[row], problem, token=b"qid:" + str(ids[row]).encode())


_PROBLEMS = {
    kernels.BAD_LABEL: "the label is not a finite number; correct it",
    kernels.BAD_QID: "the query id is empty or holds a colon; write qid:ID",
    kernels.BAD_PAIR: "expected index:value, a whole number, a colon and a number; correct it",
    kernels.BAD_VALUE: "the value is not a finite decimal number; correct it, or leave the feature out where it is 0",
    kernels.ZERO_INDEX: "feature indices start at 1; pass zero_based=True if this file counts from 0",
    kernels.INDEX_ORDER: "feature indices must rise within a line; sort them, and keep one value of each",
    kernels.OVERFLOW: "the number is too large for {dtype}; scale it{wider}",
}


def _refusal(text: Text, code: int, address: int, form: kernels.Form, options: Options) -> DataError:
    """Explain what a kernel refused."""
    if code == kernels.NO_QID:
        problem = (
            "this line has no qid:ID behind its label, others have one; add it"
            if text.contains(_QID)
            else "the file has no query ids (qid:ID behind the label); add them, put the number of documents of each "
            f"query, one a line, into {os.path.basename(text.name)}{SIZES[0]} beside it, or build "
            "RankingData(X, y, qid) from arrays"
        )
        return text.error(address, problem)
    if code != kernels.LARGE_INDEX:
        wider = " or pass dtype='float64'" if options.dtype == "float32" else ""
        return text.error(address, _PROBLEMS[code].format(dtype=options.dtype, wider=wider))
    if options.n_columns is None and form.limit < MOST_COLUMNS + options.first - 1:
        return text.error(address, _PROBLEMS[kernels.INDEX_ORDER])  # its line ends with a smaller one
    remedy = f"beyond n_features={options.n_columns}; correct it or give more"
    if options.n_columns is None:
        remedy = f"a larger index than {form.limit} must be meant; correct it or pass n_features"
    return text.error(address, remedy)
