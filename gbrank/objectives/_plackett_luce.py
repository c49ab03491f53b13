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
from ._frames.lists import LEAST_BUFFER, SIGNATURE, ListBound, ListLoss
from ._frames.noise import uniform
from ._frames.targets import Sampled, before

WIDEST = 300.0  # how far below the best of its query a score counts; exp of twice that is still a number


def plackett_luce(
    s: Vector, value: Vector, theta: Vector, w: Vector, norm: float, seed: int, draws: float, grow: float, decay: float
) -> tuple[float, Vector, Vector]:
    """Return minus the mean of the measure over draws, its estimated derivative and a hessian for it."""
    n, draws = len(s), int(draws)
    if norm <= 0:
        return 0.0, np.zeros(n), np.zeros(n)
    e = np.exp(np.maximum(s - s.max(), -WIDEST))
    arrival = -np.log(uniform(seed, draws * n).reshape(draws, n)) / e  # exponential times, of the rates e
    order = np.argsort(arrival, axis=1)
    weight = theta * before(value[order], grow, decay)
    e_, rho = e[order], (w * value / norm)[order]
    reward = weight * rho
    later = from_end(reward)
    usual = (later.sum(axis=0) - later) / max(draws - 1, 1)  # in the other draws
    mass = from_end(e_) + e_
    # Of a place, the reward counts as it is expected after the places before; of later ones, as it was drawn.
    here = weight * (from_end(e_ * rho) + e_ * rho) / mass
    direct, indirect = np.cumsum(weight / mass, axis=1), np.cumsum((here + later - usual) / mass, axis=1)
    gradient = later - usual + e_ * (rho * direct - indirect)
    share = (here + later) / mass
    hessian = e_ * (np.cumsum(share, axis=1) - e_ * np.cumsum(share / mass, axis=1))
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
    e, rho, key, spare_key, work = np.empty(size), np.empty(size), np.empty(n), np.empty(n), np.empty((3, size))
    row, spare_row, rows = np.empty(n, np.int64), np.empty(n, np.int64), np.empty((draws, places), np.int64)
    later, total = np.empty((draws, places)), np.zeros(places)
    for i in range(n):
        e[i] = np.exp(max(s[i] - highest, -WIDEST))
        rho[i] = w[i] * value[i] / norm
    time = uniform(seed, draws * n)
    for draw in range(draws):
        first = time[draw * n : draw * n + n]
        for i in range(n):
            first[i] = np.log(first[i]) / e[i]
        top(first, places, key, row, spare_key, spare_row)
        above, reward = 1.0, 0.0
        for p in range(places):
            rows[draw, p] = row[p]
            later[draw, p] = theta[p] * above * rho[row[p]]
            above += (params[1] - params[2] * above) * value[row[p]]
        for p in range(places - 1, -1, -1):
            later[draw, p], reward = reward, reward + later[draw, p]
            total[p] += later[draw, p]
    for draw in range(draws):
        add_ranking(rows[draw], later[draw], total, draws, value, e, rho, theta, params, work, g, h)
    for i in range(n):
        g[i] /= draws
        h[i] /= draws


@kernel
def add_ranking(
    row: Any, later: Any, total: Any, draws: int, value: Any, e: Any, rho: Any, theta: Any, params: Any, work: Any,
    g: Any, h: Any,
) -> None:  # fmt: skip
    """Add the terms of a drawn ranking.

    `row` are its first documents, `later` the rewards of this draw after each place, `total` those of all draws.
    """
    n, places = len(g), len(row)
    mass, here, left = work[0], work[1], work[2]
    for i in range(n):
        left[i] = e[i]
    for p in range(places):
        left[row[p]] = 0.0
    rest, worth = 0.0, 0.0
    for i in range(n):
        rest += left[i]
        worth += left[i] * rho[i]
    # From the last place up, so that all are sums: differences would lose the small masses of the last.
    for p in range(places - 1, -1, -1):
        rest += e[row[p]]
        worth += e[row[p]] * rho[row[p]]
        mass[p], here[p] = rest, worth / rest
    above, direct, indirect, share, square = 1.0, 0.0, 0.0, 0.0, 0.0
    for p in range(places):
        d, weight = row[p], theta[p] * above
        more = later[p] - (total[p] - later[p]) / max(draws - 1, 1)
        direct += weight / mass[p]
        indirect += (weight * here[p] + more) / mass[p]
        share += (weight * here[p] + later[p]) / mass[p]
        square += (weight * here[p] + later[p]) / mass[p] / mass[p]
        g[d] -= more + e[d] * (rho[d] * direct - indirect)
        h[d] += e[d] * (share - e[d] * square)
        above += (params[1] - params[2] * above) * value[d]
    for i in range(n):
        g[i] -= left[i] * (rho[i] * direct - indirect)
        h[i] += left[i] * (share - left[i] * square)


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
    `draws` rankings, in which a document is credited with the rewards after its place, less their mean in the other
    draws (a baseline: it changes no mean and takes away most of the variance), and with what its own place brings, as
    expected given those before it; so the gradients of a query sum to 0 in each draw.  With p the chance of a document
    to come next and :math:`R_k` the reward from place k on, the hessian is :math:`\sum_k R_k p_k (1 -
    p_k)`, the diagonal of the log-likelihood of the drawn rankings, each place weighted by its reward.  It takes time
    in proportion to the documents, apart from the sorting.

    A document's weight multiplies the reward that it brings.  Scores more than 300 below the best of their query count
    as 300 below it.  Documents compete with all that are left, not in pairs, so there is no `score_norm`.

    Parameters
    ----------
    measure, draws, query_norm, hessian_factor, random_state
        See `Sampled`.

    References
    ----------
    Oosterhuis, "Learning-to-Rank at the Speed of Sampling: Plackett-Luce Gradient Estimation with Minimal Computational
    Complexity", SIGIR 2022, section 4: PL-Rank-3, here with a baseline and for every measure.
    """

    name: ClassVar[str] = "pl_rank"
    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        params = (float(self.draws),)
        return self.bound_to(PL_RANK, self.target(data), params, data, engine, n_jobs, ListBound, self.query_norm)
