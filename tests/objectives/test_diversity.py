"""DiversityPenalty: its formula pair by pair, what it does to a list, and what it refuses."""

import itertools

import numpy as np
import pytest
from scipy.special import expit

import gbrank
from gbrank.objectives import DiversityPenalty, LambdaRank, Targets
from gbrank.testing import check_objective

ENGINES = ["numpy", "compiled"]
RNG = np.random.default_rng(0)
PTR = np.array([0, 7, 8, 20, 26])
N = PTR[-1]
VECTORS = RNG.normal(size=(N, 3))
VECTORS[2] = 0
LABELS = np.column_stack([RNG.integers(0, 3, N), VECTORS])
SCORE = RNG.normal(size=N)
OF_VECTORS = DiversityPenalty(columns=(1, 2, 3), temperature=0.7)


@pytest.mark.parametrize("options", [{}, {"query_norm": True, "hessian_factor": 2.0}], ids=["plain", "options"])
def test_promises_of_kinds(options):
    check_objective(DiversityPenalty(**options))


def test_promises_of_vectors():
    check_objective(OF_VECTORS, y=LABELS, query_ptr=PTR)


def loss(objective, y, score, ptr, w=None):
    """`Objective.loss` takes one label column."""
    return objective.bind(Targets(np.asarray(y), np.asarray(ptr), w), engine="numpy").loss(score)


def alike(i, j):
    size = np.linalg.norm(VECTORS[i]) * np.linalg.norm(VECTORS[j])
    return max(VECTORS[i] @ VECTORS[j] / size, 0.0) if size else 0.0


def penalty(score, w, temperature):
    """The formula, document by document, with the division left to the end."""
    values = []
    for a, b in itertools.pairwise(PTR):
        total = 0.0
        for i in range(a, b):
            others = [j for j in range(a, b) if j != i]
            rank = 1 + sum(expit((score[j] - score[i]) / temperature) for j in others)
            seen = sum(alike(i, j) * expit((score[j] - score[i]) / temperature) for j in others)
            total += w[i] * seen / (rank * np.log2(1 + rank))
        most = sum((r - 1) / (r * np.log2(1 + r)) for r in range(1, b - a + 1))
        values.append(total / most if most else 0.0)
    return values


def test_as_the_formula_says():
    w = RNG.uniform(0.5, 2, N)
    np.testing.assert_allclose(loss(OF_VECTORS, LABELS, SCORE, PTR, w), penalty(SCORE, w, 0.7), rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_gradient_is_the_slope(engine):
    bound = OF_VECTORS.bind(Targets(LABELS, PTR, RNG.uniform(0.5, 2, N)), engine=engine, n_jobs=1)
    gradient, hessian = bound.gradient_hessian(SCORE, 0)
    step = 1e-5 * np.eye(N)
    slope = [(bound.loss(SCORE + d).sum() - bound.loss(SCORE - d).sum()) / 2e-5 for d in step]
    np.testing.assert_allclose(gradient, slope, atol=1e-9)
    np.testing.assert_allclose(np.add.reduceat(gradient, PTR[:-1]), 0, atol=1e-14)
    np.testing.assert_allclose(hessian, np.abs(gradient) / (4 * 0.7), rtol=1e-12)


def test_between_nothing_and_all_alike():
    kinds, far = np.array([1.0, 1, 1, 1, 2]), np.arange(5) * 1000.0
    assert loss(DiversityPenalty(), kinds, far[::-1], [0, 5]) > loss(DiversityPenalty(), kinds, far, [0, 5])
    np.testing.assert_allclose(loss(DiversityPenalty(columns=[0, 1]), np.ones((4, 2)), far[:4], [0, 4]), [1.0])
    np.testing.assert_allclose(loss(DiversityPenalty(columns=range(4)), np.eye(4), far[:4], [0, 4]), [0.0])


@pytest.mark.parametrize("engine", ENGINES)
def test_kinds_are_vectors_of_ones(engine):
    kinds = RNG.integers(0, 3, N).astype(float)
    coded = np.column_stack([kinds == kind for kind in range(3)]).astype(float)
    labels = np.column_stack([coded, kinds])
    of_kinds, of_vectors = (
        DiversityPenalty(columns=columns).bind(Targets(labels, PTR), engine=engine).gradient_hessian(SCORE, 0)
        for columns in (3, (0, 1, 2))
    )
    np.testing.assert_allclose(of_kinds, of_vectors, rtol=1e-12, atol=1e-16)


def test_what_is_like_the_best_is_lowered_and_what_is_not_raised():
    gradient, _ = DiversityPenalty().gradient_hessian([1, 1, 2], [0.5, 0.0, 0.0], [0, 3])
    assert gradient[1] > gradient[0]
    assert gradient[1] > 0 > gradient[2]


def topics(n_queries=60, size=25, seed=1):
    """Data whose first topic has the best documents; the features tell grade and topic."""
    rng = np.random.default_rng(seed)
    n = n_queries * size
    topic = rng.integers(0, 4, n)
    quality = rng.normal(size=n) + 1.0 * (topic == 0)
    y = np.clip(np.round(quality + 1), 0, 4)
    coded = (topic[:, None] == np.arange(4)).astype(float)
    X = np.column_stack([quality + rng.normal(size=n), coded])
    return gbrank.RankingData(X, np.column_stack([y, topic]), np.repeat(np.arange(n_queries), size)), coded


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_training_with_it_makes_lists_more_diverse(backend):
    data, coded = topics()
    found = []
    for share in (None, 20.0):
        objective = LambdaRank().on(0)
        if share:
            objective = objective + share * DiversityPenalty(columns=1)
        ranker = gbrank.GBRanker(objective, backend=backend, n_estimators=20, n_jobs=1, random_state=0).fit(data)
        score = ranker.predict(data)
        ild = gbrank.measure("ild@5")(data.y[:, 0], score, data.query_ptr, aspects=coded).mean()
        found.append((ild, ranker.score(data)))  # the measure reads the grades
    (plain, ndcg), (diverse, lower) = found
    assert diverse > plain + 0.05
    assert ndcg > lower > ndcg - 0.1


@pytest.mark.parametrize(
    ("columns", "match"),
    [((1,), "at least two columns"), ((1, 1), "given once"), (-1, "columns=-1"), ((0, 1.5), "columns=1.5")],
)
def test_refused_columns(columns, match):
    with pytest.raises(gbrank.ParameterError, match=match):
        DiversityPenalty(columns=columns)


@pytest.mark.parametrize(
    ("objective", "labels", "match"),
    [
        (DiversityPenalty(), LABELS, "say by `columns`"),
        (DiversityPenalty(columns=4), LABELS, "the data have 4 label columns"),
        (DiversityPenalty(columns=(0, 1)), np.zeros((N, 2)), "all vectors are zero"),
        (DiversityPenalty(), np.ones(N), "nothing to learn"),
    ],
)
def test_refused_data(objective, labels, match):
    with pytest.raises(gbrank.DataError, match=match):
        objective.bind(Targets(labels, PTR))
