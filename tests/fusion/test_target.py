"""Targets that are met, on several seeds; those that cannot be, against brute force; and what must change nothing."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from gbrank import DataError, ParameterError, RankingData, target_weights
from gbrank.fusion import Constraints, shares, target_weights_by_segment
from gbrank.fusion._shares import Problem, fractions

KNOWN = [0.300, 0.500, 0.070, 0.070, 0.060]
METHODS = ["slsqp", "secant", "heuristic"]


def desired_regrets(model, scores, seed):
    """Return fractions that some weights have."""
    weights = np.random.default_rng(seed).dirichlet(np.full(len(model.tasks), 6.0))
    named = dict(zip(model.tasks, weights, strict=True))
    return shares(model.with_weights(named), scores, by="regret", n_jobs=1)["fraction"].tolist()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", METHODS)
def test_gaps_meet_the_known_target(predict, even, wanted, method, seed):
    scores = predict(seed)
    found = target_weights(even(5), scores, wanted(KNOWN), method=method, n_jobs=1)
    assert found.reached
    again = shares(found.model, scores, n_jobs=1)
    np.testing.assert_allclose(again["fraction"], KNOWN, atol=0.005)
    assert sum(found.model.weights.values()) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", METHODS)
def test_regrets_meet_a_target(predict, even, wanted, method, seed):
    scores = predict(seed)
    desired = desired_regrets(even(5), scores, seed)
    found = target_weights(even(5), scores, wanted(desired), by="regret", method=method, n_jobs=1)
    np.testing.assert_allclose(found.table["fraction"], desired, atol=0.005)
    assert found.reached


@pytest.mark.parametrize("form", ["sum", "product"])
def test_twenty_tasks(predict, even, wanted, form):
    scores = predict(0, n_tasks=20, n_queries=100, n_documents=20)
    desired = np.random.default_rng(1).dirichlet(np.full(20, 4.0))
    found = target_weights(even(20, form=form), scores, wanted(desired), n_jobs=1)
    assert found.largest_error < 0.005


@pytest.mark.parametrize("by", ["gap", "regret"])
def test_slsqp_on_hard_ranks_stops_where_it_starts(predict, even, wanted, by):
    problem, start = Problem.of(even(5), predict(), 10, "value", 1), np.full(5, 0.2)
    base = problem.value(start)  # the gain of gaps, held
    desired = np.array(KNOWN if by == "gap" else desired_regrets(even(5), predict(), 0))

    def distance(weights):
        if by == "regret":
            return np.sum((fractions(problem.mean(problem.hard(weights, by))) - desired) ** 2)
        rankings = [problem.total(weights * (np.arange(5) != t)) for t in range(5)]
        gaps = [1 - problem.measure(base, each, problem.query_ptr, n_jobs=1).mean() for each in rankings]
        return np.sum((fractions(np.array(gaps)) - desired) ** 2)

    one = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
    stuck = minimize(distance, start, method="SLSQP", bounds=[(0, 1)] * 5, constraints=[one])
    np.testing.assert_allclose(stuck.x, start, atol=1e-6)
    found = target_weights(even(5), predict(), wanted(desired), by=by, n_jobs=1)
    assert found.reached
    assert found.largest_error**2 < distance(start) / 100


@pytest.fixture(scope="module")
def on_grid(even):
    """Three tasks of which not every target can be reached, and a function: their fractions on a grid of weights."""
    rng = np.random.default_rng(5)
    p = rng.uniform(size=(60, 3))
    p[:, 1] = 0.7 * p[:, 0] + 0.3 * p[:, 1]
    scores = RankingData(p, np.zeros(60), np.arange(60) // 6, feature_names=["t0", "t1", "t2"])
    grid = [np.array([a, b, 20 - a - b]) / 20 for a, b in itertools.product(range(21), repeat=2) if a + b <= 20]

    @functools.cache
    def found(by):
        problem = Problem.of(even(3), scores, 3, "value", 1)
        return np.array([fractions(problem.mean(problem.hard(weights, by))) for weights in grid])

    return scores, found


@pytest.mark.parametrize("by", ["gap", "regret"])
@pytest.mark.parametrize("desired", [[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.45, 0.45, 0.1]])
def test_no_grid_of_weights_comes_nearer(even, wanted, on_grid, by, desired):
    scores, fractions_on_grid = on_grid
    found = target_weights(even(3), scores, wanted(desired), by=by, k=3, n_jobs=1)
    distances = np.sum((fractions_on_grid(by) - desired) ** 2, axis=1)
    assert np.sum(found.table["difference"] ** 2) < distances.min() + 0.002
    assert found.reached == (found.largest_error <= 0.005)
    assert found.reached or "not reached: the nearest found is" in found.verdict()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["gap", "regret"]))
def test_units_and_orders_change_nothing(predict, even, wanted, seed, by):
    scores, rng = predict(7, n_tasks=3, n_queries=60), np.random.default_rng(seed)
    unit = 10 ** rng.uniform(-4, 4, 3)
    tasks, rows = rng.permutation(3), rng.permutation(scores.n_documents)
    weights = rng.dirichlet(np.ones(3))
    model = even(3).with_weights(dict(zip(["t0", "t1", "t2"], weights, strict=True)))
    names = [f"t{t}" for t in tasks]
    other = RankingData((scores.X * unit)[rows][:, tasks], np.zeros(len(rows)), scores.qid[rows], feature_names=names)
    scaled = model.with_weights({name: model.weights[name] / unit[int(name[1])] for name in names})
    expected, found = (shares(m, d, by=by, n_jobs=1)["fraction"] for m, d in ((model, scores), (scaled, other)))
    np.testing.assert_allclose(found[expected.index], expected, atol=1e-9)
    desired = wanted(expected)
    result = target_weights(even(3), other, {name: desired[name] for name in names}, by=by, n_jobs=1)
    assert result.reached


def test_constraints_are_kept(predict, even, wanted):
    def found(method="slsqp", **limits):
        return target_weights(even(5), data, wanted(KNOWN), method=method, constraints=Constraints(**limits), n_jobs=1)

    data = predict(n_queries=100)
    bound = found(upper={"t1": 0.25})
    assert not bound.reached
    assert bound.at_bound == ("t1",)
    assert "at a bound: t1" in bound.verdict()
    assert bound.model.weights["t1"] == pytest.approx(0.25, rel=1e-3)
    fixed = found(fixed={"t1": 0.3})
    assert fixed.model.weights["t1"] == 0.3
    assert sum(fixed.model.weights.values()) == pytest.approx(1)
    lower = found(lower={"t4": 0.2}, method="heuristic")
    assert lower.model.weights["t4"] >= 0.2 - 1e-9
    free = found()
    regret = shares(free.model, data, by="regret", n_jobs=1)["regret"]
    level = float(1 - regret["t4"]) + 0.02
    floor = found(ndcg_floor={"t4": level})
    assert floor.floors["ndcg"]["t4"] >= level
    assert not floor.reached
    assert "at its floor of NDCG: t4" in floor.verdict()
    scale = found(sum_to_one=False)
    assert scale.reached


@pytest.mark.parametrize("seed", [0, 1])
def test_a_floor_comes_before_the_fractions(predict, even, wanted, seed):
    data, start = predict(seed, n_queries=60), even(5)
    free = target_weights(start, data, wanted(KNOWN), n_jobs=1).model
    level = 1.02 - float(shares(free, data, by="regret", n_jobs=1)["regret"]["t4"])
    limits = Constraints(ndcg_floor={"t4": level})
    found = target_weights(start, data, wanted(KNOWN), constraints=limits, n_jobs=1)
    assert level <= found.floors["ndcg"]["t4"] < level + 0.005
    assert not found.reached


def test_regularisation_stays_nearer_to_the_start(predict, even, wanted):
    weights = [
        np.array(list(target_weights(
            even(5), predict(), wanted(KNOWN), regularization=strength, n_jobs=1
        ).model.weights.values()))
        for strength in (0, 0.01, 0.1)
    ]  # fmt: skip
    far = [np.linalg.norm(np.log(each / 0.2)) for each in weights]
    assert far[0] > 1.05 * far[1] > 1.1 * far[2]


def test_sensitivity_and_intervals(predict, even, wanted):
    scores = predict(n_queries=400)
    found = target_weights(even(5), scores, wanted(KNOWN), n_jobs=1)
    np.testing.assert_allclose(found.sensitivity.sum(axis=0), 0, atol=1e-9)  # fractions add up to 1
    np.testing.assert_allclose(found.sensitivity.sum(axis=1), 0, atol=0.005)  # a common factor changes nothing
    for task in found.model.tasks:
        ends = [
            shares(
                found.model.with_weights(found.model.weights | {task: found.model.weights[task] * np.exp(step)}),
                scores, n_jobs=1,
            )["fraction"]
            for step in (0.2, -0.2)
        ]  # fmt: skip
        np.testing.assert_allclose(found.sensitivity[task], (ends[0] - ends[1]) / 0.4, atol=0.06)
    table = found.intervals(n_resamples=400)
    errors = (found.values - found.values.mean()).to_numpy() / found.values.mean().sum()
    share = table["fraction"].to_numpy()
    spread = (errors - share * errors.sum(axis=1, keepdims=True)).std(axis=0) / np.sqrt(400)  # of a ratio
    np.testing.assert_allclose(table["fraction_high"] - table["fraction_low"], 2 * 1.96 * spread, rtol=0.25)
    assert ((table["weight_low"] < table["weight"]) & (table["weight"] < table["weight_high"])).all()


def test_a_gap_of_nothing_is_a_weight_of_nothing(predict, even, wanted):
    found = target_weights(even(3), predict(n_tasks=3), wanted([0.4, 0.6, 0]), n_jobs=1)
    assert found.reached
    assert found.model.weights["t2"] == 0


def test_queries_of_one_document_are_counted(predict, even, wanted):
    scores = predict(n_tasks=3, n_queries=50)
    X = np.vstack((scores.X, np.full((2, 3), 0.5)))
    more = RankingData(X, np.zeros(len(X)), np.append(scores.qid, [100, 101]), feature_names=["t0", "t1", "t2"])
    one, two = (target_weights(even(3), each, wanted([0.5, 0.3, 0.2]), n_jobs=1) for each in (scores, more))
    assert (one.single_document_queries, two.single_document_queries) == (0, 2)
    np.testing.assert_array_equal(one.table["weight"], two.table["weight"])
    assert "2 of one document left out" in str(two)
    with pytest.raises(DataError, match="every query has one document"):
        target_weights(even(3), more.take([50, 51]), wanted([0.5, 0.3, 0.2]))


def test_query_weights_are_repeats(predict, even):
    scores = predict(n_tasks=3, n_queries=4)
    parts = [scores.take([0]).X, scores.X, scores.take([0]).X]
    X = np.vstack(parts)
    twice = RankingData(X, np.zeros(len(X)), np.repeat(np.arange(6), 20), feature_names=["t0", "t1", "t2"])
    weighted = RankingData(
        scores.X, scores.y, scores.qid, feature_names=["t0", "t1", "t2"], query_weight=[3.0, 1, 1, 1]
    )
    for by in ("gap", "regret"):
        one, two = (shares(even(3), each, by=by, n_jobs=1)[by] for each in (twice, weighted))
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_segments_have_weights_of_their_own(predict, even, wanted):
    scores = predict(n_tasks=3, n_queries=60)
    segments = np.where(np.arange(60) % 2, "new", "old")
    desired = {"new": wanted([0.5, 0.3, 0.2]), "old": wanted([0.2, 0.3, 0.5])}
    models, results = target_weights_by_segment(even(3), scores, desired, segments, n_jobs=1)
    assert all(each.reached for each in results.values())
    for name, part in desired.items():
        found = shares(models.models[name], scores.take(segments == name), n_jobs=1)["fraction"]
        np.testing.assert_allclose(found, list(part.values()), atol=0.005)
    again = type(models).from_json(models.to_json())
    np.testing.assert_array_equal(again.score(scores, segments), models.score(scores, segments))
    with pytest.raises(DataError, match="one for each query"):
        models.score(scores, segments[:5])
    with pytest.raises(ParameterError, match="nothing for the segment 'old'"):
        target_weights_by_segment(even(3), scores, {"new": desired["new"]}, segments)


@pytest.mark.parametrize(
    ("desired", "options", "told"),
    [
        ([0.5, 0.6, 0.1], {}, "add up to 1.2"),
        ([0.5, 0.7, -0.2], {}, "'t2' is -0.2"),
        ([0.5, 0.5], {}, "nothing for the task 't2'"),
        ([0.5, 0.3, 0.1, 0.1], {}, "unknown task of desired 't3'"),
        ([0.5, 0.3, 0.2], {"by": "gaps"}, "by='gaps'"),
        ([0.5, 0.3, 0.2], {"k": 0}, "k=0"),
        ([0.5, 0.3, 0.2], {"tolerance": 0}, "tolerance=0"),
        ([0.5, 0.3, 0.2], {"method": "bfgs"}, "method='bfgs'"),
    ],
)
def test_wrong_targets(predict, even, wanted, desired, options, told):
    with pytest.raises(ParameterError, match=told):
        target_weights(even(3), predict(n_tasks=3, n_queries=3), wanted(desired), **options)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"lower": {"t0": 0.7, "t1": 0.6}}, "1.3 at least"),
        ({"upper": {"t0": 0.1, "t1": 0.1, "t2": 0.1}}, "0.3 at most"),
        ({"lower": {"t0": 0.7}, "upper": {"t0": 0.6}}, "above its upper bound"),
        ({"fixed": {"t0": 0.2}, "upper": {"t0": 0.6}}, "has bounds, too"),
        ({"fixed": {"t0": 0.2, "t1": 0.2, "t2": 0.6}}, "nothing is left to search"),
        ({"ndcg_floor": {"t0": 1.2}}, "from 0 to 1"),
        ({"lower": {"t9": 0.2}}, "unknown task of lower 't9'"),
    ],
)
def test_wrong_constraints(predict, even, wanted, limits, told):
    with pytest.raises(ParameterError, match=told):
        target_weights(
            even(3), predict(n_tasks=3, n_queries=3), wanted([0.5, 0.3, 0.2]), constraints=Constraints(**limits)
        )


def test_wrong_predictions(predict, even, wanted):
    scores, desired = predict(n_tasks=3, n_queries=3), wanted([0.5, 0.3, 0.2])

    def changed(column):
        X = scores.X.copy()
        X[:, 1] = column
        return RankingData(X, scores.y, scores.qid, feature_names=["t0", "t1", "t2"])

    with pytest.raises(DataError, match="task 't1': its predictions are constant in every query"):
        target_weights(even(3), changed(np.arange(60) // 20 + 1.0), desired)
    with pytest.raises(DataError, match="task 't1': row 0"):
        target_weights(even(3), changed(np.nan), desired)
    with pytest.raises(DataError, match="a gain of NDCG cannot be negative"):
        target_weights(even(3), changed(scores.X[:, 1] - 1), desired)
    assert target_weights(even(3), changed(scores.X[:, 1] - 1), desired, gain="above_lowest", n_jobs=1).model
    with pytest.raises(ParameterError, match="'t0' is -1; shares are of weights of 0 or more"):
        target_weights(even(3).with_weights({"t0": -1, "t1": 1, "t2": 1}), scores, desired)
