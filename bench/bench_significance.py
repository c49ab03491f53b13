"""How often each test finds a difference at 5% where there is none, in 2,000 simulated comparisons.

Two systems of which neither is better: normal differences; heavy tails (Student's t with 3 degrees of freedom);
NDCG-like (both give the same list to half of the queries, else two values from one distribution); and skewed (an
exponential less its mean: the mean is 0, but the two systems cannot be exchanged).  The standard error of a share of 5%
is 0.5%.  "BCa" counts 95% intervals that miss 0.  "Tukey" counts families of five equal systems with any pair below 5%,
of 1,000.  The last rows compare a method with itself, trained five times each, with and without an effect of the
training as a whole: "seeds as queries" is what not to do.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gbrank.evaluation._bootstrap import bca
from gbrank.evaluation._components import interval_over_seeds
from gbrank.evaluation._design import System
from gbrank.evaluation._resampling import resampled_means
from gbrank.evaluation._significance import paired_t, randomised_tukey, sign_flip, tukey_hsd, wilcoxon

TITLE = "False positives at 5%"
RUNS, FAMILIES, LEVEL, SEED = 2000, 1000, 0.05, 0
Differences = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def ndcg_like(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return differences of which half are 0."""
    gaps = rng.beta(0.6, 0.8, shape).round(2) - rng.beta(0.6, 0.8, shape).round(2)
    return np.where(rng.random(shape) < 0.5, 0, gaps)


KINDS: dict[str, Differences] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: rng.standard_t(3, size=shape),
    "NDCG-like": ndcg_like,
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1,
}


def shares(kind: str, n: int) -> dict[str, Any]:
    """Return the share of false positives of each test."""
    rng = np.random.default_rng([SEED, n, list(KINDS).index(kind)])
    d = KINDS[kind](rng, (n, RUNS))
    means = resampled_means(d, 2000, SEED)
    ends = [bca(x.mean(), x - x.mean(), m, 1 - LEVEL) for x, m in zip(d.T, means.T, strict=True)]
    return {
        "differences": kind,
        "queries": n,
        "t": share(paired_t(d)[1]),
        "Wilcoxon": share(wilcoxon(d, 2000, SEED)[1]),
        "sign flips": share(sign_flip(d, 2000, SEED)[1]),
        "BCa": float(np.mean([low > 0 or high < 0 for low, high in ends])),
    }


def families(n: int) -> dict[str, Any]:
    """Return the share of families of five equal systems in which any pair is found."""
    rng, pairs = np.random.default_rng([SEED, n]), list(itertools.combinations(range(5), 2))
    values = rng.normal(size=(FAMILIES, n, 5)) + rng.normal(0, 2, (FAMILIES, n, 1))
    widest = [[(int(x.mean(axis=0).argmax()), int(x.mean(axis=0).argmin()))] for x in values]
    hsd = [tukey_hsd(x, pair)[0] for x, pair in zip(values, widest, strict=True)]
    randomised = [randomised_tukey(x, pairs, 999, SEED).min() for x in values]
    return {"differences": "five systems", "queries": n, "Tukey": share(hsd), "randomised Tukey": share(randomised)}


def trained(effect: float, queries: int = 60, seeds: int = 5) -> dict[str, Any]:
    """Return the shares for a method against itself, with five trainings each."""
    rng = np.random.default_rng([SEED, int(100 * effect)])
    p: dict[str, list[float]] = {"t": [], "seeds as queries": [], "over seeds": []}
    for _ in range(RUNS):
        values = rng.normal(size=(queries, 1)) + rng.normal(0, 0.5, (2, queries, 1))
        values = values + rng.normal(0, 0.2, (2, queries, seeds)) + rng.normal(0, effect, (2, 1, seeds))
        one, other = (System({"": pd.DataFrame(each)}) for each in values)
        gaps = one.by_query() - other.by_query()
        p["t"].append(paired_t(gaps.to_numpy()[:, None])[1][0])
        p["seeds as queries"].append(paired_t((values[0] - values[1]).reshape(-1, 1))[1][0])
        p["over seeds"].append(interval_over_seeds(gaps, gaps * 0 + 1, one, other, 1 - LEVEL)[2])
    what = "five seeds, of no effect as a whole" if effect == 0 else f"five seeds, whole runs vary by {effect} sd"
    return {"differences": what, "queries": queries} | {name: share(values) for name, values in p.items()}


def share(p: Any) -> float:
    """Return the share of p-values of at most 5%."""
    return float(np.mean(np.asarray(p) <= LEVEL))


def rows() -> list[dict[str, Any]]:
    """Return one row for each kind of differences and number of queries."""
    simple = [shares(kind, n) for kind in KINDS for n in (10, 50, 250)]
    return [*simple, *(families(n) for n in (10, 50)), trained(0.0), trained(0.25)]


if __name__ == "__main__":
    print(pd.DataFrame(rows()).round(4).to_string())
