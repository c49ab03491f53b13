"""Where the spread of a measure comes from: queries, seeds and folds.

The value of query q under seed s in fold f is mu + F_f + Q_q(f) + S_s(f) + e_qs(f): queries and seeds are crossed
within a fold, and both differ between folds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ._design import System
from ._resampling import Matrix, Vector

COMPONENTS = ("query", "seed", "fold", "residual")


def components(system: System) -> dict[str, float]:
    """Return the standard deviation of each effect of the model above, by the analysis of variance.

    A component of which there is one only (one seed, one fold) is NaN; with one seed the residual is part of the
    queries' effect.  An estimated variance below 0 is 0.
    """
    tables = [table.dropna().to_numpy() for table in system.folds.values()]
    tables = [table for table in tables if len(table)]
    queries = np.array([len(table) for table in tables], dtype=np.float64)
    seeds = np.array([table.shape[1] for table in tables], dtype=np.float64)
    residual = _weighted([_interaction(table) for table in tables], (queries - 1) * (seeds - 1))
    error = 0.0 if math.isnan(residual) else residual
    query = _weighted([_variance(table.mean(axis=1)) for table in tables] - error / seeds, queries - 1)
    seed = _weighted([_variance(table.mean(axis=0)) for table in tables] - error / queries, seeds - 1)
    within = (np.nan_to_num([query, seed]).clip(0) @ [1 / queries, 1 / seeds] + error / (queries * seeds)).mean()
    fold = _variance(np.array([float(table.mean()) for table in tables])) - within
    found = dict(zip(COMPONENTS, (query, seed, fold, residual), strict=True))
    return {name: math.nan if math.isnan(value) else math.sqrt(max(value, 0.0)) for name, value in found.items()}


def interval_over_seeds(
    differences: pd.Series[float], weights: pd.Series[float], one: System, other: System, confidence: float
) -> tuple[float, float, float]:
    """Return the ends of an interval of the mean difference over new queries and new seeds, and its p.

    The variance of the mean is that over queries, s_d^2 / n, and of each system and fold the share that seeds have as
    a whole, w_f^2 (s_f^2 - e_f / n_f) / S_f: s_f^2 is the variance of the fold's mean over its S_f seeds, e_f the
    residual of its queries and seeds, and w_f its share of the weight, n_f / n for equal weights.  The quantiles are
    Student's, with the degrees of freedom of Satterthwaite (Biometrics Bulletin 2, 1946).  A system with one seed adds
    nothing.

    Parameters
    ----------
    differences : Series indexed by query
        Of the means over seeds; without NaN.
    weights : Series indexed by query
    one, other : System
    confidence : float
    """
    from scipy.special import stdtr, stdtrit

    n, mean = len(differences), float(differences.mean())
    over_queries = _variance(differences.to_numpy()) / n
    over_seeds, spread = 0.0, over_queries**2 / (n - 1)
    for table in (*one.folds.values(), *other.folds.values()):
        table = table[table.index.isin(differences.index)]
        if len(table) and table.shape[1] > 1:
            weight, seeds = weights[table.index].to_numpy(), table.shape[1]
            values = table.to_numpy() * (weight / weight.mean())[:, None]
            share = (weight.sum() / weights.sum()) ** 2
            variance = _variance(values.mean(axis=0))
            interaction = _interaction(values) if len(values) > 1 else 0.0
            over_seeds += share * (variance - interaction / len(values)) / seeds
            spread += (share * variance / seeds) ** 2 / (seeds - 1)
    total = over_queries + max(over_seeds, 0.0)
    if total == 0:
        return mean, mean, 1.0 if mean == 0 else 0.0
    freedom, error = total**2 / spread, math.sqrt(total)
    reach = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    return mean - reach, mean + reach, float(2 * stdtr(freedom, -abs(mean) / error))


def _variance(values: Any) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else math.nan


def _interaction(table: Matrix) -> float:
    """Return the mean square of what neither queries nor seeds explain."""
    n, seeds = table.shape
    if n < 2 or seeds < 2:
        return math.nan
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    return float(np.square(rest).sum() / ((n - 1) * (seeds - 1)))


def _weighted(values: Vector | list[float], weights: Vector) -> float:
    """Return the weighted mean of the values that are known."""
    known = weights > 0
    return float(np.average(np.asarray(values)[known], weights=weights[known])) if known.any() else math.nan
