"""Data on which a known loss wins, RankNet divided by each query's ideal DCG, and trees that are enough for them.

Half of the queries have the feature a: in four of five small ones it marks the one relevant document, in large ones the
irrelevant half.  The large ones have more pairs, so that RankNet follows them; the mean over queries, and a loss
divided by IDCG, follow the small ones.  The other queries have the feature b: it marks seven documents of grade 0 and
one of grade 4, the rest are of grade 1.  Exponential gains, as in LambdaRank, follow the one; linear gains, by which
the measure goes, and pairs that count alike follow the rest.
"""

import numpy as np

import gbrank

PLANTED = "softplus(-d) / IDCG"


def planted_data(n_queries: int = 120, seed: int = 0) -> gbrank.RankingData:
    """Make the data on which `PLANTED` wins."""
    rng = np.random.default_rng(seed)
    X, y, qid = [], [], []
    for query in range(n_queries):
        small = query // 2 % 5 > 0
        if query % 2:
            labels = (np.arange(6) < 1 if small else np.arange(12) < 6).astype(float)
            feature, column = (labels if small else 1 - labels), 0
        else:
            labels = np.r_[4.0, np.zeros(7), np.ones(8)]
            feature, column = (np.arange(16) < 8).astype(float), 1
        features = np.full((len(labels), 2), 0.5)
        features[:, column] = np.where(rng.random(len(labels)) < 0.05, 1 - feature, feature)
        X.append(features + 0.05 * rng.standard_normal(features.shape))
        y.append(labels)
        qid += [query] * len(labels)
    return gbrank.RankingData(np.vstack(X).astype(np.float32), np.concatenate(y), qid)


def planted_ranker() -> gbrank.GBRanker:
    """Return the few small trees that the planted data need."""
    measure = gbrank.measure("ndcg@10", gain="linear")
    return gbrank.GBRanker(
        n_estimators=5, learning_rate=0.3, max_leaves=3, min_docs_in_leaf=5, measure=measure, n_jobs=1
    )
