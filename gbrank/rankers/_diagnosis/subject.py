"""What is diagnosed: data, and what an objective makes of them at the start."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..._checks import DataError, IntArray
from ...data import RankingData
from ...objectives import Bound, Objective
from .._measuring import measured_labels

if TYPE_CHECKING:
    from .._ranker import GBRanker

Vector = npt.NDArray[np.float64]


@dataclass
class Subject:
    """Data and, where there is a ranker, its objective tied to them.

    Attributes
    ----------
    y : array of shape (n_documents,)
        The labels: of several columns the one that the ranker's measure reads, or the first that is learnt from.
    bound : Bound or None
        None without a ranker, and where the objective refuses the data for the reason `refused`.
    gradient, hessian : arrays of shape (n_documents,) or None
        At the score from which boosting starts: absolute gradients, and hessians; the means of several outputs.
    """

    data: RankingData
    ranker: GBRanker | None
    y: Vector
    objective: Objective | None = None
    bound: Bound | None = None
    refused: str = ""
    gradient: Vector | None = None
    hessian: Vector | None = None

    @classmethod
    def of(cls, data: RankingData, ranker: GBRanker | None, objective: Objective | None) -> Subject:
        """Tie the ranker's objective to the data."""
        if ranker is None or objective is None:
            return cls(data, None, data.y if data.y.ndim == 1 else np.ascontiguousarray(data.y[:, 0]))
        learnt = min(objective.label_columns(), default=0)
        column = learnt if ranker.measure_label is None else ranker.measure_label
        subject = cls(data, ranker, measured_labels(data, objective, column, "the data"), objective)
        try:
            engine = "numpy" if ranker.engine == "numpy" else "compiled"
            subject.bound = objective.bind(data, engine=engine, n_jobs=ranker.n_jobs)
        except DataError as error:
            subject.refused = str(error)
            return subject
        start = subject.bound.init_score()
        k = subject.bound.n_outputs
        score = np.full(data.n_documents, start[0]) if k == 1 else np.tile(start, (data.n_documents, 1))
        gradient, hessian = subject.bound.gradient_hessian(score, 0)
        subject.gradient = np.abs(gradient).reshape(data.n_documents, -1).mean(axis=1)
        subject.hessian = hessian.reshape(data.n_documents, -1).mean(axis=1)
        return subject

    @functools.cached_property
    def query(self) -> IntArray:
        """The number of each row's query."""
        return np.repeat(np.arange(self.data.n_queries), self.data.query_sizes)

    @functools.cached_property
    def weighty(self) -> npt.NDArray[np.bool_]:
        """Whether a row has a weight above 0."""
        weighty = np.ones(self.data.n_documents, bool)
        if self.data.sample_weight is not None:
            weighty &= self.data.sample_weight > 0
        if self.data.query_weight is not None:
            weighty &= (self.data.query_weight > 0)[self.query]
        return weighty

    @functools.cached_property
    def worth(self) -> Vector:
        """What the objective makes of each label, where it compares documents; else the labels."""
        gain = getattr(self.bound, "gain", None)
        return gain if isinstance(gain, np.ndarray) and gain.shape == self.y.shape else self.y

    @functools.cached_property
    def truncation(self) -> int | None:
        """The places of the list that the objective's pairs begin at, where it has such a limit."""
        inner = None if self.objective is None else self.objective.alone({})[0]
        return getattr(inner, "truncation", None)

    @functools.cached_property
    def pairs(self) -> Vector:
        """Pairs of different labels in each query."""
        return self._pairs(self.y, np.ones(len(self.y), bool))

    @functools.cached_property
    def effective_pairs(self) -> Vector:
        """Pairs in each query that the objective looks at, while all scores are equal and rank in row order."""
        if self.data.pairs is not None and getattr(self.objective, "pairs", "labels") == "given":
            return np.bincount(self.query[self.data.pairs[:, 0]], minlength=self.data.n_queries).astype(np.float64)
        pairs = self._pairs(self.worth, self.weighty)
        if self.truncation is None:
            return pairs
        place = np.arange(len(self.y)) - self.data.query_ptr[:-1][self.query]
        return pairs - self._pairs(self.worth, self.weighty & (place >= self.truncation))

    def _pairs(self, value: Vector, rows: npt.NDArray[np.bool_]) -> Vector:
        """Return the pairs of different values among the chosen rows of each query: (n^2 - sum of c_v^2) / 2."""
        value, query, n = value[rows], self.query[rows], self.data.n_queries
        order = np.lexsort((value, query))
        value, query = value[order], query[order]
        first = np.flatnonzero(np.concatenate(([True], (value[1:] != value[:-1]) | (query[1:] != query[:-1]))))
        counts = np.diff(np.append(first, len(value))).astype(np.float64)
        size = np.bincount(query, minlength=n).astype(np.float64)
        alike = np.bincount(query[first[: len(counts)]], weights=counts**2, minlength=n) if len(value) else 0.0
        return np.asarray((size**2 - alike) / 2)

    @functools.cached_property
    def signal(self) -> npt.NDArray[np.bool_]:
        """Whether a query has something to learn from: a gradient, or without a ranker two labels."""
        if self.gradient is None:
            return np.asarray(self.pairs > 0)
        return np.asarray(np.maximum.reduceat(self.gradient, self.data.query_ptr[:-1]) > 0)

    def ids(self, queries: npt.NDArray[np.bool_], most: int = 10) -> tuple[Any, ...]:
        """Return the ids of the first chosen queries."""
        return tuple(self.data.query_ids[np.flatnonzero(queries)[:most]].tolist())

    def facts(self) -> dict[str, float]:
        """Return how much there is to learn from."""
        facts: dict[str, float] = {
            "queries": self.data.n_queries,
            "documents": self.data.n_documents,
            "features": self.data.n_features,
            "pairs": int(self.pairs.sum()),
        }
        if self.gradient is not None:
            facts["effective_pairs"] = int(self.effective_pairs.sum())
            facts["documents_with_gradient"] = int((self.gradient > 0).sum())
        return facts | {"queries_with_signal": 0 if self.refused else int(self.signal.sum())}
