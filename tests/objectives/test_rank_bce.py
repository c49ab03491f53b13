"""Rank-aware cross-entropy."""

import numpy as np
import pytest
from scipy.special import expit, logit

import gbrank
from gbrank.objectives import CrossEntropy, RankBCE, Targets
from gbrank.testing import check_objective

OBJECTIVES = (
    RankBCE(),
    RankBCE(weight="exponential", query_norm=True, relevant_from=2.0, ties="shuffled", hessian_factor=2.0),
    RankBCE(query_norm=True, rank_smoothing=0.5, rerank_every=3),
    RankBCE(weight="exponential", alpha=2.0),
)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
def test_promises(objective):
    check_objective(objective)


def test_by_hand():
    # Scores rank the documents third, first, second.
    y, s, ptr = [0, 2, 1], np.array([-1.0, 2.0, 0.5]), [0, 3]
    rank, t, p = np.array([3, 1, 2]), np.array([0, 1, 1]), expit([-1.0, 2.0, 0.5])
    cross_entropy = -np.log(np.where(t, p, 1 - p))
    for objective, v in (
        (RankBCE(), 1 / np.log2(rank + 1)),
        (RankBCE(weight="exponential", alpha=0.7), np.exp(-0.7 * rank)),
        (RankBCE(query_norm=True), 1 / np.log2(rank + 1) / (1 / np.log2([2, 3, 4])).sum()),
    ):
        np.testing.assert_allclose(objective.loss(y, s, ptr), [(v * cross_entropy).sum()])
        for engine in ("numpy", "compiled"):
            got = objective.gradient_hessian(y, s, ptr, engine=engine)
            np.testing.assert_allclose(got, [v * (p - t), v * p * (1 - p)], rtol=1e-12)


def test_equal_weights_are_cross_entropy():
    rng = np.random.default_rng(0)
    ptr = np.array([0, 10, 11, 40])
    y, s = rng.integers(0, 3, 40).astype(float), rng.normal(size=40)
    data = Targets(y, ptr, rng.uniform(0.5, 2, 40), rng.uniform(0.5, 2, 3))
    flat, plain = RankBCE(weight="exponential", alpha=0.0).bind(data), CrossEntropy().bind(data)
    np.testing.assert_allclose(flat.gradient_hessian(s, 0), plain.gradient_hessian(s, 0), rtol=1e-12)
    np.testing.assert_allclose(flat.loss(s), plain.loss(s))
    np.testing.assert_allclose(flat.init_score(), plain.init_score())


@pytest.mark.parametrize("objective", [RankBCE(), RankBCE(query_norm=True), RankBCE(weight="exponential", alpha=0.5)])
def test_start_is_best_in_the_mean_over_orders(objective):
    rng = np.random.default_rng(1)
    ptr = np.array([0, 4, 15, 16])
    y = rng.integers(0, 3, 16).astype(float)
    data = Targets(y, ptr, rng.uniform(0.5, 2, 16), np.array([1.0, 2.0, 0.5]))
    bound = objective.with_params(ties="shuffled").bind(data, n_jobs=1)
    start = bound.init_score()
    slopes = [bound.gradient_hessian(np.full(16, start[0]), round)[0].sum() for round in range(3000)]
    assert abs(np.mean(slopes)) < 4 * np.std(slopes) / np.sqrt(3000)
    assert expit(start[0]) == pytest.approx(np.average(y >= 1, weights=data.sample_weight), abs=0.25)


def test_ranks_stay_between_rerankings():
    y, data = np.array([1.0, 0.0, 0.0]), Targets(np.array([1.0, 0.0, 0.0]), np.array([0, 3]))
    bound = RankBCE(rerank_every=2).bind(data)
    down, up, discount = np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0]), 1 / np.log2([2, 3, 4])
    assert bound.gradient_hessian(down, 0)[0] == pytest.approx(discount * (expit(down) - y))
    assert bound.gradient_hessian(up, 1)[0] == pytest.approx(discount * (expit(up) - y))
    assert bound.gradient_hessian(up, 2)[0] == pytest.approx(discount[::-1] * (expit(up) - y))


def test_smoothed_ranks():
    data = Targets(np.array([1.0, 0.0, 0.0]), np.array([0, 3]))
    for weight, v in (("dcg", lambda r: 1 / np.log2(r + 1)), ("exponential", lambda r: np.exp(-0.1 * r))):
        bound = RankBCE(weight=weight, rank_smoothing=0.75).bind(data)
        bound.gradient_hessian(np.array([3.0, 2.0, 1.0]), 0)
        hessian = bound.gradient_hessian(np.array([1.0, 2.0, 3.0]), 1)[1]
        p = expit(np.array([1.0, 2.0, 3.0]))
        np.testing.assert_allclose(hessian, v(np.array([1.5, 2.0, 2.5])) * p * (1 - p))


def test_scores_are_probabilities():
    X = np.random.default_rng(0).normal(size=(400, 1))
    y, qid = (X[:, 0] > 0).astype(float), np.repeat(np.arange(20), 20)
    ranker = gbrank.GBRanker("rank_bce", n_estimators=20).fit(X, y, qid=qid)
    p = ranker.predict_proba(X)
    assert ((p[:, 1] > 0.5) == (y > 0)).all()
    np.testing.assert_allclose(logit(p[:, 1]), ranker.predict(X), rtol=1e-6, atol=1e-9)


def test_refusals():
    with pytest.raises(gbrank.DataError, match="relevant_from=3"):
        RankBCE(relevant_from=3).gradient_hessian([0, 1], [0, 0], [0, 2])
    for params in ({"weight": "log"}, {"alpha": -1.0}, {"rank_smoothing": 1.0}, {"query_norm": 3}, {"ties": "worst"}):
        with pytest.raises(gbrank.ParameterError, match=next(iter(params))):
            RankBCE(**params)
