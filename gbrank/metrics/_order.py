"""Measures of the order of pairs of documents, as functions of one whole ranked list; see `_lists`.

The documents without a place stand below all others, as one tie group: `value` is longer than `tie_end` by them.
Nothing to tell apart is NaN.  All but `auc` take time that grows with the square of the number of documents.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def auc(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Share of pairs of a relevant and another document in the right order, tied pairs as one half."""
    relevant = value.sum()
    pairs = relevant * (len(value) - relevant)
    right, above, start = 0.0, 0.0, 0
    while start < len(value):
        end = tie_end[start] if start < len(tie_end) else len(value)
        here = value[start:end].sum()
        right += (end - start - here) * (above + here / 2)
        above += here
        start = end
    return right / pairs if pairs > 0 else np.nan


def pairs(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Share of pairs of unequal labels in the right order, tied pairs as one half."""
    right, total = 0.0, 0
    for j in range(len(value)):
        end = tie_end[j] if j < len(tie_end) else len(value)
        for i in range(j + 1, len(value)):
            if value[i] != value[j]:
                total += 1
                if i < end:
                    right += 0.5
                elif value[j] > value[i]:
                    right += 1
    return right / total if total > 0 else np.nan


def tau(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Pairs in the right order less those in the wrong one, divided by sqrt(untied scores x untied labels)."""
    surplus, scored, labelled = 0.0, 0.0, 0.0
    for j in range(len(value)):
        end = tie_end[j] if j < len(tie_end) else len(value)
        scored += len(value) - end
        for i in range(j + 1, len(value)):
            labelled += value[i] != value[j]
            if i >= end:
                surplus += np.sign(value[j] - value[i])
    return surplus / np.sqrt(scored * labelled) if scored > 0 and labelled > 0 else np.nan


def tau_ap(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """Mean over places p > 1 of twice the share of documents above p that belong there, less 1.

    Equal labels, and equal scores, stand in either order with equal probability.
    """
    n = len(value)
    total, start = 0.0, 0
    while start < n:
        end = tie_end[start] if start < len(tie_end) else n
        surplus = 0.0  # of a member of the group, on average, against the documents above the group
        for j in range(start, end):
            for i in range(start):
                surplus += np.sign(value[i] - value[j])
        for p in range(max(start, 1), end):
            total += surplus / (end - start) / p
        start = end
    lowest, highest = value.min(), value.max()
    return total / (n - 1) if lowest < highest else np.nan
