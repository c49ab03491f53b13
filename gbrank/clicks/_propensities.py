"""`Propensities`: how likely each rank is examined, relative to the first."""

from __future__ import annotations

import dataclasses
import html
import json
import os
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, as_vector
from .._files import atomic_write
from ._model import ClickModel, numbers_of_ranks, read_only
from ._pairs import Vector
from ._position import PositionBased

if TYPE_CHECKING:
    import pandas as pd

CURVES = ("examination", "click_bias")
"""The curves of trained rankers that are propensities: `position_based` and `unbiased_lambdarank` learn them."""


@dataclass(frozen=True, eq=False, repr=False)
class Propensities:
    """How likely each rank is examined, relative to the first, which has 1; made by `estimate_propensities`.

    Clicks tell propensities only up to a factor.  An array of the values is what NumPy makes of it, so that it goes
    wherever propensities by rank are asked for: ``estimate(log, ranking, propensity=found)``, or
    ``InversePropensity("lambdarank", propensity=found)``.  These refuse values above 1, which an estimate may have at
    ranks that are examined almost as often as the first: see `clipped`.

    Parameters
    ----------
    values : array-like of shape (n_ranks,)
        Of rank 1, which is 1, and those below; all above 0.
    low, high : array-like of shape (n_ranks,), optional
        The ends of their intervals; both or none.
    method : str
        Where they are from.
    n_sessions : int, optional
    confidence : float, optional
        Of the intervals.

    Raises
    ------
    DataError
        No values, or one that is 0, negative, NaN or infinite; a first one that is not 1; intervals of another length,
        or that do not hold their value's order.

    Examples
    --------
    >>> found = Propensities([1, 0.5, 0.02])
    >>> found.clipped(0.1).values.tolist()
    [1.0, 0.5, 0.1]
    >>> np.asarray(found).tolist()
    [1.0, 0.5, 0.02]
    """

    values: Vector
    low: Vector | None = None
    high: Vector | None = None
    method: str = field(default="given", kw_only=True)
    n_sessions: int | None = field(default=None, kw_only=True)
    confidence: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        values = numbers_of_ranks("values", self.values)
        if not len(values):
            raise DataError("values: is empty; give a propensity for each rank, the first first.")
        if (values <= 0).any():
            k = int(np.argmax(values <= 0))
            raise DataError(f"values: rank {k + 1} has {values[k]:g}; a propensity is above 0: leave out ranks unseen.")
        if abs(values[0] - 1) > 1e-12:
            raise DataError(f"values: rank 1 has {values[0]:g}; they are relative to it, so divide all by the first.")
        object.__setattr__(self, "values", read_only(values))
        if (self.low is None) != (self.high is None):
            raise ParameterError("low, high: give both ends of the intervals, or none.")
        if self.low is None or self.high is None:
            return
        low, high = (as_vector(each, getattr(self, each), length=len(values), of="ranks") for each in ("low", "high"))
        if not (low <= high).all():
            raise DataError("high: give one for each rank, none below its low.")
        object.__setattr__(self, "low", read_only(low))
        object.__setattr__(self, "high", read_only(high))

    @classmethod
    def of_model(cls, model: ClickModel) -> Propensities:
        """Return the propensities of a position-based click model.

        Raises
        ------
        ParameterError
            Another model: under trust bias a click says other things than that a document was seen, and in all others
            what is seen depends on the clicks above.
        """
        if not isinstance(model, PositionBased):
            name = model.name if isinstance(model, ClickModel) else type(model).__name__
            raise ParameterError(f"model: {name!r} has no propensities by rank alone; fit PositionBased.")
        examination = np.asarray(model.examination)
        return cls(_over_first(examination, "model"), method="click model pbm")

    @classmethod
    def of_ranker(cls, ranker: Any, curve: str | None = None) -> Propensities:
        """Return the propensities that a ranker has learnt beside its trees, see `GBRanker.position_bias_`.

        They end with the last rank of which it has learnt something.

        Parameters
        ----------
        ranker : GBRanker
            Trained on clicks with ``position=``, with an objective that learns propensities.
        curve : str, optional
            Which of its curves; by default ``"examination"`` (of `position_based`) or ``"click_bias"`` (of
            `unbiased_lambdarank`), whichever it has.

        Raises
        ------
        ParameterError
            It has no such curve; those that add to scores are no propensities.
        DataError
            Nothing is known of a rank above others, as no document stood or was clicked there.
        """
        found = getattr(ranker, "position_bias_", None)
        if found is None:
            raise ParameterError(
                f"ranker: {type(ranker).__name__} has learnt nothing of positions; train it on clicks with position=, "
                "with position_based or unbiased_lambdarank."
            )
        names = [name for name in CURVES if name in found.columns] if curve is None else [curve]
        if not names or names[0] not in found.columns:
            raise ParameterError(
                f"curve={curve!r}: the ranker has {', '.join(map(repr, found.columns))}, of which propensities are "
                f"{' and '.join(map(repr, CURVES))}."
            )
        return cls(_over_first(_gapless(found[names[0]]), "ranker"), method=f"{names[0]} of a ranker")

    @property
    def n_ranks(self) -> int:
        """Number of ranks."""
        return len(self.values)

    def clipped(self, least: float = 0.0, most: float = 1.0) -> Propensities:
        """Return those with values below `least` raised to it, and above `most` lowered to it; so are intervals.

        Weights are then at most 1 / `least`: too low for what stands at those ranks, with less variance.

        Raises
        ------
        ParameterError
            Not 0 <= `least` <= 1 <= `most`.
        """
        ends: tuple[Any, Any] = (least, most)
        if not all(isinstance(end, Real) for end in ends) or not 0 <= least <= 1 <= most:
            raise ParameterError(f"least={least!r}, most={most!r}: rank 1 has 1; give numbers on both sides of it.")
        low, high = (None if each is None else np.clip(each, least, most) for each in (self.low, self.high))
        return dataclasses.replace(self, values=np.clip(self.values, least, most), low=low, high=high)

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame by ``rank`` with ``propensity`` and, where there are intervals, ``low`` and ``high``."""
        import pandas as pd

        columns = {"propensity": self.values, "low": self.low, "high": self.high}
        index = pd.RangeIndex(1, self.n_ranks + 1, name="rank")
        return pd.DataFrame({name: each for name, each in columns.items() if each is not None}, index)

    def to_dict(self) -> dict[str, Any]:
        """Return plain content, for JSON."""
        content = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return {"propensities": content.pop("values").tolist()} | {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in content.items()
            if value is not None
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them as JSON; `load_propensities` reads it."""
        with atomic_write(path) as file:
            file.write(json.dumps(self.to_dict(), allow_nan=False) + "\n")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.values, dtype=dtype) if copy or dtype is not None else self.values

    def __len__(self) -> int:
        return self.n_ranks

    def _note(self) -> str:
        sessions = "" if self.n_sessions is None else f", {self.n_sessions:,} sessions"
        intervals = "" if self.confidence is None else f", bootstrap intervals of {self.confidence:.0%}"
        return f"relative to rank 1; method {self.method}{sessions}{intervals}"

    def __str__(self) -> str:
        return f"{self.to_frame().to_string(float_format='{:.4f}'.format)}\n{self._note()}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"{self.to_frame().to_html(float_format='{:.4f}'.format)}<p>{html.escape(self._note())}</p>"


def load_propensities(path: str | os.PathLike[str]) -> Propensities:
    """Return propensities that were saved as JSON.

    Raises
    ------
    DataError
        The file cannot be read, or holds no propensities.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give the path of propensities.") from None
    except ValueError as error:
        raise DataError(f"{path}: is no JSON ({error}); give the path of propensities.") from None
    known = {"propensities", *(each.name for each in dataclasses.fields(Propensities))} - {"values"}
    if not isinstance(content, dict) or "propensities" not in content or not set(content) <= known:
        raise DataError(f"{path}: holds no propensities; give a file that `save` wrote.")
    try:
        return Propensities(content.pop("propensities"), **content)
    except (DataError, ParameterError) as error:
        raise DataError(f"{path}: {error}") from None


def _gapless(curve: pd.Series) -> Vector:
    """Return what a ranker has learnt of ranks, down to the last that is known."""
    values = curve.to_numpy(np.float64)
    known = values > 0  # NaN is not
    last = int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
    if not known[:last].all():
        k = int(np.argmin(known)) + 1
        raise DataError(
            f"ranker: has learnt nothing of rank {k}, where its data have no document, or no click; give "
            "Propensities(values) with one of your own for that rank."
        )
    return values[:last]


def _over_first(curve: Vector, name: str) -> Vector:
    if not len(curve) or not curve[0] > 0:
        raise DataError(f"{name}: rank 1 is never examined, so nothing can be relative to it.")
    return np.asarray(curve / curve[0])
