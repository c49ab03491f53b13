"""Best and worst queries against sorting by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import gbrank
from gbrank.reports._queries import document_name, rank_of_best, row, worst_and_best


def of(lists, **fields):
    y = np.concatenate(lists)
    qid = np.repeat(np.arange(len(lists)), [len(each) for each in lists])
    return gbrank.RankingData(np.zeros((len(y), 1)), y, qid, **fields)


def test_worst_first_larger_first_and_one_label_left_out():
    data = of([[0, 1], [0, 0, 1], [1, 1], [0, 1, 2], [2, 0], [0, 1]])
    values = np.array([0.2, 0.2, 0.0, 0.9, 1.0, np.nan])
    assert worst_and_best(data, values) == ([1, 0], [4, 3])


def test_no_query_in_both():
    data = of([[0, 1]] * 30)
    worst, best = worst_and_best(data, np.arange(30) / 30)
    assert worst == list(range(10))
    assert best == [29, 28, 27, 26, 25]
    worst, best = worst_and_best(data, np.ones(30))
    assert not set(worst) & set(best)
    assert worst_and_best(of([[0, 1]]), np.ones(1)) == ([0], [])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=6))
def test_rank_of_best_spans_all_orders_of_ties(documents):
    """The span runs from the order that is kindest among ties to the harshest."""
    y, score = np.array(documents, dtype=float).T
    first, *last = map(int, rank_of_best(y, score).split("–"))
    best_first = np.lexsort((-y, -score))
    worst_first = np.lexsort((y, -score))
    assert int(np.argmax(y[best_first] == y.max())) + 1 == first
    assert int(np.argmax(y[worst_first] == y.max())) + 1 == (last or [first])[0]


def test_row():
    data = of([[0, 2, 1, 0]], doc_id=["a", "b", "c", "d"])
    query, value, documents, labels, rank, first = row(
        data, np.array([0.1, 0.3, 0.4, 0.2]), np.array([0.5]), 0, rank=True
    )
    assert (query, value, documents, labels, rank) == ("0", "0.5000", "4", "1 × label 2, 1 × label 1, 2 × label 0", "2")
    assert [tuple(document) for document in first] == [("1", "c"), ("2", "b"), ("0", "d"), ("0", "a")]


def test_zero_has_no_sign():
    _, _, _, labels, first = row(of([[-0.0, 1]]), np.zeros(2), np.ones(1), 0, rank=False)
    assert labels == "1 × label 1, 1 × label 0"
    assert first[0].label == "0"


def test_documents_without_ids_are_rows_as_given():
    data = gbrank.RankingData(np.zeros((3, 1)), [0, 1, 2], ["b", "a", "b"])
    assert [document_name(data, place) for place in range(3)] == ["row 0", "row 2", "row 1"]
