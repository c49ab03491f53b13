"""Losses written as formulas are the objectives that they write."""

import numpy as np
import pytest

import gbrank
from gbrank import ParameterError
from gbrank.objectives import Expression, ExpressionLoss, Targets, objective

RNG = np.random.default_rng(3)
SIZES = RNG.integers(1, 50, 30)
PTR = np.append(0, np.cumsum(SIZES))
N = PTR[-1]
DATA = Targets(RNG.integers(0, 5, N).astype(float), PTR, RNG.uniform(0.5, 2, N), RNG.uniform(0.5, 2, len(SIZES)))
LAMBDARANK = "log(1 + exp(-d)) * abs(dG) * abs(dD) / IDCG"
LIGHTGBM = {"truncation": 30, "score_norm": True, "query_norm": True}


@pytest.mark.parametrize(
    ("formula", "params", "name", "same"),
    [
        ("log(1 + exp(-d))", {}, "ranknet", {}),
        ("softplus(-2 * d)", {"truncation": 3}, "ranknet", {"sigmoid": 2.0, "truncation": 3}),
        ("-log(sigmoid(d)) * dY", {}, "ranknet", {"weight": "label_difference"}),
        ("max(0, 1 - d)", {}, "pairwise_hinge", {}),
        ("max(0, 0.5 - d)", {"hessian_factor": 2.0}, "pairwise_hinge", {"margin": 0.5, "hessian_factor": 2.0}),
        ("exp(-d)", {}, "pairwise_exponential", {}),
        ("exp(-d)", {"query_norm": True}, "pairwise_exponential", {"query_norm": True}),
        (LAMBDARANK, LIGHTGBM, "lambdarank", {}),
        ("softplus(-d) * dG * dD / IDCG", LIGHTGBM | {"gain": "linear", "truncation": 5}, "lambdarank",
         {"gain": "linear", "truncation": 5}),
        (LAMBDARANK, LIGHTGBM | {"rank_smoothing": 0.5, "ties": "shuffled"}, "lambdarank",
         {"rank_smoothing": 0.5, "ties": "shuffled"}),
        ("dG * dD / IDCG * log(1 + exp(-d))", {}, "ranknet", {"weight": "ndcg"}),
        ("(s - y)**2 / 2", {}, "mse", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_known_losses_are_represented_exactly(formula, params, name, same, engine, spread):
    ours = ExpressionLoss(formula, **params).bind(DATA, engine=engine, n_jobs=1)
    known = objective(name, **same).bind(DATA, engine="numpy")
    np.testing.assert_allclose(ours.init_score(), known.init_score(), rtol=1e-9)
    for round in range(2):
        score = spread * RNG.normal(size=N)
        for a, b in zip(ours.gradient_hessian(score, round), known.gradient_hessian(score, round), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12 * np.abs(b).max())
    np.testing.assert_allclose(ours.loss(score), known.loss(score), rtol=1e-10)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize(("formula", "name"), [("softplus(-d)", "ranknet"), ("(s - y)**2 / 2", "mse")])
def test_boosters_train_it_and_saved_models_train_on(tmp_path, backend, formula, name):
    data = gbrank.make_letor(30, n_features=8, random_state=0)
    params = {"backend": backend, "n_estimators": 5, "n_jobs": 1, "random_state": 0}
    ours = gbrank.GBRanker(objective=ExpressionLoss(formula), **params).fit(data)
    known = gbrank.GBRanker(objective=name, **params).fit(data)
    np.testing.assert_allclose(ours.predict(data), known.predict(data), atol=1e-5)
    ours.save(tmp_path / "model")
    loaded = gbrank.load(tmp_path / "model")
    assert loaded.objective_ == ExpressionLoss(formula)
    assert np.array_equal(loaded.predict(data), ours.predict(data))
    more = gbrank.GBRanker(objective=loaded.objective_, init_model=loaded, **params).fit(data)
    longer = gbrank.GBRanker(objective=ExpressionLoss(formula), **(params | {"n_estimators": 10})).fit(data)
    np.testing.assert_allclose(more.predict(data), longer.predict(data), atol=1e-5)


def test_it_is_a_value():
    loss = ExpressionLoss(Expression.parse("max(1 - d, 0)"))
    assert loss.formula == "max(1 - d, 0)"
    assert loss == objective("expression", formula="max(1 - d, 0)")
    assert repr(loss) == "ExpressionLoss(formula='max(1 - d, 0)')"
    assert loss.kind == "pair"
    assert loss.with_params(formula="(s - y)**2").kind == "point"


@pytest.mark.parametrize(
    ("formula", "exact", "invariant", "pointwise"),
    [
        ("softplus(-d)", True, True, False),
        ("max(0, 1 - d)**2", True, True, False),
        ("max(0, 1 - d)", False, True, False),
        ("sigmoid(-d)", False, True, False),
        ("(s - y)**2", True, False, True),
        ("abs(s - y)", False, False, True),
    ],
)
def test_promises(formula, exact, invariant, pointwise):
    loss = ExpressionLoss(formula)
    assert (loss.exact_hessian, loss.shift_invariant, loss.pointwise) == (exact, invariant, pointwise)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"formula": "2"}, "does not depend on scores; write it with d or s"),
        ({"formula": "dG"}, "does not depend on scores; write it with d"),
        ({"formula": "y"}, "write it with s"),
        ({"formula": "s * d"}, "d belongs to a pair of documents, s to a single one"),
        ({"formula": "d * 0"}, "slope by d is 0 everywhere"),
        ({"formula": "log(-exp(s))"}, "slope by s is 0 everywhere"),
        ({"formula": "exp(d)"}, "nowhere falls with d"),
        ({"formula": "soft(d)"}, "unknown function 'soft'"),
        ({"formula": None}, "give text"),
        ({"formula": "(s - y)**2", "truncation": 3}, "truncation=3: has no meaning"),
        ({"formula": "(s - y)**2", "score_norm": True}, "score_norm=True: has no meaning"),
        ({"formula": "-d", "init": "zero"}, "init='zero': has no meaning"),
        ({"truncation": 0}, "truncation"),
        ({"gain": "cubic"}, "gain"),
        ({"formula": "(s - y)**2", "init": "mean"}, "init"),
    ],
)
def test_what_cannot_be_learnt_from(params, told):
    with pytest.raises(ParameterError, match=told):
        objective("expression", **params)


def test_far_pairs_keep_their_slope():
    """Written with exp and log, RankNet still pulls at a pair that is 200 apart in the wrong order."""
    g, h = ExpressionLoss("log(1 + exp(-d))").gradient_hessian([1, 0], [-200.0, 0.0], [0, 2])
    assert g.tolist() == [-1, 1]
    assert h.tolist() == [1, 1]
