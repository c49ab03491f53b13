"""Training requests: some items of every stage of each request, the more the higher the stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_choice, check_whole
from .._compile import kernel, over_queries
from ..data import sample_negatives
from ..objectives._frames.noise import stream
from ._log import StageLog, require_log

ALL = -1  # in place of a number: all there are


def sample_requests(
    log: StageLog,
    counts: Sequence[int | None],
    *,
    positives: int | None = None,
    per: str = "request",
    random_state: int | np.random.Generator | None = None,
    n_jobs: int | None = None,
) -> StageLog:
    """Sample items of every stage without replacement, to train on less than the whole log.

    Items of one stage are all alike; those exposed with feedback above 0, the positives, are not among the counted.
    The rows of a sampled request keep their order.

    Parameters
    ----------
    log : StageLog
    counts : sequence of length n_stages + 1
        At most how many negatives of stage 0, 1, ..., n_stages a request keeps, the last those exposed without
        feedback; None keeps all.  The paper's "1, 1, 2" rank, pre-rank and global negatives beside one that was exposed
        is ``(2, 1, 1, 1)``; it advises more of the higher stages: ``(10, 20, 40, None)``.
    positives : int, optional
        At most how many positives; all by default.
    per : {"request", "positive"}
        Whether each request is sampled once, with all its positives, or once for each of its positives: then the
        negatives of each are drawn anew, and the k-th list of request r, from 0, is request ``"r#k"``.  A request
        without a positive has no such list.
    random_state : int, numpy.random.Generator or None
    n_jobs : int, optional
        Number of threads; the result does not depend on it.

    Raises
    ------
    ParameterError
        `counts` of another length, a negative count, `positives` together with ``per="positive"``.
    DataError
        Some are wanted of a stage of which the log has none, or nothing is left.

    Examples
    --------
    >>> nan = float("nan")
    >>> log = StageLog(["r"] * 6, range(6), [0, 0, 1, 2, 2, 2], [nan, nan, nan, 0, 1, 1], n_stages=2)
    >>> sample_requests(log, (1, 1, 1), random_state=0).stage.tolist()
    [0, 1, 2, 2, 2]
    >>> lists = sample_requests(log, (1, 0, 0), per="positive", random_state=0)
    >>> lists.request.tolist(), lists.stage.tolist()
    (['r#0', 'r#0', 'r#1', 'r#1'], [0, 2, 0, 2])
    """
    require_log(log)
    check_choice("per", per, ("request", "positive"))
    if positives is not None:
        check_whole("positives", positives)
        if per == "positive":
            raise ParameterError("positives: each has a list of its own with per='positive'; leave it out.")
    classes = log.n_stages + 2  # the stages, and the positives
    of_row = np.where(log.positive, classes - 1, log.stage)
    limits = _limits(counts, positives, log, of_row)
    number = np.repeat(np.arange(log.n_requests), log.request_sizes)
    present = np.bincount(number * classes + of_row, minlength=log.n_requests * classes).reshape(-1, classes)
    kept = np.where(limits == ALL, present, np.minimum(present, limits))
    own = np.empty(0, np.int64)
    if per == "positive":
        own = np.flatnonzero(log.positive)
        lists = present[:, -1]
        kept[:, -1] = 1
    else:
        lists = np.ones(log.n_requests, np.int64)
    list_ptr = np.concatenate(([0], np.cumsum(lists)))
    sizes = np.repeat(kept.sum(axis=1), lists)
    ptr = np.concatenate(([0], np.cumsum(sizes)))
    if ptr[-1] == 0:
        raise DataError("counts: no row is left; the log has no positive, or nothing of the stages that are counted.")
    rows, members = np.empty(int(ptr[-1]), np.int64), np.empty(log.n_rows, np.int64)
    seed = int(np.random.default_rng(random_state).integers(1 << 62))
    over_queries(
        _draw_lists, log.request_ptr, of_row, present, kept, list_ptr, ptr, own, seed, members, rows, n_jobs=n_jobs
    )
    ids = log.request_ids
    if per == "positive":
        of_list = np.repeat(np.arange(log.n_requests), lists)
        place = np.arange(len(of_list)) - list_ptr[:-1][of_list]
        ids = np.array([f"{ids[q]}#{k}" for q, k in zip(of_list.tolist(), place.tolist(), strict=True)])
    return log._at(rows, np.concatenate(([0], np.cumsum(sizes[sizes > 0]))), ids[sizes > 0])


def add_candidates(log: StageLog, items: npt.ArrayLike, n: int, **options: Any) -> StageLog:
    """Add items of the whole pool to each request, as candidates that stage 1 did not let through (stage 0).

    A log of a real system holds what its stages returned; "global" negatives, which a model for stage 1 must tell from
    these, are sampled.

    Parameters
    ----------
    log : StageLog
        Without features; give these afterwards, by `StageLog.with_features`.
    items : array-like of shape (n_items,)
        The pool.
    n : int
        How many for each request; none that the request has.
    **options
        As in `sample_negatives`, where the requests are those of the log: `how`, `exclude`, `random_state`, ....

    Raises
    ------
    DataError
        The log has features, or what `sample_negatives` refuses.

    Examples
    --------
    >>> log = StageLog(["r", "r"], [1, 2], [2, 1], [1, float("nan")], n_stages=2)
    >>> more = add_candidates(log, range(10), 3, random_state=0)
    >>> more.stage.tolist(), len(set(more.item.tolist()))
    ([2, 1, 0, 0, 0], 5)
    """
    require_log(log)
    if log.features is not None:
        raise DataError("the log has features, which new items lack; add them first, then give features to all.")
    drawn = sample_negatives((log.request, log.item), items, n, **options)
    forced = None if log.forced is None else np.concatenate((log.forced, np.zeros(len(drawn), bool)))
    return StageLog(
        np.concatenate((log.request, drawn.request)),
        np.concatenate((log.item, drawn.item)),
        np.concatenate((log.stage, np.zeros(len(drawn), np.int64))),
        np.concatenate((log.feedback, np.full(len(drawn), np.nan))),
        n_stages=log.n_stages,
        forced=forced,
        top_feedback=log.top_feedback,
    )


def _limits(counts: Sequence[int | None], positives: int | None, log: StageLog, of_row: IntArray) -> IntArray:
    """Return how many of each class are kept at most, after checks."""
    if not isinstance(counts, Sequence | np.ndarray):
        raise ParameterError(f"counts={counts!r}: give {log.n_stages + 1} numbers, for stage 0 to {log.n_stages}.")
    if len(counts) != log.n_stages + 1:
        raise ParameterError(
            f"counts={tuple(counts)}: {len(counts)} numbers for {log.n_stages} stages; give {log.n_stages + 1}, for "
            f"stage 0 to {log.n_stages}."
        )
    there = np.bincount(of_row, minlength=log.n_stages + 2)
    for stage, count in enumerate(counts):
        if count is None:
            continue
        check_whole(f"counts[{stage}]", count, lowest=0)
        if count and not there[stage]:
            remedy = "add some with `add_candidates`, or" if stage == 0 else ""
            raise DataError(
                f"counts: {count} of stage {stage} are wanted, but the log has none; {remedy} give 0 or None."
            )
    return np.array([ALL if count is None else count for count in (*counts, positives)], np.int64)


@kernel
def _draw_lists(
    first: Any, last: Any, request_ptr: Any, of_row: Any, present: Any, kept: Any, list_ptr: Any, ptr: Any, own: Any,
    seed: Any, members: Any, rows: Any,
) -> None:  # fmt: skip
    """Write the rows of each list: of every class the first few of its members, after swaps at random."""
    n_classes = present.shape[1]
    starts = np.empty(max(128, n_classes), np.int64)
    for q in range(first, last):
        start = request_ptr[q]
        for c in range(n_classes):
            starts[c] = start
            start += present[q, c]
        for row in range(request_ptr[q], request_ptr[q + 1]):
            members[starts[of_row[row]]] = row
            starts[of_row[row]] += 1
        for c in range(n_classes):
            starts[c] -= present[q, c]
        for number in range(list_ptr[q], list_ptr[q + 1]):
            key = stream(seed, number)
            out, draws = ptr[number], 0
            for c in range(n_classes):
                count = kept[q, c]
                if c == n_classes - 1 and len(own) > 0:
                    rows[out] = own[number]
                    out += 1
                    continue
                for i in range(count):
                    if count < present[q, c]:
                        u = (stream(key, draws) >> 11) * (1.0 / 4503599627370496.0)
                        j = i + int(u * (present[q, c] - i))
                        draws += 1
                        a, b = members[starts[c] + i], members[starts[c] + j]
                        members[starts[c] + i], members[starts[c] + j] = b, a
                    rows[out] = members[starts[c] + i]
                    out += 1
            rows[ptr[number] : out].sort()
