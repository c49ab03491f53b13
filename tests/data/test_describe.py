"""`describe` against counting row by row, for dense and sparse features."""

import itertools
import json

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from gbrank import RankingData
from gbrank.data._describe import describe

queries = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=6)


def of(queries, X=None, **fields):
    y = np.concatenate(queries)
    qid = np.repeat(np.arange(len(queries)), [len(each) for each in queries])
    return RankingData(np.zeros((len(y), 1)) if X is None else X, y, qid, **fields)


@given(queries)
def test_queries_are_counted_as_by_hand(queries):
    facts = describe(of(queries))
    assert facts.queries == len(queries)
    assert facts.one_document == sum(len(each) == 1 for each in queries)
    assert facts.one_grade == sum(len(set(each)) == 1 for each in queries)
    assert facts.nothing_relevant == sum(max(each) == 0 for each in queries)
    assert facts.several_grades == sum(len(set(each)) > 1 for each in queries)
    assert facts.label_sorted == sum(len(set(e)) > 1 and e == sorted(e, reverse=True) for e in queries)
    flat = list(itertools.chain(*queries))
    assert facts.labels == {label: flat.count(label) for label in sorted(set(flat))}
    assert facts.label_range == (min(flat), max(flat))
    assert sum(facts.label_shares.values()) == pytest.approx(1)
    sizes = [len(each) for each in queries]
    assert facts.documents_per_query == {
        "min": min(sizes),
        "median": np.median(sizes),
        "mean": np.mean(sizes),
        "max": max(sizes),
    }


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4), min_size=1, max_size=5))
def test_repeated_ids_are_counted_within_queries_only(ids):
    data = of([[0] * len(each) for each in ids], doc_id=list(itertools.chain(*ids)))
    assert describe(data).duplicate_documents == sum(len(each) - len(set(each)) for each in ids)


NAN = np.nan
COLUMNS = np.array(
    [
        [0, 0, NAN, NAN, 5, 0],
        [1, 0, NAN, 0.0, 5, 0],
        [0, 0, NAN, NAN, 5, 0],
        [0, 0, NAN, 0.0, 5, 3],
    ]
)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, np.float32])
def test_columns(form):
    facts = describe(of([[0, 1], [2, 0]], form(COLUMNS)))
    assert facts.constant_features == ("f2", "f3", "f5"), "a value here and missing there is a difference"
    assert facts.missing == 6
    assert facts.features_with_missing == 2
    assert facts.stored_share == (pytest.approx(12 / 24) if form is sp.csr_array else None)


def test_columns_in_several_blocks(monkeypatch):
    monkeypatch.setattr("gbrank.data._describe.BLOCK", 7)
    assert describe(of([[0, 1], [2, 0]], COLUMNS)).constant_features == ("f2", "f3", "f5")


def test_labels_of_many_values_and_columns():
    y = np.stack([np.arange(40) / 40, np.ones(40)], axis=1)
    facts = describe(RankingData(np.zeros((40, 1)), y, np.arange(40) // 4))
    assert facts.labels == {}
    assert facts.label_range == (0, 39 / 40)
    assert facts.label_columns == 2
    words = facts.facts()
    assert words["labels"] == "0 to 0.975"
    assert "label columns (the first is described)" in words


def test_forms():
    facts = describe(of([[2, 0], [0]], doc_id=["a", "b", "c"]))
    assert json.loads(json.dumps(facts.to_dict()))["labels"] == {"0": 2, "2": 1}
    lines = str(facts).splitlines()
    assert "queries with rows sorted by label  1 (100.0%)" in lines
    starts = {line.rindex(value) for line, value in zip(lines, facts.facts().values(), strict=True)}
    assert len(starts) == 1, "values are aligned"
