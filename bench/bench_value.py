"""Tuning a value model to NDCG gaps, against a plain loop over scikit-learn's `ndcg_score`.

1,000 queries of 100 documents, 5 tasks, desired fractions .300 .500 .070 .070 .060 of the gaps at 10.  The loop
multiplies weights as the heuristic does, until every fraction is within the tolerance (.005) with which
`target_weights` is called.  Gaps are asserted to agree, and both results to be within the tolerance, before times are
told; the loop runs once for each repeat.  `times` is a median of ratios, run by run.
"""

import statistics
from typing import Any

import numpy as np
from sklearn.metrics import ndcg_score
from timing import interleaved, ratios

from gbrank import RankingData, ValueModel, target_weights
from gbrank.fusion import shares

TITLE = "Value models"
N_QUERIES, N_DOCUMENTS, REPEATS, SEED = 1000, 100, 3, 0
DESIRED = np.array([0.300, 0.500, 0.070, 0.070, 0.060])
TASKS = [f"t{i}" for i in range(len(DESIRED))]
TOLERANCE, MOST_ROUNDS = 0.005, 200


def gaps(p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean gap of each task, one query at a time; p has the shape (n_queries, n_documents, n_tasks)."""
    totals = np.zeros(len(weights))
    for query in p:
        base = query @ weights
        for t in range(len(weights)):
            without = base - weights[t] * query[:, t]
            totals[t] += 1 - ndcg_score(base[None], without[None], k=10)
    return totals / len(p)


def by_loop(p: np.ndarray) -> np.ndarray:
    """Return weights within the tolerance."""
    weights = np.full(len(DESIRED), 1 / len(DESIRED))
    for _ in range(MOST_ROUNDS):
        fractions = gaps(p, weights)
        fractions /= fractions.sum()
        if np.abs(fractions - DESIRED).max() <= TOLERANCE:
            return weights
        weights *= np.sqrt(DESIRED / fractions)
        weights /= weights.sum()
    raise AssertionError("the loop did not converge")


def rows(n_queries: int = N_QUERIES, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Return all rows."""
    p = np.random.default_rng(SEED).beta(2, 5, size=(n_queries, N_DOCUMENTS, len(TASKS)))
    flat = p.reshape(-1, len(TASKS))
    data = RankingData(flat, np.zeros(len(flat)), np.repeat(np.arange(n_queries), N_DOCUMENTS), feature_names=TASKS)
    model = ValueModel(dict.fromkeys(TASKS, 1 / len(TASKS)))
    desired = dict(zip(TASKS, DESIRED.tolist(), strict=True))
    np.testing.assert_allclose(shares(model, data)["gap"], gaps(p, np.full(5, 0.2)), atol=1e-9)

    def ours(method: str, n_jobs: int | None = None) -> Any:
        found = target_weights(model, data, desired, method=method, tolerance=TOLERANCE, n_jobs=n_jobs)
        assert found.reached
        return found

    functions = {
        "gbrank, slsqp": lambda: ours("slsqp"),
        "gbrank, slsqp, one thread": lambda: ours("slsqp", 1),
        "gbrank, secant": lambda: ours("secant"),
        "gbrank, heuristic": lambda: ours("heuristic"),
        "scikit-learn, loop": lambda: by_loop(p),
    }
    ours("slsqp")
    seconds = interleaved(functions, repeats, warm_up=0)
    return [
        {
            "how": name,
            "queries": n_queries,
            "documents": N_DOCUMENTS,
            "tasks": len(TASKS),
            "median_s": statistics.median(times),
            "times": (ratio := ratios(times, seconds["gbrank, slsqp"]))["ratio"],
            "least": ratio["least"],
            "greatest": ratio["greatest"],
        }
        for name, times in seconds.items()
    ]


if __name__ == "__main__":
    for each in rows():
        print(each)
