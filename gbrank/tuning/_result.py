"""`TuneResult`: what a study found."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from .._checks import DataError
from ..rankers import GBRanker
from ._storage import quiet

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True, eq=False, repr=False)
class TuneResult:
    """The result of `gbrank.tune`.

    Attributes
    ----------
    best_params : dict
        The tuned parameters of the best trial.
    best_value : float
        The measure of the best trial: the mean over folds after `best_rounds` rounds.  As the best of several it is
        somewhat optimistic; judge the ranker on data that tuning has not seen.
    best_rounds : int
    fold_values : tuple of float
        The values of which `best_value` is the mean.
    start_value : float
        The measure of the ranker that tuning started from; NaN where that trial is missing.
    measure : str
    trials : tuple of FrozenTrial
        Those that had ended, in order of their numbers.
    study : optuna.Study
        Connected to its storage: unlike all else here, it shows what later calls add.
    ranker : GBRanker or None
        With the best parameters and `best_rounds` rounds, trained on all of the training data.
    """

    best_params: dict[str, Any]
    best_value: float
    best_rounds: int
    fold_values: tuple[float, ...]
    start_value: float
    measure: str
    trials: tuple[FrozenTrial, ...]
    study: optuna.Study
    ranker: GBRanker | None

    @property
    def n_trials(self) -> int:
        """Number of trials that were completed or pruned."""
        return sum(trial.state in FINISHED for trial in self.trials)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each trial that has ended.

        Columns: number, value (of a pruned trial the last one reported), spread (standard deviation over folds), state
        ("complete", "pruned", "fail"), rounds, seconds, then one column for each parameter.
        """
        return pd.DataFrame([_row(trial) for trial in self.trials])

    def importances(self) -> dict[str, float]:
        """Return each parameter's share in the good trials' being good, by PED-ANOVA, the largest first.

        A rough picture with fewer than some 20 completed trials.

        Raises
        ------
        DataError
            Fewer than two completed trials.

        References
        ----------
        Watanabe, Bansal and Hutter, PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
        Subspaces, IJCAI 2023.
        """
        complete = [trial for trial in self.trials if trial.state is TrialState.COMPLETE]
        if len(complete) < 2:
            raise DataError(f"importances: {len(complete)} trials were completed, 2 are needed; raise n_trials.")
        varied = dict.fromkeys(
            name for trial in complete for name, choices in trial.distributions.items() if not choices.single()
        )
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # with few trials it says so of each parameter
            study = optuna.create_study(direction=self.study.direction)
            study.add_trials(complete)
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            shares = optuna.importance.get_param_importances(study, evaluator=evaluator, params=list(varied))
        return {str(name): float(share) for name, share in shares.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return all but `study` and `ranker`, with `table` as "trials", as plain values for JSON; None for NaN."""
        return {
            "measure": self.measure,
            "best_value": _number(self.best_value),
            "best_rounds": self.best_rounds,
            "best_params": dict(self.best_params),
            "fold_values": [_number(value) for value in self.fold_values],
            "start_value": _number(self.start_value),
            "n_trials": self.n_trials,
            "trials": [{name: _number(value) for name, value in row.items()} for row in self.table.to_dict("records")],
        }

    def __str__(self) -> str:
        states = self.table["state"].value_counts()
        counts = ", ".join(f"{states[state]} {state}" for state in ("complete", "pruned", "fail") if state in states)
        of = "on the validation set" if len(self.fold_values) == 1 else f"mean of {len(self.fold_values)} folds"
        params = "\n".join(f"  {name} = {_short(value)}" for name, value in self.best_params.items())
        return (
            f"{self.measure} = {self.best_value:.4f} ({of}) after {self.best_rounds} rounds; "
            f"{self.start_value:.4f} at the start; trials: {counts}\n{params}"
        )

    def __repr__(self) -> str:
        return str(self)


def _row(trial: FrozenTrial) -> dict[str, Any]:
    folds = trial.user_attrs.get("folds", [])
    seconds = trial.duration.total_seconds() if trial.duration is not None else math.nan
    row: dict[str, Any] = {
        "number": trial.number,
        "value": math.nan if trial.value is None else trial.value,
        "spread": float(pd.Series(folds, dtype=float).std()),
        "state": trial.state.name.lower(),
        "rounds": trial.user_attrs.get("rounds", 0),
        "seconds": seconds,
    }
    return row | dict(trial.user_attrs.get("params", trial.params))


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
