"""Judgments and runs, brought together: against dictionaries, and whatever the order of rows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError, ParameterError, Qrels, RankingData, Run
from gbrank.data import join

NAMES = st.sampled_from("abcdef")
QUERIES = st.sampled_from(["q", "qq", "7", "r"])
NESTED = st.dictionaries(
    QUERIES, st.dictionaries(NAMES, st.integers(-2, 3).map(float), min_size=1), min_size=1, max_size=4
)


def pairs(joined, query_ids):
    """Return {query: [(document, label, score, row)]}."""
    ptr = joined.query_ptr.tolist()
    rows = list(zip(joined.doc_id.tolist(), joined.y.tolist(), joined.score.tolist(), joined.row.tolist(), strict=True))
    return {query: rows[a:b] for query, a, b in zip(query_ids.tolist(), ptr, ptr[1:], strict=False)}


@given(NESTED, NESTED)
@settings(deadline=None, max_examples=100)
def test_it_is_what_dictionaries_say(labels, scores):
    qrels, run = Qrels.from_dict(labels), Run.from_dict(scores)
    if not labels.keys() & scores.keys():
        with pytest.raises(DataError, match="no query of the run is judged"):
            join(qrels, run)
        return
    joined = join(qrels, run)
    place = {(q, d): i for i, (q, d) in enumerate(zip(qrels.qid.tolist(), qrels.doc_id.tolist(), strict=True))}
    expected = {}
    for query, judged in labels.items():
        found = scores.get(query, {})
        expected[query] = [
            *((d, judged.get(d, -2.0), score, place.get((query, d), -1)) for d, score in found.items()),
            *((d, label, -math.inf, place[query, d]) for d, label in judged.items() if d not in found),
        ]
    assert pairs(joined, qrels.query_ids) == expected
    left = [query for query in scores if query not in labels]
    assert joined.other_queries.tolist() == left
    assert joined.other_documents == sum(len(scores[query]) for query in left)


def test_data_with_numbers_as_query_ids():
    data = RankingData(np.zeros((3, 1)), [1, 0, 2], qid=[7, 7, 3], doc_id=["x", "y", "x"])
    run = Run(["3", "7"], ["x", "z"], [0.5, 0.25])
    assert pairs(join(data, run), data.query_ids) == {
        7: [("z", -2, 0.25, -1), ("x", 1, -math.inf, 0), ("y", 0, -math.inf, 1)],
        3: [("x", 2, 0.5, 2)],
    }


def test_many_documents_in_several_threads():
    rng = np.random.default_rng(0)
    documents = rng.permutation(100_000)
    qid = np.repeat(np.arange(100), 1000)
    qrels = Qrels(qid, documents, rng.integers(0, 3, 100_000))
    kept = rng.permutation(100_000)[:70_000]
    run = Run(qid[kept], documents[kept], rng.normal(size=70_000))
    joined = join(qrels, run, n_jobs=3)
    assert (joined.row >= 0).all()
    np.testing.assert_array_equal(np.sort(joined.row), np.arange(100_000))
    np.testing.assert_array_equal(qrels.doc_id[joined.row], joined.doc_id)
    np.testing.assert_array_equal(qrels.label[joined.row], joined.y)
    assert np.isfinite(joined.score).sum() == 70_000
    given = dict(zip(zip(run.qid.tolist(), run.doc_id.tolist(), strict=True), run.score.tolist(), strict=True))
    qids = np.repeat(qrels.query_ids, np.diff(joined.query_ptr)).tolist()
    for query, document, score in list(zip(qids, joined.doc_id.tolist(), joined.score.tolist(), strict=True))[::997]:
        assert given.get((query, document), -math.inf) == score


def test_refusals():
    run = Run(["a"], ["x"], [1])
    with pytest.raises(DataError, match="no query of the run is judged: it has a, the judgments b"):
        join(Qrels(["b"], ["x"], [1]), run)
    with pytest.raises(DataError, match="the data have no document ids"):
        join(RankingData([[1.0]], [1], qid=["a"]), run)
    with pytest.raises(DataError, match="document x of query a is in rows 0 and 1 of the data"):
        join(RankingData([[1.0], [2.0]], [1, 0], qid=["a", "a"], doc_id=["x", "x"]), run)
    with pytest.raises(DataError, match="the id in row 0 is empty"):
        join(RankingData([[1.0]], [1], qid=["a"], doc_id=[""]), run)
    with pytest.raises(DataError, match="2 label columns"):
        join(RankingData([[1.0]], [[1, 0]], qid=["a"], doc_id=["x"]), run)
    with pytest.raises(ParameterError, match=r"run=dict: give a gbrank.Run"):
        join(Qrels(["a"], ["x"], [1]), {"a": {"x": 1}})
