"""What is done to a task's predictions before they are weighed: functions of a column, by name and with parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, check_positive
from .._registry import Registry
from ..preprocessing import QueryNormalizer

Vector = npt.NDArray[np.float64]
TRANSFORMS: Registry[type[Transform]] = Registry("transform")


@dataclass(frozen=True)
class Transform:
    """A function of one column of predictions; its fields are its parameters."""

    name: ClassVar[str]

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        """Return the new column.

        Parameters
        ----------
        x : array of shape (n_documents,)
        query_ptr : array of shape (n_queries + 1,)
            Query q holds the rows query_ptr[q]:query_ptr[q + 1].

        Raises
        ------
        DataError
            A value on which the function is not defined; the row is named.
        """
        raise NotImplementedError

    def to_dict(self) -> str | dict[str, Any]:
        """Return the name, or a mapping of the name and the parameters."""
        params = dataclasses.asdict(self)
        return {"name": self.name, **params} if params else self.name

    def _require(self, right: npt.NDArray[np.bool_], x: Vector, needs: str) -> None:
        if not right.all():
            row = int(np.argmin(right))
            raise DataError(f"{self.name}: row {row} is {x[row]:g}; it needs {needs}. Clip first, or take another.")


@TRANSFORMS.add("log1p")
@dataclass(frozen=True)
class Log1p(Transform):
    """log(1 + x)."""

    name: ClassVar[str] = "log1p"

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        self._require(x > -1, x, "values above -1")
        return np.log1p(x)


@TRANSFORMS.add("power")
@dataclass(frozen=True)
class Power(Transform):
    """x to a power above 0, of x from 0 on."""

    name: ClassVar[str] = "power"
    exponent: float = 0.5

    def __post_init__(self) -> None:
        check_positive("power: exponent", self.exponent)

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        self._require(x >= 0, x, "values of 0 or more")
        with np.errstate(over="ignore"):
            return np.asarray(x**self.exponent)


@TRANSFORMS.add("clip")
@dataclass(frozen=True)
class Clip(Transform):
    """x, but no less than `low` and no more than `high`."""

    name: ClassVar[str] = "clip"
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        for side in ("low", "high"):
            value = getattr(self, side)
            if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
                raise ParameterError(f"clip: {side}={value!r}: give a finite number.")
        if self.low >= self.high:
            raise ParameterError(f"clip: low={self.low:g} is not below high={self.high:g}; give low < high.")

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        return np.asarray(np.clip(x, self.low, self.high))


@TRANSFORMS.add("sigmoid")
@dataclass(frozen=True)
class Sigmoid(Transform):
    """1 / (1 + exp(-x)): a probability from a logit."""

    name: ClassVar[str] = "sigmoid"

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        from scipy.special import expit

        return np.asarray(expit(x))


@TRANSFORMS.add("logit")
@dataclass(frozen=True)
class Logit(Transform):
    """log(x / (1 - x)), of probabilities strictly between 0 and 1."""

    name: ClassVar[str] = "logit"

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        from scipy.special import logit

        self._require((x > 0) & (x < 1), x, "values strictly between 0 and 1")
        return np.asarray(logit(x))


@TRANSFORMS.add("complement")
@dataclass(frozen=True)
class Complement(Transform):
    """1 - x: the probability that something unwanted, such as a report, does not happen."""

    name: ClassVar[str] = "complement"

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        return 1 - x


@dataclass(frozen=True)
class WithinQuery(Transform):
    """A value among those of its query, as `gbrank.preprocessing.QueryNormalizer` has it."""

    method: ClassVar[str]

    def __call__(self, x: Vector, query_ptr: IntArray) -> Vector:
        qid = np.repeat(np.arange(len(query_ptr) - 1), np.diff(query_ptr))
        return np.asarray(QueryNormalizer(self.method).fit_transform(x[:, None], qid=qid)[:, 0])


@TRANSFORMS.add("rank")
@dataclass(frozen=True)
class Rank(WithinQuery):
    """The share of the query's values below x and half of those equal to it."""

    name: ClassVar[str] = "rank"
    method: ClassVar[str] = "rank"


@TRANSFORMS.add("z_score", "zscore")
@dataclass(frozen=True)
class ZScore(WithinQuery):
    """(x - mean) / standard deviation within the query."""

    name: ClassVar[str] = "z_score"
    method: ClassVar[str] = "zscore"


@TRANSFORMS.add("min_max", "minmax")
@dataclass(frozen=True)
class MinMax(WithinQuery):
    """(x - lowest) / (highest - lowest) within the query."""

    name: ClassVar[str] = "min_max"
    method: ClassVar[str] = "minmax"


def as_transforms(task: str, given: Any) -> tuple[Transform, ...]:
    """Return the transforms that a specification names, in the order in which they are applied.

    Parameters
    ----------
    task : str
        Whose they are, for errors.
    given : None, str, mapping, Transform, or a sequence of these
        A name; a mapping of ``name`` and parameters; several, the first applied first.

    Raises
    ------
    ParameterError
        An unknown name or parameter, or a wrong value of one.

    Examples
    --------
    >>> as_transforms("click", ["log1p", {"name": "power", "exponent": 2}])
    (Log1p(), Power(exponent=2))
    """
    if given is None:
        return ()
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(each for one in given for each in as_transforms(task, one))
    return (_one(task, given),)


def _one(task: str, given: Any) -> Transform:
    if isinstance(given, Transform):
        return given
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise ParameterError(
            f"transforms of {task!r}: {given!r} is none; give a name or {{'name': .., parameter: ..}}."
        )
    kind = TRANSFORMS[given["name"]]
    params = {name: value for name, value in given.items() if name != "name"}
    known = [field.name for field in dataclasses.fields(kind)]
    for name in params:
        if name not in known:
            has = f"its parameters are {', '.join(known)}" if known else "it has none"
            raise ParameterError(f"transforms of {task!r}: {kind.name} has no parameter {name!r}; {has}.")
    return kind(**params)
