"""Paired two-sided tests of per-query differences, one column for each comparison.

A difference is NaN where a query is not in the comparison.  Columns without any difference other than 0 have p = 1.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ._resampling import Matrix, Vector, permuted_ranges, share_of_sign_flips

TESTS = ("randomisation", "t", "wilcoxon")
CORRECTIONS = ("holm", "tukey", "none")
Pairs = Sequence[tuple[int, int]]


def paired_t(differences: Matrix) -> tuple[Vector, Vector]:
    """Return Student's t of the mean difference, with n - 1 degrees of freedom, and its p."""
    from scipy.special import stdtr

    n = (~np.isnan(differences)).sum(axis=0)
    mean = np.nanmean(differences, axis=0)
    error = np.nanstd(differences, axis=0, ddof=1) / np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, mean / error)
    return t, np.where(mean == 0, 1.0, 2 * stdtr(n - 1.0, -np.abs(t)))


def sign_flip(
    differences: Matrix, n_resamples: int, random_state: int, n_jobs: int | None = None
) -> tuple[Vector, Vector]:
    """Return the mean difference, and its p under random exchange of the two systems within queries.

    Every query's difference keeps its size and takes either sign with the same probability (Fisher, The Design of
    Experiments, 1935; Smucker, Allan and Carterette, CIKM 2007).
    """
    p = share_of_sign_flips(np.nan_to_num(differences), n_resamples, random_state, n_jobs)
    return np.nanmean(differences, axis=0), p


def wilcoxon(
    differences: Matrix, n_resamples: int, random_state: int, n_jobs: int | None = None
) -> tuple[Vector, Vector]:
    """Return the sum of signed ranks, and its p: Wilcoxon's signed-rank test.

    Differences of 0 are ranked and then left out (Pratt, JASA 54, 1959); equal ones have their mean rank.  p is exact,
    over all signs, where these are no more than `n_resamples`; else by the normal approximation, without correction
    for continuity: a sum of ranks r with random signs has variance sum r^2, whatever ties there are.
    """
    from scipy.special import ndtr

    ranks = np.column_stack([_signed_ranks(column) for column in differences.T])
    total, square = ranks.sum(axis=0), np.square(ranks).sum(axis=0)
    p = 2 * ndtr(-np.abs(total) / np.sqrt(np.maximum(square, 1)))
    few = np.count_nonzero(ranks, axis=0) <= np.log2(n_resamples)
    if few.any():
        p[few] = share_of_sign_flips(ranks[:, few], n_resamples, random_state, n_jobs)
    return total, p


def _signed_ranks(column: Vector) -> Vector:
    from scipy.stats import rankdata

    known = ~np.isnan(column)
    size = np.abs(column[known])
    size = np.round(size / max(size.max(initial=0.0), 1e-300), 12)  # what differs by rounding only is a tie
    ranks = np.zeros(len(column))
    ranks[known] = np.where(size == 0, 0.0, np.sign(column[known]) * rankdata(size))
    return ranks


def tukey_hsd(values: Matrix, pairs: Pairs) -> Vector:
    """Return Tukey's honestly significant difference as a p for each pair, over all systems.

    The error is the residual of the analysis of variance by query and system, with (n - 1)(k - 1) degrees of freedom
    (Carterette, ACM TOIS 30(1), 2012, section 3).

    Parameters
    ----------
    values : array of shape (n_queries, n_systems)
        Without NaN.
    pairs : sequence of (int, int)
        Columns.
    """
    from scipy.stats import studentized_range

    n, k = values.shape
    residual = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    error = np.sqrt(np.square(residual).sum() / ((n - 1) * (k - 1)) / n)
    gaps = _gaps(values, pairs)
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(gaps == 0, 0.0, gaps / error)
    return np.array([1.0 if each == 0 else studentized_range.sf(each, k, (n - 1) * (k - 1)) for each in q])


def randomised_tukey(
    values: Matrix, pairs: Pairs, n_resamples: int, random_state: int, n_jobs: int | None = None
) -> Vector:
    """Return the p of each pair against the range of means under random permutation of the systems within queries.

    p is (b + 1) / (n_resamples + 1), for b permutations whose highest mean is as far from the lowest (Carterette 2012,
    section 3.2; Sakai, Laboratory Experiments in Information Retrieval, 2018).
    """
    ranges = np.sort(permuted_ranges(values, n_resamples, random_state, n_jobs))
    needed = _gaps(values, pairs) - 1e-12 * np.abs(values - values.mean()).sum() / len(values)
    beyond = n_resamples - np.searchsorted(ranges, needed)
    return np.asarray((beyond + 1) / (n_resamples + 1))


def _gaps(values: Matrix, pairs: Pairs) -> Vector:
    means = values.mean(axis=0)
    return np.array([abs(means[a] - means[b]) for a, b in pairs])


def holm(p: npt.ArrayLike) -> Vector:
    """Return p-values adjusted so that the chance of any false one in the family is kept (Holm 1979).

    The i-th smallest of m is multiplied by m - i + 1, none is below a smaller one's, none above 1.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    out = np.empty(len(values))
    out[order] = np.minimum(raised, 1)
    return out


def detectable(n: int, deviation: float, *, power: float, level: float) -> float:
    """Return the smallest true mean difference that the paired t-test finds with this power.

    Parameters
    ----------
    n : int
        Number of queries.
    deviation : float
        Standard deviation of the differences.
    power, level : float
        Probability of p below `level` where the difference is there.

    Examples
    --------
    >>> round(detectable(34, 1.0, power=0.8078, level=0.05), 3)  # Cohen's table of the paired t-test
    0.5
    """
    return _detectable_shift(n, power, level) * deviation / float(np.sqrt(n))


@functools.lru_cache(maxsize=256)
def _detectable_shift(n: int, power: float, level: float) -> float:
    """Return the mean, in standard errors, of which Student's t is beyond its limits with probability `power`.

    The probability given the deviation found, s, is Phi(shift - limit s) + Phi(-shift - limit s); it is integrated
    over the quantiles of s.
    """
    from scipy.optimize import brentq
    from scipy.special import gammaincinv, ndtr, stdtrit

    node, weight = np.polynomial.legendre.leggauss(200)
    limit = stdtrit(n - 1, 1 - level / 2) * np.sqrt(gammaincinv((n - 1) / 2, (node + 1) / 2) * 2 / (n - 1))

    def lacking(shift: float) -> float:
        return float(power - (ndtr(shift - limit) + ndtr(-shift - limit)) @ weight / 2)

    high = 1.0
    while lacking(high) > 0:
        high *= 2
    return float(brentq(lacking, 0, high))
