r"""The search for weights: what is varied, what is evaluated, and the three ways to vary it.

Weights are varied as :math:`v = \log(w \sigma)`, sigma the task's standard deviation within queries, so that a task's
unit does not matter.  Between rank changes a regret is constant, and so is a gap if the score at the start stays its
gain: SLSQP on hard ranks stops where it starts.  With the score of the moment as gain, as here, a gap has a slope,
but one that knows nothing of rank changes: SLSQP then stops near the target, or short of it.  Here it is given the
exact slopes of smooth ranks, cooler from round to round.  Each round it solves for the step that brings the
fractions, as they are with hard ranks, nearest to those desired under all constraints, within a box that shrinks when
a step does not keep what it promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ._constraints import Constraints
from ._shares import Matrix, Problem, Vector, fraction_slopes, fractions

METHODS = ("slsqp", "secant", "heuristic")
TEMPERATURES = (0.3, 0.1, 0.05)  # of the first rounds; the last stays
ROUNDS, LEAST_BOX, PROGRESS = 30, 1e-3, 0.99
REACH = 10.0  # of v, beyond its start
BOX = 1.5  # of v, in one round
SCALE = 1000.0  # of fractions beside v
SECANTS = (0.3, 0.15)  # steps of v
HEURISTIC_ROUNDS = 200
TRIES = 100  # of the random search around the nearest point
BELOW = 10.0  # squared distances that a unit below a floor of NDCG weighs: a floor comes before the fractions


class Point(NamedTuple):
    """What hard ranks say of one set of weights.

    fractions : (n_tasks,)
    kept : (n_floors,), NDCG of the tasks with a floor.
    """

    fractions: Vector
    kept: Vector

    @property
    def both(self) -> Vector:
        """Fractions and NDCG in one vector."""
        return np.concatenate(self)


@dataclass(frozen=True, eq=False)
class Search:
    """What is searched: weights of the free tasks so that fractions come near the desired ones.

    free : numbers of the tasks whose weights are varied; `fixed` holds the weights of the others, else 0.
    start, even, low, high : (n_free,), in v: the start, one at which terms have equal spread, and bounds.
    floors, levels : numbers of the tasks with a floor of NDCG, and the floors.
    """

    problem: Problem
    by: str
    desired: Vector
    free: Any
    fixed: Vector
    start: Vector
    even: Vector
    low: Vector
    high: Vector
    floors: Any
    levels: Vector
    sum_to_one: bool
    regularization: float

    @classmethod
    def of(
        cls, problem: Problem, by: str, desired: Vector, start: Vector, limits: Constraints, regularization: float
    ) -> Search:
        """Return the search from the weights `start`; a gap of 0 is that of a weight of 0."""
        tasks, spread = problem.tasks, problem.spread
        fixed = np.array([limits.fixed.get(task, np.nan) for task in tasks])
        low = np.array([limits.lower.get(task, 0.0) for task in tasks])
        if by == "gap":
            fixed[np.isnan(fixed) & (desired == 0) & (low == 0)] = 0.0
        free = np.flatnonzero(np.isnan(fixed))
        unit, rest = spread[free], 1 - np.nansum(fixed)
        usual = np.where(start > 0, start, _even(spread, start))[free]
        even = np.log(_even(spread, start) * spread)[free]
        if limits.sum_to_one:
            usual *= rest / usual.sum()
            even = np.log(rest / (1 / unit).sum()) * np.ones(len(free))
        high = np.array([limits.upper.get(tasks[t], np.inf) for t in free])
        with np.errstate(divide="ignore"):
            bottom, top = np.log(low[free] * unit), np.log(high * unit)
        v, even = (np.clip(each, bottom, top) for each in (np.log(usual * unit), even))
        reach = np.minimum(v, even) - REACH, np.maximum(v, even) + REACH
        floors = [tasks.index(task) for task in limits.ndcg_floor]
        return cls(
            problem, by, desired, free, np.where(np.isnan(fixed), 0.0, fixed), v, even, np.maximum(bottom, reach[0]),
            np.minimum(top, reach[1]), np.array(floors, np.int64), np.array(list(limits.ndcg_floor.values())),
            limits.sum_to_one, regularization,
        )  # fmt: skip

    def weights(self, v: Vector) -> Vector:
        """Return the weights of all tasks."""
        weights = self.fixed.copy()
        weights[self.free] = np.exp(v) / self.problem.spread[self.free]
        return weights

    def scaled(self, v: Vector) -> Vector:
        """Return v within its bounds, shifted so that weights add up to 1 where they must."""
        if not self.sum_to_one:
            return np.clip(v, self.low, self.high)
        down, up = float(np.min(self.low - v)), float(np.max(self.high - v))
        for _ in range(60):
            middle = (down + up) / 2
            if self.weights(np.clip(v + middle, self.low, self.high)).sum() > 1:
                up = middle
            else:
                down = middle
        return np.clip(v + (down + up) / 2, self.low, self.high)

    def hard(self, v: Vector) -> Point:
        """Return fractions and NDCG with hard ranks."""
        weights, problem = self.weights(v), self.problem
        values = problem.mean(problem.hard(weights, self.by))
        kept = np.empty(0)
        if len(self.floors):
            by_regret = self.by == "regret"
            kept = 1 - (values[self.floors] if by_regret else problem.mean(problem.regrets(weights, self.floors)))
        return Point(fractions(values), kept)

    def slopes(self, v: Vector, temperature: float) -> Matrix:
        """Return the slopes in v of the fractions, and of NDCG of the tasks with a floor, with smooth ranks.

        Parameters
        ----------
        temperature : float
            In units of the standard deviation of the scores.

        Returns
        -------
        (n_tasks + n_floors, n_free)
        """
        problem, weights = self.problem, self.weights(v)
        heat = temperature * problem.deviation(weights)
        means, slopes = problem.smooth(weights, self.by, heat)
        rows = fraction_slopes(means, slopes)
        if len(self.floors):
            kept = slopes if self.by == "regret" else problem.smooth(weights, "regret", heat)[1]
            rows = np.vstack((rows, -kept[self.floors]))
        return np.asarray(rows[:, self.free] * weights[self.free])

    def loss(self, v: Vector, point: Point) -> float:
        """Return the squared distance of the fractions, with the regularisation, and `BELOW` a unit below a floor."""
        distance = np.sum((point.fractions - self.desired) ** 2)
        short = np.maximum(self.levels - point.kept, 0.0).sum() if len(self.levels) else 0.0
        return float(distance + self.regularization * np.sum((v - self.start) ** 2) + BELOW * short)


class Found(NamedTuple):
    """The best point so far, by hard ranks."""

    v: Vector
    point: Point
    loss: float


def _even(spread: Vector, start: Vector) -> Vector:
    there = start > 0
    level = np.mean(np.log((start * spread)[there])) if there.any() else 0.0
    return np.asarray(np.exp(level) / spread)


def next_v(search: Search, best: Found, slopes: Matrix, box: float) -> Vector:
    """Return the v, within a box around the best, at which a linear model comes nearest to what is desired, by SLSQP.

    The distances are variables themselves, as is what a floor is short of: each step of SLSQP is then one of Gauss and
    Newton, and a target out of reach leaves a distance, not an infeasible problem.
    """
    from scipy.optimize import minimize

    m, t, f = len(best.v), len(search.desired), len(search.floors)
    off = np.concatenate((best.point.fractions - search.desired, best.point.kept - search.levels))
    tied = np.hstack((-SCALE * slopes, np.eye(t + f)))
    pull, cost = SCALE**2 * search.regularization + 1e-9, np.full(f, BELOW * SCALE / 2)

    def objective(x: Vector) -> tuple[float, Vector]:
        away, e, short = x[:m] - search.start, x[m : m + t], x[m + t + f :]
        value = (e @ e + pull * away @ away) / 2 + cost @ short
        return float(value), np.concatenate((pull * away, e, np.zeros(f), cost))

    def fixed(rows: Matrix) -> Matrix:
        return np.hstack((rows, np.zeros((len(rows), f))))

    distances = fixed(tied)
    constraints: list[dict[str, Any]] = [
        {
            "type": "eq",
            "fun": lambda x: distances @ x + SCALE * (slopes @ best.v - off),
            "jac": lambda x: distances,
        }
    ]
    if search.sum_to_one:
        unit, rest = search.problem.spread[search.free], 1 - search.fixed.sum()
        constraints.append({
            "type": "eq",
            "fun": lambda x: np.sum(np.exp(x[:m]) / unit) / rest - 1,
            "jac": lambda x: np.concatenate((np.exp(x[:m]) / unit / rest, np.zeros(t + 2 * f))),
        })  # fmt: skip
    if f:
        above = np.hstack((np.zeros((f, m + t)), np.eye(f), np.eye(f)))
        constraints.append({"type": "ineq", "fun": lambda x: above @ x, "jac": lambda x: above})
    low, high = np.maximum(search.low, best.v - box), np.minimum(search.high, best.v + box)
    bounds = [*zip(low, high, strict=True), *[(None, None)] * (t + f), *[(0, None)] * f]
    x0 = np.concatenate((best.v, SCALE * off, np.maximum(-SCALE * off[t:], 0)))
    found = minimize(objective, x0, jac=True, method="SLSQP", bounds=bounds, constraints=constraints)
    return search.scaled(found.x[:m]) if np.isfinite(found.x).all() else best.v


def by_smooth_ranks(search: Search, v: Vector, goal: float) -> Found:
    """Search with the exact slopes of smooth ranks, which are cooled."""
    best, box = at_hard(search, v), BOX
    for number in range(ROUNDS):
        if within(search, best, goal) or box < LEAST_BOX:
            break
        slopes = search.slopes(best.v, TEMPERATURES[min(number, len(TEMPERATURES) - 1)])
        best, box = _moved(best, at_hard(search, next_v(search, best, slopes, box)), box)
    return best


def by_secants(search: Search, v: Vector, goal: float) -> Found:
    """Search without derivatives: slopes over steps that many rank changes fall into, kept up to date by Broyden."""
    best = at_hard(search, v)
    for size in SECANTS:
        box = BOX
        slopes = np.empty((0, 0)) if within(search, best, goal) else _secants(search, best.v, size)
        for _ in range(ROUNDS):
            if within(search, best, goal) or box < LEAST_BOX:
                break
            new = at_hard(search, next_v(search, best, slopes, box))
            step = new.v - best.v
            surprise = new.point.both - best.point.both - slopes @ step
            slopes = slopes + np.outer(surprise, step) / max(float(step @ step), LEAST_BOX**2)
            best, box = _moved(best, new, box)
    return best


def _moved(best: Found, new: Found, box: float) -> tuple[Found, float]:
    """Return the better point, and a box that grows if the loss fell by more than a hundredth, else shrinks."""
    box = min(2 * box, BOX) if new.loss < PROGRESS * best.loss else box / 3
    return (new if new.loss < best.loss else best), box


def _secants(search: Search, v: Vector, size: float) -> Matrix:
    """Return the slopes of a point between v - size and v + size, one variable at a time."""
    steps = size * np.eye(len(v))
    return np.stack([(search.hard(v + d).both - search.hard(v - d).both) / (2 * size) for d in steps], axis=1)


def by_heuristic(search: Search, v: Vector, goal: float) -> Found:
    """Search by making the weight of each task whose gap is too small larger, in proportion, and the other way round.

    A regret falls with the weight, so it is the other way round there.
    """
    best = at_hard(search, v)
    rate = 0.5 if search.by == "gap" else -0.5
    desired: Vector = np.clip(search.desired, 1e-6, None)[search.free]
    for _ in range(HEURISTIC_ROUNDS):
        if within(search, best, goal) or abs(rate) < 1e-3:
            break
        present = np.clip(best.point.fractions[search.free], 1e-6, None)
        step = np.clip(rate * (np.log(desired) - np.log(present)), -BOX, BOX)
        new = at_hard(search, search.scaled(best.v + step))
        if new.loss < best.loss:
            best = new
        else:
            rate /= 2
    return best


def at_random(search: Search, best: Found, goal: float, generator: np.random.Generator) -> Found:
    """Search around the nearest point with random steps, smaller when they fail and larger when they succeed."""
    size = 0.5
    for _ in range(TRIES):
        if within(search, best, goal) or size < 1e-5:
            break
        new = at_hard(search, search.scaled(best.v + size * generator.normal(size=len(best.v))))
        if new.loss < best.loss:
            best, size = new, 2 * size
        else:
            size *= 0.9
    return best


def at_hard(search: Search, v: Vector) -> Found:
    """Return a point with its loss."""
    point = search.hard(v)
    return Found(v, point, search.loss(v, point))


def within(search: Search, found: Found, goal: float) -> bool:
    """Tell whether no fraction is further from the desired one than `goal`, and all floors are kept."""
    near = np.abs(found.point.fractions - search.desired).max() <= goal
    return bool(near and (found.point.kept >= search.levels).all()) and search.regularization == 0


SOLVERS = {"slsqp": by_smooth_ranks, "secant": by_secants, "heuristic": by_heuristic}
