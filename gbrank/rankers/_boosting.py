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
from ..objectives._base import HESSIAN_FLOOR, State
from ._measuring import mean_measure
from ._sampling import Rows, only, set_apart, without_last

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
    """What training begins with, and what it leaves besides the booster."""

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
    drawn: Callable[[int], Rows] | None = None  # the documents that a round learns from, if not from all
    sums: dict[str, npt.NDArray[Any]] | None = None

    def run(self, n_rounds: int, patience: int | None, callbacks: Sequence[Callback], outcome: Outcome) -> Outcome:
        """Boost for `n_rounds` rounds, or until the first evaluation set has not improved for `patience` rounds.

        `outcome` tells from where: its history, initial score and state, and the rounds before, whose trees the scores
        hold already, and which are kept.
        """
        first = next(iter(self.evaluated), None)
        before, n_rounds = outcome.rounds, outcome.rounds + n_rounds
        if self.bound is not None:
            self._begin(self.bound, outcome)
        for number in range(before, n_rounds):
            if not self._round(number, outcome):
                self._tell_early_end(number, n_rounds)
                break
            outcome.rounds = number + 1
            better = self._evaluate(outcome, first, max(before - 1, 0))
            if better or first is None:
                outcome.best_round = number + 1
                outcome.state = self._state()
            info = RoundInfo(number + 1, n_rounds, outcome.history)
            if ended_by(callbacks, info):
                break
            if patience is not None and number + 1 - outcome.best_round >= patience:
                break
        if patience is None:
            outcome.best_round = outcome.rounds
            outcome.state = self._state()
        if first is not None and outcome.rounds:
            outcome.best_value = outcome.history[first][max(outcome.best_round, 1) - 1]
        return outcome

    def _state(self) -> State:
        return self.trainer.native_state() if self.bound is None else self.bound.state()

    def _begin(self, bound: Bound, outcome: Outcome) -> None:
        if bound.renews_leaves:
            self.sums = {name: self.scores(name, np.zeros(bound.n_outputs)) for name in ("", *self.evaluated)}
        usual = self.train.data.init_score is None and np.array_equal(outcome.init_score, bound.init_score())
        if not outcome.rounds and not usual:
            bound.begin(self.scores("", outcome.init_score))
        outcome.state = bound.state()

    def _round(self, number: int, outcome: Outcome) -> bool:
        """Grow a tree; return whether that was possible."""
        if self.bound is None:
            return self.trainer.native_round()
        score = self.scores("", outcome.init_score, to_improve=True)
        gradient, hessian = self.bound.gradient_hessian(score, number)
        if not self._check(gradient, hessian, score.shape, number):
            return False
        floored = np.maximum(hessian, HESSIAN_FLOOR * np.abs(gradient))
        drawn = None if self.drawn is None else self.drawn(number)
        if drawn is not None:
            gradient, floored = only(drawn, gradient), only(drawn, floored)
        if not self.trainer.round(on_a_grid(gradient), on_a_grid(floored)):
            return False
        if self.sums is not None:
            self._renew_leaves(score, drawn)
        if type(self.bound).end_round is not Bound.end_round:  # the scores cost a pass over the data
            self.bound.end_round(self.scores("", outcome.init_score))
        return True

    def scores(self, name: str, init: Scores, *, to_improve: bool = False) -> Scores:
        """Return the raw scores of the training data (the empty name) or of an evaluation set.

        With `to_improve`, they are those from which the next tree goes on, see `Trainer.scores_to_improve`.
        """
        if self.sums is not None:
            return np.asarray(self.sums[name] + (init if self.sums[name].ndim == 2 else init[0]))
        if to_improve:
            scores = self.trainer.scores_to_improve()
            return scores + (init if scores.ndim == 2 else init[0])
        # The trainer knows the training data by -1, and numbers the other sets.
        others = [each for each, binned in self.evaluated.items() if binned is not self.train]
        scores = self.trainer.scores(others.index(name) if name in others else -1)
        return scores + (init if scores.ndim == 2 else init[0])

    def _renew_leaves(self, score: Scores, drawn: Rows | None) -> None:
        assert self.bound is not None
        assert self.sums is not None
        leaf = self.trainer.leaves(self.train)
        if drawn is None:
            best = self.bound.leaf_values(score, leaf)
        else:
            best = without_last(self.bound.leaf_values(score, set_apart(drawn, leaf)), leaf)
        values = self.trainer.set_leaf_values(self.learning_rate * best)
        for name, binned in {"": self.train, **self.evaluated}.items():
            own = leaf if binned is self.train else self.trainer.leaves(binned)
            # Summed as the booster does, to the last bit: scores that tie there must tie here.
            grown = values[own] if values.ndim == 1 else np.take_along_axis(values, own, axis=0)
            self.sums[name] = self.sums[name].astype(values.dtype) + grown

    def _evaluate(self, outcome: Outcome, first: str | None, since: int) -> bool:
        """Append the measure of every evaluation set to the history; return whether the first has a new best.

        It is the best of the values from the place `since` on.
        """
        for name, binned in self.evaluated.items():
            scores = self.objective.transform(self.scores(name, outcome.init_score), self._state())
            outcome.history[name].append(
                mean_measure(self.measure, self.labels[name], scores, binned.data, f"evaluation set {name!r}")
            )
        if first is None:
            return False
        values = outcome.history[first]
        return len(values) == 1 or values[-1] > max(values[since:-1])

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
