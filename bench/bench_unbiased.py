"""Unbiased LambdaRank against LambdaRank: what the correction of positions costs.

The same clicks, bins and tree parameters on both sides, from bins to booster.  A document is clicked if its grade is 2
or more and its rank, in a random order, was examined (with probability 1 / rank).  Unbiased LambdaRank computes the
costs of pairs in the pass that computes gradients, and learns two curves from them after each round.  Agreement is
asserted first: with curves held at 1 (a norm without end), both grow the same trees.
"""

import statistics
from typing import Any

import numpy as np
from timing import interleaved, ratios

import gbrank
from gbrank.objectives import LambdaRank, UnbiasedLambdaRank

TITLE = "Unbiased LambdaRank: the time of the correction"
N_QUERIES, TREES, REPEATS, ROUNDS, SEED = 1000, 50, 5, 25, 0
HELD = UnbiasedLambdaRank(bias_norm=1e18)  # any ratio of costs to the power of 1e-18 is 1
BACKENDS = {"lightgbm": "LightGBM", "xgboost": "XGBoost"}


def clicks(n_queries: int) -> gbrank.RankingData:
    """Return clicks on lists in random order."""
    data, rng = gbrank.make_letor(n_queries, random_state=SEED), np.random.default_rng(SEED)
    rank = np.concatenate([rng.permutation(size) + 1 for size in data.query_sizes])
    click = (data.y >= 2) & (rng.random(data.n_documents) < 1 / rank)
    return gbrank.RankingData(data.X, click.astype(np.float64), data.qid, position=rank)


def assert_same(data: gbrank.RankingData) -> None:
    """Assert that curves of 1 change nothing, and that curves which are learnt do."""
    for backend in BACKENDS:
        one, held, learnt = (
            gbrank.GBRanker(objective, backend=backend, n_estimators=20, n_jobs=2).fit(data)
            for objective in (LambdaRank(), HELD, UnbiasedLambdaRank())
        )
        assert (held.position_bias_.isin((0, 1))).all(axis=None)
        assert np.abs(one.predict(data) - held.predict(data)).max() < 1e-9
        assert np.abs(one.predict(data) - learnt.predict(data)).max() > 1e-3


def rows(n_queries: int = N_QUERIES, trees: int = TREES, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Return the times of trainings, and of the gradients of a round."""
    data = clicks(n_queries)
    assert_same(data.take(np.arange(min(50, n_queries))))
    table = []
    for backend, name in BACKENDS.items():
        binned = gbrank.GBRanker(backend=backend, n_jobs=2).bin(data)
        calls = {
            objective.name: lambda objective=objective, backend=backend, binned=binned: gbrank.GBRanker(
                objective, backend=backend, n_estimators=trees, n_jobs=2
            ).fit(binned)
            for objective in (UnbiasedLambdaRank(), LambdaRank())
        }
        size = f"{data.n_queries:,} queries, {data.n_documents:,} documents"
        table.append(row(f"{trees} trees on {name}, {size}, s", interleaved(calls, repeats), 1.0))
    bounds = {each.name: each.bind(data, n_jobs=2) for each in (UnbiasedLambdaRank(), LambdaRank())}
    score = np.random.default_rng(SEED).normal(size=data.n_documents)

    def one_round(bound: Any) -> None:
        bound.gradient_hessian(score, 0)
        bound.end_round(score)

    calls = {name: lambda bound=bound: one_round(bound) for name, bound in bounds.items()}
    return [*table, row("gradients and curves of one round, ms", interleaved(calls, ROUNDS), 1e3)]


def row(what: str, seconds: dict[str, list[float]], unit: float) -> dict[str, Any]:
    """Return a row of the table."""
    unbiased, plain = seconds[UnbiasedLambdaRank.name], seconds[LambdaRank.name]
    medians = {"unbiased": unit * statistics.median(unbiased), "LambdaRank": unit * statistics.median(plain)}
    return {"what": what, **medians, **ratios(unbiased, plain)}


if __name__ == "__main__":
    for each in rows():
        print(each)
