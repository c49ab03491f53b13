"""Plackett-Luce policy gradient: the expected measure of rankings drawn by the scores."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._compile import kernel, list_pointer
from ..metrics._ranking import top
from ._base import OBJECTIVES, Bound, Labelled, Vector
from ._list_engine import LEAST_BUFFER, SIGNATURE, ListBound, ListLoss
from ._noise import uniform
from ._targets import Sampled, before

WIDEST = 300.0  # how far below the best of its query a score counts; exp of twice that is still a number


def plackett_luce(
    s: Vector, value: Vector, theta: Vector, w: Vector, norm: float, seed: int, draws: float, grow: float, decay: float
) -> tuple[float, Vector, Vector]:
    """Return minus the mean of the measure over draws, its estimated derivative and a hessian for it."""
    n = len(s)
    if norm <= 0:
        return 0.0, np.zeros(n), np.zeros(n)
    e = np.exp(np.maximum(s - s.max(), -WIDEST))
    arrival = (
        -np.log(uniform(seed, int(draws) * n).reshape(-1, n)) / e
    )  # exponential, of rate e: who comes first, ranks
    order = np.argsort(arrival, axis=1)
    weight = theta * before(value[order], grow, decay)
    e_, rho = e[order], (w * value / norm)[order]
    reward = weight * rho
    later = from_end(reward)
    mass = from_end(e_) + e_
    # Of a place, the reward counts as it is expected after the places before; of later ones, as it was drawn.
    share = (later + weight * (from_end(e_ * rho) + e_ * rho) / mass) / mass
    direct, indirect = np.cumsum(weight / mass, axis=1), np.cumsum(share, axis=1)
    gradient = later + e_ * (rho * direct - indirect)
    hessian = e_ * indirect - e_ * e_ * np.cumsum(share / mass, axis=1)
    place = np.argsort(order, axis=1)
    g, h = (np.take_along_axis(each, place, axis=1).mean(axis=0) for each in (gradient, hessian))
    return -float(reward.sum(axis=1).mean()), -g, h


def from_end(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the sum of the values after each place of each row."""
    out = np.zeros_like(values)
    out[:, :-1] = np.cumsum(values[:, :0:-1], axis=1)[:, ::-1]
    return out


def pl_rank_of_list(
    s: Any, value: Any, theta: Any, w: Any, norm: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Write what `plackett_luce` returns; of each draw only the places that count are sorted."""
    n, draws = len(s), int(params[0])
    if norm <= 0.0 or n < 2:
        return
    places, highest = n, s[0]
    while places > 0 and theta[places - 1] == 0.0:
        places -= 1
    for i in range(n):
        highest = max(highest, s[i])
    size = max(n, LEAST_BUFFER)
    e, rho, key, spare_key, work = np.empty(size), np.empty(size), np.empty(n), np.empty(n), np.empty((4, size))
    row, spare_row = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        e[i] = np.exp(max(s[i] - highest, -WIDEST))
        rho[i] = w[i] * value[i] / norm
    time = uniform(seed, draws * n)
    for draw in range(draws):
        first = time[draw * n : draw * n + n]
        for i in range(n):
            first[i] = np.log(first[i]) / e[i]
        top(first, places, key, row, spare_key, spare_row)
        add_ranking(row[:places], value, e, rho, theta, params[1], params[2], work, g, h)
    for i in range(n):
        g[i] /= draws
        h[i] /= draws


@kernel
def add_ranking(
    row: Any, value: Any, e: Any, rho: Any, theta: Any, grow: float, decay: float, work: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Add the terms of a drawn ranking whose first documents are `row`."""
    n, places = len(g), len(row)
    weight, mass, share, left = work[0], work[1], work[2], work[3]
    for i in range(n):
        left[i] = 1.0
    above = 1.0
    for p in range(places):
        weight[p] = theta[p] * above
        above += (grow - decay * above) * value[row[p]]
        left[row[p]] = 0.0
    total, worth, later = 0.0, 0.0, 0.0
    for i in range(n):
        total += left[i] * e[i]
        worth += left[i] * e[i] * rho[i]
    # From the last place up, so that all are sums: differences would lose the small masses of the last.
    for p in range(places - 1, -1, -1):
        d = row[p]
        total += e[d]
        worth += e[d] * rho[d]
        mass[p] = total
        share[p] = (later + weight[p] * worth / total) / total
        g[d] -= later
        later += weight[p] * rho[d]
    direct, indirect, square = 0.0, 0.0, 0.0
    for p in range(places):
        d = row[p]
        direct += weight[p] / mass[p]
        indirect += share[p]
        square += share[p] / mass[p]
        g[d] -= e[d] * (rho[d] * direct - indirect)
        h[d] += e[d] * (indirect - e[d] * square)
    for i in range(n):
        e_i = left[i] * e[i]
        g[i] -= e_i * (rho[i] * direct - indirect)
        h[i] += e_i * (indirect - e_i * square)


@functools.cache
def _pointer() -> Any:
    return list_pointer(pl_rank_of_list, SIGNATURE)


PL_RANK = ListLoss(plackett_luce, kernel=_pointer)


@OBJECTIVES.add("pl_rank", "plackett_luce")
@dataclass(frozen=True, repr=False)
class PLRank(Sampled):
    r"""Plackett-Luce policy gradient: the expected measure of rankings that are drawn by the scores.

    Rankings R are drawn place by place, each document in proportion to :math:`e^{s}` among those that are left, and
    :math:`L = -\mathrm{E}_{R \sim \mathrm{PL}(s)}[M(R)]` with M the measure.  The loss and its gradient are means over
    `draws` rankings: of the reward of a place and of those after it, places before are no cause.  What a place brings
    is taken as expected, given those before it; so the gradients of a query sum to 0 in each draw.  With p the chance
    of a document to come next and :math:`R_k` the reward from place k on, the hessian is :math:`\sum_k R_k p_k (1 -
    p_k)`, the diagonal of the log-likelihood of the drawn rankings, each place weighted by its reward.  It takes time
    in proportion to the documents, apart from the sorting.

    A document's weight multiplies the reward that it brings.  Scores more than 300 below the best of their query count
    as 300 below it.

    Parameters
    ----------
    measure, draws, hessian_factor, random_state
        See `Sampled`.

    References
    ----------
    Oosterhuis, "Learning-to-Rank at the Speed of Sampling: Plackett-Luce Gradient Estimation with Minimal Computational
    Complexity", SIGIR 2022, whose PL-Rank-3 this is for every measure that is a sum over places.
    """

    name: ClassVar[str] = "pl_rank"
    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        return self.bound_to(PL_RANK, self.target(data), (float(self.draws),), data, engine, n_jobs, ListBound)
