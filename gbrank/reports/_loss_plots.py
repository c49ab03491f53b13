"""Plots of losses written as formulas, and of the search for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .._checks import ParameterError, check_choice
from ..objectives._expressions import Expression, parse
from ..objectives._expressions.derivatives import usable
from ..objectives._expressions.nodes import VARIABLE
from ._plots import MUTED, SERIES, finish, label, line, new

REACH = 5.0
ORDERS = ("value", "gradient", "hessian")
BESIDE = {"pair": ("LambdaRank", "softplus(-d) * (dG * dD / IDCG)"), "point": ("squared error", "(s - y)**2")}
PAIR = {"dG": 3.0, "dD": 0.211, "dY": 2.0, "Gi": 3.0, "Gj": 0.0, "ri": 3.0, "rj": 10.0, "IDCG": 5.0}
DOCUMENT = {"y": 1.0}
"""What is drawn: a pair of labels 2 and 0 at ranks 3 and 10, of a query whose ideal DCG is 5; a document of label 1."""


def loss_curves(losses: Mapping[str, str | Expression], order: str = "gradient") -> Figure:
    """Return a loss of one kind beside the usual one, over the score difference (or the score).

    Each is divided by the mean size of its slope from -3 to 3, as a factor does not change what trees learn, and values
    are counted from that where training starts, as a constant that is added changes nothing either.  The
    hessian is the one that is trained with, see `gbrank.objective("expression")`.

    Parameters
    ----------
    losses : mapping of str to formula
        All of pairs, or all of documents.
    order : {"value", "gradient", "hessian"}

    Raises
    ------
    ParameterError
        Another order, no loss, or losses of both kinds.
    """
    check_choice("order", order, ORDERS)
    read = {name: parse(loss) if isinstance(loss, str) else loss for name, loss in losses.items()}
    kinds = {kind_of(loss) for loss in read.values()}
    if len(kinds) != 1:
        raise ParameterError("losses: give formulas of d alone, or of s alone.")
    kind = kinds.pop()
    usual, formula = BESIDE[kind]
    variable = VARIABLE[kind]
    figure, axes = new(order, "score difference d" if kind == "pair" else "score s")
    scores = np.linspace(-REACH, REACH, 401)
    for number, (name, loss) in enumerate({usual: parse(formula), **read}.items()):
        curve = normalised(loss, variable, scores)[ORDERS.index(order)]
        look = line(number) | ({"color": MUTED, "linewidth": 1.4} if number == 0 else {"color": SERIES[number - 1]})
        axes.plot(scores, curve, label=label(name), **look)
    return finish(figure, axes)


def kind_of(loss: Expression) -> str:
    """Return "pair" or "point"."""
    return "pair" if VARIABLE["pair"] in loss.names else "point"


def normalised(
    loss: Expression, variable: str, scores: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return value, counted from where the score is 0, slope and trained hessian, divided by the mean slope near 0."""
    leaves = {variable: scores} | {name: np.full(len(scores), value) for name, value in {**PAIR, **DOCUMENT}.items()}
    used = {name: leaves[name] for name in loss.names}
    value, slope, bend = loss.evaluate(used, wrt=variable)
    mean = float(np.abs(slope[np.abs(scores) <= 3]).mean())
    size = mean if mean > 0 else 1.0
    first, second = usable(slope, bend)
    start = float(np.interp(0.0, scores, value))
    return (value - start) / size, first / size, second / size


def search_progress(candidates: pd.DataFrame) -> Figure:
    """Return the reward of each trained candidate of a `LossSearch`, and the best so far."""
    trained = candidates[candidates["stage"] != "grid"].sort_values("number")
    figure, axes = new("mean gain over the baseline", "candidate trained")
    places = np.arange(1, len(trained) + 1)
    full = (trained["stage"] == "full").to_numpy()
    reward = trained["reward"].to_numpy(dtype=np.float64)
    axes.plot(places[~full], reward[~full], "x", color=MUTED, markersize=4, label="clearly worse")
    axes.plot(places[full], reward[full], "o", color=SERIES[0], markersize=4, label="all folds")
    best = np.fmax.accumulate(np.where(full, reward, np.nan))
    axes.step(places, best, where="post", color=SERIES[1], linewidth=1.6, label="best so far")
    lowest = reward[full].min() if full.any() else 0.0
    axes.set_ylim(bottom=min(-0.02, 1.1 * float(lowest)))  # hopeless ones would flatten all others
    axes.axhline(0, color=MUTED, linewidth=1, linestyle=":")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    return finish(figure, axes)
