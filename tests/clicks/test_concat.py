"""Logs brought together, and rankings with swaps."""

import itertools
from collections import Counter

import numpy as np
import pytest

from gbrank import DataError, ParameterError, RankingData, make_letor
from gbrank.clicks import ClickLog, PlackettLuce, PositionBased, RandomSwaps, concat_click_logs, simulate_clicks

SEEN = PositionBased.power(0, 200)


def log_of(document, **more):
    return ClickLog([5, 5], ["q", "q"], document, [1, 2], [0, 1], **more)


def test_sessions_of_all_logs_stand_one_after_the_other():
    logs = [log_of(["a", "b"]), log_of(["b", "c"]), log_of(["b", "a"]).take([0, 0])]
    both = concat_click_logs(logs, policies=["x", "y", "x"])
    wanted = {
        "session": [0, 0, 1, 1, 2, 2, 3, 3],
        "document": list("abbcbaba"),
        "rank": [1, 2] * 4,
        "click": [0, 1] * 4,
        "policy": list("xxyyxxxx"),
    }
    frame = both.to_frame()
    assert {name: frame[name].tolist() for name in wanted} == wanted
    assert both.n_pairs == 3  # the same document of the same query is the same pair
    assert ClickLog.from_frame(frame).pair.tolist() == both.pair.tolist()


def test_logs_of_the_same_data_share_its_catalogue():
    data = make_letor(5, max_documents=10, random_state=0)
    logs = [simulate_clicks(data, data.X[:, j], SEEN, 20, j, policy=f"p{j}") for j in range(2)]
    both = concat_click_logs(logs)
    assert both.pair_document is logs[0].pair_document
    assert both.policy.tolist() == ["p0"] * 20 + ["p1"] * 20
    assert (
        both.take(np.arange(20, 40))
        .to_frame()
        .drop(columns="session")
        .equals(logs[1].to_frame().drop(columns="session"))
    )


def test_keeps_times():
    both = concat_click_logs([log_of(["a", "b"], time=[2, 2]), log_of(["a", "b"], time=[1, 1])])
    assert both.time.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("logs", "options", "told"),
    [
        ([], {}, "there are none"),
        ([log_of(["a", "b"]), 3], {}, "number 1 is a int"),
        ([log_of(["a", "b"]), log_of([1, 2])], {}, "document: some logs have numbers"),
        ([log_of(["a", "b"]), log_of(["a", "b"], time=[1, 1])], {}, "time: log 0 has none"),
        ([log_of(["a", "b"])] * 2, {"policies": ["x"]}, "give one for each of 2"),
        ([log_of(["a", "b"])] * 2, {"policies": "xy"}, "give one for each of 2"),
    ],
)
def test_refuses(logs, options, told):
    with pytest.raises((DataError, ParameterError), match=told):
        concat_click_logs(logs, **options)


@pytest.mark.parametrize("pairs", ["first", "adjacent"])
@pytest.mark.parametrize("n_ranks", [None, 3])
def test_swaps_change_the_two_ranks_that_they_name(pairs, n_ranks):
    data = RankingData(np.arange(6.0)[:, None], np.zeros(6), ["a"] * 5 + ["b"])
    n = 10_000
    log = simulate_clicks(data, RandomSwaps(data.X[:, 0], pairs, n_ranks), SEEN, n, 0, top_k=4)
    documents, ptr = log.document.tolist(), log.session_ptr.tolist()
    lists = [tuple(documents[start:end]) for start, end in itertools.pairwise(ptr)]
    counts = Counter(zip(log.policy.tolist(), lists, strict=True))
    assert counts.pop(("none", (5,))) == pytest.approx(n / 2, abs=300)
    lowest = n_ranks or 4
    swaps = [(1, k) for k in range(2, lowest + 1)] if pairs == "first" else [(k, k + 1) for k in range(1, lowest)]
    wanted = set()
    for i, j in swaps:
        plain = [4, 3, 2, 1]
        swapped = plain.copy()
        swapped[i - 1], swapped[j - 1] = swapped[j - 1], swapped[i - 1]
        for each in (plain, swapped):
            wanted.add((f"{i}-{j}", tuple(each)))
    assert set(counts) == wanted
    share = n / 2 / len(wanted)
    assert list(counts.values()) == pytest.approx([share] * len(counts), abs=5 * share**0.5)


def test_swaps_of_drawn_rankings_and_seeds():
    data = make_letor(5, max_documents=10, random_state=0)
    policy = RandomSwaps(PlackettLuce(data.X[:, 0]))
    one, again, other = (simulate_clicks(data, policy, SEEN, 50, seed).to_frame() for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)


def test_swaps_refuse():
    for options, told in (({"pairs": "last"}, "pairs='last'"), ({"n_ranks": 1}, "n_ranks=1")):
        with pytest.raises(ParameterError, match=told):
            RandomSwaps([1.0], **options)
    data = make_letor(2, random_state=0)
    with pytest.raises(ParameterError, match="policy='x': with RandomSwaps"):
        simulate_clicks(data, RandomSwaps(data.X[:, 0]), SEEN, 5, policy="x")
