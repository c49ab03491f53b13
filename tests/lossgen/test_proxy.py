"""Rewards: paired with the baseline, blind to a factor, on whole queries."""

import numpy as np
import pytest

import gbrank
from gbrank import DataError, ParameterError
from gbrank.lossgen import Candidate
from gbrank.lossgen._proxy import Proxy, fixed_ranker, make_folds
from gbrank.lossgen._searchers import REJECTED

from .conftest import PLANTED


def proxy(data, ranker, **params):
    fixed, measure = fixed_ranker(ranker, None)
    return Proxy(
        lambda loss: gbrank.objective("expression", formula=loss, **params), make_folds(data, 3, 0), fixed, measure
    )


def assessed(proxy, loss):
    return proxy.assess(Candidate(0, "", loss, "", "short", None, REJECTED))


def test_lambdarank_written_out_gains_nothing(planted, ranker):
    judge = proxy(planted, ranker, truncation=30, score_norm=True, query_norm=True)
    assert judge.gains(judge.make("softplus(-d) * (dG * dD / IDCG)")) == (0.0, 0.0, 0.0)


def test_gains_are_differences_of_means(planted, ranker):
    judge = proxy(planted, ranker)
    losses = judge.make(PLANTED), gbrank.objective("lambdarank")
    for gain, (train, valid) in zip(judge.gains(losses[0]), make_folds(planted, 3, 0), strict=True):
        one, other = (
            gbrank.GBRanker(**{**judge.ranker.get_params(deep=False), "objective": loss}).fit(train).score(valid)
            for loss in losses
        )
        assert gain == pytest.approx(one - other, abs=1e-12)
    assert min(judge.gains(losses[0])) > 0.02


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_a_factor_changes_nothing(planted, ranker, backend):
    params = {**ranker.get_params(deep=False), "backend": backend}
    if backend == "xgboost":
        params["min_docs_in_leaf"] = 0
    judge = proxy(planted, gbrank.GBRanker(**params))
    usual = judge.gains(judge.make(PLANTED))
    for factor in (2.0**-16, 2.0**16):
        assert judge.gains(judge.make(f"{factor!r} * ({PLANTED})")) == usual


@pytest.mark.filterwarnings("ignore:no tree could be grown")
def test_hessians_of_nothing_are_no_leaves(planted, ranker):
    """LightGBM took an empty side of a split for a leaf, and gave up: 1e-15 of each sum is its own."""
    fixed, _ = fixed_ranker(ranker, None)
    tiny = gbrank.objective("expression", formula="-5.169878828456423e-26 * d * exp(ri)")
    for seed in range(100, 106):
        train, _ = make_folds(planted, 3, seed)[0]
        fixed.set_params(objective=tiny, n_estimators=1).fit(train)


def test_what_is_clearly_worse_ends_after_the_short_training(planted, ranker):
    judge = proxy(planted, ranker)
    good = assessed(judge, PLANTED)
    assert (good.stage, good.reason) == ("full", None)
    assert good.reward == np.mean(good.folds)
    judge.short = judge.short._replace(usual=np.ones_like(judge.short.usual))  # a baseline without fault
    worse = assessed(judge, PLANTED)
    assert (worse.stage, worse.reason, worse.folds) == ("short", "clearly worse", ())
    assert -1.0 < worse.reward < 0.0


def test_what_cannot_be_trained_with_is_told(planted, ranker):
    found = assessed(proxy(planted, ranker), "max(0, -d - 1)")  # no slope where training starts
    assert (found.stage, found.reason, found.reward) == ("short", "untrainable", REJECTED)


@pytest.mark.parametrize(
    ("ranker", "message"),
    [
        (gbrank.GBRanker(backend="catboost"), "has losses of its own only"),
        (gbrank.GBRanker(engine="native"), "has losses of its own only"),
        (gbrank.GBRanker(random_state=np.random.RandomState(0)), "moves on from training to training"),
        ("lambdarank", "ranker: give a GBRanker, not str"),
    ],
    ids=["catboost", "native", "random state", "text"],
)
def test_rankers_that_are_refused(ranker, message):
    with pytest.raises(ParameterError, match=message):
        fixed_ranker(ranker, None)


def test_data_that_are_refused(planted, ranker):
    with pytest.raises(DataError, match="give a RankingData, not ndarray"):
        make_folds(np.zeros(3), 3, 0)
    with pytest.raises(ParameterError, match="cv=1"):
        make_folds(planted, 1, 0)
    flat = gbrank.RankingData(np.zeros((12, 1)), [1.0] * 12, np.arange(12) // 2)
    with pytest.raises(DataError, match="nothing to learn"):
        proxy(flat, ranker)
