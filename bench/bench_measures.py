"""Measures per query from arrays, against pytrec_eval and ranx; and twelve measures at once against one by one.

10,000 queries of 120 documents, grades 0 to 4, distinct scores, linear gain: the convention that all three share.
NDCG@10 of the others is timed twice: with their dictionaries and objects built beforehand, and with their building from
the same arrays.  Twelve measures at once are compared with each of them alone: with the mean of the twelve times, with
NDCG of the whole list, and with NDCG@10, for which ten places are enough.  Agreement is asserted on every query before
anything is timed.  Runs are interleaved, on one thread but for the row that says otherwise; `times` is a median of
ratios, run by run.
"""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytrec_eval
import ranx
from timing import interleaved, ratios

from gbrank.metrics import all_values, measure

TITLE = "Measures per query"
N_QUERIES, N_DOCUMENTS, REPEATS, SEED = 10_000, 120, 5, 0
TWELVE = (
    *("ndcg@10", "ndcg", "dcg@10", "ap", "rr", "p@10", "r@10", "hit@10", "err@10", "rbp", "auc", "f@10"),
)  # fmt: skip


def make_lists(n_queries: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, scores that are distinct even as float32, and query_ptr."""
    rng = np.random.default_rng(seed)
    n = n_queries * N_DOCUMENTS
    y = rng.choice(5, size=n, p=[0.52, 0.32, 0.13, 0.02, 0.01]).astype(float)
    score = (rng.permutation(n) + 0.3 * n * y) / n
    score = np.argsort(np.argsort(score, kind="stable")) / np.float32(1 << 21)
    return y, score, np.arange(0, n + 1, N_DOCUMENTS)


def dictionaries(values: np.ndarray, query_ptr: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return query id -> document id -> value."""
    told = values.tolist()
    return {
        f"q{q:05d}": {f"d{row}": told[row] for row in range(query_ptr[q], query_ptr[q + 1])}
        for q in range(len(query_ptr) - 1)
    }


def ndcg_rows(n_queries: int) -> list[dict[str, Any]]:
    """Return the time of each library for NDCG@10, and how many times gbrank's it is."""
    y, score, query_ptr = make_lists(n_queries, SEED)
    grades = y.astype(int)
    qrels, run = dictionaries(grades, query_ptr), dictionaries(score, query_ptr)
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"})
    ranx_qrels, ranx_run = ranx.Qrels(qrels), ranx.Run(run)
    ndcg = measure("ndcg@10", gain="linear", no_relevant=0)

    def ranx_values(qrels: Any, run: Any) -> Any:
        return ranx.evaluate(qrels, run, "ndcg@10", return_mean=False, make_comparable=False)

    def from_arrays(evaluate: Callable[[Any, Any], Any]) -> Any:
        return evaluate(dictionaries(grades, query_ptr), dictionaries(score, query_ptr))

    functions: dict[str, Callable[[], Any]] = {
        "gbrank": lambda: ndcg(y, score, query_ptr, n_jobs=1),
        "gbrank, all cores": lambda: ndcg(y, score, query_ptr),
        "pytrec_eval": lambda: evaluator.evaluate(run),
        "ranx": lambda: ranx_values(ranx_qrels, ranx_run),
        "pytrec_eval, with its dictionaries": lambda: from_arrays(
            lambda qrels, run: pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
        ),
        "ranx, with its dictionaries and objects": lambda: from_arrays(
            lambda qrels, run: ranx_values(ranx.Qrels(qrels), ranx.Run(run))
        ),
    }
    ours, trec = functions["gbrank"](), functions["pytrec_eval"]()
    np.testing.assert_allclose(ours, [trec[q]["ndcg_cut_10"] for q in qrels], atol=1e-9)
    np.testing.assert_allclose(ours, functions["ranx"](), atol=1e-9)
    seconds = interleaved(functions, REPEATS)
    return [row("NDCG@10", name, n_queries, times, seconds["gbrank"]) for name, times in seconds.items()]


def twelve_rows(n_queries: int) -> list[dict[str, Any]]:
    """Return the times of twelve measures together, and of one."""
    y, score, query_ptr = make_lists(n_queries, SEED)
    measures = [measure(name) for name in TWELVE]
    functions: dict[str, Callable[[], Any]] = {
        str(m): lambda m=m: m(y, score, query_ptr, n_jobs=1)
        for m in measures  # type: ignore[misc]
    }
    functions["twelve"] = lambda: all_values(measures, y, score, query_ptr, n_jobs=1)
    np.testing.assert_array_equal(functions["twelve"](), np.column_stack([functions[name]() for name in TWELVE]))
    seconds = interleaved(functions, 2 * REPEATS)
    together = seconds.pop("twelve")
    alone = [statistics.mean(times) for times in zip(*seconds.values(), strict=True)]
    bases = {"mean of the twelve alone": alone, "ndcg": seconds["ndcg"], "ndcg@10": seconds["ndcg@10"]}
    return [row("twelve at once", f"against {name}", n_queries, together, times) for name, times in bases.items()]


def row(what: str, how: str, n_queries: int, times: list[float], base: list[float]) -> dict[str, Any]:
    """Return a row of the table: how many times `base` it takes."""
    ratio = ratios(times, base)
    return {
        "what": what,
        "how": how,
        "queries": n_queries,
        "documents": n_queries * N_DOCUMENTS,
        "median_ms": 1e3 * statistics.median(times),
        "times": ratio["ratio"],
        "least": ratio["least"],
        "greatest": ratio["greatest"],
    }


def rows(n_queries: int = N_QUERIES) -> list[dict[str, Any]]:
    """Return all rows."""
    return ndcg_rows(n_queries) + twelve_rows(n_queries)


if __name__ == "__main__":
    for each in rows():
        print(each)
