"""Clicks of simulated users on the rankings of a policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector, check_positive, check_whole
from .._groups import canonical_ids, runs_of
from ..data import RankingData
from ._log import ClickLog
from ._model import ClickModel
from ._pairs import Ids, Vector, pairs_of
from ._policies import RandomSwaps, listed, scores_of
from ._tables import PairTable, as_probabilities

Relevance = npt.ArrayLike | Mapping[float, float] | Callable[[Vector], npt.ArrayLike]
BLOCK = 2_000_000  # candidates that are ranked together


@dataclass(frozen=True)
class GradedAttraction:
    r"""Grades as probabilities: :math:`\epsilon + (1 - \epsilon) (2^y - 1) / (2^{y_{max}} - 1)`.

    Parameters
    ----------
    noise : float
        :math:`\epsilon`, the probability of grade 0.
    highest : float, optional
        :math:`y_{max}`, by default that of the data.

    References
    ----------
    Ai, Bi, Luo, Guo and Croft, "Unbiased Learning to Rank with Unbiased Propensity Estimation", SIGIR 2018, section 5.

    Examples
    --------
    >>> GradedAttraction(0.1)([0, 1, 2]).round(2).tolist()
    [0.1, 0.4, 1.0]
    """

    noise: float = 0.1
    highest: float | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.noise, int | float) and 0 <= self.noise <= 1):
            raise ParameterError(f"noise={self.noise!r}: must be a probability, from 0 to 1.")
        if self.highest is not None:
            check_positive("highest", self.highest)

    def __call__(self, y: npt.ArrayLike) -> Vector:
        """Return the probability of each grade."""
        grades = as_vector("y", y)
        highest = float(grades.max(initial=0.0)) or 1.0 if self.highest is None else self.highest
        outside = (grades < 0) | (grades > highest)
        if outside.any():
            row = int(np.argmax(outside))
            raise DataError(f"y: row {row} is {grades[row]:g}; grades are from 0 to the highest, {highest:g}.")
        return np.asarray(self.noise + (1 - self.noise) * np.expm1(grades * np.log(2)) / np.expm1(highest * np.log(2)))


def simulate_clicks(
    data: RankingData,
    logging_policy: Any,
    model: ClickModel,
    sessions: int | npt.ArrayLike,
    random_state: int | np.random.Generator | None = None,
    *,
    top_k: int | None = None,
    attraction: Relevance | None = None,
    satisfaction: Relevance | None = None,
    policy: int | str | None = None,
) -> ClickLog:
    """Return sessions of users of a click model, who are shown the rankings of a policy.

    Parameters
    ----------
    data : RankingData
    logging_policy : array-like of shape (n_documents,), ranker, callable or policy
        What ranks: scores, in the order of `data`; a ranker, by its `predict`; a function from data to scores; or a
        randomised policy such as `PlackettLuce`, which draws a ranking for each session, or `RandomSwaps`.  Of equal
        scores, the first row stands first.
    model : ClickModel
        How users click.
    sessions : int or array-like of int of shape (n_queries,)
        How many; queries are drawn at random for each, in proportion to their weight where they have any.  Or how many
        of each query.
    random_state : int or Generator, optional
        Equal seeds give equal logs.
    top_k : int, optional
        How many documents are shown; those below are never seen, and are not in the log.  All by default.
    attraction : callable, mapping or array-like of shape (n_documents,), optional
        The probability with which a document attracts: as a function of the labels, as such of each label, or of each
        document.  By default the model's own table, by query and document id, or else ``GradedAttraction(0.1)``.
    satisfaction : same, optional
        For models that have it; by default the model's own table, or else ``GradedAttraction(0)``.
    policy : int or str, optional
        What the log calls the policy, for logs of several that `concat_click_logs` brings together.  With `RandomSwaps`
        the log's policies are the swaps.

    Returns
    -------
    ClickLog
        Its catalogue are the rows of `data`: row i of the log shows document ``log.pair[i]``.  Documents without ids
        have their row numbers, as given, as such.

    Raises
    ------
    DataError
        Labels, scores or probabilities that are out of range, or lists longer than the model knows ranks.
    ParameterError
        A number of sessions or of documents shown that is none.

    Examples
    --------
    >>> from gbrank import make_letor
    >>> from gbrank.clicks import PositionBased
    >>> data = make_letor(20, random_state=0)
    >>> log = simulate_clicks(data, data.X[:, 0], PositionBased.power(1, 5), 1000, random_state=0, top_k=5)
    >>> log.n_sessions, log.n_ranks
    (1000, 5)
    """
    if not isinstance(model, ClickModel):
        raise ParameterError(f"model={model!r}: give a click model, such as PositionBased.power(1, 10).")
    if top_k is not None:
        check_whole("top_k", top_k)
    generator = np.random.default_rng(random_state)
    pairs = pairs_of(data)
    given = {"attraction": attraction, "satisfaction": satisfaction}
    if satisfaction is not None and "satisfaction" not in model.tables:
        raise ParameterError(f"satisfaction: the {model.name} model has none; leave it out.")
    relevance = [relevance_of(name, given[name], getattr(model, name), data, pairs) for name in model.tables]
    asked = _queries(data, sessions, generator)
    ptr, rows, policies = _shown(data, logging_policy, asked, top_k, policy, generator)
    click = model.draw(ptr, *(each[rows] for each in relevance), random_state=generator)
    return ClickLog._of(
        session_ptr=ptr,
        session_ids=np.arange(len(asked)),
        pair=rows,
        pair_query=pairs[0],
        pair_document=pairs[1],
        click=click,
        policy=policies,
    )


def relevance_of(
    name: str, given: Relevance | None, table: PairTable | None, data: RankingData, pairs: tuple[Any, Any]
) -> Vector:
    """Return a probability for each document."""
    if given is None and table is not None:
        return table.find(*pairs)
    if given is None:
        given = GradedAttraction(0.1 if name == "attraction" else 0.0)
    if callable(given) or isinstance(given, Mapping):
        if data.y.ndim > 1:
            raise DataError(f"y: has {data.y.shape[1]} columns; give {name} for each document.")
        found = given(data.y) if callable(given) else _mapped(name, given, data.y)
    else:
        found = given
    values = as_probabilities(name, found)
    if len(values) != data.n_documents:
        raise DataError(f"{name}: {len(values)} values for {data.n_documents} documents; give one for each.")
    return values


def _mapped(name: str, given: Mapping[float, float], y: Vector) -> Vector:
    labels, at = np.unique(y, return_inverse=True)
    missing = [each for each in labels.tolist() if each not in given]
    if missing:
        raise DataError(f"{name}: has no probability of the label {missing[0]:g}; give one for each label.")
    return as_vector(name, [given[each] for each in labels.tolist()])[at]


def _queries(data: RankingData, sessions: int | npt.ArrayLike, generator: np.random.Generator) -> IntArray:
    """Return the query of each session."""
    if isinstance(sessions, int | float | str | np.generic) or sessions is None:
        check_whole("sessions", sessions)
        number = int(sessions)
        if data.query_weight is None:
            return generator.integers(data.n_queries, size=number)
        return generator.choice(data.n_queries, number, p=data.query_weight / data.query_weight.sum())
    counts = as_vector("sessions", sessions, length=data.n_queries, of="queries")
    bad = (counts < 0) | (counts != np.floor(counts))
    if bad.any() or not counts.any():
        raise ParameterError("sessions: give a whole number of 0 or more for each query, and one that is not 0.")
    return np.repeat(np.arange(data.n_queries), counts.astype(np.int64))


def _shown(
    data: RankingData, shown: Any, asked: IntArray, top_k: int | None, policy: Any, generator: np.random.Generator
) -> tuple[IntArray, IntArray, Ids | None]:
    """Return the offsets of the sessions' lists, the rows of `data` that stand in them, and the sessions' policies."""
    if isinstance(shown, RandomSwaps):
        if policy is not None:
            raise ParameterError(
                f"policy={policy!r}: with RandomSwaps, the log's policies are the swaps; leave it out."
            )
        ptr, rows = _lists(data, shown.ranking, asked, top_k, generator)
        return ptr, *shown.swap(ptr, rows, generator)
    ptr, rows = _lists(data, shown, asked, top_k, generator)
    return ptr, rows, None if policy is None else np.repeat(canonical_ids([policy], name="policy"), len(asked))


def _lists(
    data: RankingData, policy: Any, asked: IntArray, top_k: int | None, generator: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return the offsets of the sessions' lists, and the rows of `data` that stand in them."""
    if not hasattr(policy, "bind"):
        list_ptr, rows = listed(scores_of(policy, data), data.query_ptr, top_k)
        ptr, places = runs_of(list_ptr, asked)
        return ptr, rows[places]
    keys = policy.bind(data)
    step = max(1, int(BLOCK / data.query_sizes.mean()))
    sizes, found = [], []
    for first in range(0, len(asked), step):
        ptr, rows = runs_of(data.query_ptr, asked[first : first + step])
        drawn = as_vector("logging_policy", keys(rows, generator), length=len(rows), of="candidates")
        list_ptr, places = listed(drawn, ptr, top_k)
        sizes.append(np.diff(list_ptr))
        found.append(rows[places])
    return np.concatenate(([0], np.cumsum(np.concatenate(sizes)))), np.concatenate(found)
