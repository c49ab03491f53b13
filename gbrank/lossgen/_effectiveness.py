"""`compare_losses`: losses that were found, trained from scratch beside those made by hand on data not searched on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from .._checks import DataError, ParameterError, check_positive, check_whole
from .._progress import Progress, silent
from ..backends import bin_cache
from ..data import LetorFold, RankingData
from ..evaluation import Comparison, compare, evaluate
from ..metrics import Measure
from ..objectives import Objective
from ..objectives._expressions import Expression
from ..rankers import GBRanker
from ..rankers._changed import quiet_trees, with_params
from ..splits import QueryKFold, three_parts
from ._forms import Form, as_objectives, chosen_form, readable, trained
from ._proxy import fixed_ranker
from ._selection import SelectionEffect, selection_effect
from ._usable import IN_TEST, require_usable

AGAINST = (
    "lambdarank",
    "pairwise_logistic",
    "xe_ndcg",
    "approx_ndcg",
    "pairwise_hinge",
    "pairwise_exponential",
)
"""What losses are tested against: LambdaRank, RankNet, XE-NDCG, ApproxNDCG, hinge and exponential loss."""
LEARNING_RATES, SCALES = (0.05, 0.1, 0.2), (0.5, 1.0, 2.0)
HOME = "data"
Loss = str | Expression | Objective
Data = RankingData | LetorFold | Sequence[LetorFold]


@dataclass(frozen=True, eq=False, repr=False)
class Effectiveness:
    """What `compare_losses` found: numbers, and no verdict.

    Attributes
    ----------
    losses : dict of str to str
        Each tested loss, as a formula in full or an objective; printed with constants of six digits.
    measure : str
    table : DataFrame
        A row for each data set, form ("plain" or "tuned"), tested loss and other loss: ``mean`` and ``mean_other``,
        ``difference`` (the first less the second) with the ends ``low`` and ``high`` of its interval, ``p``, and
        ``p_adjusted`` for the others of the same data, form and loss; with several seeds ``seeds_low``, ``seeds_high``
        and ``seeds_p``, which are about new seeds too.
    means : DataFrame
        A row for each data set and form, a column for each loss: means over queries, folds and seeds.
    choices : DataFrame
        What the validation parts chose for each loss tuned: data, fold, loss, learning_rate, scale, rounds and the
        measure there.
    selection : SelectionEffect or None
        What choosing the best of many does to the reward that a search reports; where its candidates were given.
    comparisons : dict of (data, form, loss) to Comparison
        All tests with all their numbers and notes; the tested loss is the baseline of each.
    """

    losses: dict[str, str]
    measure: str
    table: pd.DataFrame
    means: pd.DataFrame
    choices: pd.DataFrame
    selection: SelectionEffect | None
    comparisons: dict[tuple[str, str, str], Comparison]

    def readable(self) -> dict[str, str]:
        """Return the tested losses for reading: formulas with constants of six digits."""
        return {name: readable(text) for name, text in self.losses.items()}

    def notes(self) -> list[str]:
        """Return what has to be known of the table, in sentences."""
        tuned = (
            ["Tuned forms have the learning rate and scale that were best on the validation part, each fold its own."]
            if len(self.choices)
            else []
        )
        several = (
            [f"Among the {len(self.losses)} losses tested nothing is corrected: a choice of the best has its effect."]
            if len(self.losses) > 1
            else []
        )
        own = [] if self.selection is None else [str(self.selection)]
        return [*self._notes(), *several, *tuned, *own]

    def _notes(self) -> list[str]:
        """Return the notes of the comparisons, but for columns that are not in `table`."""
        told: dict[str, list[str]] = {}
        for (data, _, _), comparison in self.comparisons.items():
            for note in comparison.notes(self.measure):
                if not note.startswith("d: "):
                    told.setdefault(note, []).append(data)
        everywhere = {data for data, _, _ in self.comparisons}
        return [
            note if set(where) == everywhere else f"{', '.join(dict.fromkeys(where))}: {note}"
            for note, where in told.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; None for NaN."""
        return {
            "losses": dict(self.losses),
            "measure": self.measure,
            "pairs": plain_rows(self.table),
            "means": plain_rows(self.means),
            "choices": plain_rows(self.choices),
            "selection": None if self.selection is None else self.selection.to_dict(),
            "notes": self.notes(),
        }

    def to_html(self) -> str:
        """Return the losses, tables and notes in HTML; `gbrank.reports.loss_report` makes a page with plots."""
        named = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in self.readable().items())
        tables = [frame.to_html(index=False, float_format="{:.4f}".format) for frame in (self.means, self.table)]
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes())
        return "\n".join([f"<dl>{named}</dl>", *tables, f"<ul>{notes}</ul>\n"])

    def __str__(self) -> str:
        named = [f"{name}: {text}" for name, text in self.readable().items()]
        tables = [frame.round(4).to_string(index=False) for frame in (self.means, self.table)]
        return "\n\n".join(["\n".join(named), *tables, "\n".join(self.notes())])

    def __repr__(self) -> str:
        return str(self)


def compare_losses(
    losses: Loss | Sequence[Loss] | Mapping[str, Loss],
    data: Data,
    *,
    transfer: Mapping[str, Data] | None = None,
    against: Sequence[str | Objective] = AGAINST,
    ranker: GBRanker | None = None,
    measure: str | Measure | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    tuned: bool = True,
    learning_rates: Sequence[float] = LEARNING_RATES,
    scales: Sequence[float] = SCALES,
    objective_params: Mapping[str, Any] | None = None,
    candidates: pd.DataFrame | None = None,
    n_resamples: int = 10_000,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Effectiveness:
    """Train losses that were found, and those made by hand, from scratch on untouched folds, and compare them.

    Each loss is trained on the training part of each fold with each seed, stopped early by the validation part, and
    measured on the test part.  Losses are compared query by query.  Tuned forms, of all losses alike, take the
    learning rate and the scale (of the score in a formula; an objective's sigmoid, temperature or margin) that are
    best on the validation part.  Nothing is chosen by test parts.

    Parameters
    ----------
    losses : str, Expression, Objective, sequence of them, or mapping from names to them
        Formulas, or objectives.
    data : RankingData, LetorFold or sequence of LetorFold
        Queries that the search has not seen: this cannot be checked here.  A `RankingData` is cut into five folds.
    transfer : mapping of str to data, optional
        Other data sets, on which the same is done.
    against : sequence of str or Objective
        Losses made by hand.
    ranker : GBRanker, optional
        The trees; by default 300 at most, 30 rounds of patience, and four fifths of rows and features drawn for each
        tree, so that seeds differ.  Limits on sums of hessians are off for all losses, as in `LossSearch`.  Its
        objective and `random_state` do not count, for the losses and `seeds` take their place; `validation_fraction`,
        `callbacks` and `init_model` are refused.
    measure : str or Measure, optional
        The ranker's by default.
    seeds : sequence of int
    tuned : bool
        Test tuned forms, too.
    learning_rates, scales : sequence of float
        What tuned forms are chosen from.
    objective_params : mapping, optional
        Parameters of the objective that a formula becomes, such as ``{"truncation": 30}``.
    candidates : DataFrame, optional
        `LossSearch.candidates_`, for the effect of having chosen the best of many.  Those of an alternating search
        have one fold, which cannot tell it.
    n_resamples, random_state
        See `gbrank.compare`; the folds that a `RankingData` is cut into, too.
    n_jobs : int, optional
        Threads; all cores by default.
    progress : callable, optional
        Called as ``progress(done, total, message)`` after each loss on each fold.

    Raises
    ------
    ParameterError
        Losses that cannot be read or have the same name; several seeds for trees without anything drawn at random.
    DataError
        Data that are no folds.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.make_letor(60, n_features=8, max_documents=15, random_state=1)
    >>> ranker = gbrank.GBRanker(n_estimators=5, max_leaves=4, n_jobs=1)
    >>> found = compare_losses("softplus(-d) * dG", data, ranker=ranker, against=["lambdarank"], seeds=[0], tuned=False)
    >>> found.table[["form", "loss", "other"]].values.tolist()
    [['plain', 'found', 'lambdarank']]
    """
    tested = as_objectives(losses, objective_params)
    usual = as_objectives(against, None)
    for name in tested:
        if name in usual:
            raise ParameterError(f"losses: {name!r} is also the name of one of against; give it another.")
    selection = None if candidates is None else selection_effect(candidates)
    require_usable(ranker, IN_TEST)
    trees = _trees(ranker, measure, seeds, n_jobs)
    _check_scales(learning_rates=learning_rates, scales=scales)
    sets = {HOME: _folds(data, HOME, random_state)}
    for name, other in (transfer or {}).items():
        if name == HOME:
            raise ParameterError(f"transfer: {HOME!r} is what the first data set is called; give it another name.")
        sets[name] = _folds(other, f"transfer[{name!r}]", random_state)
    trial = _Trial(tested | usual, trees, tuple(seeds), tuned, tuple(learning_rates), tuple(scales), progress or silent)
    with quiet_trees(), bin_cache():
        scores = dict(trial.runs(sets))
    comparisons = {
        (name, form, loss): _compared(runs, sets[name], trees, loss, [loss, *usual], n_resamples, random_state)
        for (name, form), runs in scores.items()
        for loss in tested
    }
    return Effectiveness(
        {name: str(getattr(each, "formula", each)) for name, each in tested.items()},
        str(trees.measure),
        pd.concat([_pairs(*key, each) for key, each in comparisons.items()], ignore_index=True),
        _means(comparisons),
        pd.DataFrame(trial.choices),
        selection,
        comparisons,
    )


Runs = dict[tuple[int, int], dict[str, Any]]


class _Trial:
    """Trains every loss on every fold with every seed."""

    def __init__(
        self,
        objectives: Mapping[str, Objective],
        ranker: GBRanker,
        seeds: tuple[int, ...],
        tuned: bool,
        learning_rates: tuple[float, ...],
        scales: tuple[float, ...],
        tell: Progress,
    ) -> None:
        self.objectives, self.ranker, self.seeds = objectives, ranker, seeds
        self.forms = ("plain", "tuned") if tuned else ("plain",)
        self.learning_rates, self.scales, self.tell = learning_rates, scales, tell
        self.choices: list[dict[str, Any]] = []

    def runs(self, sets: Mapping[str, Sequence[LetorFold]]) -> Iterator[tuple[tuple[str, str], Runs]]:
        """Yield the scores of the test parts, by data set and form, then fold and seed, then loss."""
        total = sum(len(folds) for folds in sets.values()) * len(self.forms) * len(self.objectives)
        done = 0
        for name, folds in sets.items():
            for form in self.forms:
                found: Runs = {(fold, seed): {} for fold in range(len(folds)) for seed in self.seeds}
                for number, fold in enumerate(folds):
                    for loss, objective in self.objectives.items():
                        setting = self._setting(form, objective, fold, (name, number, loss))
                        for seed in self.seeds:
                            fitted = trained(self.ranker, setting, fold, seed)
                            found[number, seed][loss] = fitted.predict(fold.test)
                        done += 1
                        self.tell(done, total, f"{name}, fold {number}: {loss}, {form}")
                yield (name, form), found

    def _setting(self, form: str, objective: Objective, fold: LetorFold, place: tuple[str, int, str]) -> Form:
        if form == "plain":
            return Form(objective, self.ranker.learning_rate, 1.0)
        chosen, value, rounds = chosen_form(
            self.ranker, objective, fold, self.seeds[0], self.learning_rates, self.scales
        )
        row = dict(zip(("data", "fold", "loss"), place, strict=True))
        settings = {"learning_rate": chosen.learning_rate, "scale": chosen.scale}
        self.choices.append({**row, **settings, "rounds": rounds, str(self.ranker.measure): value})
        return chosen


def _trees(ranker: GBRanker | None, measure: Any, seeds: Sequence[int], n_jobs: int | None) -> GBRanker:
    if ranker is None:
        ranker = GBRanker(n_estimators=300, early_stopping_rounds=30, subsample=0.8, colsample=0.8)
    if not len(seeds) or len(set(seeds)) < len(seeds):
        raise ParameterError(f"seeds={list(seeds)}: give one or more, each once.")
    for seed in seeds:
        check_whole("seeds", seed, lowest=0)
    fixed, _ = fixed_ranker(ranker, measure)
    found = with_params(fixed, {}, early_stopping_rounds=ranker.early_stopping_rounds, n_jobs=n_jobs or ranker.n_jobs)
    if len(seeds) > 1 and found.subsample == 1 and found.colsample == 1 and not ranker.backend_params:
        raise ParameterError(
            f"seeds={list(seeds)}: nothing is drawn at random with subsample=1 and colsample=1, so all seeds give the "
            "same trees; set one below 1, or give one seed."
        )
    return found


def _check_scales(**given: Sequence[float]) -> None:
    for name, values in given.items():
        if not len(values):
            raise ParameterError(f"{name}: give at least one.")
        for value in values:
            check_positive(name, value)


def _folds(data: Any, name: str, seed: int) -> list[LetorFold]:
    if isinstance(data, RankingData):
        return list(three_parts(data, QueryKFold(5, shuffle=True, random_state=seed)))
    folds = [data] if isinstance(data, LetorFold) else list(data)
    if not folds or not all(isinstance(each, LetorFold) for each in folds):
        raise DataError(f"{name}: give a RankingData, or LetorFold(train, vali, test) for each fold.")
    return folds


def _compared(
    runs: Runs, folds: Sequence[LetorFold], trees: GBRanker, loss: str, names: list[str], n_resamples: int, seed: int
) -> Comparison:
    """Return the comparison of a loss with all others made by hand."""
    systems: Any = {
        (fold, number): evaluate(
            folds[fold].test, {name: found[name] for name in names}, trees.measure, n_jobs=trees.n_jobs
        )
        for (fold, number), found in runs.items()
    }
    return compare(systems, baseline=loss, n_resamples=n_resamples, random_state=seed, n_jobs=trees.n_jobs)


def _pairs(data: str, form: str, loss: str, comparison: Comparison) -> pd.DataFrame:
    """Return the pairs of a comparison, the tested loss first."""
    given = comparison.table
    table = pd.DataFrame({"data": data, "form": form, "loss": loss, "other": given["a"]})
    table = table.assign(mean=given["mean_b"], mean_other=given["mean_a"], difference=-given["difference"])
    table = table.assign(low=-given["high"], high=-given["low"], p=given["p"], p_adjusted=given["p_adjusted"])
    if "seeds_p" in given:
        table = table.assign(seeds_low=-given["seeds_high"], seeds_high=-given["seeds_low"], seeds_p=given["seeds_p"])
    return table.assign(queries=given["queries"])


def _means(comparisons: Mapping[tuple[str, str, str], Comparison]) -> pd.DataFrame:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for (data, form, _), comparison in comparisons.items():
        systems = comparison.systems
        rows.setdefault((data, form), {"data": data, "form": form}).update(
            zip(systems["system"], systems["mean"], strict=True)
        )
    return pd.DataFrame(list(rows.values()))


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table for JSON."""
    return [
        {str(name): None if isinstance(value, float) and value != value else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
