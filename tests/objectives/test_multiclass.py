"""Classification into grades: derivatives, limiting cases, class weights, expected grades."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

import gbrank
from gbrank.objectives import CrossEntropy, Focal, McRank, McRankFocal, Targets

PTR = np.array([0, 40])
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 40).astype(float)
S = RNG.normal(size=(40, 4)) * 2
ENGINES = ["numpy", "compiled"]


def test_values_are_those_of_the_formulas():
    log_p = log_softmax(S, axis=1)[np.arange(40), Y.astype(int)]
    w = np.array([1.0, 2, 0.5, 3])[Y.astype(int)]
    assert McRank(class_weight=[1, 2, 0.5, 3]).loss(Y, S, PTR)[0] == pytest.approx(-(w * log_p).sum())
    focal = -(w * (1 - np.exp(log_p)) ** 1.5 * log_p).sum()
    assert McRankFocal(1.5, class_weight=[1, 2, 0.5, 3]).loss(Y, S, PTR)[0] == pytest.approx(focal)


@pytest.mark.parametrize("objective", [McRankFocal(0.5), McRankFocal(2.0, (1, 2, 3, 4)), McRankFocal(5.0)])
def test_focal_derivatives_are_exact_but_for_the_floor(objective):
    bound = objective.bind(Targets(Y, PTR), engine="numpy")
    gradient, hessian = bound.gradient_hessian(S, 0)
    floored = 0
    for at in np.ndindex(S.shape):
        up, down = S.copy(), S.copy()
        up[at] += 1e-5
        down[at] -= 1e-5
        slope = (bound.loss(up) - bound.loss(down))[0] / 2e-5
        bend = (bound.gradient_hessian(up, 0)[0][at] - bound.gradient_hessian(down, 0)[0][at]) / 2e-5
        assert slope == pytest.approx(gradient[at], rel=1e-6, abs=1e-8)
        assert hessian[at] == pytest.approx(max(bend, abs(gradient[at]) / 20, 1e-6), rel=1e-4, abs=1e-8)
        floored += bend < 0
    assert floored


@pytest.mark.parametrize("engine", ENGINES)
def test_focal_without_focusing_is_cross_entropy(engine):
    weight = (1.0, 2.0, 0.5, 3.0)
    (g, h), (want_g, want_h) = (
        o.gradient_hessian(Y, S, PTR, engine=engine) for o in (McRankFocal(0.0, weight), McRank(weight))
    )
    np.testing.assert_allclose(g, want_g, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(h, np.maximum(want_h, np.abs(want_g) / 20), rtol=1e-9)
    np.testing.assert_allclose(McRankFocal(0.0, weight).loss(Y, S, PTR), McRank(weight).loss(Y, S, PTR))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("several", "two"), [(McRank((1, 3)), CrossEntropy(positive_weight=3)), (McRankFocal(2.0), Focal(0.5, 2.0))]
)
def test_two_grades_are_binary_classification_of_their_margin(several, two, engine):
    y, score = (Y > 1) * 1.0, S[:, :2]
    g, h = several.gradient_hessian(y, score, PTR, engine=engine)
    want_g, want_h = two.gradient_hessian(y, score[:, 1] - score[:, 0], PTR, engine=engine)
    factor = 2 if isinstance(two, Focal) else 1  # alpha of a half
    np.testing.assert_allclose(g[:, 1], factor * want_g, rtol=1e-9)
    np.testing.assert_allclose(g[:, 0], -factor * want_g, rtol=1e-9)
    np.testing.assert_allclose(h, np.stack([factor * want_h] * 2, axis=1), rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["mcrank", "mcrank_focal", "ordinal_cross_entropy"])
def test_extreme_scores_are_finite_and_sum_to_zero(name, engine):
    score = np.random.default_rng(1).choice([-1e6, -500, 0.0, 500, 1e6], (40, 4))
    objective = gbrank.objective(name)
    g, h = objective.gradient_hessian(Y, score, PTR, engine=engine)
    assert np.isfinite(g).all()
    assert np.isfinite(h).all()
    assert (h > 0).all()
    np.testing.assert_allclose(g.sum(axis=1), 0, atol=1e-9)
    assert np.isfinite(objective.loss(Y, score, PTR)).all()
    p = objective.probabilities(score, {})
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("objective", [McRank(), McRank("balanced"), McRank((1, 5, 2, 9)), McRankFocal(),
                                       McRankFocal(1.0, "balanced"), McRankFocal(4.0, (1, 5, 2, 9))])  # fmt: skip
def test_boosting_starts_from_the_best_constant_whose_probabilities_are_the_shares(objective):
    rng = np.random.default_rng(2)
    y = rng.choice(4, 500, p=[0.6, 0.25, 0.1, 0.05]).astype(float)
    weight = rng.uniform(0.5, 2, 500)
    bound = objective.bind(Targets(y, np.array([0, 500]), weight))
    start = bound.init_score()
    gradient, _ = bound.gradient_hessian(np.tile(start, (500, 1)), 0)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-6 * weight.sum())
    shares = np.bincount(y.astype(int), weights=weight) / weight.sum()
    np.testing.assert_allclose(objective.probabilities(start[None], bound.state())[0], shares, rtol=1e-5)
    np.testing.assert_allclose(objective.transform(start[None], bound.state()), shares @ np.arange(4), rtol=1e-5)


def test_a_grade_that_is_absent_keeps_a_finite_start():
    for objective in (McRank(), McRank("balanced"), McRankFocal(), McRankFocal(2.0, "balanced")):
        bound = objective.bind(Targets(np.array([0.0, 3, 0, 1]), np.array([0, 4])))
        assert np.isfinite(bound.init_score()).all()
        assert objective.probabilities(bound.init_score()[None], bound.state())[0, 2] < 1e-3


def test_balanced_grades_weigh_the_same():
    y = np.array([0.0, 0, 0, 0, 1, 1, 3])
    bound = McRank("balanced").bind(Targets(y, np.array([0, 7])))
    weight = bound.state()["class_weight"]
    np.testing.assert_allclose(weight * [4, 2, 1, 1], [7 / 3, 7 / 3, 1, 7 / 3])
    np.testing.assert_allclose(np.bincount(y.astype(int)) @ weight, 7)


def test_the_ranking_score_is_the_expected_grade():
    score = np.array([[10.0, 0, 0], [0, 0, 10], [0, 0, 0]])
    np.testing.assert_allclose(McRank().transform(score, {}), softmax(score, axis=1) @ [0, 1, 2])
    bound = McRank().bind(Targets(np.array([0.0, 2, 2, 1]), np.array([0, 4])))
    assert bound.n_outputs == 3
    np.testing.assert_allclose(np.exp(bound.init_score()), [0.25, 0.25, 0.5])
    above = McRank().above(score, {})
    np.testing.assert_allclose(above, 1 - np.cumsum(softmax(score, axis=1), axis=1)[:, :-1], atol=1e-12)


def test_class_weights_may_be_given_in_three_ways():
    assert McRank({2: 5.0}) == McRank([1, 1, 5]) == McRank((1.0, 1.0, 5.0))
    assert repr(McRank({2: 5})) == "McRank(class_weight=(1.0, 1.0, 5.0))"
    assert McRank({"2": 5, "0": 1}) == McRank({2: 5})  # as files have them
    assert hash(McRank({2: 5})) == hash(McRank([1, 1, 5]))
    with pytest.raises(gbrank.DataError, match="3 weights, for grades 0 to 2, but there is a label 3"):
        McRank([1, 1, 5]).loss(Y, S, PTR)
    for bad in ("equal", [], [1, -1], {"1": 2.0, 1: 3.0}, {-1: 2.0}, {"a": 1.0}, 3.0):
        with pytest.raises(gbrank.ParameterError, match="class_weight"):
            McRank(bad)
