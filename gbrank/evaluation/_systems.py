"""What is evaluated: scores of any kind joined with judgments, and how much of the judgments they cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector
from ..data import Joined, Qrels, RankingData, Run, join, labels_of

T = TypeVar("T")
Vector = npt.NDArray[np.float64]


class Lists(NamedTuple):
    """Documents of the judged queries with the scores of one system; see `Measure.__call__` and `gbrank.data.Joined`.

    `row` is where each document stands in the judgments; -1 for one that they do not mention.
    """

    y: Vector
    score: Vector
    query_ptr: IntArray
    doc_id: npt.NDArray[Any] | None
    aspects: Any
    row: IntArray
    other_queries: tuple[str, ...] = ()
    other_documents: int = 0


@dataclass(frozen=True)
class Coverage:
    """How the documents of a system and those of the judgments meet.

    Attributes
    ----------
    retrieved : int
        Documents with a score in judged queries.
    missing : tuple of str
        Ids of judged queries for which the system retrieved nothing.
    unjudged : dict
        Cutoff to the number of retrieved documents up to it that are not judged; None is no cutoff.
    other_queries : tuple of str
        Ids of the system's queries that are not judged; they are left out.
    other_documents : int
        Number of documents that were retrieved for these.
    """

    retrieved: int
    missing: tuple[str, ...]
    unjudged: dict[int | None, int]
    other_queries: tuple[str, ...] = ()
    other_documents: int = 0

    def counts(self) -> dict[str, Any]:
        """Return numbers in place of ids, as plain values for JSON."""
        unjudged = {"all" if k is None else str(k): n for k, n in self.unjudged.items()}
        return {
            "retrieved": self.retrieved,
            "missing": len(self.missing),
            "unjudged": unjudged,
            "other_queries": len(self.other_queries),
            "other_documents": self.other_documents,
        }


def systems(scores: Any) -> tuple[dict[str, Any], bool]:
    """Return scores by name, and whether they have names; a single system's is "".

    Raises
    ------
    DataError, ParameterError
        Nothing is given, names print alike, or it cannot be told whether keys are queries or names.
    """
    if not isinstance(scores, Mapping) or _is_run(scores):
        return {"": scores}, False
    if not scores:
        raise DataError("scores: the mapping is empty; give at least one run.")
    runs = {str(name): value for name, value in scores.items()}
    if len(runs) < len(scores):
        raise ParameterError(f"scores: two runs print alike, of {list(scores)!r}; give them distinct names.")
    for name, value in runs.items():
        if isinstance(value, Mapping) and not _is_run(value):
            raise ParameterError(
                f"scores: {name!r} is neither a run nor scores; give one run as {{query id: {{document id: score}}}}, "
                "or several as {run name: run or scores}."
            )
    return runs, True


def _is_run(scores: Mapping[Any, Any]) -> bool:
    """Whether a mapping is {query id: {document id: number}}."""
    documents = list(scores.values())
    nested = bool(documents) and all(isinstance(each, Mapping) for each in documents)
    return nested and not any(isinstance(value, Mapping) for each in documents for value in each.values())


def as_lists(judgments: RankingData | Qrels, given: Any, aspects: Any, name: str, n_jobs: int | None = None) -> Lists:
    """Return the documents of the judged queries with the scores of one system, of any kind.

    Raises
    ------
    DataError, ParameterError
        Scores that do not fit the judgments; `name` is what errors call them.
    """
    if isinstance(given, Mapping):
        given = _named(name, lambda: Run.from_dict(given))
    if isinstance(given, Run):
        joined = _named(name, lambda: join(judgments, given, n_jobs=n_jobs))
        about = _aspects(joined, aspects, judgments.n_documents)
        other = tuple(joined.other_queries.tolist())
        lists = (joined.y, joined.score, joined.query_ptr, joined.doc_id, about, joined.row)
        return Lists(*lists, other, joined.other_documents)
    if callable(getattr(given, "predict", None)):
        if isinstance(judgments, Qrels):
            raise ParameterError(f"{name}: a ranker needs features, which Qrels have not; give RankingData or a run.")
        given = given.predict(judgments)
    y = judgments.label if isinstance(judgments, Qrels) else labels_of(judgments)
    score = as_vector(name, given, length=len(y))
    return Lists(y, score, judgments.query_ptr, judgments.doc_id, aspects, np.arange(len(y)))


def _aspects(joined: Joined, aspects: Any, n_documents: int) -> Any:
    """Return the rows of aspects of joined documents; all 0 for a document that judgments do not mention."""
    if aspects is None:
        return None
    table = np.asarray(aspects)
    if len(table) != n_documents:
        raise DataError(f"aspects: {len(table)} rows for {n_documents} documents; give one for each.")
    known = joined.row >= 0
    return np.where(known if table.ndim == 1 else known[:, None], table[joined.row], 0)


def _named(name: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def coverage(lists: Lists, query_ids: npt.NDArray[Any], cutoffs: set[int | None]) -> Coverage:
    """Count what of the judgments the lists hold, and unjudged documents up to each cutoff; tied ones by rows."""
    retrieved = lists.score > -np.inf
    best = np.maximum.reduceat(lists.score, lists.query_ptr[:-1])
    missing = tuple(map(str, query_ids[best == -np.inf].tolist()))
    unjudged: dict[int | None, int] = dict.fromkeys(cutoffs, 0)
    bad = retrieved & ((lists.y == -1) | (lists.y == -2))
    if bad.any():
        sizes = np.diff(lists.query_ptr)
        order = np.lexsort((-lists.score, np.repeat(np.arange(len(sizes)), sizes)))
        rank = np.arange(len(order)) - np.repeat(lists.query_ptr[:-1], sizes)
        rank = rank[bad[order]]
        unjudged = {k: len(rank) if k is None else int((rank < k).sum()) for k in cutoffs}
    return Coverage(int(retrieved.sum()), missing, unjudged, lists.other_queries, lists.other_documents)
