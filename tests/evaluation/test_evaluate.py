"""`evaluate`: the table, its summary and the text that states the convention."""

import dataclasses
import json
import math
import subprocess
import sys

import ir_measures
import numpy as np
import pandas as pd
import pytest
import pytrec_eval
import ranx
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import (
    DataError,
    GbrankWarning,
    ParameterError,
    Qrels,
    RankingData,
    Run,
    evaluate,
    measure,
    read_qrels,
    read_run,
)


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


# Runs, joined by query and document id

JUDGED = Qrels.from_dict({"a": {"x": 2, "y": 0, "z": 1}, "b": {"x": 1}, "c": {"x": 0}, "d": {"x": -1, "y": 1}})
FOUND = Run.from_dict({"d": {"x": 3.0, "y": 2.0}, "a": {"new": 9.0, "z": 1.0, "x": 0.5}, "e": {"x": 1.0, "y": 2.0}})


def test_a_run_by_arithmetic():
    result = evaluate(JUDGED, FOUND, ["rr", "p@2", "r@2"])
    assert result.table.index.tolist() == ["a", "b", "c", "d"]
    assert result.table["rr"].tolist()[:2] == [0.5, 0]
    assert math.isnan(result.table["rr"]["c"])
    assert result.table["p@2"].tolist()[:2] == [0.5, 0]
    assert result.table["r@2"].tolist()[3] == 1
    assert result.sizes.tolist() == [3, 1, 1, 2]
    covered = result.coverage[""]
    assert covered.missing == ("b", "c")
    assert covered.retrieved == 5
    assert covered.unjudged == {None: 2, 2: 2}
    assert (covered.other_queries, covered.other_documents) == (("e",), 2)
    assert result.summary()[["queries", "skipped", "missing", "unjudged"]].to_numpy().tolist() == [[3, 1, 2, 2]] * 3


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "rr",
            "mean of 3 queries; 1 with nothing relevant skipped; 1 missing from the run counts as 0; "
            "2 unjudged documents count as not relevant; ties",
        ),
        (
            "p@1(no_relevant=0)",
            "mean of 4 queries; 2 missing from the run count as 0; 2 unjudged documents in the first",
        ),
        ("rr(missing_queries=skip)", "mean of 2 queries; 2 missing from the run skipped; 2 unjudged documents count"),
        ("rr(unjudged=removed)", "1 missing from the run counts as 0; 2 unjudged documents removed; "),
        ("rr(single_document=skip)", "mean of 2 queries; 2 of one document skipped; 2 unjudged"),
    ],
)
def test_text_counts_what_a_run_lacks(name, told):
    if name == "rr(single_document=skip)":
        result = evaluate(JUDGED, {**FOUND.to_dict(), "b": {"x": 1.0}, "c": {"x": 1.0}}, name)
    else:
        result = evaluate(JUDGED, FOUND, name)
    first, *rest = str(result).splitlines()
    assert told in first
    assert rest == ["1 query (2 documents) not judged, left out"]


def test_text_says_nothing_of_what_is_not_there(data):
    assert "run" not in str(evaluate(data, SCORES, "rr"))
    whole = evaluate(JUDGED, Run(JUDGED.qid, JUDGED.doc_id, np.arange(7.0)), "bpref")
    assert "missing" not in str(whole)
    assert "unjudged" not in str(whole)  # bpref has its own way with them


def test_a_run_of_all_documents_equals_their_scores(data):
    run = Run.from_data(data, SCORES)
    for names in (["ndcg@2", "ap", "rr(ties=trec)", "err"], ["ndcg(ties=stable)", "p@1"]):
        ours = evaluate(data, {"array": SCORES, "run": run, "dict": run.to_dict()}, names)
        for name in names:
            np.testing.assert_array_equal(ours.values(name, "run"), ours.values(name, "array"))
            np.testing.assert_array_equal(ours.values(name, "dict"), ours.values(name, "array"))
        pd.testing.assert_frame_equal(evaluate(Qrels.from_data(data), SCORES, names).table, ours.table["array"])


@given(st.permutations(range(5)), st.permutations(range(7)))
@settings(deadline=None, max_examples=25)
def test_order_of_rows_and_queries_does_not_matter(order, judged):
    run = Run(FOUND.qid[order], FOUND.doc_id[order], FOUND.score[order]) if len(FOUND) == 5 else FOUND
    qrels = Qrels(JUDGED.qid[judged], JUDGED.doc_id[judged], JUDGED.label[judged])
    names = ["ndcg@2", "ap", "bpref", "rr(ties=trec)"]
    one, other = evaluate(qrels, run, names), evaluate(JUDGED, FOUND, names)
    pd.testing.assert_frame_equal(one.table.loc[other.table.index], other.table)
    assert one.coverage[""].unjudged == other.coverage[""].unjudged


def test_a_mapping_is_one_run_or_several():
    nested = FOUND.to_dict()
    alone = evaluate(JUDGED, nested, "rr")
    assert alone.runs == ()
    assert evaluate(JUDGED, {"a": nested, "b": FOUND}, "rr").runs == ("a", "b")
    pd.testing.assert_series_equal(evaluate(JUDGED, FOUND, "rr").table["rr"], alone.table["rr"])


@pytest.mark.parametrize(
    ("scores", "error", "message"),
    [
        ({"bm25": FOUND.to_dict(), "a": {"x": 1.0}}, ParameterError, "'a' is neither a run nor scores"),
        ({"bm25": FOUND, "empty": {}}, ParameterError, "'empty' is neither a run nor scores"),
        ({"bm25": {"x": 1.0}}, DataError, "scores: no query of the run is judged: it has bm25, the judgments a"),
        ({"one": {"a": {"x": "1"}}}, DataError, "scores of run 'one': score: row 0 is '1'"),
        ({"a": {"x": math.nan}}, DataError, "scores: score: row 0 is nan"),
        (Run(["z"], ["x"], [1]), DataError, "scores: no query of the run is judged"),
        (Ranker(), ParameterError, "a ranker needs features"),
        ([1.0], DataError, "scores: 1 values for 7 documents"),
    ],
)
def test_runs_that_are_refused(scores, error, message):
    with pytest.raises(error) as caught:
        evaluate(JUDGED, scores, "rr")
    assert message in str(caught.value)


def test_judgments_of_another_kind():
    with pytest.raises(ParameterError, match="judgments=dict: give RankingData or Qrels"):
        evaluate({"a": {"x": 1}}, FOUND, "rr")
    with pytest.raises(DataError, match="refuses it"):
        evaluate(JUDGED, FOUND, "rr(unjudged=refuse)")


def test_means_weigh_queries_as_the_measure_says(data):
    result = evaluate(data, SCORES, ["p@1", "p@1(average=documents)"])
    values = result.table["p@1"].to_numpy()[:3]  # of a, b and c, two documents each; d has nothing relevant
    np.testing.assert_allclose(result.mean("p@1"), values.mean())
    uneven = Qrels.from_dict({"a": {"x": 1}, "b": {"x": 0, "y": 1, "z": 0}})
    run = {"a": {"x": 1}, "b": {"x": 3, "y": 2, "z": 1}}
    result = evaluate(uneven, run, ["p@1", "p@1(average=documents)"])
    assert result.summary()["mean"].tolist() == [0.5, 0.25]
    assert result.mean("p@1(average=documents)") == 0.25
    assert result.to_dict()["results"][1]["mean"] == 0.25


def test_aspects_follow_their_documents():
    about = np.array([[1, 0], [0, 1], [1, 1], [1, 0], [0, 0], [1, 0], [0, 1]])  # rows of JUDGED
    result = evaluate(JUDGED, FOUND, "strec@3", aspects=about)
    assert result.table["strec@3"].tolist()[:2] == [1, 0]  # new, z (both aspects), x
    assert evaluate(JUDGED, FOUND, "strec@1", aspects=about).table["strec@1"].tolist()[0] == 0
    with pytest.raises(DataError, match="aspects: 6 rows for 7 documents"):
        evaluate(JUDGED, FOUND, "strec@3", aspects=about[:-1])


def test_coverage_is_ready_for_json():
    told = json.loads(json.dumps(evaluate(JUDGED, {"one": FOUND}, "p@2").to_dict(), allow_nan=False))
    assert told["coverage"] == [
        {
            "run": "one",
            "retrieved": 5,
            "missing": 2,
            "unjudged": {"all": 2, "2": 2},
            "other_queries": 1,
            "other_documents": 2,
        }
    ]
    assert told["results"][0]["missing"] == 2


# Other libraries, asked about the same files

PAIRS = {"map": "ap", "ndcg": "ndcg", "P_10": "p@10", "recip_rank": "rr", "bpref": "bpref", "recall_100": "r@100"}


@pytest.mark.parametrize("name", ["results.test", "results.trunc"])
def test_pytrec_eval_on_the_files_of_nist(real_data, name):
    qrels, run = read_qrels(real_data / "trec_eval" / "qrels.test"), read_run(real_data / "trec_eval" / name)
    theirs = pytrec_eval.RelevanceEvaluator(qrels.to_dict(), set(PAIRS)).evaluate(run.to_dict())
    names = [str(measure(ours, preset="trec")) for ours in PAIRS.values()]
    result = evaluate(qrels, {"run": run}, names)
    for their, ours in zip(PAIRS, names, strict=True):
        values = result.values(ours, "run")
        assert values.dropna().index.tolist() == [query for query in qrels.to_dict() if query in theirs]
        np.testing.assert_allclose(values.dropna(), [theirs[q][their] for q in values.dropna().index], rtol=1e-12)


def test_ir_measures_on_the_files_of_nist(real_data):
    folder = real_data / "trec_eval"
    qrels, run = read_qrels(folder / "qrels.test"), read_run(folder / "results.test")
    theirs = ir_measures.calc_aggregate(
        [ir_measures.nDCG @ 10, ir_measures.AP],
        ir_measures.read_trec_qrels(str(folder / "qrels.test")),
        ir_measures.read_trec_run(str(folder / "results.test")),
    )
    means = evaluate(qrels, run, ["ndcg@10(preset=ir_measures)", "ap(preset=ir_measures)"]).summary()["mean"]
    np.testing.assert_allclose(means, [theirs[ir_measures.nDCG @ 10], theirs[ir_measures.AP]], rtol=1e-12)


def test_ranx_on_the_files_of_nist(real_data):
    qrels = read_qrels(real_data / "trec_eval" / "qrels.test")
    tied = read_run(real_data / "trec_eval" / "results.test")
    run = Run(tied.qid, tied.doc_id, np.argsort(np.argsort(tied.score)))  # its sort leaves ties in no stated order
    theirs = ranx.evaluate(qrels.to_ranx(), run.to_ranx(), ["ndcg@10", "map", "mrr"])
    names = [f"{name}(preset=ranx)" for name in ("ndcg@10", "ap", "rr")]
    means = evaluate(qrels, run, names).summary()["mean"]
    np.testing.assert_allclose(means, [theirs[name] for name in ("ndcg@10", "map", "mrr")], rtol=1e-12)
