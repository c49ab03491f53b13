"""Several click logs as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._checks import DataError, IntArray, ParameterError
from .._groups import canonical_ids
from ._log import OPTIONAL, ClickLog
from ._pairs import Ids, number_pairs


def concat_click_logs(logs: Sequence[ClickLog], *, policies: Sequence[int | str] | None = None) -> ClickLog:
    """Return one log with the sessions of several, such as of the rankers of an A/B test.

    Sessions are numbered from 0, one log after the other.

    Parameters
    ----------
    logs : sequence of ClickLog
    policies : sequence of int or str, optional
        What the log calls the policy of each; by default what they call it themselves.

    Raises
    ------
    DataError
        No logs, ids of which some are numbers and some are text, or a time or policy that only some of them have.
    ParameterError
        Another number of policies than of logs, or what is no click log.

    Examples
    --------
    >>> logs = [ClickLog([1], ["q"], [document], [1], [0]) for document in "ab"]
    >>> both = concat_click_logs(logs, policies=["old", "new"])
    >>> both.document.tolist(), both.policy.tolist()
    (['a', 'b'], ['old', 'new'])
    """
    logs = list(logs)
    if not logs:
        raise DataError("logs: there are none; give at least one.")
    for at, log in enumerate(logs):
        if not isinstance(log, ClickLog):
            raise ParameterError(f"logs: number {at} is a {type(log).__name__}; give click logs.")
    pair, queries, documents = _one_catalogue(logs)
    heads = {name: _heads(name, logs) for name in OPTIONAL if policies is None or name != "policy"}
    if policies is not None:
        heads["policy"] = _named(policies, [log.n_sessions for log in logs])
    sizes = np.concatenate([log.session_sizes for log in logs])
    return ClickLog._of(
        session_ptr=np.concatenate(([0], np.cumsum(sizes))),
        session_ids=np.arange(len(sizes)),
        pair=pair,
        pair_query=queries,
        pair_document=documents,
        click=np.concatenate([log.click for log in logs]),
        **heads,
    )


def _one_catalogue(logs: Sequence[ClickLog]) -> tuple[IntArray, Ids, Ids]:
    """Return the pair of each row, and the query and document of each pair."""
    first = logs[0]
    if all(
        np.array_equal(log.pair_query, first.pair_query) and np.array_equal(log.pair_document, first.pair_document)
        for log in logs
    ):
        return np.concatenate([log.pair for log in logs]), first.pair_query, first.pair_document
    queries = _joined("query", [log.pair_query for log in logs])
    documents = _joined("document", [log.pair_document for log in logs])
    number, firsts = number_pairs(queries, documents)
    starts = np.cumsum([0, *(log.n_pairs for log in logs)])
    pair = np.concatenate([number[start + log.pair] for start, log in zip(starts[:-1].tolist(), logs, strict=True)])
    return pair, queries[firsts], documents[firsts]


def _heads(name: str, logs: Sequence[ClickLog]) -> Ids | None:
    """Return a number or id of each session, or None where no log has any."""
    found = [getattr(log, name) for log in logs]
    if all(each is None for each in found):
        return None
    for at, each in enumerate(found):
        if each is None:
            raise DataError(f"{name}: log {at} has none and others have; give it to all logs, or leave it out of all.")
    return _joined(name, found)


def _joined(name: str, ids: Sequence[Ids]) -> Ids:
    if len({each.dtype.kind for each in ids}) > 1:
        raise DataError(f"{name}: some logs have numbers and some have text; give ids of one kind to all.")
    return np.concatenate(ids)


def _named(policies: Sequence[int | str], sizes: Sequence[int]) -> Ids:
    if isinstance(policies, str) or len(policies) != len(sizes):
        raise ParameterError(f"policies={policies!r}: give one for each of {len(sizes)} logs.")
    ids: Ids = canonical_ids(list(policies), name="policy")
    return np.repeat(ids, sizes)
