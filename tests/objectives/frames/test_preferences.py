"""Given pairs in place of labels."""

import numpy as np
import pytest

import gbrank
from gbrank.objectives import PairwiseFocal, PairwiseHinge, PairwiseLogistic

ENGINES = ["numpy", "compiled"]


def data_with_pairs(weights=True, seed=0):
    rng = np.random.default_rng(seed)
    qid = np.repeat([4, 2, 9], [5, 3, 6])
    X = rng.normal(size=(14, 2))
    pairs = [(0, 1), (4, 0), (0, 1), (7, 5), (13, 8), (9, 12), (8, 9)]
    return gbrank.RankingData(
        X, np.zeros(14), qid, pairs=pairs, pair_weight=rng.uniform(0.5, 2, 7) if weights else None,
        sample_weight=rng.uniform(0.5, 2, 14) if weights else None,
        query_weight=[1.0, 3.0, 0.5] if weights else None,
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weights", [False, True])
def test_gradient_is_that_of_each_pair_and_of_the_loss(engine, weights):
    data = data_with_pairs(weights)
    score = np.random.default_rng(1).normal(size=14)
    bound = PairwiseLogistic(sigmoid=1.5, pairs="given").bind(data, engine=engine)
    g, h = bound.gradient_hessian(score, 0)
    want = np.zeros(14)
    for number, (i, j) in enumerate(data.pairs):
        query = np.searchsorted(data.query_ptr, i, side="right") - 1
        w = 1.0
        if weights:
            w = data.pair_weight[number] * data.sample_weight[i] * data.sample_weight[j] * data.query_weight[query]
        push = 1.5 * w / (1 + np.exp(1.5 * (score[i] - score[j])))
        want[i] -= push
        want[j] += push
    np.testing.assert_allclose(g, want, rtol=1e-12)
    for k in range(14):
        up, down = score.copy(), score.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        assert (bound.loss(up).sum() - bound.loss(down).sum()) / 2e-5 == pytest.approx(g[k], abs=1e-8)
        bend = (bound.gradient_hessian(up, 0)[0][k] - bound.gradient_hessian(down, 0)[0][k]) / 2e-5
        assert bend == pytest.approx(h[k], abs=1e-6)


@pytest.mark.parametrize("objective", [PairwiseLogistic, PairwiseHinge, PairwiseFocal])
def test_all_pairs_given_is_all_pairs_from_labels(objective):
    rng = np.random.default_rng(2)
    y, qid = rng.integers(0, 3, 30).astype(float), np.repeat([0, 1, 2], 10)
    pairs = [(i, j) for i in range(30) for j in range(30) if qid[i] == qid[j] and y[i] > y[j]]
    data = gbrank.RankingData(rng.normal(size=(30, 1)), y, qid, pairs=pairs)
    score = rng.normal(size=30)
    from_labels, given = (objective(pairs=p).bind(data) for p in ("labels", "given"))
    for a, b in zip(from_labels.gradient_hessian(score, 0), given.gradient_hessian(score, 0), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    np.testing.assert_allclose(from_labels.loss(score), given.loss(score), rtol=1e-10)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_a_ranker_learns_from_pairs_alone(backend):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 3))
    worth, qid = X[:, 1] + 0.3 * rng.normal(size=400), np.repeat(np.arange(40), 10)
    pairs = [(10 * q + i, 10 * q + j) for q in range(40) for i in range(10) for j in range(10)
             if worth[10 * q + i] > worth[10 * q + j] and rng.random() < 0.3]  # fmt: skip
    ranker = gbrank.GBRanker(PairwiseLogistic(pairs="given"), backend=backend, n_estimators=30)
    ranker.fit(X, np.zeros(400), qid=qid, pairs=pairs)
    assert np.corrcoef(ranker.predict(X), worth)[0, 1] > 0.85


def test_without_pairs_it_says_so():
    data = gbrank.RankingData([[1.0], [2.0]], [0, 1], [1, 1])
    with pytest.raises(gbrank.DataError, match="the data hold no pairs"):
        PairwiseLogistic(pairs="given").bind(data)
