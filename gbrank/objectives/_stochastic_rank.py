"""StochasticRank: the expected measure of scores with normal noise, by the exact effect of each document's noise."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import ParameterError, check_positive
from .._compile import fast_kernel, list_pointer
from .._scalar_math import exp
from ..metrics._ranking import top
from ._base import OBJECTIVES, Bound, Gradients, Labelled, Vector, sum_by_query
from ._frames.lists import LEAST_BUFFER, SIGNATURE, ListBound, ListLoss, differ
from ._frames.noise import uniform
from ._frames.perturbation import drawn, gauss
from ._frames.stabilisers import PairNormed
from ._frames.targets import Sampled, before

DENSITY = 1 / np.sqrt(2 * np.pi)


def stochastic_rank(
    s: Vector, value: Vector, theta: Vector, w: Vector, norm: float, seed: int, draws: float, sigma: float,
    score_norm: float, grow: float, decay: float,
) -> tuple[float, Vector, Vector]:  # fmt: skip
    """Return minus the mean of the measure over draws, its estimated derivative and a hessian for it."""
    n, draws = len(s), int(draws)
    loss, g, h = 0.0, np.zeros(n), np.zeros(n)
    if norm <= 0:
        return loss, g, h
    drop = np.append(theta[:-1] - theta[1:], 0.0)
    columns = np.arange(n)[: np.count_nonzero(theta) + 1]  # the places that count, and the next
    rank = np.arange(n)[:, None]
    for z in s + sigma * drawn(gauss, seed, draws, n):
        i = np.argsort(-z, kind="stable")
        j = i[columns]
        loss -= float((theta * value[i] * before(value[i], grow, decay)).sum()) / norm
        # What the measure gains as i, at each rank, comes from directly below j to directly above it.
        reached = before(np.where(columns == rank, 0.0, value[j]), grow, decay)  # by the others only
        gain = (value[i][:, None] - value[j]) * drop[columns - (columns > rank)] * reached / norm
        density = DENSITY / sigma * np.exp(-0.5 * ((z[j] - s[i][:, None]) / sigma) ** 2)
        push = 0.5 * w[i][:, None] * w[j] * gain * density
        if score_norm and differ(s):
            push /= 0.01 + np.abs(s[i][:, None] - s[j])
        g[i] -= push.sum(axis=1)
        g[j] += push.sum(axis=0)
        h[i] += np.abs(push).sum(axis=1) / sigma
        h[j] += np.abs(push).sum(axis=0) / sigma
    return loss / draws, g / draws, h / draws


def stochastic_rank_of_list(
    s: Any, value: Any, theta: Any, w: Any, norm: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Write what `stochastic_rank` returns; of each draw only the places that count are sorted."""
    n, draws, sigma, scaled = len(s), int(params[0]), params[1], params[2] > 0.0 and differ(s)
    if norm <= 0.0 or n < 2:
        return
    places = n - 1
    while places > 0 and theta[places - 1] == 0.0:
        places -= 1
    u = uniform(seed, 2 * draws * n)
    z, key, spare_key, work = np.empty(n), np.empty(n), np.empty(n), np.empty((8, max(n, LEAST_BUFFER)))
    row, spare_row, rank = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for draw in range(draws):
        for i in range(n):
            z[i] = s[i] + sigma * _gauss(u[draw * n + i], u[(draws + draw) * n + i])
            rank[i] = places
        top(z, places + 1, key, row, spare_key, spare_row)
        for p in range(places):
            rank[row[p]] = p
        row_ = row[: places + 1]
        add_pushes(row_, rank, z, s, value, theta, w, 1.0 / sigma, scaled, params[3], params[4], work, g, h)
    scale = 0.5 * DENSITY / (norm * sigma * draws)
    for i in range(n):
        g[i] *= scale
        h[i] *= scale / sigma


@fast_kernel
def add_pushes(
    row: Any, rank: Any, z: Any, s: Any, value: Any, theta: Any, w: Any, steep: float, scaled: bool, grow: float,
    decay: float, work: Any, g: Any, h: Any,
) -> None:  # fmt: skip
    """Add, without constant factors, the effects of noisy scores `z`.

    `row` are the documents at the places that count and at the next, `rank` the place of each document, or that next
    place for all further down.
    """
    last = len(row) - 1
    reach, effect, z_, s_, v_, w_, g_, h_ = work[0], work[1], work[2], work[3], work[4], work[5], work[6], work[7]
    for c in range(last + 1):
        z_[c], s_[c], v_[c], w_[c], g_[c], h_[c] = z[row[c]], s[row[c]], value[row[c]], w[row[c]], 0.0, 0.0
    reach[0], changing = 1.0, grow != 0.0 or decay != 0.0
    known = 0  # up to which place `reach` and `effect` are those of the whole list
    for i in range(len(s)):
        rank_i, s_i, value_i, w_i, g_i, h_i = rank[i], s[i], value[i], w[i], 0.0, 0.0
        for c in range(min(known, rank_i), rank_i):
            effect[c] = (theta[c] - theta[c + 1]) * reach[c]
            reach[c + 1] = reach[c] + (grow - decay * reach[c]) * v_[c]
        above, effect[rank_i] = reach[rank_i], 0.0
        for c in range(rank_i + 1, last + 1):  # where the list without document i goes on
            effect[c] = (theta[c - 1] - theta[c]) * above
            if changing:
                above += (grow - decay * above) * v_[c]
        known = rank_i
        for c in range(last + 1):
            x = steep * (z_[c] - s_i)
            push = (value_i - v_[c]) * effect[c] * w_i * w_[c] * exp(-0.5 * x * x)
            if scaled:
                push /= 0.01 + abs(s_i - s_[c])
            g_i += push
            h_i += abs(push)
            g_[c] += push
            h_[c] += abs(push)
        g[i] -= g_i
        h[i] += h_i
    for c in range(last + 1):
        g[row[c]] += g_[c]
        h[row[c]] += h_[c]


def _gauss(u: float, v: float) -> float:  # the place above that the noise is put into
    raise NotImplementedError


@functools.cache
def _pointer() -> Any:
    return list_pointer(stochastic_rank_of_list, SIGNATURE, _gauss=gauss)


STOCHASTIC_RANK = ListLoss(stochastic_rank, kernel=_pointer)


class StochasticRankBound(ListBound):
    """The loss of scores from which a constant of each document is taken, its gradient partly free of their scale."""

    shift: Vector | float = 0.0
    scale_free: float = 0.0
    nu: float = 1.0

    def gradient_hessian(self, score: npt.NDArray[Any], round: int) -> Gradients:
        shifted = np.ascontiguousarray(score - self.shift, dtype=np.float64)
        gradient, hessian = super().gradient_hessian(shifted, round)
        return (self.projected(gradient, shifted) if self.scale_free else gradient), hessian

    def loss(self, score: npt.NDArray[Any], round: int = 0) -> Vector:
        return super().loss(score - self.shift, round)

    def projected(self, gradient: Vector, score: Vector) -> Vector:
        """Return the gradient with less of its part along each query's centred scores z."""
        sizes = np.diff(self.query_ptr)
        z = score - np.repeat(sum_by_query(score, self.query_ptr) / sizes, sizes)
        along, square = sum_by_query(gradient * z, self.query_ptr), sum_by_query(z * z, self.query_ptr)
        return gradient - self.scale_free * np.repeat(along / (np.sqrt(square) + self.nu) ** 2, sizes) * z


@OBJECTIVES.add("stochastic_rank")
@dataclass(frozen=True, repr=False)
class StochasticRank(PairNormed, Sampled):
    r"""StochasticRank: the expected measure of scores with normal noise, for any measure.

    :math:`L = -\mathrm{E}_\varepsilon[M(s - \sigma\mu y + \sigma\varepsilon)]` with standard normal noise and M the
    measure.  With the noisy scores z of the others given, the derivative by :math:`s_i` is exact: :math:`-\sum_j
    \Delta_{ij} \phi((z_j - s_i) / \sigma) / \sigma`, where :math:`\Delta_{ij}` is what the measure gains if i comes
    from directly below j to directly above, and :math:`\phi` the normal density.  Its mean over `draws` is the
    gradient.  What i has from passing j and j from passing i are equal and opposite in expectation, so both are
    replaced by their mean: gradients of a query sum to 0 in each draw.  In place of the hessian stands the sum of the
    absolute values of what is added up in the gradient, divided by :math:`\sigma`: no step is longer than
    :math:`\sigma`.

    Each draw takes time in proportion to documents times places that count, so a cutoff saves time.  A pair's terms are
    multiplied by the product of its documents' weights; the loss is that without weights of documents.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise: the differences of scores that it blurs.
    mu : float
        By how many `sigma`, times its label, each document is set back, so that tied documents count as in the wrong
        order and ties are no way out.
    scale_free : float
        How much of the gradient along the centred scores of a query is taken away, from 0 to 1: measures do not change
        if all scores grow by a factor, their smooth forms do.  But by growing beside the noise scores come to differ
        when training starts from 0: with 1, NDCG@10 on the validation parts of MQ2008 fell from .71 to .67.
    nu : float
        Added to the length of the centred scores, by whose square that part is divided, so that small scores are left
        alone.
    measure, draws, random_state
        See `Sampled`.
    query_norm, score_norm, hessian_factor
        See `PairNormed`; with `mu`, of scores that are set back, and with `scale_free`, before that part is taken away.

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
    scale_free: float = 0.0
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
        params = float(self.draws), float(self.sigma), float(self.score_norm)
        bound = self.bound_to(
            STOCHASTIC_RANK, self.target(data), params, data, engine, n_jobs, StochasticRankBound, self.query_norm
        )
        bound.shift, bound.scale_free, bound.nu = self.sigma * self.mu * data.y, self.scale_free, self.nu
        return bound
