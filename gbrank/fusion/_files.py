"""Files of task predictions: CSV or Parquet, a row for each document, a column for each task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError
from .._groups import group_rows
from .._optional import optional_module
from ..data import RankingData


def read_task_scores(
    path: str | os.PathLike[str],
    *,
    query: str = "query",
    document: str | None = "document",
    tasks: Sequence[str] | None = None,
    reward: str | None = None,
) -> RankingData:
    r"""Read the predictions of several tasks.

    Parameters
    ----------
    path : str or path-like
        ``.parquet``, or CSV of any other ending, with column names.
    query, document : str
        Columns of ids; a document id of None reads none.
    tasks : sequence of str, optional
        Columns of predictions; all others that hold numbers by default.
    reward : str, optional
        Column of what a document brought, kept as `y`; else `y` is 0.

    Raises
    ------
    DataError
        A file that cannot be read, a column that is not there, a missing id, a document twice in a query, a value that
        is no finite number.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "scores.csv")
    >>> _ = path.write_text("query,document,click,dwell\nq1,a,0.1,30\nq1,b,0.2,10\n")
    >>> read_task_scores(path).feature_names
    ('click', 'dwell')
    """
    frame = _read(path, [each for each in (query, document) if each is not None])
    wanted = [query, *([document] if document else []), *(tasks or ()), *([reward] if reward else [])]
    _require_columns(path, frame, wanted)
    if tasks is None:
        numbers = frame.select_dtypes("number").columns
        tasks = [str(name) for name in numbers if name not in (query, document, reward)]
    if len(tasks) == 0:
        raise DataError(f"{path}: no column of numbers beside the ids; give the predictions of each task.")
    ids = frame[[query] if document is None else [query, document]]
    if ids.isna().to_numpy().any():
        row, column = np.argwhere(ids.isna().to_numpy())[0]
        raise DataError(f"{path}: row {row} has no {ids.columns[column]!r}; every document needs its ids.")
    if document is not None and ids.duplicated().any():
        first = ids[ids.duplicated()].iloc[0]
        raise DataError(f"{path}: query {first.iloc[0]!r} has the document {first.iloc[1]!r} twice; keep one.")
    columns = [_numbers(path, frame, name) for name in tasks]
    y = np.zeros(len(frame)) if reward is None else _numbers(path, frame, reward)
    doc_id = None if document is None else frame[document].astype(str).to_numpy()
    X = np.column_stack(columns)
    return RankingData(X, y, frame[query].to_numpy(), doc_id=doc_id, feature_names=list(tasks))


def read_task_segments(path: str | os.PathLike[str], column: str, *, query: str = "query") -> npt.NDArray[np.str_]:
    r"""Read what each query of a file of task predictions belongs to, for `target_weights_by_segment`.

    Parameters
    ----------
    path : str or path-like
        The file that `read_task_scores` reads.
    column : str
        Column of segments, the same in all rows of a query.
    query : str
        Column of query ids.

    Returns
    -------
    str array of shape (n_queries,)
        In the order of the queries of `read_task_scores`.

    Raises
    ------
    DataError
        A column that is not there, a missing segment, a query of two segments.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "scores.csv")
    >>> _ = path.write_text("query,market,click\nq1,de,0.1\nq1,de,0.2\nq2,fr,0.3\n")
    >>> read_task_segments(path, "market").tolist()
    ['de', 'fr']
    """
    frame = _read(path, [query, column])
    _require_columns(path, frame, [query, column])
    missing = frame[column].isna().to_numpy()
    if missing.any():
        raise DataError(f"{path}: row {int(np.argmax(missing))} has no {column!r}; every query needs its segment.")
    labels, queries = frame[column].astype(str).to_numpy(str), frame[query].to_numpy()
    groups = group_rows(queries)
    first = groups.order[groups.query_ptr[:-1]]
    other = labels[groups.order] != np.repeat(labels[first], np.diff(groups.query_ptr))
    if other.any():
        row = int(groups.order[np.argmax(other)])
        raise DataError(
            f"{path}: row {row} of query {queries[row]!r} has the {column!r} {labels[row]!s}, but an earlier one has "
            "another; give all rows of a query one segment."
        )
    return np.asarray(labels[first])


def _require_columns(path: Any, frame: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in frame:
            raise DataError(f"{path}: no column {name!r}; there are {', '.join(map(str, frame.columns[:20]))}.")


def _read(path: Any, ids: list[str]) -> pd.DataFrame:
    parquet = Path(path).suffix.lower() == ".parquet"
    if parquet:
        optional_module("pyarrow")
    try:
        return pd.read_parquet(path) if parquet else pd.read_csv(path, dtype=dict.fromkeys(ids, str))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give another path.") from None
    except (ValueError, pd.errors.ParserError) as error:
        kind = "Parquet" if parquet else "CSV"
        raise DataError(f"{path}: cannot be read as {kind} ({error}); correct the file.") from None


def _numbers(path: Any, frame: pd.DataFrame, name: str) -> Any:
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise DataError(f"{path}: row {row} of {name!r} is {str(frame[name].iloc[row])!r}; give a finite number.")
    return values
