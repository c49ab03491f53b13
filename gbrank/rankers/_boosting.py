"""The rounds of boosting: gradients in, trees out, one measure that decides when to stop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, GbrankWarning
from ..backends import Binned, Trainer
from ..metrics import Measure
from ..objectives import Bound, Objective
from ..objectives._base import HESSIAN_FLOOR
from ._measuring import mean_measure

Scores = npt.NDArray[np.float64]


@dataclass
class RoundInfo:
    """What a callback is told after each round.

    Attributes
    ----------
    round : int
        Rounds done.
    n_rounds : int
        Rounds at most.
    history : dict of str to list of float
        The measure's mean after each round, for each evaluation set.
    """

    round: int
    n_rounds: int
    history: Mapping[str, list[float]]


Callback = Callable[[RoundInfo], bool | None]
"""Called with a `RoundInfo` after each round; True ends the training."""


@dataclass
class Outcome:
    """What training leaves besides the booster."""

    rounds: int = 0
    best_round: int = 0
    best_value: float = float("nan")
    history: dict[str, list[float]] = field(default_factory=dict)
    init_score: Scores = field(default_factory=lambda: np.zeros(1))
    state: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


@dataclass
class Boosting:
    """One training.

    The raw scores of each data set are the objective's initial score plus the trees; where leaves get new values, which
    boosters cannot take back into their own scores, the running sums are kept here.
    """

    trainer: Trainer
    train: Binned
    evaluated: Mapping[str, Binned]
    labels: Mapping[str, Scores]  # that the measure reads, of each evaluation set
    objective: Objective
    bound: Bound | None
    measure: Measure
    learning_rate: float
    explain: Callable[[], str] = str  # why no tree could be grown, if that is known
    sums: dict[str, npt.NDArray[Any]] | None = None

    def run(self, n_rounds: int, patience: int | None, callbacks: Sequence[Callback]) -> Outcome:
        """Boost for `n_rounds` rounds, or until the first evaluation set has not improved for `patience` rounds."""
        outcome = Outcome(history={name: [] for name in self.evaluated})
        first = next(iter(self.evaluated), None)
        if self.bound is not None:
            outcome.init_score, outcome.state = self.bound.init_score(), self.bound.state()
        if self.bound is not None and self.bound.renews_leaves:
            k = self.bound.n_outputs
            self.sums = {
                name: np.zeros(one.data.n_documents if k == 1 else (one.data.n_documents, k))
                for name, one in {"": self.train, **self.evaluated}.items()
            }
        for number in range(n_rounds):
            if not self._round(number, outcome):
                self._tell_early_end(number, n_rounds)
                break
            outcome.rounds = number + 1
            better = self._evaluate(outcome, first)
            if better or first is None:
                outcome.best_round = number + 1
                outcome.state = {} if self.bound is None else self.bound.state()
            info = RoundInfo(number + 1, n_rounds, outcome.history)
            if ended_by(callbacks, info):
                break
            if patience is not None and number + 1 - outcome.best_round >= patience:
                break
        if patience is None:
            outcome.best_round = outcome.rounds
            outcome.state = {} if self.bound is None else self.bound.state()
        if first is not None and outcome.rounds:
            outcome.best_value = outcome.history[first][max(outcome.best_round, 1) - 1]
        return outcome

    def _round(self, number: int, outcome: Outcome) -> bool:
        """Grow a tree; return whether that was possible."""
        if self.bound is None:
            return self.trainer.native_round()
        score = self.scores("", outcome.init_score)
        gradient, hessian = self.bound.gradient_hessian(score, number)
        if not self._check(gradient, hessian, score.shape, number):
            return False
        floored = np.maximum(hessian, HESSIAN_FLOOR * np.abs(gradient))
        if not self.trainer.round(on_a_grid(gradient), on_a_grid(floored)):
            return False
        if self.sums is not None:
            self._renew_leaves(score)
        if type(self.bound).end_round is not Bound.end_round:  # the scores cost a pass over the data
            self.bound.end_round(self.scores("", outcome.init_score))
        return True

    def scores(self, name: str, init: Scores) -> Scores:
        """Return the raw scores of the training data (the empty name) or of an evaluation set."""
        if self.sums is not None:
            return np.asarray(self.sums[name] + (init if self.sums[name].ndim == 2 else init[0]))
        # The trainer knows the training data by -1, and numbers the other sets.
        others = [each for each, binned in self.evaluated.items() if binned is not self.train]
        scores = self.trainer.scores(others.index(name) if name in others else -1)
        return scores + (init if scores.ndim == 2 else init[0])

    def _renew_leaves(self, score: Scores) -> None:
        assert self.bound is not None
        assert self.sums is not None
        leaf = self.trainer.leaves(self.train)
        values = self.trainer.set_leaf_values(self.learning_rate * self.bound.leaf_values(score, leaf))
        for name, binned in {"": self.train, **self.evaluated}.items():
            own = leaf if binned is self.train else self.trainer.leaves(binned)
            # Summed as the booster does, to the last bit: scores that tie there must tie here.
            grown = values[own] if values.ndim == 1 else np.take_along_axis(values, own, axis=0)
            self.sums[name] = self.sums[name].astype(values.dtype) + grown

    def _evaluate(self, outcome: Outcome, first: str | None) -> bool:
        """Append the measure of every evaluation set to the history; return whether the first has a new best."""
        for name, binned in self.evaluated.items():
            state = {} if self.bound is None else self.bound.state()
            scores = self.objective.transform(self.scores(name, outcome.init_score), state)
            outcome.history[name].append(
                mean_measure(self.measure, self.labels[name], scores, binned.data, f"evaluation set {name!r}")
            )
        if first is None:
            return False
        values = outcome.history[first]
        return len(values) == 1 or values[-1] > max(values[:-1])

    def _check(self, gradient: Scores, hessian: Scores, shape: tuple[int, ...], number: int) -> bool:
        """Refuse gradients that a booster would take in silence; return whether there is anything to learn."""
        for name, values in (("gradient", gradient), ("hessian", hessian)):
            if values.shape != shape:
                raise DataError(
                    f"the {name} of {self.objective} has the shape {values.shape} where scores have {shape}: it "
                    "needs one number for each document and output."
                )
            finite = np.isfinite(values)
            if not finite.all():
                row = int(np.argmin(finite.reshape(len(values), -1).all(axis=1)))
                query = int(np.searchsorted(self.train.data.query_ptr, row, side="right")) - 1
                raise DataError(
                    f"the {name} of {self.objective} is {values[row]} in round {number + 1}, row {row} (query "
                    f"{self.train.data.query_ids[query]}); check the loss there, or lower the learning rate."
                )
        if gradient.any():
            return True
        if number == 0:
            labels = np.unique(self.train.data.y)
            why = f"all labels are {labels[0]:g}" if len(labels) == 1 else "it is 0 for every document"
            raise DataError(f"nothing to learn: {self.objective} has no gradient at all, for {why}.")
        return False

    def _tell_early_end(self, number: int, n_rounds: int) -> None:
        if number == 0:
            text = (
                "no tree could be grown: no split of any feature has a gain under the limits set, so the model is "
                f"constant. There are {self.train.data.n_documents} documents. "
            )
            text += self.explain() or "Look at the regularisation, and at whether features have to do with labels."
        else:
            text = f"training ended after {number} of {n_rounds} rounds: no split has a gain any more."
        warnings.warn(text, GbrankWarning, stacklevel=5)


def on_a_grid(values: Scores) -> Scores:
    """Round to multiples of a power of two: 2**-30 of the greatest, or coarser, so that sums are exact.

    Boosters sum gradients in double precision, in an order that depends on the number of threads.  Sums of numbers on a
    grid have no rounding error, so that the model does not depend on that order.
    """
    greatest = float(np.abs(values).max())
    if greatest == 0.0:
        return values
    bits = min(30, 52 - int(np.ceil(np.log2(values.size + 1))))
    step = 2.0 ** (np.ceil(np.log2(greatest)) - bits)
    return np.asarray(np.rint(values / step) * step)


def ended_by(callbacks: Sequence[Callback], info: RoundInfo) -> bool:
    """Call every callback and return whether one of them ends the training."""
    answers = [callback(info) for callback in callbacks]
    return any(answer is True for answer in answers)
