"""What all click models share: probabilities, likelihood, perplexity, simulation and files.

The models and their names are those of Chuklin, Markov and de Rijke, "Click Models for Web Search", Morgan and Claypool
2015.  A user examines a document (E) or not, and finds it attractive (A) or not; a click is both.  Attractions, and
satisfactions of models that have them, are numbers of query-document pairs; all else is browsing behaviour, the same
for all queries.
"""

from __future__ import annotations

import abc
import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector, real_numbers
from .._files import atomic_write
from .._groups import check_query_ptr
from .._registry import Registry
from ._log import ClickLog
from ._pairs import Mask, Vector
from ._tables import PairTable, as_probabilities

if TYPE_CHECKING:
    import pandas as pd

CLICK_MODELS: Registry[type[ClickModel]] = Registry("click model")
NONE: Vector = np.empty(0)


@dataclass(frozen=True, eq=False)
class Perplexity:
    r"""How unsure a model is of clicks: 1 of one that always knows, 2 of one that tosses a coin.

    by_rank : array of shape (n_ranks,)
        :math:`p_r = 2^{-\frac{1}{|S_r|} \sum_s c_{sr} \log_2 q_{sr} + (1 - c_{sr}) \log_2(1 - q_{sr})}` over the
        sessions that have a rank r, with q the probability of a click that the model gives.
    """

    by_rank: Vector
    conditional: bool

    @property
    def overall(self) -> float:
        """The mean over ranks."""
        return float(self.by_rank.mean())

    def to_series(self) -> pd.Series:
        """Return the perplexities by rank."""
        import pandas as pd

        return pd.Series(self.by_rank, pd.RangeIndex(1, len(self.by_rank) + 1, name="rank"), name="perplexity")

    def __str__(self) -> str:
        ranks = " ".join(f"{each:.4f}" for each in self.by_rank)
        kind = "given the clicks above" if self.conditional else "of each rank by itself"
        return f"perplexity {self.overall:.4f} ({kind}), by rank {ranks}"


@dataclass(frozen=True, eq=False)
class ClickModel(abc.ABC):
    """A click model; see `PositionBased`, `Cascade`, `DependentClick`, `DynamicBayesian`, `UserBrowsing`, `TrustBias`.

    Parameters
    ----------
    attraction : PairTable, optional
        The attraction of query-document pairs; `fit` finds it.  Without it, attractions are given with each call, as in
        `draw` and `simulate_clicks`.
    history : tuple of float
        The course of the fit by EM: log-likelihood, plus logarithm of the prior, of the parameters on the way.
    """

    attraction: PairTable | None = field(default=None, kw_only=True)
    history: tuple[float, ...] = field(default=(), kw_only=True, repr=False)

    name: ClassVar[str] = ""
    tables: ClassVar[tuple[str, ...]] = ("attraction",)
    """The parameters that are of query-document pairs."""

    def probabilities(
        self,
        session_ptr: npt.ArrayLike,
        attraction: npt.ArrayLike,
        satisfaction: npt.ArrayLike | None = None,
        *,
        click: npt.ArrayLike | None = None,
    ) -> Vector:
        """Return the probability of a click on each row.

        Parameters
        ----------
        session_ptr : array-like of int of shape (n_sessions + 1,)
            Offsets of the lists; rows of a list stand by rank.
        attraction : array-like of shape (n_rows,)
            From 0 to 1.
        satisfaction : array-like of shape (n_rows,), optional
            Of models that have it: the probability that a click ends the session satisfied.
        click : array-like of bool of shape (n_rows,), optional
            With it, the probability is that given the clicks above in the list.

        Raises
        ------
        DataError
            Other shapes, what is no probability, or a list longer than the model knows ranks.
        """
        ptr, a, s = self._rows(session_ptr, attraction, satisfaction)
        if click is None:
            return self._marginal(ptr, a, s)
        clicks = np.array(click, dtype=np.bool_)
        if clicks.shape != a.shape:
            raise DataError(f"click: has the shape {clicks.shape} for {len(a)} rows; give one for each.")
        return self._walk(ptr, a, s, clicks, NONE)

    def draw(
        self,
        session_ptr: npt.ArrayLike,
        attraction: npt.ArrayLike,
        satisfaction: npt.ArrayLike | None = None,
        *,
        random_state: int | np.random.Generator | None = None,
    ) -> Mask:
        """Return clicks drawn for each row; see `probabilities` for what is given."""
        ptr, a, s = self._rows(session_ptr, attraction, satisfaction)
        clicks = np.zeros(len(a), np.bool_)
        self._walk(ptr, a, s, clicks, np.random.default_rng(random_state).random(len(a)))
        return clicks

    def simulate(self, log: ClickLog, random_state: int | np.random.Generator | None = None) -> ClickLog:
        """Return the same lists with clicks drawn from the model.

        Raises
        ------
        ParameterError
            The model has no table of attractions.
        """
        clicks = self.draw(log.session_ptr, *self._of_log(log), random_state=random_state)
        return ClickLog._of(**{name: getattr(log, name) for name in log.__dataclass_fields__} | {"click": clicks})

    def click_probability(self, log: ClickLog, *, conditional: bool = False) -> Vector:
        """Return the probability of a click on each row of a log.

        Parameters
        ----------
        conditional : bool
            Whether it is that given the log's clicks above in the list.
        """
        return self.probabilities(log.session_ptr, *self._of_log(log), click=log.click if conditional else None)

    def log_likelihood(self, log: ClickLog) -> float:
        """Return the sum over sessions of the natural logarithm of the probability of their clicks.

        It is minus infinity where the model holds a session to be impossible, as `Cascade` does with two clicks.
        """
        return float(_log_of_clicks(self.click_probability(log, conditional=True), log.click).sum())

    def perplexity(self, log: ClickLog, *, conditional: bool = True) -> Perplexity:
        """Return the click perplexity by rank and overall.

        Parameters
        ----------
        conditional : bool
            Whether the probability of a click is that given the clicks above, or that of the rank by itself: the
            conditional and the unconditional click perplexity of Chuklin et al., section 5.2.
        """
        terms = _log_of_clicks(self.click_probability(log, conditional=conditional), log.click)
        place = log.rank - 1
        return Perplexity(np.exp(-np.bincount(place, terms) / np.bincount(place)), conditional)

    def to_tables(self) -> dict[str, Any]:
        """Return the parameters as Series or DataFrames, by name."""
        found = {name: getattr(self, name) for name in self.tables}
        return self._browsing() | {name: table.to_series() for name, table in found.items() if table is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return plain content, for JSON; `history` is left out."""
        content: dict[str, Any] = {"model": self.name}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "history" and value is not None:
                content[each.name] = (
                    value.to_dict() if isinstance(value, PairTable) else np.asarray(value, np.float64).tolist()
                )
        return content

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as JSON; `load_click_model` reads it."""
        with atomic_write(path) as file:
            file.write(json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False) + "\n")

    def _rows(
        self, session_ptr: npt.ArrayLike, attraction: npt.ArrayLike, satisfaction: npt.ArrayLike | None
    ) -> tuple[IntArray, Vector, Vector]:
        a = as_probabilities("attraction", attraction)
        ptr = check_query_ptr(session_ptr, len(a))
        longest = int(np.diff(ptr).max(initial=0))
        if self.n_ranks is not None and longest > self.n_ranks:
            raise DataError(
                f"a list has {longest} documents, but the {self.name} model knows {self.n_ranks} ranks; cut the lists, "
                "or give the model more ranks."
            )
        if "satisfaction" not in self.tables:
            if satisfaction is not None:
                raise ParameterError(f"satisfaction: the {self.name} model has none; leave it out.")
            return ptr, a, NONE
        if satisfaction is None:
            raise ParameterError(f"satisfaction: the {self.name} model needs one for each row.")
        s = as_vector("satisfaction", as_probabilities("satisfaction", satisfaction), length=len(a), of="rows")
        return ptr, a, s

    def _of_log(self, log: ClickLog) -> list[Vector]:
        """Return the values of each row of a log, table by table."""
        found = [getattr(self, name) for name in self.tables]
        for name, table in zip(self.tables, found, strict=True):
            if table is None:
                raise ParameterError(f"{name}: the {self.name} model has no table of it; fit the model, or give one.")
        return [table.of_log(log)[log.pair] for table in found]

    @property
    @abc.abstractmethod
    def n_ranks(self) -> int | None:
        """The length of the longest list that the model knows; None where it knows all."""

    @classmethod
    @abc.abstractmethod
    def fit(cls, log: ClickLog) -> Self:
        """Return the model of a log."""

    @abc.abstractmethod
    def _walk(self, ptr: IntArray, attraction: Vector, satisfaction: Vector, click: Mask, uniform: Vector) -> Vector:
        """Return conditional probabilities; where there are `uniform`, draw `click` by them."""

    @abc.abstractmethod
    def _marginal(self, ptr: IntArray, attraction: Vector, satisfaction: Vector) -> Vector:
        """Return the probability of each click."""

    @abc.abstractmethod
    def _browsing(self) -> dict[str, Any]:
        """Return the parameters that are not of pairs, as Series or DataFrames."""


def load_click_model(path: str | os.PathLike[str]) -> ClickModel:
    """Return a model that was saved as JSON.

    Raises
    ------
    DataError
        The file cannot be read, or is no click model.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give the path of a click model.") from None
    except ValueError as error:
        raise DataError(f"{path}: is no JSON ({error}); give the path of a click model.") from None
    if not isinstance(content, dict) or "model" not in content:
        raise DataError(f"{path}: is no click model: it has no 'model'; give a file that `save` wrote.")
    kind = CLICK_MODELS[str(content.pop("model"))]
    given: dict[str, Any] = {
        name: PairTable.from_dict(value) if name in kind.tables else value for name, value in content.items()
    }
    known = {each.name for each in fields(kind)} - {"history"}
    if not set(given) <= known:
        raise DataError(f"{path}: a {kind.name} model has no {sorted(set(given) - known)[0]!r}; correct the file.")
    try:
        return kind(**given)
    except TypeError as error:
        raise DataError(f"{path}: is no {kind.name} model ({error}); correct the file.") from None


def read_only(values: npt.ArrayLike) -> Vector:
    """Return a copy that cannot be changed."""
    copy = np.array(values, dtype=np.float64)
    copy.flags.writeable = False
    return copy


def of_ranks(name: str, values: npt.ArrayLike) -> Vector:
    """Return probabilities by rank, at least one, that cannot be changed."""
    vector = as_probabilities(name, values)
    if len(vector) == 0:
        raise ParameterError(f"{name}: has no ranks; give a probability for each.")
    return read_only(vector)


def numbers_of_ranks(name: str, values: npt.ArrayLike) -> Vector:
    """Return a finite number for each rank.

    Raises
    ------
    DataError
        Something else; the rank is named, the first being 1.
    """
    numbers = real_numbers(name, values)
    bad = np.logical_not(np.isfinite(numbers))
    if numbers.ndim == 1 and bad.any():
        k = int(np.argmax(bad))
        raise DataError(f"{name}: rank {k + 1} is {numbers[k]!s}; give a number, or none of the ranks from there on.")
    return as_vector(name, numbers)


def by_rank(values: Vector, name: str) -> Any:
    """Return a Series by rank."""
    import pandas as pd

    return pd.Series(values, pd.RangeIndex(1, len(values) + 1, name="rank"), name=name)


def table_of(log: ClickLog, values: Vector, weight: Vector) -> PairTable:
    """Return a table of the pairs of a log's catalogue that some row has; any other gets their weighted mean."""
    seen = np.bincount(log.pair, minlength=log.n_pairs) > 0
    mean = float(np.average(values, weights=weight)) if weight.sum() > 0 else float(values[seen].mean())
    default = min(max(mean, 0.0), 1.0)  # rounding may lead out
    if seen.all():
        return PairTable(log.pair_query, log.pair_document, values, default)
    return PairTable(log.pair_query[seen], log.pair_document[seen], values[seen], default)


def _log_of_clicks(p: Vector, click: Mask) -> Vector:
    """Return the logarithm of the probability of what was done with each row."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.where(click, p, 1 - p)))
