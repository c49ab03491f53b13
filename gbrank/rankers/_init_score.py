"""Scores from which boosting starts: the objective's own, a constant, or one for each document."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError
from ..data import RankingData
from ..objectives import Bound

Vector = npt.NDArray[np.float64]


def first_score(base_score: float | None, bound: Bound, data: RankingData, *, native: bool) -> Vector:
    """Return the constant from which boosting starts, shape (n_outputs,), beside the data's own scores.

    A library's own objective has its start in its first tree, so here that is 0.

    Raises
    ------
    ParameterError
        A base score that is no finite number, or that is given beside the library's own objective.
    """
    if base_score is None:
        if native:
            return np.zeros(1)
        return bound.init_score() if data.init_score is None else np.zeros(bound.n_outputs)
    number = isinstance(base_score, int | float | np.number) and not isinstance(base_score, bool)
    if not number or not np.isfinite(base_score):
        raise ParameterError(f"base_score={base_score!r}: must be a finite number.")
    if native:
        raise ParameterError(
            f"base_score={base_score!r}: with engine='native' the library chooses where its own objective starts; use "
            "engine='compiled', or give init_score."
        )
    return np.full(bound.n_outputs, float(base_score))


def require_init_scores(train: RankingData, evaluated: Mapping[str, RankingData], n_outputs: int) -> None:
    """Raise a `DataError` where initial scores have not one column for each output, or are not there for all data."""
    sets = {"the training data": train} | {f"eval_set ({name})": one for name, one in evaluated.items()}
    for name, data in sets.items():
        if (data.init_score is None) != (train.init_score is None):
            has, lacks = ("the training data", name) if data.init_score is None else (name, "the training data")
            raise DataError(
                f"init_score: {has} has it, and {lacks} has none; give each as a RankingData with init_score, the "
                "scores of one model."
            )
        require_columns(data, n_outputs, name)


def require_columns(data: RankingData, n_outputs: int, name: str) -> None:
    """Raise a `DataError` where initial scores have not one column for each output."""
    columns = n_outputs if data.init_score is None else data.init_score[:1].size
    if columns != n_outputs:
        raise DataError(
            f"init_score: {columns} columns in {name}, and the objective has {n_outputs} outputs a document; give one "
            "for each."
        )
