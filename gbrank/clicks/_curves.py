"""From counts to a curve: the propensity of each rank, relative to the first, as each estimator has it.

A curve has 0 where nothing was clicked, and NaN where the counts do not tell.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._checks import IntArray
from ._context import State, cell_step
from ._em import climb
from ._pairs import Mask, Vector
from ._showings import Sets, Showings

Curve = Callable[[Vector, Vector], Vector]
TOLERANCE, MAX_ITERATIONS = 1e-4, 5000  # of the log-likelihood: far less than the 1/2 that a standard error is


def pivot(sets: Sets) -> Vector:
    """Return clicks at each rank over clicks at the first, of what was shown at both."""
    rates = sets.rates
    return _first_is_1(_ratios(rates[:, 0], rates[0]))


def adjacent(sets: Sets) -> Vector:
    """Return the product, down to each rank, of clicks over clicks one rank above, of what was shown at both."""
    rates = sets.rates
    steps = _ratios(np.diagonal(rates, -1), np.diagonal(rates, 1))
    return np.concatenate(([1.0], np.cumprod(steps)))


def all_pairs(sets: Sets) -> Vector:
    """Return the curve of maximum likelihood, with an attraction for each two ranks: clicks at k have p_k r_kl."""
    above, below = np.nonzero(np.triu(sets.shown))
    ranks = np.concatenate((above, below))
    others = np.concatenate((below, above))
    number = np.tile(np.arange(len(above)), 2)
    clicks = sets.clicks[ranks, others]
    cells = (number, ranks, clicks, sets.shown[ranks, others] - clicks)
    curve = _of_groups(cells, len(above), len(sets.shown))
    curve[_lost(sets)] = np.nan
    return curve


def of_swaps(sets: Sets) -> Vector:
    """Return `pivot` where every swap has the first rank, `adjacent` where each has the next, or `all_pairs`."""
    above, below = np.nonzero(np.triu(sets.shown))
    if not above.any():
        return pivot(sets)
    return adjacent(sets) if (below == above + 1).all() else all_pairs(sets)


CURVES: dict[str, Callable[[Sets], Vector]] = {
    "swaps": of_swaps,
    "all_pairs": all_pairs,
    "adjacent": adjacent,
    "pivot": pivot,
}


def of_sets(showings: Showings, method: str) -> Curve:
    """Return the estimator of `CURVES` that compares the showings of sets."""

    def curve(shown: Vector, clicks: Vector) -> Vector:
        return CURVES[method](showings.sets(shown, clicks))

    return curve


def of_pairs(showings: Showings) -> Curve:
    """Return the estimator by the position-based model, with an attraction for each pair."""
    pairs, groups = np.unique(showings.group, return_inverse=True)

    def curve(shown: Vector, clicks: Vector) -> Vector:
        found = _of_groups((groups, showings.rank, clicks, shown - clicks), len(pairs), showings.n_ranks)
        found[_lost(showings.sets(shown, clicks))] = np.nan
        return found

    return curve


def of_cells(
    cells: tuple[IntArray, IntArray, Vector, Vector], attraction: Vector, curve: Vector, *, known: bool = True
) -> Vector:
    """Return examination by rank in the position-based model of maximum likelihood.

    Parameters
    ----------
    cells : group, rank, clicks and skips, each of shape (n_cells,)
    attraction : array of shape (n_groups,)
    curve : array of shape (n_ranks,)
        Where to start.
    known : bool
        Whether attractions are kept, or found as well, from these on.
    """
    step = cell_step(cells, (0.0, 0.0), known=known)
    start: State = (attraction, curve, np.zeros_like(curve))
    state, _ = climb(step, start, n_sessions=1, tolerance=TOLERANCE, max_iterations=MAX_ITERATIONS)
    return np.asarray(state[1])


def _of_groups(cells: tuple[IntArray, IntArray, Vector, Vector], n_groups: int, n_ranks: int) -> Vector:
    """Return the curve where attractions of groups are found as well."""
    found = of_cells(cells, np.full(n_groups, 0.5), np.full(n_ranks, 0.5), known=False)
    return _first_is_1(_ratios(found, found[0]))


def _ratios(one: Vector, other: Vector) -> Vector:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(one / other)


def _first_is_1(curve: Vector) -> Vector:
    curve = np.array(curve)
    curve[0] = 1.0
    return curve


def _lost(sets: Sets) -> Mask:
    """Return the ranks that nothing leads to from the first: nothing was shown at both, or at others in turn."""
    linked = sets.shown > 0
    found = np.arange(len(linked)) == 0
    for _ in linked:
        found = found | linked[found].any(axis=0)
    return np.asarray(~found)
