"""Targets against the measures themselves, and what all objectives with drawn rankings promise."""

import itertools
import pickle

import numpy as np
import pytest

import gbrank
from gbrank.objectives import PLRank, StochasticRank, Targets, YetiLoss
from gbrank.objectives._frames.targets import before, target_of
from gbrank.testing import check_objective

ENGINES = ["numpy", "compiled"]
MEASURES = ["ndcg", "ndcg@2", "dcg@3(gain=linear, discount=letor)", "p@2", "r@2", "hit@2", "rr", "rr@2", "ap", "ap@2",
            "err", "err@2"]  # fmt: skip
SAMPLED = [PLRank, YetiLoss, StochasticRank]
VARIANTS = [
    PLRank(measure="ap"),
    PLRank(measure="err@5", draws=3),
    YetiLoss(),
    YetiLoss(measure="ndcg@5", noise="gumbel", neighbors=3),
    YetiLoss(measure="ap", noise="gauss", noise_power=0.5, neighbors=2),
    YetiLoss(measure="rr", noise="none", neighbors=70),
    StochasticRank(),
    StochasticRank(measure="ap", draws=3, scale_free=0.5),
    StochasticRank(measure="ndcg", sigma=0.5, mu=0.1),
    StochasticRank(measure="err"),
]


def by_definition(measure, y):
    """The measure of a list in the order of `y`."""
    return float(np.nan_to_num(measure(y, -np.arange(len(y)), [0, len(y)])[0]))


def walked(target, v):
    norm = target.norm[0]
    return (target.theta * v * before(v, target.grow, target.decay)).sum() / norm if norm > 0 else 0.0


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_is_a_walk(name):
    measure = gbrank.measure(name)
    for n in (1, 2, 3, 4):
        for y in itertools.product((0.0, 1.0, 2.0), repeat=n):
            target = target_of(measure, np.array(y), np.array([0, n]))
            np.testing.assert_allclose(walked(target, target.value), by_definition(measure, y), atol=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MEASURES)
def test_pairs_weigh_what_their_swap_changes(name, engine):
    """Without noise YetiLoss shows its weights: all lists of up to 4 documents, pairs at any distance."""
    measure = gbrank.measure(name)
    for n in (2, 3, 4):
        lists = [np.array(y) for y in itertools.product((0.0, 1.0, 2.0), repeat=n)]
        target = Targets(np.concatenate(lists), np.arange(0, n * len(lists) + 1, n))
        score = np.tile(np.linspace(1, -1, n), len(lists))
        worth = {tuple(y): by_definition(measure, y) for y in lists}
        bound = YetiLoss(measure=name, noise="none", neighbors=n).bind(target, engine=engine)
        got = bound.gradient_hessian(score, 0)[0].reshape(-1, n)
        for y, lambdas in zip(lists, got, strict=True):
            np.testing.assert_allclose(lambdas, by_swapping(worth, y, score[:n]), atol=1e-14)


def by_swapping(worth, y, score):
    lambdas = np.zeros(len(y))
    for i, j in itertools.combinations(range(len(y)), 2):
        swapped = y.copy()
        swapped[[i, j]] = y[[j, i]]
        better, worse = (i, j) if y[i] > y[j] else (j, i)
        change = abs(worth[tuple(swapped)] - worth[tuple(y)])
        push = change / (1 + np.exp(score[better] - score[worse]))
        lambdas[better] -= push
        lambdas[worse] += push
    return lambdas


@pytest.mark.parametrize("objective", VARIANTS, ids=repr)
def test_promises(objective):
    check_objective(objective, random_state=3)  # seeds at which no noisy ranks change within a difference quotient


@pytest.mark.parametrize("cls", SAMPLED)
def test_draws_depend_on_seed_round_and_query_only(cls):
    rng = np.random.default_rng(0)
    data = Targets(rng.integers(0, 3, 6000).astype(float), np.arange(0, 6001, 20))
    score = rng.normal(size=6000)

    def gradient(round=0, n_jobs=1, **params):
        return cls(**params).bind(data, n_jobs=n_jobs).gradient_hessian(score, round)[0]

    np.testing.assert_array_equal(gradient(), gradient(n_jobs=3))
    assert not np.allclose(gradient(), gradient(round=1))
    assert not np.allclose(gradient(), gradient(random_state=1))
    alike = Targets(np.tile(data.y[:20], 2), np.array([0, 20, 40]))
    first, second = cls().bind(alike).gradient_hessian(np.tile(score[:20], 2), 0)[0].reshape(2, -1)
    assert not np.allclose(first, second)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cls", SAMPLED)
def test_weights(cls, engine):
    y, score, ptr = np.array([0.0, 2, 1, 0, 1]), np.linspace(-1, 1, 5), np.array([0, 5])
    plain = cls(measure="ndcg").bind(Targets(y, ptr), engine=engine).gradient_hessian(score, 0)
    query = Targets(y, ptr, None, np.array([2.0]))
    doubled = cls(measure="ndcg").bind(query, engine=engine).gradient_hessian(score, 0)
    documents = Targets(y, ptr, np.full(5, 2.0))
    squared = cls(measure="ndcg").bind(documents, engine=engine).gradient_hessian(score, 0)
    factor = 2 if cls is PLRank else 4  # a reward's own weight, or the product of a pair's two
    for a, b, c in zip(plain, doubled, squared, strict=True):
        np.testing.assert_allclose(b, 2 * a, rtol=1e-12)
        np.testing.assert_allclose(c, factor * a, rtol=1e-12)


@pytest.mark.parametrize("cls", SAMPLED)
def test_hessian_factor(cls):
    y, score = [0.0, 2, 1, 0, 1], np.linspace(-1, 1, 5)
    h = cls().gradient_hessian(y, score, [0, 5])[1]
    np.testing.assert_allclose(cls(hessian_factor=2.0).gradient_hessian(y, score, [0, 5])[1], 2 * h)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cls", SAMPLED)
def test_queries_with_nothing_to_learn_have_no_gradient(cls, engine):
    y = np.array([0.0, 0, 0, 1, 1, 1, 2, 0, 1])
    g, h = cls().gradient_hessian(y, np.arange(9.0), [0, 3, 5, 6, 9], engine=engine)
    np.testing.assert_allclose(g[:6], 0, atol=1e-15)
    assert (g[6:] != 0).all()
    assert (h >= 0).all()


@pytest.mark.parametrize("cls", SAMPLED)
def test_refusals(cls):
    for params, words in (
        ({"draws": 0}, "draws=0"),
        ({"measure": "ndgc"}, "ndcg"),
        ({"measure": "ndcg@10(gian=linear)"}, "gain"),
        ({"measure": "auc"}, "no measure that an objective can aim at"),
        ({"measure": "alpha_ndcg"}, "no measure that an objective can aim at"),
        ({"measure": gbrank.measure("ndcg", gain=np.sqrt)}, "mapping"),
        ({"measure": 3}, "measure"),
        ({"hessian_factor": 0}, "hessian_factor"),
        ({"random_state": -1}, "random_state"),
    ):
        with pytest.raises(gbrank.ParameterError, match=words):
            cls(**params)
    with pytest.raises(gbrank.DataError, match="nothing to learn"):
        cls(measure="ap(relevant_from=2)").bind(Targets(np.array([0.0, 1, 0]), np.array([0, 3])))
    with pytest.raises(gbrank.DataError, match="grade"):
        cls(measure="ndcg").bind(Targets(np.array([0.0, 0.5, 0]), np.array([0, 3])))


@pytest.mark.parametrize("cls", SAMPLED)
def test_a_measure_is_kept_as_its_name(cls):
    objective = cls(measure=gbrank.measure("NDCG@5", gain="linear"))
    assert objective.measure == "ndcg@5(gain=linear)"
    assert objective == pickle.loads(pickle.dumps(objective)) == gbrank.objective(objective.name, **objective.params())


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("cls", SAMPLED)
def test_training_improves_ndcg(cls, backend):
    data = gbrank.make_letor(150, random_state=1)
    train, test = data.take(np.arange(100)), data.take(np.arange(100, 150))
    ranker = gbrank.GBRanker(cls(), backend=backend, n_estimators=15, random_state=0, n_jobs=1).fit(train)
    chance = gbrank.measure("ndcg@10")(test.y, np.random.default_rng(0).normal(size=len(test.y)), test.query_ptr)
    assert ranker.score(test) > np.nanmean(chance) + 0.1
