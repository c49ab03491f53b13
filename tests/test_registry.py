"""Names to objects."""

import pytest

from gbrank import ParameterError
from gbrank._registry import Registry


def test_names_suggestions_and_doubles():
    table = Registry("fruit")
    assert table.add("apple")(1) == 1
    table.add("pear")(2)
    assert table["apple"] == 1
    assert list(table) == ["apple", "pear"]
    assert "pear" in table
    with pytest.raises(ParameterError, match=r"unknown fruit 'aple'\. Did you mean 'apple'\?"):
        table["aple"]
    with pytest.raises(ParameterError, match=r"Known: apple, pear\."):
        table["xyz"]
    with pytest.raises(ParameterError, match="exists already"):
        table.add("pear")(3)
