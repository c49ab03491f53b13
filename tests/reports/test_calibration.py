"""The meaning of scores in a report: what probabilities are held against, and where there are none."""

import numpy as np
import pytest

import gbrank
from gbrank import ParameterError
from gbrank.reports import gather

KIND = {"n_estimators": 6, "n_jobs": 1}


@pytest.fixture(scope="module")
def sets():
    data = gbrank.make_letor(60, n_features=6, max_documents=25, n_grades=3, random_state=0)
    train, test = gbrank.train_test_split(data, test_size=20, random_state=0)
    return {"train": train, "test": test}


def section(report, title="Meaning of scores"):
    return next(each for each in report.sections if each.title == title)


@pytest.mark.parametrize(
    "ranker",
    [
        gbrank.GBRanker("cross_entropy", **KIND),
        gbrank.GBRanker("mcrank", **KIND),
        gbrank.GBRanker("ordinal", backend="xgboost", **KIND),
        gbrank.CalibratedRanker(gbrank.GBRanker(**KIND), cv=2, method="isotonic", values=[0, 1, 5]),
    ],
    ids=["cross_entropy", "mcrank", "ordinal", "calibrated"],
)
def test_probabilities_are_held_against_labels(ranker, sets):
    report = gather(ranker.fit(sets["train"]), sets)
    table, *plots = section(report).blocks
    truth = gbrank.calibration(sets["test"], ranker)
    assert [plot.caption for plot in plots] == [f"Reliability of P({event})" for event in truth.events]
    assert report.calibrations["test"].table.equals(truth.table)
    told = {(row[0], row[1]): dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert len(told) == 2 * len(truth.events)
    for event, row in truth.table.iterrows():
        shown = told[event, "test"]
        for column, word in {"ece": "ECE", "brier": "Brier", "share": "share", "log_loss": "log loss"}.items():
            assert float(shown[word]) == pytest.approx(row[column], abs=5e-5)
    assert "10 bins of equal weight" in table.note
    assert "Reliability of P(label" in report.to_html()
    assert f"{truth.curves[truth.events[0]]['target'].iloc[-1]:.3f} (" in str(report).replace("\n", " ")


def test_scores_that_are_no_probabilities(sets):
    text = section(gather(gbrank.LambdaMART(**KIND).fit(sets["train"]), sets["test"])).blocks
    assert len(text) == 1
    assert "lambdarank order the documents of a query and are no probabilities" in text[0].text
    choice = gbrank.CalibratedRanker(gbrank.GBRanker(**KIND), cv=2, method="softmax").fit(sets["train"])
    report = gather(choice, sets["test"])
    assert f"temperature {choice.temperature_:.4g}" in section(report).blocks[0].text
    assert report.calibrations == {}


def test_a_calibrated_ranker_is_reported_as_what_it_is(sets):
    ranker = gbrank.CalibratedRanker(gbrank.GBRanker(**KIND), cv=2).fit(sets["train"])
    report = gather(ranker, sets["test"])
    assert "calibrated (method 'platt')" in report.subject
    captions = [block.caption for block in section(report, "Parameters").blocks]
    assert captions[:2] == ["Parameters of GBRanker", "Parameters of CalibratedRanker"]
    with pytest.raises(ParameterError, match="a StackedRanker has no report"):
        gather(gbrank.StackedRanker([("a", gbrank.GBRanker(**KIND))]), sets["test"])


def test_many_events_are_cut_with_a_word():
    rng = np.random.default_rng(0)
    data = gbrank.RankingData(rng.normal(size=(400, 2)), rng.integers(0, 9, 400), np.arange(400) // 10)
    blocks = section(gather(gbrank.GBRanker("mcrank", **KIND).fit(data), data)).blocks
    assert sum(block.kind == "plot" for block in blocks) == 6
    assert blocks[-1].text == "Drawn are the first 6 of 8 events; the table has all."


def test_catboost_is_spelled_as_it_spells_itself(sets):
    pytest.importorskip("catboost", reason="CatBoost is not installed")
    ranker = gbrank.GBRanker(backend="catboost", engine="native", **KIND).fit(sets["train"])
    report = gather(ranker, sets["test"])
    assert " on CatBoost " in report.subject
    assert "CatBoost" in [row[0] for row in section(report, "Versions").blocks[0].rows]
