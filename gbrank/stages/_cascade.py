"""`Cascade`: stages that each let the best of their candidates through, and what becomes of a request there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, IntArray, ParameterError, as_vector, check_whole, require_finite
from .._groups import canonical_ids
from ..data import RankingData
from ..data._features import numbered
from ..data._log_files import whole_ids
from ..data._ranking_data import replace_fields
from ..metrics import Measure, measure
from ..rankers._parts import take_rows
from ..rankers._ranks import RankerMixin
from ._frames import frame_of
from ._log import StageLog

Vector = npt.NDArray[np.float64]
MEASURES = tuple(f"{name}@{k}" for k in (20, 50) for name in ("hit", "ndcg", "r", "p"))


@dataclass(frozen=True)
class Stage:
    """One stage: `ranker` (with a ``predict(X)``, or a callable of `RankingData`) lets the best `keep` through."""

    name: str
    ranker: Any
    keep: int


class Cascade:
    """Stages in order, each of which ranks what the one before let through and keeps its best.

    Parameters
    ----------
    stages : sequence of (ranker, keep) or (name, ranker, keep)
        A ranker has ``predict(X)``, one score for each row, or is a callable that takes the `RankingData` of the
        remaining documents and returns their scores.  A ranker of gbrank gets the names and categories of the columns
        too, and refuses others than those it was trained on; one trained on bare arrays takes columns by position.
        Another estimator gets ``data.X``, or a DataFrame of the columns that its ``feature_names_in_`` names.
        `keep` is the number of documents of a request that go on; it must not rise.  Stages without a name are
        "stage 1", "stage 2", ....

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.RankingData([[1.0, 9.0], [2.0, 7.0], [3.0, 8.0], [4.0, 0.0]], [0, 1, 1, 0], qid=[1, 1, 1, 1])
    >>> cascade = Cascade([(lambda d: d.X[:, 0], 3), (lambda d: d.X[:, 1], 1)])
    >>> run = cascade.run(data)
    >>> run.stage.tolist()
    [0, 1, 2, 1]
    >>> run.flow()[["stage", "documents", "kept"]].to_dict("records")
    [{'stage': 'stage 1', 'documents': 4, 'kept': 3}, {'stage': 'stage 2', 'documents': 3, 'kept': 1}]
    """

    def __init__(self, stages: Sequence[tuple[Any, int] | tuple[str, Any, int]]) -> None:
        if not isinstance(stages, Sequence):
            raise ParameterError(f"stages: {stages!r} is no list; give [(ranker, keep), ...].")
        self.stages = tuple(_stage(number, given) for number, given in enumerate(stages, start=1))
        if not self.stages:
            raise ParameterError("stages: there are none; give at least one (ranker, keep).")
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ParameterError(f"stages: the names {', '.join(map(repr, names))} repeat; give each stage its own.")
        for before, after in zip(self.stages[:-1], self.stages[1:], strict=True):
            if after.keep > before.keep:
                raise ParameterError(
                    f"{after.name}: keeps {after.keep} documents of the {before.keep} that {before.name} lets "
                    "through; a later stage keeps fewer, or as many."
                )

    def __repr__(self) -> str:
        return "Cascade(" + " -> ".join(f"{stage.name}: {stage.keep}" for stage in self.stages) + ")"

    def replace(self, stage: str | int, ranker: Any) -> Cascade:
        """Return this cascade with another ranker in one stage, given by its name or its number from 1.

        Raises
        ------
        ParameterError
            No such stage.
        """
        at = self._number(stage) - 1
        return Cascade([(s.name, ranker if i == at else s.ranker, s.keep) for i, s in enumerate(self.stages)])

    def _number(self, stage: str | int) -> int:
        names = [each.name for each in self.stages]
        if stage in names:
            return names.index(str(stage)) + 1
        if isinstance(stage, int) and not isinstance(stage, bool) and 1 <= stage <= len(names):
            return stage
        raise ParameterError(f"stage={stage!r}: choose one of {', '.join(map(repr, names))}, or 1 to {len(names)}.")

    def run(self, data: RankingData) -> CascadeRun:
        """Send the documents of each query, the candidates of a request, through all stages.

        Ties go to the document that comes first in the data.

        Raises
        ------
        DataError
            No `RankingData`; or a ranker does not return one finite number for each document: stage and row are named.
        """
        if not isinstance(data, RankingData):
            raise DataError(
                f"data: a {type(data).__name__} does not tell which rows are one request; give a RankingData."
            )
        rows = np.arange(data.n_documents)
        query = np.repeat(np.arange(data.n_queries), data.query_sizes)
        reached, scores, seconds = np.zeros(data.n_documents, np.int64), [], []
        for number, stage in enumerate(self.stages, start=1):
            start = time.perf_counter()
            score = np.full(data.n_documents, np.nan)
            score[rows] = _scores_of(stage, data, rows)
            rows = top(rows, score[rows], query[rows], stage.keep)
            seconds.append(time.perf_counter() - start)
            reached[rows] = number
            scores.append(score)
        return CascadeRun(data, self.stages, reached, tuple(scores), tuple(seconds))


@dataclass(frozen=True, eq=False, repr=False)
class CascadeRun:
    """What became of every document; made by `Cascade.run`.

    Attributes
    ----------
    data : RankingData
    stages : tuple of Stage
    stage : int64 array of shape (n_documents,)
        The last stage that let the document through; 0 is none, the number of stages the final list.
    scores : tuple of float64 arrays of shape (n_documents,)
        What each stage made of the documents; NaN for what it did not see.
    seconds : tuple of float
        What each stage took, for all requests together.
    """

    data: RankingData
    stages: tuple[Stage, ...]
    stage: IntArray
    scores: tuple[Vector, ...]
    seconds: tuple[float, ...]

    @property
    def final(self) -> npt.NDArray[np.bool_]:
        """Which documents are in the final list, shape (n_documents,)."""
        return np.asarray(self.stage == len(self.stages))

    def __repr__(self) -> str:
        return f"CascadeRun of {self.data.n_queries} requests\n{self.flow().to_string(index=False)}"

    def flow(self) -> pd.DataFrame:
        """Return, for each stage, how many documents it saw and kept, and the time that it took.

        Columns: stage, documents, kept, share (kept of documents), seconds, milliseconds_a_request.
        """
        rows = []
        for number, (stage, seconds) in enumerate(zip(self.stages, self.seconds, strict=True), start=1):
            seen, kept = int((self.stage >= number - 1).sum()), int((self.stage >= number).sum())
            rows.append((stage.name, seen, kept, kept / seen, seconds, 1000 * seconds / self.data.n_queries))
        columns = ["stage", "documents", "kept", "share", "seconds", "milliseconds_a_request"]
        return pd.DataFrame(rows, columns=columns)

    def evaluate(
        self,
        *,
        interest: npt.ArrayLike | None = None,
        measures: Sequence[str | Measure] = MEASURES,
        k: Sequence[int] = (20, 50),
    ) -> pd.DataFrame:
        """Return, for each stage, how good its ranking and its choice are: means over requests.

        A stage's ranking is judged by the labels of the data, over all documents of the request: those that it did not
        see are not retrieved.  Beside the `measures`, ``final_r@k`` is the share of the final list among the first k of
        the stage, and ``utility`` the sum of the interest of what it let through.

        Parameters
        ----------
        interest : array-like of shape (n_documents,), optional
            What a document is worth to the user if shown; the labels by default.
        measures : sequence of str or Measure
        k : sequence of int
            Cutoffs of ``final_r``.

        Returns
        -------
        DataFrame indexed by stage
        """
        for name, several in (("measures", measures), ("k", k)):
            if not isinstance(several, Sequence) or isinstance(several, str):
                raise ParameterError(f"{name}={several!r}: give a list.")
        data, worth = self.data, self._interest(interest)
        final, starts = self.final.astype(np.float64), data.query_ptr[:-1]
        rows = {}
        for number, (stage, score) in enumerate(zip(self.stages, self.scores, strict=True), start=1):
            ranking = np.where(np.isnan(score), -np.inf, score)
            row = {str(m): m.mean(m(data.y, ranking, data.query_ptr), data.query_ptr) for m in map(measure, measures)}
            for cut in k:
                recall = measure(f"r@{cut}", ties="stable")  # as documents were chosen
                row[f"final_r@{cut}"] = recall.mean(recall(final, ranking, data.query_ptr), data.query_ptr)
            row["utility"] = float(np.add.reduceat(worth * (self.stage >= number), starts).mean())
            rows[stage.name] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("stage")

    def reveal_ratio(self, source: npt.ArrayLike | Mapping[str, npt.ArrayLike]) -> pd.DataFrame:
        """Return how much of the final lists each source of candidates has brought.

        Parameters
        ----------
        source : array-like of shape (n_documents,), or mapping from names to bool arrays of that shape
            The source (say, one of several retrieval methods) of each document; a mapping where a document may have
            come from several.

        Returns
        -------
        DataFrame indexed by source
            candidates (documents that it brought), revealed (of these, in a final list), reveal_ratio (revealed, of all
            documents in final lists) and survival (revealed, of candidates).

        Raises
        ------
        DataError
            Sources that are missing or neither text nor whole numbers, a mask that is none, another length.
        """
        n = self.data.n_documents
        if isinstance(source, Mapping):
            brought_by = {str(name): np.asarray(mask) for name, mask in source.items()}
        else:
            labels = canonical_ids(source, name="source")
            brought_by = {str(name): labels == name for name in np.unique(labels)}
        rows = {}
        for name, mask in brought_by.items():
            if mask.shape != (n,):
                raise DataError(f"source {name!r}: has the shape {mask.shape} for {n} documents; give one for each.")
            if mask.dtype.kind != "b":
                raise DataError(f"source {name!r}: holds {mask.dtype}; give True or False for each document.")
            brought, revealed = int(mask.sum()), int((mask & self.final).sum())
            rows[name] = (brought, revealed, revealed / self.final.sum(), revealed / brought if brought else np.nan)
        columns = ["candidates", "revealed", "reveal_ratio", "survival"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("source")

    def log(self, feedback: npt.ArrayLike | None = None, *, item: npt.ArrayLike | None = None) -> StageLog:
        """Return the run as a log for full-stage learning: labels, or `feedback`, where exposed, and NaN elsewhere.

        Parameters
        ----------
        feedback : array-like of shape (n_documents,), optional
            What the user answers to each document if it is shown; the labels by default.
        item : array-like of shape (n_documents,), optional
            Item ids.  By default the document ids of the data, which are text: as whole numbers where all are spelled
            as such (``7``, not ``007``), so that a log of numbers, sent through a cascade, gives a log of numbers.
            Without document ids, the place in the request, from 0.
        """
        answers = self._interest(feedback, "feedback")
        if item is None:
            item = self._items()
        exposed = np.where(self.final, answers, np.nan)
        log = StageLog(
            self.data.qid, item, self.stage, exposed,
            features=self.data.X, n_stages=len(self.stages), feature_names=self.data.feature_names,
        )  # fmt: skip
        return log._with(categories=self.data.categories)

    def _items(self) -> npt.NDArray[Any]:
        if self.data.doc_id is None:
            return np.arange(self.data.n_documents) - np.repeat(self.data.query_ptr[:-1], self.data.query_sizes)
        return whole_ids(self.data.doc_id)

    def _interest(self, given: npt.ArrayLike | None, name: str = "interest") -> Vector:
        if given is not None:
            return as_vector(name, given, length=self.data.n_documents)
        if self.data.y.ndim != 1:
            raise DataError(f"{name}: the data have {self.data.y.shape[1]} label columns; say which by `with_labels`.")
        return self.data.y


def _stage(number: int, given: Any) -> Stage:
    if not isinstance(given, Sequence) or len(given) not in (2, 3):
        raise ParameterError(f"stages: entry {number} is {given!r}; give (ranker, keep) or (name, ranker, keep).")
    name, ranker, keep = (f"stage {number}", *given) if len(given) == 2 else given
    check_whole(f"keep of {name}", keep)
    if not hasattr(ranker, "predict") and not callable(ranker):
        raise ParameterError(f"{name}: {ranker!r} has no predict(X) and is no function; give a fitted ranker.")
    return Stage(str(name), ranker, int(keep))


def _scores_of(stage: Stage, data: RankingData, rows: IntArray) -> Vector:
    some = data if len(rows) == data.n_documents else take_rows(data, rows)
    predict = getattr(stage.ranker, "predict", None)
    score = stage.ranker(some) if predict is None else predict(_as_trained(stage.ranker, some))
    score = as_vector(f"scores of {stage.name}", score, length=len(rows))
    require_finite(f"scores of {stage.name}", score)
    return score


def _as_trained(ranker: Any, data: RankingData) -> Any:
    """Return data as the ``predict`` of a ranker takes them; see `Cascade`."""
    if not isinstance(ranker, RankerMixin):
        names = list(getattr(ranker, "feature_names_in_", ()))
        if not names or not set(names) <= set(data.feature_names):
            return data.X
        return frame_of(data.X, data.feature_names, data.categories)[names]
    positions = numbered(data.n_features)
    if getattr(ranker, "feature_names_", None) != positions:
        return data
    place = dict(zip(data.feature_names, positions, strict=True))
    categories = {place[name]: values for name, values in data.categories.items()}
    return replace_fields(data, feature_names=positions, categories=categories)


def top(rows: IntArray, score: Vector, query: IntArray, keep: int) -> IntArray:
    """Return the `keep` rows with the highest scores in each query, in the order of the rows; ties by rows.

    `rows` ascend, query by query; `score` and `query` belong to them.
    """
    order = np.lexsort((-score, query))
    first = np.flatnonzero(np.r_[True, query[1:] != query[:-1]])
    place = np.arange(len(rows)) - np.repeat(first, np.diff(np.r_[first, len(rows)]))
    return np.sort(rows[order[place < keep]])
