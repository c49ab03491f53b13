"""`selection_effect`: how much the best of many losses would seem to gain if none gained anything."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, check_whole

MOST_AT_ONCE = 4_000_000  # numbers drawn and multiplied in one go


@dataclass(frozen=True)
class SelectionEffect:
    """What selection does to the best of a search's rewards.

    Attributes
    ----------
    best : float
        The highest mean gain over folds, as the search saw it.
    expected, high : float
        Mean and 95 % quantile of the highest of as many mean gains whose true values are all 0.
    p : float
        Share of draws in which that highest is at least `best`; `best` itself counts as one of them.
    n_losses, n_folds : int
        Losses that came to all folds, and folds.
    """

    best: float
    expected: float
    high: float
    p: float
    n_losses: int
    n_folds: int

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"The best of {self.n_losses:,} losses gained {self.best:+.4f} on the {self.n_folds} folds that chose it; "
            f"with no true gain at all, the best of as many would seem to gain {self.expected:+.4f}, and one search in "
            f"twenty {self.high:+.4f} or more (p = {self.p:.4f})."
        )


def selection_effect(
    gains: npt.ArrayLike | pd.DataFrame, *, n_draws: int = 10_000, random_state: int = 0
) -> SelectionEffect:
    r"""Return how much the best of m losses would seem to gain over folds if none truly gained anything.

    With gains :math:`g_{jf}` of loss j on fold f, each draw is :math:`\max_j \frac{1}{n} \sum_f e_f (g_{jf} - \bar g_j)
    \sqrt{n / (n - 1)}` with normal :math:`e_f`, the same for all losses: losses that do well on the same folds do so in
    the draws.  With few folds this is rough.

    Parameters
    ----------
    gains : array-like of shape (n_losses, n_folds), or DataFrame
        Mean gain of each loss on each fold, or the `candidates_` of a `LossSearch`, of which those count that came to
        all folds and are no duplicates.
    n_draws : int
    random_state : int

    Raises
    ------
    DataError
        No loss, fewer than two folds, or gains that are not finite.

    References
    ----------
    Chernozhukov, Chetverikov and Kato, Gaussian Approximations and Multiplier Bootstrap for Maxima of Sums of
    High-Dimensional Random Vectors, Annals of Statistics 41(6), 2013.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(scale=0.01, size=(200, 4))  # 200 losses, none of which gains
    >>> found = selection_effect(noise)
    >>> round(found.best, 3), round(found.expected, 3), found.p > 0.05
    (0.011, 0.013, True)
    """
    table = _table(gains)
    check_whole("n_draws", n_draws)
    check_whole("random_state", random_state, lowest=0)
    n_losses, n_folds = table.shape
    means = table.mean(axis=1)
    noise = (table - means[:, None]).T * np.sqrt(n_folds / (n_folds - 1)) / n_folds
    rng = np.random.default_rng(random_state)
    rows = max(1, MOST_AT_ONCE // n_losses)
    parts = [min(rows, n_draws - begin) for begin in range(0, n_draws, rows)]
    highest = np.concatenate([(rng.standard_normal((part, n_folds)) @ noise).max(axis=1) for part in parts])
    best = float(means.max())
    return SelectionEffect(
        best,
        float(highest.mean()),
        float(np.quantile(highest, 0.95)),
        (1.0 + float((highest >= best).sum())) / (1.0 + n_draws),
        n_losses,
        n_folds,
    )


def _table(gains: npt.ArrayLike | pd.DataFrame) -> npt.NDArray[np.float64]:
    if isinstance(gains, pd.DataFrame) and "folds" in gains:
        own = gains[gains["folds"].map(len).gt(0) & gains["same_as"].isna()]
        gains = np.array(own["folds"].tolist(), dtype=np.float64)
    table = np.asarray(gains, dtype=np.float64)
    if table.ndim != 2 or not len(table) or table.shape[1] < 2:
        raise DataError(
            f"gains: have the shape {table.shape}; give a row for each loss, with two folds or more (an alternating "
            "search has one, so leave its candidates out)."
        )
    if not np.isfinite(table).all():
        raise DataError("gains: hold NaN or infinity; leave such losses out.")
    return table
