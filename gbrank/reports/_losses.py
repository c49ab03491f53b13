"""`loss_report`: losses that were found, the search for them, and what they are worth on data that it has not seen."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from .._checks import ParameterError
from ..lossgen import REASONS
from ..lossgen._forms import formula_in, readable
from ..objectives._expressions import Expression, parse
from . import _loss_plots as plots
from ._content import frame_table
from ._document import Block, Bullets, Headline, Plot, Section, Table, fixed
from ._report import Report

if TYPE_CHECKING:
    from ..lossgen import Effectiveness

SHOWN = 20
DRAWN = (
    "Drawn for a pair of labels 2 and 0 at ranks 3 and 10, of a query whose ideal DCG is 5 (or a document of label 1). "
    "Each curve is divided by its mean slope near 0, and values are counted from that at 0, where training starts: "
    "neither a factor nor a constant that is added changes what trees learn. The hessian is the one trained "
    "with: where the second derivative is not positive, the size of the first stands in."
)
IN_FULL = (
    "Constants are shown with six digits; in full the loss is what gbrank.objective('expression', formula=...) takes."
)


def loss_report(
    losses: str | Mapping[str, str] | None = None,
    *,
    candidates: pd.DataFrame | None = None,
    effectiveness: Effectiveness | None = None,
    path: str | os.PathLike[str] | None = None,
    title: str = "Losses found",
    date: datetime | None = None,
) -> Report:
    """Return a report of a search for losses, as one page.

    Parameters
    ----------
    losses : str or mapping of str to formula, optional
        What to draw; by default those of `effectiveness`, or else the best of `candidates`.
    candidates : DataFrame, optional
        `LossSearch.candidates_`.
    effectiveness : Effectiveness, optional
        What `gbrank.lossgen.compare_losses` found.
    path : path, optional
        A file to write the page to.
    title : str
    date : datetime, optional
        Now by default.

    Raises
    ------
    ParameterError
        Nothing to report, or a formula that cannot be read.

    Examples
    --------
    >>> made = loss_report("softplus(-d) * dG")
    >>> [section.title for section in made.sections], "softplus" in made.to_html()
    (['found'], True)
    """
    named = _named(losses, candidates, effectiveness)
    sections = [_loss(name, formula) for name, formula in named.items()]
    heads: list[Headline] = []
    if candidates is not None and _full(candidates):
        sections.append(_search(candidates))
        heads.append(Headline("candidates", f"{len(candidates):,}", f"{_full(candidates):,} on all folds"))
        heads.append(
            Headline("best reward", fixed(_ranked(candidates)[0]["reward"], sign=True), "optimistic: best of many")
        )
    if effectiveness is not None:
        sections.append(_tests(effectiveness))
    made = Report(
        title=title,
        subject="; ".join(f"{name}: {readable(formula)}" for name, formula in named.items()),
        date=date or datetime.now().astimezone(),
        headlines=tuple(heads),
        cautions=_cautions(candidates, effectiveness),
        sections=tuple(sections),
        evaluations={},
        comparison=None,
        importances=pd.DataFrame(),
    )
    if path is not None:
        made.save(path)
    return made


def _named(
    losses: str | Mapping[str, str] | None, candidates: pd.DataFrame | None, effectiveness: Effectiveness | None
) -> dict[str, str]:
    if losses:
        given = {"found": losses} if isinstance(losses, str) else dict(losses)
        for formula in given.values():
            parse(formula)  # it is one
        return given
    if effectiveness is not None:
        return dict(effectiveness.losses)
    if candidates is None or not _full(candidates):
        raise ParameterError("loss_report: nothing to report; give losses, candidates that were trained, or a test.")
    return {"found": str(_ranked(candidates)[0]["loss"])}


def _full(candidates: pd.DataFrame) -> int:
    return int((candidates["stage"] == "full").sum())


def _ranked(candidates: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the candidates that came to all folds, the best first."""
    full = candidates[candidates["stage"] == "full"]
    return full.sort_values("reward", ascending=False, kind="stable").to_dict("records")


def _loss(name: str, text: str) -> Section:
    """Return a formula and its curves; of another objective, which was tested beside formulas, what it is."""
    loss = formula_in(text)
    if loss is None:
        return Section(name, ((Table("The loss", ("form", "value"), (("objective", text),)),),))
    usual = plots.BESIDE[plots.kind_of(loss)][0]
    drawn = tuple(
        Plot(
            f"{order.capitalize()} beside that of {usual}",
            f"The {order} of {loss.rounded()} over scores from -5 to 5, beside that of {usual}.",
            partial(plots.loss_curves, {name: loss}, order),
        )
        for order in plots.ORDERS
    )
    return Section(name, ((_told(loss),), drawn[:2], drawn[2:]))


def _told(loss: Expression) -> Table:
    short = loss.rounded()
    rows: tuple[tuple[str, str], ...] = (("formula", str(short)), ("LaTeX", short.latex()))
    if short == loss:
        return Table("The loss", ("form", "formula"), rows, note=DRAWN)
    return Table("The loss", ("form", "formula"), (*rows, ("in full", str(loss))), note=f"{DRAWN} {IN_FULL}")


def _search(candidates: pd.DataFrame) -> Section:
    reasons = candidates["reason"].value_counts()
    rows = tuple((name, f"{reasons[name]:,}", told) for name, told in REASONS.items() if name in reasons)
    counts = Table("Rejected, by reason", ("reason", "candidates", "meaning"), rows)
    full = _ranked(candidates)
    top = tuple(
        (
            f"{row['number']:,}",
            readable(row["loss"]),
            fixed(row["reward"], sign=True),
            ", ".join(map("{:+.4f}".format, row["folds"])),
        )
        for row in full[:SHOWN]
    )
    columns = ("number", "loss", "reward", "gain on each fold")
    table = Table(f"The best of {len(full):,} losses trained on all folds", columns, top, frozenset((0,)))
    plot = Plot(
        "Search progress",
        f"The reward of each of {int((candidates['stage'] != 'grid').sum()):,} trained candidates and the best so far.",
        partial(plots.search_progress, candidates),
    )
    return Section("Search", ((plot, counts), (table,)))


def _tests(found: Effectiveness) -> Section:
    columns = [name for name in ("difference", "low", "high", "p", "p_adjusted", "seeds_p") if name in found.table]
    rows = tuple(
        (
            f"{row['loss']} less {row['other']}",
            row["data"],
            row["form"],
            *(fixed(row[name], sign=name in ("difference", "low", "high")) for name in columns),
        )
        for row in found.table.to_dict("records")
    )
    pairs = Table(f"Differences in {found.measure}", ("pair", "data", "form", *columns), rows)
    means = found.means.set_index("data")
    blocks: list[tuple[Block, ...]] = [
        (frame_table(f"Mean {found.measure}", means),),
        (pairs,),
        (Bullets(tuple(found.notes())),),
    ]
    if len(found.choices):
        blocks.append((frame_table("Chosen on the validation parts", found.choices.set_index("data")),))
    return Section("Test on data that the search has not seen", tuple(blocks))


def _cautions(candidates: pd.DataFrame | None, effectiveness: Effectiveness | None) -> tuple[str, ...]:
    told = []
    if candidates is not None and effectiveness is None:
        told.append(
            "The reward of the best loss is that of the best of many on the queries that chose it. What it is worth is "
            "said by a test on queries that the search has not seen."
        )
    if effectiveness is not None and candidates is None:
        told.append("The candidates of the search were not given, so the effect of selection is not part of this.")
    return tuple(told)
