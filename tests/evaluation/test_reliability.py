"""Calibration of whole rankers: the terms by arithmetic, the intervals and the ECE of chance by simulation."""

import json

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss as sklearns

import gbrank
from gbrank import DataError, ParameterError, calibration
from gbrank.evaluation import brier_score, expected_calibration_error, log_loss, reliability_curve


def made(y, size=10):
    return gbrank.RankingData(np.zeros((len(y), 1)), y, np.arange(len(y)) // size)


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    p = rng.beta(0.7, 1.5, 1000)
    return made(rng.binomial(1, p**1.3) * rng.integers(1, 4, 1000)), p, rng.integers(0, 4, 1000)


@pytest.mark.parametrize("bins", ["width", "mass"])
def test_the_table_is_what_the_functions_say(sample, bins):
    data, p, weight = sample
    found = calibration(data, p, relevant_from=2, n_bins=7, bins=bins, sample_weight=weight)
    row, options = found.table.loc["label >= 2"], {"relevant_from": 2, "sample_weight": weight}
    assert row["ece"] == expected_calibration_error(data.y, p, n_bins=7, bins=bins, **options)
    assert row["brier"] == brier_score(data.y, p, **options)
    assert row["log_loss"] == pytest.approx(sklearns(data.y >= 2, p, sample_weight=weight), rel=1e-12)
    assert row["share"] == pytest.approx(np.average(data.y >= 2, weights=weight))
    assert row["mean"] == pytest.approx(np.average(p, weights=weight))
    curve = found.curves["label >= 2"]
    expected = reliability_curve(data.y, p, n_bins=7, bins=bins, **options)
    assert curve[expected.columns].equals(expected)
    assert found.histograms["label >= 2"]["documents"].sum() == 1000


def test_terms_of_the_brier_score(sample):
    data, p, _ = sample
    rounded = np.round(p, 1)  # one probability a bin leaves nothing within bins
    row = calibration(data, rounded, n_bins=50, bins="width").table.loc["label >= 1"]
    assert row["within"] == pytest.approx(0, abs=1e-12)
    assert row["uncertainty"] == pytest.approx(row["share"] * (1 - row["share"]))
    constant = calibration(data, np.full(1000, row["share"])).table.loc["label >= 1"]
    assert constant[["miscalibration", "resolution", "within"]].abs().max() < 1e-12
    raw = calibration(data, p).table.loc["label >= 1"]
    assert raw["brier"] == pytest.approx(raw["miscalibration"] - raw["resolution"] + raw["uncertainty"] + raw["within"])


def test_log_loss():
    assert log_loss([0, 1, 1], [0.5, 1.0, 0.0]) == np.inf
    assert log_loss([0, 1, 1], [0.0, 1.0, 0.0], sample_weight=[1, 1, 0]) == 0
    np.testing.assert_allclose(log_loss([0, 3, 1], [0.5, 1.0, 0.2], [0, 2, 3]), [np.log(2) / 2, -np.log(0.2)])
    soft = log_loss([0.3], [0.4], relevant_from=None)
    assert soft == pytest.approx(-0.3 * np.log(0.4) - 0.7 * np.log(0.6))
    with pytest.raises(DataError, match=r"y: row 0 is 2.*give relevant_from"):
        log_loss([2], [0.4], relevant_from=None)


LOGITS = np.array([-1.5, 0.0, 1.5])


@pytest.mark.parametrize("spread", [0.0, 1.5])
def test_intervals_hold_though_documents_of_a_query_are_alike(spread):
    rng, inside, total = np.random.default_rng(1), 0, 0
    many = rng.normal(0, spread, 200_000)
    marginal = np.array([expit(logit + many).mean() for logit in LOGITS])
    for _ in range(150):
        effect = np.repeat(rng.normal(0, spread, 80), 10)
        chosen = rng.integers(0, 3, 800)
        p = expit(LOGITS[chosen] + effect)
        data = made(rng.binomial(1, p))
        curve = calibration(data, marginal[chosen], n_bins=100, bins="width").curves["label >= 1"].dropna()
        inside += ((curve["target_low"] <= marginal) & (marginal <= curve["target_high"])).sum()
        total += 3
    assert 0.92 < inside / total <= 0.985


def test_intervals_of_bins_where_all_or_none_are():
    curve = calibration(made(np.zeros(40)), np.full(40, 0.01), n_bins=1).curves["label >= 1"]
    assert curve["target_low"][0] == 0
    assert curve["target_high"][0] == pytest.approx(1.96**2 / (4 + 1.96**2), abs=1e-3)  # 4 queries, not 40 documents


@pytest.mark.parametrize("spread", [0.0, 1.5])
def test_ece_by_chance_is_that_of_right_probabilities(spread):
    rng, found = np.random.default_rng(3), []
    many = rng.normal(0, spread, 20_000)
    for _ in range(60):
        logit = rng.normal(-1, 1, 2000).round(1)
        levels, place = np.unique(logit, return_inverse=True)
        stated = expit(levels[:, None] + many).mean(axis=1)[place]
        y = rng.binomial(1, expit(logit + np.repeat(rng.normal(0, spread, 200), 10)))
        found.append(calibration(made(y), stated).table.loc["label >= 1", ["ece", "ece_by_chance"]])
    ece, chance = np.mean(found, axis=0)
    assert ece == pytest.approx(chance, rel=0.1)


@pytest.fixture(scope="module")
def data():
    return gbrank.make_letor(60, n_features=8, max_documents=30, n_grades=4, random_state=0)


def test_of_every_kind_of_ranker(data):
    kind = {"n_estimators": 8, "n_jobs": 1}
    events = {
        gbrank.GBRanker("cross_entropy", **kind): ["label >= 1"],
        gbrank.GBRanker(gbrank.objective("focal", relevant_from=2), **kind): ["label >= 2"],
        gbrank.GBRanker("mcrank", **kind): ["label >= 1", "label >= 2", "label >= 3"],
        gbrank.GBRanker("ordinal", **kind): ["label >= 1", "label >= 2", "label >= 3"],
        gbrank.CalibratedRanker(gbrank.GBRanker(**kind), cv=3): ["label >= 1", "label >= 2", "label >= 3"],
    }
    for ranker, expected in events.items():
        found = calibration(data, ranker.fit(data))
        assert list(found.events) == expected
        above = ranker.predict_above(data)
        assert found.table["mean"].tolist() == pytest.approx(above.mean(axis=0))
        if len(expected) > 1:
            again = calibration(data, ranker.predict_proba(data))
            np.testing.assert_allclose(again.table, found.table, rtol=1e-6)
            one = calibration(data, ranker, relevant_from=2)
            assert one.events == ("label >= 2",)
            assert one.table.loc["label >= 2"].equals(found.table.loc["label >= 2"])


def test_labels_that_are_probabilities(data):
    soft = data.with_labels(data.y / 4)
    ranker = gbrank.GBRanker(gbrank.objective("cross_entropy", relevant_from=None), n_estimators=5, n_jobs=1).fit(soft)
    row = calibration(soft, ranker).table.loc["label"]
    assert row["share"] == pytest.approx(soft.y.mean())
    assert row["brier"] == pytest.approx(np.mean((ranker.predict_above(soft)[:, 0] - soft.y) ** 2))


def test_forms(data):
    found = calibration(data, np.where(data.y > 1, 1.0, 0.0))
    assert found.table["log_loss"].tolist() == [np.inf]
    assert "label >= 1" in str(found)
    assert "equal weight" in found.to_html()
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["events"][0]["log_loss"] is None
    assert sum(bar["documents"] for bar in plain["histograms"]["label >= 1"]) == data.n_documents


def test_refusals(data):
    with pytest.raises(ParameterError, match="order documents and are no probabilities"):
        calibration(data, gbrank.GBRanker(n_estimators=2, n_jobs=1).fit(data))
    with pytest.raises(DataError, match="p: has 3 rows"):
        calibration(data, [0.1, 0.2, 0.3])
    with pytest.raises(DataError, match=r"row 1 is 1\.5, which is no probability"):
        calibration(data, np.where(np.arange(data.n_documents) == 1, 1.5, 0.5))
    with pytest.raises(DataError, match=r"row 0 sums to 1\.5"):
        calibration(data, np.full((data.n_documents, 3), 0.5))
    with pytest.raises(ParameterError, match="relevant_from=4: the events known begin with the label 1, 2"):
        calibration(data, np.full((data.n_documents, 3), 1 / 3), relevant_from=4)
    with pytest.raises(ParameterError, match="confidence=95"):
        calibration(data, np.full(data.n_documents, 0.5), confidence=95)
    with pytest.raises(DataError, match="2 label columns"):
        calibration(data.with_labels(np.column_stack([data.y, data.y])), np.full(data.n_documents, 0.5))
