"""Each caution appears with its reason, and not without."""

import numpy as np
import pytest

import gbrank
from gbrank.reports import gather


def make(seed, n_queries=120, *, relevant=1.0, ordered=False):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n_queries * 6, 2))
    y = (X[:, 0] + generator.normal(size=len(X)) > 0).astype(float)
    y[generator.random(n_queries).repeat(6) > relevant] = 0
    y = -np.sort(-y.reshape(-1, 6), axis=1).reshape(-1) if ordered else y
    return gbrank.RankingData(X, y, 1000 * seed + np.arange(len(X)) // 6)


@pytest.fixture(scope="module")
def ranker():
    return gbrank.LambdaMART(n_estimators=60, early_stopping_rounds=5, n_jobs=1).fit(make(1), eval_set=make(2))


def cautions(ranker, **sets):
    return " ".join(gather(ranker, sets).cautions)


def test_none_without_reason(ranker):
    assert cautions(ranker, train=make(1), test=make(3)) == ""


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        ({"few": make(3, 20)}, "few: the mean of ndcg@10 rests on"),
        ({"empty": make(3, 200, relevant=0.6)}, "queries of empty"),
        ({"sorted": make(3, ordered=True)}, "sorted: rows stand sorted by label"),
        ({"train": make(1), "again": make(1)}, "120 query ids are in both train and again"),
        ({"vali": make(2)}, "vali: these queries chose the number of rounds"),
    ],
)
def test_of_data(ranker, sets, says):
    assert says in cautions(ranker, **sets)


def test_of_repeated_documents(ranker):
    data = make(3)
    twice = gbrank.RankingData(data.X, data.y, data.qid, doc_id=np.arange(data.n_documents) // 2)
    assert "test: 360 documents repeat an id" in cautions(ranker, test=twice)


def test_of_a_measure_that_still_rises():
    ranker = gbrank.LambdaMART(n_estimators=3, n_jobs=1).fit(make(1), eval_set=make(2))
    ranker.history_ = {"valid": [0.1, 0.2, 0.3]}
    assert "on valid was still at its best in the last of 3 rounds; unless tuning" in cautions(ranker, test=make(3))
    ranker.history_ = {"valid": [0.1, 0.3, 0.2]}
    assert "still at its best" not in cautions(ranker, test=make(3))


def test_probabilities_that_do_not_hold():
    ranker = gbrank.GBRanker("cross_entropy", n_estimators=30, n_jobs=1).fit(make(1, 400))
    says = "stated probability of label >= 1 misses the share"
    assert says not in cautions(ranker, test=make(3))
    flipped = make(3)
    assert says in cautions(ranker, test=flipped.with_labels(1 - flipped.y))
