"""Data sets one after the other: order, pairs and every field; what is not alike is refused."""

import numpy as np
import pytest
import scipy.sparse as sp

from gbrank import DataError, RankingData, concat


def part(ids, start=0, **fields):
    rows = np.arange(start, start + len(ids), dtype=float)
    return RankingData(rows[:, None], rows, ids, **fields)


def test_concat_keeps_parts_in_order():
    names = ("doc_id", "position", "sample_weight", "init_score")
    a = part(["x", "x"], doc_id=["a", "b"], position=[1, 2], sample_weight=[1, 2], query_weight=[3], init_score=[5, 6])
    b = part(["y"], start=2, doc_id=["c"], position=[3], sample_weight=[3], query_weight=[4], init_score=[7])
    both = concat([a, b])
    assert both.y.tolist() == both.X[:, 0].tolist() == [0, 1, 2]
    assert both.query_ids.tolist() == ["x", "y"]
    assert both.query_weight.tolist() == [3, 4]
    assert [getattr(both, name).tolist() for name in names] == [["a", "b", "c"], [1, 2, 3], [1, 2, 3], [5, 6, 7]]
    assert both.order.tolist() == [0, 1, 2]


def test_concat_renumbers_pairs():
    a = part(["x", "y", "x"], pairs=[[2, 0]], pair_weight=[1])
    b = part(["x", "z", "z"], start=3, pairs=[[1, 2], [2, 1]], pair_weight=[2, 3])
    merged = concat([a, b, b.take([0])], shared_queries="merge")  # the last part has no pair left
    assert merged.y.tolist() == [0, 2, 3, 3, 1, 4, 5]
    assert merged.y[merged.pairs].tolist() == [[2, 0], [4, 5], [5, 4]]
    assert merged.pair_weight.tolist() == [1, 2, 3]
    apart = concat([a.take([1]), b.take([1])])
    assert apart.y[apart.pairs].tolist() == [[4, 5], [5, 4]]


def test_concat_of_sparse_parts():
    a, b = (RankingData(sp.csr_array([[i, 0.0]]), [i], [i]) for i in (1, 2))
    assert concat([a, b]).X.toarray().tolist() == [[1, 0], [2, 0]]


def test_shared_queries_are_refused_or_merged():
    a, b = part([1, 2]), part([3, 1], start=2)
    with pytest.raises(DataError, match="query 1 is in more than one part"):
        concat([a, b])
    merged = concat([a, b], shared_queries="merge")
    assert merged.query_ids.tolist() == [1, 2, 3]
    assert merged.y.tolist() == merged.order.tolist() == [0, 3, 1, 2]


@pytest.mark.parametrize(
    ("parts", "options", "words"),
    [
        ([], {}, "at least one"),
        ([part([1])], {"shared_queries": "drop"}, "choose 'refuse' or 'merge'"),
        ([part([1]), part([2], feature_names=["z"])], {}, "other names"),
        ([part([1]), part(["2"])], {}, "numbers in one part and strings in another"),
        ([part([1]), part([2], doc_id=["d"])], {}, "doc_id is given in only one"),
        ([part([1]), part([2], query_weight=[1])], {}, "query_weight is given in only one"),
        ([part([1], init_score=[0]), part([2], init_score=[[0, 0]])], {}, "another number of columns in part 1"),
        ([part([1, 1]), part([2, 2], pairs=[[0, 1]])], {}, "pairs is given in only one"),
        ([part([1]), RankingData(sp.csr_array([[1.0]]), [0], [2])], {}, "dense or sparse"),
        ([part([1]), RankingData([[1.0]], [[0, 1]], [2])], {}, "label columns"),
        ([part([1], query_weight=[1]), part([1], query_weight=[2])], {"shared_queries": "merge"}, "query_weight"),
    ],
)
def test_concat_refuses(parts, options, words):
    with pytest.raises(DataError, match=words):
        concat(parts, **options)
