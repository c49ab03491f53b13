"""Random numbers that depend on nothing but a seed and a place, so that every engine and thread draws the same.

The generator is SplitMix64: the n-th number of a stream is a hash of seed + n * increment, found without the others.

References
----------
Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 15.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._checks import IntArray
from ..._compile import kernel

INCREMENT = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mixed(seed: int, number: int) -> int:
    """Return a seed for the stream `number` of `seed`, in 63 bits."""
    z = (seed + (number + 1) * INCREMENT) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) >> 1


@kernel
def stream(seed: int, number: int) -> Any:
    """Return, within kernels, what `mixed` returns."""
    z = np.uint64(seed) + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) >> np.uint64(1))


@kernel
def uniform(seed: int, count: int) -> Any:
    """Return `count` numbers, uniform in the open interval (0, 1)."""
    out = np.empty(count)
    for i in range(count):
        out[i] = (stream(seed, i) >> 11) * (1.0 / 4503599627370496.0) + (0.5 / 4503599627370496.0)
    return out


@kernel
def _fill(seed: int, query_ptr: Any, out: Any) -> None:
    for q in range(len(query_ptr) - 1):
        key = stream(seed, q)
        for i in range(query_ptr[q + 1] - query_ptr[q]):
            out[query_ptr[q] + i] = (stream(key, i) >> 11) * (1.0 / 4503599627370496.0) + (0.5 / 4503599627370496.0)


def uniform_rows(seed: int, query_ptr: IntArray) -> npt.NDArray[np.float64]:
    """Return a number for each document: that of its place in its query, from the query's own stream."""
    out = np.empty(int(query_ptr[-1]))
    _fill(seed, query_ptr, out)
    return out
