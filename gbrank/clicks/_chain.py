"""Models of a user who reads from the top and stops somewhere: cascade, dependent click, dynamic Bayesian network."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from .._checks import IntArray, check_choice
from . import _kernels
from ._em import Prior, check_fit, climb, log_prior, shares
from ._log import ClickLog
from ._model import CLICK_MODELS, ClickModel, by_rank, of_ranks, table_of
from ._pairs import Mask, Vector

METHODS = ("em", "last_click")


class State(NamedTuple):
    """The parameters of a chain; satisfactions and attractions of the catalogue's pairs."""

    attraction: Vector
    satisfaction: Vector
    after_click: Vector
    after_skip: Vector


@dataclass(frozen=True, eq=False)
class Sums:
    """Expected successes and trials of each parameter of a chain, in columns 0 and 1."""

    attraction: Vector
    satisfaction: Vector
    after_click: Vector
    after_skip: Vector


@dataclass(frozen=True, eq=False)
class ChainModel(ClickModel):
    """A user who reads from the top, and after each document, clicked or skipped, reads on or stops."""

    @abc.abstractmethod
    def _going_on(self, n_ranks: int) -> tuple[Vector, float]:
        """Return the probability to read on after an unsatisfying click at each rank, and after a skip."""

    def _satisfactions(self, satisfaction: Vector, n: int) -> Vector:
        return satisfaction if "satisfaction" in self.tables else np.zeros(n)

    def _walk(self, ptr: IntArray, attraction: Vector, satisfaction: Vector, click: Mask, uniform: Vector) -> Vector:
        out = np.empty(len(attraction))
        after = self._going_on(int(np.diff(ptr).max(initial=0)))
        given = self._satisfactions(satisfaction, len(out))
        _kernels.chain_rows(ptr, attraction, given, *after, uniform, click, out)
        return out

    def _marginal(self, ptr: IntArray, attraction: Vector, satisfaction: Vector) -> Vector:
        out = np.empty(len(attraction))
        after = self._going_on(int(np.diff(ptr).max(initial=0)))
        _kernels.chain_marginals(ptr, attraction, self._satisfactions(satisfaction, len(out)), *after, out)
        return out


def expected(log: ClickLog, state: State) -> tuple[float, Sums]:
    """Return the log-likelihood and what is expected of each parameter."""
    per_pair, per_rank = (log.n_pairs, 2), (log.n_ranks, 2)
    sums = Sums(np.zeros(per_pair), np.zeros(per_pair), np.zeros(per_rank), np.zeros(2))
    value = _kernels.chain_step(
        log.session_ptr, log.pair, log.click, state.attraction, state.satisfaction, state.after_click,
        float(state.after_skip), sums.attraction, sums.satisfaction, sums.after_click, sums.after_skip,
    )  # fmt: skip
    return value, sums


def fitted(
    log: ClickLog,
    start: State,
    after: Callable[[State, Sums], State],
    judged: Callable[[State], Sequence[Vector]],
    *,
    method: str,
    prior: Prior,
    tolerance: float,
    max_iterations: int,
) -> tuple[State, Sums, tuple[float, ...]]:
    """Return the parameters of a chain, what is expected of them, and the course of the EM.

    Parameters
    ----------
    after : callable
        The parameters that follow from old ones and sums.
    judged : callable
        Those parameters that the prior is of.
    method : {"em", "last_click"}
    """
    if method == "last_click":
        sums = down_to_last_click(log)
        return after(start, sums), sums, ()

    def step(state: State) -> tuple[float, State]:
        value, sums = expected(log, state)
        return value + log_prior(prior, judged(state)), after(state, sums)

    state, history = climb(step, start, n_sessions=log.n_sessions, tolerance=tolerance, max_iterations=max_iterations)
    return state, expected(log, state)[1], history


def down_to_last_click(log: ClickLog) -> Sums:
    """Return successes and trials as if each user had read down to the last click and no further, or all without any.

    It is the estimate in closed form: a user stops at the last click, and after no other.
    """
    last = np.maximum.reduceat(np.where(log.click, log.rank, 0), log.session_ptr[:-1])
    last = np.repeat(last, log.session_sizes)
    read = (last == 0) | (log.rank <= last)
    ends = log.click & (log.rank == last)
    by_pair, by_rank = (log.pair, log.n_pairs), (log.rank - 1, log.n_ranks)
    return Sums(
        attraction=_counts(*by_pair, log.click, read),
        satisfaction=_counts(*by_pair, ends, log.click),
        after_click=_counts(*by_rank, log.click & ~ends, log.click),
        after_skip=np.zeros(2),
    )


def _counts(code: IntArray, n: int, successes: Mask, trials: Mask) -> Vector:
    """Return the number of successes and of trials of each code, in columns."""
    return np.stack([np.bincount(code, each, n) for each in (successes, trials)], axis=1).astype(np.float64)


@CLICK_MODELS.add("cascade")
@dataclass(frozen=True, eq=False)
class Cascade(ChainModel):
    r"""The cascade model: read from the top, click the first attractive document, and stop.

    It holds sessions with two clicks to be impossible: their log-likelihood is minus infinity.

    Parameters
    ----------
    attraction : PairTable, optional

    References
    ----------
    Craswell, Zoeter, Taylor and Ramsey, "An Experimental Comparison of Click Position-Bias Models", WSDM 2008.

    Examples
    --------
    >>> Cascade().probabilities([0, 2], [0.4, 0.5]).tolist()
    [0.4, 0.3]
    """

    name: ClassVar[str] = "cascade"

    @classmethod
    def fit(cls, log: ClickLog, *, prior: Prior = (1.0, 1.0)) -> Self:
        """Return the model of a log in closed form: clicks over showings, down to the first click of each session.

        Parameters
        ----------
        log : ClickLog
            Of a session, what is below its first click does not count.
        prior : pair of float
            See `PositionBased.fit`.
        """
        prior = check_fit(log, prior, 0, 1)
        first = np.minimum.reduceat(np.where(log.click, log.rank, log.n_ranks), log.session_ptr[:-1])
        read = log.rank <= np.repeat(first, log.session_sizes)
        counts = _counts(log.pair, log.n_pairs, read & log.click, read)
        found = shares(counts, prior, np.full(log.n_pairs, 0.5))
        return cls(attraction=table_of(log, found, counts[:, 1]))

    @property
    def n_ranks(self) -> None:
        return None

    def _going_on(self, n_ranks: int) -> tuple[Vector, float]:
        return np.zeros(n_ranks), 1.0

    def _browsing(self) -> dict[str, Any]:
        return {}


@CLICK_MODELS.add("dcm", "dependent_click")
@dataclass(frozen=True, eq=False)
class DependentClick(ChainModel):
    r"""The dependent click model: as `Cascade`, but after a click at rank r the user reads on with :math:`\lambda_r`.

    Parameters
    ----------
    continuation : array-like of shape (n_ranks,)
        :math:`\lambda_r`.
    attraction : PairTable, optional

    References
    ----------
    Guo, Liu and Wang, "Efficient Multiple-Click Models in Web Search", WSDM 2009.

    Examples
    --------
    >>> model = DependentClick([0.5, 0.5])
    >>> model.probabilities([0, 2], [0.4, 0.5], click=[True, False]).tolist()
    [0.4, 0.25]
    """

    continuation: npt.ArrayLike

    name: ClassVar[str] = "dcm"

    def __post_init__(self) -> None:
        object.__setattr__(self, "continuation", of_ranks("continuation", self.continuation))

    @classmethod
    def fit(
        cls,
        log: ClickLog,
        *,
        method: str = "em",
        prior: Prior = (1.0, 1.0),
        tolerance: float = 1e-7,
        max_iterations: int = 2000,
    ) -> Self:
        """Return the model of a log.

        Parameters
        ----------
        log : ClickLog
        method : {"em", "last_click"}
            Expectation maximisation, or the estimate in closed form of Guo et al., which maximises a lower bound of the
            likelihood: it holds nobody to have read on below the last click, so that attractions come out too high and
            continuations too low.
        prior, tolerance, max_iterations
            See `PositionBased.fit`.

        Raises
        ------
        ParameterError
            An unknown method, or a prior, tolerance or number that is out of range.
        """
        check_choice("method", method, METHODS)
        prior = check_fit(log, prior, tolerance, max_iterations)
        half = np.full(log.n_pairs, 0.5)
        start = State(half, np.zeros(log.n_pairs), np.full(log.n_ranks, 0.5), np.ones(()))

        def after(state: State, sums: Sums) -> State:
            return State(
                shares(sums.attraction, prior, state.attraction),
                state.satisfaction,
                shares(sums.after_click, prior, state.after_click),
                state.after_skip,
            )

        def judged(state: State) -> list[Vector]:
            return [state.attraction, state.after_click]

        options: dict[str, Any] = {"prior": prior, "tolerance": tolerance, "max_iterations": max_iterations}
        state, sums, history = fitted(log, start, after, judged, method=method, **options)
        table = table_of(log, state.attraction, sums.attraction[:, 1])
        return cls(state.after_click, attraction=table, history=history)

    @property
    def n_ranks(self) -> int:
        return len(np.asarray(self.continuation))

    def _going_on(self, n_ranks: int) -> tuple[Vector, float]:
        return np.asarray(self.continuation), 1.0

    def _browsing(self) -> dict[str, Any]:
        return {"continuation": by_rank(np.asarray(self.continuation), "continuation")}
