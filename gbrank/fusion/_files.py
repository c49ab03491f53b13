"""Files of task predictions: CSV or Parquet, a row for each document, a column for each task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._checks import DataError
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
    for name in wanted:
        if name not in frame:
            raise DataError(f"{path}: no column {name!r}; there are {', '.join(map(str, frame.columns[:20]))}.")
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
