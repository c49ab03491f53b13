"""Labels that say how far an item came: the heart of full-stage learning to rank (Zheng et al., arXiv 2405.04844)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._checks import DataError, ParameterError, check_whole, real_numbers
from ..data import RankingData
from ._log import StageLog, require_log
from ._log_checks import Vector


def relabel(log: StageLog, z: Sequence[float] | None = None, *, from_stage: int = 0) -> RankingData:
    """Return a log as training data whose labels say how far each item came, see `stage_labels`.

    Requests are queries, items documents.  Rows that did not reach `from_stage` are left out, and a request of which
    no row is left with them: the input of the paper's algorithm 1 are the rows with S >= j.

    Parameters
    ----------
    log : StageLog
    z : sequence of float of length n_stages + 2, optional
        0, 1, 2, ... by default.
    from_stage : int
        The paper's j, from 0 to the stage after the one that is trained.

    Raises
    ------
    ParameterError
        `z` has another length, falls, or is negative; `from_stage` is outside the cascade.
    DataError
        There are no features, or no row reached `from_stage`.

    Examples
    --------
    >>> nan = float("nan")
    >>> log = StageLog([1, 1, 1, 1], list("abcd"), [0, 1, 2, 2], [nan, nan, 0, 1], [[1.], [2.], [3.], [4.]], n_stages=2)
    >>> relabel(log).y.tolist(), relabel(log, z=(0, 1, 3, 7), from_stage=1).y.tolist()
    ([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 7.0])
    """
    labels = stage_labels(log, z)
    check_whole("from_stage", from_stage, lowest=0)
    if from_stage > log.n_stages:
        raise ParameterError(f"from_stage={from_stage}: give a stage of the cascade, 0 to {log.n_stages}.")
    if from_stage == 0:
        return log.to_data(labels)
    kept = log.stage >= from_stage
    if not kept.any():
        raise DataError(f"from_stage={from_stage}: no row of the log reached it; the highest is {log.stage.max()}.")
    return log.rows(kept).to_data(labels[kept])


def stage_labels(log: StageLog, z: Sequence[float] | None = None) -> Vector:
    """Return the label of each row of a log: equation 9 of the paper for a cascade of n stages.

    L(u, v) is z_S for an item that was not exposed, S < n.  For an exposed item with feedback Y it is
    z_n + (z_{n + 1} - z_n) Y / Y_top, which is z_n without positive feedback and z_{n + 1} with the highest there can
    be (`StageLog.top_feedback`; 1 for binary feedback, as in the paper).  Graded feedback so lies between the two, in
    its own order: with z_{n + 1} = z_n + Y_top, labels of whole grades are whole.  A forced exposure has the label of
    the stage that the item reached by itself.

    Parameters
    ----------
    log : StageLog
    z : sequence of float of length n_stages + 2, optional
        0 <= z_0 <= z_1 <= ... <= z_{n + 1}; 0, 1, 2, ... by default.

    Raises
    ------
    ParameterError
        `z` has another length, falls, or is negative or not finite.

    Examples
    --------
    >>> nan = float("nan")
    >>> log = StageLog([1, 1, 1, 1, 1], list("abcde"), [0, 1, 2, 2, 2], [nan, nan, 0, 2, 4], n_stages=2)
    >>> stage_labels(log).tolist(), stage_labels(log, z=(0, 0, 0, 1)).tolist()
    ([0.0, 1.0, 2.0, 2.5, 3.0], [0.0, 0.0, 0.0, 0.5, 1.0])
    """
    require_log(log)
    values = _check_z(z, log.n_stages)
    labels = values[log.stage]
    rows = np.flatnonzero(log.positive)
    labels[rows] += (values[-1] - values[-2]) * (log.feedback[rows] / log.top_feedback)
    return labels


def _check_z(z: Sequence[float] | None, n_stages: int) -> Vector:
    if z is None:
        return np.arange(n_stages + 2, dtype=np.float64)
    values = real_numbers("z", z)
    if values.shape != (n_stages + 2,):
        raise ParameterError(
            f"z={z!r}: {values.size} labels for {n_stages} stages; give {n_stages + 2}: one for each stage from 0 to "
            f"{n_stages - 1}, one for exposed without feedback, one for exposed with it."
        )
    if not np.isfinite(values).all() or values[0] < 0:
        raise ParameterError(f"z={z!r}: labels must be finite numbers of 0 or more.")
    falls = np.flatnonzero(np.diff(values) < 0)
    if len(falls):
        i = int(falls[0])
        raise ParameterError(
            f"z={z!r}: falls from z_{i} = {values[i]:g} to z_{i + 1} = {values[i + 1]:g}; a later stage never gets a "
            "lower label, put them in rising order."
        )
    return values
