"""The parts of a report, and its text form."""

import numpy as np
import pandas as pd
import pytest

from gbrank.reports import Table, block
from gbrank.reports._content import cell
from gbrank.reports._document import clean, shown
from gbrank.reports._model import same
from gbrank.reports._text import table_lines


def test_columns_of_numbers_alone_stand_right():
    table = Table("t", ("name", "n", "mixed", "share"), (("1", "10", "2", "1 (<0.1%)"), ("2", "–", "b", "-3.5%")))
    assert table.numeric == (False, True, False, True)
    lines = table_lines(table)
    assert lines[2:] == [
        "name   n  mixed      share",
        "----  --  -----  ---------",
        "1     10  2      1 (<0.1%)",
        "2      –  b          -3.5%",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5000"),
        (np.float32(0.5), "0.5000"),
        (1e-7, "1e-07"),
        (123456789.0, "1.235e+08"),
        (np.int64(1234), "1,234"),
        (np.nan, "–"),
        (None, "–"),
        (True, "True"),
        (np.bool_(True), "True"),
        ("a", "a"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_cells(value, text):
    assert cell(value) == text


def test_clean_keeps_what_can_be_shown():
    assert clean("a\tb\n汉ü\x00\x1b\x85\ud800\ufffe") == "a\tb\n汉ü" + "\ufffd" * 5


def test_parameters_as_text():
    assert shown(np.exp) == "exp"
    assert shown(cell) == "cell"
    assert shown([cell]) == "cell"
    assert shown("text") == "text"
    assert len(shown(list(range(1000)))) == 200
    assert same(np.ones(2), np.ones(2))
    assert not same(np.ones(2), None)
    assert same(float("nan"), float("nan"))


def test_frames_with_several_levels():
    frame = pd.DataFrame({("a", "x"): [1], ("a", "y"): [0.5]}, index=pd.MultiIndex.from_tuples([("r", 1)]))
    table = block("f", frame)
    assert table.rows == (("r, 1", "1", "0.5000"),)
    assert table.columns == ("row", "a, x", "a, y")
