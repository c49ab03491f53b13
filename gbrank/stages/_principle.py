"""The generalised probability ranking principle, and the check of the assumption on which relabelling rests.

Zheng et al., "Full Stage Learning to Rank", arXiv 2405.04844: sections 4 to 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector, check_positive, check_whole, real_numbers
from ..evaluation._resampling import resampled_means
from ._frames import plain
from ._log import StageLog

if TYPE_CHECKING:
    import pandas as pd

Vector = npt.NDArray[np.float64]


def gprp_scores(p_later: npt.ArrayLike, r: npt.ArrayLike) -> Vector:
    r"""Return the scores by which a stage should rank: w(u, v) = p(u, v) r(u, v), equation 7 of the paper.

    p is the probability that the later stages let the item through to the user, the product of theirs, and r what the
    user gains from it.  The items with the highest w have the highest expected gain if a stage judges each item by
    itself (assumption 1).  Where p is the same for all items, or rises with r, the order is that of r alone, the
    probability ranking principle (observations 1 and 2).

    Parameters
    ----------
    p_later : array-like of shape (n_items,) or (n_items, n_later_stages)
        The probability of all later stages, or a column for each.
    r : array-like of shape (n_items,)
        0 or more.

    Returns
    -------
    array of shape (n_items,)

    Raises
    ------
    DataError
        A probability outside 0 to 1, a negative r, unequal lengths.

    Examples
    --------
    >>> gprp_scores([[0.5, 0.2], [0.5, 1.0]], [1.0, 0.4]).tolist()
    [0.1, 0.2]
    """
    gain = as_vector("r", r)
    p = real_numbers("p_later", p_later)
    if p.ndim not in (1, 2) or len(p) != len(gain):
        raise DataError(f"p_later: of shape {p.shape} for {len(gain)} items; give a row for each.")
    bad = ~((p >= 0) & (p <= 1))
    if bad.any():
        where = np.argwhere(bad)[0]
        raise DataError(f"p_later: row {where[0]} has {p[tuple(where)]:g}; a probability lies between 0 and 1.")
    if len(gain) and gain.min() < 0:
        raise DataError(f"r: row {int(np.argmin(gain))} is {gain.min():g}; give 0 or more.")
    return np.asarray(gain * (p if p.ndim == 1 else p.prod(axis=1)))


@dataclass(frozen=True, eq=False)
class AssumptionCheck:
    """What forced exposures say of assumption 2; made by `check_assumption_2`.

    Attributes
    ----------
    table : DataFrame
        A row for each stage: `items` shown, their mean feedback `mean` within `low` to `high`, and from the second on
        the `ratio` to the stage before within `ratio_low` to `ratio_high`; `passed`, how many items enter for each that
        the stage lets through, where sizes were given; `holds`.
    a : float
        The bound on ratios.
    smallest_a : float
        The smallest bound that all ratios of the log keep.
    confidence : float
    """

    table: pd.DataFrame
    a: float
    smallest_a: float
    confidence: float

    @property
    def holds(self) -> bool:
        """Whether the ratios of all neighbours keep the bound, as far as means can say."""
        return bool(self.table["holds"].iloc[1:].all())

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "does not hold"
        return (
            f"assumption 2 {verdict} on average for a = {self.a:g} (the smallest a that it holds for is "
            f"{self.smallest_a:.3g}; intervals of {self.confidence:.0%} over requests)\n{self.table.to_string()}"
        )


def check_assumption_2(
    source: StageLog | pd.DataFrame | Sequence[float],
    *,
    a: float = 2.0,
    sizes: Sequence[float] | None = None,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> AssumptionCheck:
    r"""Check assumption 2 of full-stage learning on items that were shown whatever stage they had reached.

    The assumption says, for items v of stage i and v' of stage i + 1: 1 / a <= r(v') / r(v) <= a <= p(v') / p(v), where
    p is the probability to pass the later stages.  Neither r nor p of a single item is ever seen; what can be seen are
    means.  As in the paper's table 1, this compares the mean feedback of neighbouring stages, forced exposures of a
    stage against those of the stage before, and on request the ratio of what enters a stage to what it lets through,
    the paper's stand-in for p(v') / p(v).  It is a diagnosis, not a proof: means may keep a bound that items break.

    Intervals are percentiles of the bootstrap over requests.

    Parameters
    ----------
    source : StageLog, DataFrame or sequence of float
        A log with forced exposures: its rows with feedback count, of the last stage those exposed as usual, too.  Or a
        table with a row for each exposure: `stage`, `feedback`, and `request`, without which each row is resampled by
        itself.  Or only the means of neighbouring stages, lowest first, as published; then there are no intervals.
    a : float
        The bound, at least 1.
    sizes : sequence of float, optional
        How many items reach each stage of the table in a request, lowest first; checks a <= p(v') / p(v) as well.
    confidence : float
        Of the intervals, between 0 and 1.
    n_resamples, random_state : int
    n_jobs : int, optional

    Raises
    ------
    DataError
        Fewer than two stages have feedback, a mean is 0, which has no ratio, or a value is none: a stage that is no
        whole number of 0 or more, negative or infinite feedback.
    ParameterError
        `a` below 1, another number of sizes, sizes that rise.

    Examples
    --------
    The click-through rates of the paper's table 1:

    >>> check = check_assumption_2([0.29, 0.33, 0.34, 0.49, 0.56])
    >>> check.holds, round(check.smallest_a, 2)
    (True, 1.44)
    """
    check_positive("a", a)
    if a < 1:
        raise ParameterError(f"a={a:g}: the bound is at least 1.")
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence={confidence!r}: give a number between 0 and 1.")
    check_whole("n_resamples", n_resamples)
    stages, sums, counts = _sums_by_request(source)
    if len(stages) < 2:
        raise DataError(
            f"source: {len(stages)} stages have feedback, two are needed; force some items of lower stages to exposure "
            "and mark them in `forced`."
        )
    total = counts.sum(axis=0)
    mean = sums.sum(axis=0) / total
    if mean.min() <= 0:
        raise DataError(f"source: the mean feedback of stage {stages[np.argmin(mean)]} is 0, which has no ratio.")
    low, high = np.full((2, len(stages)), np.nan)
    ratio_low, ratio_high = np.full((2, len(stages) - 1), np.nan)
    if len(sums) > 1:
        drawn = resampled_means(np.ascontiguousarray(np.hstack((sums, counts))), n_resamples, random_state, n_jobs)
        with np.errstate(divide="ignore", invalid="ignore"):
            means = drawn[:, : len(stages)] / drawn[:, len(stages) :]
            ratios = means[:, 1:] / means[:, :-1]
            levels = (1 - confidence) / 2, (1 + confidence) / 2
            low, high = np.nanquantile(means, levels, axis=0)
            ratio_low, ratio_high = np.nanquantile(ratios, levels, axis=0)
    return _verdict(
        stages, total, mean, (low, high), (ratio_low, ratio_high), a, _passed(sizes, len(stages)), confidence
    )


def _verdict(
    stages: IntArray, total: Vector, mean: Vector, interval: Any, ratio_interval: Any, a: float, passed: Vector,
    confidence: float,
) -> AssumptionCheck:  # fmt: skip
    import pandas as pd

    def later(values: Vector) -> Vector:
        return np.concatenate(([np.nan], values))

    ratio = mean[1:] / mean[:-1]
    spread = np.maximum(ratio, 1 / ratio)
    holds = (spread <= a) & ~(passed < a)
    table = pd.DataFrame(
        {
            "items": total.astype(np.int64),
            "mean": mean,
            "low": interval[0],
            "high": interval[1],
            "ratio": later(ratio),
            "ratio_low": later(ratio_interval[0]),
            "ratio_high": later(ratio_interval[1]),
            "passed": later(passed),
            "holds": pd.array([pd.NA, *holds.tolist()], dtype="boolean"),
        },
        index=pd.Index(stages, name="stage"),
    )
    return AssumptionCheck(table, float(a), float(spread.max()), confidence)


def _sums_by_request(source: Any) -> tuple[IntArray, Vector, Vector]:
    """Return the stages that have feedback, and its sums and counts, of shape (n_requests, n_stages) each."""
    import pandas as pd

    if isinstance(source, StageLog):
        number = np.repeat(np.arange(source.n_requests), source.request_sizes)
        stage, feedback = source.stage.astype(np.float64), source.feedback
    elif isinstance(source, pd.DataFrame):
        lost = [name for name in ("stage", "feedback") if name not in source.columns]
        if lost:
            raise DataError(f"source: no column {lost[0]!r}; give stage, feedback and, if there is one, request.")
        stage = as_vector("stage", source["stage"])
        feedback = real_numbers("feedback", plain(source["feedback"]))
        _require("stage", stage, (stage >= 0) & (stage == np.floor(stage)), "give a whole number of 0 or more")
        ok = np.isnan(feedback) | (np.isfinite(feedback) & (feedback >= 0))
        _require("feedback", feedback, ok, "give a finite number of 0 or more, or leave it missing")
        ids = source["request"] if "request" in source.columns else np.arange(len(source))
        number = pd.factorize(ids)[0]
    else:
        means = as_vector("source", source)
        _require("source", means, means >= 0, "a mean is 0 or more")
        return np.arange(1, len(means) + 1), means[None, :], np.ones((1, len(means)))
    seen = np.logical_not(np.isnan(feedback))
    if not seen.any():
        return np.empty(0, np.int64), np.empty((0, 0)), np.empty((0, 0))
    stages, column = np.unique(stage[seen], return_inverse=True)
    _, row = np.unique(number[seen], return_inverse=True)
    shape = int(row.max()) + 1, len(stages)
    cell = row * len(stages) + column
    sums = np.bincount(cell, feedback[seen], minlength=shape[0] * shape[1]).astype(np.float64)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).astype(np.float64)
    return stages.astype(np.int64), sums.reshape(shape), counts.reshape(shape)


def _require(name: str, values: Vector, good: npt.NDArray[np.bool_], remedy: str) -> None:
    """Raise a `DataError` that names the first value that is not good."""
    if not good.all():
        row = int(np.argmin(good))
        raise DataError(f"{name}: row {row} is {values[row]:g}; {remedy}.")


def _passed(sizes: Sequence[float] | None, n_stages: int) -> Vector:
    """Return how many items enter for each that a stage lets through."""
    if sizes is None:
        return np.full(n_stages - 1, np.nan)
    given = as_vector("sizes", sizes)
    if len(given) != n_stages or given.min() <= 0 or (np.diff(given) > 0).any():
        raise ParameterError(f"sizes={sizes!r}: give {n_stages} numbers above 0, one for each stage, that never rise.")
    return np.asarray(given[:-1] / given[1:])
