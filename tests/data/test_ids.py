"""Ids: what may be one, repeated ones and where they stand, against dictionaries."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError
from gbrank.data._ids import as_ids, first_repeat, hashes_of, places

# Few letters, so that ids repeat and are prefixes of each other; NUL within, which NumPy keeps.
WORDS = st.text("ab\0é𝄞", min_size=1, max_size=12).map(lambda word: word.rstrip("\0") or "a")
QUERIES = st.lists(st.lists(WORDS, min_size=1, max_size=9), min_size=1, max_size=5)


def table(queries):
    return np.array(list(itertools.chain(*queries)), str), np.concatenate(([0], np.cumsum([len(q) for q in queries])))


@given(QUERIES, st.booleans())
@settings(deadline=None, max_examples=60)
def test_first_repeat_is_that_of_a_set(queries, collide):
    ids, ptr = table(queries)
    hashes = np.zeros(len(ids), np.uint64) if collide else hashes_of(ids)  # all alike: still compared in full
    found = first_repeat(ids, hashes, ptr, 1)
    if all(len(set(query)) == len(query) for query in queries):
        assert found is None
    else:
        a, b = found
        assert a < b
        assert ids[a] == ids[b]
        assert np.searchsorted(ptr, a, "right") == np.searchsorted(ptr, b, "right")


@given(QUERIES, QUERIES, st.data())
@settings(deadline=None, max_examples=60)
def test_places_are_those_of_a_dictionary(left, right, data):
    left = [list(dict.fromkeys(query)) for query in left]
    ids, ptr = table(left)
    wanted, wanted_ptr = table(right)
    partner = np.array([data.draw(st.integers(-1, len(left) - 1)) for _ in right])
    found = places(ids, ptr, wanted, wanted_ptr, partner, 1).tolist()
    expected = [
        -1 if q < 0 or word not in left[q] else int(ptr[q]) + left[q].index(word)
        for q, query in zip(partner.tolist(), right, strict=True)
        for word in query
    ]
    assert found == expected


def test_many_ids_in_several_threads():
    rng = np.random.default_rng(0)
    ids = rng.permutation(200_000).astype(str)
    ptr = np.arange(0, 200_001, 1000)
    assert first_repeat(ids, hashes_of(ids), ptr, 3) is None
    np.testing.assert_array_equal(hashes_of(ids, 3), hashes_of(ids.astype("U40"), 1))
    shuffled = np.concatenate([rng.permutation(ids[a : a + 1000]) for a in ptr[:-1]])
    found = places(ids, ptr, shuffled, ptr, np.arange(200), 3)
    np.testing.assert_array_equal(ids[found], shuffled)
    ids[[5, 123_456, 123_999]] = "same"
    assert first_repeat(ids, hashes_of(ids), ptr, 3) == (123_456, 123_999)


@pytest.mark.parametrize(
    ("values", "strings"),
    [
        ([7, -3], ["7", "-3"]),
        (np.array([2**63], np.uint64), [str(2**63)]),
        (np.array([b"a", "é".encode()]), ["a", "é"]),
        (np.array(["a", "b"], object), ["a", "b"]),
        (np.array(["a", "bc"], ">U2"), ["a", "bc"]),
        ([2**70, 1], [str(2**70), "1"]),
    ],
)
def test_ids_become_strings(values, strings):
    ids = as_ids("doc_id", values)
    assert ids.tolist() == strings
    assert ids.dtype.kind == "U"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([0.5, 1.0], "0.5 in row 0 is no id"),
        (["a", None], "row 1 is None"),
        (np.array(["a", float("nan")], object), "row 1 is nan"),
        ([True, False], "no id"),
        (["a", ""], "row 1 is empty"),
        (["a", "b" * 1001], "row 1 is longer than 1000"),
        (np.array(["a", "b" * 1001], object), "row 1 is longer than 1000"),
        ([["a"]], "one dimension"),
        (["a", "b", "c"], "3 ids for 2 documents"),
    ],
)
def test_what_is_no_id(values, told):
    with pytest.raises(DataError, match=told):
        as_ids("doc_id", values, length=2 if len(values) == 3 else None)
