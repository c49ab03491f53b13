"""One trial: the folds trained together, round by round, so that their mean is known after each.

What a trial is worth is read off that mean curve: the best value at a number of rounds that all folds share.  Taking
each fold's best value for itself would choose the rounds by the data that then judge them, once for each fold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from .._checks import GbrankError
from .._compile import thread_count
from ..rankers import GBRanker, RoundInfo
from ..rankers._changed import with_params
from ._folds import BinnedFold, BinnedFolds
from ._space import Space, draw

Watch = Callable[[int, float], bool]
"""Told rounds and best mean so far; True gives the trial up."""


def is_start(trial: optuna.Trial | FrozenTrial) -> bool:
    """Tell whether a trial is of the ranker that tuning starts from."""
    return "start" in trial.user_attrs


class Lockstep:
    """The folds of one trial, which wait for each other after every round.

    Attributes
    ----------
    best_round : int
        Rounds at which the mean over folds was best, the first of equals.
    best_value : float
    best_folds : array of shape (n_folds,)
        The value of each fold after these rounds.
    over : bool
        No further round is wanted.
    pruned : bool
        The trial was given up.
    """

    def __init__(self, n_folds: int, n_rounds: int, patience: int, sign: float, watch: Watch) -> None:
        self.n_rounds, self.patience, self.sign, self.watch = n_rounds, patience, sign, watch
        self.rounds, self.best_round, self.best_value = 0, 0, float("nan")
        self.values = self.best_folds = np.zeros(n_folds)
        self.over = self.pruned = False
        self._barrier = threading.Barrier(n_folds, action=self._decide)

    def after_round(self, fold: int, value: float) -> bool:
        """Give a fold's value, wait for the others, and return whether the training is over."""
        self.values[fold] = value
        self._barrier.wait()
        return self.over

    def abort(self) -> None:
        """Make all folds that wait, or will, raise `threading.BrokenBarrierError`."""
        self._barrier.abort()

    def _decide(self) -> None:
        """Judge the round; run by one fold while all others wait."""
        self.rounds += 1
        mean = float(self.values.mean())
        if self.rounds == 1 or self.sign * mean > self.sign * self.best_value:
            self.best_round, self.best_value, self.best_folds = self.rounds, mean, self.values.copy()
        self.pruned = bool(self.watch(self.rounds, self.best_value))
        waited = self.rounds - self.best_round >= self.patience
        self.over = self.pruned or waited or self.rounds >= self.n_rounds


def train_folds(ranker: GBRanker, folds: list[BinnedFold], lockstep: Lockstep) -> None:
    """Train a copy of `ranker` on each fold, together.  The first error of a fold ends all."""

    def train(number: int) -> None:
        try:
            _train_fold(with_params(ranker, {}), folds[number], number, lockstep)
        except BaseException:
            lockstep.abort()
            raise

    if len(folds) == 1:
        train(0)
        return
    with ThreadPoolExecutor(len(folds), thread_name_prefix="gbrank-fold") as pool:
        futures = [pool.submit(train, number) for number in range(len(folds))]
        try:
            errors = [future.exception() for future in futures]
        except BaseException:  # Ctrl-C comes to this thread
            lockstep.abort()
            raise
    raised = [error for error in errors if error is not None]
    causes = [error for error in raised if not isinstance(error, threading.BrokenBarrierError)]
    if raised:
        raise (causes or raised)[0]


def _train_fold(ranker: GBRanker, fold: BinnedFold, number: int, lockstep: Lockstep) -> None:
    train, valid = fold

    def after(info: RoundInfo) -> bool:
        return lockstep.after_round(number, info.history["valid"][-1])

    ranker.set_params(callbacks=[after])
    ranker.fit(train, eval_set=valid)
    if lockstep.over:
        return
    # No split has a gain any more: the fold's model, and so its value, stays as it is.
    value = ranker.history_["valid"][-1] if ranker.history_["valid"] else ranker.score(valid.data)
    while not lockstep.after_round(number, value):
        pass


@dataclass(frozen=True)
class TrialFunction:
    """What Optuna calls: draws parameters, trains the folds, returns the best mean of the measure.

    Parameters
    ----------
    ranker : GBRanker
        The start, with the measure and the upper limit of rounds.
    space : mapping from name to distribution
    folds : BinnedFolds
    patience : int
        Rounds without a better mean after which training stops.
    higher_is_better : bool
    trials_at_once : int
        By how many trials the ranker's threads are shared.
    """

    ranker: GBRanker
    space: Space
    folds: BinnedFolds
    patience: int
    higher_is_better: bool
    trials_at_once: int = 1

    def __call__(self, trial: optuna.Trial) -> float:
        """Return the trial's value; it keeps ``params``, ``rounds`` and ``folds`` as the trial's user attributes."""
        ranker, params = self.setting(trial)
        trial.set_user_attr("params", params)
        try:
            lockstep = self._train(ranker, trial)
        except GbrankError as error:
            raise type(error)(f"trial {trial.number} with {params}: {error}") from error
        except Exception as error:
            error.add_note(f"in trial {trial.number} with {params}")
            raise
        trial.set_user_attr("rounds", lockstep.best_round)
        trial.set_user_attr("folds", lockstep.best_folds.tolist())
        if lockstep.pruned:
            raise optuna.TrialPruned
        return lockstep.best_value

    def setting(self, trial: optuna.Trial) -> tuple[GBRanker, dict[str, Any]]:
        """Return the trial's ranker and the values of the parameters in the space.

        The start is tried as it is.  Optuna is told those of its values that the space admits, and may learn from them.
        """
        if is_start(trial):
            start = trial.user_attrs["start"]
            draw(trial, {name: self.space[name] for name in trial.user_attrs["admitted"] if name in self.space})
            return self.ranker, start
        params = draw(trial, self.space)
        return with_params(self.ranker, params), params

    def _train(self, ranker: GBRanker, trial: optuna.Trial) -> Lockstep:
        threads = thread_count(ranker.n_jobs) // (len(self.folds) * self.trials_at_once)
        ranker = with_params(ranker, {}, n_jobs=max(1, threads))
        lockstep = Lockstep(
            len(self.folds),
            ranker.n_estimators,
            self.patience,
            1.0 if self.higher_is_better else -1.0,
            Pruning(trial, ranker.learning_rate),
        )
        train_folds(ranker, self.folds.get(ranker), lockstep)
        return lockstep


class Pruning:
    """Tells Optuna's pruner how a trial goes on.

    A step is a sum of 1 of learning rates, so ten rounds at 0.1: after equal numbers of rounds, trials that learn fast
    would always be ahead of slow ones, which are often better in the end.  The start is never pruned.
    """

    def __init__(self, trial: optuna.Trial, learning_rate: float) -> None:
        self.trial, self.learning_rate = trial, learning_rate
        self.step = 0

    def __call__(self, rounds: int, best: float) -> bool:
        step = int(rounds * self.learning_rate + 1e-9)
        if step == self.step:
            return False
        self.step = step
        self.trial.report(best, step)
        return not is_start(self.trial) and bool(self.trial.should_prune())
