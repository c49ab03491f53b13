"""Every plot, as a function over a result object that returns a matplotlib figure.

Figures are made without pyplot: no global state, no display.  Axis titles stand level above the axes, where they can be
read without turning the head; series differ by colour (of a palette for all kinds of colour vision) and by dashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from .._checks import ParameterError
from .._registry import unknown
from ..data import Description, RankingData
from ..evaluation import Calibration, ConventionDifference, Evaluation, Slices
from ..explain import Curve
from ..metrics import Measure
from ..metrics import measure as find_measure
from ..rankers import GBRanker
from ._document import clean

INK, MUTED, GRID, PAPER = "#1b2430", "#5b6675", "#d9dee5", "#fdfdfe"
SERIES = ("#0067a8", "#c4500a", "#00795a", "#a3477f", "#7a6a00", "#41709f")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))
WIDTH, HEIGHT = 5.4, 3.1
MARKS = "osD^vP"
POINTS = 201  # points of a cumulative curve


def learning_curve(ranker: GBRanker) -> Figure:
    """Return the ranker's measure after each round on each evaluation set, with the best round marked."""
    figure, axes = new(f"{ranker.measure_}", "round")
    for number, (name, values) in enumerate(ranker.history_.items()):
        rounds = np.arange(1, len(values) + 1)
        marker = "o" if len(values) == 1 else ""
        axes.plot(rounds, values, label=label(name), marker=marker, **line(number))
    best = ranker.best_iteration_
    axes.axvline(best, color=MUTED, linewidth=1, linestyle=":", label=f"best round: {best}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    return finish(figure, axes)


def distribution(evaluation: Evaluation, measure: str | Measure, run: str | None = None) -> Figure:
    """Return a histogram of a measure over queries, with mean and median marked; skipped queries are left out."""
    values = evaluated(evaluation.values(measure, run))
    figure, axes = new("queries", str(measure))
    lowest, highest = min(0.0, values.min(initial=0.0)), max(1.0, values.max(initial=1.0))
    edges = np.linspace(lowest, highest, 21).tolist()
    axes.hist(values, bins=edges, color=SERIES[0], alpha=0.6, edgecolor=PAPER, linewidth=0.8)
    if len(values):
        mean, median = float(values.mean()), float(np.median(values))
        axes.axvline(mean, color=SERIES[1], linewidth=2, label=f"mean {mean:.3f}")
        axes.axvline(median, color=INK, linewidth=1.6, linestyle="--", label=f"median {median:.3f}")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    return finish(figure, axes)


def cumulative(evaluations: Mapping[str, pd.Series[float]], measure: str | Measure) -> Figure:
    """Return, for each named vector of query values, the share of queries that reach at most a value."""
    figure, axes = new("share of queries with at most this value", str(measure))
    for number, (name, values) in enumerate(evaluations.items()):
        shares, quantiles = quantile_curve(evaluated(values))
        axes.plot(quantiles, shares, label=label(name), **line(number))
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return finish(figure, axes)


def importance_bars(table: pd.DataFrame, top: int = 30) -> Figure:
    """Return bars of the share of the gain of the `top` features of a table of `gbrank.importances`."""
    head = table.head(top)
    figure, axes = new("share of the gain", "", height=0.9 + 0.26 * max(len(head), 3))
    places = np.arange(len(head))
    axes.barh(places, head["gain_share"], color=SERIES[0], height=0.72)
    axes.set_yticks(places, [label(name) for name in head.index])
    axes.set_ylim(len(head) - 0.4, -0.6)
    for place, share in zip(places.tolist(), head["gain_share"].tolist(), strict=True):
        axes.annotate(f"{share:.1%}", (share, place), (4, 0), textcoords="offset points", va="center", color=MUTED,
                      fontsize=8.5)  # fmt: skip
    axes.set_xlim(0, 1.14 * max(float(head["gain_share"].max()) if len(head) else 0.0, 1e-9))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.8)
    axes.spines["bottom"].set_visible(False)
    return finish(figure, axes, legend=False)


def tuning_history(table: pd.DataFrame, measure: str, *, higher_is_better: bool = True) -> Figure:
    """Return the value of each trial of a tuning, completed or pruned, and the best completed so far."""
    figure, axes = new(measure, "trial")
    for number, (state, marker) in enumerate({"complete": "o", "pruned": "x"}.items()):
        each = table[table["state"] == state]
        colour = SERIES[0] if number == 0 else MUTED
        axes.plot(each["number"], each["value"], marker, color=colour, markersize=4.5, label=state)
    complete = table[table["state"] == "complete"]
    best = complete["value"].cummax() if higher_is_better else complete["value"].cummin()
    axes.step(complete["number"], best, where="post", color=SERIES[1], linewidth=1.6, label="best so far")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    return finish(figure, axes)


def label_shares(descriptions: Mapping[str, Description]) -> Figure:
    """Return bars of the share of the documents of each label, a colour for each data set."""
    labels = sorted({label for each in descriptions.values() for label in each.labels})
    figure, axes = new("share of documents", "label")
    width = 0.8 / max(1, len(descriptions))
    places = np.arange(len(labels))
    for number, (name, each) in enumerate(descriptions.items()):
        shares = [each.label_shares.get(value, 0.0) for value in labels]
        shift = (number - (len(descriptions) - 1) / 2) * width
        axes.bar(places + shift, shares, width * 0.92, color=SERIES[number % len(SERIES)], label=label(name))
    axes.set_xticks(places, [f"{value:g}" for value in labels])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return finish(figure, axes, legend=len(descriptions) > 1)


def query_sizes(sets: Mapping[str, RankingData]) -> Figure:
    """Return the share of queries that have at most a number of documents, a line for each data set."""
    figure, axes = new("share of queries with at most so many documents", "documents per query")
    widest = 1
    for number, (name, data) in enumerate(sets.items()):
        sizes = data.query_sizes.astype(np.float64)
        widest = max(widest, int(sizes.max()))
        shares, quantiles = quantile_curve(sizes)
        axes.plot(quantiles, shares, label=label(name), **line(number))
    if widest > 50:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return finish(figure, axes, legend=len(sets) > 1)


def slice_means(slices: Slices, measure: str | Measure | None = None) -> Figure:
    """Return the mean of a measure (the first by default) in each slice, a series for each run, with standard errors.

    The broken lines are the means over all queries.
    """
    chosen = str(slices.evaluation.measures[0] if measure is None else find_measure(measure))
    runs = slices.evaluation.runs or ("",)
    names = slices.labels.cat.categories
    figure, axes = new(f"{chosen} by {slices.by}", "", width=max(WIDTH, 1.0 * len(names)))
    places = np.arange(len(names))
    for number, run in enumerate(runs):
        table, total = (
            each[(each["measure"] == chosen) & (each["run"] == run if run else True)]
            for each in (slices.table, slices.total)
        )
        shift = (number - (len(runs) - 1) / 2) * min(0.16, 0.8 / len(runs))
        colour = SERIES[number % len(SERIES)]
        axes.errorbar(places + shift, table["mean"], table["standard_error"], fmt=MARKS[number % len(MARKS)],
                      color=colour, capsize=3, markersize=5.5, label=label(run) if run else None)  # fmt: skip
        axes.axhline(float(total["mean"].iloc[0]), **line(number) | {"linewidth": 0.9})
    axes.set_xticks(places, [label(name, 18) for name in names])
    axes.set_xlim(-0.6, len(names) - 0.4)
    return finish(figure, axes)


def rule_contributions(difference: ConventionDifference) -> Figure:
    """Return how the rules of two conventions lead from the one mean to the other, a bar for each rule."""
    rules = difference.rules
    names = [difference.names[0], *map(str, rules.index), difference.names[1]]
    levels = np.concatenate(([difference.mean_a], difference.mean_a + np.cumsum(rules["contribution"])))
    figure, axes = new(f"mean of {difference.measure}", "", height=0.9 + 0.34 * max(len(names), 3))
    places = np.arange(len(names))
    ends = [difference.mean_a, difference.mean_b]
    axes.barh(places[[0, -1]], ends, color=SERIES[0], height=0.66)
    axes.barh(places[1:-1], rules["contribution"], left=levels[:-1], color=SERIES[1], height=0.66)
    texts = [f"{ends[0]:.4f}", *map("{:+.4f}".format, rules["contribution"]), f"{ends[1]:.4f}"]
    tips = [ends[0], *np.maximum(levels[:-1], levels[1:]), ends[1]]
    for place, tip, text in zip(places.tolist(), tips, texts, strict=True):
        axes.annotate(text, (tip, place), (4, 0), textcoords="offset points", va="center", color=MUTED, fontsize=8.5)
    axes.set_yticks(places, [label(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(min(0.0, float(levels.min())), 1.18 * max(float(max(tips)), 1e-9))
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.8)
    return finish(figure, axes, legend=False)


def growth(curves: Curve | Mapping[str, Curve]) -> Figure:
    """Return the mean of each curve over its number of trees, or of queries trained on.

    The band reaches from the lowest to the highest seed, or one standard error to both sides where there is one seed.
    """
    named = {"": curves} if isinstance(curves, Curve) else dict(curves)
    first = next(iter(named.values()))
    if len({(each.over, each.measure) for each in named.values()}) > 1:
        raise ParameterError("curves: over trees and over queries, or of other measures, they share no axes.")
    figure, axes = new(f"{first.measure}", "trees" if first.over == "trees" else "queries trained on")
    for number, (name, each) in enumerate(named.items()):
        table, looks = each.table, line(number)
        seeds = "lowest" in table
        low = table["lowest"] if seeds else table["mean"] - table["standard_error"]
        high = table["highest"] if seeds else table["mean"] + table["standard_error"]
        axes.fill_between(table.index, low, high, color=looks["color"], alpha=0.16, linewidth=0)
        axes.plot(table.index, table["mean"], label=label(name) if name else None, marker="o", markersize=3.5, **looks)
    if first.over == "queries":
        axes.set_xscale("log")
        axes.set_xticks(first.table.index, [f"{number:,}" for number in first.table.index])
        axes.minorticks_off()
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    return finish(figure, axes)


def reliability_diagram(calibration: Calibration | Mapping[str, Calibration], event: str | None = None) -> Figure:
    """Return the share of documents with an event (the first by default) against the probability that was stated.

    Dots are bins, with intervals for the last of several data sets; broken lines are the others.  Right probabilities
    lie on the diagonal.  Below stands how many documents (of the last) have such a probability.
    """
    named = {"": calibration} if isinstance(calibration, Calibration) else dict(calibration)
    *others, last = named
    chosen = named[last].events[0] if event is None else event
    if chosen not in named[last].events:
        raise unknown("event", chosen, named[last].events)
    curves = {name: each.curves[chosen].dropna() for name, each in named.items()}
    own, counts = curves[last], named[last].histograms[chosen]
    figure = Figure(figsize=(WIDTH, 1.45 * HEIGHT), layout="constrained", facecolor="none")
    axes, below = figure.subplots(2, height_ratios=(3.2, 1), sharex=True)
    dress(axes, f"share of documents with {chosen}", "")
    dress(below, "documents", "stated probability")
    end = 1.04 * max(float(curve[["score", "target_high"]].to_numpy().max()) for curve in curves.values())
    axes.plot((0, end), (0, end), color=MUTED, linewidth=1, linestyle=":", label="as stated")
    for number, name in enumerate(others, 1):
        axes.plot(curves[name]["score"], curves[name]["target"], label=label(name), **line(number))
    ends = own["target"] - own["target_low"], own["target_high"] - own["target"]
    # By rounding an end may lie on the wrong side of a share of 0 or 1.
    axes.errorbar(own["score"], own["target"], np.maximum(ends, 0), fmt="o-", color=SERIES[0], capsize=3, markersize=5,
                  linewidth=1.4, label=label(last) if last else None)  # fmt: skip
    axes.set_xlim(0, end)
    axes.set_ylim(0, end)
    below.bar(counts["low"], counts["documents"], counts["high"] - counts["low"], align="edge", color=SERIES[0],
              alpha=0.6, edgecolor=PAPER, linewidth=0.8)  # fmt: skip
    below.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
    below.tick_params(axis="x", pad=6)  # clear of the 0 of the other axis
    return finish(figure, axes)


def evaluated(values: pd.Series[float]) -> npt.NDArray[np.float64]:
    """Return the values of the queries that are not skipped."""
    array: npt.NDArray[np.float64] = np.asarray(values.dropna(), dtype=np.float64)
    return array


def quantile_curve(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return shares from 0 to 1, and the values that these shares of `values` do not exceed."""
    shares = np.linspace(0, 1, POINTS)
    if len(values) == 0:
        return shares[:0], shares[:0]
    return shares, np.quantile(values, shares, method="inverted_cdf")


def new(above: str, below: str, *, width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return an empty figure with its axes, what they count above and what runs along them below."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot()
    dress(axes, above, below)
    return figure, axes


def dress(axes: Axes, above: str, below: str) -> None:
    """Give axes the looks of all plots, and say what they count above and what runs along them below."""
    axes.set_facecolor("none")
    axes.set_title(label(above, 60), loc="left", fontsize=9.5, color=MUTED, pad=8)
    axes.set_xlabel(label(below, 60), fontsize=9.5, color=MUTED)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.tick_params(colors=INK, labelsize=9.5, length=0)


def finish(figure: Figure, axes: Axes, *, legend: bool = True) -> Figure:
    """Return the figure with its legend above the axes and no text read as a formula."""
    handles, names = axes.get_legend_handles_labels()
    if legend and names:
        columns = min(len(names), 4)
        figure.legend(handles, names, loc="outside upper left", ncols=columns, frameon=False, fontsize=9,
                      labelcolor=INK, handlelength=2.4, borderaxespad=0.1, columnspacing=1.4)  # fmt: skip
    for text in figure.findobj(lambda artist: hasattr(artist, "set_parse_math")):
        text.set_parse_math(False)  # type: ignore[attr-defined]
    return figure


def line(number: int) -> dict[str, Any]:
    """Return the look of the line of series `number`."""
    return {
        "color": SERIES[number % len(SERIES)],
        "linestyle": DASHES[(number + number // len(SERIES)) % len(DASHES)],
        "linewidth": 1.9,
        "solid_capstyle": "round",
    }


def label(name: object, longest: int = 26) -> str:
    """Return a name that fits a plot."""
    text = clean(name).replace("\n", " ")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
