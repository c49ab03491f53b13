"""Measures of what documents are about, as functions of one ranked list; see `_lists`.

They are called once for each column of the table of aspects, and added up.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def covered(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Probability of a document about the aspect in the first k places, divided by the number of aspects, `norm`."""
    start = 0
    while start < min(k, len(value)):
        end = tie_end[start]
        rest, size = end - start - value[start:end].sum(), end - start
        missed = 1.0
        for i in range(min(end, k) - start):
            missed *= (rest - i) / (size - i)
        if missed < 1:
            return (1 - missed) / norm
        start = end
    return 0.0


def alikeness(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Expected mean of v_i v_j over the pairs of the first k places; NaN where there is no pair.

    Two members of a group of g, of which t have one of the places, are both among them by t (t - 1) / (g (g - 1)).
    """
    places = min(k, len(value))
    total, above, start = 0.0, 0.0, 0
    while start < places:
        end = tie_end[start]
        size, taken = end - start, min(end, k) - start
        here = value[start:end].sum()
        squares = (value[start:end] ** 2).sum()
        total += above * here * taken / size
        total += (here * here - squares) / 2 * taken * (taken - 1) / max(size * (size - 1), 1)
        above += here
        start = end
    return total / (places * (places - 1) / 2) if places > 1 else np.nan
