"""Plots of propensities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .._checks import ParameterError, as_vector
from ._plots import finish, label, line, new

if TYPE_CHECKING:
    from ..clicks import Propensities


def propensity_curve(
    found: Propensities | npt.ArrayLike | Mapping[str, Propensities | npt.ArrayLike],
) -> Figure:
    """Return propensities by rank, with their intervals where they have some; several by name, to compare them.

    Arrays are drawn as they are given: a number for each rank from 1, relative to the first or not.
    """
    given = found if isinstance(found, Mapping) else {getattr(found, "method", "given"): found}
    if not given:
        raise ParameterError("propensity_curve: there are none; give at least one.")
    figure, axes = new("propensity, relative to rank 1", "rank")
    for number, (name, each) in enumerate(given.items()):
        values, looks = as_vector(name, each), line(number)
        ranks = np.arange(1, len(values) + 1)
        axes.plot(ranks, values, marker="o", markersize=4, label=label(name), **looks)
        low, high = getattr(each, "low", None), getattr(each, "high", None)
        if low is not None and high is not None:
            axes.fill_between(ranks, low, high, color=looks["color"], alpha=0.16, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return finish(figure, axes, legend=len(given) > 1)
