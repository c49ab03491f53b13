"""Quantiles and the median: leaves, several at once, no crossing."""

import numpy as np
import pytest

import gbrank
from gbrank.objectives import AbsoluteError, Quantile, Targets
from gbrank.objectives._quantile import quantile_by_leaf

PTR = np.array([0, 3, 6])
Y = np.array([0.0, 1, 4, 0.5, -2, 3])
S = np.array([0.3, 1.5, -6, 0.1, 8, 2])


def pinball(v, c, alpha, w):
    return (w * np.where(v >= c, alpha * (v - c), (1 - alpha) * (c - v))).sum()


def test_the_quantile_at_a_half_is_half_the_absolute_error():
    np.testing.assert_allclose(2 * Quantile(0.5).loss(Y, S, PTR), AbsoluteError().loss(Y, S, PTR))
    half, whole = (o.gradient_hessian(Y, S, PTR)[0] for o in (Quantile(0.5), AbsoluteError()))
    np.testing.assert_allclose(2 * half, whole)


def test_values_are_those_of_the_formula():
    d = Y - S
    want = np.add.reduceat(np.maximum(0.3 * d, -0.7 * d), [0, 3])
    np.testing.assert_allclose(Quantile(0.3).loss(Y, S, PTR), want)
    both = np.stack([S, S + 1], axis=1)
    more = np.add.reduceat(np.maximum(0.8 * (d - 1), -0.2 * (d - 1)), [0, 3])
    np.testing.assert_allclose(Quantile((0.3, 0.8)).loss(Y, both, PTR), want + more)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_several_quantiles_have_the_gradients_of_each(engine):
    rng = np.random.default_rng(0)
    weight, score = rng.uniform(0.5, 2, 6), rng.normal(size=(6, 3))
    together = Quantile((0.1, 0.5, 0.9)).gradient_hessian(Y, score, PTR, weight, engine=engine)
    for k, alpha in enumerate((0.1, 0.5, 0.9)):
        alone = Quantile(alpha).gradient_hessian(Y, score[:, k].copy(), PTR, weight, engine=engine)
        np.testing.assert_array_equal([each[:, k] for each in together], alone)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("kind", ["none", "whole", "some zero"])
def test_the_quantile_of_a_leaf_minimises_its_pinball_loss(engine, ties, kind):
    rng = np.random.default_rng(1)
    values, leaf = rng.normal(size=3000), rng.integers(0, 7, 3000)
    values = np.round(values, 1) if ties else values
    leaf[leaf == 3] = 4
    weight = {"none": None, "whole": rng.integers(1, 4, 3000) * 1.0, "some zero": rng.integers(0, 3, 3000) * 1.0}[kind]
    w = np.ones(3000) if weight is None else weight
    for alpha in (0.01, 0.1, 0.5, 0.9):
        bound = Quantile(alpha).bind(Targets(values, np.array([0, 3000]), weight), engine=engine)
        got = bound.leaf_values(np.zeros(3000), leaf)
        assert got[3] == 0
        np.testing.assert_array_equal(got, quantile_by_leaf(values, leaf, alpha, weight))
        for number in set(leaf):
            v, vw = values[leaf == number], w[leaf == number]
            least = min(pinball(v, c, alpha, vw) for c in np.unique(v))
            assert pinball(v, got[number], alpha, vw) <= least + 1e-9


def test_the_quantile_of_a_leaf_reads_weights_as_repetitions():
    rng = np.random.default_rng(2)
    values, leaf, weight = rng.normal(size=100), rng.integers(0, 4, 100), rng.integers(1, 5, 100)
    repeated = quantile_by_leaf(np.repeat(values, weight), np.repeat(leaf, weight), 0.3, None)
    np.testing.assert_array_equal(quantile_by_leaf(values, leaf, 0.3, weight.astype(float)), repeated)


@pytest.mark.parametrize("weighted", [False, True])
def test_boosting_starts_from_the_quantiles(weighted):
    rng = np.random.default_rng(0)
    y, w = rng.gamma(1, 2, 301), rng.uniform(0.2, 3, 301) if weighted else None
    vw = np.ones(301) if w is None else w
    targets = Targets(y, np.array([0, 301]), w)
    alphas = (0.2, 0.5, 0.95)
    start = Quantile(alphas).bind(targets).init_score()
    for got, alpha in zip(start, alphas, strict=True):
        assert pinball(y, got, alpha, vw) <= min(pinball(y, c, alpha, vw) for c in y) + 1e-9
        np.testing.assert_array_equal(Quantile(alpha).bind(targets).init_score(), got)
    np.testing.assert_array_equal(AbsoluteError().bind(targets).init_score(), start[1])


def test_sorted_quantiles_do_not_cross_and_one_of_them_ranks():
    score = np.array([[1.0, 0, 2], [0, 3, 1]])
    objective = Quantile((0.1, 0.5, 0.9))
    np.testing.assert_array_equal(objective.quantiles(score, {}), score)
    np.testing.assert_array_equal(objective.transform(score, {}), [0, 3])
    ordered = objective.with_params(sorted_quantiles=True, rank_by=0.9)
    np.testing.assert_array_equal(ordered.quantiles(score, {}), [[0, 1, 2], [0, 1, 3]])
    np.testing.assert_array_equal(ordered.transform(score, {}), [2, 3])
    assert Quantile((0.3, 0.4, 0.6)).transform(score, {}).tolist() == [0, 3]  # of two as near, the lower


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 1.0}, "alpha=1.0: must be below 1"),
        ({"alpha": (0.5, 1.2)}, "alpha=1.2: must be below 1"),
        ({"alpha": (0.5, 0.1)}, "several that rise"),
        ({"alpha": ()}, "give one quantile"),
        ({"alpha": "0.5"}, "alpha='0.5': must be a number"),
        ({"alpha": (0.1, 0.5), "rank_by": 0.9}, "rank_by=0.9: choose one of"),
        ({"sorted_quantiles": "yes"}, "must be True or False"),
    ],
)
def test_wrong_parameters_are_refused(params, message):
    with pytest.raises(gbrank.ParameterError, match=message):
        Quantile(**params)


def test_lists_are_kept_as_tuples():
    assert Quantile([0.1, 0.5]) == Quantile(np.array([0.1, 0.5])) == Quantile((0.1, 0.5))
    assert repr(Quantile([0.1, 0.5])) == "Quantile(alpha=(0.1, 0.5))"
