"""Team-draft interleaving and A/B tests before simulated users."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import DataError, ParameterError, RankingData, Run
from gbrank.clicks import (
    ABTest,
    Cascade,
    DynamicBayesian,
    Interleaving,
    PairTable,
    PositionBased,
    simulate_ab_test,
    simulate_interleaving,
    team_draft,
)

EXAMINATION = np.array([1.0, 0.6, 0.3])
ATTRACTION = np.array([0.8, 0.1, 0.5, 0.3])


def all_coins(k):
    return list(itertools.product([True, False], repeat=(k + 1) // 2))


@given(st.permutations(range(6)), st.permutations(range(6)), st.integers(1, 8), st.data())
@settings(max_examples=60, deadline=None)
def test_teams_are_fair(a, b, k, data):
    coins = data.draw(st.lists(st.booleans(), min_size=(k + 1) // 2, max_size=(k + 1) // 2))
    picked, is_a = team_draft(a, b, k, coins)
    assert len(picked) == len(set(picked)) == min(k, 6)
    assert abs(sum(is_a) - sum(not each for each in is_a)) <= 1
    for team, order in ((True, a), (False, b)):
        own = [document for document, of_a in zip(picked, is_a, strict=True) if of_a == team]
        assert own == sorted(own, key=order.index)
    assert is_a[::2] == coins[: len(is_a[::2])]
    other, of_b = team_draft(b, a, k, [not coin for coin in coins])
    assert (other, of_b) == (picked, [not each for each in is_a])


def test_a_list_that_ends_leaves_its_turns_to_the_other():
    assert team_draft([1], [2, 3, 4], 4, [True, True]) == ([1, 2, 3, 4], [True, False, False, False])
    assert team_draft([1, 2], [2, 1], 5, [True, False, True]) == ([1, 2], [True, False])


def expectation(a, b, k):
    """Return the expected credit of a less that of b, by all coins and all clicks, and P(a wins) less P(b wins)."""
    credit = wins = 0.0
    for coins in all_coins(k):
        picked, is_a = team_draft(a, b, k, coins)
        p = EXAMINATION[: len(picked)] * ATTRACTION[picked]
        for clicks in itertools.product([0, 1], repeat=len(picked)):
            chance = np.prod(np.where(clicks, p, 1 - p)) / len(all_coins(k))
            gap = sum(click if of_a else -click for click, of_a in zip(clicks, is_a, strict=True))
            credit, wins = credit + chance * gap, wins + chance * np.sign(gap)
    return credit, wins


@pytest.mark.parametrize("k", [1, 2, 3])
def test_identical_rankings_tie_in_expectation(k):
    for order in itertools.permutations(range(4)):
        assert expectation(order, order, k) == pytest.approx((0, 0), abs=1e-12)
    better, worse = [0, 2, 3, 1], [1, 3, 2, 0]
    assert min(expectation(better, worse, k)) > 0.1


@pytest.mark.parametrize("k", [1, 3])
def test_simulated_outcomes_are_the_expected_ones(k):
    a, b = [0, 2, 3, 1], [2, 1, 0, 3]
    runs = [Run(["q"] * 4, order, [4, 3, 2, 1]) for order in (a, b)]
    table = PairTable(["q"] * 4, range(4), ATTRACTION, 0.0)
    n = 60_000
    found = simulate_interleaving(*runs, PositionBased(EXAMINATION, attraction=table), sessions=n, k=k, random_state=0)
    credit, wins = expectation(a, b, k)
    assert (found.clicks_a - found.clicks_b) / n == pytest.approx(credit, abs=0.015)
    assert 2 * found.preference == pytest.approx(wins, abs=0.015)
    assert found.n_sessions == n
    means = [(EXAMINATION[:k] * ATTRACTION[order[:k]]).sum() for order in (a, b)]
    ab = simulate_ab_test(*runs, PositionBased(EXAMINATION, attraction=table), sessions=n, k=k, random_state=0)
    assert (ab.mean_a, ab.mean_b) == pytest.approx(means, abs=0.02)


def test_data_and_runs_are_the_same_and_seeds_repeat():
    rng = np.random.default_rng(0)
    data = RankingData(rng.normal(size=(40, 2)), rng.integers(0, 3, 40), np.repeat(np.arange(8), 5),
                       doc_id=[f"d{i}" for i in range(40)])  # fmt: skip
    attraction = rng.random(40)
    by_data = {"data": data, "attraction": attraction}
    by_table = {"attraction": PairTable(data.qid, data.doc_id, attraction, 0.0)}
    runs = [Run.from_data(data, data.X[:, j]) for j in (0, 1)]
    for simulate in (simulate_interleaving, simulate_ab_test):
        options = {"sessions": 500, "k": 3, "random_state": 4}
        one = simulate(data.X[:, 0], data.X[:, 1], PositionBased(EXAMINATION), **options, **by_data)
        assert one == simulate(*runs, PositionBased(EXAMINATION), **options, **by_table)
        assert one != simulate(*runs, PositionBased(EXAMINATION), **options | {"random_state": 5}, **by_table)


def test_queries_are_drawn_by_their_weight():
    data = RankingData([[1.0], [2.0]], [0, 0], [1, 2], query_weight=[3.0, 1.0])
    given = {"data": data, "attraction": [1.0, 0.0], "sessions": 8000, "random_state": 0}
    found = simulate_ab_test(data.X[:, 0], data.X[:, 0], PositionBased([1.0]), **given)
    assert (found.mean_a, found.mean_b) == pytest.approx((0.75, 0.75), abs=0.03)


def test_sign_tests_hold_their_level():
    """Identical rankings: p below .05 in at most about 5 % of experiments, and intervals that hold 1/2 in the rest."""
    table = PairTable(["q"] * 4, range(4), ATTRACTION, 0.0)
    run = Run(["q"] * 4, range(4), [4, 3, 2, 1])
    model = PositionBased(EXAMINATION, attraction=table)
    found = [simulate_interleaving(run, run, model, sessions=200, k=3, random_state=seed) for seed in range(200)]
    assert 0.01 <= np.mean([each.p < 0.05 for each in found]) <= 0.09
    assert 180 <= sum(each.interval[0] <= 0.5 <= each.interval[1] for each in found) <= 200


def test_sign_test_and_interval_are_those_of_scipy():
    from scipy.stats import binomtest

    for a, b in [(60, 40), (3, 9), (0, 5), (7, 0), (50, 50)]:
        test, found = binomtest(a, a + b), Interleaving(a, b, 11, a, b)
        assert found.p == pytest.approx(test.pvalue)
        assert found.interval == pytest.approx(tuple(test.proportion_ci(0.95, "exact")))


def test_sessions_needed_give_the_power():
    share, decided = 0.6, 0.5
    plan = Interleaving(600, 400, 1000, 0, 0)
    n = plan.sessions_needed(power=0.8)
    rng = np.random.default_rng(0)
    total = rng.binomial(n, decided, 2000)
    wins = rng.binomial(total, share)
    hits = np.mean([Interleaving(int(w), int(t - w), 0, 0, 0).p < 0.05 for w, t in zip(wins, total, strict=True)])
    assert hits == pytest.approx(0.8, abs=0.04)
    assert Interleaving(5, 5, 3, 0, 0).sessions_needed() == np.inf


def test_ab_tests_are_those_of_scipy():
    from scipy.stats import norm, ttest_ind

    rng = np.random.default_rng(2)
    a, b = rng.poisson(0.9, 300), rng.poisson(0.7, 200)
    found = ABTest(300, 200, a.mean(), b.mean(), a.std(ddof=1), b.std(ddof=1))
    test = ttest_ind(a, b, equal_var=False)
    assert found.p == pytest.approx(test.pvalue)
    assert found.interval == pytest.approx(tuple(test.confidence_interval(0.95)))
    n = ABTest(10, 10, 0.9, 0.7, 0.9, 0.7).sessions_needed(power=0.9) // 2
    z = (0.2 - 1.96 * np.sqrt((0.81 + 0.49) / n)) / np.sqrt((0.81 + 0.49) / n)
    assert norm.cdf(z) == pytest.approx(0.9, abs=0.002)
    same = ABTest(10, 10, 1.0, 1.0, 0.0, 0.0)
    assert (same.p, same.interval, same.sessions_needed()) == (1.0, (0.0, 0.0), np.inf)


def test_interleaving_needs_fewer_sessions_than_an_ab_test():
    """As found by Chapelle et al. (2012) for real users."""
    table = PairTable(["q"] * 4, range(4), ATTRACTION, 0.0)
    better, worse = (Run(["q"] * 4, order, [4, 3, 2, 1]) for order in ([0, 2, 3, 1], [2, 0, 3, 1]))
    model = PositionBased(EXAMINATION, attraction=table)
    needed = [
        simulate(better, worse, model, sessions=50_000, k=3, random_state=1).sessions_needed()
        for simulate in (simulate_interleaving, simulate_ab_test)
    ]
    assert 2 * needed[0] < needed[1]


def test_models_with_satisfaction_use_theirs():
    table = PairTable(["q"] * 4, range(4), ATTRACTION, 0.0)
    run = Run(["q"] * 4, range(4), [4, 3, 2, 1])
    outcomes = Counter()
    for satisfied in (0.0, 1.0):
        model = DynamicBayesian(1.0, attraction=table, satisfaction=PairTable([], [], [], satisfied))
        outcomes[satisfied] = simulate_ab_test(run, run, model, sessions=4000, k=4, random_state=0).mean_a
    assert outcomes[1.0] == pytest.approx(1 - np.prod(1 - ATTRACTION), abs=0.03)
    assert outcomes[0.0] == pytest.approx(ATTRACTION.sum(), abs=0.05)


def test_results_are_told():
    found = Interleaving(60, 40, 100, 90, 70)
    assert "a wins 60 of 200 sessions" in str(found)
    assert found.to_dict()["sessions_needed"] == found.sessions_needed()
    assert "<pre>" in found._repr_html_()
    none = Interleaving(0, 0, 9, 0, 0)
    assert none.to_dict()["share"] is None
    assert "more than any" in str(none)
    ab = ABTest(10, 10, 1.0, 0.5, 1.0, 1.0)
    assert "difference +0.5000" in str(ab)
    assert ab.to_dict()["n_a"] == 10


RUN = Run(["q", "q"], ["a", "b"], [1, 2])
TABLE = PairTable(["q"], ["a"], [0.5], 0.5)


@pytest.mark.parametrize("simulate", [simulate_interleaving, simulate_ab_test], ids=["interleaving", "ab"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"b": Run(["r"], ["a"], [1])}, "other queries"),
        ({"b": [1.0, 2.0]}, "give `data`"),
        ({"sessions": 0}, "sessions=0"),
        ({"k": 0}, "k=0"),
        ({"confidence": 1}, "between 0 and 1"),
        ({"attraction": None}, "no table of it"),
        ({"attraction": [0.1, 0.2]}, "give a PairTable"),
        ({"satisfaction": TABLE}, "has none"),
        ({"model": PositionBased([1.0])}, "knows 1 ranks"),
    ],
)
def test_what_cannot_be_is_refused(simulate, changes, message):
    options = {"a": RUN, "b": RUN, "model": Cascade(), "sessions": 10, "attraction": TABLE} | changes
    with pytest.raises((DataError, ParameterError), match=message):
        simulate(options.pop("a"), options.pop("b"), options.pop("model"), **options)
