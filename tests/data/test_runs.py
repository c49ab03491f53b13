"""`Run` and `Qrels`: what they hold, and the forms of other libraries, each way."""

import math

import ir_measures
import numpy as np
import pandas as pd
import pytest
import ranx
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError, Qrels, RankingData, Run

IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NESTED = st.dictionaries(IDS, st.dictionaries(IDS, FINITE, min_size=1, max_size=5), min_size=1, max_size=5)
LABELS = st.dictionaries(IDS, st.dictionaries(IDS, st.integers(-2, 5), min_size=1, max_size=5), min_size=1, max_size=5)


def test_queries_stand_in_order_of_appearance():
    run = Run([3, 1, 3], ["x", "x", "y"], [1, 2, 3], name="r")
    assert run.query_ids.tolist() == ["3", "1"]
    assert run.query_ptr.tolist() == [0, 2, 3]
    assert run.doc_id.tolist() == ["x", "y", "x"]
    assert run.score.tolist() == [1, 3, 2]
    assert run.qid.tolist() == ["3", "3", "1"]
    assert (run.n_queries, run.n_documents, len(run), run.query_sizes.tolist()) == (2, 3, 3, [2, 1])
    assert repr(run) == "Run('r', 2 queries, 3 documents)"
    assert repr(Qrels(["a"], ["x"], [1])) == "Qrels(1 queries, 1 documents)"


def test_the_arrays_given_are_not_shared():
    score = np.array([1.0, 2.0])
    run = Run(["a", "a"], ["x", "y"], score)
    score[0] = 9
    assert run.score.tolist() == [1, 2]


@given(NESTED)
@settings(deadline=None, max_examples=60)
def test_runs_there_and_back(nested):
    run = Run.from_dict(nested, name="r")
    assert run.to_dict() == nested
    assert [list(documents) for documents in run.to_dict().values()] == [list(each) for each in nested.values()]
    assert Run.from_frame(run.to_frame()).to_dict() == nested
    assert Run.from_ir_measures(run.to_ir_measures()).to_dict() == nested
    columns = {"query": run.qid, "docid": run.doc_id.tolist(), "score": run.score.tolist(), "rank": [0] * len(run)}
    assert Run.from_dict(columns).to_dict() == nested


@given(LABELS)
@settings(deadline=None, max_examples=60)
def test_judgments_there_and_back(nested):
    qrels = Qrels.from_dict(nested)
    assert qrels.to_dict() == nested
    assert all(isinstance(label, int) for documents in qrels.to_dict().values() for label in documents.values())
    assert Qrels.from_frame(qrels.to_frame()).to_dict() == nested
    rows = qrels.to_ir_measures()
    assert all(isinstance(row, ir_measures.Qrel) for row in rows)
    assert Qrels.from_ir_measures(iter(rows)).to_dict() == nested


def test_ranx_there_and_back():
    run = Run(["q1", "q1", "q2"], ["a", "b", "a"], [0.1, 0.9, 1e-9], name="dense")
    theirs = run.to_ranx()
    assert isinstance(theirs, ranx.Run)
    assert theirs.name == "dense"
    assert Run.from_ranx(theirs).to_dict() == run.to_dict()
    assert Run.from_ranx(theirs).name == "dense"
    qrels = Qrels(["q1", "q1", "q2"], ["a", "b", "a"], [2, 0, 1])
    assert isinstance(qrels.to_ranx(), ranx.Qrels)
    assert Qrels.from_ranx(qrels.to_ranx()).to_dict() == qrels.to_dict()
    assert ranx.evaluate(qrels.to_ranx(), theirs, "mrr") == pytest.approx(0.75)


@pytest.mark.parametrize("names", [("query_id", "doc_id"), ("q_id", "doc_id"), ("qid", "docno"), ("query", "docid")])
def test_frames_of_several_libraries(names):
    frame = pd.DataFrame({names[0]: ["7", "7"], names[1]: ["x", "y"], "score": np.float32([0.5, 2])})
    assert Run.from_frame(frame, name="n").to_dict() == {"7": {"x": 0.5, "y": 2.0}}
    assert Qrels.from_frame(frame.rename(columns={"score": "relevance"})).to_dict() == {"7": {"x": 0.5, "y": 2.0}}


def test_labels_that_are_not_whole_stay():
    assert Qrels(["a", "a"], ["x", "y"], [0.5, 1]).to_dict() == {"a": {"x": 0.5, "y": 1.0}}


def test_of_data():
    data = RankingData(np.zeros((3, 1)), [0, 2, 1], qid=[5, 4, 5], doc_id=["x", "x", "y"])
    run = Run.from_data(data, [0.5, 0.25, 0.75], name="r")  # rows of data: 5 x, 5 y, 4 x
    assert run.to_dict() == {"5": {"x": 0.5, "y": 0.25}, "4": {"x": 0.75}}
    assert Qrels.from_data(data).to_dict() == {"5": {"x": 0, "y": 1}, "4": {"x": 2}}
    nameless = RankingData(np.zeros((1, 1)), [0], qid=[5])
    with pytest.raises(DataError, match="no document ids"):
        Run.from_data(nameless, [1.0])
    with pytest.raises(DataError, match="2 label columns"):
        Qrels.from_data(RankingData(np.zeros((1, 1)), [[0, 1]], qid=[5], doc_id=["x"]))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ((["a"], ["x", "y"], [1, 2]), "doc_id: 2 ids for 1 documents"),
        ((["a", "a"], ["x", "y"], [1]), "score: 1 values for 2 documents"),
        ((["a", "b", "a"], ["x", "x", "x"], [1, 2, 3]), "document x of query a is given twice, in rows 0 and 2"),
        ((["a"], ["x"], [math.nan]), "score: row 0 is nan"),
        ((["a"], ["x"], [math.inf]), "score: row 0 is inf"),
        ((["a"], ["x"], ["1"]), "row 0 is '1'; every value must be a number"),
        ((["a", "a"], ["x", "y"], [1.0, None]), "row 1 is None"),
        ((["a"], ["x"], [True]), "row 0 is True"),
        (([], [], []), "there are no documents"),
        (([1.5], ["x"], [1]), "qid: 1.5 in row 0 is no id"),
    ],
)
def test_what_a_run_refuses(fields, told):
    with pytest.raises(DataError, match=told):
        Run(*fields)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "give {query id"),
        ([1], "give {query id"),
        ({"a": {"x": 1}, 1: {"x": 1}, "1": {"x": 2}}, "two ids of a query are '1'"),
        ({"a": {1: 1, "1": 2}}, "two ids of a document of query 'a' are '1'"),
        ({"a": {None: 1}}, "None is no id of a document of query 'a'"),
        ({"a": {"x": {"y": 1}}}, "every value must be a number"),
        ({"a": {"x": "1"}}, "every value must be a number"),
        ({"a": {}}, "there are no documents"),
        ({"query": ["a"], "score": [1]}, "no column of document ids; name one of query, score 'doc_id'"),
        ({"a": {"x": 1}, "b": [1]}, "no column of query ids"),
    ],
)
def test_what_a_dictionary_may_not_be(values, told):
    with pytest.raises(DataError) as caught:
        Run.from_dict(values)
    assert told in str(caught.value)


def test_a_query_without_documents():
    assert Run.from_dict({"a": {}, "b": {"x": 1}}).to_dict() == {"b": {"x": 1}}  # nothing retrieved: missing
    with pytest.raises(DataError, match="query 'a' has no documents"):
        Qrels.from_dict({"a": {}, "b": {"x": 1}})


def test_a_library_that_is_not_there(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("gbrank._optional.importlib.import_module", missing)
    with pytest.raises(DataError, match="ranx is not installed; install it: pip install ranx"):
        Run(["a"], ["x"], [1]).to_ranx()
