"""Measures of aspects against their plain definitions, averaged over all orders of tied documents."""

import itertools
import math

import numpy as np
import pytest

from gbrank import DataError, ParameterError, measure

ALPHA = 0.3


def alpha_dcg(table, k):
    seen, total = np.zeros(len(table[0])), 0.0
    for place, aspects in enumerate(table[:k]):
        total += sum(a * (1 - ALPHA) ** c for a, c in zip(aspects, seen, strict=True)) / math.log2(place + 2)
        seen += aspects
    return total


def greedy(table, k):
    """The list in which each place holds the document of highest gain; of these the first in the order of aspects."""
    rest, chosen = sorted(map(tuple, table), reverse=True), []
    while rest:
        seen = np.sum(chosen, axis=0) if chosen else np.zeros(len(table[0]))
        best = max(rest, key=lambda each: sum(a * (1 - ALPHA) ** c for a, c in zip(each, seen, strict=True)))
        rest.remove(best)
        chosen.append(best)
    return alpha_dcg(chosen, k)


def alpha_ndcg(table, k):
    return alpha_dcg(table, k) / greedy(table, k)


def subtopic_recall(table, k):
    return np.max(table[:k], axis=0).sum() / np.max(table, axis=0).sum()


def diversity(table, k):
    def cosine(a, b):
        length = np.linalg.norm(a) * np.linalg.norm(b)
        return a @ b / length if length else 0.0

    pairs = list(itertools.combinations(np.array(table[:k], float), 2))
    return float(np.mean([1 - cosine(a, b) for a, b in pairs]))


DEFINITIONS = {f"alpha_ndcg(alpha={ALPHA})": alpha_ndcg, "strec": subtopic_recall, "ild": diversity}


@pytest.mark.parametrize("k", [2, 3, 4, 9])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_mean_over_all_orders_of_the_tied(name, k):
    rng = np.random.default_rng(5)
    for trial in range(25):
        n = int(rng.integers(2, 6))
        table = rng.integers(0, 2, (n, 3)) if name != "ild" else rng.integers(-2, 3, (n, 3))
        table[0, 0] = 1
        score = rng.integers(0, 3, n)
        groups = [[row for row in range(n) if score[row] == s] for s in sorted(set(score.tolist()), reverse=True)]
        orders = itertools.product(*map(itertools.permutations, groups))
        values = [DEFINITIONS[name](table[list(itertools.chain(*order))].tolist(), k) for order in orders]
        got = measure(f"{name}@{k}")(np.zeros(n), score, [0, n], aspects=table)[0]
        assert got == pytest.approx(math.fsum(values) / len(values), rel=1e-12, abs=1e-14), trial


def test_the_example_of_clarke_et_al():
    # SIGIR 2008, section 3: documents a ... j of the question "85", with the gains 2, 1/2, 1/4, 0, 2, 1/2, 1, 1/4, ...
    table = np.array(
        [
            [0, 1, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1],
            [1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0],
        ]
    )  # fmt: skip
    gains = [2, 0.5, 0.25, 0, 2, 0.5, 1, 0.25, 0, 0]
    dcg = sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))
    ideal = [2, 2, 1, 0.5, 0.5, 0.25, 0.25]  # a, e, g, b, f, c, h
    best = sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))
    got = measure("alpha_ndcg")(np.zeros(10), -np.arange(10.0), [0, 10], aspects=table)[0]
    assert got == pytest.approx(dcg / best, rel=1e-12)


def test_novelty_is_the_mean_self_information():
    got = measure("novelty@2")(np.zeros(3), [3, 2, 1], [0, 3], aspects=[0.5, 0.125, 1])
    assert got.tolist() == [2.0]
    assert measure("novelty@2")(np.zeros(3), [1, 1, 1], [0, 3], aspects=[0.5, 0.125, 1])[0] == pytest.approx(4 / 3)


def test_a_list_of_one_has_no_diversity():
    values = measure("ild@2")(np.zeros(3), [3, 2, 1], [0, 1, 3], aspects=[[1, 0], [1, 0], [0, 1]])
    assert np.isnan(values[0])
    assert values[1] == 1


@pytest.mark.parametrize(
    ("name", "aspects", "error", "message"),
    [
        (
            "alpha_ndcg",
            None,
            ParameterError,
            "alpha_ndcg needs aspects: an array (n_documents, n_aspects), each entry 1",
        ),
        ("strec@3", [[1, 0], [0, 2]], DataError, "aspects: row 1, column 1 is 2; strec@3 needs 1 where"),
        ("ild", [[1, 0]], DataError, "aspects: shape (1, 2) for 2 documents"),
        ("ild", [[1, 0], [np.nan, 1]], DataError, "aspects: row 1, column 0 is nan"),
        ("ild", [["x"], ["y"]], DataError, "aspects: every entry must be a number"),
        ("novelty", [[1, 0], [0, 1]], DataError, "aspects: 2 columns; novelty needs one"),
        ("novelty", [0.5, 0], DataError, "aspects: row 1 is 0; novelty needs the share of users"),
    ],
)
def test_bad_aspects_are_named(name, aspects, error, message):
    with pytest.raises(error) as raised:
        measure(name)([0, 1], [0.2, 0.1], [0, 2], aspects=aspects)
    assert message in str(raised.value)
