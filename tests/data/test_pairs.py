"""Explicit pairs: they follow their documents wherever these go, and what is no pair is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import DataError, RankingData

QID = ["b", "a", "b", "c", "a", "b"]


def make(pairs, pair_weight=None, qid=QID):
    rows = np.arange(len(qid), dtype=float)
    return RankingData(rows[:, None], rows, qid, pairs=pairs, pair_weight=pair_weight)


@st.composite
def data_with_pairs(draw):
    """Scattered queries and pairs of their documents, with repetitions."""
    qid = draw(st.lists(st.integers(0, 4), min_size=2, max_size=20))
    possible = [(i, j) for i in range(len(qid)) for j in range(len(qid)) if i != j and qid[i] == qid[j]]
    pairs = draw(st.lists(st.sampled_from(possible), max_size=30)) if possible else []
    return qid, pairs


def by_query(pairs, qid, queries):
    """The pairs of each query in turn, as given."""
    return [list(pair) for query in queries for pair in pairs if qid[pair[0]] == query]


@given(data_with_pairs(), st.data())
def test_pairs_follow_their_documents(case, draw):
    qid, pairs = case
    weight = np.arange(1.0, len(pairs) + 1)
    data = make(np.reshape(pairs, (-1, 2)).astype(int), weight, qid)
    chosen = draw.draw(st.permutations(range(data.n_queries)))[: draw.draw(st.integers(1, data.n_queries))]
    for part in (data, data.take(chosen)):
        assert part.order[part.pairs].tolist() == by_query(pairs, qid, part.query_ids)
        as_given = [int(w) - 1 for w in part.pair_weight]
        assert [list(pairs[k]) for k in as_given] == part.order[part.pairs].tolist()
        assert all(np.diff(as_given)[np.diff(part.qid[part.pairs[:, 0]]) == 0] > 0)
        ptr = np.searchsorted(part.pairs[:, 0], part.query_ptr)
        for q in range(part.n_queries):
            rows = part.pairs[ptr[q] : ptr[q + 1]]
            assert ((part.query_ptr[q] <= rows) & (rows < part.query_ptr[q + 1])).all()
        assert (ptr[0], ptr[-1]) == (0, len(part.pairs))


@pytest.mark.parametrize(
    "pairs", [[[0, 2]], [[0.0, 2.0]], np.array([[0, 2]], np.uint64), np.array([[0, 2]], np.int8), ((0, 2),)]
)
def test_row_numbers_of_any_type(pairs):
    data = make(pairs)
    assert data.pairs.dtype == np.int64
    assert data.pairs.tolist() == [[0, 1]]
    assert data.pair_weight is None


def test_no_pair_is_not_the_same_as_no_pairs():
    assert make(np.empty((0, 2), int), []).pairs.shape == (0, 2)
    assert make([[0, 2]]).take([1]).pairs.shape == (0, 2)
    assert make(None).pairs is None


def test_labels_may_change_and_pairs_stay():
    assert make([[0, 2]], [3]).with_labels(np.zeros(6)).pairs.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("pairs", "weight", "words"),
    [
        ([[0, 2], [0, 1]], None, "pair 1 has row 0 of query 'b' and row 1 of query 'a'; .* within a query only"),
        ([[0, 2], [2, 2]], None, r"pair 1 has row 2 \(query 'b'\) twice"),
        ([[0, 6]], None, "pair 0 has rows 0 and 6; rows are whole numbers from 0 to 5"),
        ([[-1, 0]], None, "pair 0 has rows -1 and 0"),
        ([[0, 2.5]], None, "pair 0 has rows 0.0 and 2.5"),
        ([[0, np.nan]], None, "pair 0 has rows 0.0 and nan"),
        ([[0, np.inf]], None, "pair 0 has rows 0.0 and inf"),
        (np.array([[0, 2**64 - 1]], np.uint64), None, "pair 0 has rows 0 and 18446744073709551615"),
        ([["a", "b"]], None, "whole numbers, not <U1"),
        ([[True, False]], None, "whole numbers, not bool"),
        ([[0, None]], None, "whole numbers, not object"),
        ([0, 2], None, r"shape \(n_pairs, 2\), not \(2,\)"),
        ([[0, 2, 5]], None, r"shape \(n_pairs, 2\), not \(1, 3\)"),
        ([[0, 2], [5]], None, "each pair is two row numbers"),
        ([[0, 2]], [1, 2], "pair_weight: 2 values for 1 pairs"),
        ([[0, 2], [2, 5]], [1, -1], "pair_weight: row 1 is -1; a weight cannot be negative"),
        ([[0, 2]], [np.nan], "pair_weight: row 0 is nan"),
        ([[0, 2]], [0], "all weights are zero"),
        (None, [1], "no pairs to weight"),
    ],
)
def test_what_is_refused(pairs, weight, words):
    with pytest.raises(DataError, match=words):
        make(pairs, weight)


def test_numbered_queries_are_named_by_number():
    with pytest.raises(DataError, match="row 0 of query 7 and row 1 of query 8"):
        make([[0, 1]], qid=[7, 8])
