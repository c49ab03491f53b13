"""What is written must be what the standard library reads."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import ParameterError
from gbrank.jobs import to_toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_reads_back_equal(table):
    read = tomllib.loads(to_toml(table))
    assert read == table
    assert repr(read).count("True") == repr(table).count("True")  # 1 == True in Python, not in TOML


def test_layout_of_a_nested_table():
    table = {"z": {"b": {"c": 1}, "a": [1.5, {"x": None, "y": "é"}]}, "first": True, "none": None, "tuple": (1, 2)}
    assert to_toml(table) == (
        'first = true\ntuple = [1, 2]\n\n[z]\na = [1.5, {y = "é"}]\n\n[z.b]\nc = 1\n'
    )  # keys of a table stand before its tables, or they would fall into them


def test_other_kinds_are_refused():
    with pytest.raises(ParameterError, match=r"ranker\.callbacks: TOML has no form for .* \(object\)"):
        to_toml({"ranker": {"callbacks": [object()]}})
