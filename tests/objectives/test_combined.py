"""Sums of objectives: gradients add up, arithmetic reads back, several label columns, files."""

import copy
import json
import pickle

import numpy as np
import pytest
from sklearn.base import clone

import gbrank
from gbrank.objectives import (
    AbsoluteError,
    Combined,
    CrossEntropy,
    Focal,
    Huber,
    LambdaRank,
    McRank,
    Ordinal,
    OrdinalCrossEntropy,
    PairwiseLogistic,
    Quantile,
    Softmax,
    SquaredError,
    Targets,
)
from gbrank.objectives._plain import from_plain, to_plain, to_table
from gbrank.testing import check_objective

ENGINES = ["numpy", "compiled"]
BACKENDS = ["lightgbm", "xgboost"]
RNG = np.random.default_rng(0)
PTR = np.array([0, 1, 5, 15, 40, 100])
Y = RNG.integers(0, 4, 100).astype(float)
S = RNG.normal(size=100)
WEIGHTS = RNG.uniform(0.5, 2, 100), RNG.uniform(0.5, 2, 5)
X = RNG.normal(size=(3000, 5)).astype(np.float32)
LABELS = np.column_stack([np.digitize(X[:, 0] + RNG.normal(size=3000), [0.5, 1.5]), X[:, 1] + X[:, 0] > 1.5]).astype(
    float
)
QID = np.arange(3000) // 20
DATA = gbrank.RankingData(X, LABELS[:, 0], QID)
TWO = gbrank.RankingData(X, LABELS, QID)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weights", [(None, None), WEIGHTS])
def test_gradients_losses_and_hessians_add_up(engine, weights):
    parts = LambdaRank(), Focal(), Softmax(temperature=2.0)
    total = (0.7 * parts[0] + 2 * parts[1] + parts[2]).bind(Targets(Y, PTR, *weights), engine=engine)
    bounds = [part.bind(Targets(Y, PTR, *weights), engine=engine) for part in parts]
    for k in (0, 1):
        wanted = sum(w * b.gradient_hessian(S, 0)[k] for w, b in zip((0.7, 2, 1), bounds, strict=True))
        np.testing.assert_allclose(total.gradient_hessian(S, 0)[k], wanted, rtol=1e-14)
    wanted = sum(w * b.loss(S) for w, b in zip((0.7, 2, 1), bounds, strict=True))
    np.testing.assert_allclose(total.loss(S), wanted, rtol=1e-14)


@pytest.mark.parametrize(
    "objective",
    [
        2.5 * PairwiseLogistic() + SquaredError(),
        Combined(PairwiseLogistic() + 3 * CrossEntropy(), gradient_norm=True),
        PairwiseLogistic() + 0.3 * Softmax(),
        0.5 * LambdaRank() + Ordinal(),
        Combined(Softmax() + Focal(), gradient_norm=True) + 0.1 * Huber(),
    ],
    ids=repr,
)
def test_keeps_the_promises_of_an_objective(objective):
    assert check_objective(objective)


def test_promises_are_those_that_all_parts_make():
    assert (PairwiseLogistic() + Softmax()).shift_invariant
    assert not (PairwiseLogistic() + CrossEntropy()).shift_invariant
    assert (PairwiseLogistic() + CrossEntropy()).exact_hessian
    assert not (PairwiseLogistic() + Focal()).exact_hessian
    assert not (LambdaRank() + CrossEntropy()).gradient_of_loss


SUMS = [
    (0.7 * LambdaRank() + 0.3 * Focal(), "0.7 * LambdaRank() + 0.3 * Focal()"),
    (LambdaRank(truncation=5) * 2, "2 * LambdaRank(truncation=5)"),
    (1 * Focal(), "1 * Focal()"),
    (sum([Focal(), LambdaRank(), Focal()]), "Focal() + LambdaRank() + Focal()"),
    (2 * (Focal() + 0.25 * (LambdaRank() + 2 * Softmax())), "2 * Focal() + 0.5 * LambdaRank() + Softmax()"),
    (0.8 * LambdaRank().on(1) + 0.2 * CrossEntropy().on(0), "0.8 * LambdaRank().on(1) + 0.2 * CrossEntropy().on(0)"),
    ((3 * LambdaRank()).on(1), "3 * LambdaRank().on(1)"),
    (LambdaRank().on(1), "LambdaRank().on(1)"),
    (Combined(LambdaRank(), gradient_norm=True), "Combined(LambdaRank(), gradient_norm=True)"),
    (
        2 * Combined(LambdaRank() + Focal(), gradient_norm=True).on(1) + Softmax().on(0),
        "2 * Combined(LambdaRank().on(1) + Focal().on(1), gradient_norm=True) + Softmax().on(0)",
    ),
    (Combined(["lambdarank", {"name": "focal", "gamma": 3.0}], [1, 0.5]), "LambdaRank() + 0.5 * Focal(gamma=3.0)"),
    (np.float64(0.5) * Focal(), "0.5 * Focal()"),
]


@pytest.mark.parametrize(("total", "text"), SUMS, ids=[text for _, text in SUMS])
def test_prints_as_the_arithmetic_that_makes_it(total, text):
    assert repr(total) == text
    again = eval(text, vars(gbrank.objectives))
    assert again == total
    assert hash(again) == hash(total)
    assert pickle.loads(pickle.dumps(total)) == copy.deepcopy(total) == clone(total, safe=False) == total
    assert gbrank.objective("combined", **total.params()) == total
    assert gbrank.objective(**to_table(total)) == total
    assert from_plain(json.loads(json.dumps(to_plain(total)))) == total


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: 0 * Focal(), "must be a number above 0"),
        (lambda: -1 * Focal(), "must be a number above 0"),
        (lambda: float("nan") * Focal(), "must be a number above 0"),
        (lambda: Focal().on(-1), "label column=-1"),
        (lambda: Focal().on(1).on(0), "has its label column already"),
        (lambda: Combined(()), "at least one"),
        (lambda: Combined((Focal(), LambdaRank()), (1.0,)), "1 for 2 parts"),
        (lambda: Combined((Focal(), 3)), "objective=3"),
        (lambda: Combined(Focal(), gradient_norm=2), "gradient_norm=2"),
        (lambda: (Focal() + LambdaRank()).with_params(parts__0__gama=1), "Did you mean 'parts__0__gamma'"),
        (lambda: (Focal() + LambdaRank()).with_params(weights__2=1), "Did you mean 'weights__"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(gbrank.ParameterError, match=words):
        make()


@pytest.mark.parametrize("make", [lambda: Focal() - LambdaRank(), lambda: Focal() + 1, lambda: Focal() * LambdaRank()])
def test_what_has_no_meaning_is_no_operation(make):
    with pytest.raises(TypeError, match="unsupported operand"):
        make()


@pytest.mark.parametrize("part", [McRank(), Quantile(), AbsoluteError(), OrdinalCrossEntropy(), 2 * McRank().on(0)])
def test_parts_that_cannot_share_a_score_are_refused_before_any_data(part):
    with pytest.raises(gbrank.ParameterError, match="several outputs a document, or leaves that it renews"):
        LambdaRank() + part
    with pytest.raises(gbrank.ParameterError, match="cannot be part of a sum"):
        Combined([{"name": "lambdarank"}, part])


def test_a_users_part_that_does_not_say_so_is_refused_when_it_is_bound():
    class Renewing(SquaredError):  # noqa: N818
        def bind(self, data, **options):
            bound = super().bind(data, **options)
            bound.renews_leaves = True
            return bound

    with pytest.raises(gbrank.ParameterError, match="leaves that it renews"):
        (LambdaRank() + Renewing()).bind(DATA)


ALONE = [
    McRank(),
    OrdinalCrossEntropy(),
    Quantile(0.7),
    Quantile((0.2, 0.8), sorted_quantiles=True),
    AbsoluteError(),
    Ordinal(),
    CrossEntropy(positive_weight="balanced"),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("objective", ALONE, ids=repr)
def test_on_one_column_an_objective_is_what_it_is_alone(tmp_path, backend, objective):
    small = {"backend": backend, "n_estimators": 6, "n_jobs": 1}
    alone = gbrank.GBRanker(objective, **small).fit(TWO.with_labels(LABELS[:, 1]))
    ranker = gbrank.GBRanker(objective.on(1), **small).fit(TWO, eval_set=TWO)
    assert repr(ranker.objective_) == f"{objective!r}.on(1)"
    assert np.array_equal(ranker.predict(TWO), alone.predict(TWO))
    assert ranker.history_["valid"][-1] == alone.score(TWO.with_labels(LABELS[:, 1])) == ranker.score(TWO)
    ranker.save(tmp_path / "model")
    for each in (ranker, gbrank.load(tmp_path / "model")):
        assert np.array_equal(each.predict(TWO), alone.predict(TWO))
        for method in ("predict_proba", "predict_above", "predict_quantiles"):
            assert hasattr(each, method) == hasattr(alone, method)
            if hasattr(alone, method):
                assert np.array_equal(getattr(each, method)(TWO), getattr(alone, method)(TWO))
        if hasattr(alone, "expected_value"):
            assert np.array_equal(each.expected_value(TWO, [0, 5]), alone.expected_value(TWO, [0, 5]))
    with pytest.raises(gbrank.ParameterError, match="models no"):
        _ = (ranker.predict_quantiles if hasattr(alone, "predict_proba") else ranker.predict_proba)(TWO)


@pytest.mark.parametrize("objective", [3 * McRank().on(0), Combined(Ordinal(), gradient_norm=True), 2 * Quantile(0.6)])
def test_a_weighted_one_keeps_the_promises_of_an_objective(objective):
    assert check_objective(objective)
    only, state = objective.alone({"scales": 1, "0.thresholds": 2})
    assert not isinstance(only, Combined)
    assert state == {"thresholds": 2}


@pytest.mark.parametrize("engine", ENGINES)
def test_each_part_learns_from_its_column(engine):
    ptr = TWO.query_ptr
    score = X[:, 2].astype(float)
    total = (0.8 * LambdaRank().on(1) + 0.2 * CrossEntropy().on(0)).bind(TWO, engine=engine)
    click = CrossEntropy().gradient_hessian(LABELS[:, 0], score, ptr, engine=engine)
    purchase = LambdaRank().gradient_hessian(LABELS[:, 1], score, ptr, engine=engine)
    for got, a, b in zip(total.gradient_hessian(score, 0), purchase, click, strict=True):
        np.testing.assert_allclose(got, 0.8 * a + 0.2 * b, rtol=1e-12)


def test_label_columns_that_are_not_there_or_not_chosen_are_told():
    with pytest.raises(gbrank.DataError, match=r"LambdaRank\(\)\.on\(2\): the data have 2 label columns"):
        LambdaRank().on(2).bind(TWO)
    with pytest.raises(gbrank.DataError, match=r"choose one, from 0, by `\.on\(label\)`"):
        (LambdaRank().on(0) + Focal()).bind(TWO)
    score = np.zeros(len(DATA.y))
    a, b = (each.bind(DATA).gradient_hessian(score, 0)[0] for each in (LambdaRank(), LambdaRank().on(0)))
    assert np.array_equal(a, b)  # the only column is column 0


def test_normalised_parts_have_their_weights_as_shares_whatever_their_units():
    parts = PairwiseLogistic(), 1000 * SquaredError()
    total = Combined(0.25 * parts[0] + 0.75 * parts[1], gradient_norm=True).bind(Targets(Y, PTR))
    grads = []
    for share, part in zip((0.25, 0.75), (PairwiseLogistic(), SquaredError()), strict=True):
        bound = part.bind(Targets(Y, PTR))
        start = np.full(len(Y), bound.init_score()[0])
        size = np.sqrt(np.mean(bound.gradient_hessian(start, 0)[0] ** 2))
        grads.append([share * each / size for each in bound.gradient_hessian(S, 3)])
    # Flattened, the second part weighs 750.
    for k in (0, 1):
        np.testing.assert_allclose(total.gradient_hessian(S, 3)[k], grads[0][k] + 1000 * grads[1][k], rtol=1e-12)


def test_parts_without_gradient_cannot_be_normalised():
    class Mute(SquaredError):  # noqa: N818
        def bind(self, data, **options):
            bound = super().bind(data, **options)
            bound.gradient_hessian = lambda score, round: (np.zeros(len(score)), np.ones(len(score)))
            return bound

    with pytest.raises(gbrank.DataError, match="no gradient at its initial score"):
        Combined(Mute() + LambdaRank(), gradient_norm=True).bind(DATA)


def test_boosting_starts_from_the_best_constant():
    def start(objective):
        return objective.bind(Targets(Y, PTR)).init_score()

    assert start(LambdaRank() + Softmax()).tolist() == [0]
    assert start(LambdaRank() + 3 * SquaredError()) == pytest.approx(Y.mean())
    assert start(LambdaRank() + CrossEntropy()) == start(CrossEntropy())
    both = SquaredError() + 2 * Huber(delta=0.3)
    bound = both.bind(Targets(Y, PTR))
    best = bound.init_score()[0]
    values = [bound.loss(np.full(len(Y), best + step)).sum() for step in (-1e-3, 0, 1e-3)]
    assert values[1] == min(values)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "objective",
    [
        0.7 * LambdaRank() + 0.3 * Focal(),
        Combined(LambdaRank() + SquaredError(), gradient_norm=True),
        LambdaRank() + 0.1 * Ordinal(),
    ],
    ids=repr,
)
def test_trains_and_comes_back_from_a_file(tmp_path, backend, objective):
    ranker = gbrank.GBRanker(objective, backend=backend, n_estimators=8, n_jobs=1).fit(DATA)
    assert ranker.score(DATA) > gbrank.GBRanker(backend=backend, n_estimators=1, n_jobs=1).fit(DATA).score(DATA) - 0.02
    ranker.save(tmp_path / "model")
    again = gbrank.load(tmp_path / "model")
    assert again.objective_ == objective
    assert again.state_.keys() == ranker.state_.keys()
    assert np.array_equal(again.predict(DATA), ranker.predict(DATA))
    assert np.array_equal(clone(again).fit(DATA).predict(DATA), ranker.predict(DATA))


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_heads_serve_both_labels(backend):
    """A model of both columns lies between the models of one, on each of them."""
    measured = {}
    for name, objective in {
        "purchase": LambdaRank().on(1),
        "click": LambdaRank().on(0),
        "both": 0.5 * LambdaRank().on(1) + 0.5 * LambdaRank().on(0),
    }.items():
        ranker = gbrank.GBRanker(objective, backend=backend, n_estimators=30, n_jobs=1).fit(TWO)
        measured[name] = [ranker.score(TWO.with_labels(LABELS[:, k])) for k in (0, 1)]
    assert measured["click"][0] > measured["both"][0] > measured["purchase"][0]
    assert measured["purchase"][1] > measured["both"][1] > measured["click"][1]


def test_early_stopping_and_score_look_at_the_column_that_is_learnt_or_asked_for():
    small = {"n_estimators": 5, "n_jobs": 1}
    both = gbrank.GBRanker(LambdaRank().on(1) + Focal().on(0), **small)
    with pytest.raises(gbrank.ParameterError, match=r"'valid'.* 2 label columns, .* learns from 2 .*measure_label=0"):
        both.fit(TWO, eval_set=TWO)
    both.set_params(measure_label=0).fit(TWO, eval_set=TWO)
    assert both.history_["valid"][-1] == both.score(TWO) == both.score(DATA)  # one column needs no choice
    clicks = both.history_
    both.set_params(measure_label=1).fit(
        TWO,
        eval_set=TWO,
    )
    assert both.history_ != clicks
    assert both.score(TWO) == both.score(TWO.with_labels(LABELS[:, 1]))
    inner = Combined(LambdaRank() + Focal(), gradient_norm=True).on(1) + CrossEntropy().on(1)
    one = gbrank.GBRanker(inner, **small).fit(TWO)
    assert one.score(TWO) == one.score(TWO.with_labels(LABELS[:, 1]))
    for wrong, words in ((2, "has 2 label columns, counted from 0"), (-1, "measure_label=-1"), ("a", "measure_label=")):
        with pytest.raises(gbrank.ParameterError, match=words):
            both.set_params(measure_label=wrong).fit(TWO, eval_set=TWO)


def test_parameters_of_parts_have_paths():
    ranker = gbrank.GBRanker(0.7 * LambdaRank() + 0.3 * Focal())
    assert ranker.get_params()["objective__parts__0__truncation"] == 30
    ranker.set_params(objective__parts__0__truncation=5, objective__weights__1=0.5, objective__gradient_norm=True)
    assert ranker.objective == Combined(0.7 * LambdaRank(truncation=5) + 0.5 * Focal(), gradient_norm=True)
    ranker.set_params(objective__parts__1=Softmax(), objective__labels__1=1)
    assert ranker.objective == Combined(0.7 * LambdaRank(truncation=5) + 0.5 * Softmax().on(1), gradient_norm=True)
    assert clone(ranker).objective == ranker.objective


def test_the_number_of_threads_changes_no_bit():
    a, b = ((LambdaRank() + Focal()).bind(DATA, n_jobs=n).gradient_hessian(X[:, 0], 0)[0] for n in (1, 4))
    assert np.array_equal(a, b)


def test_natively_there_is_no_sum():
    with pytest.raises(gbrank.ParameterError):
        gbrank.GBRanker(LambdaRank() + Focal(), engine="native", n_estimators=1, n_jobs=1).fit(DATA)
