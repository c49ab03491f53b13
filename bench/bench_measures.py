"""NDCG@10 per query from arrays, against pytrec_eval and ranx with their dictionaries and objects built beforehand.

2,000 queries of 1 to 900 documents, grades 0 to 4, distinct scores, linear gain: the convention that all three share.
Agreement is asserted on every query before anything is timed.  Runs are interleaved.
"""

import os
import platform
import statistics
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytrec_eval
import ranx
from timing import interleaved

from gbrank.metrics import measure

N_QUERIES, REPEATS, SEED = 2000, 9, 0


def make_lists(n_queries: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, distinct scores and query_ptr of lists of 1 to 900 documents, 115 on average."""
    rng = np.random.default_rng(seed)
    sizes = np.clip(rng.lognormal(4.4, 0.85, n_queries).astype(int), 1, 900)
    query_ptr = np.concatenate(([0], np.cumsum(sizes)))
    n = int(query_ptr[-1])
    y = rng.choice(5, size=n, p=[0.52, 0.32, 0.13, 0.02, 0.01]).astype(float)
    score = (rng.permutation(n) + 0.3 * n * y) / n
    score = np.argsort(np.argsort(score, kind="stable")) / np.float32(1 << 20)  # distinct in float32 too
    return y, score, query_ptr


def dictionaries(values: np.ndarray, query_ptr: np.ndarray, convert: Callable[[Any], Any]) -> dict[str, dict[str, Any]]:
    """Return query id -> document id -> value."""
    return {
        f"q{q:05d}": {f"d{row}": convert(values[row]) for row in range(query_ptr[q], query_ptr[q + 1])}
        for q in range(len(query_ptr) - 1)
    }


def rows(n_queries: int = N_QUERIES) -> list[dict[str, Any]]:
    """Return the time of each library, and how many times gbrank's it is."""
    y, score, query_ptr = make_lists(n_queries, SEED)
    qrels, run = dictionaries(y, query_ptr, int), dictionaries(score, query_ptr, float)
    ids = list(qrels)
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"})
    ranx_qrels, ranx_run = ranx.Qrels(qrels), ranx.Run(run)
    ndcg = measure("ndcg@10", gain="linear", no_relevant=0)
    functions: dict[str, Callable[[], Any]] = {
        "gbrank": lambda: ndcg(y, score, query_ptr),
        "gbrank, one thread": lambda: ndcg(y, score, query_ptr, n_jobs=1),
        "pytrec_eval": lambda: evaluator.evaluate(run),
        "ranx": lambda: ranx.evaluate(ranx_qrels, ranx_run, "ndcg@10", return_mean=False, make_comparable=False),
    }
    ours = functions["gbrank"]()
    trec = functions["pytrec_eval"]()
    np.testing.assert_allclose(ours, [trec[q]["ndcg_cut_10"] for q in ids], atol=1e-9)
    np.testing.assert_allclose(ours, functions["ranx"](), atol=1e-9)
    seconds = interleaved(functions, REPEATS)
    base = statistics.median(seconds["gbrank"])
    return [
        {
            "library": name,
            "queries": n_queries,
            "documents": int(query_ptr[-1]),
            "median_ms": 1e3 * statistics.median(times),
            "min_ms": 1e3 * min(times),
            "max_ms": 1e3 * max(times),
            "times_gbrank": statistics.median(times) / base,
        }
        for name, times in seconds.items()
    ]


if __name__ == "__main__":
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, numba {numba.__version__}, seed {SEED}"
    )
    for row in rows():
        print(row)
