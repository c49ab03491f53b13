"""Models in which a click depends on the rank and, at most, on where the last click above was."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from .._checks import IntArray
from . import _kernels
from ._em import Prior, check_fit, climb, log_prior, shares
from ._log import ClickLog
from ._model import ClickModel, table_of
from ._pairs import Mask, Vector

Cells = tuple[IntArray, IntArray, Vector, Vector]
State = tuple[Vector, Vector, Vector]
SPARSE = 4  # codes for each row beyond which codes are sorted rather than marked


@dataclass(frozen=True, eq=False)
class ContextModel(ClickModel):
    """A click on an attractive document has probability `high` of its context, on another one `low`."""

    trusting: ClassVar[bool] = False  # whether `low` is more than 0
    of_last_click: ClassVar[bool] = False  # whether a context is a rank and the last click above, or a rank

    @abc.abstractmethod
    def _high_low(self) -> tuple[Vector, Vector]:
        """Return both by the rank of the last click above, 0 for none, and the rank less 1; or one row for all."""

    @classmethod
    @abc.abstractmethod
    def _made(cls, high: Vector, low: Vector, n_ranks: int, **fields: Any) -> Self:
        """Return the model of what was found for each context."""

    def _squares(self) -> tuple[Vector, Vector]:
        high, low = (np.atleast_2d(each) for each in self._high_low())
        shape = (high.shape[1], high.shape[1])
        return np.array(np.broadcast_to(high, shape), order="C"), np.array(np.broadcast_to(low, shape), order="C")

    def _walk(self, ptr: IntArray, attraction: Vector, satisfaction: Vector, click: Mask, uniform: Vector) -> Vector:
        out = np.empty(len(attraction))
        _kernels.context_rows(ptr, attraction, *self._squares(), uniform, click, out)
        return out

    def _marginal(self, ptr: IntArray, attraction: Vector, satisfaction: Vector) -> Vector:
        out = np.empty(len(attraction))
        _kernels.context_marginals(ptr, attraction, *self._squares(), out)
        return out

    @classmethod
    def fit(
        cls,
        log: ClickLog,
        *,
        prior: Prior = (1.0, 1.0),
        tolerance: float = 1e-7,
        max_iterations: int = 2000,
    ) -> Self:
        """Return the model of a log, by expectation maximisation.

        Only products of attraction and browsing are observed, so their scale is a convention: the highest probability
        of browsing is 1.  What no session tells is as the prior has it, or 1/2, before that.

        Parameters
        ----------
        log : ClickLog
        prior : pair of float
            Smoothing: successes and failures that every probability is held to have had before the log.
        tolerance : float
            The EM ends when log-likelihood, plus logarithm of the prior, grows by less for each session.
        max_iterations : int
            Passes over the log, at most; a warning says when they were not enough.

        Raises
        ------
        ParameterError
            A prior, tolerance or number that is out of range.
        """
        return cls._fit(log, None, check_fit(log, prior, tolerance, max_iterations), tolerance, max_iterations)

    @classmethod
    def _fit(cls, log: ClickLog, known: Vector | None, prior: Prior, tolerance: float, max_iterations: int) -> Self:
        """Return the model; with `known`, attractions of the catalogue's pairs, only browsing is found."""
        cells = cls._cells(log)
        n_contexts = log.n_ranks**2 if cls.of_last_click else log.n_ranks
        low = np.full(n_contexts, 0.05 if cls.trusting else 0.0)
        start = (np.full(log.n_pairs, 0.5) if known is None else known, np.full(n_contexts, 0.5), low)

        step = cell_step(cells, prior, known=known is not None, trusting=cls.trusting)
        state, history = climb(
            step, start, n_sessions=log.n_sessions, tolerance=tolerance, max_iterations=max_iterations
        )
        seen = np.bincount(cells[1], minlength=n_contexts) > 0
        attraction, high, low = state if known is not None else stretched(state, seen)
        shown = np.bincount(log.pair, minlength=log.n_pairs).astype(np.float64)
        return cls._made(high, low, log.n_ranks, attraction=table_of(log, attraction, shown), history=history)

    @classmethod
    def _cells(cls, log: ClickLog) -> Cells:
        """Return the pair and context of each cell that the log has, and how many clicks and skips it had."""
        width = log.n_ranks
        context = log.rank - 1
        if cls.of_last_click:
            context, width = context * width + last_clicks_above(log), width**2
        cell, at = compacted(log.pair * width + context, log.n_pairs * width)
        clicks = np.bincount(at, log.click).astype(np.float64)
        return cell // width, cell % width, clicks, np.bincount(at) - clicks


def cell_step(
    cells: Cells, prior: Prior, *, known: bool = False, trusting: bool = False
) -> Callable[[State], tuple[float, State]]:
    """Return the EM step of attractions, `high` and `low`, from counts of cells of one pair and one context.

    Parameters
    ----------
    cells : pair, context, clicks and skips, each of shape (n_cells,)
    known, trusting : bool
        Whether attractions stay as they are; whether `low` is found as well.
    """

    def step(state: State) -> tuple[float, State]:
        attraction, high, low = state
        sums, high_sums, low_sums = (np.zeros((len(each), 2)) for each in state)
        value = _kernels.context_step(*cells, attraction, high, low, sums, high_sums, low_sums)
        judged = [high] + [attraction] * (not known) + [low] * trusting
        found = attraction if known else shares(sums, prior, attraction)
        new_low = shares(low_sums, prior, low) if trusting else low
        return value + log_prior(prior, judged), (found, shares(high_sums, prior, high), new_low)

    return step


def compacted(code: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Return the codes that occur, sorted, and the place among them of each; `size` is more than any code."""
    if size > SPARSE * len(code):
        found, at = np.unique(code, return_inverse=True)
        return found, at
    there = np.zeros(size, np.bool_)
    there[code] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[code]


def last_clicks_above(log: ClickLog) -> IntArray:
    """Return the rank of the last click above each row, 0 where there is none."""
    row = np.arange(log.n_rows)
    begin = np.repeat(log.session_ptr[:-1], log.session_sizes)
    clicked = np.maximum.accumulate(np.where(log.click, row, -1))
    above = np.concatenate(([-1], clicked[:-1]))
    return np.where(above >= begin, above - begin + 1, 0)


def stretched(state: State, seen: npt.NDArray[np.bool_]) -> State:
    """Return the same click probabilities with browsing stretched over as much of [0, 1] as there is.

    A click has probability low + a (high - low), with the attraction a in [0, 1]: a may be replaced by any line of it
    that keeps all of them probabilities.
    """
    attraction, high, low = state
    d = (high - low)[seen]
    base = low[seen]
    slope = np.where(d == 0, np.nan, d)
    ends = np.stack([-base / slope, (1 - base) / slope])
    least, most = np.nanmax(ends.min(axis=0), initial=-np.inf), np.nanmin(ends.max(axis=0), initial=np.inf)
    if not (np.isfinite(least) and np.isfinite(most)):
        return state
    least, most = min(least, 0.0), max(most, 1.0)
    new_high, new_low = (np.clip(low + end * (high - low), 0.0, 1.0) for end in (most, least))
    return np.clip((attraction - least) / (most - least), 0.0, 1.0), new_high, new_low
