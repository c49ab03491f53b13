"""`LossSearch`: the search for a loss as an object that is fitted to data."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

import pandas as pd

from .._checks import DataError, ParameterError, check_choice, check_positive, check_whole
from .._compile import thread_count
from .._progress import Progress, silent
from ..backends import bin_cache
from ..data import RankingData
from ..data._digest import digest
from ..metrics import Measure
from ..objectives import Objective
from ..objectives._expressions import parse
from ..rankers import GBRanker
from ..rankers._changed import with_params
from ._alternating import Alternating, formula_of
from ._filters import Grid
from ._graph import Graph, Space
from ._proxy import Proxy, Schedule, fixed_ranker, make_folds, of_formula
from ._run import Limits, Run
from ._searchers import SEARCHERS, Searcher
from ._store import FULL, GRID, SHORT, Store, table
from ._usable import IN_SEARCH, require_usable

KNOWN: Mapping[str, tuple[str, ...]] = {
    "pair": ("softplus(-d)", "softplus(-d) * (dG * dD / IDCG)", "max(1 - d, 0)", "exp(-d)"),
    "point": ("(s - y)**2", "softplus(s) - y * s"),
}
"""RankNet, LambdaRank, the hinge and the exponential loss; squared error and the logistic loss."""
SCHEDULES = ("fixed", "alternating")
Fold = tuple[RankingData, RankingData]


class LossSearch:
    """A search for the loss with which boosted trees rank best on the data at hand.

    Losses are programs of operators.  Most are rejected before a tree is grown, by what they do on a grid of score
    differences: those that do not depend on the score, have no slope where training starts, push the worse document
    up, or have the gradient of an earlier one but for a factor.  The others are tried in a short training on a tenth of
    the queries, and if they are not clearly worse than LambdaRank, on folds of whole queries: the reward is the mean
    gain in the measure over LambdaRank on the same folds with the same trees and seeds.

    Parameters
    ----------
    searcher : {"evolution", "random", "controller"} or a Searcher class
        What proposes programs, see `gbrank.lossgen`.
    space : Space, optional
        What losses are made of; by default pairwise ones of up to ten operators.
    ranker : GBRanker, optional
        What losses are put into; by default 50 trees of 15 leaves.  Its objective does not count, and stopping early,
        `callbacks` and `init_model` are refused: all losses get the same trees.  Limits on sums of
        hessians are off, also for the baseline, unless its `backend_params` set them: a factor of a loss shall not
        matter.  Where it does (with `reg_lambda`, or `query_norm` of the objective), the search does not see it.
    measure : str or Measure, optional
        The ranker's by default.
    cv : int or splitter of queries
        Folds of the reward.
    baseline : str or Objective
        What gains are over; in an alternating search "lambdarank" or a formula's objective.
    starts : sequence of str, optional
        Losses to try first.  By default those that are known (RankNet, LambdaRank, hinge, exponential) as far as the
        space has them; none in a search from scratch, ``()``.
    n_candidates, n_trained : int, optional
        Programs in all, and those that come to a training, after which the search ends; those of a search that goes on
        included.
    timeout : float, optional
        Seconds after which no further training begins.  One of these three is needed.
    schedule : {"fixed", "alternating"}
        With "alternating", a loss is worth what it gains over the baseline in the next rounds of one model that grows
        with the search: after each full batch, the best loss so far, or else the best of the batch, trains it on for
        these rounds, if it does not make it worse on the queries held out.  The rounds of a turn are the ranker's
        `n_estimators` divided by 5; the queries held out are the first fold of `cv`.
    objective_params : mapping, optional
        Parameters of the objective that a loss becomes, such as ``{"truncation": 30}``.
    batch_size : int
        Trainings between two lessons of the searcher.
    storage : path, optional
        An SQLite file of all candidates.  The same call goes on with the search that is there, also after its process
        was killed, and comes to what it would have come to undisturbed.  A file is for one process at a time.
    random_state : int
        Seed of folds and programs.
    n_jobs : int, optional
        Trainings at once, each on one thread; by default the ranker's, or else all cores.  The result does not depend
        on it.
    progress : callable, optional
        Called as ``progress(done, total, message)`` after each batch.

    Attributes
    ----------
    best_loss_ : str
        The loss with the highest reward: `gbrank.objective("expression", formula=...)` makes it an objective.
    best_objective_ : Objective
    best_reward_ : float
        Its gain.  As the best of many it is optimistic; judge the loss on queries that the search has not seen.
    best_folds_ : tuple of float
        The gains of which this is the mean.
    candidates_ : DataFrame
        One row for each program: number, graph, loss, fingerprint, stage ("grid", "short", "full"), reason, reward (NaN
        where nothing was measured), folds, same_as (number of the one it is a duplicate of), turn, seconds.
    counts_ : dict of str to int
        How many candidates there are, how many came to a training ("short") and to the full proxy ("full"), and how
        many were rejected for each reason, see `gbrank.lossgen.REASONS`.
    seconds_ : dict of str to float
        Wall-clock time of this call, "total", and of it "asking", "filtering", "training" and "telling".
    advances_ : DataFrame
        Of an alternating search: turn, loss, measure before and after, whether it was kept.
    ranker_ : GBRanker or None
        The model that grew with an alternating search.

    Raises
    ------
    ParameterError
        An argument that is wrong, or a storage that was made for other data, another space, ....
    DataError
        Data that cannot be learnt from; a search in which no loss came to the full proxy.

    References
    ----------
    Li, Ji, Ge and Zhang, "Automatic Loss Function Generation for Recommender Systems", SIGIR 2022; Li et al.,
    "AutoLoss-Zero: Searching Loss Functions from Scratch for Generic Tasks", CVPR 2022.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(40, n_features=8, max_documents=20, random_state=0)
    >>> ranker = gbrank.GBRanker(n_estimators=5, max_leaves=4)
    >>> search = gbrank.LossSearch(ranker=ranker, cv=2, n_trained=6, n_jobs=1).fit(data)
    >>> search.counts_["short"], len(search.candidates_) >= 6
    (6, True)
    """

    def __init__(
        self,
        searcher: str | type[Searcher] = "evolution",
        *,
        space: Space | None = None,
        ranker: GBRanker | None = None,
        measure: str | Measure | None = None,
        cv: Any = 3,
        baseline: str | Objective = "lambdarank",
        starts: Sequence[str] | None = None,
        n_candidates: int | None = None,
        n_trained: int | None = None,
        timeout: float | None = None,
        schedule: str = "fixed",
        objective_params: Mapping[str, Any] | None = None,
        batch_size: int = 8,
        storage: str | os.PathLike[str] | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.searcher = searcher
        self.space = space
        self.ranker = ranker
        self.measure = measure
        self.cv = cv
        self.baseline = baseline
        self.starts = starts
        self.n_candidates = n_candidates
        self.n_trained = n_trained
        self.timeout = timeout
        self.schedule = schedule
        self.objective_params = objective_params
        self.batch_size = batch_size
        self.storage = storage
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(self, data: RankingData) -> Self:
        """Search on whole-query folds of `data`, and on nothing else."""
        limits, space = self._limits(), self.space or Space()
        if not isinstance(space, Space):
            raise ParameterError(f"space: give a gbrank.lossgen.Space, not {type(space).__name__}.")
        starts = start_graphs(space, self.starts)
        self.objective(KNOWN[space.kind][0])  # its parameters are right
        searcher = self._searcher(space)
        require_usable(self.ranker, IN_SEARCH)
        ranker, measure = fixed_ranker(self.ranker, self.measure)
        workers = thread_count(ranker.n_jobs if self.n_jobs is None else self.n_jobs)
        folds = make_folds(data, self.cv, self.random_state)
        store = Store(self.storage)
        try:
            described = self._description(searcher, space, starts, ranker, measure, folds)
            store.check(described)
            schedule = self._schedule(folds, with_params(ranker, {}, n_jobs=1), measure)
            store.claim(described)  # not before all is well
            run = Run(
                searcher, starts, Grid(space.kind), schedule, store, limits,
                self.random_state, self.batch_size, workers, self._tell,
            )  # fmt: skip
            with bin_cache():
                run()
            self._keep(run, schedule)
        finally:
            store.close()
        return self

    def _limits(self) -> Limits:
        check_whole("random_state", self.random_state, lowest=0)
        check_whole("batch_size", self.batch_size)
        check_choice("schedule", self.schedule, SCHEDULES)
        given = {"n_candidates": self.n_candidates, "n_trained": self.n_trained, "timeout": self.timeout}
        if all(value is None for value in given.values()):
            raise ParameterError("a search needs an end: give n_candidates, n_trained or timeout.")
        for name in ("n_candidates", "n_trained"):
            if given[name] is not None:
                check_whole(name, given[name])
        if self.timeout is not None:
            check_positive("timeout", self.timeout)
        return Limits(**{name: math.inf if value is None else value for name, value in given.items()})

    def _searcher(self, space: Space) -> Searcher:
        made = SEARCHERS[self.searcher] if isinstance(self.searcher, str) else self.searcher
        if not (isinstance(made, type) and issubclass(made, Searcher)):
            raise ParameterError(f"searcher={self.searcher!r}: give one of {', '.join(SEARCHERS)} or a Searcher class.")
        return made(space)

    def objective(self, loss: str) -> Objective:
        """Return a loss as the objective that the search trains with."""
        return of_formula(loss, self.objective_params)

    def _schedule(self, folds: Any, ranker: GBRanker, measure: Measure) -> Schedule:
        if self.schedule == "fixed":
            return Proxy(self.objective, folds, ranker, measure, self.baseline, self.random_state)
        return Alternating(self.objective, folds[0], ranker, measure, formula_of(self.baseline))

    def _description(
        self, searcher: Searcher, space: Space, starts: list[Graph], ranker: GBRanker, measure: Measure, folds: Any
    ) -> dict[str, str]:
        """Return what rewards, and the order of candidates, depend on."""
        rewards = reward_of(ranker, measure, self.baseline, self.objective_params, folds, self.random_state)
        return {
            **rewards,
            "schedule": self.schedule,
            "space": str(space),
            "searcher": type(searcher).__name__,
            "starts": json.dumps([graph.text() for graph in starts]),
            "batch_size": str(self.batch_size),
        }

    def _tell(self, run: Run) -> None:
        """Tell how far the search is: in seconds where time is the only limit."""
        limits = run.limits
        done, total = run.trained, limits.n_trained
        if math.isinf(total):
            done, total = run.asked, limits.n_candidates
        if math.isinf(total):
            done, total = int(run.elapsed), limits.timeout
        best = "none yet" if run.best is None else f"{run.best.reward:+.4f} {parse(run.best.loss).rounded()}"
        message = f"{run.asked} losses, {run.trained} trained, best {best}"
        (self.progress or silent)(min(done, int(total)), int(total), message)

    def _keep(self, run: Run, schedule: Schedule) -> None:
        if run.best is None:
            raise DataError(
                f"no loss came to the full proxy: of {run.asked} candidates {run.trained} were trained; give the "
                "search more candidates or time."
            )
        self.best_loss_, self.best_reward_, self.best_folds_ = run.best.loss, run.best.reward, run.best.folds
        self.best_objective_ = self.objective(run.best.loss)
        self.candidates_ = table(sorted(run.all, key=lambda each: each.number))
        self.counts_ = counts(self.candidates_)
        self.seconds_ = {"total": run.elapsed, **run.seconds}
        self.advances_ = pd.DataFrame([vars(each) for each in run.store.advances()])
        self.ranker_ = schedule.model if isinstance(schedule, Alternating) else None


def reward_of(
    ranker: GBRanker,
    measure: Measure,
    baseline: str | Objective,
    objective_params: Mapping[str, Any] | None,
    folds: Sequence[Fold],
    random_state: int,
) -> dict[str, str]:
    """Return what the reward of a loss depends on, in words for a store."""
    unimportant = ("callbacks", "measure", "n_jobs", "verbose", "objective")
    params = {name: str(value) for name, value in ranker.get_params(deep=False).items() if name not in unimportant}
    return {
        "random_state": str(random_state),
        "data or folds": digest(folds),
        "measure": str(measure),
        "baseline": str(baseline),
        "ranker": json.dumps(params, sort_keys=True),
        "objective_params": json.dumps(dict(objective_params or {}), sort_keys=True, default=str),
    }


def start_graphs(space: Space, starts: Sequence[str] | None) -> list[Graph]:
    """Return the programs to begin with: those given, or the known ones that the space has."""
    if starts is not None:
        if isinstance(starts, str):
            raise ParameterError(f"starts={starts!r}: give a sequence of losses, such as [{starts!r}].")
        return [space.encode(loss) for loss in starts]
    found = []
    for loss in KNOWN[space.kind]:
        try:
            found.append(space.encode(loss))
        except ParameterError:  # the space is not meant to have it
            continue
    return found


def counts(candidates: pd.DataFrame) -> dict[str, int]:
    """Return how many candidates there are, came to a training and to the full proxy, and were rejected for what."""
    stages = Counter(candidates["stage"])
    reasons = Counter(candidates["reason"].dropna())
    return {
        "candidates": len(candidates), SHORT: len(candidates) - stages[GRID], FULL: stages[FULL], **reasons,
    }  # fmt: skip
