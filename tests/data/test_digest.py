"""The digest of data sees every part of them."""

import numpy as np

from gbrank import RankingData, make_letor
from gbrank.data._digest import digest


def test_the_digest_sees_every_part_of_the_data():
    train = make_letor(60, n_features=6, max_documents=12, random_state=0)
    n = train.n_documents

    def digest_of(data: RankingData) -> str:
        return digest([(data, data)])

    changed = [
        train.with_labels(np.roll(train.y, 1)),
        train.take(range(59)),
        train.take(range(59, -1, -1)),
        RankingData(train.X + np.float32(1), train.y, train.qid),
        RankingData(train.X.astype(np.float64), train.y, train.qid),
        RankingData(train.X, train.y, [f"{each}!" for each in train.qid]),
        RankingData(train.X, train.y, train.qid, feature_names=list("abcdef")),
        RankingData(train.X, train.y, train.qid, query_weight=np.arange(1, 61)),
        RankingData(train.X, train.y, train.qid, sample_weight=np.arange(1, n + 1)),
    ]
    digests = {digest_of(train), *map(digest_of, changed)}
    assert len(digests) == 1 + len(changed)
    assert digest_of(RankingData(train.X.copy(), train.y, train.qid)) == digest_of(train)
