"""`slices`: parts whose means make up the evaluation's."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from gbrank import DataError, ParameterError, RankingData, evaluate, make_letor, slices
from gbrank.evaluation import head_tail

MEASURES = ["ndcg@10", "rr", "p@5(average=documents)"]


@pytest.fixture(scope="module")
def data():
    return make_letor(80, n_features=6, max_documents=40, random_state=0)


@pytest.fixture(scope="module")
def evaluation(data):
    noise = np.random.default_rng(0).normal(size=data.n_documents)
    return evaluate(data, {"good": data.y + 2 * noise, "bad": noise}, MEASURES, n_jobs=1)


def columns(data):
    frequency = pd.Series(np.arange(70), index=data.query_ids[10:], name="frequency")
    return {
        "size": "size",
        "difficulty": "difficulty",
        "frequency": frequency,
        "head": head_tail(frequency),
        "words": dict.fromkeys(data.query_ids[:40], "long") | dict.fromkeys(data.query_ids[40:], "short"),
        "array": data.query_sizes % 3 == 0,
    }


@pytest.mark.parametrize("by", ["size", "difficulty", "frequency", "head", "words", "array"])
def test_parts_make_up_the_whole(data, evaluation, by):
    found = slices(evaluation, columns(data)[by])
    for m in evaluation.measures:
        weight = evaluation.sizes if m.convention.average == "documents" else evaluation.sizes * 0 + 1
        for run in evaluation.runs:
            values = evaluation.values(m, run)
            rows = found.table[(found.table["measure"] == str(m)) & (found.table["run"] == run)]
            total = found.total[(found.total["measure"] == str(m)) & (found.total["run"] == run)].iloc[0]
            assert total["mean"] == pytest.approx(evaluation.mean(m, run), abs=1e-15)
            assert rows["queries"].sum() == total["queries"] == values.notna().sum()
            assert rows["skipped"].sum() == total["skipped"] == values.isna().sum()
            summed, weighed = 0.0, 0.0
            for row in rows.to_dict("records"):
                kept = (found.labels == row["slice"]) & values.notna()
                assert row["queries"] == kept.sum()
                if kept.any():
                    assert row["mean"] == pytest.approx(np.average(values[kept], weights=weight[kept]))
                    summed += row["mean"] * weight[kept].sum()
                    weighed += weight[kept].sum()
            assert summed / weighed == pytest.approx(total["mean"])


def test_total_is_the_summary(evaluation):
    found, summary = slices(evaluation).total, evaluation.summary()
    for row in found.to_dict("records"):
        for column in ("mean", "standard_error", "queries", "skipped"):
            if "documents" not in row["measure"] or column != "standard_error":
                assert row[column] == pytest.approx(summary.loc[(row["run"], row["measure"]), column])


def test_a_slice_is_the_evaluation_of_its_queries(data, evaluation):
    found = slices(evaluation, bins=[15, 25])
    middle = data.take((data.query_sizes >= 15) & (data.query_sizes < 25))
    rows = found.table[(found.table["slice"] == "from 15 to below 25") & (found.table["run"] == "good")]
    noise = np.random.default_rng(0).normal(size=data.n_documents)
    score = (data.y + 2 * noise)[np.isin(data.qid, middle.query_ids)]
    alone = evaluate(middle, score, MEASURES, n_jobs=1)
    assert rows["mean"].tolist() == pytest.approx([alone.mean(m) for m in MEASURES])


def test_queries_without_a_value_are_counted(data, evaluation):
    found = slices(evaluation, pd.Series(1.0, index=data.query_ids[:30]))
    assert found.labels.value_counts().to_dict() == {"(no value)": 50, "1": 30}
    assert set(found.table["slice"]) == {"1", "(no value)"}


def test_columns_are_matched_by_id_whatever_their_order(data, evaluation):
    column = pd.Series(data.query_sizes, index=data.query_ids).sample(frac=1, random_state=0)
    extra = pd.concat([column, pd.Series({10_000: 3})])
    expected = slices(evaluation).table
    for given in (column, extra, extra.to_dict(), data.query_sizes, data.query_sizes.tolist()):
        pd.testing.assert_frame_equal(slices(evaluation, given).table, expected)


def test_difficulty(evaluation):
    values = pd.concat([evaluation.values("ndcg@10", run) for run in evaluation.runs], axis=1)
    found = slices(evaluation, "difficulty", bins=3)
    means = values.mean(axis=1).groupby(found.labels, observed=True).max()
    assert means.drop("(no value)", errors="ignore").is_monotonic_increasing
    assert found.by == "difficulty (ndcg@10, mean of 2 runs)"
    assert "regression to the mean" in found.notes[0]
    assert "bends the comparison" not in found.notes[0]
    own = slices(evaluation, "difficulty", measure="rr", run="bad", bins=None)
    assert own.by == "difficulty (rr of bad)"
    assert "bends the comparison" in str(own)
    rows = own.table[(own.table["run"] == "bad") & (own.table["measure"] == "rr") & (own.table["queries"] > 0)]
    assert rows["mean"].tolist() == pytest.approx([float(name) for name in rows["slice"]])
    assert slices(evaluation).notes == ()


def test_differences_are_paired(data, evaluation):
    found = slices(evaluation, columns(data)["words"])
    table = found.differences("good", "bad")
    gap = evaluation.values("rr", "good") - evaluation.values("rr", "bad")
    row = table[(table["slice"] == "long") & (table["measure"] == "rr")].iloc[0]
    gap = gap[found.labels == "long"].dropna()
    assert row["difference"] == pytest.approx(gap.mean())
    assert row["standard_error"] == pytest.approx(gap.std() / np.sqrt(len(gap)))
    assert (row["wins"], row["losses"], row["queries"]) == ((gap > 0).sum(), (gap < 0).sum(), len(gap))
    assert row["ties"] == (gap == 0).sum()
    back = found.differences("bad", "good")
    assert back["difference"].tolist() == pytest.approx((-table["difference"]).tolist())
    assert back["wins"].tolist() == table["losses"].tolist()
    with pytest.raises(ParameterError):
        found.differences("good", "ugly")


def test_one_run_has_no_run_column(data):
    found = slices(evaluate(data, data.y, "rr", n_jobs=1), bins=2)
    assert found.table.columns.tolist() == ["slice", "measure", "mean", "standard_error", "queries", "skipped"]
    assert "mean" in str(found).splitlines()[1]
    assert found.to_dict()["slices"][0]["mean"] == 1


def test_text_html_and_dict(data, evaluation):
    found = slices(evaluation, {qid: "<b>" if qid % 2 else "all" for qid in data.query_ids.tolist()})
    text = str(found)
    assert text.splitlines()[0] == "ndcg@10 by column, mean ± standard error"
    assert [line.split()[0] for line in text.splitlines()[2:5]] == ["<b>", "all", "all"]
    total = found.total.iloc[0]
    assert f"{total['mean']:.4f} ± {total['standard_error']:.4f}" in text.splitlines()[4]
    assert evaluation.conventions["ndcg@10"] in text
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["slices"][0]["mean"] == found.table["mean"].iloc[0]
    assert len(read["total"]) == 6
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.by = "x"


def test_empty_slices_say_so(evaluation):
    found = slices(evaluation, bins=[1000])
    assert found.table[found.table["slice"] == "from 1000"]["queries"].tolist() == [0] * 6
    assert found.to_dict()["slices"][-1]["mean"] is None


@pytest.mark.parametrize(
    ("by", "options", "message"),
    [
        ("height", {}, "choose one of 'size', 'difficulty'"),
        ({"q1": 1}, {}, "no id of the column"),
        (pd.Series([1, 2], index=[1, 1]), {}, "query 1 has two values"),
        ([1, 2], {}, "for 80 queries"),
        (3, {}, "for 80 queries"),
        ("size", {"run": "good"}, "they say what difficulty is"),
        ("difficulty", {"run": "ugly"}, "ugly"),
        ("difficulty", {"measure": "err"}, "measure of this evaluation"),
    ],
)
def test_refusals(evaluation, by, options, message):
    with pytest.raises((DataError, ParameterError), match=message):
        slices(evaluation, by, **options)


def test_string_ids():
    data = RankingData(np.zeros((4, 1)), [0, 1, 1, 0], qid=["x", "x", "y", "y"])
    evaluation = evaluate(data, [1, 2, 1, 2], "rr", n_jobs=1)
    assert slices(evaluation, {"x": 5}).table["mean"].tolist() == [1, 0.5]
