"""`learn_weights`: the weights that bring the most, searched with Optuna."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, ParameterError, as_vector, check_whole
from .._progress import Progress, silent
from ..data import RankingData
from ..metrics import Measure
from ..metrics import measure as find_measure
from ._constraints import Constraints, as_constraints
from ._search import Search
from ._shares import Problem, Vector
from ._target import _check_start
from ._value_model import ValueModel

if TYPE_CHECKING:
    import optuna

RANGE = 4.0  # of log weights, in units of standard deviations, on both sides of the start
Reward = Callable[[npt.NDArray[np.float64]], float]


@dataclass(frozen=True, eq=False)
class RewardResult:
    """What `learn_weights` found.

    Attributes
    ----------
    model : ValueModel
        With the best weights.
    value, start_value : float
        The reward of the best weights and of those at the start.  As the best of several, the first is somewhat
        optimistic: judge the model by sessions that the search has not seen.
    table : DataFrame
        A row for each trial: ``value``, and the weight of each task.
    study : optuna.Study
    """

    model: ValueModel
    value: float
    start_value: float
    table: pd.DataFrame
    study: optuna.Study


def learn_weights(
    model: ValueModel,
    scores: RankingData,
    reward: npt.ArrayLike | Reward | None = None,
    *,
    measure: str | Measure | None = None,
    constraints: Constraints | None = None,
    n_trials: int = 100,
    timeout: float | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
    n_jobs: int | None = None,
) -> RewardResult:
    """Return the weights whose ranking brings the highest reward.

    Parameters
    ----------
    model : ValueModel
        Its weights are the first trial, so that the result is never below them.
    scores : RankingData
    reward : array-like of shape (n_documents,), callable, or None
        What each document brings to the session, in the order of the rows of `scores`; their `y` by default.  Or a
        function of the scores of all documents to one number, such as a counterfactual estimate: more is better.
    measure : str or Measure, optional
        How the rewards of a ranked list add up; DCG@10 with linear gain by default.
    constraints : Constraints, optional
        Bounds, fixed weights and the sum; a floor of NDCG is refused.
    n_trials : int
    timeout : float, optional
        Seconds after which no trial begins.
    random_state : int
    progress : callable, optional
        Called as ``progress(done, total, message)`` after each trial.
    n_jobs : int, optional
        Number of threads of the measure.

    Raises
    ------
    ParameterError, DataError
        As `gbrank.target_weights`; a reward that is not finite.

    Examples
    --------
    >>> from gbrank import RankingData
    >>> p = np.random.default_rng(0).uniform(size=(400, 2))
    >>> scores = RankingData(p, p @ [3.0, 1.0], np.arange(400) // 10, feature_names=["click", "buy"])
    >>> found = learn_weights(ValueModel({"click": 1, "buy": 1}), scores, n_trials=15)
    >>> found.value > found.start_value, found.model.weights["click"] > 0.6
    (True, True)
    """
    import optuna  # which takes longer to load than all the rest of the room

    from ..tuning._storage import quiet

    limits = as_constraints(constraints)
    _check_start(model)
    limits.check(model.tasks)
    if limits.ndcg_floor:
        raise ParameterError("constraints: ndcg_floor has no place in a reward; put it into the reward itself.")
    check_whole("n_trials", n_trials)
    check_whole("random_state", random_state, lowest=0)
    problem = Problem.of(model, scores, 10, "above_lowest", n_jobs)
    start = np.array(list(model.weights.values()))
    search = Search.of(problem, "regret", np.zeros(len(start)), start, limits, 0.0)
    value = _value(model, scores, reward, measure, n_jobs)
    names = [model.tasks[t] for t in search.free]
    tell = progress or silent

    def weights(v: Vector) -> dict[str, float]:
        return dict(zip(model.tasks, search.weights(search.scaled(v)).tolist(), strict=True))

    def trial_value(trial: optuna.Trial) -> float:
        offset = [trial.suggest_float(name, -RANGE, RANGE) for name in names]
        trial.set_user_attr("weights", weights(search.start + np.array(offset)))
        return value(trial.user_attrs["weights"])

    def after(study: optuna.Study, trial: Any) -> None:
        tell(trial.number + 1, n_trials, f"trial {trial.number}: {trial.value:.4f} (best {study.best_value:.4f})")

    with quiet():
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=random_state, multivariate=True)
        )
        study.enqueue_trial(dict.fromkeys(names, 0.0))
        study.optimize(trial_value, n_trials=n_trials, timeout=timeout, callbacks=[after])
    rows = [{"value": trial.value, **trial.user_attrs["weights"]} for trial in study.trials]
    best = study.best_trial.user_attrs["weights"]
    return RewardResult(model.with_weights(best), study.best_value, float(rows[0]["value"]), pd.DataFrame(rows), study)


def _value(
    model: ValueModel, scores: RankingData, reward: Any, measure: str | Measure | None, n_jobs: int | None
) -> Callable[[dict[str, float]], float]:
    """Return the function from weights to their reward."""
    if callable(reward):

        def called(weights: dict[str, float]) -> float:
            value = reward(model.with_weights(weights).score(scores))
            if not isinstance(value, int | float | np.number) or not np.isfinite(value):
                raise DataError(f"reward: returned {value!r}; it must return one finite number.")
            return float(value)

        return called
    if scores.y.ndim == 2 and reward is None:
        raise DataError("reward: the scores have several label columns; give the reward of each document.")
    y = scores.y if reward is None else as_vector("reward", reward, length=scores.n_documents)
    if np.ptp(y) == 0:
        raise DataError(f"reward: is {y[0]:g} for every document; give what each brings to its session.")
    chosen = find_measure("dcg@10", gain="linear") if measure is None else find_measure(measure)
    sign = 1 if chosen.higher_is_better else -1
    p = model.predictions(scores)
    terms = np.log(p) if model.form == "product" else p

    def measured(weights: dict[str, float]) -> float:
        score = terms @ np.array(list(weights.values()))
        values = chosen(y, score, scores.query_ptr, n_jobs=n_jobs)
        return sign * chosen.mean(values, scores.query_ptr, scores.query_weight)

    return measured
