"""What a loss is worth: its gain over LambdaRank on folds of whole queries, the same for every loss.

Bins are made once a fold.  Limits on sums of hessians are off where the ranker's `backend_params` do not set them, for
a loss times a constant is the same loss: it gives the same gain.
"""

from __future__ import annotations

import math
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import DataError, GbrankError, GbrankWarning, ParameterError, check_whole
from ..backends import Binned
from ..data import RankingData
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..objectives import Objective
from ..objectives import objective as find_objective
from ..objectives._expressions import Expression
from ..rankers import GBRanker
from ..rankers._changed import with_params
from ..splits import QueryKFold
from ._store import FULL, Candidate, Store

Values = npt.NDArray[np.float64]

NO_LIMIT = {"lightgbm": {"min_sum_hessian_in_leaf": 1e-12}, "xgboost": {"min_child_weight": 0.0}}
"""Of sums of hessians.  LightGBM starts each sum from 1e-15, and takes nothing more for a leaf where the limit is 0."""
SHORT_ROUNDS = 20
SHORT_SHARE, SHORT_QUERIES = 0.1, 30
CLEARLY = 2.0
"""Standard errors by which a loss is clearly worse."""


class Part(NamedTuple):
    """Training data binned, what is measured, and the baseline's measure of each query of it."""

    train: Binned
    valid: RankingData
    usual: Values


def of_formula(loss: str | Expression, params: Mapping[str, Any] | None) -> Objective:
    """Return the objective that a formula becomes.

    Raises
    ------
    ParameterError
        No formula, or `params` that its objective does not have.
    """
    if "formula" in (params or {}):
        raise ParameterError("objective_params: the formula is the loss itself; leave 'formula' out.")
    return find_objective("expression", formula=str(loss), **(params or {}))


def fixed_ranker(ranker: GBRanker | None, measure: Any) -> tuple[GBRanker, Measure]:
    """Return the ranker that losses are put into, without what would make trainings differ in anything else.

    Raises
    ------
    ParameterError
        It is no `GBRanker`, or one of a backend or engine that takes no loss of ours.
    """
    ranker = GBRanker(n_estimators=50, max_leaves=15) if ranker is None else ranker
    if not isinstance(ranker, GBRanker):
        raise ParameterError(f"ranker: give a GBRanker, not {type(ranker).__name__}.")
    if ranker.backend not in NO_LIMIT or ranker.engine == "native":
        raise ParameterError(
            f"ranker: backend={ranker.backend!r} with engine={ranker.engine!r} has losses of its own only; give "
            "'lightgbm' or 'xgboost' with 'compiled'."
        )
    check_whole("n_estimators", ranker.n_estimators)
    chosen = find_measure(ranker.measure if measure is None else measure)
    seed = ranker.random_state
    if seed is not None and not isinstance(seed, int | np.integer):
        raise ParameterError(f"ranker: random_state={seed!r} moves on from training to training; give a whole number.")
    fixed = {"early_stopping_rounds": None, "validation_fraction": None, "callbacks": None, "init_model": None}
    own = {**NO_LIMIT[ranker.backend], **(ranker.backend_params or {})}
    return with_params(ranker, {}, measure=chosen, backend_params=own, **fixed), chosen


def make_folds(data: RankingData, cv: Any, seed: int) -> list[tuple[RankingData, RankingData]]:
    """Return folds of whole queries.

    Raises
    ------
    DataError
        `data` is no `RankingData`.
    ParameterError
        `cv` is neither a number nor a splitter of queries.
    """
    if not isinstance(data, RankingData):
        raise DataError(f"data: give a RankingData, not {type(data).__name__}.")
    if not hasattr(cv, "split_data"):
        check_whole("cv", cv, lowest=2)
        cv = QueryKFold(int(cv), shuffle=True, random_state=seed)
    return list(cv.split_data(data))


class Schedule(ABC):
    """What becomes of the losses that the grid leaves over, turn by turn."""

    def begin_turn(self, turn: int, store: Store) -> None:  # noqa: B027 (most have nothing to do)
        """Get ready to assess the candidates of a turn."""

    @abstractmethod
    def assess(self, candidate: Candidate) -> Candidate:
        """Return the candidate with what training tells of it; called from several threads."""

    def end_turn(  # noqa: B027 (most have nothing to do)
        self, turn: int, candidates: list[Candidate], best: Candidate | None, store: Store
    ) -> None:
        """Take note of the candidates of a turn and of the best so far."""


@dataclass(eq=False)
class Proxy(Schedule):
    """Trainings that tell of a loss what it is worth; may be asked from several threads.

    A short training on a tenth of the queries comes first: a loss clearly worse than the baseline, by two standard
    errors of the paired difference, is rejected with the gain measured there.

    Parameters
    ----------
    make : callable
        Makes the objective of a loss's text.
    folds : list of (RankingData, RankingData)
    ranker : GBRanker
        See `fixed_ranker`.
    measure : Measure
    baseline : str or Objective
    seed : int
        Of the queries that the short training has.
    """

    make: Callable[[str], Objective]
    folds: list[tuple[RankingData, RankingData]]
    ranker: GBRanker
    measure: Measure
    baseline: str | Objective = "lambdarank"
    seed: int = 0
    parts: list[Part] = field(init=False)
    short: Part = field(init=False)

    def __post_init__(self) -> None:
        self.sign = 1.0 if self.measure.higher_is_better else -1.0
        self.parts = [self._part(train, valid, self.ranker) for train, valid in self.folds]
        train, valid = self.folds[0]
        chosen = some_queries(train, self.seed)
        self.quick = with_params(self.ranker, {}, n_estimators=min(SHORT_ROUNDS, self.ranker.n_estimators))
        self.short = self._part(train.take(chosen), valid, self.quick)

    def assess(self, candidate: Candidate) -> Candidate:
        """Return the candidate with its reward, or with the reason for which it is rejected after all."""
        began = time.perf_counter()
        try:
            found = self._assessed(candidate)
        except GbrankError:  # no gradient at all, for one
            found = replace(candidate, reason="untrainable")
        except Exception as error:
            error.add_note(f"in candidate {candidate.number}: {candidate.loss}")
            raise
        return replace(found, seconds=time.perf_counter() - began)

    def _assessed(self, candidate: Candidate) -> Candidate:
        objective = self.make(candidate.loss)
        worse = self.clearly_worse(objective)
        if worse is not None:
            return replace(candidate, reason="clearly worse", reward=worse)
        folds = self.gains(objective)
        return replace(candidate, stage=FULL, reward=float(np.mean(folds)), folds=folds)

    def _part(self, train: RankingData, valid: RankingData, ranker: GBRanker) -> Part:
        binned = ranker.bin(train)
        usual = self._values(ranker, self.baseline, binned, valid)
        if np.isnan(usual).all():
            raise DataError(f"{self.measure}: skips all {len(usual)} queries of a fold; give more data or fewer folds.")
        return Part(binned, valid, usual)

    def _values(self, ranker: GBRanker, objective: str | Objective, train: Binned, valid: RankingData) -> Values:
        """Return the measure of each query of `valid` after a training."""
        fresh = with_params(ranker, {}, objective=objective)
        with warnings.catch_warnings():  # trees that cannot be grown: the measure tells
            warnings.filterwarnings("ignore", r"no tree could be grown|training ended after", GbrankWarning)
            fresh.fit(train)
        return np.asarray(self.measure(valid.y, fresh.predict(valid), valid.query_ptr, valid.doc_id))

    def gain(self, objective: Objective, part: Part, ranker: GBRanker) -> Values:
        """Return the gain of each query that the measure does not skip: positive where the loss is better."""
        gains = self.sign * (self._values(ranker, objective, part.train, part.valid) - part.usual)
        kept: Values = gains[~np.isnan(gains)]
        return kept

    def clearly_worse(self, objective: Objective) -> float | None:
        """Return the mean gain after a short training if it lies two standard errors below 0, else None."""
        gains = self.gain(objective, self.short, self.quick)
        mean = float(gains.mean())
        error = float(gains.std() / np.sqrt(len(gains)))
        return mean if mean < -CLEARLY * error and mean < 0.0 else None

    def gains(self, objective: Objective) -> tuple[float, ...]:
        """Return the mean gain on each fold."""
        return tuple(float(self.gain(objective, part, self.ranker).mean()) for part in self.parts)


def some_queries(data: RankingData, seed: int) -> npt.NDArray[np.int64]:
    """Return a tenth of the queries, at least 30 where there are so many, of those that have something to learn."""
    starts = data.query_ptr[:-1]
    several = np.flatnonzero(np.maximum.reduceat(data.y, starts) > np.minimum.reduceat(data.y, starts))
    if not len(several):
        raise DataError("data: no query of a fold has documents of different labels, so there is nothing to learn.")
    wanted = min(len(several), max(SHORT_QUERIES, math.ceil(SHORT_SHARE * data.n_queries)))
    return np.sort(np.random.default_rng(seed).permutation(several)[:wanted])
