"""StochasticRank: the expected measure of scores with normal noise, by the exact effect of each document's noise."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import ParameterError, check_positive
from .._compile import fast_kernel, kernel, list_pointer
from .._scalar_math import exp
from ..metrics._ranking import top
from ._base import OBJECTIVES, Bound, Gradients, Labelled, Vector
from ._list_engine import SIGNATURE, ListBound, ListLoss
from ._perturbation import gauss
from ._targets import Sampled, before

DENSITY = 1 / np.sqrt(2 * np.pi)


def stochastic_rank(
    s: Vector, value: Vector, theta: Vector, w: Vector, norm: float, seed: int, draws: float, sigma: float,
    scale_free: float, nu: float, grow: float, decay: float,
) -> tuple[float, Vector, Vector]:  # fmt: skip
    """Return minus the mean of the measure over draws, its estimated derivative and a hessian for it."""
    n, draws = len(s), int(draws)
    loss, g, h = 0.0, np.zeros(n), np.zeros(n)
    if norm <= 0 or n == 1:
        return loss, g, h
    drawn = s + sigma * gauss(seed, draws * n).reshape(draws, n)
    drop = np.append(theta[:-1] - theta[1:], 0.0)
    columns = np.arange(min(np.count_nonzero(theta) + 1, n))  # the places that count, and the next
    rank = np.arange(n)[:, None]
    for z in drawn:
        i = np.argsort(-z, kind="stable")
        j = i[columns]
        loss -= float((theta * value[i] * before(value[i], grow, decay)).sum()) / norm
        # What the measure gains as i, at each rank, comes from directly below j to directly above it.
        reached = before(np.where(columns == rank, 0.0, value[j]), grow, decay)  # by the others only
        gain = (value[i][:, None] - value[j]) * drop[columns - (columns > rank)] * reached / norm
        density = DENSITY / sigma * np.exp(-0.5 * ((z[j] - s[i][:, None]) / sigma) ** 2)
        push = 0.5 * w[i][:, None] * w[j] * gain * density
        g[i] -= push.sum(axis=1)
        g[j] += push.sum(axis=0)
        h[i] += np.abs(push).sum(axis=1) / sigma
        h[j] += np.abs(push).sum(axis=0) / sigma
    return loss / draws, projected(g / draws, s, scale_free, nu), h / draws


def projected(g: Vector, s: Vector, scale_free: float, nu: float) -> Vector:
    """Return the gradient without (or, for `scale_free` below 1, with less of) its part along the centred scores."""
    z = s - s.mean()
    return g - scale_free * (g @ z) / (np.sqrt(z @ z) + nu) ** 2 * z


def stochastic_rank_of_list(
    s: Any, value: Any, theta: Any, w: Any, norm: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Write what `stochastic_rank` returns; of each draw only the places that count are sorted."""
    n, draws, sigma = len(s), int(params[0]), params[1]
    if norm <= 0.0 or value.min() == value.max():
        return
    places = 0
    for i in range(n - 1):
        places += theta[i] > 0.0
    drawn = gauss(seed, draws * n)
    key, spare_key, work = np.empty(n), np.empty(n), np.empty((8, n))
    row, spare_row, rank = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for draw in range(draws):
        z = drawn[draw * n : draw * n + n]
        for i in range(n):
            z[i] = s[i] + sigma * z[i]
        top(z, places + 1, key, row, spare_key, spare_row)
        rank[:] = places
        for p in range(places):
            rank[row[p]] = p
        add_pushes(row[: places + 1], rank, z, s, value, theta, w, 1.0 / sigma, params[4], params[5], work, g, h)
    scale = 0.5 * DENSITY / (norm * sigma * draws)
    for i in range(n):
        g[i] *= scale
        h[i] *= scale / sigma
    project(g, s, params[2], params[3])


@kernel
def add_pushes(
    row: Any, rank: Any, z: Any, s: Any, value: Any, theta: Any, w: Any, steep: float, grow: float, decay: float,
    work: Any, g: Any, h: Any,
) -> None:  # fmt: skip
    """Add, without constant factors, the effects of noisy scores `z`.

    `row` are the documents at the places that count and the next, `rank` the place of each document, or the last place.
    """
    last = len(row) - 1
    reach, effect, later, z_, v_, w_, g_, h_ = work[0], work[1], work[2], work[3], work[4], work[5], work[6], work[7]
    above = 1.0
    for p in range(last + 1):
        z_[p], v_[p], w_[p], g_[p], h_[p] = z[row[p]], value[row[p]], w[row[p]], 0.0, 0.0
        reach[p] = above
        above += (grow - decay * above) * v_[p]
    for p in range(last):
        effect[p] = (theta[p] - theta[p + 1]) * reach[p]
        later[p] = effect[p]
    for i in range(len(s)):
        r = rank[i]
        if grow != 0.0 or decay != 0.0:  # what is reached without document i, below it
            above = reach[r]
            for p in range(r, last):
                later[p] = (theta[p] - theta[p + 1]) * above
                above += (grow - decay * above) * v_[p + 1]
        up, most = push(s[i], value[i], steep, effect[:r], z_[:r], v_[:r], w_[:r], w[i], g_[:r], h_[:r])
        a, b = r + 1, last + 1
        low, more = push(s[i], value[i], steep, later[r:last], z_[a:b], v_[a:b], w_[a:b], w[i], g_[a:b], h_[a:b])
        g[i] -= up + low
        h[i] += most + more
    for p in range(last + 1):
        g[row[p]] += g_[p]
        h[row[p]] += h_[p]


@fast_kernel
def push(
    s_i: float, value_i: float, steep: float, effect: Any, z: Any, value: Any, w: Any, w_i: float, g: Any, h: Any
) -> tuple[float, float]:
    """Push a document up and others down, by what passing each of them is worth; return the sum, and of sizes."""
    total, size = 0.0, 0.0
    for p in range(len(effect)):
        x = steep * (z[p] - s_i)
        by = (value_i - value[p]) * effect[p] * w_i * w[p] * exp(-0.5 * x * x)
        total += by
        size += abs(by)
        g[p] += by
        h[p] += abs(by)
    return total, size


@kernel
def project(g: Any, s: Any, scale_free: float, nu: float) -> None:
    """Do what `projected` does, in place."""
    mean, along, size = s.mean(), 0.0, 0.0
    for i in range(len(s)):
        z = s[i] - mean
        along += g[i] * z
        size += z * z
    factor = scale_free * along / (np.sqrt(size) + nu) ** 2
    for i in range(len(s)):
        g[i] -= factor * (s[i] - mean)


@functools.cache
def _pointer() -> Any:
    return list_pointer(stochastic_rank_of_list, SIGNATURE)


STOCHASTIC_RANK = ListLoss(stochastic_rank, kernel=_pointer)


class ShiftedBound(ListBound):
    """A list loss of scores from which a constant of each document is taken."""

    shift: Vector | float = 0.0

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        return super().gradient_hessian(score - self.shift, round)

    def loss(self, score: npt.NDArray[Any], round: int = 0) -> Vector:
        return super().loss(score - self.shift, round)


@OBJECTIVES.add("stochastic_rank")
@dataclass(frozen=True, repr=False)
class StochasticRank(Sampled):
    r"""StochasticRank: the expected measure of scores with normal noise, for any measure.

    :math:`L = -\mathrm{E}_\varepsilon[M(s - \sigma\mu y + \sigma\varepsilon)]` with standard normal noise.  With the
    noisy scores z of the others given, the derivative by :math:`s_i` is exact: :math:`-\sum_j \Delta_{ij} \phi((z_j -
    s_i) / \sigma) / \sigma`, where :math:`\Delta_{ij}` is what the measure gains if i comes from directly below j to
    directly above, and :math:`\phi` the normal density.  Its mean over `draws` is the gradient.  The derivatives of i and
    j by passing each other are equal and opposite in expectation, so each is replaced by the mean of both: gradients of
    a query sum to 0 in each draw.  In place of the hessian stands the sum of the absolute values of what is summed up
    in the gradient, divided by :math:`\sigma`: no step is longer than :math:`\sigma`.

    A document's weight multiplies the terms of its pairs.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise: the differences of scores that it blurs.
    mu : float
        By how many `sigma`, times its label, each document is set back, so that tied documents count as in the wrong
        order and ties are no way out.
    scale_free : float
        How much of the gradient along the centred scores of a query is taken away, from 0 to 1: measures do not change
        if all scores grow by a factor, their smooth forms do.
    nu : float
        Added to the length of the centred scores, by whose square that part is divided, so that small scores are left
        alone.
    measure, draws, hessian_factor, random_state
        See `Sampled`.

    References
    ----------
    Ustimenko and Prokhorenkova, "StochasticRank: Global Optimization of Scale-Free Discrete Functions", ICML 2020,
    sections 4 and 5.
    """

    name: ClassVar[str] = "stochastic_rank"
    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False
    draws: int = 1
    sigma: float = 1.0
    mu: float = 0.0
    scale_free: float = 1.0
    nu: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("sigma", self.sigma)
        check_positive("mu", self.mu, zero=True)
        check_positive("scale_free", self.scale_free, zero=True)
        check_positive("nu", self.nu)
        if self.scale_free > 1:
            raise ParameterError(f"scale_free={self.scale_free!r}: must be from 0 to 1.")

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        params = tuple(map(float, (self.draws, self.sigma, self.scale_free, self.nu)))
        bound = self.bound_to(STOCHASTIC_RANK, self.target(data), params, data, engine, n_jobs, ShiftedBound)
        bound.shift = self.sigma * self.mu * data.y
        return bound
