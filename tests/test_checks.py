"""Checks name the place, the value and the remedy."""

import numpy as np
import pytest

from gbrank import DataError, GbrankError, ParameterError
from gbrank._checks import as_vector, as_weights, check_choice, check_positive, check_whole, whole_grades


@pytest.mark.parametrize(
    ("values", "length", "message"),
    [
        ([1, np.nan, 3], None, "w: row 1 is nan"),
        ([1, 2, np.inf], None, "w: row 2 is inf"),
        ([[1, 2]], None, r"not the shape \(1, 2\)"),
        (["a"], None, "every value must be a number"),
        ([1, 2], 3, "2 values for 3 documents"),
    ],
)
def test_vectors(values, length, message):
    with pytest.raises(DataError, match=message):
        as_vector("w", values, length=length)


def test_weights():
    assert as_weights("w", [0, 2], 2).tolist() == [0, 2]
    with pytest.raises(DataError, match="row 1 is -1"):
        as_weights("w", [0, -1], 2)
    with pytest.raises(DataError, match="all weights are zero"):
        as_weights("w", [0, 0], 2)


def test_grades():
    assert whole_grades(np.array([0.0, 3]), "it").dtype == np.int64
    for bad in (-1, 0.5, 1001):
        with pytest.raises(DataError, match=f"label {bad} in row 1: it needs whole grades"):
            whole_grades(np.array([0, bad, -7]), "it")


def test_parameters():
    check_positive("x", np.float32(1))
    check_whole("x", np.int64(3))
    for call in (
        lambda: check_choice("x", "d", ("a", "b")),
        lambda: check_positive("x", 0),
        lambda: check_positive("x", True),
        lambda: check_positive("x", np.nan),
        lambda: check_positive("x", "1"),
        lambda: check_whole("x", 1.0),
        lambda: check_whole("x", 0),
    ):
        with pytest.raises(ParameterError, match="x="):
            call()


def test_all_errors_are_value_errors():
    assert issubclass(DataError, GbrankError)
    assert issubclass(ParameterError, GbrankError)
    assert issubclass(GbrankError, ValueError)
