"""The container: every field follows its document, and what is wrong is named."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from gbrank import DataError, RankingData
from gbrank.data._ranking_data import OPTIONAL

QID = ["b", "a", "b", "c", "a", "b"]
ORDER = [0, 2, 5, 1, 4, 3]  # rows by first appearance of their query


def make(**fields):
    """Six scattered rows, each field telling its own row."""
    rows = np.arange(6.0)
    given = {
        "X": np.stack([rows, rows + 10], axis=1),
        "y": rows + 20,
        "qid": QID,
        "doc_id": [f"d{i}" for i in range(6)],
        "position": np.arange(6) + 31,
        "sample_weight": rows + 41,
        "query_weight": {"a": 51.0, "b": 52.0, "c": 53.0},
        "pairs": [[1, 4], [5, 0], [4, 1], [2, 5]],
        "pair_weight": [61.0, 62.0, 63.0, 64.0],
        "init_score": np.stack([rows + 71, rows + 81], axis=1),
        "feature_names": ["left", "right"],
    }
    return RankingData(**given | fields)


def test_rows_stand_query_by_query():
    data = make()
    assert data.query_ids.tolist() == ["b", "a", "c"]
    assert data.query_ptr.tolist() == [0, 3, 5, 6]
    assert data.order.tolist() == ORDER
    assert data.qid.tolist() == [QID[row] for row in ORDER]
    assert data.query_sizes.tolist() == [3, 2, 1]
    assert (data.n_documents, len(data), data.n_queries, data.n_features) == (6, 6, 3, 2)
    assert repr(data) == (
        "RankingData(3 queries, 6 documents, 2 features, with doc_id, position, sample_weight, query_weight, pairs, "
        "pair_weight, init_score)"
    )


# What each field holds for the rows of ORDER, and for the queries c and b in this order.
TAKEN = [3, 0, 2, 5]
FIELDS = {
    "X": ([[r, r + 10] for r in ORDER], [[r, r + 10] for r in TAKEN]),
    "y": ([r + 20 for r in ORDER], [r + 20 for r in TAKEN]),
    "order": (ORDER, TAKEN),
    "doc_id": ([f"d{r}" for r in ORDER], [f"d{r}" for r in TAKEN]),
    "position": ([r + 31 for r in ORDER], [r + 31 for r in TAKEN]),
    "sample_weight": ([r + 41 for r in ORDER], [r + 41 for r in TAKEN]),
    "query_weight": ([52, 51, 53], [53, 52]),
    "pairs": ([[2, 0], [1, 2], [3, 4], [4, 3]], [[3, 1], [2, 3]]),
    "pair_weight": ([62, 64, 61, 63], [62, 64]),
    "init_score": ([[r + 71, r + 81] for r in ORDER], [[r + 71, r + 81] for r in TAKEN]),
    "query_ids": (["b", "a", "c"], ["c", "b"]),
    "query_ptr": ([0, 3, 5, 6], [0, 1, 4]),
    "feature_names": (("left", "right"), ("left", "right")),
    "categories": ({}, {}),
}


def test_every_field_is_tested():
    assert set(FIELDS) == {field.name for field in dataclasses.fields(RankingData)}


@pytest.mark.parametrize("name", FIELDS)
def test_field_follows_its_document(name):
    given, taken = FIELDS[name]
    data = make()
    assert np.asarray(getattr(data, name)).tolist() == np.asarray(given).tolist()
    assert np.asarray(getattr(data.take([2, 0]), name)).tolist() == np.asarray(taken).tolist()
    by_mask = data.take([True, False, True])
    assert np.asarray(getattr(by_mask.take([1, 0]), name)).tolist() == np.asarray(taken).tolist()


@pytest.mark.parametrize("name", OPTIONAL)
def test_optional_field_left_out(name):
    without = {"pairs": None, "pair_weight": None} if name == "pairs" else {name: None}
    data = make(**without)
    assert getattr(data, name) is None
    assert getattr(data.take([1]), name) is None
    assert f"{name}," not in repr(data).replace(")", ",")


def test_sparse_features_follow_their_documents():
    data = make(X=sp.coo_array(np.stack([np.arange(6.0), np.zeros(6)], axis=1)))
    assert data.X.format == "csr"
    assert data.X.toarray()[:, 0].tolist() == ORDER
    assert data.take([2, 0]).X.toarray()[:, 0].tolist() == TAKEN


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.data())
def test_take_any_queries(ids, draw):
    rows = np.arange(len(ids), dtype=float)
    data = RankingData(rows[:, None], rows, ids)
    chosen = draw.draw(st.permutations(range(data.n_queries)))[: draw.draw(st.integers(1, data.n_queries))]
    taken = data.take(chosen)
    expected = [row for q in chosen for row in range(len(ids)) if ids[row] == data.query_ids[q]]
    assert taken.y.tolist() == taken.order.tolist() == expected
    assert taken.qid.tolist() == [ids[row] for row in expected]


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        ([], "at least one"),
        ([0.5], "at least one"),
        ([[0]], "at least one"),
        ([3], "queries: 3 is outside 0 to 2"),
        ([-1], "-1 is outside 0 to 2"),
        ([1, 1], "chosen twice"),
        ([True, False], r"mask of shape \(2,\) for 3 queries"),
        ([False] * 3, "at least one"),
    ],
)
def test_take_refuses(queries, words):
    with pytest.raises(DataError, match=words):
        make().take(queries)


def test_with_labels():
    data = make().with_labels(np.arange(6))
    assert data.y.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.doc_id.tolist() == make().doc_id.tolist()
    with pytest.raises(DataError, match="5 values for 6 documents"):
        data.with_labels(np.arange(5))


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().y = np.zeros(6)


def test_several_label_columns():
    data = make(y=np.arange(12).reshape(6, 2))
    assert data.y[:, 1].tolist() == [2 * row + 1 for row in ORDER]
    assert data.take([2]).y.tolist() == [[6, 7]]
    assert make(y=np.arange(6).reshape(6, 1)).y.shape == (6,)


REFUSED = [
    ({"X": np.ones((5, 2))}, "X has 5 rows and qid 6"),
    ({"X": np.ones(6)}, "two dimensions"),
    ({"X": [["a", "b"]] * 6}, "every value must be a number"),
    ({"X": np.array([[1.0, 2]] * 5 + [[1, np.inf]])}, "row 5, column 1 is infinite"),
    ({"X": sp.csr_array([[1.0, 2]] * 5 + [[1, -np.inf]])}, "stored value 11 is infinite"),
    ({"X": pd.DataFrame({"a": pd.date_range("2026", periods=6), "b": 1})}, "column 'a' is of type"),
    ({"feature_names": ["a"]}, "1 distinct names for 2 columns"),
    ({"feature_names": ["a", "a"]}, r"1 distinct names for 2 columns \('a' more than once\); give each its own"),
    ({"y": np.zeros(5)}, "y: 5 values for 6 documents"),
    ({"y": np.zeros((5, 2))}, "y: 5 rows for 6 documents"),
    ({"y": [0, 1, 2, 3, 4, np.nan]}, "y: row 5 is nan"),
    ({"y": [[0, 1]] * 5 + [[0, np.inf]]}, r"label column 1\): row 5 is inf"),
    ({"y": ["x"] * 6}, "y: every value must be a number"),
    ({"y": np.zeros((6, 2, 2))}, "one dimension"),
    ({"qid": [1, 2, 3, 4, 5, 6.5]}, "qid: row 5 is 6.5"),
    ({"doc_id": ["a"]}, r"doc_id: shape \(1,\) for 6 documents"),
    ({"position": [1, 2, 3, 4, 5, 0]}, "position: row 5 is 0"),
    ({"position": [1, 2, 3, 4, 5, 1.5]}, "position: row 5 is 1.5"),
    ({"position": [1, 2, 3, 4, 5, 1e30]}, "position: row 5 is 1e"),  # as an integer it would be negative
    ({"position": [1, 2, 3, 4, 5, 2**40]}, "whole ranks from 1 to 1,000,000"),
    ({"position": [1, 2]}, "position: 2 values for 6 documents"),
    ({"sample_weight": [1, 1, 1, 1, 1, -1]}, "sample_weight: row 5 is -1"),
    ({"sample_weight": [0] * 6}, "all weights are zero"),
    ({"sample_weight": [1]}, "sample_weight: 1 values for 6 documents"),
    ({"query_weight": {"a": 1, "b": 2}}, "no weight for query 'c'"),
    ({"query_weight": [1, 2]}, "query_weight: 2 values for 3 queries"),
    ({"query_weight": pd.Series({"a": 1, "b": 2, "d": 3})}, "no weight for query 'c'"),
    ({"query_weight": pd.Series([1, 2, 3], index=["a", "b", "a"])}, "holds a query twice"),
    ({"query_weight": [1, 2, np.nan]}, "query_weight: row 2 is nan"),
    ({"init_score": [1, 2]}, "init_score: 2 values for 6 documents"),
    ({"init_score": [[1, 2]] * 5 + [[0, np.nan]]}, r"init_score \(column 1\): row 5 is nan"),
]


@pytest.mark.parametrize(("fields", "words"), REFUSED)
def test_what_is_refused(fields, words):
    with pytest.raises(DataError, match=words):
        make(**fields)


def test_no_documents():
    with pytest.raises(DataError, match="no documents"):
        RankingData(np.empty((0, 2)), [], np.empty(0, np.int64))


def test_weights_of_queries_in_a_series_go_by_its_index():
    frame = pd.DataFrame({"qid": QID, "weight": [52.0, 51.0, 52.0, 53.0, 51.0, 52.0]})
    by_id = frame.groupby("qid")["weight"].mean()  # sorted: a, b, c
    assert make(query_weight=by_id).query_weight.tolist() == [52, 51, 53]
    numbers = frame["qid"].map({"a": 7, "b": 9, "c": 0})
    by_number = frame.groupby(numbers)["weight"].mean()
    assert make(qid=numbers, query_weight=by_number).query_weight.tolist() == [52, 51, 53]
    assert make(query_weight=pd.Series([52.0, 51.0, 53.0])).query_weight.tolist() == [52, 51, 53]
