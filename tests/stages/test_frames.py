"""Ids as text and back: spelled as Python spells them, and no two become one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank.data._log_files import whole_ids
from gbrank.stages._frames import as_text

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(INT64 | st.integers(-120, 120), min_size=1, max_size=40))
def test_whole_numbers_are_spelled_as_python_spells_them(numbers):
    text = as_text(np.array(numbers, dtype=np.int64))
    assert text.tolist() == [str(each) for each in numbers]
    assert text.dtype == np.array([str(each) for each in numbers]).dtype
    back = whole_ids(text)
    if min(numbers) > -(2**63):
        assert back.dtype == np.int64
        assert back.tolist() == numbers


@pytest.mark.parametrize("ids", [["1", "01"], ["1", "a"], ["-0"], ["1", "٣"], [str(2**63)], ["1", None]], ids=str)
def test_what_is_no_plain_number_stays_text(ids):
    assert whole_ids(np.array(ids, dtype=object)).tolist() == ids
