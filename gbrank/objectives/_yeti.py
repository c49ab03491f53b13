"""YetiLoss: logistic loss of neighbours in rankings drawn by noisy scores."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import ParameterError, check_choice, check_positive, check_whole
from .._compile import kernel, list_pointer
from ..metrics import Measure
from ..metrics._ranking import top
from ._base import OBJECTIVES, Bound, Labelled, Vector, single_labels
from ._frames.lists import SIGNATURE, ListBound, ListLoss, differ, norm_factor
from ._frames.noise import uniform
from ._frames.perturbation import NOISES, Noise, drawn, no_noise, uniforms
from ._frames.ranking import RankOptions
from ._frames.stabilisers import PairNormed, Ranked
from ._frames.targets import Sampled, Target, before
from ._pairwise import logistic

CLASSIC = "yetirank"


def yeti(
    noise: Noise, s: Vector, value: Vector, theta: Vector, w: Vector, norm: float, seed: int, draws: float,
    neighbors: float, power: float, sigmoid: float, score_norm: float, query_norm: float, grow: float, decay: float,
) -> tuple[float, Vector, Vector]:  # fmt: skip
    """Return the mean over draws of the weighted loss of neighbours, with its two derivatives.

    Without noise, documents come in the order of their ranks.
    """
    n, draws = len(s), int(draws)
    loss, g, h, total = 0.0, np.zeros(n), np.zeros(n), 0.0
    if norm <= 0:
        return loss, g, h
    if noise is no_noise:
        order = np.arange(n)[None, :]
    else:
        order = np.argsort(-(s + power * drawn(noise, seed, draws, n)), axis=1, kind="stable")
    v = value[order]
    above = before(v, grow, decay)
    inner, between = np.zeros(order.shape), above  # of each place: the sum, and A', of `targets`
    for apart in range(1, min(int(neighbors), n - 1) + 1):
        i, j, near, far = order[:, :-apart], order[:, apart:], v[:, :-apart], v[:, apart:]
        inner, between = inner[:, : n - apart], between[:, : n - apart]
        change = (near - far) * (theta[:-apart] * above[:, :-apart] + inner - theta[apart:] * between)
        weight = np.abs(change) / norm * w[i] * w[j] / draws
        if score_norm and differ(s):
            weight = weight / (0.01 + np.abs(s[i] - s[j]))
        sign = np.sign(near - far)
        phi, d1, d2 = logistic(sign * (s[i] - s[j]), sigmoid)
        loss += float((weight * phi).sum())
        total += 2.0 * float(np.abs(weight * d1).sum()) if query_norm else 0.0
        for row, side in ((i, sign), (j, -sign)):
            g += np.bincount(row.ravel(), (side * weight * d1).ravel(), n)
            h += np.bincount(row.ravel(), (weight * d2).ravel(), n)
        slope = grow - decay * between
        inner, between = inner + slope * theta[apart:] * far, between + slope * far
    factor = norm_factor(total) if query_norm else 1.0
    return loss, g * factor, h * factor


def yeti_of_list(
    s: Any, value: Any, theta: Any, w: Any, norm: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Write what `yeti` returns; of each draw only the places that count are sorted."""
    n, draws, neighbors = len(s), int(params[0]), int(params[1])
    if norm <= 0.0 or n < 2:
        return
    places = n
    while places > 0 and theta[places - 1] == 0.0:
        places -= 1
    scale, total, scaled = 1.0 / (norm * draws), 0.0, params[4] > 0.0 and differ(s)
    u = uniform(seed, UNIFORMS * draws * n)
    z, key, spare_key = np.empty(n), np.empty(n), np.empty(n)
    row, spare_row = np.empty(n, np.int64), np.empty(n, np.int64)
    for draw in range(draws):
        m = min(places + neighbors, n)
        for i in range(n):
            row[i] = i
            if UNIFORMS > 0:
                at = draw * n + i
                z[i] = s[i] + params[2] * _noise(u[at], u[(UNIFORMS - 1) * draws * n + at])
        if UNIFORMS > 0:
            m = top(z, m, key, row, spare_key, spare_row)
        total += add_neighbors(row[:m], places, neighbors, s, value, theta, w, params, scaled, scale, g, h)
    if params[5] > 0.0:
        factor = norm_factor(total)
        for i in range(n):
            g[i] *= factor
            h[i] *= factor


@kernel
def add_neighbors(
    row: Any, places: int, neighbors: int, s: Any, value: Any, theta: Any, w: Any, params: Any, scaled: bool,
    scale: float, g: Any, h: Any,
) -> float:  # fmt: skip
    """Add the pairs of a drawn ranking, by the formula of a swap in `_frames.targets`.

    Return the sum of the absolute values of what they add to the gradients of both documents.
    """
    sigmoid, grow, decay = params[3], params[6], params[7]
    above, total, m = 1.0, 0.0, len(row)
    for p in range(min(places, m - 1)):
        i = row[p]
        inner, between = 0.0, above
        for q in range(p + 1, min(p + neighbors, m - 1) + 1):
            j = row[q]
            change = (value[i] - value[j]) * (theta[p] * above + inner - theta[q] * between)
            if change != 0.0:
                weight = abs(change) * scale * w[i] * w[j]
                if scaled:
                    weight /= 0.01 + abs(s[i] - s[j])
                sign = 1.0 if value[i] > value[j] else -1.0
                wrong = 1.0 / (1.0 + np.exp(sign * sigmoid * (s[i] - s[j])))
                slope = sign * sigmoid * weight * wrong
                total += 2.0 * abs(slope)
                g[i] -= slope
                g[j] += slope
                bend = sigmoid * sigmoid * weight * wrong * (1.0 - wrong)
                h[i] += bend
                h[j] += bend
            passing = grow - decay * between
            inner += passing * theta[q] * value[j]
            between += passing * value[j]
        above += (grow - decay * above) * value[i]
    return total


def _noise(u: float, v: float) -> float:  # the place above that a noise is put into
    raise NotImplementedError


UNIFORMS = 1


@functools.cache
def _pointer(noise: Noise) -> Any:
    return list_pointer(yeti_of_list, SIGNATURE, _noise=noise, UNIFORMS=uniforms(noise))


@OBJECTIVES.add("yeti", "yetirank", "yeti_loss")
@dataclass(frozen=True, repr=False)
class YetiLoss(Ranked, PairNormed, Sampled):
    r"""YetiLoss: logistic loss of neighbours in drawn rankings, weighted by what swapping them would change.

    Rankings are drawn by sorting the scores with noise.  With :math:`\Delta_{ij}` what swapping the documents i and j
    would change in the measure there, :math:`L = \mathrm{E} \sum_{y_i > y_j} |\Delta_{ij}| \log(1 + e^{-a (s_i -
    s_j)})` with a = `sigmoid`, over pairs at most `neighbors` places apart, of scores without the noise; the
    expectation is the mean over `draws`.  The hessian is the exact diagonal, with draws and so weights frozen.

    With the measure "yetirank" the weights are those of the classical YetiRank: :math:`0.15\, d^p |y_i - y_j|` for the
    places p and p + 1, counted from 0, with d = `decay`.  That is what swapping them changes in :math:`\sum_p c\, d^p
    y_p` with c = 0.15 / (1 - d), which also gives the weights of pairs further apart.

    A pair's terms are multiplied by the product of its documents' weights.  With `score_norm`, :math:`\Delta` is
    divided by 0.01 + :math:`|s_i - s_j|`; with `query_norm`, S is the sum of the absolute values of what each pair
    adds to the gradients of both its documents.

    Drawn rankings have no ties, and their mean moves smoothly with the scores: `rerank_every`, `rank_smoothing` and
    `ties` are for the one ranking that there is without noise, and refused with it.

    Parameters
    ----------
    noise : {"gumbel", "logistic", "gauss", "none"}
        Gumbel noise draws from the Plackett-Luce model of the scores.
    noise_power : float
        What the standard noise is multiplied by.
    neighbors : int
        How many places apart the two documents of a pair may stand.
    sigmoid : float
        Steepness a of the logistic loss.
    decay : float
        Of the classical weights, above 0 and below 1.
    measure : str or Measure
        Any measure, see `Sampled`, or "yetirank".
    draws, random_state
        See `Sampled`.
    query_norm, score_norm, hessian_factor
        See `PairNormed`.
    rerank_every, rank_smoothing, ties
        See `Ranked`.

    References
    ----------
    Lyzhin, Ustimenko, Gulin and Prokhorenkova, "Which Tricks are Important for Learning to Rank?", ICML 2023.

    Gulin, Kuralenok and Pavlov, "Winning The Transfer Learning Track of Yahoo!'s Learning To Rank Challenge with
    YetiRank", JMLR W&CP 14, 2011.
    """

    name: ClassVar[str] = "yeti"
    measure: str | Measure = CLASSIC
    noise: str = "logistic"
    noise_power: float = 1.0
    neighbors: int = 1
    sigmoid: float = 1.0
    decay: float = 0.85

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("noise", self.noise, tuple(NOISES))
        check_positive("noise_power", self.noise_power)
        check_whole("neighbors", self.neighbors)
        check_positive("sigmoid", self.sigmoid)
        check_positive("decay", self.decay)
        if self.decay >= 1:
            raise ParameterError(f"decay={self.decay!r}: must be below 1, or no place weighs more than the next.")
        if self.noise != "none" and self.rank_options() != RankOptions(seed=self.random_state):
            raise ParameterError(
                f"noise={self.noise!r}: rerank_every, rank_smoothing and ties steady the one ranking without noise; "
                "with it, rankings are drawn anew in each round and have no ties. Leave them out, or set noise='none'."
            )

    def _read_measure(self) -> None:
        if self.measure != CLASSIC:
            super()._read_measure()

    def target(self, data: Labelled) -> Target:
        if self.measure != CLASSIC:
            return super().target(data)
        y, sizes = single_labels(data, self.name), np.diff(data.query_ptr)
        varied = np.maximum.reduceat(y, data.query_ptr[:-1]) > np.minimum.reduceat(y, data.query_ptr[:-1])
        theta = 0.15 / (1.0 - self.decay) * self.decay ** np.arange(sizes.max())
        return Target(y, varied.astype(np.float64), theta)  # a norm of 0: nothing to draw for

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        noise, draws = NOISES[self.noise], 1 if self.noise == "none" else self.draws  # then all are the same
        loss = ListLoss(functools.partial(yeti, noise), noise is no_noise, functools.partial(_pointer, noise))
        norms = self.score_norm, self.query_norm
        params = tuple(map(float, (draws, self.neighbors, self.noise_power, self.sigmoid, *norms)))
        return self.bound_to(loss, self.target(data), params, data, engine, n_jobs, ListBound, query_norm=False)
