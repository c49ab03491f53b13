"""What labels are worth: gains, relevance, probabilities of stopping."""

from __future__ import annotations

import numpy as np

from ..._checks import DataError, whole_grades
from .._base import Vector


def worth_of_labels(y: Vector, gain: str, name: str) -> Vector:
    """Return the gains: 2^y - 1 of whole grades (`gain` "exp"), or the labels ("linear").

    Raises
    ------
    DataError
        A label below 0, or one that is no grade where the gain is exponential.
    """
    if gain == "exp":
        return np.asarray(2.0 ** whole_grades(y, f"the objective {name} with its exponential gain") - 1.0)
    if y.min() < 0:
        raise DataError(
            f"label {y.min():g} in row {int(np.argmin(y))}: a gain cannot be negative; shift the labels to start at 0."
        )
    return y


def stopping_probability(y: Vector, max_grade: int, name: str) -> Vector:
    """Return the probability (2^y - 1) / 2^max_grade with which a document of grade y ends the search."""
    grades = whole_grades(y, f"the objective {name}, weighted by ERR,")
    if grades.max() > max_grade:
        raise DataError(
            f"label {grades.max()} in row {int(np.argmax(grades))}: above max_grade={max_grade}; set max_grade."
        )
    return np.asarray((2.0**grades - 1.0) / 2.0**max_grade)
