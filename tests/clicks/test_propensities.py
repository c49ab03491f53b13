"""The value: what it is made from, what it refuses, files."""

import json

import numpy as np
import pandas as pd
import pytest

from gbrank import DataError, GBRanker, ParameterError, RankingData
from gbrank.clicks import Cascade, PositionBased, Propensities, TrustBias, load_propensities
from gbrank.clicks._rewards import Examination


def example():
    return Propensities([1, 0.5, 0.2], [1, 0.4, 0.1], [1, 0.6, 0.35], method="pivot", n_sessions=1234, confidence=0.9)


def test_is_an_array_for_what_asks_for_propensities():
    found = example()
    assert np.asarray(found).tolist() == [1, 0.5, 0.2]
    assert np.array(found, dtype=np.float32).dtype == np.float32
    assert Examination.read(found).alpha.tolist() == [1, 0.5, 0.2]
    assert len(found) == found.n_ranks == 3
    copy = np.array(found)
    copy[0] = 7
    assert found.values[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 7


def test_clips_values_and_intervals():
    found = Propensities([1, 1.2, 0.1], [1, 0.9, 0.05], [1, 1.5, 0.3]).clipped(0.2)
    assert [each.tolist() for each in (found.values, found.low, found.high)] == [
        [1, 1, 0.2],
        [1, 0.9, 0.2],
        [1, 1, 0.3],
    ]
    for least, most in ((-0.1, 1), (1.1, 2), (0, 0.9), (np.nan, 1)):
        with pytest.raises(ParameterError, match="numbers on both sides"):
            example().clipped(least, most)


@pytest.mark.parametrize("found", [example(), Propensities([1.0])], ids=["all", "least"])
def test_saved_and_loaded(found, tmp_path):
    found.save(tmp_path / "p.json")
    again = load_propensities(tmp_path / "p.json")
    assert again.to_dict() == found.to_dict()
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    assert str(again) == str(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1,2", "is no JSON"),
        ("[1]", "holds no propensities"),
        ('{"model": "pbm"}', "holds no propensities"),
        ('{"propensities": [1, 0]}', "rank 2 has 0"),
        ('{"propensities": [1, "x"]}', "every value must be a number"),
        ('{"propensities": [1], "values": [1]}', "holds no propensities"),
    ],
)
def test_refuses_other_files(tmp_path, text, told):
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(DataError, match=told) as caught:
        load_propensities(tmp_path / "p.json")
    assert "p.json" in str(caught.value)
    with pytest.raises(DataError, match="cannot be read"):
        load_propensities(tmp_path / "other.json")


def test_tells_itself():
    told = str(example())
    assert told.splitlines()[1:] == [
        "rank                          ",
        "1         1.0000 1.0000 1.0000",
        "2         0.5000 0.4000 0.6000",
        "3         0.2000 0.1000 0.3500",
        "relative to rank 1; method pivot, 1,234 sessions, bootstrap intervals of 90%",
    ]
    assert "&lt;b&gt;" in Propensities([1], method="<b>")._repr_html_()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "is empty"),
        ([1, 0], "rank 2 has 0; a propensity is above 0"),
        ([1, -0.5], "rank 2 has -0.5"),
        ([1, np.nan], "rank 2 is nan"),
        ([0.5, 0.25], "rank 1 has 0.5; .* divide all by the first"),
        ([[1]], "one dimension"),
    ],
)
def test_refuses_values(values, told):
    with pytest.raises(DataError, match=told):
        Propensities(values)


def test_refuses_intervals():
    with pytest.raises(ParameterError, match="both ends"):
        Propensities([1, 0.5], low=[1, 0.4])
    with pytest.raises(DataError, match="low: 1 values for 2 ranks"):
        Propensities([1, 0.5], [1], [1, 1])
    with pytest.raises(DataError, match="none below its low"):
        Propensities([1, 0.5], [1, 0.4], [1, 0.3])
    for bad in ("high", [1, np.nan]):
        with pytest.raises(DataError, match="high: "):
            Propensities([1, 0.5], [1, 0.4], bad)
    with pytest.raises(ParameterError, match="least='low'"):
        example().clipped("low")


def test_of_a_click_model():
    assert Propensities.of_model(PositionBased([0.8, 0.4, 0.8])).values.tolist() == [1, 0.5, 1]
    for model in (Cascade(), TrustBias([1, 0.5], [0.1, 0]), "pbm"):
        with pytest.raises(ParameterError, match="has no propensities by rank alone"):
            Propensities.of_model(model)
    with pytest.raises(DataError, match="rank 1 is never examined"):
        Propensities.of_model(PositionBased([0, 0.5]))


def test_of_a_ranker():
    """Clicks of users who examine the second of two ranks half as often, at random ranks."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 2))
    position = np.tile([1, 2], 2000)
    click = rng.random(4000) < np.where(position == 1, 1, 0.5) / (1 + np.exp(-X[:, 0]))
    data = RankingData(X, click.astype(float), np.repeat(np.arange(2000), 2), position=position)
    small = {"n_estimators": 20, "max_leaves": 4, "n_jobs": 1}
    ranker = GBRanker("position_based", **small).fit(data)
    assert Propensities.of_ranker(ranker).values == pytest.approx([1, 0.5], abs=0.1)
    found = Propensities.of_ranker(GBRanker("unbiased_lambdarank", **small).fit(data))
    assert found.method == "click_bias of a ranker"
    assert found.values[1] < 0.9
    with pytest.raises(ParameterError, match="learnt nothing of positions"):
        Propensities.of_ranker(GBRanker("lambdarank", **small))
    with pytest.raises(ParameterError, match="curve='seen': the ranker has 'examination'"):
        Propensities.of_ranker(ranker, "seen")


@pytest.mark.parametrize("objective", ["position_based", "unbiased_lambdarank"])
def test_of_a_ranker_ranks_keep_their_numbers(objective):
    # Rank 2 was never shown; nothing was clicked at rank 4, of which nothing is learnt.
    rng = np.random.default_rng(0)
    position = np.tile([1, 3, 4], 300)
    click = (rng.random(900) < np.where(position == 1, 0.6, 0.3)) * (position < 4)
    qid = np.repeat(np.arange(300), 3)
    gaps = RankingData(rng.random((900, 2)), click, qid, position=position)
    small = {"n_estimators": 3, "n_jobs": 1}
    with pytest.raises(DataError, match="ranker: has learnt nothing of rank 2"):
        Propensities.of_ranker(GBRanker(objective, **small).fit(gaps))
    late = RankingData(gaps.X, click, qid, position=np.tile([2, 3, 4], 300))
    with pytest.raises(DataError, match=r"ranker: has learnt nothing of rank 1|position: the first is 2"):
        Propensities.of_ranker(GBRanker(objective, **small).fit(late))
    whole = RankingData(gaps.X, click, qid, position=np.tile([1, 2, 3], 300))
    found = Propensities.of_ranker(GBRanker(objective, **small).fit(whole))
    assert len(found) == 2


def test_json_is_plain():
    assert json.loads(json.dumps(example().to_dict()))["propensities"] == [1, 0.5, 0.2]
