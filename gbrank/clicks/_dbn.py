"""The dynamic Bayesian network model, full and simplified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from .._checks import check_choice
from ._chain import METHODS, ChainModel, State, Sums, fitted
from ._em import Prior, check_fit, shares
from ._log import ClickLog
from ._model import CLICK_MODELS, table_of
from ._pairs import Vector
from ._tables import PairTable, as_probabilities


@CLICK_MODELS.add("dbn", "dynamic_bayesian")
@dataclass(frozen=True, eq=False)
class DynamicBayesian(ChainModel):
    r"""The dynamic Bayesian network model: a click satisfies with :math:`\sigma_{qd}` and then ends the session.

    A user who is not satisfied, or did not click, reads on with :math:`\gamma`.

    Parameters
    ----------
    persistence : float
        :math:`\gamma`.
    attraction, satisfaction : PairTable, optional
        :math:`\alpha_{qd}` and :math:`\sigma_{qd}`; the relevance of Chapelle and Zhang is their product.

    References
    ----------
    Chapelle and Zhang, "A Dynamic Bayesian Network Click Model for Web Search Ranking", WWW 2009.

    Examples
    --------
    >>> model = DynamicBayesian(0.5)
    >>> model.probabilities([0, 2], [0.4, 1.0], [0.5, 0.5]).tolist()
    [0.4, 0.4]
    """

    persistence: float
    satisfaction: PairTable | None = field(default=None, kw_only=True)

    name: ClassVar[str] = "dbn"
    tables: ClassVar[tuple[str, ...]] = ("attraction", "satisfaction")

    def __post_init__(self) -> None:
        object.__setattr__(self, "persistence", float(as_probabilities("persistence", [self.persistence])[0]))

    @classmethod
    def fit(
        cls,
        log: ClickLog,
        *,
        prior: Prior = (1.0, 1.0),
        tolerance: float = 1e-7,
        max_iterations: int = 2000,
    ) -> Self:
        """Return the model of a log, by expectation maximisation; see `PositionBased.fit` for the parameters."""
        prior = check_fit(log, prior, tolerance, max_iterations)
        options: dict[str, Any] = {"prior": prior, "tolerance": tolerance, "max_iterations": max_iterations}
        state, sums, history = fitted(log, *_parts(log, None, prior), method="em", **options)
        attraction, satisfaction = _dbn_tables(log, state, sums)
        return cls(float(state.after_skip), attraction=attraction, satisfaction=satisfaction, history=history)

    @property
    def n_ranks(self) -> None:
        return None

    def _going_on(self, n_ranks: int) -> tuple[Vector, float]:
        return np.full(n_ranks, self.persistence), self.persistence

    def _browsing(self) -> dict[str, Any]:
        import pandas as pd

        return {"persistence": pd.Series([self.persistence], name="persistence")}


@CLICK_MODELS.add("sdbn", "simplified_dynamic_bayesian")
@dataclass(frozen=True, eq=False)
class SimplifiedDynamicBayesian(ChainModel):
    r"""The simplified DBN: `DynamicBayesian` with :math:`\gamma = 1`, so that only satisfaction ends a session.

    Parameters
    ----------
    attraction, satisfaction : PairTable, optional

    References
    ----------
    Chapelle and Zhang, "A Dynamic Bayesian Network Click Model for Web Search Ranking", WWW 2009, section 3.4.

    Examples
    --------
    >>> SimplifiedDynamicBayesian().probabilities([0, 2], [0.4, 1.0], [0.5, 0.5]).tolist()
    [0.4, 0.8]
    """

    satisfaction: PairTable | None = field(default=None, kw_only=True)

    name: ClassVar[str] = "sdbn"
    tables: ClassVar[tuple[str, ...]] = ("attraction", "satisfaction")

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
            Expectation maximisation, or the estimate in closed form of Chapelle and Zhang, which holds every last click
            to have satisfied; attractions and satisfactions come out too high.
        prior, tolerance, max_iterations
            See `PositionBased.fit`.

        Raises
        ------
        ParameterError
            An unknown method, or a prior, tolerance or number that is out of range.
        """
        check_choice("method", method, METHODS)
        prior = check_fit(log, prior, tolerance, max_iterations)
        options: dict[str, Any] = {"prior": prior, "tolerance": tolerance, "max_iterations": max_iterations}
        state, sums, history = fitted(log, *_parts(log, 1.0, prior), method=method, **options)
        attraction, satisfaction = _dbn_tables(log, state, sums)
        return cls(attraction=attraction, satisfaction=satisfaction, history=history)

    @property
    def n_ranks(self) -> None:
        return None

    def _going_on(self, n_ranks: int) -> tuple[Vector, float]:
        return np.ones(n_ranks), 1.0

    def _browsing(self) -> dict[str, Any]:
        return {}


def _parts(
    log: ClickLog, persistence: float | None, prior: Prior
) -> tuple[State, Callable[[State, Sums], State], Callable[[State], list[Vector]]]:
    """Return what `fitted` asks of a DBN, with the persistence held where one is given."""
    half, first = np.full(log.n_pairs, 0.5), 0.5 if persistence is None else persistence

    def after(state: State, sums: Sums) -> State:
        return _after_dbn(state, sums, prior, persistence)

    def judged(state: State) -> list[Vector]:
        return [state.attraction, state.satisfaction, *([state.after_skip] if persistence is None else [])]

    return State(half, half, np.full(log.n_ranks, first), np.array(first)), after, judged


def _after_dbn(state: State, sums: Sums, prior: Prior, persistence: float | None) -> State:
    if persistence is None:
        both = sums.after_click.sum(axis=0) + sums.after_skip
        persistence = float(shares(both, prior, state.after_skip))
    return State(
        shares(sums.attraction, prior, state.attraction),
        shares(sums.satisfaction, prior, state.satisfaction),
        np.full(len(state.after_click), persistence),
        np.array(persistence),
    )


def _dbn_tables(log: ClickLog, state: State, sums: Sums) -> tuple[PairTable, PairTable]:
    return (
        table_of(log, state.attraction, sums.attraction[:, 1]),
        table_of(log, state.satisfaction, sums.satisfaction[:, 1]),
    )
