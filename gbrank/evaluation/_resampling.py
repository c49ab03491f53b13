"""Resampling of per-query values: bootstrap means, sign flips, and permutations of systems within queries.

Every resample draws from a stream of its own, so results depend on the seed alone and not on the number of threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._compile import in_parallel, kernel, thread_count, trailing_zeros

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
STEP = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64: Steele, Lea and Flood, OOPSLA 2014
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S27, S30, S31, S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
LOW, BYTE = np.uint64(0xFFFFFFFF), np.uint64(0xFF)


def resampled_means(values: Matrix, n_resamples: int, random_state: int, n_jobs: int | None = None) -> Matrix:
    """Return the means of the columns in bootstrap resamples of the rows, the same rows for all columns.

    Parameters
    ----------
    values : array of shape (n_queries, n_columns)
    n_resamples, random_state : int
    n_jobs : int, optional

    Returns
    -------
    array of shape (n_resamples, n_columns)
    """
    return _streams(_bootstrap, values, values.shape[1], n_resamples, random_state, n_jobs) / len(values)


def permuted_ranges(values: Matrix, n_resamples: int, random_state: int, n_jobs: int | None = None) -> Vector:
    """Return the highest less the lowest column mean after permuting the values of each row, for each resample.

    Parameters
    ----------
    values : array of shape (n_queries, n_systems)
    n_resamples, random_state : int
    n_jobs : int, optional

    Returns
    -------
    array of shape (n_resamples,)
    """
    sums = _streams(_permute, values, values.shape[1], n_resamples, random_state, n_jobs)
    return np.asarray(np.ptp(sums, axis=1)) / len(values)


def share_of_sign_flips(values: Matrix, n_resamples: int, random_state: int, n_jobs: int | None = None) -> Vector:
    """Return how often the sum of a column is at least as far from 0 when the signs of its values are random.

    Where a column has so few values other than 0 that all patterns of signs are no more than `n_resamples`, these are
    enumerated and the share is exact.  Otherwise the patterns are random, the same for all columns, and the share is
    (b + 1) / (n_resamples + 1), for b of them at least as far: the observed pattern is one of them (Phipson and
    Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010).

    Parameters
    ----------
    values : array of shape (n_queries, n_columns)
    n_resamples, random_state : int
    n_jobs : int, optional

    Returns
    -------
    array of shape (n_columns,)
    """
    needed = np.abs(values.sum(axis=0)) - 1e-12 * np.abs(values).sum(axis=0)  # sums in another order are no others
    few = np.count_nonzero(values, axis=0) <= np.log2(n_resamples)
    share = np.empty(values.shape[1])
    for j in np.flatnonzero(few):
        column = values[values[:, j] != 0, j]
        patterns = 1 - 2.0 * (np.arange(1 << len(column))[:, None] >> np.arange(len(column)) & 1)
        share[j] = np.mean(np.abs(patterns @ column) >= needed[j])
    if not few.all():
        many = values[:, ~few]
        kept = _streams(_subset_sums, many, many.shape[1], n_resamples, random_state, n_jobs)
        beyond = (np.abs(2 * kept - many.sum(axis=0)) >= needed[~few]).sum(axis=0)
        share[~few] = (beyond + 1) / (n_resamples + 1)
    return share


def _streams(
    run: Callable[..., None], values: Matrix, width: int, n_resamples: int, random_state: int, n_jobs: int | None
) -> Matrix:
    """Call ``run(first, last, seeds, values, out)`` on runs of resamples, and return `out`."""
    seeds = np.random.default_rng(random_state).integers(0, 1 << 64, n_resamples, dtype=np.uint64, endpoint=False)
    values, out = np.require(values, np.float64, ["C", "W"]), np.zeros((n_resamples, width))
    cuts = np.linspace(0, n_resamples, min(thread_count(n_jobs), n_resamples) + 1).astype(int).tolist()
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (run, (first, last, seeds, values, out)) for first, last in itertools.pairwise(cuts)
    ]
    in_parallel(calls)
    return out


@kernel
def _mixed(state: Any) -> Any:
    word = (state ^ (state >> S30)) * MIX_1
    word = (word ^ (word >> S27)) * MIX_2
    return word ^ (word >> S31)


@kernel
def _bootstrap(first: int, last: int, seeds: Any, values: Matrix, out: Matrix) -> None:
    """Add up as many random rows as there are, for each resample."""
    n, width = values.shape
    size = np.uint64(n)
    total = np.zeros(width)
    for resample in range(first, last):
        state = seeds[resample]
        for j in range(width):
            total[j] = 0.0
        for i in range(0, n, 2):
            state += STEP
            word = _mixed(state)
            row = np.int64(((word & LOW) * size) >> S32)
            for j in range(width):
                total[j] += values[row, j]
            if i + 1 < n:
                row = np.int64(((word >> S32) * size) >> S32)
                for j in range(width):
                    total[j] += values[row, j]
        for j in range(width):
            out[resample, j] = total[j]


@kernel
def _subset_sums(first: int, last: int, seeds: Any, values: Matrix, out: Matrix) -> None:
    """Add up the rows of a random subset, for each resample: sums of eight rows at a time come from tables."""
    n, width = values.shape
    table = np.zeros((8, 256, width))
    for word_number in range((n + 63) // 64):
        for byte in range(8):
            for pattern in range(1, 256):
                rest = pattern & (pattern - 1)  # without its lowest bit
                row = word_number * 64 + byte * 8 + trailing_zeros(np.uint64(pattern))
                for j in range(width):
                    more = values[row, j] if row < n else 0.0
                    table[byte, pattern, j] = table[byte, rest, j] + more
        step = STEP * np.uint64(word_number + 1)
        for resample in range(first, last):
            word = _mixed(seeds[resample] + step)
            for byte in range(8):
                kept = np.int64((word >> np.uint64(8 * byte)) & BYTE)
                for j in range(width):
                    out[resample, j] += table[byte, kept, j]


@kernel
def _permute(first: int, last: int, seeds: Any, values: Matrix, out: Matrix) -> None:
    """Add up the rows, each in an order of its own (Fisher and Yates), for each resample."""
    n, width = values.shape
    row, total = np.empty(width), np.empty(width)
    draws = 4 if width <= 10 else 1  # from one word: what is left of it after these is still fine enough
    for resample in range(first, last):
        state, fraction = seeds[resample], np.uint64(0)
        for j in range(width):
            total[j] = 0.0
        for i in range(n):
            for j in range(width):
                row[j] = values[i, j]
            for j in range(width - 1, 0, -1):
                if (width - 1 - j) % draws == 0:
                    state += STEP
                    fraction = _mixed(state) >> S32
                product = fraction * np.uint64(j + 1)
                other, fraction = np.int64(product >> S32), product & LOW
                total[j] += row[other]
                row[other] = row[j]
            total[0] += row[0]
        for j in range(width):
            out[resample, j] = total[j]
