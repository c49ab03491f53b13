"""Plots of propensities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .._checks import ParameterError
from ._plots import finish, label, line, new

if TYPE_CHECKING:
    from ..clicks import Propensities


def propensity_curve(found: Propensities | Mapping[str, Propensities]) -> Figure:
    """Return propensities by rank, with their intervals where they have some; several by name, to compare them."""
    curves = found if isinstance(found, Mapping) else {found.method: found}
    if not curves:
        raise ParameterError("propensity_curve: there are none; give at least one.")
    figure, axes = new("propensity, relative to rank 1", "rank")
    for number, (name, each) in enumerate(curves.items()):
        ranks, looks = np.arange(1, each.n_ranks + 1), line(number)
        axes.plot(ranks, each.values, marker="o", markersize=4, label=label(name), **looks)
        if each.low is not None and each.high is not None:
            axes.fill_between(ranks, each.low, each.high, color=looks["color"], alpha=0.16, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return finish(figure, axes, legend=len(curves) > 1)
