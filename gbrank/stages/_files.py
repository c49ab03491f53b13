"""Stage logs from CSV and Parquet files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from .._checks import DataError
from ..data._log_files import read_log_frame
from ._log import StageLog


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
    frame = read_log_frame(place, ids, "item")
    try:
        return StageLog.from_frame(frame, n_stages=n_stages, names=names, features=features, top_feedback=top_feedback)
    except DataError as error:
        raise DataError(f"{place}: {error}") from None
