"""The likelihood of the position-based model: its derivatives, its bound, and what it finds again."""

import numpy as np
import pytest

import gbrank
from gbrank.clicks import Propensities
from gbrank.objectives import CrossEntropy, PositionBasedClicks, Targets


def simulated(theta, lists=4000, seed=0):
    """Return lists in random order of documents of two kinds, clicked if examined and relevant."""
    rng, n = np.random.default_rng(seed), len(theta)
    kind = rng.integers(0, 2, (lists, n))
    relevant = rng.random((lists, n)) < np.where(kind == 1, 0.7, 0.3)
    click = relevant & (rng.random((lists, n)) < theta)
    qid, position = np.repeat(np.arange(lists), n), np.tile(np.arange(1, n + 1), lists)
    return gbrank.RankingData(kind.reshape(-1, 1) * 1.0, click.ravel() * 1.0, qid, position=position)


def bound_at(theta, data=None, engine="numpy"):
    data = simulated(theta, 40) if data is None else data
    bound = PositionBasedClicks().bind(data, engine=engine, n_jobs=1)
    bound.theta = np.array(theta)
    return bound, data


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_loss_is_the_likelihood_gradient_its_slope_and_hessian_above_its_bend(engine):
    theta = np.array([1.0, 0.6, 0.1])
    bound, data = bound_at(theta, engine=engine)
    score = np.random.default_rng(1).normal(size=data.n_documents) * 3
    p = theta[data.position - 1] / (1 + np.exp(-score))
    likelihood = np.where(data.y == 1, np.log(p), np.log1p(-p))
    np.testing.assert_allclose(bound.loss(score), -np.add.reduceat(likelihood, data.query_ptr[:-1]), rtol=1e-12)
    gradient, hessian = bound.gradient_hessian(score, 0)
    for i in range(data.n_documents):
        at = [score + sign * 1e-5 * (np.arange(len(score)) == i) for sign in (1, -1)]
        slope = (bound.loss(at[0]).sum() - bound.loss(at[1]).sum()) / 2e-5
        bend = (bound.gradient_hessian(at[0], 0)[0][i] - bound.gradient_hessian(at[1], 0)[0][i]) / 2e-5
        assert slope == pytest.approx(gradient[i], rel=1e-5, abs=1e-8)
        assert hessian[i] >= bend - 1e-6
        if data.y[i] or data.position[i] == 1:
            assert hessian[i] == pytest.approx(bend, rel=1e-5, abs=2e-6)


def test_what_is_always_examined_is_cross_entropy():
    data = simulated([0.8], 300)
    bounds = [each.bind(data, engine="compiled", n_jobs=1) for each in (PositionBasedClicks(), CrossEntropy())]
    score = np.random.default_rng(0).normal(size=300)
    for a, b in zip(*(bound.gradient_hessian(score, 0) for bound in bounds), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(*(bound.init_score() for bound in bounds), rtol=1e-12)
    rankers = [gbrank.GBRanker(each, n_estimators=5, n_jobs=1).fit(data) for each in ("pbm", "cross_entropy")]
    np.testing.assert_allclose(*(ranker.predict(data) for ranker in rankers), rtol=1e-9)


def test_examination_goes_to_its_greatest_likelihood_at_the_scores():
    data = simulated([1.0, 0.5, 0.2, 0.2], 500)
    data = gbrank.RankingData(data.X, data.y, data.qid, position=data.position, sample_weight=1 + data.X[:, 0])
    bound = PositionBasedClicks(steps=30).bind(data, engine="numpy")
    score = np.random.default_rng(2).normal(size=data.n_documents)
    bound.end_round(score)
    best = bound.theta.copy()
    assert best[0] == 1
    for k in (1, 2, 3):
        losses = []
        for factor in (0.999, 1.0, 1.001):
            bound.theta = best * np.where(np.arange(4) == k, factor, 1)
            losses.append(bound.loss(score).sum())
        assert losses[1] == min(losses)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_examination_and_relevance_are_found_again(backend):
    theta = [1.0, 0.6, 0.35, 0.2]
    ranker = gbrank.GBRanker("pbm", backend=backend, n_estimators=60, n_jobs=1).fit(simulated(theta, 12_000))
    np.testing.assert_allclose(ranker.position_bias_["examination"], theta, rtol=0.05)
    np.testing.assert_allclose(ranker.predict_proba([[0.0], [1.0]])[:, 1], [0.3, 0.7], rtol=0.05)


def test_state_is_saved_and_taken_up(tmp_path):
    data = simulated([1.0, 0.5, 0.2], 400)
    long = gbrank.GBRanker("pbm", n_estimators=6, n_jobs=1).fit(data)
    first = gbrank.GBRanker("pbm", n_estimators=2, n_jobs=1).fit(data)
    first.save(tmp_path / "model")
    again = gbrank.load(tmp_path / "model")
    np.testing.assert_array_equal(again.position_bias_, first.position_bias_)
    went_on = gbrank.GBRanker("pbm", n_estimators=4, init_model=again, n_jobs=1).fit(data)
    np.testing.assert_allclose(went_on.position_bias_, long.position_bias_, rtol=1e-6)
    np.testing.assert_allclose(went_on.predict(data), long.predict(data), rtol=1e-6)


def test_extreme_scores_and_ranks_without_clicks_stay_finite():
    y, position, ptr = np.array([1.0, 0, 0, 0, 0, 1]), np.array([1, 2, 4, 1, 2, 4]), np.array([0, 6])
    bound = PositionBasedClicks().bind(Targets(y, ptr, position=position), engine="compiled", n_jobs=1)
    for score in (np.full(6, 800.0), np.full(6, -800.0), np.array([800, -800, 800, -800, 800, -800.0])):
        gradient, hessian = bound.gradient_hessian(score, 0)
        assert np.isfinite(gradient).all()
        assert (hessian > 0).all()
        bound.end_round(score)
        assert np.isnan(bound.theta).tolist() == [False, False, True, False]
        assert bound.theta[1] == 0
        assert ((bound.theta > 0) & (bound.theta <= 1)).sum() == 2
        assert np.isfinite(bound.loss(score)).all()


def without_clicks_at(data, rank):
    return gbrank.RankingData(data.X, data.y * (data.position != rank), data.qid, position=data.position)


def test_a_rank_without_a_click_teaches_nothing_and_is_no_propensity():
    data = simulated([1.0, 0.6, 0.4, 0.2], 400)
    ranker = gbrank.GBRanker("pbm", n_estimators=5, n_jobs=1).fit(without_clicks_at(data, 4))
    assert ranker.position_bias_["examination"][4] == 0
    assert Propensities.of_ranker(ranker).n_ranks == 3
    bound = PositionBasedClicks().bind(without_clicks_at(data, 4), engine="numpy")
    gradient = bound.gradient_hessian(np.random.default_rng(0).normal(size=data.n_documents), 0)[0]
    assert np.abs(gradient[data.position == 4]).max() < 1e-12 < np.abs(gradient[data.position == 3]).min()
    # Clicks that come later are learnt from, as if there had been no earlier ranker.
    later = gbrank.GBRanker("pbm", n_estimators=6, init_model=ranker, n_jobs=1).fit(data)
    assert later.position_bias_["examination"][4] == pytest.approx(0.2, abs=0.08)
    ranker = gbrank.GBRanker("pbm", n_estimators=2, n_jobs=1).fit(without_clicks_at(data, 2))
    with pytest.raises(gbrank.DataError, match="has learnt nothing of rank 2"):
        Propensities.of_ranker(ranker)
    with pytest.warns(gbrank.GbrankWarning, match="The others are measured by rank 1, so none is right"):
        PositionBasedClicks().bind(without_clicks_at(data, 1))


def test_labels_and_positions_that_do_not_fit_are_refused():
    with pytest.raises(gbrank.DataError, match="every document has a label of at least"):
        PositionBasedClicks().gradient_hessian([1, 1], [0, 0], [0, 2], position=[1, 2])
    with pytest.raises(gbrank.DataError, match="learns from the rank"):
        PositionBasedClicks().gradient_hessian([1, 0], [0, 0], [0, 2])
    with pytest.raises(gbrank.ParameterError, match="steps"):
        PositionBasedClicks(steps=0)
