"""Plots of value models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ._plots import INK, MUTED, SERIES, finish, label, new

if TYPE_CHECKING:
    from ..fusion import ParetoFront, TargetResult


def pareto(front: ParetoFront) -> Figure:
    """Return what two tasks get from each mixture of their weights, with the model as it is marked."""
    first, second = front.tasks
    figure, axes = new(f"{front.measure} of {second}", f"{front.measure} of {first}")
    best = front.table[front.table["efficient"]].sort_values("ndcg_a")
    rest = front.table[~front.table["efficient"]]
    axes.plot(best["ndcg_a"], best["ndcg_b"], "-o", color=SERIES[0], markersize=3.5, linewidth=1.6, label="efficient")
    if len(rest):
        axes.plot(rest["ndcg_a"], rest["ndcg_b"], "x", color=MUTED, markersize=4.5, label="not efficient")
    here = front.current
    axes.plot([here["ndcg_a"]], [here["ndcg_b"]], "D", color=SERIES[1], markersize=7, label="the model")
    return finish(figure, axes)


def task_shares(result: TargetResult, intervals: pd.DataFrame | None = None) -> Figure:
    """Return bars of the fraction of each task, beside that desired.

    Parameters
    ----------
    intervals : DataFrame, optional
        Those of `TargetResult.intervals`, drawn as lines.
    """
    table = result.table
    figure, axes = new(f"share in all {result.by}s", "", height=0.9 + 0.42 * max(len(table), 3))
    places = np.arange(len(table))
    axes.barh(places - 0.2, table["desired"], color=MUTED, height=0.36, label="desired")
    axes.barh(places + 0.2, table["fraction"], color=SERIES[0], height=0.36, label="reached")
    if intervals is not None:
        ends = intervals["fraction_low"].to_numpy(), intervals["fraction_high"].to_numpy()
        axes.hlines(places + 0.2, *ends, color=INK, linewidth=1.6)
    axes.set_yticks(places, [label(name) for name in table.index])
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", linewidth=0.8)
    return finish(figure, axes)
