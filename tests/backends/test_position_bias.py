"""The libraries' own corrections of position bias: the same as ours, or refused with a reason."""

import importlib.util

import numpy as np
import pytest

import gbrank
from gbrank.objectives import LambdaRank, PairwiseLogistic, PositionTerm, UnbiasedLambdaRank
from gbrank.objectives._pairwise import logistic

FEW = {"n_estimators": 4, "n_jobs": 1}


def clicked(seed=0, **fields):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 11, 200)
    shown = np.concatenate([np.arange(1, size + 1) for size in sizes])
    X = rng.normal(size=(len(shown), 4))
    click = (X[:, 0] + 0.5 * rng.normal(size=len(X)) > 0.3) & (rng.random(len(X)) < 1 / shown)
    return gbrank.RankingData(X, click.astype(float), np.repeat(np.arange(200), sizes), position=shown, **fields)


class CostOfXGBoost(UnbiasedLambdaRank):
    """With the cost that XGBoost adds up: that of the pair in the wrong order."""

    @staticmethod
    def phi(d, sigmoid):
        _, first, second = logistic(d, sigmoid)
        return np.logaddexp(0.0, sigmoid * d), first, second


@pytest.mark.parametrize("params", [{}, {"bias_norm": 0.5, "weight": "map"}], ids=["ndcg", "map"])
def test_xgboosts_own_curves_are_ours_but_for_its_cost(params):
    data = clicked()
    own = gbrank.GBRanker(UnbiasedLambdaRank(**params), backend="xgboost", engine="native", **FEW).fit(data)
    ours = gbrank.GBRanker(CostOfXGBoost(**params, hessian_factor=2.0), backend="xgboost", engine="numpy", **FEW).fit(
        data
    )
    np.testing.assert_allclose(own.position_bias_, ours.position_bias_, rtol=1e-5)
    np.testing.assert_allclose(own.predict(data), ours.predict(data), atol=1e-5)


def test_xgboosts_own_first_round_and_its_saved_curves_are_ours(tmp_path):
    data = clicked()
    few = {"backend": "xgboost", "n_estimators": 1, "n_jobs": 1}
    own, ours = (gbrank.GBRanker(UnbiasedLambdaRank(), engine=e, **few).fit(data) for e in ("native", "compiled"))
    np.testing.assert_allclose(own.position_bias_, ours.position_bias_, rtol=1e-6)
    own.save(tmp_path / "own.zip")
    np.testing.assert_array_equal(gbrank.load(tmp_path / "own.zip").position_bias_, own.position_bias_)


def test_what_xgboosts_own_cannot_do():
    def fit(data, objective=None, **params):
        objective = objective or UnbiasedLambdaRank()
        return gbrank.GBRanker(objective, backend="xgboost", engine="native", **FEW, **params).fit(data)

    data = clicked()
    with pytest.raises(gbrank.DataError, match="order of rows"):
        fit(gbrank.RankingData(data.X, data.y, data.qid, position=data.position + (data.position > 1)))
    with pytest.raises(gbrank.ParameterError, match="query_weight"):
        fit(clicked(query_weight=np.full(200, 2.0)))
    with pytest.raises(gbrank.ParameterError, match="beyond"):
        fit(data, UnbiasedLambdaRank(n_positions=5))
    with pytest.raises(gbrank.ParameterError, match="n_positions"):
        fit(data, UnbiasedLambdaRank(n_positions=5, beyond="uncorrected"))
    same = UnbiasedLambdaRank(n_positions=5, truncation=5, beyond="uncorrected")
    assert len(fit(data, same).position_bias_) == 5
    with pytest.raises(gbrank.ParameterError, match="init_model"):
        fit(data, init_model=fit(data))


@pytest.mark.parametrize("regularisation", [0.0, 0.3])
def test_lightgbms_own_term_is_ours(regularisation):
    data = clicked(2)
    objective = PositionTerm(LambdaRank(), regularisation=regularisation)
    few = FEW | {"min_docs_in_leaf": 1}
    own, ours = (gbrank.GBRanker(objective, engine=e, **few).fit(data, eval_set=data) for e in ("native", "compiled"))
    np.testing.assert_allclose(own.predict(data), ours.predict(data), atol=1e-4)
    plain = gbrank.GBRanker("lambdarank", engine="native", **few).fit(data)
    assert np.abs(plain.predict(data) - ours.predict(data)).max() > 0.01
    with pytest.raises(AttributeError, match="keeps it to itself"):
        _ = own.position_bias_


def test_positions_mean_nothing_to_lightgbms_own_lambdarank():
    data = clicked()
    without = gbrank.RankingData(data.X, data.y, data.qid)
    one, other = (gbrank.GBRanker("lambdarank", engine="native", **FEW).fit(each) for each in (data, without))
    np.testing.assert_array_equal(one.predict(data), other.predict(data))


def test_what_lightgbms_own_cannot_do():
    def fit(objective, **params):
        data = params.pop("data", clicked())
        return gbrank.GBRanker(objective, engine="native", **FEW, **params).fit(data)

    with pytest.raises(gbrank.ParameterError, match="PositionTerm"):
        fit(UnbiasedLambdaRank())
    with pytest.raises(gbrank.ParameterError, match="base="):
        fit(PositionTerm(PairwiseLogistic()))
    with pytest.raises(gbrank.ParameterError, match="learning_rate"):
        fit(PositionTerm(LambdaRank(), learning_rate=0.3))
    with pytest.raises(gbrank.ParameterError, match="query_weight"):
        fit(PositionTerm(LambdaRank(), regularisation=0.1), data=clicked(query_weight=np.full(200, 2.0)))
    with pytest.raises(gbrank.ParameterError, match="init_model"):
        fit(PositionTerm(LambdaRank()), init_model=fit(PositionTerm(LambdaRank())))


@pytest.mark.skipif(importlib.util.find_spec("catboost") is None, reason="needs catboost")
def test_catboost_has_none():
    for objective in (UnbiasedLambdaRank(), PositionTerm(LambdaRank())):
        with pytest.raises(gbrank.ParameterError, match="takes none from outside"):
            gbrank.GBRanker(objective, backend="catboost", engine="native", **FEW).fit(clicked())
