"""`evaluate`: the table, its summary and the text that states the convention."""

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gbrank import DataError, GbrankWarning, ParameterError, RankingData, evaluate, measure


@pytest.fixture
def data():
    return RankingData(
        np.arange(7.0)[:, None], [0, 1, 1, 0, 0, 2, 0], qid=["a", "b", "a", "b", "c", "c", "d"], doc_id=list("tuvwxyz")
    )  # rows become a: t v, b: u w, c: x y, d: z


SCORES = np.array([0.2, 0.1, 0.9, 0.3, 0.5, 0.5, 1.0])


class Ranker:
    def predict(self, data):
        return -data.X[:, 0]


def test_table_has_one_row_per_query(data):
    result = evaluate(data, SCORES, ["rr", measure("p@1"), "ndcg@10(preset=letor)"])
    assert result.table.index.tolist() == ["a", "b", "c", "d"]
    assert result.table.index.name == "qid"
    assert result.table.columns.tolist() == ["rr", "p@1", "ndcg@10(preset=letor)"]
    assert result.table["rr"].tolist()[:3] == [0.5, 1.0, 0.75]
    assert math.isnan(result.table["rr"]["d"])
    assert result.table["ndcg@10(preset=letor)"]["d"] == 0
    assert result.sizes.to_dict() == {"a": 2, "b": 2, "c": 2, "d": 1}
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.runs = ("x",)


def test_summary_by_arithmetic(data):
    summary = evaluate(data, SCORES, "rr").summary()
    assert summary.index.tolist() == ["rr"]
    row = summary.loc["rr"]
    deviation = math.sqrt((0.25**2 + 0.25**2 + 0) / 2)
    assert row["mean"] == pytest.approx(0.75)
    assert row["std"] == pytest.approx(deviation)
    assert row["standard_error"] == pytest.approx(deviation / math.sqrt(3))
    assert row["median"] == pytest.approx(0.75)
    assert (row["queries"], row["skipped"]) == (3, 1)


def test_values_are_those_of_the_measures(data):
    names = ["ndcg@2", "ap", "dcg(ties=trec)"]
    result = evaluate(data, SCORES, names, n_jobs=1)
    for name in names:
        truth = measure(name)(data.y, SCORES, data.query_ptr, data.doc_id)
        np.testing.assert_array_equal(result.table[name], truth)
        assert result.mean(name) == pytest.approx(np.nanmean(truth))


def test_document_ids_break_trec_ties(data):
    tied = evaluate(data, np.zeros(7), "rr(ties=trec)")
    assert tied.table["rr(ties=trec)"].tolist()[:3] == [1.0, 0.5, 1.0]  # v before t, w before u, y before x


def test_runs_make_a_second_level_of_columns(data):
    result = evaluate(data, {"ours": SCORES, "model": Ranker()}, ["rr", "ap"])
    assert result.table.columns.tolist() == [("ours", "rr"), ("ours", "ap"), ("model", "rr"), ("model", "ap")]
    assert result.summary().index.tolist() == result.table.columns.tolist()
    assert result.mean("rr", "ours") == pytest.approx(0.75)
    alone = evaluate(data, Ranker(), "mrr")
    pd.testing.assert_series_equal(
        result.values("RR", "model"), alone.values("rr"), check_names=False, check_index_type=True
    )
    assert str(result).splitlines()[2].startswith("model: rr = ")
    with pytest.raises(ParameterError, match="choose one of 'ours', 'model'"):
        result.mean("rr")
    with pytest.raises(ParameterError, match="without a name"):
        alone.mean("rr", "ours")
    with pytest.raises(ParameterError, match="Did you mean 'rr'"):
        result.mean("rr@1", "ours")
    assert evaluate(data, {"only": SCORES}, "rr").mean("rr") == pytest.approx(0.75)


def test_text_states_convention_and_skipped_queries(data):
    text = str(evaluate(data, SCORES, ["ndcg@10", "rr(no_relevant=0)"]))
    first, second = text.splitlines()
    assert first.endswith(
        "(mean of 3 queries; 1 with nothing relevant skipped; gain exp, discount log2, ties expected)"
    )
    assert second == "rr(no_relevant=0) = 0.5625 (mean of 4 queries; ties expected, no_relevant 0, relevant_from 1)"


def test_html_escapes_and_states_conventions(data):
    result = evaluate(data, {"<b>&run": SCORES}, "ndcg@10")
    page = result._repr_html_()
    assert "<b>&run" not in page
    assert "&lt;b&gt;&amp;run" in page
    assert "ties expected" in page
    assert result.conventions["ndcg@10"] in page


def test_dict_is_ready_for_json(data):
    result = evaluate(data, {"ours": SCORES}, ["ndcg@10", "rr"])
    read = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert (read["queries"], read["documents"]) == (4, 7)
    assert [(r["run"], r["measure"]) for r in read["results"]] == [("ours", "ndcg@10"), ("ours", "rr")]
    assert read["results"][1]["mean"] == pytest.approx(0.75)
    assert read["results"][1]["skipped"] == 1
    assert read["conventions"]["ndcg@10"] == measure("ndcg@10").describe()
    assert evaluate(data, SCORES, "rr").to_dict()["results"][0]["run"] is None


def test_all_queries_skipped_is_nan_with_a_warning():
    data = RankingData(np.zeros((3, 1)), [0, 0, 0], qid=[1, 1, 2])
    with pytest.warns(GbrankWarning, match="ours: ndcg@10: no query of 2 has anything relevant"):
        result = evaluate(data, {"ours": [1, 2, 3]}, ["ndcg@10", "p@1(no_relevant=0)"])
    assert math.isnan(result.mean("ndcg@10"))
    assert result.mean("p@1(no_relevant=0)") == 0
    assert result.to_dict()["results"][0]["mean"] is None
    assert "ndcg@10 = nan (mean of 0 queries; 2 with nothing relevant skipped" in str(result)


def test_one_query_has_no_deviation():
    data = RankingData(np.zeros((2, 1)), [0, 1], qid=[1, 1])
    with np.errstate(all="raise"):
        results = evaluate(data, [1, 2], "rr").to_dict()["results"]
    assert (results[0]["mean"], results[0]["std"], results[0]["standard_error"]) == (1, None, None)


@pytest.mark.parametrize(
    ("scores", "measures", "error", "message"),
    [
        (SCORES[:-1], "rr", DataError, "scores: 6 values for 7 documents"),
        (np.where(SCORES == 1, np.nan, SCORES), "rr", DataError, "scores: row 6 is nan"),
        ({"x": SCORES[:-1]}, "rr", DataError, "scores of run 'x': 6 values"),
        ({}, "rr", DataError, "at least one run"),
        ({1: SCORES, "1": SCORES}, "rr", ParameterError, "two runs print alike"),
        (["a"] * 7, "rr", DataError, "must be a number"),
        (SCORES, [], ParameterError, "give at least one"),
        (SCORES, ["rr", "RR"], ParameterError, "rr is given twice"),
        (SCORES, "ndcg@ten", ParameterError, "write it as"),
        (SCORES, ["ndgc"], ParameterError, "Did you mean 'ndcg'"),
    ],
)
def test_refusals(data, scores, measures, error, message):
    with pytest.raises(error) as caught:
        evaluate(data, scores, measures)
    assert message in str(caught.value)


def test_several_label_columns_are_refused():
    data = RankingData(np.zeros((2, 1)), [[0, 1], [1, 0]], qid=[1, 1])
    with pytest.raises(DataError, match="2 label columns"):
        evaluate(data, [1, 2], "rr")


def test_import_leaves_statistics_alone():
    code = "import sys, gbrank.evaluation; assert 'scipy.stats' not in sys.modules; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
