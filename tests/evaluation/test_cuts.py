"""How queries are cut into slices."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import DataError, ParameterError
from gbrank.evaluation import head_tail
from gbrank.evaluation._cuts import NO_VALUE, cut

NUMBERS = st.lists(st.integers(-5, 40), min_size=1, max_size=60)


@given(NUMBERS, st.integers(1, 6))
def test_quantiles(numbers, bins):
    labels = cut(pd.Series(numbers), bins)
    places = labels.cat.codes.to_numpy()
    values = np.array(numbers)
    assert (np.diff(places[np.argsort(values, kind="stable")]) >= 0).all(), "higher values never in a lower slice"
    assert all(len(set(places[values == v])) == 1 for v in values), "equal values stay together"
    assert len(labels.cat.categories) <= bins
    counts = np.bincount(places)
    assert (counts > 0).all()
    for slice_, name in enumerate(labels.cat.categories):
        low, high = values[places == slice_].min(), values[places == slice_].max()
        assert name == (f"{low}" if low == high else f"{low} to {high}")


def test_quantiles_of_distinct_values_are_even():
    labels = cut(pd.Series(np.random.default_rng(0).permutation(100) / 7), 4)
    assert labels.value_counts().tolist() == [25] * 4


def test_names_of_slices_get_digits_until_they_differ():
    close = cut(pd.Series([0.12341, 0.12342, 0.12343, 0.12344]), 2)
    assert close.cat.categories.tolist() == ["0.12341 to 0.12342", "0.12343 to 0.12344"]
    assert cut(pd.Series([1234567, 1234568]), 1).cat.categories.tolist() == ["1234567 to 1234568"]
    assert cut(pd.Series([0.1 + 0.2, 0.7]), 1).cat.categories.tolist() == ["0.3 to 0.7"]


def test_edges_belong_to_the_slice_above():
    labels = cut(pd.Series([1, 10, 9.99, 100, 1000]), [10, 100, 500])
    assert labels.tolist() == ["below 10", "from 10 to below 100", "below 10", "from 100 to below 500", "from 500"]
    empty = cut(pd.Series([1.0]), [10])
    assert empty.cat.categories.tolist() == ["below 10", "from 10"], "a slice asked for is there, empty or not"


@pytest.mark.parametrize("edges", [[], [2, 1], [1, 1], [1, np.nan], ["x"]])
def test_bad_edges(edges):
    with pytest.raises((ParameterError, DataError)):
        cut(pd.Series([1.0, 2.0]), edges)


@pytest.mark.parametrize("bins", [0, -1, True])
def test_bad_number_of_bins(bins):
    with pytest.raises(ParameterError, match="whole number of at least 1"):
        cut(pd.Series([1.0, 2.0]), bins)


def test_what_is_no_number_is_taken_as_it_is():
    assert cut(pd.Series(["b", "a", None, "b"]), 4).cat.categories.tolist() == ["a", "b", NO_VALUE]
    assert cut(pd.Series(["b", "a", None, "b"]), 4).tolist() == ["b", "a", NO_VALUE, "b"]
    assert cut(pd.Series([True, False]), 4).cat.categories.tolist() == ["False", "True"]
    assert cut(pd.Series([3, 1, 3]), None).cat.categories.tolist() == ["1", "3"]
    ordered = pd.Series(pd.Categorical(["late", "early"], ["early", "noon", "late"], ordered=True))
    assert cut(ordered, 4).cat.categories.tolist() == ["early", "late"]
    assert cut(pd.Series([1, "a"], dtype=object), 4).cat.categories.tolist() == ["1", "a"]


def test_all_without_a_value():
    assert cut(pd.Series([np.nan, np.nan]), 4).tolist() == [NO_VALUE] * 2


def test_names_that_would_merge_are_refused():
    with pytest.raises(DataError, match="print alike"):
        cut(pd.Series([1, "1"], dtype=object), None)
    with pytest.raises(DataError, match="rename that value"):
        cut(pd.Series([NO_VALUE, None]), None)


def test_head_and_tail_by_share_of_occurrences():
    # 40 + 30 reach 60 of 100; the two with 10 begin after 70.
    found = head_tail({"a": 40, "b": 10, "c": 30, "d": 10, "e": 10}, head=0.6)
    assert found.to_dict() == {"a": "head", "b": "tail", "c": "head", "d": "tail", "e": "tail"}
    assert found.cat.categories.tolist() == ["head", "tail"]
    # At .71 the three with 10 begin (at .70) before it and come together.
    assert set(head_tail({"a": 40, "b": 10, "c": 30, "d": 10, "e": 10}, head=0.71)) == {"head"}
    assert head_tail({"a": 2, "b": 1, "c": 1}).tolist() == ["head", "tail", "tail"], "the head ends before half"
    assert head_tail({"a": 3, "b": None}).isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("frequency", "head", "message"),
    [
        ({"a": -1}, 0.5, "query 'a' has -1"),
        ({"a": "x"}, 0.5, "must be a number"),
        ({"a": 1}, 0, "between 0 and 1"),
        ({"a": 1}, 1.0, "between 0 and 1"),
        ({"a": 1}, True, "between 0 and 1"),
    ],
)
def test_bad_frequencies(frequency, head, message):
    with pytest.raises((DataError, ParameterError), match=message):
        head_tail(frequency, head=head)
