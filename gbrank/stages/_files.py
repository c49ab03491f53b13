"""Stage logs from CSV and Parquet files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._checks import DataError
from .._optional import optional_module
from ._log import StageLog

if TYPE_CHECKING:
    import pandas as pd

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]  # in CSV, but for ids


def read_stage_log(
    path: str | os.PathLike[str],
    *,
    n_stages: int,
    names: Mapping[str, str] | None = None,
    features: Sequence[str] | None = None,
    top_feedback: float | None = None,
) -> StageLog:
    r"""Read a log from a CSV file with a header, which may be compressed, or from Parquet.

    Parameters
    ----------
    path : str or path-like
        ``.parquet``, or else CSV.  Feedback is empty, or NA, where an item was not exposed.  Ids of CSV are whole
        numbers where all are written as such (``7``, not ``007``), and else strings.
    n_stages, names, features, top_feedback
        As in `StageLog.from_frame`.

    Raises
    ------
    DataError
        The file cannot be read, or what `StageLog.from_frame` refuses.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "log.csv")
    >>> _ = path.write_text("request,item,stage,feedback,price\n1,a,2,1,9.5\n1,b,0,,3\n")
    >>> read_stage_log(path, n_stages=2)
    StageLog(1 requests, 2 rows, 2 stages, 1 features)
    """
    place = Path(path)
    ids = [(names or {}).get(name, name) for name in ("request", "item")]
    frame = _parquet(place) if place.suffix == ".parquet" else _csv(place, ids)
    try:
        return StageLog.from_frame(frame, n_stages=n_stages, names=names, features=features, top_feedback=top_feedback)
    except DataError as error:
        raise DataError(f"{place}: {error}") from None


def _csv(path: Path, ids: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        header = pd.read_csv(path, nrows=0).columns
        missing = {column: [""] if column in ids else MISSING for column in header}
        frame = pd.read_csv(path, dtype=dict.fromkeys(ids, str), keep_default_na=False, na_values=missing)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; give the path of a log.") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}); write a header and a row for each item.") from None
    for name in ids:
        if name in frame.columns:
            frame[name] = _numbers(frame[name])
    return frame


def _numbers(ids: pd.Series) -> pd.Series:
    """Return ids as whole numbers where all are spelled so that no two become one."""
    distinct = ids.unique()
    if not all(isinstance(each, str) and each.removeprefix("-").isdecimal() for each in distinct):
        return ids
    if any(str(int(each)) != each or abs(int(each)) >= 1 << 63 for each in distinct):
        return ids
    return ids.astype(np.int64)


def _parquet(path: Path) -> pd.DataFrame:
    pyarrow = optional_module("pyarrow.parquet")
    try:
        frame: pd.DataFrame = pyarrow.read_table(path).to_pandas()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; give the path of a log.") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet ({error}); write it anew.") from None
    return frame
