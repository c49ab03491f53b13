"""Files that stand beside LETOR text, as LightGBM and XGBoost read them: sizes of queries, weights, ranks, scores.

They have the name of the text and, behind it, what they hold, one number a line::

    train.txt.query     (or .group) documents of each query, for text without ``qid:ID``
    train.txt.weight    a weight for each document, or one for each query
    train.txt.position  the rank, from 1, at which each document was shown
    train.txt.init      the score from which boosting starts for each document
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import LAST_POSITION, DataError, IntArray, as_vector, as_weights
from ._ranking_data import RankingData
from ._scores import read_numbers

SIZES = (".query", ".group")
WEIGHT, POSITION, INIT = ".weight", ".position", ".init"
AWAY = "give the file that belongs to the text, or move it away"


def files_beside(path: str | os.PathLike[str]) -> list[Path]:
    """Return the files that are read with a text."""
    return [file for suffix in (*SIZES, WEIGHT, POSITION, INIT) if (file := _beside(path, suffix)).is_file()]


def read_sizes(path: str | os.PathLike[str]) -> IntArray | None:
    """Return the number of documents of each query from the file beside a text, or None without one.

    Raises
    ------
    DataError
        There are two such files, or a line is not a whole number from 1.
    """
    found = _sizes_files(path)
    if not found:
        return None
    file, *more = found
    if more:
        raise DataError(f"{file}: {more[0].name} stands beside it, and each has the sizes of queries; keep one.")
    sizes = read_numbers(file, "size of a query")
    _refuse(file, sizes, (sizes < 1) | (sizes != np.floor(sizes)), "is no number of documents; give a whole one")
    return sizes.astype(np.int64)


def check_sizes(path: str | os.PathLike[str], sizes: IntArray, n_documents: int) -> None:
    """Raise a `DataError` where the sizes of queries are not those of the documents of a text."""
    if sizes.sum() != n_documents:
        raise DataError(
            f"{_sizes_files(path)[0]}: the sizes of its {len(sizes)} queries add up to {sizes.sum()}, and "
            f"{os.fspath(path)} has {n_documents} documents; {AWAY}."
        )


def check_same_queries(path: str | os.PathLike[str], query_ptr: IntArray, contiguous: bool) -> None:
    """Raise a `DataError` where text has query ids, and beside it stand the sizes of other queries."""
    sizes = read_sizes(path)
    if sizes is not None and not (contiguous and np.array_equal(sizes, np.diff(query_ptr))):
        raise DataError(
            f"{_sizes_files(path)[0]}: these are not the queries that the ids (qid:ID) in {os.fspath(path)} make; "
            f"{AWAY}."
        )


def fields_beside(path: str | os.PathLike[str], n_documents: int, n_queries: int) -> dict[str, npt.NDArray[Any]]:
    """Return what stands beside a text as fields of `RankingData`, in the order of its lines and queries.

    Raises
    ------
    DataError
        A line is no number that the field may have, or there are too many or too few.
    """
    fields: dict[str, npt.NDArray[Any]] = {}
    weight, position, init = (_beside(path, suffix) for suffix in (WEIGHT, POSITION, INIT))
    if weight.is_file():
        values = read_numbers(weight, "weight")
        _refuse(weight, values, values < 0, "is negative, which no weight can be; correct it")
        if len(values) not in (n_documents, n_queries):
            raise DataError(
                f"{weight}: {len(values)} weights for {n_documents} documents in {n_queries} queries; give one for "
                "each document, or one for each query."
            )
        by_document = len(values) == n_documents
        fields["sample_weight" if by_document else "query_weight"] = as_weights(str(weight), values, len(values))
    if position.is_file():
        values = read_numbers(position, "rank")
        whole = (values >= 1) & (values <= LAST_POSITION) & (values == np.floor(values))
        _refuse(position, values, ~whole, f"is no rank; give a whole number from 1 to {LAST_POSITION:,}")
        fields["position"] = as_vector(str(position), values, length=n_documents).astype(np.int64)
    if init.is_file():
        fields["init_score"] = as_vector(str(init), read_numbers(init, "score"), length=n_documents)
    return fields


def columns_beside(data: RankingData, path: str | os.PathLike[str]) -> dict[Path, npt.NDArray[Any]]:
    """Return the files that have to stand beside a text of `data`, and the numbers in them.

    Raises
    ------
    DataError
        Weights of documents and of queries, or several columns of initial scores, which have no place; a file that is
        there, would be read with the text, and holds something else.
    """
    weights = [each for each in (data.sample_weight, data.query_weight) if each is not None]
    if len(weights) > 1:
        raise DataError("query_weight: beside LETOR text is room for it or for sample_weight; leave one of them out.")
    if data.init_score is not None and data.init_score.ndim > 1:
        raise DataError("init_score: has several columns, and beside LETOR text is room for one; leave it out.")
    given = {WEIGHT: weights[0] if weights else None, POSITION: data.position, INIT: data.init_score}
    columns = {_beside(path, suffix): values for suffix, values in given.items() if values is not None}
    for old in files_beside(path):
        if old not in columns:
            raise DataError(f"{old}: is there, and would be read with {os.fspath(path)}; move it away first.")
    return columns


def _beside(path: str | os.PathLike[str], suffix: str) -> Path:
    return Path(os.fspath(path) + suffix)


def _sizes_files(path: str | os.PathLike[str]) -> list[Path]:
    return [file for file in files_beside(path) if file.suffix in SIZES]


def _refuse(file: Path, values: npt.NDArray[np.float64], bad: npt.NDArray[np.bool_], problem: str) -> None:
    if bad.any():
        line = int(np.argmax(bad))
        raise DataError(f"{file}:{line + 1}: {values[line]:g} {problem}.")
