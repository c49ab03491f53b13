"""Each caution appears with its reason, and not without."""

import numpy as np
import pytest
from scipy.sparse import csr_array

import gbrank
from gbrank.clicks import PositionBased, session_data
from gbrank.reports import gather
from gbrank.reports._overlap import document_keys, shared_sessions


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


def sessions_of(data, seed, start=0):
    users = PositionBased.power(1, 4)
    log = gbrank.simulate_clicks(data, data.X[:, 0], users, 200, random_state=seed, top_k=4)
    shown = session_data(log, data)
    return gbrank.RankingData(shown.X, shown.y, shown.qid + start, doc_id=shown.doc_id, position=shown.position)


def test_session_ids_are_no_query_ids(ranker):
    train, test = make(0), make(3)  # query ids from 0 on, as session ids have; and from 3000 on
    says = "200 of 200 queries of sessions, which has positions as sessions have, show documents that are mostly in"
    here = cautions(ranker, sessions=sessions_of(test, 0), train=train)
    assert "query ids are" not in here
    assert says not in here
    here = cautions(ranker, sessions=sessions_of(test, 0), others=sessions_of(train, 1))
    assert "mostly in" not in here
    # Ids that differ hide no queries that are the same.
    for sets in (
        {"sessions": sessions_of(train, 0, 9000), "train": train},
        {"train": train, "sessions": sessions_of(train, 1)},
    ):
        assert f"{says} train, too" in cautions(ranker, **sets)
    two = {"sessions": sessions_of(train, 0), "others": sessions_of(train, 1)}
    assert "queries of sessions, which has positions" in cautions(ranker, **two)


def test_documents_are_known_by_features_however_they_are_kept_and_by_id():
    data = make(3, 20)
    X = np.where(data.X > 0, np.round(data.X * 8), 0)
    X[data.query_ptr[:-1], 0] = np.arange(20) + 100
    position = np.tile(np.arange(1, 7), 20)
    dense = gbrank.RankingData(X, data.y, data.qid, position=position)
    sparse = gbrank.RankingData(csr_array(-X * -1.0), data.y, data.qid - 50)
    single = gbrank.RankingData(X.astype(np.float32), data.y, data.qid)
    keys = document_keys(dense, False)
    assert len(np.unique(keys)) == len(np.unique(X, axis=0)) < len(X)
    for other in (sparse, single):
        np.testing.assert_array_equal(document_keys(other, False), keys)
        assert shared_sessions(dense, other) == 20
    named, otherwise = (
        gbrank.RankingData(X, data.y, data.qid, doc_id=[f"{kind}{i}" for i in range(120)]) for kind in "ab"
    )
    assert shared_sessions(named, otherwise) == 0
    assert shared_sessions(named, named) == 20
    assert shared_sessions(named, dense) == 20


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
