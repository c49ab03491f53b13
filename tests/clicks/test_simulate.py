"""Simulated clicks on the rankings of a policy."""

import itertools

import numpy as np
import pytest

from gbrank import DataError, ParameterError, RankingData, make_letor
from gbrank.clicks import (
    Cascade,
    DynamicBayesian,
    GradedAttraction,
    PairTable,
    PlackettLuce,
    PositionBased,
    simulate_clicks,
)
from gbrank.clicks._policies import listed

ALL_SEEN = PositionBased.power(0, 200)


@pytest.fixture(scope="module")
def data():
    return make_letor(12, max_documents=15, random_state=0)


def test_lists_are_the_rankings_cut_at_k(data):
    scores = np.round(data.X[:, 0], 1)  # with ties, of which the first row stands first
    log = simulate_clicks(data, scores, ALL_SEEN, np.arange(12), 0, top_k=4)
    assert log.n_sessions == 66
    for s in range(log.n_sessions):
        rows = log.pair[log.session_ptr[s] : log.session_ptr[s + 1]]
        q = data.query_ids.tolist().index(log.query[s])
        own = np.arange(data.query_ptr[q], data.query_ptr[q + 1])
        assert rows.tolist() == own[np.argsort(-scores[own], kind="stable")][:4].tolist()
    asked, counts = np.unique(log.query, return_counts=True)
    assert dict(zip(asked, counts, strict=True)) == dict(zip(data.query_ids[1:], range(1, 12), strict=True))


@pytest.mark.parametrize("k", [1, 3, 70, None])
def test_listed_sorts(k):
    rng = np.random.default_rng(0)
    ptr = np.array([0, 1, 100, 190])
    keys = rng.integers(0, 30, 190).astype(float)
    list_ptr, places = listed(keys, ptr, k)
    for s in range(3):
        order = ptr[s] + np.argsort(-keys[ptr[s] : ptr[s + 1]], kind="stable")
        assert places[list_ptr[s] : list_ptr[s + 1]].tolist() == order[:k].tolist()


def test_all_ways_to_name_a_policy_agree(data):
    class Ranker:
        def predict(self, given):
            return given.X[:, 0]

    logs = [
        simulate_clicks(data, policy, ALL_SEEN, 50, 3)
        for policy in (data.X[:, 0], Ranker(), lambda given: given.X[:, 0], PlackettLuce(Ranker(), 1e-9))
    ]
    for log in logs[1:3]:
        assert log.to_frame().equals(logs[0].to_frame())
    assert logs[3].pair.tolist() == logs[0].pair.tolist() or len(np.unique(data.X[:, 0])) < data.n_documents


def test_plackett_luce_draws_by_its_probabilities():
    data = RankingData(np.zeros((3, 1)), np.zeros(3), ["q"] * 3)
    scores, temperature, n = np.array([0.0, 1.0, 2.0]), 2.0, 40_000
    log = simulate_clicks(data, PlackettLuce(scores, temperature), ALL_SEEN, n, 0)
    lists, counts = np.unique(log.pair.reshape(n, 3), axis=0, return_counts=True)
    share = {tuple(each): count / n for each, count in zip(lists.tolist(), counts, strict=True)}
    e = np.exp(scores / temperature)
    for order in itertools.permutations(range(3)):
        wanted = np.prod([e[order[r]] / e[list(order[r:])].sum() for r in range(3)])
        assert share[order] == pytest.approx(wanted, abs=4 * np.sqrt(wanted / n))


def test_click_rates_are_those_of_the_model(data):
    model, attraction = DynamicBayesian(0.9), {0: 0.1, 1: 0.3, 2: 0.5, 3: 0.7, 4: 0.9}
    log = simulate_clicks(
        data, -data.X[:, 1], model, 60_000, 1, top_k=5, attraction=attraction, satisfaction=lambda y: y / 8
    )
    a = np.array([attraction[y] for y in data.y])
    wanted = model.probabilities(log.session_ptr, a[log.pair], data.y[log.pair] / 8)
    place = log.rank - 1
    error = np.bincount(place, log.click - wanted) / np.bincount(place)
    assert np.abs(error).max() < 4 * 0.5 / np.sqrt(60_000)


def test_equal_seeds_give_equal_logs(data):
    def made(seed):
        return simulate_clicks(data, PlackettLuce(data.X[:, 0]), PositionBased.power(1, 15), 100, seed).to_frame()

    assert made(1).equals(made(1))
    assert not made(1).equals(made(2))


def test_a_fitted_model_clicks_by_its_own_table():
    data = RankingData(np.zeros((2, 1)), [0, 0], ["q", "q"], doc_id=["a", "b"])
    model = PositionBased([1, 1], attraction=PairTable(["q"], ["b"], [1.0], 0.0))
    log = simulate_clicks(data, [1, 0], model, 5, 0)
    assert log.click.reshape(5, 2).tolist() == [[False, True]] * 5
    assert simulate_clicks(data, [1, 0], model, 5, 0, attraction=[1, 0]).click_rates().tolist() == [1, 0]


def test_queries_of_weight_0_are_not_asked():
    data = RankingData(np.zeros((3, 1)), [0, 0, 0], ["a", "b", "c"], query_weight=[1, 0, 3])
    log = simulate_clicks(data, np.zeros(3), ALL_SEEN, 4000, 0)
    share = np.bincount(log.pair, minlength=3) / 4000
    np.testing.assert_allclose(share, [0.25, 0, 0.75], atol=0.03)


def test_graded_attraction():
    grades = GradedAttraction(0.2, highest=4)
    np.testing.assert_allclose(grades([0, 2, 4]), [0.2, 0.2 + 0.8 * 3 / 15, 1])
    assert GradedAttraction()([0, 0]).tolist() == [0.1, 0.1]
    with pytest.raises(DataError, match="row 1 is 5; grades are from 0 to the highest, 4"):
        grades([0, 5])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sessions": 0}, "sessions=0"),
        ({"sessions": [1, 2]}, "2 values for 12 queries"),
        ({"sessions": [0] * 12}, "one that is not 0"),
        ({"top_k": 0}, "top_k=0"),
        ({"model": "pbm"}, "give a click model"),
        ({"model": PositionBased([1, 1])}, "knows 2 ranks"),
        ({"model": Cascade(), "satisfaction": [1]}, "has none"),
        ({"attraction": {0: 0.5}}, "has no probability of the label"),
        ({"attraction": [0.5]}, "1 values for"),
        ({"attraction": lambda y: y}, "a probability is from 0 to 1"),
        ({"logging_policy": [1.0]}, "logging_policy: 1 values"),
    ],
)
def test_refuses(data, change, told):
    call = {"logging_policy": data.X[:, 0], "model": ALL_SEEN, "sessions": 5, "random_state": 0} | change
    with pytest.raises((DataError, ParameterError), match=told):
        simulate_clicks(data, **call)
