"""Users' losses of lists: like built-in ones on both engines and boosters, checked when made and when bound."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone

import gbrank
from gbrank.objectives import OBJECTIVES, LambdaRank, Softmax, Targets
from gbrank.testing import check_objective

ENGINES = ["numpy", "compiled"]
BACKENDS = ["lightgbm", "xgboost"]
RNG = np.random.default_rng(0)
PTR = np.array([0, 1, 5, 15, 40, 100])
Y = RNG.integers(0, 4, 100).astype(float)
S = RNG.normal(size=100)
WEIGHT, QUERY_WEIGHT = RNG.uniform(0.5, 2, 100), RNG.uniform(0.5, 2, 5)
X = RNG.normal(size=(2000, 5)).astype(np.float32)
DATA = gbrank.RankingData(X, np.digitize(X[:, 0] + RNG.normal(size=2000), [0.5, 1.5]), np.arange(2000) // 20)


def shares(z):
    e = np.exp(z - z.max())
    return e / e.sum()


@gbrank.list_loss
def own_softmax(scores, labels, weights, temperature=1.0):
    """Softmax, again."""
    z, target = scores / temperature, weights * labels
    p, total = shares(z), target.sum()
    value = total * (np.log(np.exp(z - z.max()).sum()) + z.max()) - (target * z).sum()
    return value, (total * p - target) / temperature, total * p * (1 - p) / temperature**2


@gbrank.list_loss
def query_rmse(scores, labels):
    error = scores - labels
    error = error - error.mean()
    return np.sum(error**2) / 2, error, 1 - 1 / len(scores) + 0 * error


@gbrank.list_loss
def bare_rmse(scores, labels, scale=1.0):
    error = scale * scores - labels
    return 0.5 * np.sum(error**2), scale * error


@gbrank.list_loss(exact_hessian=False, gradient_of_loss=False)
def list_mle_like(scores, labels):
    """Each document against all worse ones, in the order of the labels: a sort inside, and a surrogate hessian."""
    order = np.argsort(-labels, kind="mergesort")
    g, h, value = np.zeros(len(scores)), np.zeros(len(scores)), 0.0
    for i in range(len(order)):
        p = shares(scores[order[i:]])
        for j in range(i, len(order)):
            g[order[j]] += p[j - i]
            h[order[j]] += p[j - i] * (1 - p[j - i])
        g[order[i]] -= 1.0
        value -= np.log(p[0])
    return value, g, h


ALL = [own_softmax(), own_softmax(temperature=0.7), query_rmse(), bare_rmse(scale=2.0), list_mle_like()]


@pytest.mark.parametrize("objective", ALL, ids=repr)
def test_keeps_the_promises_of_an_objective(objective):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check_objective(objective)
    assert (report["shift invariance"].outcome == "passed") == (objective.name != "bare_rmse")
    assert (report["document weights"].outcome == "passed") == (objective.name == "own_softmax")
    exact = objective.name in ("own_softmax", "query_rmse")
    assert (report["hessian is the slope of the gradient"].outcome == "passed") == exact


@pytest.mark.parametrize("engine", ENGINES)
def test_a_softmax_of_ones_own_is_the_built_in(engine):
    targets = Targets(Y, PTR, WEIGHT, QUERY_WEIGHT)
    own, built_in = (
        each.bind(targets, engine=engine, n_jobs=1)
        for each in (own_softmax(temperature=0.7), Softmax(temperature=0.7, gain="linear"))
    )
    for got, wanted in zip(own.gradient_hessian(S, 0), built_in.gradient_hessian(S, 0), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9)
    np.testing.assert_allclose(own.loss(S), built_in.loss(S), rtol=1e-9)


def test_a_missing_hessian_is_the_mean_size_of_the_gradient_of_the_list():
    for engine in ENGINES:
        gradient, hessian = bare_rmse().gradient_hessian(Y, S, PTR, engine=engine)
        sizes = np.diff(PTR)
        np.testing.assert_allclose(hessian, np.repeat(np.add.reduceat(np.abs(gradient), PTR[:-1]) / sizes, sizes))
    assert not bare_rmse.exact_hessian
    assert not bare_rmse.shift_invariant
    assert own_softmax.exact_hessian
    assert own_softmax.shift_invariant


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", ALL, ids=repr)
def test_trains_on_both_engines_and_sums(tmp_path, backend, objective):
    small = {"backend": backend, "n_estimators": 8, "n_jobs": 1}
    a, b = (gbrank.GBRanker(objective, engine=engine, **small).fit(DATA) for engine in ENGINES)
    np.testing.assert_allclose(a.predict(DATA), b.predict(DATA), rtol=1e-5, atol=1e-6)
    assert a.score(DATA) > 0.6
    a.save(tmp_path / "model")
    assert np.array_equal(gbrank.load(tmp_path / "model").predict(DATA), a.predict(DATA))
    total = 0.5 * objective + LambdaRank()
    assert total.document_weights == (objective.name == "own_softmax")
    assert clone(gbrank.GBRanker(total, **small)).fit(DATA).score(DATA) > 0.6


def test_is_a_value():
    one = own_softmax(temperature=2)
    assert repr(one) == "own_softmax(temperature=2)"
    assert eval(repr(one)) == one == pickle.loads(pickle.dumps(one))
    assert own_softmax.__doc__ == "Softmax, again."
    with pytest.raises(gbrank.ParameterError, match=r"temperature=nan.*finite number"):
        own_softmax(temperature=float("nan"))
    assert gbrank.list_loss is gbrank.objectives.list_loss


def test_a_registered_one_is_found_by_name():
    try:
        kept = gbrank.list_loss(name="kept", register=True)(query_rmse.function)
        assert gbrank.objective("kept") == kept()
    finally:
        OBJECTIVES._table.pop("kept", None)
    with pytest.raises(gbrank.ParameterError, match="'softmax' exists already"):
        gbrank.list_loss(name="softmax")(query_rmse.function)


def test_document_weights_are_refused_where_the_function_takes_none():
    with pytest.raises(gbrank.DataError, match=r"query_rmse\(scores, labels, weights, \.\.\.\)"):
        query_rmse().bind(Targets(Y, PTR, WEIGHT))
    query_rmse().bind(Targets(Y, PTR, None, QUERY_WEIGHT))


def with_outer(scores, labels):
    d = np.subtract.outer(scores, labels)  # unknown to the compiler
    error = np.diag(d)
    return np.sum(error**2) / 2, error, np.ones(len(scores))


def with_lists(scores, labels):
    with np.errstate(all="ignore"):
        return np.sum((scores - labels) ** 2) / 2, scores - labels, np.ones(len(scores))


@pytest.mark.parametrize("function", [with_outer, with_lists])
def test_what_cannot_be_compiled_runs_on_numpy_with_one_warning(function):
    objective = gbrank.list_loss(function)()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        bound, _ = (objective.bind(DATA, engine="compiled") for _ in range(2))
        assert gbrank.GBRanker(objective, n_estimators=2, n_jobs=1).fit(DATA).score(DATA) > 0.5
    (text,) = (str(each.message) for each in told if each.category is gbrank.GbrankWarning)
    assert f"{function.__name__}: cannot be compiled and runs on the numpy engine" in text
    assert bound.engine == "numpy"
    np.testing.assert_allclose(bound.gradient_hessian(X[:, 0].astype(float), 0)[0], X[:, 0] - DATA.y)


def of(body, arguments="scores, labels"):
    scope = {"np": np}
    exec(f"def loss({arguments}):\n    {body}", scope)
    return scope["loss"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (of("return 0, scores", "scores"), r"a list_loss takes scores and labels, and then"),
        (of("return 0, scores", "scores, labels, margin"), "'margin' a finite number"),
        (of("return 0, scores", "scores, labels, weights, *rest"), "takes scores and labels and weights"),
        (of("return scores"), "returns 1 thing; return value and gradient"),
        (of("return 0, 0, 0, 0"), "returns 4 things"),
        (of("return scores, scores"), "its value is .*return a number"),
        (of("return 0.0, 0.0"), r"its gradient is .*array of the shape \(5,\)"),
        (of("return 0.0, scores * 0, 1.0"), "its hessian is .*one number for each document"),
        (of("return 0.0, [0.0] * len(scores)"), "its gradient is"),
        (of("return 1 / 0, scores"), "fails for the list with scores .* labels .*ZeroDivisionError"),
        (of("scores -= 1; return 0.0, 0 * scores"), "changes the arrays"),
        (of("return (scores**2).sum() / 2, np.sort(scores), 1 + 0 * scores"), "its gradient is .* for document 0 of"),
        (of("return (scores - labels).sum(), scores - labels"), "difference quotient of its value is 1"),
        (of("return (0.0, 0 * scores) if len(scores) > 1 else (0.0, 0 * scores, scores)"), "two things for some"),
        (3, "decorates a function"),
    ],
)
def test_what_is_no_list_loss_is_refused(function, words):
    with pytest.raises(gbrank.ParameterError, match=words):
        gbrank.list_loss(function)


def test_lists_of_the_data_must_have_finite_numbers():
    @gbrank.list_loss
    def by_share(scores, labels):
        p = labels / labels.sum() - shares(scores)
        z = scores - scores.max()
        return -(labels / labels.sum() * z).sum() + np.log(np.exp(z).sum()), -p

    by_share().bind(Targets(Y + 1, PTR), engine="numpy")
    with pytest.raises(gbrank.ParameterError, match=r"its value is nan for the list with .* labels \[0, 0\]"):
        by_share().bind(Targets(np.array([0.0, 0, 1, 2]), np.array([0, 2, 4])), engine="numpy")


def test_a_hessian_that_is_none_is_told_unless_it_is_meant():
    body = "return np.sum((scores - labels) ** 2) / 2, scores - labels, 2 + 0 * scores"
    with pytest.warns(gbrank.GbrankWarning, match=r"2 at document 0 of .* quotient of its first is 1: not the") as told:
        assert not gbrank.list_loss(of(body)).exact_hessian
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not gbrank.list_loss(exact_hessian=False)(of(body)).exact_hessian
