"""What a swap changes: every weight against the measure itself, on all tiny lists."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.objectives import PairwiseLogistic
from gbrank.objectives._frames.lambda_weights import WEIGHTS

MEASURES = {"ndcg": "ndcg", "map": "ap", "mrr": "rr", "err": "err(max_grade=4)"}


def all_lists(longest=5, grades=3):
    for n in range(2, longest + 1):
        yield from itertools.product(range(grades), repeat=n)


@pytest.mark.parametrize("name", MEASURES)
def test_the_weight_is_what_swapping_changes_in_the_measure(name):
    """All lists of up to 5 documents and 3 grades, all pairs: the measure of the list and of the swapped list."""
    lists = [y for y in all_lists() if max(y) > 0]
    swaps = [(y, i, j) for y in lists for i, j in itertools.combinations(range(len(y)), 2) if y[i] != y[j]]
    swapped = []
    for y, i, j in swaps:
        other = list(y)
        other[i], other[j] = y[j], y[i]
        swapped.append(other)
    change = values(name, [y for y, _, _ in swaps]) - values(name, swapped)
    weights = np.array([weight(name, *swap) for swap in swaps])
    np.testing.assert_allclose(weights, np.abs(change), atol=1e-13)
    assert len(swaps) > 1500


def values(name, lists):
    measure = gbrank.measure(MEASURES[name])
    ptr = np.concatenate(([0], np.cumsum([len(y) for y in lists])))
    score = np.concatenate([-np.arange(len(y)) for y in lists])
    return np.nan_to_num(measure(np.concatenate(lists), score, ptr))


def weight(name, y, i, j):
    """The weight as both engines take it."""
    kind, y, n = WEIGHTS[name], np.array(y, dtype=float), len(y)
    gain = PairwiseLogistic(weight=name).worth_of(y)
    discount = 1 / np.log2(np.arange(2, n + 2))
    a, b = np.zeros(n), np.zeros(n)
    c = kind.prepare(gain, discount, np.sort(gain)[::-1] @ discount, a, b)
    if gain[i] == gain[j] and kind.ranked:
        return 0.0  # pairs of equal worth are not asked about
    return kind.delta(i, j, gain[i], gain[j], a[i], a[j], b[i], b[j], c)


@pytest.mark.parametrize("name", ["uniform", "label_difference"])
def test_weights_without_ranks(name):
    assert weight(name, (0, 2, 1), 0, 1) == (1.0 if name == "uniform" else 2.0)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("truncation", [1, 3, None])
def test_lambdas_are_weight_times_slope_summed_over_pairs(engine, name, truncation):
    rng = np.random.default_rng(0)
    for n in (2, 5, 9):
        y, score = rng.integers(0, 4, n).astype(float), np.sort(rng.normal(size=n))[::-1]
        y[:2] = 0, 2
        objective = PairwiseLogistic(weight=name, truncation=truncation)
        got, _ = objective.gradient_hessian(y, score, [0, n], engine=engine)
        want = np.zeros(n)
        for i, j in itertools.combinations(range(n), 2):
            if y[i] == y[j] or i >= (truncation or n):
                continue
            better, worse = (i, j) if y[i] > y[j] else (j, i)
            scale = 1.0
            if name == "ndcg" and truncation:  # the ideal DCG is that of the first places
                gain = np.sort(2**y - 1)[::-1]
                discount = 1 / np.log2(np.arange(2, n + 2))
                scale = (gain @ discount) / (gain[:truncation] @ discount[:truncation])
            push = weight(name, y, i, j) * scale / (1 + np.exp(score[better] - score[worse]))
            want[better] -= push
            want[worse] += push
        np.testing.assert_allclose(got, want, atol=1e-12)
