"""Pairwise losses against published values, brute force, their formulas and each other."""

import itertools

import numpy as np
import pytest

import gbrank
from gbrank.objectives import (
    LambdaRank,
    PairwiseContrastive,
    PairwiseExponential,
    PairwiseFocal,
    PairwiseHinge,
    PairwiseLogistic,
    Targets,
)

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
        {"score_norm": False, "query_norm": False},
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
            got = LambdaRank(score_norm=False, query_norm=False, truncation=truncation).gradient_hessian(
                y, score, [0, n], engine=engine
            )[0]
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
    compiled, numpy = (
        LambdaRank(score_norm=False, query_norm=False).gradient_hessian(y, score, PTR, engine=e)[0]
        for e in ENGINES[::-1]
    )
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


def pairs_of(y):
    return [(i, j) for i, j in itertools.product(range(len(y)), repeat=2) if y[i] > y[j]]


FORMULAS = [
    (PairwiseHinge(margin=0.7), lambda d: (np.maximum(0, 0.7 - d), -1.0 * (d < 0.7), 1.0 * (d < 0.7))),
    (PairwiseExponential(), lambda d: (np.exp(-d), -np.exp(-d), np.exp(-d))),
    (PairwiseContrastive(margin=1), lambda d: (np.maximum(0, 1 - d) ** 2 / 2, -np.maximum(0, 1 - d), 1.0 * (d < 1))),
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("objective", "phi"), FORMULAS, ids=lambda each: getattr(each, "name", ""))
def test_losses_from_their_formulas_pair_by_pair(objective, phi, engine):
    rng = np.random.default_rng(0)
    y, s = rng.integers(0, 3, 20).astype(float), rng.normal(size=20)
    value, g, h = 0.0, np.zeros(20), np.zeros(20)
    for i, j in pairs_of(y):
        v, d1, d2 = phi(s[i] - s[j])
        value += v
        g[[i, j]] += d1, -d1
        h[[i, j]] += d2
    if objective.name == "pairwise_contrastive":
        for i, j in itertools.combinations(range(20), 2):
            if y[i] == y[j]:
                value += (s[i] - s[j]) ** 2 / 2
                g[[i, j]] += s[i] - s[j], s[j] - s[i]
                h[[i, j]] += 1
    got = objective.gradient_hessian(y, s, [0, 20], engine=engine)
    np.testing.assert_allclose(got, [g, h], atol=1e-12)
    np.testing.assert_allclose(objective.loss(y, s, [0, 20]), [value], rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_equal_pairs_pull_together_with_half_of_both_orders(engine):
    y, s = np.array([1.0, 1, 0]), np.array([2.0, 0.5, 1.0])
    objective = PairwiseLogistic(sigmoid=1.5, equal_pairs=True)
    plain = PairwiseLogistic(sigmoid=1.5).gradient_hessian(y, s, [0, 3], engine=engine)
    got = objective.gradient_hessian(y, s, [0, 3], engine=engine)
    p = 1 / (1 + np.exp(-1.5 * 1.5))
    np.testing.assert_allclose(got[0] - plain[0], [1.5 * (p - 0.5), -1.5 * (p - 0.5), 0], atol=1e-13)
    np.testing.assert_allclose(got[1] - plain[1], [2.25 * p * (1 - p)] * 2 + [0], atol=1e-13)
    half = (np.logaddexp(0, -2.25) + np.logaddexp(0, 2.25)) / 2
    value = objective.loss(y, s, [0, 3]) - PairwiseLogistic(sigmoid=1.5).loss(y, s, [0, 3])
    np.testing.assert_allclose(value, [half], rtol=1e-12)
    assert objective.gradient_hessian([1, 1, 1], [1, 1, 1], [0, 3], engine=engine)[0].tolist() == [0, 0, 0]


def test_equal_pairs_with_truncation_are_the_same_pairs_in_both_engines():
    rng = np.random.default_rng(4)
    y, s = rng.integers(0, 3, 40).astype(float), rng.normal(size=40)
    for objective in (PairwiseLogistic(equal_pairs=True, truncation=7), PairwiseContrastive(truncation=7)):
        a, b = (objective.gradient_hessian(y, s, [0, 40], engine=engine) for engine in ENGINES)
        np.testing.assert_allclose(a, b, rtol=1e-11)


@pytest.mark.parametrize("engine", ENGINES)
def test_focal_without_focusing_is_logistic_and_focusing_turns_to_pairs_in_the_wrong_order(engine):
    rng = np.random.default_rng(5)
    y, s = rng.integers(0, 4, 30).astype(float), rng.normal(size=30) * 3
    plain = PairwiseLogistic(sigmoid=1.3).gradient_hessian(y, s, [0, 30], engine=engine)
    zero = PairwiseFocal(gamma=0, sigmoid=1.3).gradient_hessian(y, s, [0, 30], engine=engine)
    np.testing.assert_allclose(zero, plain, rtol=1e-10)
    easy = [PairwiseFocal(gamma=g).gradient_hessian([1, 0], [3, 0], [0, 2], engine=engine)[0][1] for g in (0, 1, 2)]
    assert easy[0] > 5 * easy[1] > 25 * easy[2] > 0


LOSSES, WEIGHTS = ("hinge", "exponential", "focal", "logistic"), ("ndcg", "map", "mrr", "err", "label_difference")
# A kernel takes a second to compile, and what is put into it is put in alone: each loss and each weight once.
COMPILED = [*(("focal", weight) for weight in WEIGHTS), *((name, "ndcg") for name in LOSSES if name != "focal")]


@pytest.mark.parametrize(
    ("engine", "name", "weight"),
    [
        *(("numpy", name, weight) for name in LOSSES for weight in WEIGHTS),
        *(("compiled", name, weight) for name, weight in COMPILED),
    ],
)
def test_every_loss_takes_every_weight_and_stays_finite(engine, name, weight):
    rng = np.random.default_rng(6)
    ptr = np.array([0, 1, 2, 30, 60])
    y = rng.integers(0, 5, 60).astype(float)
    y[30:] = 0
    for spread in (1.0, 500.0):
        objective = gbrank.objective(f"pairwise_{name}", weight=weight, truncation=10, score_norm=True)
        g, h = objective.gradient_hessian(y, rng.normal(size=60) * spread, ptr, engine=engine)
        assert np.isfinite(g).all()
        assert np.isfinite(h).all()
        assert (h >= 0).all()
        assert not g[:2].any()
        assert not g[30:].any()
        assert g[2:30].any() or spread > 1 or name == "hinge"
        np.testing.assert_allclose(g.sum(), 0, atol=1e-9 * np.abs(g).max())


def test_hessian_factor_two_bounds_the_curvature_of_the_whole_query():
    """The full second derivative of RankNet is at most twice its diagonal, and not at most the diagonal."""
    rng = np.random.default_rng(7)
    y, s = rng.integers(0, 4, 8).astype(float), rng.normal(size=8)
    step, full = 1e-5, np.zeros((8, 8))
    for k in range(8):
        up, down = s.copy(), s.copy()
        up[k] += step
        down[k] -= step
        both = (PairwiseLogistic().gradient_hessian(y, at, [0, 8])[0] for at in (up, down))
        full[:, k] = np.subtract(*both) / (2 * step)
    least = {
        f: np.linalg.eigvalsh(np.diag(PairwiseLogistic(hessian_factor=f).gradient_hessian(y, s, [0, 8])[1]) - full)[0]
        for f in (1.0, 2.0)
    }
    assert least[1.0] < -0.05
    assert least[2.0] > -1e-8


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"weight": "dcg"}, "weight"),
        ({"pairs": "given", "truncation": 5}, "pairs='given' brings its own weights: truncation=5 would"),
        ({"pairs": "given", "score_norm": True}, "score_norm=True would"),
        ({"equal_pairs": True, "weight": "ndcg"}, "equal_pairs"),
        ({"rank_smoothing": 1.5}, "rank_smoothing"),
        ({"random_state": -1}, "random_state"),
        ({"max_grade": 0}, "max_grade"),
    ],
)
def test_options_that_do_not_fit_are_refused(params, match):
    with pytest.raises(gbrank.ParameterError, match=match):
        PairwiseLogistic(**params)


def test_a_grade_above_the_highest_of_err_is_refused_with_its_row():
    with pytest.raises(gbrank.DataError, match="label 5 in row 1: above max_grade=4"):
        PairwiseLogistic(weight="err").gradient_hessian([0, 5], [0, 0], [0, 2])


@pytest.mark.parametrize("name", ["weight", "pairs", "gain", "relevant_from", "max_grade"])
def test_what_has_no_meaning_for_contrasts_is_no_parameter(name):
    assert name not in PairwiseContrastive().params()
    with pytest.raises(gbrank.ParameterError, match=f"unknown parameter of pairwise_contrastive '{name}'"):
        gbrank.objective("pairwise_contrastive", **{name: getattr(PairwiseContrastive(), name)})
