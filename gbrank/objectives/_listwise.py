"""Losses of whole lists: cross-entropy of a distribution over a query's documents.

Documents compete for probability by their scores; the losses differ in what they should have of it.  A document's
weight multiplies what it should have; all documents compete alike, whatever their weight.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import DataError, IntArray, check_choice, check_positive, check_whole
from .._compile import list_pointer
from ._base import OBJECTIVES, Bound, Labelled, Objective, Vector, single_labels, sum_by_query
from ._frames.gains import worth_of_labels
from ._frames.lists import SIGNATURE, ListBound, ListLoss, ListTargets
from ._frames.noise import uniform
from ._frames.pairs import require_pairs
from ._frames.ranking import RankOptions

LEAST_REST = 1e-15  # of probability that a document leaves to the others: what Newton's terms divide by


def softmax_cross_entropy(
    s: Any, gain: Any, discount: Any, w: Any, ideal: Any, seed: Any, temperature: Any
) -> Any:  # fmt: skip
    """Cross-entropy of softmax(s / temperature) against the targets `gain`, which need not sum to 1."""
    z = (s - s.max()) / temperature
    e = np.exp(z)
    rho, rest = e / e.sum(), sum_of_others(e, s.argmax()) / e.sum()
    target = w * gain
    total = target.sum()
    value = (target * (np.log(e.sum()) - z)).sum()
    return value, (total * rho - target) / temperature, total * rho * rest / (temperature * temperature)


def sum_of_others(x: Any, top: Any) -> Any:
    """Return the sum of all but each; what is left beside `top` may be too little to be found by a difference."""
    others = x.sum() - x
    others[top] = x[:top].sum() + x[top + 1 :].sum()
    return others


def softmax_of_list(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `softmax_cross_entropy`."""
    n, top, scale = len(s), 0, 1.0 / params[0]
    for i in range(n):
        if s[i] > s[top]:
            top = i
    total, rest, mass = 0.0, 0.0, 0.0
    for i in range(n):
        g[i] = np.exp((s[i] - s[top]) * scale)
        total += g[i]
        rest += g[i] if i != top else 0.0
        mass += w[i] * gain[i]
    for i in range(n):
        e = g[i]
        g[i] = (mass * e / total - w[i] * gain[i]) * scale
        h[i] = mass * (e / total) * ((rest if i == top else total - e) / total) * scale * scale


def xe_ndcg_cross_entropy(
    s: Any, gain: Any, discount: Any, w: Any, ideal: Any, seed: Any, newton: Any
) -> Any:  # fmt: skip
    """Cross-entropy of softmax(s) against `gain` less random numbers, divided by its sum; `ideal` 0 means no target."""
    top, z = s.argmax(), s - s.max()
    e = np.exp(z)
    rho, rest = e / e.sum(), sum_of_others(e, top) / e.sum()
    phi = gain - uniform(seed, len(s))
    target = ideal * w * phi / phi.sum()
    total = target.sum()
    value, g = (target * (np.log(e.sum()) - z)).sum(), total * rho - target
    if newton:
        enough = np.maximum(rest, LEAST_REST)
        second = rho * sum_of_others(g / enough, top)
        third = rho * sum_of_others(second / enough, top)
        g = g + second + third
    return value, g, total * rho * rest


def xe_ndcg_of_list(
    s: Any, gain: Any, discount: Any, w: Any, ideal: float, seed: int, params: Any, g: Any, h: Any
) -> None:  # fmt: skip
    """Do as `xe_ndcg_cross_entropy`."""
    n, top, noise = len(s), 0, uniform(seed, len(s))
    for i in range(n):
        if s[i] > s[top]:
            top = i
    rho, rest, term = np.empty(n), np.empty(n), np.empty(n)
    total, beside, phi, mass = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        rho[i] = np.exp(s[i] - s[top])
        total += rho[i]
        beside += rho[i] if i != top else 0.0
        phi += gain[i] - noise[i]
        mass += w[i] * (gain[i] - noise[i])
    mass *= ideal / phi
    for i in range(n):
        rest[i] = (beside if i == top else total - rho[i]) / total
        rho[i] /= total
        term[i] = mass * rho[i] - ideal * w[i] * (gain[i] - noise[i]) / phi
        g[i] = term[i]
        h[i] = mass * rho[i] * rest[i]
    for _ in range(2 if params[0] > 0.0 else 0):
        beside = 0.0
        for i in range(n):
            term[i] /= max(rest[i], LEAST_REST)
            beside += term[i] if i != top else 0.0
        highest = term[top]
        for i in range(n):
            term[i] = rho[i] * (beside if i == top else beside - term[i] + highest)
            g[i] += term[i]


@functools.cache
def _softmax_pointer() -> Any:
    return list_pointer(softmax_of_list, SIGNATURE)


@functools.cache
def _xe_ndcg_pointer() -> Any:
    return list_pointer(xe_ndcg_of_list, SIGNATURE)


SOFTMAX = ListLoss(softmax_cross_entropy, kernel=_softmax_pointer)
XE_NDCG = ListLoss(xe_ndcg_cross_entropy, kernel=_xe_ndcg_pointer)


@OBJECTIVES.add("softmax", "multinomial")
@dataclass(frozen=True, repr=False)
class Softmax(Objective):
    r"""Multinomial likelihood: documents of a query compete for probability in proportion to their gain.

    With :math:`\rho = \mathrm{softmax}(s / \tau)`, :math:`L = -\sum_i w_i G_i \log \rho_i`.  A query without gain has
    no gradient.  The hessian is the exact diagonal :math:`\sum_j w_j G_j\, \rho_i (1 - \rho_i) / \tau^2`.  A document's
    weight w multiplies its gain; all documents compete alike, whatever their weight.

    Parameters
    ----------
    gain : {"exp", "linear"}
        What a label is worth: 2^y - 1, or y.
    temperature : float
        :math:`\tau`.
    hessian_factor : float
        1 is the diagonal; 2 bounds the curvature safely.

    References
    ----------
    Bruch, Wang, Bendersky and Najork, "An Analysis of the Softmax Cross Entropy Loss for Learning-to-Rank with Binary
    Relevance", ICTIR 2019, section 3.
    """

    name: ClassVar[str] = "softmax"
    shift_invariant: ClassVar[bool] = True
    gain: str = "exp"
    temperature: float = 1.0
    hessian_factor: float = 1.0

    def __post_init__(self) -> None:
        check_choice("gain", self.gain, ("exp", "linear"))
        check_positive("temperature", self.temperature)
        check_positive("hessian_factor", self.hessian_factor)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        gain = worth_of_labels(single_labels(data, self.name), self.gain, self.name)
        require_gain(gain, self.name)
        targets = ListTargets(gain, np.zeros(len(data.query_ptr) - 1), hessian_factor=self.hessian_factor)
        return ListBound(SOFTMAX, (float(self.temperature),), targets, data, engine, n_jobs)


@OBJECTIVES.add("listnet")
@dataclass(frozen=True, repr=False)
class ListNet(Objective):
    r"""ListNet: each document's probability to come first shall be that of its label.

    With :math:`\rho = \mathrm{softmax}(s / \tau)` and the target P, :math:`L = -\sum_i w_i P_i \log \rho_i`, where P is
    softmax(y / `target_temperature`) or the gains divided by their sum.  Unlike in `Softmax`, queries weigh alike,
    whatever their gains.  A query whose labels are all equal teaches that its documents tie, unless `skip_equal`.  The
    hessian is the exact diagonal :math:`\sum_j w_j P_j\, \rho_i (1 - \rho_i) / \tau^2`.

    Parameters
    ----------
    target : {"softmax", "exp", "linear"}
        The target: softmax of the labels, which may be any numbers, or in proportion to the gain 2^y - 1 or y; a query
        without gain then has no gradient.
    target_temperature : float
        Divides the labels, for the softmax target: the lower, the more the best documents get.
    temperature : float
        :math:`\tau`, divides the scores.
    skip_equal : bool
        Whether queries whose labels are all equal have no gradient.
    hessian_factor : float
        1 is the diagonal; 2 bounds the curvature safely.

    References
    ----------
    Cao, Qin, Liu, Tsai and Li, "Learning to Rank: From Pairwise Approach to Listwise Approach", ICML 2007, section 5.
    """

    name: ClassVar[str] = "listnet"
    shift_invariant: ClassVar[bool] = True
    target: str = "softmax"
    target_temperature: float = 1.0
    temperature: float = 1.0
    skip_equal: bool = False
    hessian_factor: float = 1.0

    def __post_init__(self) -> None:
        check_choice("target", self.target, ("softmax", "exp", "linear"))
        check_positive("target_temperature", self.target_temperature)
        check_positive("temperature", self.temperature)
        check_choice("skip_equal", self.skip_equal, (True, False))
        check_positive("hessian_factor", self.hessian_factor)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y, query_ptr = single_labels(data, self.name), data.query_ptr
        require_pairs(y, query_ptr)
        if self.target == "softmax":
            worth = np.exp((y - _of_query(np.maximum, y, query_ptr)) / self.target_temperature)
        else:
            worth = worth_of_labels(y, self.target, self.name)
        total = np.repeat(sum_by_query(worth, query_ptr), np.diff(query_ptr))
        target = worth / np.where(total > 0, total, 1.0)
        if self.skip_equal:
            target *= _varied(y, query_ptr)
        targets = ListTargets(target, np.zeros(len(query_ptr) - 1), hessian_factor=self.hessian_factor)
        return ListBound(SOFTMAX, (float(self.temperature),), targets, data, engine, n_jobs)


@OBJECTIVES.add("xe_ndcg", "rank_xendcg", "xendcg")
@dataclass(frozen=True, repr=False)
class XENDCG(Objective):
    r"""XE-NDCG: cross-entropy whose randomly perturbed targets make it a bound of NDCG.

    With :math:`\rho = \mathrm{softmax}(s)` and :math:`\phi_i = (2^{y_i} - u_i) / \sum_j (2^{y_j} - u_j)`, :math:`L =
    -\sum_i w_i \phi_i \log \rho_i`.  The u are uniform between 0 and 1 and drawn anew in each round and query.  As in
    LightGBM, `newton_terms` adds to the gradient :math:`t = \rho - \phi` of each query :math:`t'_i = \rho_i \sum_{j
    \ne i} t_j / (1 - \rho_j)` and :math:`t''_i = \rho_i \sum_{j \ne i} t'_j / (1 - \rho_j)` with :math:`1 - \rho`
    at least 1e-15: the numerator of an approximate Newton step, not the gradient of a loss.
    Without them the gradient is the loss's own.  The hessian is in both cases the diagonal of the loss's, :math:`\rho
    (1 - \rho)`; exact, then, without `newton_terms`.  A query whose labels are all equal teaches that its documents
    tie, up to the draws, unless `skip_equal`.

    Parameters
    ----------
    newton_terms : bool
    skip_equal : bool
        Whether queries whose labels are all equal have no gradient.
    hessian_factor : float
        Multiplies the hessian.
    random_state : int
        Seed of all draws.

    References
    ----------
    Bruch, "An Alternative Cross Entropy Loss for Learning-to-Rank", WWW 2021.
    """

    name: ClassVar[str] = "xe_ndcg"
    shift_invariant: ClassVar[bool] = True
    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False
    newton_terms: bool = True
    skip_equal: bool = False
    hessian_factor: float = 1.0
    random_state: int = 0

    def __post_init__(self) -> None:
        check_choice("newton_terms", self.newton_terms, (True, False))
        check_choice("skip_equal", self.skip_equal, (True, False))
        check_positive("hessian_factor", self.hessian_factor)
        check_whole("random_state", self.random_state, lowest=0)
        for promise in ("exact_hessian", "gradient_of_loss"):  # the class speaks for the default
            object.__setattr__(self, promise, not self.newton_terms)

    def bind(self, data: Labelled, *, engine: str = "compiled", n_jobs: int | None = None) -> Bound:
        y = single_labels(data, self.name)
        require_pairs(y, data.query_ptr)
        counts = (
            _varied(y, data.query_ptr)[data.query_ptr[:-1]] if self.skip_equal else np.ones(len(data.query_ptr) - 1)
        )
        power = worth_of_labels(y, "exp", self.name) + 1.0
        options = RankOptions(seed=self.random_state)
        targets = ListTargets(power, counts.astype(np.float64), options, self.hessian_factor)
        return ListBound(XE_NDCG, (float(self.newton_terms),), targets, data, engine, n_jobs)


def require_gain(gain: Vector, name: str) -> None:
    """Raise a `DataError` where no document is worth anything."""
    if not gain.any():
        raise DataError(f"{name}: nothing to learn, for no document has a gain above 0; check the labels.")


def _of_query(extreme: np.ufunc, y: Vector, query_ptr: IntArray) -> Vector:
    """Return, for each document, the greatest or least label of its query."""
    return np.repeat(extreme.reduceat(y, query_ptr[:-1]), np.diff(query_ptr))


def _varied(y: Vector, query_ptr: IntArray) -> Vector:
    """Tell, for each document, whether the labels of its query differ."""
    return np.asarray(_of_query(np.maximum, y, query_ptr) > _of_query(np.minimum, y, query_ptr))
