"""Deferred imports."""

import pytest

from gbrank._optional import lazy_attributes


def test_names_are_found_when_first_used():
    get, names = lazy_attributes("gbrank", {"atomic_write": "._files"})
    assert names() == ["atomic_write"]
    assert get("atomic_write").__name__ == "atomic_write"
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        get("other")
