"""InfoNCE, sampled softmax and triplets."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

import gbrank
from gbrank.objectives import InfoNCE, PairwiseHinge, PairwiseLogistic, SampledSoftmax, Softmax, Targets, Triplet
from gbrank.objectives._contrast import draw_negatives
from gbrank.testing import check_objective

OBJECTIVES = (
    InfoNCE(),
    InfoNCE(temperature=0.3, negatives=3, hessian_factor=2.0),
    SampledSoftmax(),
    SampledSoftmax(negatives=30, replace=True, relevant_from=2.0),
    Triplet(),
    Triplet(negatives=4, margin=0.3, random_state=2),
    Triplet(negatives=4, replace=True),
)


def lists(seed=0, n_queries=40, longest=30):
    rng = np.random.default_rng(seed)
    ptr = np.append(0, np.cumsum(rng.integers(1, longest, n_queries)))
    data = Targets(rng.integers(0, 3, ptr[-1]).astype(float), ptr, rng.uniform(0.5, 2, ptr[-1]))
    return data, rng.normal(size=ptr[-1])


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_promises(objective):
    check_objective(objective)


def test_info_nce_by_definition():
    y, s, w = np.array([0, 2, 0, 1, 0]), np.array([0.3, 0.1, -1.0, 0.8, 2.0]), np.array([1, 2, 0.5, 3, 1.5])
    tau, negatives = 0.7, [0, 2, 4]
    losses = [
        -w[p] * (s[p] / tau - logsumexp(np.append(s[p], s[negatives]) / tau, b=np.append(1, w[negatives])))
        for p in (1, 3)
    ]
    np.testing.assert_allclose(InfoNCE(temperature=tau).loss(y, s, [0, 5], w), [sum(losses)])


def test_one_relevant_document_is_softmax():
    rng = np.random.default_rng(0)
    ptr, y, s = np.array([0, 6, 8, 9]), np.zeros(9), rng.normal(size=9)
    y[[2, 7, 8]] = 1
    for one, other in ((InfoNCE(), Softmax(gain="linear")), (InfoNCE(temperature=0.2), Softmax(temperature=0.2))):
        np.testing.assert_allclose(one.loss(y, s, ptr), other.loss(y, s, ptr), rtol=1e-12, atol=1e-15)
        wanted = other.gradient_hessian(y, s, ptr)
        np.testing.assert_allclose(one.gradient_hessian(y, s, ptr), wanted, rtol=1e-9, atol=1e-14)


def test_a_weight_of_two_is_the_document_twice():
    y, s = np.array([0.0, 1, 0, 1]), np.array([0.3, 0.1, -1.0, 0.8])
    twice = np.array([0, 0, 1, 2, 3, 3])
    for objective in (InfoNCE(), Triplet()):
        weighted = objective.loss(y, s, [0, 4], [2, 1, 1, 2])
        np.testing.assert_allclose(objective.loss(y[twice], s[twice], [0, 6]), weighted)
        gradient = objective.gradient_hessian(y, s, [0, 4], [2, 1, 1, 2])[0]
        copies = objective.gradient_hessian(y[twice], s[twice], [0, 6])[0]
        np.testing.assert_allclose(np.bincount(twice, copies), gradient)


def test_negatives_of_no_weight_are_not_there():
    y, s = np.array([0.0, 1, 0, 1]), np.array([900.0, 0.1, -1.0, 0.8])
    present = np.array([1, 2, 3])
    for engine in ("numpy", "compiled"):
        got = InfoNCE().gradient_hessian(y, s, [0, 4], [0, 1, 1, 1], engine=engine)
        wanted = InfoNCE().gradient_hessian(y[present], s[present], [0, 3], engine=engine)
        np.testing.assert_allclose(np.array(got)[:, present], wanted, rtol=1e-12)
        assert not np.array(got)[:, 0].any()
        assert not np.any(InfoNCE().gradient_hessian(y, s, [0, 4], [0, 1, 0, 1], engine=engine))


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_triplets_are_the_hinge_of_two_grades(engine):
    data, s = lists()
    binary = data._replace(y=(data.y >= 1) * 1.0)
    bound, pairs = Triplet(margin=0.8).bind(data, engine=engine), PairwiseHinge(margin=0.8).bind(binary, engine="numpy")
    np.testing.assert_allclose(bound.loss(s), pairs.loss(s))
    np.testing.assert_allclose(bound.gradient_hessian(s, 0), pairs.gradient_hessian(s, 0), rtol=1e-10, atol=1e-12)


def test_as_many_negatives_as_there_are_is_all():
    data, s = lists()
    for objective in (InfoNCE(), InfoNCE(corrected=True), Triplet()):
        every = objective.bind(data).gradient_hessian(s, 0)
        drawn = objective.with_params(negatives=30).bind(data)
        for round in (0, 1):
            np.testing.assert_allclose(drawn.gradient_hessian(s, round), every, rtol=1e-9, atol=1e-12)


def test_draws_without_replacement_are_subsets_all_alike():
    drawn = draw_negatives(7, 60_000, 5, 3, False).reshape(-1, 3)
    assert (np.sort(drawn, axis=1)[:, 1:] > np.sort(drawn, axis=1)[:, :-1]).all()
    orders, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(orders) == len(list(itertools.permutations(range(5), 3)))
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_draws_with_replacement_are_independent():
    drawn = draw_negatives(7, 60_000, 4, 2, True).reshape(-1, 2)
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 16
    assert np.abs(counts - 3750).max() < 5 * np.sqrt(3750)


def test_draws_are_those_of_seed_round_and_query():
    data, s = lists(1, 300, 60)
    for objective in (InfoNCE(negatives=2), Triplet(negatives=2, replace=True, margin=3.0)):
        first = [objective.bind(data, n_jobs=k).gradient_hessian(s, 3)[0] for k in (1, 2)]
        np.testing.assert_array_equal(*first)
        numpy = objective.bind(data, engine="numpy").gradient_hessian(s, 3)[0]
        np.testing.assert_allclose(numpy, first[0], rtol=1e-9, atol=1e-12)
        other_seed = objective.with_params(random_state=1).bind(data).gradient_hessian(s, 3)[0]
        other_round = objective.bind(data).gradient_hessian(s, 4)[0]
        assert np.abs(other_seed - first[0]).mean() > 0.02
        assert np.abs(other_round - first[0]).mean() > 0.02


def mean_gradient(objective, data, s, rounds=3000):
    bound = objective.bind(data, n_jobs=1)
    drawn = np.array([bound.gradient_hessian(s, round)[0] for round in range(rounds)])
    return drawn.mean(axis=0), 4.5 * drawn.std(axis=0) / np.sqrt(rounds) + 1e-12


@pytest.mark.parametrize("replace", [False, True])
def test_mean_of_drawn_triplets(replace):
    data, s = lists(2, 1, 12)
    n_others = (data.y < 1).sum()
    mean, error = mean_gradient(Triplet(negatives=2, replace=replace), data, s)
    wanted = Triplet().bind(data).gradient_hessian(s, 0)[0] * 2 / n_others
    assert (np.abs(mean - wanted) < error).all()


def test_mean_of_one_drawn_negative_is_a_mean_of_pairs():
    y, s, ptr = np.array([1.0, 0, 0, 1, 0]), np.array([0.3, 1.0, -0.7, 0.1, 0.5]), np.array([0, 5])
    mean, error = mean_gradient(InfoNCE(negatives=1), Targets(y, ptr), s)
    wanted = PairwiseLogistic().gradient_hessian(y, s, ptr)[0] / 3
    assert (np.abs(mean - wanted) < error).all()


def test_correction_makes_few_stand_for_all():
    data, s = lists(3, 1, 1500)
    wanted = InfoNCE().bind(data).gradient_hessian(s, 0)[0]
    relevant = data.y >= 1

    def error(objective):
        got = objective.bind(data).gradient_hessian(s, 0)[0]
        return np.abs(got[relevant] / wanted[relevant] - 1).mean()

    assert error(SampledSoftmax(negatives=300)) < 0.01
    assert error(SampledSoftmax(negatives=3)) < 0.1 < 0.2 < error(InfoNCE(negatives=3))


def test_extremes():
    y, s, ptr = [1, 0, 0], [-500.0, 500.0, 500.0], [0, 3]
    for engine in ("numpy", "compiled"):
        gradient, hessian = InfoNCE().gradient_hessian(y, s, ptr, engine=engine)
        np.testing.assert_allclose(gradient, [-1, 0.5, 0.5])
        np.testing.assert_allclose(hessian, [1e-6, 0.25, 0.25])  # the floor, and p (1 - p)


@pytest.mark.parametrize("objective", [InfoNCE(), SampledSoftmax(), Triplet()], ids=repr)
def test_queries_without_contrast(objective):
    y, s, ptr = [0, 0, 1, 1, 1, 0, 1], np.arange(7.0), [0, 2, 4, 6, 7]
    gradient, hessian = objective.gradient_hessian(y, s, ptr)
    assert np.flatnonzero(gradient).tolist() == [4, 5]
    assert np.flatnonzero(hessian).tolist() == [4, 5]
    with pytest.raises(gbrank.DataError, match="none of the 2 queries has both"):
        objective.gradient_hessian([0, 0, 1, 1], np.zeros(4), [0, 2, 4])
    with pytest.raises(gbrank.DataError, match="relevant_from=1"):
        objective.gradient_hessian([0, 0], np.zeros(2), [0, 2])


def test_values_are_refused():
    for params in ({"negatives": 0}, {"temperature": 0}, {"corrected": 2}, {"relevant_from": None}, {"replace": "no"}):
        with pytest.raises(gbrank.ParameterError, match=next(iter(params))):
            InfoNCE(**params)
    with pytest.raises(gbrank.ParameterError, match="margin"):
        Triplet(margin=0)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("spread", [1.0, 590.0, 610.0, 5000.0])
def test_drawn_negatives_however_far_scores_lie_apart(spread, replace):
    rng = np.random.default_rng(9)
    y, weight = rng.integers(0, 2, 60).astype(float), rng.random(60) * (rng.random(60) < 0.8)
    score = np.sort(rng.random(60)) * spread
    rng.shuffle(score)
    for objective in (SampledSoftmax(negatives=4, replace=replace), InfoNCE(negatives=1, replace=replace)):
        got, want = (
            objective.gradient_hessian(y, score, [0, 25, 60], weight, engine=engine) for engine in ("compiled", "numpy")
        )
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-13)
