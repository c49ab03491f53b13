"""Negative sampling: exact probabilities, rules against brute force, and what is never drawn."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from gbrank import DataError, ParameterError, sample_negatives
from gbrank.data import (
    ByPopularity,
    Hard,
    Stratified,
    bootstrap_negatives,
    disliked,
    engaged,
    shown_above,
    within_hops,
)
from gbrank.data import _negative_draws as draws

N = 6000  # requests, all alike: so many independent draws


def ordered(negatives, n):
    """Return how often each sequence of items was drawn."""
    return Counter(map(tuple, negatives.item.reshape(-1, n).tolist()))


def assert_follows(counts, probabilities):
    cells = list(probabilities)
    assert set(counts) <= set(cells)
    expected = np.array([probabilities[cell] for cell in cells])
    assert expected.sum() == pytest.approx(1)
    total = sum(counts.values())
    assert chisquare([counts.get(cell, 0) for cell in cells], total * expected).pvalue > 1e-4


def successive(weights, n):
    """Return the probability of each sequence of n draws without replacement."""
    result = {}
    for cell in itertools.permutations(weights, n):
        p, left = 1.0, sum(weights.values())
        for item in cell:
            p, left = p * weights[item] / left, left - weights[item]
        result[cell] = p
    return result


@pytest.fixture(params=["rejection", "enumeration"])
def path(request, monkeypatch):
    """Draw by one of the two ways, which must not differ."""
    if request.param == "enumeration":
        monkeypatch.setattr(draws, "SLOW", 2.0)
    return request.param


def same_for_all(items):
    return np.repeat(np.arange(N), len(items)), np.tile(items, N)


@pytest.mark.usefixtures("path")
def test_random_draws_are_uniform():
    negatives = sample_negatives(same_for_all([2, 9]), range(5), 2, exclude=same_for_all([0]), random_state=1)
    assert_follows(ordered(negatives, 2), successive({1: 1, 3: 1, 4: 1}, 2))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(("exponent", "cap"), [(1.0, None), (0.5, None), (1.0, 20)])
def test_draws_by_popularity(exponent, cap):
    seen = {0: 100, 1: 4, 2: 9, 3: 25, 4: 0, 5: 50}
    how = ByPopularity(list(seen.values()), exponent=exponent, cap=cap)
    negatives = sample_negatives(same_for_all([0]), list(seen), 3, how=how, random_state=2)
    weights = {i: min(k, cap or k) ** exponent for i, k in seen.items() if i not in (0, 4)}
    assert_follows(ordered(negatives, 3), successive(weights, 3))


def test_popularity_is_that_of_the_positives_by_default():
    request, item = np.repeat(np.arange(N), 2), np.tile([0, 1, 0, 2, 0, 3], N // 3)
    negatives = sample_negatives((request, item), range(5), 1, how="popularity", random_state=0)
    first = negatives.item[0::3]  # of requests with the positives 0 and 1: items 2 and 3, as popular as each other
    assert_follows(Counter(first.tolist()), {2: 0.5, 3: 0.5})


def test_hard_draws():
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    hardest = sample_negatives(same_for_all([1]), range(6), 2, how=Hard(np.tile(score, (N, 1))), random_state=0)
    assert ordered(hardest, 2) == {(0, 2): N}
    given = lambda ids: np.tile(score, (len(ids), 1))  # noqa: E731
    pooled = sample_negatives(same_for_all([1]), range(6), 2, how=Hard(given, pool=3), random_state=0)
    assert_follows(ordered(pooled, 2), successive({0: 1, 2: 1, 3: 1}, 2))
    tied = sample_negatives({"q": [0]}, range(4), 1, how=Hard(np.ones((1, 4))), random_state=3)
    seeds = [sample_negatives({"q": [0]}, range(4), 1, how=Hard(np.ones((1, 4))), random_state=s) for s in range(90)]
    assert tied.item[0] in (1, 2, 3)
    assert_follows(Counter((each.item[0],) for each in seeds), successive({1: 1, 2: 1, 3: 1}, 1))


def test_hard_leaves_the_scores_as_they_are():
    score = np.array([[0.1, 0.2, 0.3]])
    sample_negatives({"q": [2]}, range(3), 1, how=Hard(score), random_state=0)
    assert score.tolist() == [[0.1, 0.2, 0.3]]


@pytest.mark.parametrize("shares", [None, {"a": 3, "b": 1, "c": 1}])
def test_strata_get_their_shares(shares):
    strata = np.array(list("aaaaabbbbbccccc"))
    n = 4
    how = Stratified(strata, shares)
    negatives = sample_negatives(same_for_all([0]), range(15), n, how=how, random_state=5)
    counts = np.array([(strata[negatives.item.reshape(-1, n)] == name).sum(axis=1) for name in "abc"])
    aims = n * np.array([1, 1, 1] if shares is None else [3, 1, 1]) / (3 if shares is None else 5)
    assert (np.abs(counts - aims[:, None]) < 1).all()
    np.testing.assert_allclose(counts.mean(axis=1), aims, atol=0.03)
    of_a = negatives.item[strata[negatives.item] == "a"]
    assert_follows(Counter(of_a.tolist()), dict.fromkeys((1, 2, 3, 4), 1 / 4))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_is_never_drawn_and_what_always(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    n_items, n_requests = int(rng.integers(3, 30)), int(rng.integers(1, 8))
    items = rng.permutation(100)[:n_items]

    def pairs(share, pool=100):
        request, item = np.nonzero(rng.random((n_requests + 1, pool)) < share)
        return request, item

    request, item = pairs(0.05)
    positives = np.append(request, np.arange(n_requests)), np.append(item, rng.integers(0, 100, n_requests))
    exclude = [pairs(0.1), pairs(0.05)]
    a, b = pairs(0.05)
    include = a[np.isin(b, items)], b[np.isin(b, items)]
    n, per = int(rng.integers(1, 6)), data.draw(st.sampled_from(["request", "positive"]))
    how = data.draw(st.sampled_from(["random", "hard", "popularity"]))
    weights = rng.integers(1, 9, n_items)
    way = {
        "random": "random",
        "popularity": ByPopularity(weights),
        "hard": Hard(lambda q: rng.random((len(q), n_items))),
    }
    found = sample_negatives(
        positives, items, n, how=way[how], per=per, include=include, exclude=exclude, too_few="fewer", random_state=rng
    )
    liked = set(zip(*(each.tolist() for each in positives), strict=True))
    barred = liked | {pair for rule in exclude for pair in zip(*(each.tolist() for each in rule), strict=True)}
    wanted = set(zip(*(each.tolist() for each in include), strict=True)) - barred
    for q, r in enumerate(found.request_ids.tolist()):
        a, b = found.request_ptr[q : q + 2]
        mine = [(r, i) for i in found.item[a:b].tolist()]
        assert len(set(mine)) == len(mine)
        assert not set(mine) & barred
        assert {i for _, i in mine} <= set(items.tolist())
        need = n * (len({pair for pair in liked if pair[0] == r}) if per == "positive" else 1)
        allowed = {(r, i) for i in items.tolist()} - barred
        assert len(mine) == min(need, len(allowed))
        assert found.missing[q] == need - len(mine)
        ruled = {pair for pair in wanted if pair[0] == r}
        flags = found.included[a:b]
        assert flags.sum() == min(need, len(ruled))
        assert set(mine[: flags.sum()]) <= ruled
        assert not (flags[1:] & ~flags[:-1]).any()


def test_included_are_drawn_at_random_where_they_are_too_many():
    negatives = sample_negatives(
        same_for_all([0]), range(5), 1, include=[same_for_all([1, 2]), same_for_all([3])], random_state=7
    )
    assert negatives.included.all()
    assert_follows(Counter(negatives.item.tolist()), {1: 1 / 3, 2: 1 / 3, 3: 1 / 3})


def test_seeds():
    def drawn(seed):
        return sample_negatives({"u": [1], "v": [2]}, range(1000), 20, random_state=seed).item.tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_strings_and_frames():
    negatives = sample_negatives({"u": ["x"]}, ["x", "y", "z"], 2, random_state=0)
    frame = negatives.to_frame()
    assert frame.columns.tolist() == ["request", "item", "included", "round"]
    assert set(frame["item"]) == {"y", "z"}
    again = sample_negatives(frame, ["x", "y", "z"], 1, random_state=0)
    assert again.item.tolist() == ["x"]


def test_rounds_add_the_hardest_that_are_left():
    score = np.array([[0.5, 0.9, 0.1, 0.8, 0.3, 0.7], [0.5, 0.1, 0.9, 0.2, 0.8, 0.3]])
    sizes = []

    def train(negatives):
        sizes.append(len(negatives))
        return score

    found = bootstrap_negatives({"u": [0], "v": [0]}, range(6), 1, train, rounds=2, random_state=0)
    assert sizes == [2, 4]
    assert found.round.tolist() == [0, 1, 2] * 2
    for q, row in enumerate(found.item.reshape(2, 3).tolist()):
        left = [i for i in np.argsort(-score[q]).tolist() if i not in (0, row[0])]
        assert row[1:] == left[:2]
    assert found.request.tolist() == ["u"] * 3 + ["v"] * 3


def test_within_hops_is_a_walk_on_the_graph():
    rng = np.random.default_rng(0)
    edges = sorted({(int(u), int(v)) for u, v in zip(rng.integers(0, 12, 18), rng.integers(0, 15, 18), strict=True)})
    for hops in range(1, 7):
        expected = set()
        for user in {u for u, _ in edges}:
            users, items = {user}, set()
            for step in range(hops):
                if step % 2 == 0:
                    items |= {v for u, v in edges if u in users}
                else:
                    users |= {u for u, v in edges if v in items}
            expected |= {(user, v) for v in items}
        found = within_hops(*zip(*edges, strict=True), hops)
        assert set(map(tuple, found.values.tolist())) == expected
        assert len(found) == len(expected)
        one = edges[0][0]
        part = within_hops(*zip(*edges, strict=True), hops, users=[one])
        assert set(map(tuple, part.values.tolist())) == {pair for pair in expected if pair[0] == one}


def test_rules_over_events():
    rng = np.random.default_rng(1)
    events = list(zip(rng.integers(0, 4, 60).tolist(), rng.integers(0, 5, 60).tolist(), strict=True))
    number = rng.integers(-2, 6, 60)
    total, least = {}, {}
    for pair, value in zip(events, number.tolist(), strict=True):
        total[pair] = total.get(pair, 0) + value
        least[pair] = min(least.get(pair, value), value)
    request, item = zip(*events, strict=True)
    found = engaged(request, item, number, above=4)
    assert sorted(map(tuple, found.values.tolist())) == sorted(pair for pair, value in total.items() if value > 4)
    found = disliked(request, item, number, below=0)
    assert sorted(map(tuple, found.values.tolist())) == sorted(pair for pair, value in least.items() if value < 0)


def test_shown_above_the_lowest_positive():
    rng = np.random.default_rng(2)
    request, position = np.repeat(np.arange(20), 6), np.tile(rng.permutation(6) + 1, 20)
    item, positive = np.arange(120), rng.random(120) < 0.2
    expected = set()
    for q in range(20):
        mine = request == q
        if (mine & positive).any():
            lowest = position[mine & positive].max()
            expected |= {(q, i) for i in item[mine & ~positive & (position < lowest)].tolist()}
    found = shown_above(request, item, position, positive)
    assert set(map(tuple, found.values.tolist())) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 0}, r"n=0: must be a whole number"),
        ({"n": 5}, r"request u: 5 negatives are wanted, 1 more than there are"),
        ({"items": [1, 2, 2]}, r"items: 2 is there twice"),
        ({"items": []}, r"items: there are none"),
        ({"items": ["1", "2"]}, r"items of positives: are whole numbers, those that they must match strings"),
        ({"exclude": {1: [2]}}, r"requests of exclude: are whole numbers, those that they must match strings"),
        ({"include": {"u": [77]}}, r"include: item 77 is not among the items"),
        ({"positives": {}}, r"positives: the table is empty"),
        ({"positives": {"u": [1], "v": []}}, r"positives: request v has none"),
        ({"positives": [1, 2, 3]}, r"positives: list is no table of pairs"),
        ({"positives": (["u"], [1, 2])}, r"positives: 1 requests and 2 items"),
        ({"how": "hard"}, r"how='hard': choose 'random' or 'popularity', or give"),
        ({"per": "user"}, r"per='user': choose one of"),
        ({"too_few": "none"}, r"too_few='none'"),
        ({"how": ByPopularity([1, 2])}, r"popularity: 2 values for 5 items"),
        ({"how": ByPopularity([0, 0, 1, 0, 0])}, r"request u: 2 negatives are wanted, 1 more"),
        ({"how": ByPopularity([1, -2, 1, 1, 1])}, r"popularity: item 1 has -2"),
        ({"how": Hard(np.zeros((1, 3)))}, r"score: of shape \(1, 3\) for 1 requests and 5 items"),
        ({"how": Hard(np.full((1, 5), np.nan))}, r"score: row 0 is"),
        ({"how": Stratified(["a"])}, r"strata: of shape \(1,\) for 5 items"),
        ({"how": Stratified(np.array(["a", None, "b", "b", "b"], dtype=object))}, r"strata: that of item 1 is missing"),
        ({"how": Stratified(list("aabbb"), {"c": 1})}, r"shares: no item is in stratum 'c'"),
        ({"how": Stratified(list("aabbb"), {"a": -1, "b": 2})}, r"shares="),
    ],
)
def test_bad_input_is_refused(changes, message):
    fields = {"positives": {"u": [1]}, "items": [1, 2, 3, 4, 5], "n": 2}
    with pytest.raises((DataError, ParameterError), match=message):
        sample_negatives(**fields | changes)


def test_bad_numbers_are_refused():
    for wrong in (lambda: ByPopularity(exponent=-1), lambda: ByPopularity(cap=0), lambda: Hard([[1.0]], pool=0)):
        with pytest.raises(ParameterError):
            wrong()
    with pytest.raises(DataError, match="users: z has no edge"):
        within_hops(["a"], [1], 1, users=["z"])
    with pytest.raises(ParameterError, match="hops=0"):
        within_hops(["a"], [1], 0)
