"""What Zheng et al. (arXiv 2405.04844) prove, by enumeration of small systems."""

import itertools

import numpy as np
import pytest

from gbrank.stages import StageLog, gprp_scores, relabel

NAN = float("nan")


def top(score, k):
    """Return the k items with the highest scores."""
    return frozenset(np.argsort(-np.asarray(score), kind="stable")[:k].tolist())


def subsets(items, k):
    return [frozenset(each) for each in itertools.combinations(sorted(items), k)]


def best(sets, utility):
    """Return the sets of the highest utility."""
    values = {each: utility(each) for each in sets}
    highest = max(values.values())
    return {each for each, value in values.items() if value > highest - 1e-12}


def prp(r, k):
    """Return what the probability ranking principle outputs: nothing is filtered later."""
    return top(gprp_scores(np.ones(len(r)), r), k)


@pytest.mark.parametrize(("n", "kept", "shown"), [(4, 3, 1), (6, 4, 2), (6, 3, 3), (7, 5, 4)])
def test_proposition_1_prp_is_the_max_min_solution(n, kept, shown):
    rng = np.random.default_rng(0)
    for _ in range(20):
        r = rng.random(n)
        worst = lambda chosen, r=r: min(sum(r[v] for v in final) for final in subsets(chosen, shown))  # noqa: E731
        assert best(subsets(range(n), kept), worst) == {prp(r, kept)}


@pytest.mark.parametrize("shown", [1, 2])
def test_proposition_2_prp_can_lose_everything(shown):
    epsilon = 1e-6
    p = np.repeat([0.1, 0.2, 0.5, 0.0], shown)
    r = np.repeat([1.0, 1.0, epsilon, 0.0], shown)

    def utility(chosen):
        """Of what the last stage shows: the items of the chosen with the highest p."""
        return sum(r[v] for v in sorted(chosen, key=lambda v: -p[v])[:shown])

    sets = subsets(range(len(r)), 3 * shown)
    assert utility(prp(r, 3 * shown)) == pytest.approx(shown * epsilon)
    assert max(map(utility, sets)) == shown
    # The last stage compares items, so that assumption 1 fails, and the product p r chooses no better here.
    assert utility(top(gprp_scores(p, r), 3 * shown)) == pytest.approx(shown * epsilon)


def test_equation_7_maximises_the_expected_gain_where_items_pass_by_themselves():
    rng = np.random.default_rng(1)
    for _ in range(10):
        n, kept = 6, 3
        p_each, r = rng.random((n, 2)), rng.random(n)
        p = p_each.prod(axis=1)

        def gain(chosen, p=p, r=r):
            total = 0.0
            for passed in itertools.product((False, True), repeat=len(chosen)):
                chance = np.prod([p[v] if ok else 1 - p[v] for v, ok in zip(chosen, passed, strict=True)])
                total += chance * sum(r[v] for v, ok in zip(chosen, passed, strict=True) if ok)
            return total

        assert best(subsets(range(n), kept), gain) == {top(gprp_scores(p_each, r), kept)}
        assert gain(prp(r, kept)) <= gain(top(gprp_scores(p_each, r), kept)) + 1e-12  # inequality 4


def test_observation_1_random_later_stages():
    rng = np.random.default_rng(2)
    n, kept, shown = 6, 4, 2
    for _ in range(20):
        r = rng.random(n)

        def expected(chosen, r=r):
            return np.mean([sum(r[v] for v in final) for final in subsets(chosen, shown)])

        assert best(subsets(range(n), kept), expected) == {prp(r, kept)}
        for p in (0.01, 0.3, 1.0):
            assert top(gprp_scores(np.full(n, p), r), kept) == prp(r, kept)


def test_observation_2_later_stages_that_agree_with_interest():
    rng = np.random.default_rng(3)
    for _ in range(50):
        r = rng.random(8)
        p = np.sort(rng.random(8))[np.argsort(np.argsort(r))]
        assert np.argsort(gprp_scores(p, r)).tolist() == np.argsort(r).tolist()
    assert top(gprp_scores([0.1, 0.9], [1.0, 0.9]), 1) != prp([1.0, 0.9], 1)  # and they need not agree


def ordered_as_labels(p, r, n_stages):
    """Whether a higher label means a higher w, for items of different stages; item k is of stage k."""
    exposed = [1.0 if stage == n_stages else NAN for stage in range(n_stages + 1)]
    log = StageLog([0] * len(r), range(len(r)), range(n_stages + 1), exposed, np.zeros((len(r), 1)), n_stages=n_stages)
    y, w = relabel(log).y, gprp_scores(p, r)
    return all(w[i] <= w[j] + 1e-12 for i, j in itertools.permutations(range(len(r)), 2) if y[i] < y[j])


@pytest.mark.parametrize("a", [1.0, 1.5, 2.0])
def test_theorem_1_labels_order_items_of_different_stages(a):
    n_stages = 3
    tested = 0
    for steps in itertools.product((1 / a, 1.0, a), repeat=n_stages):  # r(v_{i + 1}) / r(v_i), the whole of its range
        r = 0.1 * np.cumprod([1.0, *steps])
        for factors in itertools.product((a, 1.5 * a), repeat=n_stages):  # p(v_{i + 1}) / p(v_i), at least a
            p = np.cumprod([1.0, *factors])
            assert ordered_as_labels(p / p[-1], r, n_stages)
            tested += 1
    assert tested == 3**n_stages * 2**n_stages


def test_theorem_1_needs_its_bound():
    p = np.cumprod([1.0, 1.9, 2.0, 2.0])  # the first ratio is below a = 2
    assert not ordered_as_labels(p / p[-1], 0.1 * np.array([1, 0.5, 0.5, 0.5]), 3)


def test_theorem_1_says_nothing_across_a_stage_without_items():
    """Neighbours are bounded, and items of stages 1 and 3 are no neighbours: without stage 2 the order may fail."""
    log = StageLog([0, 0], ["low", "high"], [1, 3], [NAN, 0.0], [[0.0], [0.0]], n_stages=3)
    w = gprp_scores([0.2, 0.8], [0.9, 0.1])
    assert relabel(log).y.tolist() == [1, 3]
    assert w[0] > w[1]
