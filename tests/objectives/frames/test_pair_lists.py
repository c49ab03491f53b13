"""The compiled loop over pairs: the layout of lists, and what it must not change."""

import itertools

import numpy as np
import pytest

from gbrank.objectives import (
    LambdaRank,
    PairwiseExponential,
    PairwiseFocal,
    PairwiseHinge,
    PairwiseLogistic,
    Targets,
)
from gbrank.objectives._frames import pairs
from gbrank.objectives._frames.pair_lists import compile_pairs

SIZES = np.array([1, 2, 7, 40, 150, 33])
QUERY_PTR = np.concatenate(([0], np.cumsum(SIZES)))


def targets(rng, labels, weighted=False):
    n = QUERY_PTR[-1]
    y = rng.normal(size=n) if labels is None else rng.integers(0, labels, n).astype(float)
    return Targets(y, QUERY_PTR, rng.random(n) if weighted else None)


def scores(rng, scale=1.0):
    s = scale * rng.normal(size=QUERY_PTR[-1])
    s[rng.random(len(s)) < 0.2] = 0.5  # ties
    return s


def assert_engines_agree(objective, data, score, rtol=1e-10):
    compiled, numpy = (objective.bind(data, engine=engine, n_jobs=1) for engine in ("compiled", "numpy"))
    for number in range(2):
        found = compiled.gradient_hessian(score, number), numpy.gradient_hessian(score, number)
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=rtol * np.abs(b).max())


@pytest.mark.parametrize("truncation", [None, 1, 5, 30, 1000])
@pytest.mark.parametrize("weight", ["uniform", "label_difference", "ndcg", "map", "mrr", "err"])
def test_every_weight_at_every_level(weight, truncation):
    rng = np.random.default_rng(0)
    options = {"ties": "shuffled", "rank_smoothing": 0.5, "score_norm": True} if truncation == 5 else {}
    objective = PairwiseHinge(weight=weight, truncation=truncation, **options)
    assert_engines_agree(objective, targets(rng, 5, weighted=True), scores(rng))


@pytest.mark.parametrize("truncation", [None, 4])
@pytest.mark.parametrize("labels", [2, 5, None])  # None: hardly two documents have the same
def test_however_many_labels(labels, truncation):
    rng = np.random.default_rng(1)
    for objective in (
        PairwiseLogistic(truncation=truncation),
        PairwiseLogistic(truncation=truncation, equal_pairs=True, query_norm=True),
    ):
        assert_engines_agree(objective, targets(rng, labels), scores(rng))


@pytest.mark.parametrize(
    "objective",
    [LambdaRank(sigmoid=2.0), PairwiseLogistic(truncation=5), PairwiseFocal(gamma=1.5), PairwiseFocal(sigmoid=0.5)],
)
def test_one_exponential_a_document_and_where_scores_lie_too_far_apart_one_a_pair(objective):
    rng = np.random.default_rng(2)
    data = targets(rng, 4)
    for scale in (1.0, 90.0, 500.0):
        assert_engines_agree(objective, data, scores(rng, scale))


def test_exponential_loss_beyond_the_bend():
    rng = np.random.default_rng(3)
    assert_engines_agree(PairwiseExponential(truncation=9), targets(rng, 3), scores(rng, 15.0))


def test_the_number_of_threads_changes_nothing():
    rng = np.random.default_rng(4)
    y, query_ptr = rng.integers(0, 5, 6000).astype(float), np.arange(0, 6001, 40)
    score = rng.normal(size=6000)
    for objective in (LambdaRank(), PairwiseFocal(truncation=7), PairwiseHinge(weight="map")):
        one, four = (objective.bind(Targets(y, query_ptr), n_jobs=jobs).gradient_hessian(score, 0) for jobs in (1, 4))
        np.testing.assert_array_equal(one, four)


def test_each_pair_counts_once():
    """A loss of slope -1 everywhere counts pairs: better documents less worse ones among those that it meets."""
    rng = np.random.default_rng(5)
    data, s = targets(rng, 4), scores(rng)
    for truncation in (1, 3, 20, None):
        objective = PairwiseHinge(margin=1e6, truncation=truncation)
        got = objective.bind(data, n_jobs=1).gradient_hessian(s, 0)
        want = np.zeros((2, len(s)))
        for a, b in itertools.pairwise(QUERY_PTR):
            order = a + np.argsort(-s[a:b], kind="stable")
            for i, j in itertools.combinations(range(b - a), 2):
                if data.y[order[i]] != data.y[order[j]] and (truncation is None or i < truncation):
                    sign = np.sign(data.y[order[i]] - data.y[order[j]])
                    want[:, order[i]] += -sign, 1
                    want[:, order[j]] += sign, 1
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_allclose(got[1], want[1], atol=1e-3)


def test_the_general_loop_takes_over_where_scores_lie_far_apart(monkeypatch):
    asked = []
    monkeypatch.setattr(pairs, "compile_pairs", lambda *args: asked.append(args[1]) or compile_pairs(*args))
    rng = np.random.default_rng(6)
    bound = LambdaRank(sigmoid=2.0).bind(targets(rng, 3), n_jobs=1)
    for spread in (299.0, 301.0):
        asked.clear()
        score = scores(rng)
        score[-2:] = 0.0, spread
        score[:-2] = 0.5
        bound.gradient_hessian(score, 0)
        assert (asked[-1] is None) == (spread > 300)
