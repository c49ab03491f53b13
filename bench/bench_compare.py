"""Comparison of 5 systems on 10,000 queries, all ten pairs: 10,000 sign flips, and BCa intervals of means and pairs.

scipy's way is `scipy.stats.permutation_test` and `scipy.stats.bootstrap`, vectorised, in batches that fit into memory,
once for each pair.  It is asserted first that both p-values are within four standard errors of each other and the
intervals within a tenth of their width; then whole calls are timed in turn.  "load" is the machine's, as it was found,
and "cpu_s" the processor time of a call, which says what it would take alone on one core.
"""

import itertools
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from timing import interleaved

import gbrank

TITLE = "Comparison"
N_QUERIES, N_SYSTEMS, N_RESAMPLES, REPEATS, SEED = 10_000, 5, 10_000, 5, 0


def make_values() -> pd.DataFrame:
    """Return NDCG-like values: systems that agree on the difficulty of queries, and often on the value."""
    rng = np.random.default_rng(SEED)
    difficulty = rng.beta(1, 1, (N_QUERIES, 1))
    values = np.clip(difficulty + rng.normal(0, 0.2, (N_QUERIES, N_SYSTEMS)) + 0.002 * np.arange(N_SYSTEMS), 0, 1)
    return pd.DataFrame(np.where(rng.random(values.shape) < 0.3, difficulty, values), columns=list("ABCDE"))


def by_scipy(values: pd.DataFrame, pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """Return p and interval of each pair."""
    rows = []
    for a, b in pairs:
        d = (values[a] - values[b]).to_numpy()
        rng = np.random.default_rng(SEED)
        options: dict[str, Any] = {"n_resamples": N_RESAMPLES, "batch": 250, "rng": rng}
        p = stats.permutation_test((d,), mean, permutation_type="samples", vectorized=True, **options).pvalue
        ends = stats.bootstrap((d,), mean, vectorized=True, method="BCa", **options).confidence_interval
        rows.append({"p": p, "low": ends.low, "high": ends.high})
    return pd.DataFrame(rows)


def mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean, as scipy asks for it."""
    return values.mean(axis=axis)


def processor_time(call: Callable[[], Any]) -> float:
    """Return the processor time of the second of two calls."""
    call()
    start = time.process_time()
    call()
    return time.process_time() - start


def rows() -> list[dict[str, Any]]:
    """Return the time of whole calls; scipy's pair by pair, of which one is timed and times ten given."""
    values = make_values()
    pairs = list(itertools.combinations(values, 2))
    systems = {name: values[name] for name in values}

    def ours(**options: Any) -> pd.DataFrame:
        return gbrank.compare(systems, "ndcg@10", n_resamples=N_RESAMPLES, **options).table

    found, truth = ours(), by_scipy(values, pairs[:2])
    error = np.sqrt(2 * truth["p"] * (1 - truth["p"]) / N_RESAMPLES) + 2 / N_RESAMPLES
    assert (np.abs(found["p"][:2] - truth["p"]) <= 4 * error).all()
    for end in ("low", "high"):
        assert (np.abs(found[end][:2] - truth[end]) <= 0.1 * (truth["high"] - truth["low"])).all()
    functions = {
        "gbrank.compare": lambda: ours(),
        "gbrank.compare, one thread": lambda: ours(n_jobs=1),
        "gbrank.compare, randomised Tukey": lambda: ours(correction="tukey"),
        "gbrank.compare, t and Tukey": lambda: ours(test="t", correction="tukey"),
    }
    load, cpu = os.getloadavg()[0], {name: processor_time(call) for name, call in functions.items()}
    seconds = interleaved(functions, REPEATS)
    seconds["scipy, ten pairs"] = [10 * s for s in interleaved({"": lambda: by_scipy(values, pairs[:1])}, 1, 0)[""]]
    base = statistics.median(seconds["gbrank.compare"])
    return [
        {
            "call": name,
            "median_s": statistics.median(times),
            "min_s": min(times),
            "max_s": max(times),
            "times_gbrank": statistics.median(times) / base,
            "cpu_s": cpu.get(name),
            "load": round(load, 1),
        }
        for name, times in seconds.items()
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
