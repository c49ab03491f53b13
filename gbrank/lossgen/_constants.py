"""`tune_constants`: the numbers in a loss that was found, searched with Optuna on the folds of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._checks import ParameterError, check_positive, check_whole
from .._progress import Progress, silent
from ..backends import bin_cache
from ..data import RankingData
from ..metrics import Measure
from ..objectives import Objective
from ..objectives._expressions import Binary, Constant, Expression, Leaf, parse
from ..objectives._expressions.nodes import VARIABLE
from ..rankers import GBRanker
from ..rankers._changed import with_params
from ._filters import REASONS, Grid, grid, rescaled
from ._proxy import Proxy, fixed_ranker, make_folds, of_formula
from ._usable import IN_SEARCH, require_usable

if TYPE_CHECKING:
    import optuna

RANGE = 10.0
"""Factor within which a constant is varied, up and down."""


@dataclass(frozen=True, eq=False)
class TunedConstants:
    """What `tune_constants` found.

    Attributes
    ----------
    loss : str
        With the best constants, in full.
    reward, start_reward : float
        Mean gain over LambdaRank of the best constants and of those at the start, on the folds that chose them: as the
        best of several, the first is optimistic.
    table : DataFrame
        A row for each trial: ``loss``, ``reward`` (NaN where the loss was rejected) and ``reason``.
    """

    loss: str
    reward: float
    start_reward: float
    table: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; None for NaN."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        return {"loss": self.loss, "reward": self.reward, "start_reward": self.start_reward, "trials": rows}

    def __str__(self) -> str:
        start, best = (str(parse(loss).rounded()) for loss in (self.table["loss"].iloc[0], self.loss))
        rejected = int(self.table["reason"].notna().sum())
        told = f"{len(self.table)} trials" + (f", {rejected} of them rejected untrained" if rejected else "")
        return "\n".join(
            [
                f"start: {self.start_reward:+.4f}  {start}",
                f"best:  {self.reward:+.4f}  {best}",
                f"gains over the baseline on the folds that chose, optimistic as the best of several; {told}",
            ]
        )


def tune_constants(
    loss: str | Expression,
    data: RankingData,
    *,
    ranker: GBRanker | None = None,
    measure: str | Measure | None = None,
    cv: Any = 3,
    baseline: str | Objective = "lambdarank",
    objective_params: Mapping[str, Any] | None = None,
    slope: bool = True,
    n_trials: int = 30,
    timeout: float | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> TunedConstants:
    """Search for the constants with which a loss brings most on the folds of a search.

    Each constant is varied within a factor of ten to both sides, on a logarithmic scale and with its sign kept; the
    loss as it is given is the first trial, so that the result is never below it.

    Parameters
    ----------
    loss : str or Expression
    data : RankingData
        What may choose; the test data have no part in it.
    ranker, measure, cv, baseline, objective_params
        As those of `LossSearch`, so that the folds and the trees are those of the search.
    slope : bool
        Vary the unit of the score, too: d (or s) is multiplied by a further constant.
    n_trials : int
    timeout : float, optional
        Seconds after which no trial begins.
    random_state : int
        Seed of folds and trials.
    n_jobs : int, optional
        Threads of a training; by default the ranker's, or else all cores.
    progress : callable, optional
        Called as ``progress(done, total, message)`` after each trial.

    Raises
    ------
    ParameterError
        There is no constant to vary; a loss that is rejected as it is.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(40, n_features=8, max_documents=20, random_state=0)
    >>> ranker = gbrank.GBRanker(n_estimators=5, max_leaves=4, n_jobs=1)
    >>> found = tune_constants("softplus(-d)", data, ranker=ranker, cv=2, n_trials=3)
    >>> len(found.table), found.reward >= found.start_reward
    (3, True)
    """
    import optuna  # which takes longer to load than all the rest of the room

    from ..tuning._storage import quiet

    start = parse(loss) if isinstance(loss, str) else loss
    form = with_slope(start) if slope else start
    if not any(form.constants()):
        raise ParameterError(f"loss={str(start)!r}: has no constant to tune; write one into it, or pass slope=True.")
    check_whole("n_trials", n_trials)
    check_whole("random_state", random_state, lowest=0)
    if timeout is not None:
        check_positive("timeout", timeout)
    of_formula(start, objective_params)  # it is a loss, and its parameters are right
    kind = "pair" if VARIABLE["pair"] in form.names else "point"
    reason = grid(kind).judge(form.canonical()).reason
    if reason is not None:
        raise ParameterError(
            f"loss={str(start)!r}: is rejected as it is ({reason}: {REASONS[reason]}); give one that was accepted."
        )
    require_usable(ranker, IN_SEARCH)
    trees, chosen = fixed_ranker(ranker, measure)
    tell = progress or silent
    with quiet(), bin_cache():
        folds = make_folds(data, cv, random_state)
        trees = with_params(trees, {}, n_jobs=trees.n_jobs if n_jobs is None else n_jobs)
        proxy = Proxy(lambda text: of_formula(text, objective_params), folds, trees, chosen, baseline, random_state)
        trials = _Trials(form, proxy, grid(kind))
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=random_state))
        study.enqueue_trial(dict.fromkeys(trials.names, 0.0))
        study.optimize(
            trials,
            n_trials=n_trials,
            timeout=timeout,
            callbacks=[lambda study, trial: tell(trial.number + 1, n_trials, f"best gain {trials.best[0]:+.4f}")],
        )
    table = pd.DataFrame(trials.rows, columns=["loss", "reward", "reason"])
    return TunedConstants(trials.best[1], trials.best[0], trials.rows[0][1], table)


class _Trials:
    """The reward of a form as a function of its constants."""

    def __init__(self, form: Expression, proxy: Proxy, grid: Grid) -> None:
        self.form, self.proxy, self.grid = form, proxy, grid
        self.start = form.constants()
        self.names = [f"c{number}" for number, value in enumerate(self.start) if value]
        self.rows: list[tuple[str, float, str | None]] = []
        self.best = -np.inf, ""

    def __call__(self, trial: optuna.Trial) -> float:
        import optuna

        most = float(np.log(RANGE))
        values = list(self.start)
        for name in self.names:
            values[int(name[1:])] *= float(np.exp(trial.suggest_float(name, -most, most)))
        loss = self.form.with_constants(tuple(values)).canonical()
        verdict = self.grid.judge(loss)
        reward = np.nan if verdict.reason else self._reward(rescaled(loss, verdict.factor))
        self.rows.append((str(loss), reward, verdict.reason))
        if verdict.reason:
            raise optuna.TrialPruned
        if reward > self.best[0]:
            self.best = reward, str(loss)
        return reward

    def _reward(self, loss: Expression) -> float:
        return float(np.mean(self.proxy.gains(self.proxy.make(str(loss)))))


def with_slope(loss: Expression, value: float = 1.0) -> Expression:
    """Return the loss with d (or s) times a constant.

    Examples
    --------
    >>> print(with_slope(parse("softplus(-d) * dG"), 2.0))
    softplus(-(2 * d)) * dG
    """
    if isinstance(loss, Leaf):
        return Binary("multiply", Constant(value), loss) if loss.name in VARIABLE.values() else loss
    parts = tuple(with_slope(part, value) for part in loss.arguments)
    return loss.rebuilt(parts) if parts else loss
