"""Lambda weights: what a pair of documents is worth, by what swapping them would change.

A weight is a pair of plain functions.  ``prepare`` looks at one ranked list and fills two numbers for each place and
returns one for the list; ``delta(i, j, gain_i, gain_j, a_i, a_j, b_i, b_j, c)`` is the weight of the pair at the places
i < j, counted from 0, of different gain, elementwise, from those numbers.  Both engines call the same two functions.
What the gain is (2^y - 1, the label, relevant or not, the probability of stopping) is said by ``worth``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class LambdaWeight(NamedTuple):
    """A named weight of pairs.

    `worth` tells what the gain of a label is, `ranked` whether the weight depends on the ranks, and `symmetric` whether
    it is the same if the two documents are given the other way about.
    """

    name: str
    prepare: Callable[..., float]
    delta: Callable[..., Any]
    worth: str = "label"
    ranked: bool = True
    symmetric: bool = False


def _nothing(gain: Any, discount: Any, ideal: Any, a: Any, b: Any) -> float:
    return 1.0


def _uniform(i: Any, j: Any, gain_i: Any, gain_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    return 1.0


def _label_difference(i: Any, j: Any, gain_i: Any, gain_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    return abs(gain_i - gain_j)


def _prepare_ndcg(gain: Any, discount: Any, ideal: Any, a: Any, b: Any) -> float:
    for k in range(len(gain)):  # an assignment of slices takes seconds to compile, for its error message alone
        b[k] = discount[k]
    return 1.0 / ideal if ideal > 0.0 else 0.0


def _ndcg(i: Any, j: Any, gain_i: Any, gain_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    return abs(gain_i - gain_j) * abs(b_i - b_j) * c


def _prepare_map(gain: Any, discount: Any, ideal: Any, a: Any, b: Any) -> float:
    """Precision at each place, and the sum of 1 / k over the relevant places k so far."""
    found, inverse = 0.0, 0.0
    for k in range(len(gain)):
        found += gain[k]
        inverse += gain[k] / (k + 1.0)
        a[k] = found / (k + 1.0)
        b[k] = inverse
    return 1.0 / found if found > 0.0 else 0.0


def _map(i: Any, j: Any, gain_i: Any, gain_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    # Relevant at i: the swap loses its precision, and 1 / k at each relevant k between, and wins the precision at j.
    # Relevant at j: the other way about; the precision at i has then one more.
    lost = a_i - a_j + b_j - b_i
    won = a_i - a_j + b_j - b_i + 1.0 / (i + 1.0) - 1.0 / (j + 1.0)
    return abs(np.where(gain_i > gain_j, lost, won)) * c


def _prepare_mrr(gain: Any, discount: Any, ideal: Any, a: Any, b: Any) -> float:
    """Reciprocal ranks of the first and of the second relevant document, the same for every place."""
    first, second = 0.0, 0.0
    for k in range(len(gain)):
        if gain[k] > 0.0:
            if first > 0.0:
                second = 1.0 / (k + 1.0)
                break
            first = 1.0 / (k + 1.0)
    for k in range(len(gain)):
        a[k] = first
        b[k] = second
    return 1.0


def _mrr(i: Any, j: Any, gain_i: Any, gain_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    here, there = 1.0 / (i + 1.0), 1.0 / (j + 1.0)
    # The first relevant document moves down to j, or behind the second; or one from below comes before the first.
    down = np.where(here >= a_i, a_i - np.maximum(b_i, there), 0.0)
    up = np.maximum(here - a_i, 0.0)
    return np.where(gain_i > gain_j, down, up)


def _prepare_err(gain: Any, discount: Any, ideal: Any, a: Any, b: Any) -> float:
    """Probability of coming to each place, and the sum of what the places so far contribute."""
    coming, total = 1.0, 0.0
    for k in range(len(gain)):
        a[k] = coming
        total += coming * gain[k] / (k + 1.0)
        b[k] = total
        coming *= 1.0 - gain[k]
    return 1.0


def _err(i: Any, j: Any, gain_i: Any, gain_j: Any, a_i: Any, a_j: Any, b_i: Any, b_j: Any, c: Any) -> Any:
    last = a_j * gain_j / (j + 1.0)
    between = b_j - last - b_i
    odds = (1.0 - gain_j) / (1.0 - gain_i)  # by which coming to the places below i changes
    first = a_i * (gain_j - gain_i) / (i + 1.0)
    return abs(first + (odds - 1.0) * between + a_j * gain_i * odds / (j + 1.0) - last)


UNIFORM = LambdaWeight("uniform", _nothing, _uniform, ranked=False, symmetric=True)
LABEL_DIFFERENCE = LambdaWeight("label_difference", _nothing, _label_difference, ranked=False, symmetric=True)
NDCG = LambdaWeight("ndcg", _prepare_ndcg, _ndcg, worth="gain", symmetric=True)
MAP = LambdaWeight("map", _prepare_map, _map, worth="relevant")
MRR = LambdaWeight("mrr", _prepare_mrr, _mrr, worth="relevant")
ERR = LambdaWeight("err", _prepare_err, _err, worth="stopping")
WEIGHTS = {weight.name: weight for weight in (UNIFORM, LABEL_DIFFERENCE, NDCG, MAP, MRR, ERR)}
