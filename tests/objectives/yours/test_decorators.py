"""Users' losses: like built-in ones on both engines and boosters, checked when made, saved without what they run."""

import math
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy
import scipy.special
from numpy import exp
from scipy import special
from scipy.special import expit, gammaln
from sklearn.base import clone

import gbrank
from gbrank.objectives import (
    OBJECTIVES,
    CrossEntropy,
    Huber,
    LambdaRank,
    PairwiseHinge,
    PairwiseLogistic,
    SquaredError,
    Targets,
)
from gbrank.testing import check_objective

ENGINES = ["numpy", "compiled"]
BACKENDS = ["lightgbm", "xgboost"]
RNG = np.random.default_rng(0)
PTR = np.array([0, 1, 5, 15, 40, 100])
Y = RNG.integers(0, 4, 100).astype(float)
S = RNG.normal(size=100)
X = RNG.normal(size=(2000, 5)).astype(np.float32)
DATA = gbrank.RankingData(X, np.digitize(X[:, 0] + RNG.normal(size=2000), [0.5, 1.5]), np.arange(2000) // 20)
STEEPNESS = 1.5


@gbrank.pair_loss
def mine(d, sigmoid=1.0):
    """RankNet, again."""
    p = 1.0 / (1.0 + np.exp(sigmoid * d))
    return np.logaddexp(0.0, -sigmoid * d), -sigmoid * p, sigmoid * sigmoid * p * (1.0 - p)


@gbrank.pair_loss
def bare_hinge(d, margin=1.0):
    return np.maximum(margin - d, 0.0), np.where(d < margin, -1.0, 0.0)


@gbrank.point_loss
def bare_cross_entropy(y, s, relevant_from=1.0):
    p = expit(s)
    relevant = y >= relevant_from
    return np.logaddexp(0, s) - relevant * s, p - relevant


@gbrank.point_loss
def bare_absolute(y, s):
    return np.abs(s - y), np.sign(s - y)


@gbrank.point_loss(exact_hessian=False)
def own_huber(y, s, delta=1.0):
    d = s - y
    near = np.minimum(np.abs(d), delta)
    return near * (np.abs(d) - near / 2), np.sign(d) * near, delta / np.maximum(np.abs(d), delta)


def steeper(d, by=STEEPNESS):
    return exp(-by * d)


@pytest.fixture
def registry():
    before = dict(OBJECTIVES._table)
    yield
    OBJECTIVES._table.clear()
    OBJECTIVES._table.update(before)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("params", [{}, {"sigmoid": 2.0, "truncation": 7}, {"weight": "map"}, {"query_norm": True}])
def test_a_logistic_of_ones_own_is_the_built_in(engine, params):
    got = mine(**params).gradient_hessian(Y, S, PTR, engine=engine)
    wanted = PairwiseLogistic(**params).gradient_hessian(Y, S, PTR, engine=engine)
    np.testing.assert_allclose(got, wanted, rtol=0 if engine == "numpy" else 1e-9, atol=0)
    assert np.array_equal(mine(**params).loss(Y, S, PTR), PairwiseLogistic(**params).loss(Y, S, PTR))


@pytest.mark.parametrize("engine", ENGINES)
def test_with_the_weights_of_ndcg_it_is_lambdarank(engine):
    own = mine(weight="ndcg", truncation=30, score_norm=True, query_norm=True)
    got, wanted = (each.gradient_hessian(Y, S, PTR, engine=engine) for each in (own, LambdaRank()))
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "objective",
    [
        mine(sigmoid=2.0, weight="ndcg", truncation=5), mine(pairs="given"), bare_hinge(margin=0.7),
        bare_cross_entropy(relevant_from=2), bare_absolute(), own_huber(delta=0.3), own_huber(init="zero"),
    ],
    ids=repr,
)  # fmt: skip
def test_keeps_the_promises_of_an_objective(objective):
    assert check_objective(objective)


def test_a_missing_hessian_is_a_difference_or_the_usual_surrogate():
    y, score = Y[40:], S[40:]
    got, wanted = (
        each.gradient_hessian(y, score, [0, 60]) for each in (bare_hinge(margin=0.7), PairwiseHinge(margin=0.7))
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    got, wanted = (each.gradient_hessian(y, score, [0, 60]) for each in (bare_cross_entropy(), CrossEntropy()))
    np.testing.assert_allclose(got, wanted, rtol=1e-7)
    _, hessian = bare_absolute().gradient_hessian([0, 1, 2], [0.0, 1.0, 2.5], [0, 3])
    np.testing.assert_allclose(hessian, [1e-6, 1e-6, 1])  # no spike where the sign jumps
    assert not bare_hinge.exact_hessian
    assert not own_huber.exact_hessian  # given, but not the second derivative
    assert mine.exact_hessian


def test_a_point_loss_starts_from_its_best_constant():
    def start(objective):
        return objective.bind(Targets(Y, PTR, np.linspace(1, 2, 100))).init_score()[0]

    assert start(bare_cross_entropy()) == pytest.approx(start(CrossEntropy()), rel=1e-9)
    assert start(own_huber(delta=0.5)) == pytest.approx(start(Huber(delta=0.5)), rel=1e-9)
    assert start(own_huber(init="zero")) == 0

    @gbrank.point_loss
    def falling(y, s):
        return np.exp(-s), -np.exp(-s), np.exp(-s)

    assert start(falling()) == 0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("own", "built_in"),
    [(mine(truncation=10), PairwiseLogistic(truncation=10)), (own_huber(), Huber())],
    ids=["pair", "point"],
)
def test_trains_the_same_model_as_the_built_in(backend, own, built_in):
    a, b = (gbrank.GBRanker(each, backend=backend, n_estimators=8, n_jobs=1).fit(DATA) for each in (own, built_in))
    np.testing.assert_allclose(a.predict(DATA), b.predict(DATA), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", [bare_hinge, bare_absolute, 0.5 * bare_hinge() + LambdaRank()], ids=repr)
def test_trains_and_is_tuned_by_name(backend, objective):
    ranker = gbrank.GBRanker(objective, backend=backend, n_estimators=8, n_jobs=1)
    copy = clone(ranker).fit(DATA)
    assert np.array_equal(copy.predict(DATA), ranker.fit(DATA).predict(DATA))
    assert ranker.score(DATA) > 0.55
    if objective is bare_hinge:
        ranker.set_params(objective__margin=3.0, objective__truncation=4)
        assert ranker.objective == bare_hinge(margin=3.0, truncation=4)


def test_is_a_value():
    one = mine(2.0, weight="ndcg", truncation=30)
    assert repr(one) == "mine(weight='ndcg', truncation=30, sigmoid=2.0)"
    assert eval(repr(one)) == one == mine(sigmoid=2, weight="ndcg", truncation=30) != mine()
    assert hash(one) == hash(mine(2.0, weight="ndcg", truncation=30))
    assert pickle.loads(pickle.dumps(one)) == one
    assert (mine.name, mine.__doc__, mine.__module__) == ("mine", "RankNet, again.", __name__)
    assert mine.function(0.0)[1] == -0.5
    with pytest.raises(gbrank.ParameterError, match="Did you mean 'sigmoid'"):
        mine().with_params(sigmoyd=1)
    for bad in (float("nan"), "1", None):
        with pytest.raises(gbrank.ParameterError, match=r"sigmoid=.*must be a finite number"):
            mine(sigmoid=bad)
    with pytest.raises(gbrank.ParameterError, match="init='mean'"):
        bare_absolute(init="mean")


def test_a_lambda_needs_a_name_and_does_not_pickle():
    with pytest.raises(gbrank.ParameterError, match=r"'<lambda>'.*name='\.\.\.'"):
        gbrank.pair_loss(lambda d: (np.exp(-d), -np.exp(-d)))
    steep = gbrank.pair_loss(name="steep")(
        lambda d, a=2.0: (np.exp(-a * d), -a * np.exp(-a * d), a * a * np.exp(-a * d))
    )
    assert repr(steep(a=3.0)) == "steep(a=3.0)"
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(steep())
    assert clone(gbrank.GBRanker(steep())).objective == steep()


def test_registered_losses_are_found_by_name(registry):
    @gbrank.pair_loss(register=True)
    def my_loss(d, margin=1.0):
        return np.maximum(margin - d, 0) ** 2, -2 * np.maximum(margin - d, 0)

    assert gbrank.objective("my_loss", margin=2, truncation=3) == my_loss(margin=2, truncation=3)
    assert gbrank.GBRanker("my_loss", n_estimators=2, n_jobs=1).fit(DATA).objective_ == my_loss()
    again = gbrank.pair_loss(name="my_loss", register=True)(my_loss.function)  # a cell that runs twice
    assert OBJECTIVES["my_loss"] is again
    with pytest.raises(gbrank.ParameterError, match="'ranknet' exists already"):
        gbrank.pair_loss(name="ranknet")(my_loss.function)


SAVER = """
import numpy as np, sys, gbrank
@gbrank.pair_loss(register=True)
def fleeting(d, margin=1.0):
    return np.maximum(margin - d, 0), -1.0 * (d < margin)
rng = np.random.default_rng(0)
data = gbrank.RankingData(rng.normal(size=(200, 3)), rng.integers(0, 3, 200), np.arange(200) // 10)
alone = gbrank.GBRanker(fleeting(margin=2.0, truncation=4), n_estimators=3, n_jobs=1).fit(data)
summed = gbrank.GBRanker(gbrank.objective("lambdarank") + fleeting(), n_estimators=3, n_jobs=1).fit(data)
for name, ranker in (("alone", alone), ("summed", summed)):
    ranker.save(f"{sys.argv[1]}/{name}")
    np.save(f"{sys.argv[1]}/{name}.npy", ranker.predict(data))
"""


def test_a_saved_model_predicts_where_its_loss_is_not_there(tmp_path, registry):
    subprocess.run([sys.executable, "-c", SAVER, str(tmp_path)], check=True)
    rng = np.random.default_rng(0)
    data = gbrank.RankingData(rng.normal(size=(200, 3)), rng.integers(0, 3, 200), np.arange(200) // 10)
    for name in ("alone", "summed"):
        ranker = gbrank.load(tmp_path / name)
        assert np.array_equal(ranker.predict(data), np.load(tmp_path / f"{name}.npy"))
        with pytest.raises(gbrank.ParameterError, match=r"'fleeting'.*not known here.*__main__\.fleeting"):
            ranker.fit(data)
        ranker.save(tmp_path / "again")
        assert gbrank.load(tmp_path / "again").objective_ == ranker.objective_
    alone = gbrank.load(tmp_path / "alone")
    told = repr(alone.objective_)
    assert told.startswith("fleeting(")
    assert "weight='uniform', truncation=4, pairs='labels'" in told
    assert alone.get_params()["objective__margin"] == 2.0
    assert np.array_equal(clone(alone).set_params(objective=LambdaRank()).fit(data).score(data) > 0, True)

    @gbrank.pair_loss(register=True)
    def fleeting(d, margin=1.0):
        return np.maximum(margin - d, 0), -1.0 * (d < margin)

    assert gbrank.load(tmp_path / "alone").objective_ == fleeting(margin=2.0, truncation=4)
    assert gbrank.load(tmp_path / "summed").fit(data).objective == LambdaRank() + fleeting()


def test_a_saved_model_that_ranks_by_more_than_scores_needs_its_objective(tmp_path, registry):
    import dataclasses

    @OBJECTIVES.add("squashed")
    @dataclasses.dataclass(frozen=True, repr=False)
    class Squashed(SquaredError):  # noqa: N818
        name = "squashed"

        def transform(self, score, state):
            return np.tanh(score)

    gbrank.GBRanker(Squashed(), n_estimators=2, n_jobs=1).fit(DATA).save(tmp_path / "model")
    assert gbrank.load(tmp_path / "model").objective_ == Squashed()
    del OBJECTIVES._table["squashed"]
    with pytest.raises(gbrank.ParameterError, match=r"'squashed' is not known here; .* register 'squashed' here"):
        gbrank.load(tmp_path / "model")


def closure(a):
    def loss(d):
        return a * np.exp(-d), -a * np.exp(-d), a * np.exp(-d)

    return loss


def with_attributes(d):
    return scipy.special.expit(-d), -special.expit(-d) * scipy.special.expit(d)


def with_names(d):
    return expit(-d) * math.log(2.0), -expit(-d) * expit(d) * math.log(2.0)


def with_helper(d, k=0.5):
    e = k * steeper(d)
    return e, -STEEPNESS * e, STEEPNESS**2 * e


def with_bools(d, margin=1.0):
    lack = np.clip(margin - d, 0, None)
    return lack * lack / 2, -lack, (d < margin) & ~(d > 100)


def with_powers(d):
    return np.power(1.0 - d, 4), -4 * np.power(1.0 - d, 3), 12 * np.power(1.0 - d, 2)


def with_ones(d):
    return d * d / 2 - d, d - 1, np.ones_like(d) + np.zeros_like(d) * np.heaviside(d, 0.5)


COMPILED = [closure(2.0), with_attributes, with_names, with_helper, with_bools, with_ones]


@pytest.mark.parametrize("function", COMPILED, ids=lambda each: each.__name__)
@pytest.mark.parametrize("pairs", ["labels", "given"])
def test_what_the_compiler_must_know(function, pairs):
    data = gbrank.RankingData(X[:100], Y, np.arange(100) // 10, pairs=[[1, 0], [3, 7], [52, 58]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        objective = gbrank.pair_loss(function)(pairs=pairs)
        got, wanted = (objective.bind(data, engine=engine).gradient_hessian(S, 0) for engine in ("compiled", "numpy"))
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)


def test_powers_of_negative_numbers():
    @gbrank.point_loss
    def quartic(y, s):
        return np.power(s - y, 4), 4 * np.power(s - y, 3.0), 12 * np.power(s - y, 2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got, wanted = (quartic().gradient_hessian(Y, 3 * S, PTR, engine=engine) for engine in ("compiled", "numpy"))
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


def with_gamma(d):
    return np.exp(-d) + 0 * gammaln(2 + d * d), -np.exp(-d), np.exp(-d)


def with_mask(d):
    lack = np.zeros_like(d)
    lack[d < 1] = 1
    return lack * (1 - d) ** 2, -2 * lack * (1 - d), 2 * lack


def with_state(d):
    with np.errstate(over="ignore"):
        return np.exp(-d), -np.exp(-d), np.exp(-d)


def with_itself(d):
    return (np.exp(-d), -np.exp(-d), np.exp(-d)) if np.ndim(d) else with_itself(np.atleast_1d(d))


def with_sum_of_bools(d):  # of arrays their "or", of numbers 2
    return np.exp(-d), -np.exp(-d) * ((d < 99) + (d < 98)), np.exp(-d)


NOT_COMPILED = [
    (with_gamma, "gammaln"),
    (with_mask, "setitem"),
    (with_state, "context manager"),
    (with_itself, ""),
    (with_sum_of_bools, "machine code gives"),
]


@pytest.mark.parametrize(("function", "why"), NOT_COMPILED, ids=lambda each: getattr(each, "__name__", ""))
def test_what_cannot_be_compiled_runs_on_numpy_with_one_warning(function, why):
    objective = gbrank.pair_loss(function)(truncation=20)
    data = DATA.take(range(20))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        bounds = [objective.bind(data, engine=engine) for engine in ("compiled", "numpy")]
        a, b = (gbrank.GBRanker(objective, backend=backend, n_estimators=3, n_jobs=1).fit(data) for backend in BACKENDS)
    assert [bound.engine for bound in bounds] == ["numpy", "numpy"]
    (text,) = (str(each.message) for each in told if each.category is gbrank.GbrankWarning)
    assert f"{function.__name__}: cannot be compiled and runs on the numpy engine" in text
    assert why in text
    assert a.score(data) > 0.5 < b.score(data)


def test_a_point_loss_that_cannot_be_compiled():
    @gbrank.point_loss
    def shifted(y, s):
        d = s - y + 0 * gammaln(1 + y)
        return d * d / 2, d, 1.0

    with pytest.warns(gbrank.GbrankWarning, match="shifted: cannot be compiled.*gammaln"):
        got = shifted().gradient_hessian(Y, S, PTR)
    np.testing.assert_allclose(got, SquaredError().gradient_hessian(Y, S, PTR))


def of(body, arguments="d"):
    scope = {"np": np, "math": math}
    exec(f"def loss({arguments}):\n    {body}", scope)
    return scope["loss"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (of("return 0, 0", ""), r"loss\(\): a pair_loss takes d"),
        (of("return 0, 0", "d, *rest"), "no \\* among them"),
        (of("return 0, 0", "d, *, margin=1.0"), "no \\* among them"),
        (of("return 0, 0", "d, margin"), "parameter 'margin' a finite number"),
        (of("return 0, 0", "d, margin='wide'"), "parameter 'margin' a finite number"),
        (of("return 0, 0", "d, weight=1.0"), "has 'weight' already"),
        (of("return np.exp(-d)"), "returns 1 thing; return value and first derivative by d"),
        (of("return d, d, d, d"), "returns 4 things"),
        (of("return (d, d, d) if d > 0 else (0, 0, 0)"), "fails on arrays .*np.where in place of `if`"),
        (of("return math.exp(d), d, d"), "fails on arrays .*np.exp in place of math.exp"),
        (of("return d.sum(), -d"), r"its value has the shape \(\)"),
        (of("return -d, np.ones(3)"), r"its first derivative has the shape \(3,\)"),
        (of("return -d, -1.0 + 0 * d, np.full((len(d), 2), 1.0)"), "its second derivative has the shape"),
        (of("return np.exp(-d), -np.exp(-d) / d.max()"), "another result at d=.* alone"),
        (of("return np.log(d), -1 / d"), "its value is nan at d=-9.98"),
        (of("return -d, -np.sin(d) / d"), "its first derivative is nan at d=0"),
        (of("return np.exp(d), np.exp(d)"), "pushes the better document"),
        (3, "decorates a function"),
    ],
)
def test_what_is_no_pair_loss_is_refused(function, words):
    with pytest.raises(gbrank.ParameterError, match=words):
        gbrank.pair_loss(function)


def test_other_parameters_are_checked_when_they_are_used():
    @gbrank.pair_loss
    def turned(d, sign=1.0):
        return np.exp(-sign * d), -sign * np.exp(-sign * d)

    turned().bind(DATA)
    with pytest.raises(gbrank.ParameterError, match="pushes the better document"):
        turned(sign=-1.0).bind(DATA)


def test_a_point_loss_must_be_finite_for_the_labels_of_the_data():
    @gbrank.point_loss
    def of_logarithms(y, s):
        return (s - np.log(y)) ** 2, 2 * (s - np.log(y)), 2.0

    of_logarithms().bind(Targets(Y + 1, PTR))
    with pytest.raises(gbrank.ParameterError, match="its value is inf at y=0"):
        of_logarithms().bind(Targets(Y, PTR))
    with pytest.raises(gbrank.ParameterError, match="a point_loss takes y and s"):
        gbrank.point_loss(lambda s: (s, s))


def test_a_derivative_that_is_not_that_of_the_value_is_refused_unless_it_is_meant():
    clipped = "return np.exp(-2 * d), -np.exp(-2 * d)"
    with pytest.raises(gbrank.ParameterError, match=r"loss: its first derivative is .* at d=.*difference quotient"):
        gbrank.pair_loss(of(clipped))
    with pytest.raises(gbrank.ParameterError, match=r"loss: its first derivative is .* at y=.*, s=.*difference"):
        gbrank.point_loss(of("return (s - y) ** 2, s - y, 1.0", "y, s"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gbrank.pair_loss(of("return np.maximum(0, -d), np.where(d < 0, -1.0, 0.0)"))  # a kink at 0
        meant = gbrank.pair_loss(gradient_of_loss=False)(of(clipped))
        report = check_objective(meant(), on_fail=None)
        assert report["gradient is the slope of the loss"].outcome == "skipped"
        assert gbrank.point_loss(gradient_of_loss=False)(of("return 0 * s, s - y, 1.0 + 0 * s", "y, s"))().bind(DATA)

    @gbrank.pair_loss
    def right_at_one(d, a=1.0):
        return np.exp(-d) / a, -np.exp(-d), np.exp(-d)

    with pytest.raises(gbrank.ParameterError, match="right_at_one: its first derivative"):
        right_at_one(a=2.0).bind(DATA)


@pytest.mark.parametrize(
    ("decorator", "function", "place"),
    [
        (
            gbrank.pair_loss,
            of("return np.exp(-d), -np.exp(-d), 0.5 * np.exp(-d)"),
            r"1086\d.* at d=-9\.9863, .* is 2172\d",
        ),
        (
            gbrank.point_loss,
            of("return abs(s - y), np.sign(s - y), 1.0", "y, s"),
            r"1 at y=0, s=-9\.9863, .* is 0: not the",
        ),
    ],
)
def test_a_second_derivative_that_is_none_is_told_unless_it_is_meant(decorator, function, place):
    with pytest.warns(gbrank.GbrankWarning, match=f"loss: its second derivative is {place}") as told:
        assert not decorator(function).exact_hessian
    (one,) = told
    assert one.filename == __file__
    assert "used as a surrogate" in str(one.message)
    assert "exact_hessian=False" in str(one.message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not decorator(exact_hessian=False)(function).exact_hessian
        assert decorator(exact_hessian=False, name="named")(function).name == "named"


HABITS = [
    of("return s - y, np.ones_like(s)", "y, s"),  # as LightGBM and XGBoost ask for it
    of("p = 1 / (1 + np.exp(-s)); return p - y, p * (1 - p)", "y, s"),  # of each label without a change of sign
    of("p = 1 / (1 + np.exp(-s)); return p - y, np.maximum(p * (1 - p), 0.1)", "y, s"),
    of("return np.exp(s) - y, np.exp(s)", "y, s"),
]


@pytest.mark.parametrize("function", HABITS)
def test_gradient_and_hessian_without_the_value_are_recognised(function):
    for options in ({}, {"gradient_of_loss": False}):
        with pytest.raises(gbrank.ParameterError, match=r"looks like gradient and hessian.* return three things"):
            gbrank.point_loss(**options)(function)
    with pytest.raises(gbrank.ParameterError, match="looks like gradient and hessian"):
        gbrank.pair_loss(of("p = 1 / (1 + np.exp(d)); return -p, p * (1 - p)"))


def test_gradient_and_hessian_are_recognised_by_the_labels_of_the_data():
    @gbrank.point_loss
    def of_the_low(y, s):  # never below 0 for the labels 0 and 1, as a loss of higher labels may be
        return np.where(y > 1, np.logaddexp(0, -s), np.logaddexp(0, s)), expit(s) - (y > 1)

    of_the_low().bind(Targets(Y, PTR))
    with pytest.raises(gbrank.ParameterError, match="no document would ever rise"):
        of_the_low().bind(Targets((Y > 1).astype(float), PTR))


def test_a_second_derivative_that_is_never_above_zero_is_refused():
    with pytest.raises(gbrank.ParameterError, match="nowhere above 0"):
        gbrank.pair_loss(name="mine")(lambda d: (np.logaddexp(0, -d), -1 / (1 + np.exp(d)), -np.ones_like(d)))
    with pytest.raises(gbrank.ParameterError, match="nowhere above 0"):
        gbrank.point_loss(name="mine")(lambda y, s: (abs(s - y), np.sign(s - y), 0 * s))
