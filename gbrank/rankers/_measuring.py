"""The one measure of a ranker: which labels it reads, and its mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_whole
from ..data import RankingData
from ..metrics import Measure
from ..objectives import Objective


def measured_labels(data: RankingData, objective: Objective, column: int | None, of: str) -> npt.NDArray[np.float64]:
    """Return the labels that a measure reads: the only column, the one asked for, or the only one learnt from.

    Raises
    ------
    ParameterError
        There are several label columns, and none is said; or not so many.
    """
    if column is not None:
        check_whole("measure_label", column, lowest=0)
    if data.y.ndim == 1:
        return data.y
    learnt = sorted(objective.label_columns())
    if column is None and len(learnt) != 1:
        raise ParameterError(
            f"{of}: there are {data.y.shape[1]} label columns, and the objective learns from {len(learnt)} of them; "
            "say which one the measure reads, as in measure_label=0."
        )
    chosen = learnt[0] if column is None else int(column)
    if chosen >= data.y.shape[1]:
        raise ParameterError(f"measure_label={chosen}: {of} has {data.y.shape[1]} label columns, counted from 0.")
    return np.ascontiguousarray(data.y[:, chosen])


def refuse_weights(sample_weight: Any) -> None:
    """Raise a `ParameterError` for weights of documents, which no measure of ranked lists has."""
    if sample_weight is not None:
        raise ParameterError("sample_weight: a measure of ranked lists has no weights of documents; leave it out.")


def mean_measure(measure: Measure, y: npt.NDArray[Any], score: npt.NDArray[Any], data: RankingData, of: str) -> float:
    """Return the mean of a measure over the queries that it does not skip.

    Raises
    ------
    DataError
        All queries are skipped, or a label cannot be used; also one below 0, which a measure takes for "not judged".
    """
    if "unjudged" in measure.uses and y.min() < 0:
        row = int(np.argmin(y))
        raise DataError(
            f"{of}: label {y[row]:g} in row {row}: {measure} needs labels from 0; leave out what is not judged, "
            "or use gbrank.evaluate, which counts them."
        )
    try:
        values = measure(y, score, data.query_ptr, data.doc_id)
    except DataError as error:
        raise DataError(f"{of}: {error}") from None
    if np.isnan(values).all():
        raise DataError(f"{measure}: skips all {len(values)} queries of {of}: none has a relevant document.")
    return measure.mean(values, data.query_ptr)
