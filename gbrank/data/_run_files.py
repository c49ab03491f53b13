"""Files of runs and judgments: TREC text, JSON and Parquet, told apart by their endings."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np

from .._checks import DataError, check_choice
from .._files import atomic_write
from .._optional import optional_module
from ._letor_text import contents
from ._runs import DOC_NAMES, QUERY_NAMES, Qrels, Run
from ._trec import QRELS, RUN, Table, read_trec, write_trec

FORMATS = ("trec", "json", "parquet")
T = TypeVar("T", Run, Qrels)


def read_run(
    path: str | os.PathLike[str], *, format: str | None = None, name: str | None = None, n_jobs: int | None = None
) -> Run:
    r"""Read a run from TREC text, JSON or Parquet.

    A line of TREC text has six columns, ``query Q0 document rank score name``, between blanks or tabs.  The second and
    the rank are not used: as in trec_eval, the score alone decides, and up to five words behind the name are passed
    over.  Queries may be scattered.  Empty lines and lines that start with ``#`` are passed over, too.  JSON is
    ``{"query": {"document": score}}``; Parquet has the columns that
    `Run.from_frame` knows.  TREC text and JSON may be compressed by gzip.

    Parameters
    ----------
    path : str or path-like
    format : {"trec", "json", "parquet"}, optional
        By default what the ending says: ``.json``, ``.parquet``, either with ``.gz``, and TREC text for any other.
    name : str, optional
        Name of the run; by default the last column of TREC text, which then must be the same in all lines.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Raises
    ------
    DataError
        The file cannot be read, or a line is refused: other columns, a score that is no finite number, a document
        twice for a query, control characters, no UTF-8; file, line, token and remedy are named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run.trec")
    >>> _ = path.write_text("q1 Q0 d7 1 0.9 dense\nq1 Q0 d2 2 0.4 dense\n")
    >>> run = read_run(path)
    >>> run, run.to_dict()
    (Run('dense', 1 queries, 2 documents), {'q1': {'d7': 0.9, 'd2': 0.4}})
    """
    return _read(Run, RUN, path, format, name, n_jobs)


def read_qrels(
    path: str | os.PathLike[str], *, format: str | None = None, name: str | None = None, n_jobs: int | None = None
) -> Qrels:
    r"""Read relevance judgments from TREC text, JSON or Parquet.

    A line of TREC text has four columns, ``query 0 document label``, of which the second is not used.  All else is as
    in `read_run`.

    Raises
    ------
    DataError
        As `read_run`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "qrels.txt")
    >>> _ = path.write_text("q1 0 d7 2\nq1 0 d9 0\n")
    >>> read_qrels(path).to_dict()
    {'q1': {'d7': 2, 'd9': 0}}
    """
    return _read(Qrels, QRELS, path, format, name, n_jobs)


def write_run(run: Run, path: str | os.PathLike[str], *, format: str | None = None) -> None:
    """Write a run, which `read_run` reads back with the same scores.

    TREC text lists each query's documents in rank order; equal scores keep the order of rows, so that every tie rule
    ranks them as before.  Its last column is the run's name, or ``gbrank``.  JSON and Parquet keep the order of rows
    and no name.  An ending ``.gz`` compresses; the file takes its place at once, when it is complete.

    Parameters
    ----------
    run : Run
    path : str or path-like
    format : {"trec", "json", "parquet"}, optional
        As in `read_run`.

    Raises
    ------
    DataError
        An id that TREC text cannot hold, or a path that cannot be written.
    """
    _write(run, RUN, path, format)


def write_qrels(qrels: Qrels, path: str | os.PathLike[str], *, format: str | None = None) -> None:
    """Write judgments, which `read_qrels` reads back equal; see `write_run`."""
    _write(qrels, QRELS, path, format)


def _read(kind: type[T], word: str, path: Any, format: str | None, name: str | None, n_jobs: int | None) -> T:
    chosen = _format(path, format)
    if chosen == "trec":
        table = read_trec(path, word, one_name=name is None, n_jobs=n_jobs)
        return kind._of(*table[:-1], table.name if name is None else name)
    return _from_json(kind, path, name) if chosen == "json" else _from_parquet(kind, path, name)


def _write(table: Run | Qrels, word: str, path: Any, format: str | None) -> None:
    expected = Run if word == RUN else Qrels
    if not isinstance(table, expected):
        raise DataError(f"write_{word}: {type(table).__name__} is no {expected.__name__}; make one first.")
    chosen = _format(path, format)
    with atomic_write(path, "wb") as file:
        if chosen == "parquet":
            arrow = optional_module("pyarrow")
            numbers = np.array(table._plain())
            columns = (QUERY_NAMES[0], table.qid), (DOC_NAMES[0], table.doc_id), (table.value_columns[0], numbers)
            optional_module("pyarrow.parquet").write_table(arrow.table(dict(columns)), file)
            return
        packed = os.fspath(path).endswith(".gz")
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) if packed else nullcontext(file) as out:
            if chosen == "json":
                out.write(json.dumps(table.to_dict(), ensure_ascii=False, allow_nan=False).encode())
            else:
                write_trec(out, Table(table.query_ptr, table.query_ids, table.doc_id, table._value, table.name), word)


def _format(path: Any, format: str | None) -> str:
    if format is not None:
        check_choice("format", format, FORMATS)
        return format
    suffix = Path(os.fspath(path).removesuffix(".gz")).suffix.lower()
    return suffix[1:] if suffix[1:] in FORMATS else "trec"


def _from_json(kind: type[T], path: Any, name: str | None) -> T:
    place = os.fspath(path)
    try:
        values = json.loads(
            bytes(contents(place)), object_pairs_hook=_once, parse_int=float, parse_constant=_refuse_constant
        )
        return kind.from_dict(values, name=name)
    except json.JSONDecodeError as error:
        raise DataError(f"{place}:{error.lineno}: no JSON ({error.msg}); correct it, or give format=.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: is not UTF-8 (byte {error.start}); convert the file to UTF-8.") from None
    except RecursionError:
        raise DataError(f"{place}: nested too deeply; give {{query: {{document: number}}}}.") from None
    except DataError as error:
        raise DataError(f"{place}: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise DataError(f"{twice!r} is there twice in one object; keep one.")
    return values


def _refuse_constant(word: str) -> NoReturn:
    raise DataError(f"{word} is no finite number; correct it.")


def _from_parquet(kind: type[T], path: Any, name: str | None) -> T:
    arrow, parquet = optional_module("pyarrow"), optional_module("pyarrow.parquet")
    try:
        table = parquet.read_table(os.fspath(path))
        columns = {column: table[column].to_numpy() for column in table.column_names}
        return kind._from_columns(columns, name)
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet ({error}); give another file, or format=.") from None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
