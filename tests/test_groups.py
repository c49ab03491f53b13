"""Query ids to offsets, against a dictionary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import DataError
from gbrank._groups import canonical_ids, check_query_ptr, group_rows

INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)
IDS = st.lists(INTEGERS, max_size=30) | st.lists(st.text(max_size=3), max_size=30)


def grouped_plainly(ids):
    rows = {}
    for row, value in enumerate(ids):
        rows.setdefault(value, []).append(row)
    return rows


@given(IDS)
def test_any_ids_in_any_order(ids):
    ids = [value.rstrip("\0") if isinstance(value, str) else value for value in ids]  # NumPy strips these itself
    groups = group_rows(ids if ids else np.empty(0, np.int64))
    expected = grouped_plainly(ids)
    assert groups.query_ids.tolist() == list(expected)
    assert groups.order.tolist() == [row for rows in expected.values() for row in rows]
    assert groups.query_ptr.tolist() == np.cumsum([0, *map(len, expected.values())]).tolist()
    assert groups.contiguous == (groups.order.tolist() == list(range(len(ids))))
    assert groups.query_ptr.dtype == groups.order.dtype == np.int64


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.permutations(range(6)))
def test_relabelling_changes_the_ids_only(ids, names):
    groups, numbers = group_rows(ids), group_rows([names[i] * 2**40 for i in ids])
    strings = group_rows([f"q{names[i]}" for i in ids])
    for other in (numbers, strings):
        assert other.query_ptr.tolist() == groups.query_ptr.tolist()
        assert other.order.tolist() == groups.order.tolist()
    assert strings.query_ids.tolist() == [f"q{names[i]}" for i in groups.query_ids]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_contiguous_rows_are_never_moved(sizes):
    ids = np.repeat(np.arange(len(sizes))[::-1], sizes)
    groups = group_rows(ids)
    assert groups.contiguous
    assert np.diff(groups.query_ptr).tolist() == sizes
    assert groups.query_ids.tolist() == list(range(len(sizes)))[::-1]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([3, 2**62], [3, 2**62]),
        (np.array([3], np.uint8), [3]),
        (np.array([2**63 - 1], np.uint64), [2**63 - 1]),
        ([1.0, 2.0], [1, 2]),
        (["a", "é"], ["a", "é"]),
        (np.array([b"a", "é".encode()]), ["a", "é"]),
        (np.array(["a", "bc"], object), ["a", "bc"]),
        (np.array([1, np.int64(2)], object), [1, 2]),
    ],
)
def test_kinds_of_ids(ids, expected):
    ids = canonical_ids(ids)
    assert ids.tolist() == expected
    assert ids.dtype.kind in "iU"


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([[1, 2]], "one dimension"),
        (np.array([2**63], np.uint64), "does not fit a signed 64-bit number"),
        ([2**64, 1], "does not fit"),
        ([1.0, 2.5], "row 1 is 2.5"),
        ([1.0, np.nan], "row 1 is nan"),
        ([1.0, 2.0**53], "row 1"),
        (np.array(["a", None], object), "row 1 is None"),
        (np.array([1, "a"], object), "row 1 is 'a'"),
        ([1, "1"], "row 1 is '1'"),
        ([b"a", b"\xe9"], "is not UTF-8"),
        (np.array([1, True], object), "row 1 is True"),
    ],
)
def test_ids_that_are_refused(ids, words):
    with pytest.raises(DataError, match=words):
        group_rows(ids)


def test_query_ptr_that_is_right():
    ptr = check_query_ptr(np.array([0, 2, 3], np.int32), 3)
    assert ptr.tolist() == [0, 2, 3]
    assert ptr.dtype == np.int64


@pytest.mark.parametrize(
    ("ptr", "words"),
    [
        ([[0, 3]], "a vector of whole row offsets"),
        ([], "a vector of whole row offsets"),
        ([0.0, 3.0], "a vector of whole row offsets"),
        ([1, 3], "runs from 1 to 3"),
        ([0, 2], "runs from 0 to 2; it must run from 0 to 3"),
        ([0, 1, 1, 3], "query 1 has 0 documents"),
        ([0, 4, 2, 3], "query 1 has -2 documents"),
    ],
)
def test_query_ptr_that_is_refused(ptr, words):
    with pytest.raises(DataError, match=words):
        check_query_ptr(ptr, 3)
