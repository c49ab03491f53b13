"""Ordinal regression: derivatives, limiting cases, probabilities, distances."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax

import gbrank
from gbrank.objectives import (
    CrossEntropy,
    CumulativeLogit,
    ImmediateThreshold,
    Ordinal,
    OrdinalCrossEntropy,
    Targets,
)

THRESHOLD_MODELS = [Ordinal(), ImmediateThreshold(), CumulativeLogit()]
ENGINES = ["numpy", "compiled"]
THETA = np.array([-1.0, 0.5, 0.8])
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 40)
S = RNG.normal(size=40) * 3
PTR = np.array([0, 40])


def at(objective, theta, y=Y, engine="numpy"):
    bound = objective.bind(Targets(y * 1.0, np.array([0, len(y)])), engine=engine)
    bound.params = bound.cut_at(np.asarray(theta, dtype=float))
    return bound


def test_values_are_those_of_the_formulas():
    side = np.where(Y[:, None] > np.arange(3), 1, -1)
    terms = np.logaddexp(0, -side * (S[:, None] - THETA))
    assert at(Ordinal(), THETA).loss(S)[0] == pytest.approx(terms.sum())
    near = (Y[:, None] == np.arange(3)) | (Y[:, None] == np.arange(3) + 1)
    assert at(ImmediateThreshold(), THETA).loss(S)[0] == pytest.approx((terms * near).sum())
    edges = np.concatenate([[-np.inf], THETA, [np.inf]])
    p = expit(edges[Y + 1] - S) - expit(edges[Y] - S)
    assert at(CumulativeLogit(), THETA).loss(S)[0] == pytest.approx(-np.log(p).sum())


@pytest.mark.parametrize("engine", ENGINES)
def test_the_published_gradients_of_cumulative_logit(engine):
    a, b = expit(np.append(THETA, np.inf)[Y] - S), expit(np.append(-np.inf, THETA)[Y] - S)
    gradient, hessian = at(CumulativeLogit(), THETA, engine=engine).gradient_hessian(S, 0)
    np.testing.assert_allclose(gradient, 1 - a - b, atol=1e-12)
    np.testing.assert_allclose(hessian, np.maximum(a * (1 - a) + b * (1 - b), 1e-6), rtol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("objective", THRESHOLD_MODELS)
def test_two_grades_are_logistic_regression_with_a_shifted_score(objective, engine):
    y = (Y > 1) * 1
    bound = at(objective, [0.7], y, engine)
    want = CrossEntropy().gradient_hessian(y, S - 0.7, PTR, engine=engine)
    for a, b in zip(bound.gradient_hessian(S, 0), want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(bound.loss(S), CrossEntropy().loss(y, S - 0.7, PTR))
    p = objective.probabilities(S, {"thresholds": np.array([0.7])})
    np.testing.assert_allclose(p, np.stack([expit(0.7 - S), expit(S - 0.7)], axis=1))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("objective", THRESHOLD_MODELS)
def test_extreme_scores_keep_their_digits(objective, engine):
    s = np.resize([1e6, 500, 40, 0, -40, -500, -1e6], 40)
    bound = at(objective, THETA, engine=engine)
    gradient, hessian = bound.gradient_hessian(s, 0)
    assert np.isfinite(gradient).all()
    assert (hessian >= 1e-6).all()
    assert np.isfinite(bound.loss(s)).all()
    top = at(objective, THETA, np.array([3, 0]), engine).gradient_hessian(np.array([40.0, -40]), 0)[0]
    steps = THETA[2:] if objective.name != "ordinal" else THETA
    assert top[0] == pytest.approx(-np.exp(steps - 40).sum(), rel=1e-9)
    bound.end_round(s)
    assert np.isfinite(bound.thresholds).all()


@pytest.mark.parametrize("objective", THRESHOLD_MODELS)
def test_thresholds_are_never_falling_and_finite_where_a_grade_is_absent(objective):
    for y in ([0.0, 3, 0, 3, 3], [1.0, 4, 2, 4, 1], [0.0, 1, 5, 5, 1], [2.0, 3, 3, 2, 3]):
        bound = objective.bind(Targets(np.array(y), np.array([0, 5])))
        for scale in (1, 1, 40, 40, 1, 0):
            thresholds = bound.state()["thresholds"]
            assert thresholds.shape == (int(max(y)),)
            assert np.isfinite(thresholds).all()
            assert (np.diff(thresholds) >= 0).all()
            p = objective.probabilities(np.linspace(-50, 50, 7), bound.state())
            assert (p >= 0).all()
            np.testing.assert_allclose(p.sum(axis=1), 1)
            assert np.isfinite(bound.gradient_hessian(np.zeros(5), 0)).all()
            bound.end_round(scale * np.array([-1.0, 1, -0.8, 1.2, 1.5]))


@pytest.mark.parametrize("objective", THRESHOLD_MODELS)
def test_start_has_the_shares_of_the_grades(objective):
    y = np.repeat([0.0, 1, 2, 3], [10, 9, 7, 4])
    weight = RNG.uniform(0.5, 2, 30)
    bound = objective.bind(Targets(y, np.array([0, 30]), weight))
    p = objective.probabilities(np.zeros(1), bound.state())[0]
    shares = np.bincount(y.astype(int), weights=weight) / weight.sum()
    if (np.diff(bound.thresholds) > 1e-9).all():  # pooled ones cannot
        np.testing.assert_allclose(p, shares, rtol=1e-6)
    assert bound.gradient_hessian(np.zeros(30), 0)[0].sum() == pytest.approx(0, abs=1e-6)


def simulate(kind, n=40_000):
    rng = np.random.default_rng(3)
    s = rng.normal(size=n) * 1.5
    if kind == "cumulative":
        p = -np.diff(expit(s[:, None] - THETA), axis=1, prepend=1, append=0)
    else:
        steps = np.cumsum(s[:, None] - THETA, axis=1)
        p = np.exp(log_softmax(np.concatenate([np.zeros((n, 1)), steps], axis=1), axis=1))
    return s, (rng.random(n)[:, None] > np.cumsum(p, axis=1)).sum(axis=1), p


@pytest.mark.parametrize(
    ("objective", "kind"),
    [(Ordinal(), "cumulative"), (CumulativeLogit(), "cumulative"), (ImmediateThreshold(), "adjacent")],
)
def test_probabilities_are_those_of_the_model_that_the_data_follow(objective, kind):
    """Thresholds fitted to the true scores find the true thresholds; the gradient's mean is then 0 at each score."""
    s, y, p = simulate(kind)
    bound = objective.bind(Targets(y * 1.0, np.array([0, len(y)])))
    for _ in range(20):
        bound.end_round(s)
    np.testing.assert_allclose(bound.thresholds, THETA, atol=0.06)
    np.testing.assert_allclose(objective.probabilities(s, bound.state()), p, atol=0.015)
    gradient, _ = bound.gradient_hessian(s, 0)
    for low, high in ((-9, -1), (-1, 1), (1, 9)):
        assert abs(gradient[(s > low) & (s < high)].mean()) < 0.02


@pytest.mark.parametrize("objective", [*THRESHOLD_MODELS, OrdinalCrossEntropy()])
def test_probabilities_agree_with_those_of_lying_above(objective):
    score = RNG.normal(size=(9, 4)) if isinstance(objective, OrdinalCrossEntropy) else RNG.normal(size=9) * 30
    p, above = (f(score, {"thresholds": THETA}) for f in (objective.probabilities, objective.above))
    assert p.shape == (9, 4)
    assert above.shape == (9, 3)
    assert (np.diff(above, axis=1) <= 0).all()
    np.testing.assert_allclose(above, 1 - np.cumsum(p, axis=1)[:, :-1], atol=1e-12)


def test_thresholds_are_fitted_as_often_as_asked():
    y, s = np.array([0.0, 1, 2, 1]), np.array([0.0, 1, 2, 3])
    bound = Ordinal(refit_every=3).bind(Targets(y, np.array([0, 4])))
    seen = []
    for _ in range(4):
        bound.end_round(s)
        seen.append(tuple(bound.state()["thresholds"]))
    assert seen[0] == seen[1] != seen[2] == seen[3]


@pytest.mark.parametrize("distance", ["squared", "exponential"])
def test_ordinal_cross_entropy_and_its_derivatives_are_those_of_the_formula(distance):
    score = np.random.default_rng(4).normal(size=(40, 5)) * 2.5
    y = np.append(Y[:-1], 4)
    objective = OrdinalCrossEntropy(distance)
    bound = objective.bind(Targets(y * 1.0, PTR), engine="numpy")
    d = np.abs(y[:, None] - np.arange(5))
    w = d**2 if distance == "squared" else np.exp(d) - 1
    value = -(w * np.log1p(-np.exp(log_softmax(score, axis=1)))).sum()
    assert bound.loss(score)[0] == pytest.approx(value)
    gradient, hessian = bound.gradient_hessian(score, 0)
    floored = 0
    for place in np.ndindex(score.shape):
        up, down = score.copy(), score.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        bend = (bound.gradient_hessian(up, 0)[0][place] - bound.gradient_hessian(down, 0)[0][place]) / 2e-5
        slope = (bound.loss(up) - bound.loss(down))[0] / 2e-5
        assert slope == pytest.approx(gradient[place], rel=1e-5, abs=1e-6)
        assert hessian[place] == pytest.approx(max(bend, abs(gradient[place]) / 20, 1e-6), rel=1e-4, abs=1e-6)
        floored += bend < 0
    assert floored


@pytest.mark.parametrize("engine", ENGINES)
def test_ordinal_cross_entropy_drives_a_certain_but_wrong_grade_down(engine):
    """Where p rounds to 1, w p / (1 - p) is infinite, but its part of the gradient is w."""
    score = np.array([[500.0, 0, 1], [900, -900, -900], [0, 0, 0]])
    gradient, _ = OrdinalCrossEntropy().gradient_hessian([2, 1, 0], score, [0, 3], engine=engine)
    np.testing.assert_allclose(gradient[0], [4, -4 * expit(-1), -4 * expit(1)], rtol=1e-9)
    np.testing.assert_allclose(gradient[1], [1, -0.5, -0.5], rtol=1e-9)


def test_ordinal_cross_entropy_likes_near_grades_better():
    sure = np.eye(4) * 8
    losses = [OrdinalCrossEntropy().loss([3, 0], np.stack([sure[k], sure[0]]), [0, 1, 2])[0] for k in range(4)]
    assert losses == sorted(losses, reverse=True)


def test_wrong_parameters_are_refused():
    with pytest.raises(gbrank.ParameterError, match="distance='cubic': choose one of 'squared', 'exponential'"):
        OrdinalCrossEntropy("cubic")
    for cls in (Ordinal, ImmediateThreshold, CumulativeLogit):
        with pytest.raises(gbrank.ParameterError, match="refit_every=0"):
            cls(refit_every=0)
