"""Deferred imports."""

import pytest

from gbrank import DataError
from gbrank._optional import lazy_attributes, optional_module


def test_names_are_found_when_first_used():
    get, names = lazy_attributes("gbrank", {"atomic_write": "._files"})
    assert names() == ["atomic_write"]
    assert get("atomic_write").__name__ == "atomic_write"
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        get("other")


def test_a_module_that_is_not_required():
    assert optional_module("json.decoder").__name__ == "json.decoder"
    with pytest.raises(DataError, match="no_such_thing is not installed; install it: pip install no_such_thing"):
        optional_module("no_such_thing.part")
