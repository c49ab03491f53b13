"""Learning curves: a measure over the number of trees, and over the number of queries trained on."""

from __future__ import annotations

import copy
import html
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from .._checks import DataError, GbrankWarning, ParameterError, check_whole
from ..data import RankingData
from ..evaluation import evaluate
from ..evaluation._means import mean_and_error, query_weights, records
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..rankers import GBRanker

POINTS = 20  # of a curve over trees


@dataclass(frozen=True, eq=False, repr=False)
class Curve:
    """A measure over a growing number; made by `curve_over_trees` and `curve_over_queries`.

    Attributes
    ----------
    over : {"trees", "queries"}
    measure : Measure
    values : DataFrame of shape (n_queries, n_points)
        The value of each query of the evaluated data, by query id ("qid"); NaN where it is skipped.  Columns are
        numbers of trees, or (number of queries trained on, seed).
    table : DataFrame
        Indexed by that number: "mean" of the measure (over queries, then over seeds); "standard_error" of it for these
        models on other queries such as the evaluated ones; "sd", "lowest" and "highest" of the means of the seeds,
        where there are several; "evaluated", the number of queries with a value.
    """

    over: str
    measure: Measure
    values: pd.DataFrame
    table: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return `over`, `measure`, `convention` and `points` as plain values for JSON; None for NaN."""
        return {
            "over": self.over,
            "measure": str(self.measure),
            "convention": self.measure.describe(),
            "points": records(self.table.reset_index()),
        }

    def to_html(self) -> str:
        """Return what `str` says, in HTML."""
        title = html.escape(f"{self.measure} over {self.over}")
        shown = self.table.to_html(float_format="{:.4f}".format)
        return f"<p>{title}</p>{shown}<p>{html.escape(self.measure.describe())}</p>"

    def __str__(self) -> str:
        shown = self.table.to_string(float_format="{:.4f}".format)
        return f"{self.measure} over {self.over}\n{shown}\n{self.measure.describe()}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def curve_over_trees(
    ranker: GBRanker, data: RankingData, measure: str | Measure | None = None, *, at: Sequence[int] | None = None
) -> Curve:
    """Return the measure of a fitted ranker cut after fewer trees; nothing is trained.

    Parameters
    ----------
    ranker : GBRanker
        Fitted.
    data : RankingData
        With one label column.  Data that chose the number of trees tell too good a story.
    measure : str or Measure, optional
        The ranker's own by default.
    at : sequence of int, optional
        Numbers of rounds; by default about 20, evenly spaced up to all that were trained, and `best_iteration_`.

    Raises
    ------
    NotFittedError
        The ranker is not fitted.
    ParameterError
        A number that is not between 0 and the number of rounds.

    Notes
    -----
    What an objective learnt beside its trees (thresholds, ...) is that of the whole model.  Under DART each round also
    rescales earlier trees, so there the first k trees are not the model that training had after k rounds.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(30, n_features=8, max_documents=30, random_state=0)
    >>> curve = curve_over_trees(gbrank.GBRanker(n_estimators=4, n_jobs=1).fit(data), data, at=[1, 2, 4])
    >>> curve.table.index.tolist(), curve.values.shape
    ([1, 2, 4], (30, 3))
    """
    ranker._require_fitted()
    m = ranker.measure_ if measure is None else find_measure(measure)
    trained = ranker.model_.n_trees() // ranker.model_.n_outputs
    if at is None:
        at = sorted({*np.linspace(1, trained, min(POINTS, trained)).astype(int).tolist(), ranker.best_iteration_} - {0})
    numbers = _numbers("at", at, lowest=0, highest=trained, what="the rounds that were trained")
    cut, values = copy.copy(ranker), {}
    for number in numbers:
        cut.best_iteration_ = number
        values[number] = evaluate(data, cut, m, n_jobs=ranker.n_jobs).values(m)
    frame = pd.DataFrame(values).rename_axis(columns="trees")
    return Curve("trees", m, frame, _table(m, {each: frame[[each]] for each in numbers}, data, "trees"))


def curve_over_queries(
    ranker: Any,
    train: RankingData,
    test: RankingData,
    measure: str | Measure = "ndcg@10",
    *,
    sizes: Sequence[int] | None = None,
    seeds: int | Sequence[int] = 5,
    eval_set: Any = None,
) -> Curve:
    """Train on growing numbers of queries and return the measure on `test`.

    For each seed the queries of `train` are put in a random order, of which each size takes the first: whole queries,
    and the smaller sets are part of the larger ones.  A clone of the ranker is trained on each, with the seed as its
    `random_state` where it has that parameter.

    Parameters
    ----------
    ranker : GBRanker, or an estimator with ``fit(data)`` and ``predict(data)``
        Left as it is.
    train, test : RankingData
        With one label column, and without a query in common.
    measure : str or Measure
    sizes : sequence of int, optional
        Numbers of queries; by default 1/16, 1/8, 1/4, 1/2 and all of those in `train`.
    seeds : int or sequence of int
        How many seeds (0, 1, ...), or which.
    eval_set : optional
        For early stopping, as `GBRanker.fit` takes it.

    Raises
    ------
    DataError
        Too few queries to learn from, or what the ranker refuses; the size and the seed are named.
    ParameterError
        A size or seed that cannot be used.

    Warns
    -----
    GbrankWarning
        `train` and `test` have query ids in common.

    Notes
    -----
    The spread over seeds tells what other training queries, and the ranker's own chance, would do to the mean on these
    test queries; with all queries only the latter is left.  The standard error tells what other test queries would do.
    Neither contains the other.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(40, n_features=8, max_documents=30, random_state=0)
    >>> train, test = gbrank.train_test_split(data, test_size=10, random_state=0)
    >>> ranker = gbrank.GBRanker(n_estimators=3, n_jobs=1)
    >>> curve_over_queries(ranker, train, test, sizes=[15, 30], seeds=2).values.columns.tolist()
    [(15, 0), (15, 1), (30, 0), (30, 1)]
    """
    m = find_measure(measure)
    if sizes is None:
        sizes = sorted({max(1, train.n_queries // part) for part in (16, 8, 4, 2, 1)})
    numbers = _numbers("sizes", sizes, lowest=1, highest=train.n_queries, what="all queries")
    chosen = range(seeds) if isinstance(seeds, int | np.integer) else seeds
    chosen = _numbers("seeds", chosen, lowest=0, highest=2**32 - 1, what="the highest seed")
    shared = np.intersect1d(train.query_ids, test.query_ids)
    if len(shared):
        message = f"train and test have {len(shared)} query ids in common, such as {shared[0]}; are they other queries?"
        warnings.warn(message, GbrankWarning, stacklevel=2)
    orders = {seed: np.random.default_rng(seed).permutation(train.n_queries) for seed in chosen}
    values = {}
    for size in numbers:
        for seed in chosen:
            part = train.take(np.sort(orders[seed][:size]))
            fitted = _fitted(ranker, part, seed, eval_set)
            values[size, seed] = evaluate(test, fitted, m).values(m)
    frame = pd.DataFrame(values).rename_axis(columns=["queries", "seed"])
    points = {each: pd.DataFrame(frame[each]) for each in numbers}
    return Curve("queries", m, frame, _table(m, points, test, "queries"))


def _fitted(ranker: Any, part: RankingData, seed: int, eval_set: Any) -> Any:
    fresh = clone(ranker)
    if "random_state" in fresh.get_params(deep=False):
        fresh.set_params(random_state=seed)
    try:
        return fresh.fit(part) if eval_set is None else fresh.fit(part, eval_set=eval_set)
    except DataError as error:
        raise DataError(f"with {part.n_queries} queries (seed {seed}): {error}") from error


def _numbers(name: str, given: Iterable[int], *, lowest: int, highest: int, what: str) -> list[int]:
    """Return distinct whole numbers as given, after checking them."""
    numbers = list(given)
    for number in numbers:
        check_whole(name, number, lowest=lowest)
        if number > highest:
            raise ParameterError(f"{name}: {number} is more than {highest}, {what}.")
    if not numbers or len(set(numbers)) < len(numbers):
        raise ParameterError(f"{name}={numbers!r}: give at least one number, none of them twice.")
    return [int(number) for number in numbers]


def _table(measure: Measure, points: dict[int, pd.DataFrame], data: RankingData, over: str) -> pd.DataFrame:
    """Return the row of each number, whose values have a column for each seed."""
    weights = query_weights(measure, data.query_sizes)
    rows = []
    for values in points.values():
        columns: npt.NDArray[np.float64] = values.to_numpy(dtype=np.float64)
        _, error, queries = mean_and_error(columns.mean(axis=1), weights)
        means = np.array([mean_and_error(column, weights)[0] for column in columns.T])
        spread = {"sd": means.std(ddof=1), "lowest": means.min(), "highest": means.max()} if len(means) > 1 else {}
        rows.append({"mean": means.mean(), "standard_error": error, **spread, "evaluated": queries})
    return pd.DataFrame(rows, index=pd.Index(list(points), name=over))
