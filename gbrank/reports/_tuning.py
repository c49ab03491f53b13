"""The tuning: the best parameters, what they are worth, and the trials."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .._checks import DataError
from . import _plots as plots
from ._content import block, cell, frame_table
from ._document import NONE, Plot, Section, Table, fixed

if TYPE_CHECKING:
    from ..tuning import TuneResult

SHOWN = 20


def tuning_section(tuning: Any) -> Section:
    """Return the section of a `TuneResult`, or of plain content; see `block` for what is refused."""
    if not (hasattr(tuning, "best_params") and hasattr(tuning, "table")):
        return Section("Tuning", ((block("Tuning", tuning),),))
    higher = tuning.study.direction.name == "MAXIMIZE"
    table = tuning.table
    states = ", ".join(f"{count} {state}" for state, count in table["state"].value_counts().items())
    plot = Plot(
        f"Trials: {tuning.measure}",
        f"{tuning.measure} of each trial ({states}); the best is {fixed(tuning.best_value)}.",
        partial(plots.tuning_history, table, tuning.measure, higher_is_better=higher),
    )
    ranked = table.sort_values("value", ascending=not higher, kind="stable").set_index("number")
    complete = ranked[ranked["state"] == "complete"]
    trials = frame_table(f"The best of {len(table)} trials ({states})", complete.head(SHOWN).drop(columns="state"))
    return Section("Tuning", ((outcome(tuning), plot), (best_parameters(tuning),), (trials,)))


def outcome(tuning: TuneResult) -> Table:
    """Return what the tuning came to."""
    folds = len(tuning.fold_values)
    rows = (
        ("best", fixed(tuning.best_value)),
        ("at the start", fixed(tuning.start_value)),
        ("rounds of the best", f"{tuning.best_rounds:,}"),
        ("folds", f"{folds:,}"),
    )
    note = (
        "The value of a trial is the mean over folds. The best of several trials is somewhat optimistic: judge by data "
        "that tuning has not seen."
    )
    return Table(f"Outcome, {tuning.measure}", ("fact", "value"), rows, note=note)


def best_parameters(tuning: TuneResult) -> Table:
    """Return the best parameters, with their importances where enough trials were completed."""
    try:
        worth = tuning.importances()
    except DataError:
        worth = {}
    rows = tuple(
        (
            name,
            f"{value:.5g}" if isinstance(value, float) else cell(value),
            f"{worth[name]:.1%}" if name in worth else NONE,
        )
        for name, value in tuning.best_params.items()
    )
    note = "Importance is the parameter's share in the good trials' being good; a rough picture with few trials."
    return Table("Best parameters", ("parameter", "value", "importance"), rows, note=note)
