"""Every measure against its plain definition, averaged over all orders of tied documents, on all tiny lists."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import kendalltau

from gbrank.metrics import measure
from gbrank.metrics._definitions import MEASURES

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


def f_measure(labels, k):
    p, r = precision(labels, k), recall(labels, k)
    return 2 * p * r / (p + r) if p + r else 0.0


def rank_biased_precision(labels, k):
    return 0.2 * sum(0.8 ** (r - 1) for r, y in enumerate(labels[:k], 1) if y >= 1)


def r_precision(labels, k):
    n = sum(y >= 1 for y in labels)
    return precision(labels, n) if n else 0.0


def q_measure(labels, k):
    gains = [2**y - 1 for y in labels]
    best, n = sorted(gains, reverse=True), sum(y >= 1 for y in labels)
    blended = (
        (sum(y >= 1 for y in labels[:r]) + sum(gains[:r])) / (r + sum(best[:r])) if gains[r - 1] else 0
        for r in range(1, min(k, len(labels)) + 1)
    )
    return sum(blended) / n if n else 0.0


def bpref(labels, k):
    relevant, wrong = sum(y >= 1 for y in labels), sum(y == 0 for y in labels)
    above = (sum(y == 0 for y in labels[:i]) for i, y in enumerate(labels) if y >= 1)
    return sum(1 - min(w, relevant) / min(wrong, relevant) if w else 1 for w in above) / relevant if relevant else 0.0


def auc(labels, k):
    right = [i < j for i, a in enumerate(labels) for j, b in enumerate(labels) if a >= 1 and b < 1]
    return sum(right) / len(right) if right else 0.0


def pairs(labels, k):
    right = [i < j for i, a in enumerate(labels) for j, b in enumerate(labels) if a > b]
    return sum(right) / len(right) if right else 0.0


def tau_ap(labels, k):
    """Yilmaz et al., over all orders of equal labels: (label, tie-breaker) is a true order without ties."""
    if len(set(labels)) < 2:
        return 0.0
    n, values = len(labels), []
    for breaker in itertools.permutations(range(n)):
        true = list(zip(labels, breaker, strict=True))
        values += [2 / (n - 1) * sum(sum(t > true[i] for t in true[:i]) / i for i in range(1, n)) - 1]
    return math.fsum(values) / len(values)


DEFINITIONS = {
    "ndcg": ndcg, "dcg": dcg, "ap": average_precision, "rr": reciprocal_rank, "p": precision, "r": recall,
    "hit": hit, "err": err, "f": f_measure, "rbp": rank_biased_precision, "rprec": r_precision, "q": q_measure,
    "bpref": bpref, "auc": auc, "pairs": pairs,
}  # fmt: skip
CASES = [
    (name, k)
    for name in DEFINITIONS
    for k in (*range(1, LONGEST + 2), None)
    if not (k and MEASURES[name].cutoff == "none") and not (k is None and MEASURES[name].cutoff == "needed")
]


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


@pytest.mark.parametrize(("name", "k"), CASES)
def test_expected_ties_are_the_mean_over_all_orders(lists, name, k):
    groups, y, score, query_ptr = lists
    definition, cut = DEFINITIONS[name], k or LONGEST
    truth = []
    for members in groups:
        values = [definition(order, cut) for order in set(orders(members))]  # equal orders are equally many
        truth.append(math.fsum(values) / len(values))
    m = measure(name if k is None else f"{name}@{k}", no_relevant=0)
    np.testing.assert_allclose(m(y, score, query_ptr), truth, rtol=1e-12, atol=1e-15)


def test_tau_ap_is_the_mean_over_the_orders_of_equal_scores_and_equal_labels(lists):
    groups, y, score, query_ptr = lists
    chosen = [q for q, members in enumerate(groups) if sum(map(len, members)) <= 4]
    values = measure("tau_ap", no_relevant=0)(y, score, query_ptr)
    for q in chosen:
        orders_of_q = set(orders(groups[q]))
        truth = math.fsum(tau_ap(order, None) for order in orders_of_q) / len(orders_of_q)
        assert values[q] == pytest.approx(truth, rel=1e-12, abs=1e-12)


def test_kendall_tau_is_scipys(lists):
    _, y, score, query_ptr = lists
    values = measure("tau")(y, score, query_ptr)
    for q in range(0, len(values), 7):
        rows = slice(query_ptr[q], query_ptr[q + 1])
        truth = kendalltau(score[rows], y[rows]).statistic if query_ptr[q + 1] - query_ptr[q] > 1 else np.nan
        assert values[q] == pytest.approx(truth, rel=1e-12, abs=1e-12, nan_ok=True)


def inferred_ap(labels):
    """Yilmaz and Aslam, with trec_eval's smoothing: labels 1, 0, -1 (in the pool, unjudged), -2 (not in it)."""
    total, small = 0.0, 1e-5
    for r, y in enumerate(labels, 1):
        if y == 1:
            above = labels[: r - 1]
            share = (above.count(1) + small) / (above.count(1) + above.count(0) + 2 * small)
            pooled = sum(v != -2 for v in above)
            total += 1 / r + ((r - 1) / r * (pooled / (r - 1)) * share if r > 1 else 0)
    return total / labels.count(1) if 1 in labels else 0.0


def test_measures_of_incomplete_judgments_on_all_tiny_lists():
    labels = [each for n in range(1, 6) for each in itertools.product((1, 0, -1, -2), repeat=n)]
    y = np.concatenate(labels).astype(float)
    query_ptr = np.concatenate(([0], np.cumsum([len(each) for each in labels])))
    score = -np.concatenate([np.arange(len(each)) for each in labels]).astype(float)
    got = {name: measure(name, no_relevant=0)(y, score, query_ptr) for name in ("infap", "bpref")}
    np.testing.assert_allclose(got["infap"], [inferred_ap(each) for each in labels], rtol=1e-12)
    np.testing.assert_allclose(got["bpref"], [bpref(each, None) for each in labels], rtol=1e-12)
    share = [sum(v >= 0 for v in each[:3]) / min(3, len(each)) for each in labels]
    np.testing.assert_allclose(measure("judged@3")(y, score, query_ptr), share, rtol=1e-12)


@pytest.mark.parametrize("name", ["infap", "ap", "rr@2", "rbp"])
def test_sampling_comes_near_the_mean_over_all_orders(name):
    labels = (1, 0, 1, -1, 0, -2)
    definition = {
        "infap": inferred_ap,
        "ap": lambda order: average_precision(order, 6),
        "rr@2": lambda order: reciprocal_rank(order, 2),
        "rbp": lambda order: rank_biased_precision(order, 6),
    }[name]
    truth = [definition(list(order)) for order in itertools.permutations(labels)]
    got = measure(name, ties="sampled", tie_samples=4000, tie_seed=3)(labels, [0.0] * 6, [0, 6])[0]
    assert got == pytest.approx(np.mean(truth), abs=5 * np.std(truth) / 4000**0.5)


@pytest.mark.parametrize("ties", ["stable", "reversed", "worst", "trec"])
@pytest.mark.parametrize(
    "name",
    [
        *("ndcg@10", "dcg", "ap", "ap@7", "rr@3", "p@20", "r@50", "hit@2", "err", "ndcg@100", "f@9", "rbp@30", "rbp"),
        *("rprec", "q", "q@12", "auc", "pairs"),
    ],
)
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
            rows.sort(key=lambda i: y[i] if head in ("ndcg", "dcg", "err", "q", "pairs") else y[i] >= 1)
        if ties == "reversed":
            rows.reverse()
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
