"""The Pareto front of two tasks of a value model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import ParameterError, check_whole
from .._registry import unknown
from ..data import RankingData
from ._shares import Problem, Vector
from ._target import DEFAULT_K
from ._value_model import ValueModel, require_model


@dataclass(frozen=True, eq=False)
class ParetoFront:
    """What two tasks get from a ranking as weight moves from the one to the other; made by `pareto_front`.

    Attributes
    ----------
    tasks : tuple of str
        The two.
    table : DataFrame
        A row for each mixture: ``share`` of the first task in what the two have of weight, in units of standard
        deviations; ``weight_a``, ``weight_b``; ``ndcg_a``, ``ndcg_b``; and whether the mixture is ``efficient``: no
        other row is better for one task and no worse for the other.
    current : dict
        The same of the model as it is, but for ``efficient``.
    measure : str
    """

    tasks: tuple[str, str]
    table: pd.DataFrame
    current: dict[str, float]
    measure: str


def pareto_front(
    model: ValueModel, scores: RankingData, first: str, second: str, *, k: int | None = DEFAULT_K, gain: str = "value",
    n_points: int = 41, n_jobs: int | None = None,
) -> ParetoFront:  # fmt: skip
    """Return what two tasks get, by NDCG with their own predictions as gain, for mixtures of their weights.

    The other tasks keep their weights.

    Parameters
    ----------
    first, second : str
        Two tasks, of which one at least has a weight.
    n_points : int
        How many mixtures, from all weight with the second task to all with the first.

    The others, and what is refused, are as in `gbrank.target_weights`.

    Examples
    --------
    >>> from gbrank import RankingData
    >>> scores = RankingData([[1.0, 0.0], [0.0, 2.0]], [0, 0], qid=["a", "a"], feature_names=["x", "y"])
    >>> front = pareto_front(ValueModel({"x": 1.0, "y": 1.0}), scores, "x", "y", n_points=2)
    >>> front.table[["ndcg_a", "ndcg_b", "efficient"]].round(2).to_numpy().tolist()
    [[0.63, 1.0, True], [1.0, 0.63, True]]
    """
    require_model(model)
    for task in (first, second):
        if task not in model.tasks:
            raise unknown("task", task, model.tasks)
    if first == second:
        raise ParameterError(f"second: is {first!r}, too; give two tasks.")
    check_whole("n_points", n_points, lowest=2)
    problem = Problem.of(model, scores, k, gain, n_jobs)
    pair = [model.tasks.index(first), model.tasks.index(second)]
    weights, unit = np.array(list(model.weights.values())), problem.spread[pair]
    both = weights[pair] @ unit
    if weights[pair].min() < 0 or both <= 0:
        raise ParameterError(f"weights: {first!r} and {second!r} need weights of 0 or more, one of them above 0.")
    rows = []
    for share in np.linspace(0, 1, n_points):
        mixed = weights.copy()
        mixed[pair] = both * np.array([share, 1 - share]) / unit
        rows.append(_row(problem, mixed, pair, float(share)))
    table = pd.DataFrame(rows)
    table["efficient"] = efficient(table[["ndcg_a", "ndcg_b"]].to_numpy())
    current = _row(problem, weights, pair, float(weights[pair[0]] * unit[0] / both))
    return ParetoFront((first, second), table, current, str(problem.measure))


def _row(problem: Problem, weights: Vector, pair: list[int], share: float) -> dict[str, float]:
    score, found = problem.total(weights), []
    for t in pair:
        values = problem.measure(problem.gain[:, t], score, problem.query_ptr, n_jobs=problem.n_jobs)
        found.append(float(problem.mean(values[:, None])[0]))
    a, b = weights[pair].tolist()
    return {"share": share, "weight_a": a, "weight_b": b, "ndcg_a": found[0], "ndcg_b": found[1]}


def efficient(points: Any) -> Any:
    """Tell which rows no other row beats: is better in one column and no worse in the other.

    Examples
    --------
    >>> efficient(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0], [2.0, 2.0]])).tolist()
    [True, True, False, True]
    """
    no_worse = (points[None, :, :] >= points[:, None, :]).all(axis=2)
    better = (points[None, :, :] > points[:, None, :]).any(axis=2)
    return ~(no_worse & better).any(axis=1)
