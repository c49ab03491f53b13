"""`target_weights`: the weights with which every task counts as much as is desired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .._checks import ParameterError, check_choice, check_positive, check_whole
from .._registry import unknown
from ..data import RankingData
from ..evaluation._resampling import resampled_means
from ._constraints import Constraints, as_constraints
from ._search import METHODS, SOLVERS, TEMPERATURES, Found, Search, at_random, by_heuristic, within
from ._shares import KINDS, TINY, Problem, Vector, fraction_slopes, fractions
from ._value_model import ValueModel, require_model

DEFAULT_K = 10


@dataclass(frozen=True, eq=False, repr=False)
class TargetResult:
    """What `gbrank.target_weights` found.

    Attributes
    ----------
    model : ValueModel
        With the weights that were found.
    by : {"gap", "regret"}
    table : DataFrame
        A row for each task: ``weight``, ``desired`` and reached ``fraction``, their ``difference``, and the mean
        ``gap`` or ``regret``, all with hard ranks.
    reached : bool
        Whether no fraction is further from the desired one than the tolerance, and all constraints are kept.
    tolerance : float
    floors : DataFrame
        A row for each task with a floor: ``floor``, and the ``ndcg`` that is kept.
    sensitivity : DataFrame
        What fractions do when the logarithm of a weight grows by 1: a row for each task's fraction, a column for each
        weight; by the slopes of a smooth order.
    values : DataFrame
        The gap or regret of each task (column) in each query (row), NaN where the query does not count.
    query_weight : array of shape (n_queries,)
    single_document_queries : int
        Queries of one document, which have no order; they are left out.
    start : ValueModel
        The model that the search started from.
    measure : str
    at_bound : tuple of str
        Tasks whose weight is at a bound of the constraints.
    """

    model: ValueModel
    by: str
    table: pd.DataFrame
    reached: bool
    tolerance: float
    floors: pd.DataFrame
    sensitivity: pd.DataFrame
    values: pd.DataFrame
    query_weight: Vector
    single_document_queries: int
    start: ValueModel
    measure: str
    at_bound: tuple[str, ...]
    free: tuple[str, ...]
    _search: Search
    _method: str

    @property
    def largest_error(self) -> float:
        """The largest distance of a fraction from the desired one."""
        return float(self.table["difference"].abs().max())

    def intervals(
        self, *, n_resamples: int = 1000, confidence: float = 0.95, random_state: int = 0, weights: str = "step"
    ) -> pd.DataFrame:
        """Return bootstrap intervals over queries of each task's fraction and weight.

        Queries are drawn with replacement.  The fraction's interval holds the percentiles of its fraction with the
        weights as they are; the weight's those of the weight that a resample calls for.  Fixed weights have none.

        Parameters
        ----------
        n_resamples : int
        confidence : float
        random_state : int
        weights : {"step", "search"}
            How a resample's weights are found: by one Newton step with the `sensitivity` towards the fractions found,
            which knows no constraints; or by a search from the weights found, with the target and the constraints of
            this one, which takes as long for each resample as a short `target_weights`: a few hundred will do.

        Returns
        -------
        DataFrame
            A row for each task: ``fraction``, ``fraction_low``, ``fraction_high``, ``weight``, ``weight_low``,
            ``weight_high``.
        """
        check_whole("n_resamples", n_resamples, lowest=2)
        check_whole("random_state", random_state, lowest=0)
        check_positive("confidence", confidence)
        check_choice("weights", weights, ("step", "search"))
        if confidence >= 1:
            raise ParameterError(f"confidence={confidence!r}: must be below 1.")
        values, there = self.values.to_numpy(), self.values.notna().to_numpy()
        weight = self.query_weight[:, None]
        columns = np.hstack((np.where(there, values, 0) * weight, there * weight))
        sums = resampled_means(columns, n_resamples, random_state, 1)
        t = values.shape[1]
        means = sums[:, :t] / np.maximum(sums[:, t:], TINY)
        shares = np.apply_along_axis(fractions, 1, means)
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        found = pd.DataFrame({"fraction": self.table["fraction"]})
        found["fraction_low"], found["fraction_high"] = np.quantile(shares, tails, axis=0)
        found["weight"] = self.table["weight"]
        moved = self._stepped(shares) if weights == "step" else self._searched(n_resamples, random_state)
        found["weight_low"], found["weight_high"] = np.quantile(moved, tails, axis=0)
        return found

    def _searched(self, n_resamples: int, random_state: int) -> Any:
        """Return the weights that a search finds for each resample of the queries, a row for each."""
        n, solve = len(self.values), SOLVERS[self._method]
        drawn = np.random.default_rng(random_state).multinomial(n, np.full(n, 1 / n), size=n_resamples)
        here = np.log(
            self.table["weight"].to_numpy()[self._search.free] * self._search.problem.spread[self._search.free]
        )
        rows = []
        for counts in drawn:
            problem = replace(self._search.problem, share=self._search.problem.share * counts)
            search = replace(self._search, problem=problem)
            rows.append(search.weights(solve(search, here, self.tolerance / 4).v))
        return np.array(rows)

    def _stepped(self, shares: Any) -> Any:
        """Return the weights that would give resamples the fractions found, a row for each."""
        weights = self.table["weight"].to_numpy()
        free = np.array([task in self.free for task in self.table.index])
        inverse = np.linalg.pinv(self.sensitivity.to_numpy()[:, free], rcond=1e-3)
        steps = (self.table["fraction"].to_numpy() - shares) @ inverse.T
        moved = np.tile(weights, (len(shares), 1))
        moved[:, free] *= np.exp(np.clip(steps, -50, 50))
        scale = (weights.sum() - weights[~free].sum()) / np.maximum(moved[:, free].sum(axis=1), TINY)
        moved[:, free] *= scale[:, None]
        return moved

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain content."""
        return {
            "model": self.model.to_dict(),
            "by": self.by,
            "measure": self.measure,
            "reached": self.reached,
            "tolerance": self.tolerance,
            "largest_error": self.largest_error,
            "tasks": self.table.to_dict("index"),
            "floors": self.floors.to_dict("index"),
            "at_bound": list(self.at_bound),
            "queries": len(self.values),
            "single_document_queries": self.single_document_queries,
        }

    def __str__(self) -> str:
        skipped = self.single_document_queries
        left_out = f"; {skipped:,} of one document left out" if skipped else ""
        lines = [f"{self.by} of each task by {self.measure}, {len(self.values):,} queries{left_out}", ""]
        lines += [self.table.round(4).to_string(), ""]
        if len(self.floors):
            lines += [self.floors.round(4).to_string(), ""]
        return "\n".join([*lines, self.verdict()])

    def verdict(self) -> str:
        """Return in words whether the target was reached, and if not, how near one comes and what stands in the way."""
        error = f"{self.largest_error:.4f}"
        if self.reached:
            return f"reached: no fraction is further than {error} from the desired one (tolerance {self.tolerance:g})"
        parts = [f"not reached: the nearest found is {error} off (tolerance {self.tolerance:g})"]
        off = self.table[self.table["difference"].abs() > self.tolerance]
        words = [f"{task} has {row['fraction']:.4f} of {row['desired']:.4f}" for task, row in off.iterrows()]
        parts += [", ".join(words)] if words else []
        if self.at_bound:
            parts.append(f"at a bound: {', '.join(self.at_bound)}")
        near = self.floors["ndcg"] - self.floors["floor"]
        held = self.floors.index[(near >= 0) & (near <= self.tolerance)]
        parts += [f"at its floor of NDCG: {', '.join(held)}"] if len(held) else []
        short = self.floors[near < 0]
        parts += [f"NDCG of {task} is {row['ndcg']:.4f}, its floor {row['floor']:g}" for task, row in short.iterrows()]
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"TargetResult({self.verdict()})"


def target_weights(
    model: ValueModel,
    scores: RankingData,
    desired: Mapping[str, float],
    *,
    by: str = "gap",
    k: int | None = DEFAULT_K,
    gain: str = "value",
    method: str = "slsqp",
    constraints: Constraints | None = None,
    regularization: float = 0.0,
    tolerance: float = 0.005,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> TargetResult:
    """Return the weights with which each task has the desired share in the order of documents.

    With ``by="gap"``, a task counts by its NDCG gap: 1 - NDCG@k of the ranking without it, the full score as gain.
    With ``by="regret"``, by what it loses to the others: 1 - NDCG@k of the full ranking, its own (transformed)
    predictions as gain; the larger the regret, the smaller the weight.  A fraction is a task's share in the sum over
    tasks of the means over queries.

    Parameters
    ----------
    model : ValueModel
        Tasks, transforms and form; its weights are where the search starts.
    scores : RankingData
        Predictions as features, found by name; `query_weight` weighs queries.  Queries of one document are left out and
        counted.
    desired : mapping of task to float
        Fractions of all tasks, 0 or more, that add up to 1.
    by : {"gap", "regret"}
    k : int or None
        Cutoff of NDCG; None for whole lists.
    gain : {"value", "above_lowest"}
        What a document is worth: score or prediction, which must not be negative, or that less the query's lowest.
    method : {"slsqp", "secant", "heuristic"}
        SLSQP with the exact slopes of a smooth order; the same without derivatives, by secants over wide steps; or
        weights multiplied by a power of desired over present fraction, which knows no floors.  All are judged by hard
        ranks.
    constraints : Constraints, optional
        Weights add up to 1 by default.
    regularization : float
        Adds this times the squared distance of log weights from those of the model to the squared distance of the
        fractions, which then are not met exactly.
    tolerance : float
        The largest distance of a fraction that counts as reached; the search aims at a tenth of it.
    random_state : int
        Seed of what is tried where a first search does not reach the target.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Returns
    -------
    TargetResult
        Where the target is not reached, the nearest point found, and `verdict` says so.

    Raises
    ------
    ParameterError
        Fractions that do not fit the tasks, are negative or do not add up to 1; constraints that cannot be met.
    DataError
        A task without predictions, NaN, a task that is constant in every query, negative gains.

    Examples
    --------
    >>> import numpy as np
    >>> from gbrank import RankingData, ValueModel, target_weights
    >>> p = np.random.default_rng(0).beta(2, 5, size=(6000, 3))
    >>> scores = RankingData(p, np.zeros(6000), np.arange(6000) // 20, feature_names=["click", "like", "share"])
    >>> model = ValueModel({"click": 1, "like": 1, "share": 1})
    >>> found = target_weights(model, scores, {"click": 0.5, "like": 0.3, "share": 0.2}, n_jobs=1)
    >>> found.reached, found.table["fraction"].round(2).tolist()
    (True, [0.5, 0.3, 0.2])
    """
    check_choice("by", by, KINDS)
    check_choice("method", method, METHODS)
    check_positive("tolerance", tolerance)
    check_positive("regularization", regularization, zero=True)
    check_whole("random_state", random_state, lowest=0)
    limits = as_constraints(constraints)
    _check_start(model)
    target = _desired(desired, model)
    limits.check(model.tasks)
    if method == "heuristic" and limits.ndcg_floor:
        raise ParameterError("method='heuristic': knows no ndcg_floor; choose 'slsqp' or 'secant'.")
    problem = Problem.of(model, scores, k, gain, n_jobs)
    start = np.array(list(model.weights.values()))
    search = Search.of(problem, by, target, start, limits, float(regularization))
    best = _best(search, method, tolerance, random_state)
    return _result(model, search, best, limits, tolerance, method)


def _desired(desired: Any, model: ValueModel) -> Vector:
    if not isinstance(desired, Mapping):
        raise ParameterError(f"desired: {desired!r} is no mapping; give {{task: fraction}}.")
    for task in desired:
        if task not in model.tasks:
            raise unknown("task of desired", task, model.tasks)
    for task in model.tasks:
        value = desired.get(task)
        if value is None:
            raise ParameterError(f"desired: nothing for the task {task!r}; give a fraction for each task.")
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
            raise ParameterError(f"desired: {task!r} is {value!r}; a fraction is a number from 0 to 1.")
    target = np.array([float(desired[task]) for task in model.tasks])
    if abs(target.sum() - 1) > 1e-6:
        raise ParameterError(f"desired: the fractions add up to {target.sum():.6g}; divide them so that they make 1.")
    return target


def _check_start(model: ValueModel) -> None:
    require_model(model)
    for task, weight in model.weights.items():
        if weight < 0:
            raise ParameterError(
                f"weights: {task!r} is {weight:g}; shares are of weights of 0 or more. For what is unwanted give a "
                "transform, such as 'complement', and a positive weight."
            )


def _best(search: Search, method: str, tolerance: float, random_state: int) -> Found:
    """Return the best that the method finds: from the start, and where that is not enough, from elsewhere."""
    solve, goal = SOLVERS[method], tolerance / 10
    start = search.scaled(search.start)
    best = solve(search, start, goal)
    if within(search, best, tolerance) or search.regularization > 0:
        return best
    generator = np.random.default_rng(random_state)
    even = search.scaled(search.even)
    others = [even, search.scaled(even + generator.normal(size=len(even))), None]
    for v in others:
        new = solve(search, by_heuristic(search, even, goal).v if v is None else v, goal)
        best = new if new.loss < best.loss else best
        if within(search, best, tolerance):
            return best
    return at_random(search, best, tolerance, generator)


def _result(
    model: ValueModel, search: Search, best: Found, limits: Constraints, tolerance: float, method: str
) -> TargetResult:
    problem, by, tasks = search.problem, search.by, model.tasks
    weights = search.weights(best.v)
    values = problem.hard(weights, by)
    means = problem.mean(values)
    reached = fractions(means)
    table = pd.DataFrame(
        {"weight": weights, "desired": search.desired, "fraction": reached, "difference": reached - search.desired,
         by: means}, index=pd.Index(tasks, name="task"),
    )  # fmt: skip
    smooth = problem.smooth(weights, by, TEMPERATURES[-1] * problem.deviation(weights))
    slopes = fraction_slopes(*smooth) * weights
    floors = pd.DataFrame(
        {"floor": search.levels, "ndcg": best.point.kept}, index=pd.Index(list(limits.ndcg_floor), name="task")
    )
    kept = bool((best.point.kept >= search.levels).all())
    summed = not search.sum_to_one or abs(weights.sum() - 1) < 1e-9
    return TargetResult(
        model=model.with_weights(dict(zip(tasks, weights.tolist(), strict=True))),
        by=by,
        table=table,
        reached=bool(table["difference"].abs().max() <= tolerance and kept and summed),
        tolerance=tolerance,
        floors=floors,
        sensitivity=pd.DataFrame(slopes, index=table.index, columns=list(tasks)),
        values=pd.DataFrame(values, index=pd.Index(problem.query_ids, name="query"), columns=list(tasks)),
        query_weight=problem.share,
        single_document_queries=problem.single,
        start=model,
        measure=str(problem.measure),
        at_bound=tuple(task for task in tasks if _at_bound(task, float(weights[tasks.index(task)]), limits)),
        free=tuple(tasks[t] for t in search.free),
        _search=search,
        _method=method,
    )


def _at_bound(task: str, weight: float, limits: Constraints) -> bool:
    bounds = [side[task] for side in (limits.lower, limits.upper) if task in side]
    return any(np.isclose(weight, bound, rtol=1e-4, atol=1e-12) for bound in bounds)


def shares(
    model: ValueModel, scores: RankingData, *, by: str = "gap", k: int | None = DEFAULT_K, gain: str = "value",
    n_jobs: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return how much each task counts in a value model as it is: mean gap or regret, and its fraction.

    Parameters and refusals are those of `target_weights`.

    Examples
    --------
    >>> from gbrank import RankingData, ValueModel
    >>> scores = RankingData([[1.0, 0.0], [0.0, 2.0]], [0, 0], qid=["a", "a"], feature_names=["x", "y"])
    >>> shares(ValueModel({"x": 3.0, "y": 1.0}), scores).round(3)  # without x, the second document leads
            gap  fraction
    task
    x     0.087       1.0
    y     0.000       0.0
    """
    check_choice("by", by, KINDS)
    _check_start(model)
    problem = Problem.of(model, scores, k, gain, n_jobs)
    means = problem.mean(problem.hard(np.array(list(model.weights.values())), by))
    index = pd.Index(model.tasks, name="task")
    return pd.DataFrame({by: means, "fraction": fractions(means)}, index=index)
