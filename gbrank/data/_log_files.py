"""Logs as tables: CSV files whose columns of ids keep their spelling, and Parquet files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError
from .._optional import optional_module

if TYPE_CHECKING:
    import pandas as pd

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]  # in CSV, but for ids


def read_log_frame(path: Path, ids: Collection[str], row: str) -> pd.DataFrame:
    """Return the table of a log.

    Parameters
    ----------
    path : Path
        ``.parquet``, or else CSV with a header, which may be compressed.
    ids : collection of str
        Columns of ids: in CSV whole numbers where all are spelled as such, and else strings.
    row : str
        What a row is of, for messages.

    Raises
    ------
    DataError
        The file cannot be read, or an id of CSV is missing.
    """
    return _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path, ids, row)


def whole_ids(ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return ids as whole numbers where all are strings so spelled that no two become one, as 7 and 007 would.

    Examples
    --------
    >>> whole_ids(np.array(["7", "-12"])).tolist(), whole_ids(np.array(["7", "007"])).tolist()
    ([7, -12], ['7', '007'])
    """
    distinct = set(ids.tolist())
    if not all(isinstance(each, str) and each.isascii() and each.removeprefix("-").isdecimal() for each in distinct):
        return ids
    if any(str(int(each)) != each or abs(int(each)) >= 1 << 63 for each in distinct):
        return ids
    return ids.astype(np.int64)


def _csv(path: Path, ids: Collection[str], row: str) -> pd.DataFrame:
    import pandas as pd

    try:
        header = pd.read_csv(path, nrows=0).columns
        missing = {column: [""] if column in ids else MISSING for column in header}
        frame = pd.read_csv(path, dtype=dict.fromkeys(ids, str), keep_default_na=False, na_values=missing)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; give the path of a log.") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}); write a header and a row for each {row}.") from None
    for name in ids:
        if name in frame.columns:
            absent = frame[name].isna().to_numpy()
            if absent.any():
                raise DataError(f"{path}: row {int(np.argmax(absent))} has no {name!r}; every row needs its ids.")
            frame[name] = whole_ids(frame[name].to_numpy())
    return frame


def _parquet(path: Path) -> pd.DataFrame:
    pyarrow = optional_module("pyarrow.parquet")
    try:
        frame: pd.DataFrame = pyarrow.read_table(path).to_pandas()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; give the path of a log.") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet ({error}); write it anew.") from None
    return frame
