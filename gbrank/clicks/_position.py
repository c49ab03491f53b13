"""The position-based, the user browsing and the trust-bias model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, check_positive, check_whole
from ._context import ContextModel
from ._em import Prior, check_fit
from ._log import ClickLog
from ._model import CLICK_MODELS, by_rank, of_ranks, read_only
from ._pairs import Vector, match_pairs
from ._tables import PairTable


@CLICK_MODELS.add("pbm", "position_based")
@dataclass(frozen=True, eq=False)
class PositionBased(ContextModel):
    r"""The position-based model: :math:`P(C_r = 1) = \gamma_r \alpha_{qd}`, the same whatever was clicked above.

    Parameters
    ----------
    examination : array-like of shape (n_ranks,)
        :math:`\gamma_r`, the probability that rank r is examined.
    attraction : PairTable, optional
        :math:`\alpha_{qd}`.

    References
    ----------
    Craswell, Zoeter, Taylor and Ramsey, "An Experimental Comparison of Click Position-Bias Models", WSDM 2008.

    Examples
    --------
    >>> model = PositionBased([1, 0.5])
    >>> model.probabilities([0, 2], [0.4, 0.4]).tolist()
    [0.4, 0.2]
    """

    examination: npt.ArrayLike

    name: ClassVar[str] = "pbm"

    def __post_init__(self) -> None:
        object.__setattr__(self, "examination", of_ranks("examination", self.examination))

    @classmethod
    def power(cls, eta: float, n_ranks: int) -> Self:
        """Return the model whose rank r is examined with probability 1 / r ** eta.

        Examples
        --------
        >>> PositionBased.power(1, 3).examination.round(2).tolist()
        [1.0, 0.5, 0.33]
        """
        check_positive("eta", eta, zero=True)
        check_whole("n_ranks", n_ranks)
        return cls(np.arange(1, n_ranks + 1) ** -float(eta))

    @property
    def n_ranks(self) -> int:
        return len(np.asarray(self.examination))

    def _high_low(self) -> tuple[Vector, Vector]:
        high = np.asarray(self.examination)
        return high, np.zeros_like(high)

    @classmethod
    def _made(cls, high: Vector, low: Vector, n_ranks: int, **fields: Any) -> Self:
        return cls(high, **fields)

    def _browsing(self) -> dict[str, Any]:
        return {"examination": by_rank(np.asarray(self.examination), "examination")}


@CLICK_MODELS.add("ubm", "user_browsing")
@dataclass(frozen=True, eq=False)
class UserBrowsing(ContextModel):
    r"""The user browsing model: what is examined depends on the rank r and on the last rank clicked above, r'.

    :math:`P(C_r = 1 \mid C_{<r}) = \gamma_{rr'} \alpha_{qd}`, with r' = 0 where nothing was clicked.

    Parameters
    ----------
    examination : array-like of shape (n_ranks, n_ranks)
        In row r - 1 and column r' the probability that rank r is examined when the last click above was at r', 0 for
        none.  Only the triangle r' < r counts, the rest is kept as 0.
    attraction : PairTable, optional

    References
    ----------
    Dupret and Piwowarski, "A User Browsing Model to Predict Search Engine Click Data from Past Observations", SIGIR
    2008.

    Examples
    --------
    >>> model = UserBrowsing([[1, 0], [0.5, 0.25]])
    >>> model.probabilities([0, 2], [0.4, 0.4], click=[True, False]).tolist()
    [0.4, 0.1]
    """

    examination: npt.ArrayLike

    name: ClassVar[str] = "ubm"
    of_last_click: ClassVar[bool] = True

    def __post_init__(self) -> None:
        given = np.asarray(self.examination, dtype=np.float64)
        if given.ndim != 2 or given.shape[0] != given.shape[1] or len(given) == 0:
            raise ParameterError(f"examination: has the shape {given.shape}; give a square, a row for each rank.")
        flat = of_ranks("examination", np.tril(given).ravel())
        object.__setattr__(self, "examination", read_only(flat.reshape(given.shape)))

    @property
    def n_ranks(self) -> int:
        return len(np.asarray(self.examination))

    def _high_low(self) -> tuple[Vector, Vector]:
        high = np.asarray(self.examination).T
        return high, np.zeros_like(high)

    @classmethod
    def _made(cls, high: Vector, low: Vector, n_ranks: int, **fields: Any) -> Self:
        return cls(high.reshape(n_ranks, n_ranks), **fields)

    def _browsing(self) -> dict[str, Any]:
        import pandas as pd

        n = self.n_ranks
        values = np.where(np.tri(n, dtype=np.bool_), np.asarray(self.examination), np.nan)
        index = pd.RangeIndex(1, n + 1, name="rank")
        return {"examination": pd.DataFrame(values, index, pd.RangeIndex(n, name="last click"))}


@CLICK_MODELS.add("trust", "trust_bias")
@dataclass(frozen=True, eq=False)
class TrustBias(ContextModel):
    r"""Clicks of users who trust the ranking: at the top they click on what is not attractive, too.

    :math:`P(C_r = 1) = \gamma_r (\epsilon^+_r \alpha_{qd} + \epsilon^-_r (1 - \alpha_{qd}))`.  Only the products are
    observed, so these are the parameters; and attractions only up to a line, see `fit`.

    Parameters
    ----------
    attractive : array-like of shape (n_ranks,)
        :math:`\gamma_r \epsilon^+_r`, the probability of a click at rank r on what is attractive.
    unattractive : array-like of shape (n_ranks,)
        :math:`\gamma_r \epsilon^-_r`, on what is not.
    attraction : PairTable, optional

    References
    ----------
    Agarwal, Wang, Li, Bendersky and Najork, "Addressing Trust Bias for Unbiased Learning-to-Rank", WWW 2019; Vardasbi,
    Oosterhuis and de Rijke, "When Inverse Propensity Scoring does not Work", CIKM 2020, for the affine form.

    Examples
    --------
    >>> model = TrustBias([1, 0.5], [0.3, 0])
    >>> model.probabilities([0, 2], [0.4, 0.4]).round(2).tolist()
    [0.58, 0.2]
    """

    attractive: npt.ArrayLike
    unattractive: npt.ArrayLike

    name: ClassVar[str] = "trust"
    trusting: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("attractive", "unattractive"):
            object.__setattr__(self, name, of_ranks(name, getattr(self, name)))
        sizes = [len(each) for each in self._high_low()]
        if sizes[0] != sizes[1]:
            raise ParameterError(f"unattractive: has {sizes[1]} ranks and attractive {sizes[0]}; give the same number.")

    @classmethod
    def of(cls, examination: npt.ArrayLike, trusted: npt.ArrayLike, fooled: npt.ArrayLike) -> Self:
        r"""Return the model of :math:`\gamma_r`, :math:`\epsilon^+_r` and :math:`\epsilon^-_r`, each by rank."""
        given = {"examination": examination, "trusted": trusted, "fooled": fooled}
        factors = [of_ranks(*each) for each in given.items()]
        if len({len(each) for each in factors}) > 1:
            raise ParameterError(f"examination, trusted, fooled: have {[len(each) for each in factors]} ranks.")
        return cls(factors[0] * factors[1], factors[0] * factors[2])

    @classmethod
    def fit(
        cls,
        log: ClickLog,
        *,
        attraction: PairTable | None = None,
        prior: Prior = (1.0, 1.0),
        tolerance: float = 1e-7,
        max_iterations: int = 2000,
    ) -> Self:
        """Return the model of a log, by expectation maximisation.

        Clicks tell attractions only up to a line: the highest of `attractive` is made 1, and the lowest of
        `unattractive` 0.

        Parameters
        ----------
        log : ClickLog
        attraction : PairTable, optional
            Where attractions are known, from judgments or from randomised lists, they are kept, and nothing is
            undetermined.  It must hold all pairs of the log.
        prior, tolerance, max_iterations
            See `PositionBased.fit`.

        Raises
        ------
        DataError
            A pair of the log is not in `attraction`.
        ParameterError
            A prior, tolerance or number that is out of range.
        """
        prior = check_fit(log, prior, tolerance, max_iterations)
        return cls._fit(log, _known(attraction, log), prior, tolerance, max_iterations)

    @property
    def n_ranks(self) -> int:
        return len(np.asarray(self.attractive))

    def _high_low(self) -> tuple[Vector, Vector]:
        return np.asarray(self.attractive), np.asarray(self.unattractive)

    @classmethod
    def _made(cls, high: Vector, low: Vector, n_ranks: int, **fields: Any) -> Self:
        return cls(high, low, **fields)

    def _browsing(self) -> dict[str, Any]:
        return {name: by_rank(np.asarray(getattr(self, name)), name) for name in ("attractive", "unattractive")}


def _known(attraction: PairTable | None, log: ClickLog) -> Vector | None:
    if attraction is None:
        return None
    at = match_pairs((attraction.query, attraction.document), (log.pair_query, log.pair_document))
    if (at < 0).any():
        first = int(np.argmax(at < 0))
        raise DataError(
            f"attraction: has no document {log.pair_document[first]!s} of query {log.pair_query[first]!s}; give "
            "one for each pair of the log."
        )
    return attraction.value[at]
