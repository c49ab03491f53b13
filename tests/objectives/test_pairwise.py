"""LambdaRank and RankNet against published values, brute force and each other."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.objectives import LambdaRank, PairwiseLogistic, Targets

ENGINES = ["numpy", "compiled"]
S, Y, PTR = [0.3, -0.2, 1.1, 0.0, 0.7], [2, 0, 1, 3, 0], [0, 5]

# Gradients that LightGBM 4.7 computes for this list.
GOLDEN = [
    (
        {},
        [-0.10967785, 0.09518068, 0.25458988, -0.45269379, 0.21260109],
        [0.08199662, 0.05628618, 0.10712462, 0.15040235, 0.08339679],
    ),
    (
        {"norm": False},
        [-0.09517899, 0.04232645, 0.31656106, -0.40423309, 0.14052457],
        [0.04853067, 0.02756279, 0.11134274, 0.11653108, 0.05257607],
    ),
    (
        {"truncation": 2},
        [-0.15038365, 0.01057579, 0.28477761, -0.3827798, 0.23781004],
        [0.05214679, 0.00831083, 0.11982681, 0.10701852, 0.09328548],
    ),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("params", "gradient", "hessian"), GOLDEN)
def test_golden_vectors(engine, params, gradient, hessian):
    g, h = LambdaRank(**params).gradient_hessian(Y, S, PTR, engine=engine)
    np.testing.assert_allclose(g, gradient, atol=6e-9)
    np.testing.assert_allclose(h, hessian, atol=6e-9)
    np.testing.assert_allclose(
        LambdaRank(**params, hessian_factor=2.0).gradient_hessian(Y, S, PTR, engine=engine)[1], 2 * h
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_golden_vector_of_xgboosts_own_test(engine):
    targets = Targets(np.array([0.0, 1, 0, 1]), np.array([0, 2, 4]), None, np.array([2.0, 0]))
    bound = LambdaRank(hessian_factor=2.0).bind(targets, engine=engine)
    g, h = bound.gradient_hessian(np.array([0, 0.1, 0, 0.1]), 0)
    np.testing.assert_allclose(g, [2.06611, -2.06611, 0, 0], atol=1e-5)
    np.testing.assert_allclose(h, [2.169331, 2.169331, 0, 0], atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("truncation", [1, 2, 3, 100])
def test_weights_are_what_a_swap_changes_in_ndcg(engine, truncation):
    """All lists of up to 4 documents and 3 grades: each pair's lambda from two full NDCGs, written out."""
    for n in (2, 3, 4):
        score = np.linspace(1, -1, n)  # already ranked, so places are rows
        for y in itertools.product((0, 1, 2), repeat=n):
            if len(set(y)) == 1:
                continue
            got = LambdaRank(norm=False, truncation=truncation).gradient_hessian(y, score, [0, n], engine=engine)[0]
            np.testing.assert_allclose(got, by_swapping(y, score, truncation), atol=1e-12)


def by_swapping(y, score, truncation):
    discount = 1 / np.log2(np.arange(2, len(y) + 2))
    gain = 2.0 ** np.array(y) - 1
    ideal = np.sort(gain)[::-1][:truncation] @ discount[:truncation]
    lambdas = np.zeros(len(y))
    for i, j in itertools.combinations(range(len(y)), 2):
        if y[i] == y[j] or i >= truncation:
            continue
        swapped = gain.copy()
        swapped[[i, j]] = gain[[j, i]]
        change = abs(swapped @ discount - gain @ discount) / ideal
        better, worse = (i, j) if y[i] > y[j] else (j, i)
        push = change / (1 + np.exp(score[better] - score[worse]))
        lambdas[better] -= push
        lambdas[worse] += push
    return lambdas


@pytest.mark.parametrize("engine", ENGINES)
def test_ranknet_from_its_formula(engine):
    rng = np.random.default_rng(0)
    y, s = rng.integers(0, 4, 30).astype(float), rng.normal(size=30)
    g, h = PairwiseLogistic(sigmoid=1.5).gradient_hessian(y, s, [0, 30], engine=engine)
    rho = 1 / (1 + np.exp(1.5 * (s[:, None] - s[None, :]))) * (y[:, None] > y[None, :])
    np.testing.assert_allclose(g, 1.5 * (rho.sum(axis=0) - rho.sum(axis=1)), rtol=1e-10)
    bend = 2.25 * rho * (1 - rho)
    np.testing.assert_allclose(h, bend.sum(axis=0) + bend.sum(axis=1), rtol=1e-10)


@pytest.mark.parametrize("engine", ENGINES)
def test_ties_rank_in_row_order_whatever_the_rounds_before(engine):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 60).astype(float)
    targets = Targets(y, np.array([0, 25, 60]))
    bound = LambdaRank().bind(targets, engine=engine)
    bound.gradient_hessian(rng.normal(size=60), 0)  # leaves an order behind
    tied = np.round(rng.normal(size=60))
    fresh = LambdaRank().bind(targets, engine="numpy").gradient_hessian(tied, 0)
    np.testing.assert_allclose(bound.gradient_hessian(tied, 1)[0], fresh[0], atol=1e-13)


def test_scores_far_apart_keep_their_digits():
    y = np.array([0.0, 1, 2, 1, 0])
    score = np.array([5000.0, 0.1, 0.2, -3000, -3000.5])
    compiled, numpy = (LambdaRank(norm=False).gradient_hessian(y, score, PTR, engine=e)[0] for e in ENGINES[::-1])
    np.testing.assert_allclose(compiled, numpy, rtol=1e-9, atol=1e-15)
    assert np.isfinite(compiled).all()


def test_rows_of_a_query_in_another_order_change_nothing_but_their_order():
    rng = np.random.default_rng(2)
    y, s = rng.integers(0, 5, 50).astype(float), rng.normal(size=50)
    other = rng.permutation(50)
    for objective in (LambdaRank(), PairwiseLogistic()):
        g, h = objective.gradient_hessian(y, s, [0, 50])
        g2, h2 = objective.gradient_hessian(y[other], s[other], [0, 50])
        np.testing.assert_allclose(g2, g[other], atol=1e-13)
        np.testing.assert_allclose(h2, h[other], atol=1e-13)


def test_any_number_of_grades_and_linear_gains():
    y = np.arange(0, 200.0)
    g, _ = LambdaRank().gradient_hessian(y, np.zeros(200), [0, 200])
    assert np.isfinite(g).all()
    g, _ = LambdaRank(gain="linear").gradient_hessian([0.5, 1.25, 0], [0, 0, 0], [0, 3])
    assert g[1] < 0 < g[2]
    with pytest.raises(gbrank.DataError, match="gain cannot be negative"):
        LambdaRank(gain="linear").gradient_hessian([-0.5, 1.25, 0], [0, 0, 0], [0, 3])
