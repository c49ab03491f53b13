"""KuaiRec: who watched which short video for how long, with next to no pair missing.

Gao et al., "KuaiRec: A Fully-Observed Dataset and Insights for Evaluating Recommender Systems", CIKM 2022.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_choice
from ._ranking_data import RankingData

if TYPE_CHECKING:
    import pandas as pd

SHORT = 7000  # milliseconds; a shorter video must be watched to its end
INTERACTIONS = {"user_id": np.int64, "video_id": np.int64, "play_duration": np.int64, "video_duration": np.int64}
DAYS = "date"
LEFT_OUT = ("date", "upload_dt", "video_tag_name")  # of the daily table: no features


@dataclass(frozen=True, eq=False, repr=False)
class KuaiRec:
    """A matrix of KuaiRec and the features of its users and videos; made by `read_kuairec`.

    Attributes
    ----------
    interactions : DataFrame
        A row for each time a user was shown a video: `user_id`, `video_id`, `play_duration` and `video_duration` in
        milliseconds, `timestamp` in seconds (NaN where the file has none), and `label`, 1.0 or 0.0.
    users, items : DataFrame or None
        Features, indexed by `user_id` and `video_id`.
    matrix : {"small", "big"}
    """

    interactions: pd.DataFrame
    users: pd.DataFrame | None
    items: pd.DataFrame | None
    matrix: str

    def __repr__(self) -> str:
        rows = self.interactions
        return (
            f"KuaiRec({self.matrix} matrix, {rows['user_id'].nunique():,} users, "
            f"{rows['video_id'].nunique():,} videos, {len(rows):,} interactions, {rows['label'].mean():.1%} positive)"
        )

    def to_data(
        self,
        users: npt.ArrayLike | None = None,
        *,
        user_columns: Sequence[str] | None = None,
        item_columns: Sequence[str] | None = None,
    ) -> RankingData:
        """Return users as queries, the videos that they were shown as documents, labels and features.

        A feature whose name both tables have (``follow_user_num``: how many the user follows, and how many followed the
        author at the video) is called ``user_follow_user_num`` and ``video_follow_user_num``.

        Parameters
        ----------
        users : array-like of int, optional
            Whose interactions; by default all, which is much memory for the whole of a matrix.
        user_columns, item_columns : sequence of str, optional
            Which features, by their names in the tables; by default all.

        Raises
        ------
        DataError
            There are no features, no interaction of `users`, or no such column.
        """
        import pandas as pd

        if self.users is None or self.items is None:
            raise DataError("the feature tables were not read; call read_kuairec with features=True.")
        rows = self.interactions
        if users is not None:
            rows = rows[rows["user_id"].isin(np.asarray(users))]
            if rows.empty:
                raise DataError("users: none of them has an interaction; give ids of the matrix.")
        parts = []
        both = set(self.users.columns) & set(self.items.columns)
        for table, ids, wanted, name, prefix in (
            (self.users, rows["user_id"], user_columns, "user_columns", "user_"),
            (self.items, rows["video_id"], item_columns, "item_columns", "video_"),
        ):
            columns = list(table.columns) if wanted is None else list(wanted)
            lost = [column for column in columns if column not in table.columns]
            if lost:
                raise DataError(f"{name}: no column {lost[0]!r}; choose among {', '.join(map(str, table.columns))}.")
            part = table[columns].reindex(ids.to_numpy()).reset_index(drop=True)
            parts.append(part.rename(columns={column: prefix + column for column in both}))
        X = pd.concat(parts, axis=1)
        return RankingData(X, rows["label"], rows["user_id"], doc_id=rows["video_id"].to_numpy().astype(str))


def read_kuairec(
    folder: str | os.PathLike[str], matrix: str = "small", *, features: bool = True, until: int | None = None
) -> KuaiRec:
    """Read a matrix of KuaiRec with labels, and the feature tables.

    The label is the one of Zheng et al. (arXiv 2405.04844, appendix A.4): a video of up to 7 seconds was watched to its
    end, a longer one for more than 7 seconds.

    Parameters
    ----------
    folder : str or path-like
        Where ``small_matrix.csv`` or ``big_matrix.csv`` lies, with ``user_features.csv``,
        ``item_daily_features.csv`` and ``item_categories.csv``.
    matrix : {"small", "big"}
        1,411 users and 3,327 videos with 99.6 % of all pairs, or 7,176 and 10,728 with 16.3 %.  A user may have been
        shown a video more than once.
    features : bool
        Whether to read the feature tables.  The features of a video are means over the days of the daily table, the
        first value for ids and texts, and a column `category_k` for each category k.
    until : int, optional
        A day as the table writes it, 20200801 say: only earlier days count, so that no feature knows the future.

    Raises
    ------
    DataError
        A file or a column is missing, a value is no number, a duration is negative.
    ParameterError
        Another matrix.
    """
    check_choice("matrix", matrix, ("small", "big"))
    if until is not None and not features:
        raise ParameterError("until: chooses days of the feature tables, which features=False leaves out.")
    place = Path(folder)
    rows = _read(place / f"{matrix}_matrix.csv", {**INTERACTIONS, "timestamp": np.float64})
    negative = (rows["play_duration"] < 0) | (rows["video_duration"] < 0)
    if negative.any():
        line = int(np.argmax(negative)) + 2
        raise DataError(f"{place / f'{matrix}_matrix.csv'}:{line}: a duration is negative; correct the file.")
    rows["label"] = watched(rows["play_duration"].to_numpy(), rows["video_duration"].to_numpy())
    if not features:
        return KuaiRec(rows, None, None, matrix)
    users = _read(place / "user_features.csv", {"user_id": np.int64}, rest=True)
    if users["user_id"].duplicated().any():
        raise DataError(f"{place / 'user_features.csv'}: a user_id is there twice; keep one row for each user.")
    return KuaiRec(rows, users.set_index("user_id"), _items(place, until), matrix)


def watched(play_duration: npt.ArrayLike, video_duration: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return 1.0 where a video was watched: to its end up to 7,000 milliseconds, for more than these if it is longer.

    Examples
    --------
    >>> watched([5000, 4999, 7000, 7000, 7001], [5000, 5000, 7000, 7001, 60000]).tolist()
    [1.0, 0.0, 1.0, 0.0, 1.0]
    """
    play, length = np.asarray(play_duration), np.asarray(video_duration)
    return np.where(length <= SHORT, play >= length, play > SHORT).astype(np.float64)


def _items(place: Path, until: int | None) -> pd.DataFrame:
    """Return one row of features for each video."""
    import pandas as pd

    daily = _read(place / "item_daily_features.csv", {"video_id": np.int64, DAYS: np.int64}, rest=True)
    if until is not None:
        daily = daily[daily[DAYS] < until]
        if daily.empty:
            raise DataError(f"until={until}: the daily table has no earlier day; give a later one, as 20200801.")
    rules = {
        column: "mean" if daily[column].dtype.kind in "iufb" and not column.endswith("_id") else "first"
        for column in daily.columns
        if column not in ("video_id", *LEFT_OUT)
    }
    videos = daily.sort_values(DAYS, kind="stable").groupby("video_id").agg(rules)
    path = place / "item_categories.csv"
    table = _read(path, {"video_id": np.int64, "feat": str})
    lists = [_category_list(path, line, text) for line, text in enumerate(table["feat"], 2)]
    number = np.array([k for each in lists for k in each], np.int64)
    flags = np.zeros((len(lists), int(number.max(initial=-1)) + 1))
    flags[np.repeat(np.arange(len(lists)), [len(each) for each in lists]), number] = 1
    names = [f"category_{k}" for k in range(flags.shape[1])]
    categories = pd.DataFrame(flags, columns=names, index=pd.Index(table["video_id"], name="video_id"))
    return videos.join(categories, how="outer")


def _category_list(path: Path, line: int, text: Any) -> list[int]:
    """Return the categories in a text such as ``[8, 27]``."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        found = None
    if not isinstance(found, list) or not all(isinstance(k, int) and 0 <= k < 10_000 for k in found):
        raise DataError(f"{path}:{line}: {text!r} is no list of categories; write whole numbers as [8, 27].")
    return found


def _read(path: Path, types: dict[str, Any], *, rest: bool = False) -> pd.DataFrame:
    """Return the named columns of a CSV file, or all with `rest`, after checks."""
    import pandas as pd

    try:
        header = pd.read_csv(path, nrows=0)
        lost = [column for column in types if column not in header.columns]
        if lost:
            raise DataError(f"{path}: has no column {lost[0]!r}; it must be the file of KuaiRec as published.")
        return pd.read_csv(path, dtype=types, usecols=None if rest else list(types))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; give the folder that holds the files of KuaiRec.") from None
    except DataError:
        raise
    except ValueError as error:  # a value of another type, an empty file, or rows of unequal length
        raise DataError(f"{path}: cannot be read ({error}); it must be the file of KuaiRec as published.") from None
