"""`tune`: the driver of a study."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from sklearn.utils import check_random_state

from .._checks import DataError, ParameterError, check_positive, check_whole
from .._compile import thread_count
from .._progress import Progress, silent
from ..data import RankingData
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..rankers import GBRanker
from ..rankers._changed import with_params
from ._folds import BinnedFolds, make_folds
from ._result import FINISHED, TuneResult
from ._space import Space, holds, read_space, start_values
from ._storage import claim, describe, open_study, quiet, recover
from ._trial import TrialFunction, is_start

ROUNDS, PATIENCE = 1000, 50


def tune(
    ranker: GBRanker,
    train: RankingData,
    *,
    valid: RankingData | None = None,
    cv: Any = None,
    measure: str | Measure | None = None,
    space: Mapping[str, Any] | None = None,
    n_trials: int = 50,
    timeout: float | None = None,
    storage: str | os.PathLike[str] | BaseStorage | None = None,
    study_name: str | None = None,
    pruner: str | BasePruner | None = "median",
    sampler: BaseSampler | None = None,
    random_state: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
    refit: bool = True,
) -> TuneResult:
    """Search for the parameters with which a ranker does best on queries that it was not trained on.

    The value of a trial is the measure's mean over queries, averaged over folds, after the number of rounds at which
    this average is best.  All folds of a trial are trained together, round by round, and stop together; so the number
    of rounds is one for all folds, and it is the one with which the best parameters are refitted.  With `valid` there
    is one fold.  Data are binned once for each fold and bin settings, not for each trial.

    Parameters
    ----------
    ranker : GBRanker or LambdaMART
        The start, and the value of every parameter not searched.  It is the first trial, so the result is never below
        it.  It stays unfitted; its `callbacks` are called in the refit only.  Where it has `early_stopping_rounds`,
        these and its `n_estimators` are the patience and the upper limit of rounds, else 50 and 1000 (or more, if
        `n_estimators` is).
    train : RankingData
    valid : RankingData, optional
        What trials are measured on.
    cv : int or splitter of queries, optional
        Instead of `valid`: a number of folds, dealt out at random, or a `gbrank.QueryKFold` or `QueryShuffleSplit`;
        5 by default.  Each fold holds a copy of its part of `train`.
    measure : str or Measure, optional
        What trials are compared by and stopped early by; the ranker's by default.
    space : mapping, optional
        Parameter name to an Optuna distribution, to ``{"low": .., "high": ..}`` with ``"log": True`` or a ``"step"``,
        to ``(low, high)``, or to a list of choices.  Names are the ranker's parameters, ``objective__x`` and
        ``backend_params__x``; `gbrank.tuning.default_space` of the backend by default.
    n_trials : int
        Trials in all, those of a resumed study and pruned ones included.
    timeout : float, optional
        Seconds after which no new trial begins.
    storage : path, URL or optuna storage, optional
        Where the study is kept: a path is an SQLite file.  The same call continues a study that is there: trials that
        were running when their process was killed are marked failed and tried again, at most three times.  A study is
        for one process at a time.
    study_name : str, optional
        "gbrank" by default.
    pruner : {"median"}, None or optuna pruner
        Gives up trials that are worse than the median of the others at the same sum of learning rates; a step of the
        pruner is a sum of 1, so ten rounds at 0.1.
    sampler : optuna sampler, optional
        A seeded tree-structured Parzen estimator by default.
    random_state : int
        Seed of folds and sampler.  With `n_jobs` of 1 and no interruption, the same seed gives the same trials.
    n_jobs : int
        Trials at once, which share the ranker's threads.
    progress : callable, optional
        Called as ``progress(done, total, message)`` after each trial.
    refit : bool
        Train the best ranker on all of `train`.

    Returns
    -------
    TuneResult

    Raises
    ------
    ParameterError
        An argument that is wrong; a name or value in `space` that the ranker does not have; a stored study that was
        made for other data, another measure or ranker; parameters that a trial found not to go together.
    DataError
        Data that cannot be learnt from or measured; a storage that cannot be opened.

    Examples
    --------
    >>> import numpy as np
    >>> from gbrank import LambdaMART, RankingData
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> data = RankingData(X, (X[:, 0] > 0.5).astype(int), qid=np.repeat(np.arange(40), 10))
    >>> start = LambdaMART(n_estimators=10, early_stopping_rounds=5, n_jobs=1)
    >>> found = tune(start, data, cv=2, space={"max_leaves": (2, 15)}, n_trials=3)
    >>> found.n_trials, list(found.best_params), found.best_value >= found.start_value
    (3, ['max_leaves'], True)
    """
    start, chosen, patience = _start(ranker, measure)
    searched = read_space(space, start)
    check_whole("n_trials", n_trials)
    check_whole("random_state", random_state, lowest=0)
    if timeout is not None:
        check_positive("timeout", timeout)
    folds, at_once, stop_early = make_folds(train, valid, cv, random_state), thread_count(n_jobs), make_pruner(pruner)
    with quiet():
        study = open_study(storage, study_name, higher_is_better=chosen.higher_is_better)
        claim(study, describe(start, folds, patience))
        recover(study)
        study.sampler = sampler or make_sampler(random_state, len(study.get_trials(deepcopy=False)))
        study.pruner = stop_early
        enqueue_start(study, start, searched)
        function = TrialFunction(start, searched, BinnedFolds(folds), patience, chosen.higher_is_better, at_once)
        _run(study, function, n_trials, timeout, at_once, progress or silent)
    best = _best_trial(study)
    fitted = None
    if refit:
        del folds, function  # their memory
        fitted = _refit(best, start, train, valid, ranker.callbacks)
    return _result(study, best, chosen, fitted)


def _start(ranker: GBRanker, measure: str | Measure | None) -> tuple[GBRanker, Measure, int]:
    """Return the ranker that trials vary, the measure and the patience."""
    if not isinstance(ranker, GBRanker):
        raise ParameterError(f"ranker: give a GBRanker or LambdaMART, not {type(ranker).__name__}.")
    check_whole("n_estimators", ranker.n_estimators)
    rounds, patience = max(ROUNDS, ranker.n_estimators), PATIENCE
    if ranker.early_stopping_rounds is not None:
        check_whole("early_stopping_rounds", ranker.early_stopping_rounds)
        rounds, patience = ranker.n_estimators, ranker.early_stopping_rounds
    seed = ranker.random_state
    if seed is not None and not isinstance(seed, int):  # one that moves on would give every training another
        seed = int(check_random_state(seed).randint(2**31 - 1))
    fixed = {"early_stopping_rounds": None, "validation_fraction": None, "callbacks": None, "random_state": seed}
    chosen = find_measure(ranker.measure if measure is None else measure)
    return with_params(ranker, {}, n_estimators=rounds, measure=chosen, **fixed), chosen, patience


def make_pruner(pruner: str | BasePruner | None) -> BasePruner:
    """Return the pruner; steps are as `Pruning` counts them."""
    if pruner is None:
        return NopPruner()
    if isinstance(pruner, BasePruner):
        return pruner
    if pruner != "median":
        raise ParameterError(f"pruner={pruner!r}: give 'median', None or a pruner of Optuna.")
    return MedianPruner(n_startup_trials=5, n_warmup_steps=3)


def make_sampler(random_state: int, n_before: int) -> BaseSampler:
    """Return the default sampler.

    Its state is not stored, so a study that goes on takes a new seed, which depends on the trials before.
    """
    seed = int(np.random.SeedSequence([random_state, n_before]).generate_state(1)[0])
    return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def enqueue_start(study: optuna.Study, start: GBRanker, space: Space) -> None:
    """Queue the start as a trial, unless it has been tried or is waiting."""
    if any(
        is_start(trial) and trial.state in (TrialState.COMPLETE, TrialState.WAITING)
        for trial in study.get_trials(deepcopy=False)
    ):
        return
    values = start_values(start, space)
    admitted = {name: value for name, value in values.items() if holds(space[name], value)}
    study.enqueue_trial(admitted, user_attrs={"start": values, "admitted": list(admitted)})


def _run(
    study: optuna.Study,
    function: Callable[[optuna.Trial], float],
    n_trials: int,
    timeout: float | None,
    at_once: int,
    progress: Progress,
) -> None:
    done = len(study.get_trials(deepcopy=False, states=FINISHED))
    lock = threading.Lock()

    def tell(study: optuna.Study, trial: FrozenTrial) -> None:
        nonlocal done
        with lock:
            done += 1
            progress(done, n_trials, _message(study, trial))

    progress(min(done, n_trials), n_trials, "tuning")
    if done < n_trials:
        try:
            study.optimize(function, n_trials=n_trials - done, timeout=timeout, n_jobs=at_once, callbacks=[tell])
        except ValueError as error:
            if "dynamic value space" not in str(error):
                raise
            raise ParameterError(
                f"study {study.study_name!r}: holds trials with other choices; give another study_name ({error})."
            ) from None


def _message(study: optuna.Study, trial: FrozenTrial) -> str:
    if trial.state is TrialState.PRUNED:
        return f"trial {trial.number}: pruned"
    rounds = trial.user_attrs["rounds"]
    return f"trial {trial.number}: {trial.value:.4f} after {rounds} rounds (best {study.best_value:.4f})"


def _best_trial(study: optuna.Study) -> FrozenTrial:
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        raise DataError(f"study {study.study_name!r}: no trial was completed; give more trials or time.")
    return study.best_trial


def _refit(
    best: FrozenTrial, start: GBRanker, train: RankingData, valid: RankingData | None, callbacks: Any
) -> GBRanker:
    """Return the ranker of the best trial, trained on all training data for the trial's number of rounds."""
    params = {} if is_start(best) else best.user_attrs["params"]
    fresh = with_params(start, params, n_estimators=best.user_attrs["rounds"], callbacks=callbacks)
    return fresh.fit(train, eval_set=valid)


def _result(study: optuna.Study, best: FrozenTrial, measure: Measure, ranker: GBRanker | None) -> TuneResult:
    trials = tuple(trial for trial in study.get_trials() if trial.state.is_finished())
    starts = [trial for trial in trials if is_start(trial) and trial.state is TrialState.COMPLETE]
    return TuneResult(
        best_params=dict(best.user_attrs["params"]),
        best_value=study.best_value,
        best_rounds=int(best.user_attrs["rounds"]),
        fold_values=tuple(best.user_attrs["folds"]),
        start_value=float(starts[0].values[0]) if starts else float("nan"),
        measure=str(measure),
        trials=trials,
        study=study,
        ranker=ranker,
    )
