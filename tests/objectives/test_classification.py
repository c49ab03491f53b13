"""Binary classification: limiting cases, extremes, weights of classes, probabilities."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit

import gbrank
from gbrank.objectives import Brier, CrossEntropy, Focal, Hinge, LambdaRank, Targets, require_grades

PTR = np.array([0, 3, 6])
T = np.array([0.0, 1, 1, 0, 0, 1])
X = np.array([-2.0, 0.5, 3, 0.1, 8, -5])


def slopes(function, x, step=1e-5):
    return (function(x + step) - function(x - step)) / (2 * step)


def test_values_are_those_of_the_formulas():
    p = expit(X)
    for objective, value in (
        (CrossEntropy(positive_weight=3), -(3 * T * np.log(p) + (1 - T) * np.log1p(-p))),
        (Brier(), (p - T) ** 2),
        (Hinge(margin=2), np.maximum(0, 2 - (2 * T - 1) * X)),
        (Focal(0.3, 1.5), -np.where(T == 1, 0.3 * (1 - p) ** 1.5 * np.log(p), 0.7 * p**1.5 * np.log1p(-p))),
    ):
        np.testing.assert_allclose(objective.loss(T, X, PTR), np.add.reduceat(value, [0, 3]), rtol=1e-10)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_focal_without_focusing_is_half_of_cross_entropy(engine):
    g, h = Focal(alpha=0.5, gamma=0.0).gradient_hessian(T, X, PTR, engine=engine)
    np.testing.assert_allclose(g, 0.5 * (expit(X) - T), rtol=1e-12)
    np.testing.assert_allclose(h[:4], 0.5 * expit(X)[:4] * expit(-X)[:4], rtol=1e-9)
    np.testing.assert_allclose(h[4:], 0.05 * np.abs(g[4:]), rtol=1e-9)  # |x| of 5 and 8: held at a twentieth
    np.testing.assert_allclose(
        Focal(alpha=0.5, gamma=0.0).loss(T, X, PTR),
        -0.5 * np.add.reduceat(log_expit(np.where(T == 1, X, -X)), [0, 3]),
        rtol=1e-12,
    )


def test_focal_without_focusing_is_weighted_cross_entropy():
    for a, b in zip(
        Focal(alpha=0.8, gamma=0.0).gradient_hessian(T, X / 3, PTR),
        CrossEntropy(positive_weight=4.0).gradient_hessian(T, X / 3, PTR),
        strict=True,
    ):
        np.testing.assert_allclose(a, 0.2 * b, rtol=1e-9)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_focal_keeps_its_digits_at_extremes(engine):
    x = np.array([40.0, -8, 500, -500, 9, 0])
    y = np.array([1.0, 1, 1, 1, 1, 0])
    g, h = Focal(gamma=2.0, alpha=0.25).gradient_hessian(y, x, PTR, engine=engine)
    q = np.exp(-40.0)
    assert g[0] == pytest.approx(-0.25 * q**2 * 3 * q, rel=1e-6)  # log p = -q and so gamma p log p - q = -3 q
    assert g[3] == pytest.approx(-0.25, rel=1e-12)  # p underflows gracefully
    assert np.isfinite(g).all()
    assert h[1] == pytest.approx(0.05 * abs(g[1]))  # the second derivative is -.00092


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("objective", [CrossEntropy(), CrossEntropy(positive_weight=7), Focal(), Brier(), Hinge()])
def test_extreme_scores_are_finite_and_push_the_right_way(objective, engine):
    x = np.array([1e6, -1e6, 500, -500, 0, -500])
    g, h = objective.gradient_hessian(T, x, PTR, engine=engine)
    assert np.isfinite(g).all()
    assert np.isfinite(h).all()
    assert (h > 0).all()
    assert (g * (1 - 2 * T) >= 0).all()
    assert np.isfinite(objective.loss(T, x, PTR)).all()


@pytest.mark.parametrize("objective", [Focal(), Focal(0.6, 5.0), Brier()])
def test_where_the_second_derivative_is_small_a_twentieth_of_the_gradient_stands_in(objective):
    x = np.linspace(-12, 12, 97)
    t, ptr = (np.arange(97) % 2) * 1.0, np.arange(98)
    gradient, hessian = objective.gradient_hessian(t, x, ptr, engine="numpy")
    bend = slopes(lambda s: objective.gradient_hessian(t, s, ptr, engine="numpy")[0], x)
    np.testing.assert_allclose(hessian, np.maximum(np.maximum(bend, np.abs(gradient) / 20), 1e-6), rtol=1e-4, atol=1e-9)
    assert (bend < 0).any()


def test_soft_targets_are_mixtures_of_hard_ones():
    t, x, ptr = np.array([0.0, 0.3, 1.0]), np.array([0.5, -1.0, 2.0]), np.arange(4)
    for soft in (CrossEntropy(relevant_from=None, positive_weight=2.5), Brier(relevant_from=None)):
        hard = soft.with_params(relevant_from=1.0)
        ends = np.array([hard.loss([k, 1 - k], [s, s], [0, 1, 2])[0] for s in x for k in (0.0, 1.0)]).reshape(3, 2)
        mixed = (1 - t) * ends[:, 0] + t * ends[:, 1]
        if isinstance(soft, Brier):  # squared: less the variance of the target
            mixed -= t * (1 - t)
        np.testing.assert_allclose(soft.loss(t, x, ptr), mixed, rtol=1e-12)
    with pytest.raises(gbrank.DataError, match=r"label 2 in row 1: with relevant_from=None .* probabilities"):
        CrossEntropy(relevant_from=None).loss([0, 2], [0, 0], [0, 2])


@pytest.mark.parametrize(
    "objective",
    [Focal(gamma=0.0, alpha=0.3), Focal(), CrossEntropy(), Brier(), Hinge(0.7), CrossEntropy(positive_weight=5.0),
     CrossEntropy(positive_weight="balanced")],
)  # fmt: skip
def test_boosting_starts_from_the_best_constant(objective):
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.2) * 1.0
    bound = objective.bind(Targets(y, np.array([0, 200]), rng.uniform(0.5, 2, 200)))
    best = minimize_scalar(lambda c: bound.loss(np.full(200, c)).sum(), bounds=(-5, 5), method="bounded").fun
    assert bound.loss(np.full(200, bound.init_score()[0])).sum() <= best * (1 + 1e-9)


def test_balanced_classes_weigh_the_same():
    y, w = np.array([0.0, 0, 0, 2]), np.array([1.0, 2, 1, 0.5])
    bound = CrossEntropy(positive_weight="balanced").bind(Targets(y, np.array([0, 4]), w))
    assert bound.state()["positive_weight"] == pytest.approx(8)
    assert bound.init_score() == pytest.approx(0)
    assert bound.gradient_hessian(np.zeros(4), 0)[0].sum() == pytest.approx(0)


@pytest.mark.parametrize(
    "objective",
    [CrossEntropy(), CrossEntropy(positive_weight=6.0), CrossEntropy(positive_weight="balanced"), Brier(), Focal(),
     Focal(0.7, 0.5), Focal(0.5, 0.0), Focal(0.1, 4.0)],
)  # fmt: skip
def test_probabilities_of_the_best_constant_are_the_shares(objective):
    """Weights and focusing change the best score, but not what is said about the data."""
    y = (np.arange(1000) < 130) * 1.0
    bound = objective.bind(Targets(y, np.array([0, 1000])))
    score = np.full(3, bound.init_score()[0])
    p = objective.probabilities(score, bound.state())
    np.testing.assert_allclose(p, [[0.87, 0.13]] * 3, rtol=1e-6)
    np.testing.assert_allclose(objective.above(score, bound.state()), p[:, 1:])
    far = objective.probabilities(np.array([-1e3, -40, 40, 1e3]), bound.state())
    assert np.isfinite(far).all()
    np.testing.assert_allclose(far.sum(axis=1), 1)
    assert (np.diff(far[:, 1]) >= 0).all()


def test_objectives_without_probabilities_name_those_with_them():
    for objective in (Hinge(), LambdaRank()):
        with pytest.raises(gbrank.ParameterError, match=r"models no grades.*choose one of brier, cross_entropy"):
            require_grades(objective, "predict_proba")
        with pytest.raises(AttributeError):
            require_grades(objective, "predict_proba")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CrossEntropy(positive_weight="equal"), "positive_weight='equal'"),
        (lambda: CrossEntropy(positive_weight=-1), "positive_weight=-1"),
        (lambda: Focal(alpha=1.0), "alpha=1.0: must be below 1"),
        (lambda: Focal(relevant_from=None), "relevant_from=None: give the lowest label"),
        (lambda: Brier(relevant_from="1"), "relevant_from='1'"),
        (lambda: Hinge(margin=0), "margin=0"),
    ],
)
def test_wrong_parameters_are_refused(make, message):
    with pytest.raises(gbrank.ParameterError, match=message):
        make()


@pytest.mark.parametrize("name", ["cross_entropy", "focal", "brier", "hinge"])
@pytest.mark.parametrize(("y", "which"), [([0, 0, 0.5], "no"), ([1, 2, 3], "every")])
def test_one_class_is_refused_with_the_reason(name, y, which):
    with pytest.raises(gbrank.DataError, match=f"{name}: {which} document has a label of at least relevant_from=1"):
        gbrank.objective(name).gradient_hessian(y, [0, 0, 0], [0, 3])
