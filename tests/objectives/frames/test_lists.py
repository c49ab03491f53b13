"""The frame of list losses: one source for both engines, and the options around it."""

import itertools

import numpy as np
import pytest

from gbrank.objectives import LambdaRank, PairwiseLogistic, Softmax, Targets
from gbrank.objectives._base import HESSIAN_FLOOR
from gbrank.objectives._frames.lists import ListBound, ListLoss, ListTargets
from gbrank.objectives._frames.noise import uniform

PTR = np.array([0, 1, 6, 40, 90])
Y = np.random.default_rng(0).integers(0, 3, 90).astype(float)
SCORE = np.random.default_rng(1).normal(size=90)


def draw_and_place(s, gain, discount, w, ideal, seed, factor):
    """Show what a list loss is given."""
    noise = uniform(seed, len(s))
    return ideal, factor * noise + s, 1.0 + discount * w * gain


def bound(engine, ranked, n_jobs=1, weight=None):
    targets = ListTargets(Y, np.arange(4.0))
    data = Targets(Y, PTR, weight)
    return ListBound(ListLoss(draw_and_place, ranked), (3.0,), targets, data, engine, n_jobs)


@pytest.mark.parametrize("ranked", [False, True])
def test_the_compiled_source_is_given_what_the_definition_is(ranked):
    weight = np.random.default_rng(2).uniform(1, 2, 90)
    for a, b in zip(
        bound("numpy", ranked, weight=weight).gradient_hessian(SCORE, 3),
        bound("compiled", ranked, weight=weight).gradient_hessian(SCORE, 3),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_lists_are_ranked_and_answers_put_back_in_their_rows():
    _, hessian = bound("compiled", True).gradient_hessian(SCORE, 0)
    for a, b in itertools.pairwise(PTR):
        places = 1 + np.argsort(np.argsort(-SCORE[a:b]))
        np.testing.assert_allclose(hessian[a:b], 1 + Y[a:b] / np.log2(1 + places), rtol=1e-12)
    assert bound("numpy", True).loss(SCORE).tolist() == [0, 1, 2, 3]


def test_draws_depend_on_seed_round_and_query_alone():
    first = bound("compiled", False).gradient_hessian(SCORE, 0)[0] - SCORE
    assert len(np.unique(np.round(first, 12))) == 90
    assert not np.isclose(first, bound("compiled", False).gradient_hessian(SCORE, 1)[0] - SCORE).any()
    np.testing.assert_array_equal(first, bound("compiled", False, n_jobs=4).gradient_hessian(SCORE, 0)[0] - SCORE)


def test_the_hessian_is_floored_at_a_share_of_the_gradient():
    y, score = np.array([1.0, 0]), np.array([-40.0, 0])  # certainly wrong: p (1 - p) is 0
    for engine in ("numpy", "compiled"):
        gradient, hessian = PairwiseLogistic().gradient_hessian(y, score, [0, 2], engine=engine)
        np.testing.assert_allclose(gradient, [-1, 1])
        np.testing.assert_allclose(hessian, HESSIAN_FLOOR, rtol=1e-6)


@pytest.mark.parametrize("objective", [LambdaRank(hessian_factor=2.0), Softmax(hessian_factor=2.0)])
def test_hessian_factor_multiplies_the_hessian(objective):
    one = objective.with_params(hessian_factor=1.0).gradient_hessian(Y, SCORE, PTR)
    two = objective.gradient_hessian(Y, SCORE, PTR)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_allclose(two[1], 2 * one[1], rtol=1e-12)


def test_stabilised_ranks_reach_the_loss():
    """Discounts of averaged ranks: two documents that changed places count as tied between both places."""
    y, ptr = np.array([1.0, 0]), np.array([0, 2])
    objective = LambdaRank(rank_smoothing=0.5, score_norm=False, query_norm=False)
    for engine in ("numpy", "compiled"):
        one = objective.bind(Targets(y, ptr), engine=engine)
        one.gradient_hessian(np.array([1.0, 0.0]), 0)
        gradient, _ = one.gradient_hessian(np.array([0.0, 1.0]), 1)
        np.testing.assert_allclose(gradient, 0, atol=1e-15)  # both at 1.5: swapping changes nothing
        gradient, _ = one.gradient_hessian(np.array([0.0, 1.0]), 2)  # 1.75 and 1.25
        delta = abs(1 / np.log2(2.25) - 1 / np.log2(2.75))
        np.testing.assert_allclose(gradient[1], delta / (1 + np.exp(-1)), rtol=1e-12)
