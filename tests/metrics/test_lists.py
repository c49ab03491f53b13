"""Every measure against its plain definition, averaged over all orders of tied documents, on all tiny lists."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from gbrank.metrics import measure

GRADES = (0, 1, 2)
LONGEST = 5


def discount(rank: int) -> float:
    return 1 / math.log2(rank + 1)


def dcg(labels, k):
    return sum((2**y - 1) * discount(r) for r, y in enumerate(labels[:k], 1))


def ndcg(labels, k):
    best = dcg(sorted(labels, reverse=True), k)
    return dcg(labels, k) / best if best else 0.0


def precision(labels, k):
    return sum(y >= 1 for y in labels[:k]) / k


def recall(labels, k):
    n = sum(y >= 1 for y in labels)
    return sum(y >= 1 for y in labels[:k]) / n if n else 0.0


def average_precision(labels, k):
    n = sum(y >= 1 for y in labels)
    return sum(precision(labels, r) for r, y in enumerate(labels[:k], 1) if y >= 1) / n if n else 0.0


def reciprocal_rank(labels, k):
    return next((1 / r for r, y in enumerate(labels[:k], 1) if y >= 1), 0.0)


def hit(labels, k):
    return float(any(y >= 1 for y in labels[:k]))


def err(labels, k):
    total, reached = 0.0, 1.0
    for r, y in enumerate(labels[:k], 1):
        total += reached * (2**y - 1) / 16 / r
        reached *= 1 - (2**y - 1) / 16
    return total


DEFINITIONS = {
    "ndcg": ndcg, "dcg": dcg, "ap": average_precision, "rr": reciprocal_rank, "p": precision, "r": recall,
    "hit": hit, "err": err,
}  # fmt: skip


def tiny_lists():
    """All lists of up to 5 documents: group sizes from the best score down, and the labels of each group."""
    for n in range(1, LONGEST + 1):
        for cuts in itertools.product((0, 1), repeat=n - 1):
            group = np.cumsum([0, *cuts]).tolist()
            sizes = [group.count(g) for g in range(group[-1] + 1)]
            choices = [itertools.combinations_with_replacement(GRADES, size) for size in sizes]
            yield from itertools.product(*choices)


def orders(groups):
    """All orders of documents that respect the groups."""
    for parts in itertools.product(*map(itertools.permutations, groups)):
        yield tuple(itertools.chain.from_iterable(parts))


@pytest.fixture(scope="module")
def lists():
    groups = list(tiny_lists())
    rng = np.random.default_rng(0)
    y, score, sizes = [], [], []
    for members in groups:
        rows = [(label, -float(g)) for g, labels in enumerate(members) for label in labels]
        rows = [rows[i] for i in rng.permutation(len(rows))]
        sizes.append(len(rows))
        y += [row[0] for row in rows]
        score += [row[1] for row in rows]
    return groups, np.array(y, float), np.array(score), np.concatenate(([0], np.cumsum(sizes)))


@pytest.mark.parametrize("k", [*range(1, LONGEST + 2), None])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_expected_ties_are_the_mean_over_all_orders(lists, name, k):
    if name in ("p", "r", "hit") and k is None:
        pytest.skip("needs a cutoff")
    groups, y, score, query_ptr = lists
    definition, cut = DEFINITIONS[name], k or LONGEST
    truth = []
    for members in groups:
        values = [definition(order, cut) for order in set(orders(members))]  # equal orders are equally many
        truth.append(math.fsum(values) / len(values))
    m = measure(name if k is None else f"{name}@{k}", no_relevant=0)
    np.testing.assert_allclose(m(y, score, query_ptr), truth, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("ties", ["stable", "worst", "trec"])
@pytest.mark.parametrize("name", ["ndcg@10", "dcg", "ap", "ap@7", "rr@3", "p@20", "r@50", "hit@2", "err", "ndcg@100"])
def test_ordered_ties_on_long_lists(name, ties):
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 300, size=60)
    query_ptr = np.concatenate(([0], np.cumsum(sizes)))
    n = int(query_ptr[-1])
    y = rng.integers(0, 5, n) * (rng.random(n) < 0.3)
    score = np.round(rng.normal(size=n), 1)
    doc_id = np.array([f"d{i}" for i in rng.permutation(n)])
    got = measure(name, ties=ties, no_relevant=0)(y, score, query_ptr, doc_id)
    head, _, k = name.partition("@")
    for q in range(len(sizes)):
        rows = list(range(query_ptr[q], query_ptr[q + 1]))
        if ties == "worst":
            rows.sort(key=lambda i: y[i] if head in ("ndcg", "dcg", "err") else y[i] >= 1)
        if ties == "trec":
            rows.sort(key=lambda i: doc_id[i], reverse=True)
        rows.sort(key=lambda i: -np.float32(score[i]))
        truth = DEFINITIONS[head]([int(y[i]) for i in rows], int(k) if k else 300)
        assert got[q] == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("n", [30, 200])
def test_err_of_one_large_tie_group_in_exact_arithmetic(n):
    rng = np.random.default_rng(n)
    y = rng.integers(0, 5, n)
    passed = [Fraction(17 - 2 ** int(g), 16) for g in y]
    symmetric = [Fraction(1)] + [Fraction(0)] * n  # elementary symmetric polynomials
    for u in passed:
        for i in range(n, 0, -1):
            symmetric[i] += u * symmetric[i - 1]
    mean = [e / math.comb(n, i) for i, e in enumerate(symmetric)]
    truth = sum((mean[i] - mean[i + 1]) / (i + 1) for i in range(n))
    assert measure("err")(y, np.zeros(n), [0, n])[0] == pytest.approx(float(truth), rel=1e-12)


def test_expected_ties_lie_between_the_worst_and_the_best_order():
    rng = np.random.default_rng(3)
    query_ptr = np.arange(0, 4001, 40)
    y, score = rng.integers(0, 3, 4000), rng.integers(0, 6, 4000)
    best = score + 1e-3 * y
    for name in ("ndcg@10", "ap", "rr", "p@10", "r@10", "err@10", "hit@3", "dcg"):
        worst, expected, top = (
            measure(name, ties=t)(y, s, query_ptr) for t, s in [("worst", score), ("expected", score), ("stable", best)]
        )
        assert np.all(worst <= expected + 1e-12), name
        assert np.all(expected <= top + 1e-12), name
        assert expected.mean() > worst.mean()
