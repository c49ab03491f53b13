"""Two rankings of the same queries before simulated users: what the experiments with them share."""

from __future__ import annotations

import abc
import html
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_whole
from ..data import RankingData
from ._candidates import order_of, ranked
from ._model import ClickModel
from ._pairs import match_pairs
from ._simulate import relevance_of
from ._tables import PairTable

Vector = npt.NDArray[np.float64]
Lists = list[list[int]]


class Outcome(abc.ABC):
    """What outcomes of experiments with two rankings share: how they are told."""

    TOLD: ClassVar[tuple[str, ...]]
    """The numbers of `to_dict`, beside the interval and the sessions needed."""

    @property
    @abc.abstractmethod
    def interval(self) -> tuple[float, float]:
        """The ends of the interval."""

    @abc.abstractmethod
    def sessions_needed(self, *, power: float = 0.8, level: float = 0.05) -> float:
        """Return how many sessions the test needs; infinite where there is no difference."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; None for NaN and infinity."""
        found = {name: getattr(self, name) for name in self.TOLD}
        found |= {"low": self.interval[0], "high": self.interval[1], "sessions_needed": self.sessions_needed()}
        return {name: value if np.isfinite(value) else None for name, value in found.items()}

    def _needed(self) -> str:
        needed = self.sessions_needed()
        return f"sessions needed {'more than any' if np.isinf(needed) else format(needed, ',')}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass(frozen=True)
class Duel:
    """The first documents of two rankings, query by query, and what users think of them.

    Attributes
    ----------
    a, b : list of list of int
        Documents by number, of each query, the first first; at most k.
    model : ClickModel
    tables : list of array of shape (n_documents,)
        Attraction, and satisfaction where the model has it, of each document.
    query_weight : array of shape (n_queries,) or None
        In proportion to which sessions have queries.
    """

    a: Lists
    b: Lists
    model: ClickModel
    tables: list[Vector]
    query_weight: Vector | None

    @classmethod
    def make(cls, a: Any, b: Any, model: ClickModel, k: int, data: RankingData | None, given: dict[str, Any]) -> Duel:
        """Number the documents of both rankings, and look up what the model needs to know of them.

        Parameters
        ----------
        a, b : Run, ranker or array-like
        model : ClickModel
        k : int
        data : RankingData, optional
        given : dict
            ``attraction`` and ``satisfaction``, or None.
        """
        check_whole("k", k)
        one, two = ranked(a, data, "a"), ranked(b, data, "b")
        if set(one.query_ids.astype(str)) != set(two.query_ids.astype(str)):
            raise DataError("b: ranks other queries than a; give both the same ones.")
        number = match_pairs((one.queries, one.documents), (two.queries, two.documents))
        new = np.flatnonzero(number < 0)
        number[new] = len(one.score) + np.arange(len(new))
        queries = np.concatenate((one.queries.astype(str), two.queries[new].astype(str)))
        documents = np.concatenate((one.documents.astype(str), two.documents[new].astype(str)))
        for name, value in given.items():
            if value is not None and name not in model.tables:
                raise ParameterError(f"{name}: the {model.name} model has none; leave it out.")
        if data is None:
            tables = [_found(name, given[name], model, queries, documents) for name in model.tables]
        else:
            own = (one.queries, one.documents)
            tables = [relevance_of(name, given[name], getattr(model, name), data, own) for name in model.tables]
        place = {str(query): q for q, query in enumerate(two.query_ids)}
        lists = order_of(two.score, two.query_ptr, k)
        return cls(
            order_of(one.score, one.query_ptr, k),
            [number[lists[place[str(query)]]].tolist() for query in one.query_ids],
            model,
            tables,
            None if data is None else data.query_weight,
        )

    def queries(self, sessions: int, rng: np.random.Generator) -> list[int]:
        """Return the query of each session, at random."""
        p = None if self.query_weight is None else self.query_weight / self.query_weight.sum()
        drawn: list[int] = rng.choice(len(self.a), sessions, p=p).tolist()
        return drawn

    def clicks(self, lists: Lists, rng: np.random.Generator) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Return offsets of the lists, one a session, and clicks drawn for each of their rows."""
        ptr = np.concatenate(([0], np.cumsum([len(each) for each in lists])))
        rows = np.concatenate([np.asarray(each, np.int64) for each in lists])
        return ptr, self.model.draw(ptr, *(table[rows] for table in self.tables), random_state=rng)


def _found(name: str, given: Any, model: ClickModel, queries: Any, documents: Any) -> Vector:
    """Return a number for each document of runs, from a table."""
    table = getattr(model, name) if given is None else given
    if table is None:
        raise ParameterError(f"{name}: the {model.name} model has no table of it; fit the model, or give one.")
    if not isinstance(table, PairTable):
        raise ParameterError(f"{name}: runs have documents of their own; give a PairTable, or rank rows of `data`.")
    return table.find(queries, documents)
