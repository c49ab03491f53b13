"""Numbers of query-document pairs, such as attractions, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, as_vector
from .._groups import canonical_ids
from ._log import ClickLog
from ._pairs import Ids, Vector, match_pairs, number_pairs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, init=False, repr=False)
class PairTable:
    """A probability for each query-document pair.

    Parameters
    ----------
    query, document : array-like of shape (n_pairs,)
        Ids as those of a `ClickLog`; no pair twice.
    value : array-like of shape (n_pairs,)
        From 0 to 1.
    default : float
        That of every other pair.

    Raises
    ------
    DataError
        Unequal lengths, a pair twice, or a value that is no probability.

    Examples
    --------
    >>> table = PairTable(["q", "q"], ["a", "b"], [0.25, 0.75], default=0.5)
    >>> table.find(np.array(["q", "q"]), np.array(["b", "z"])).tolist()
    [0.75, 0.5]
    """

    query: Ids
    document: Ids
    value: Vector
    default: float

    def __init__(self, query: npt.ArrayLike, document: npt.ArrayLike, value: npt.ArrayLike, default: float) -> None:
        values = as_probabilities("value", value)
        ids = {"query": canonical_ids(query, name="query"), "document": canonical_ids(document, name="document")}
        for name, each in ids.items():
            if each.shape != values.shape:
                raise DataError(f"{name}: has the shape {each.shape} for {len(values)} values; give one for each.")
        code, firsts = number_pairs(ids["query"], ids["document"])
        if len(firsts) < len(code):
            row = int(np.setdiff1d(np.arange(len(code)), firsts)[0])
            raise DataError(
                f"document: query {ids['query'][row]!s} has {ids['document'][row]!s} twice, in row {row} again; keep "
                "one."
            )
        fields: dict[str, Any] = {**ids, "value": values, "default": float(as_probabilities("default", [default])[0])}
        for name, field in fields.items():
            object.__setattr__(self, name, field)

    def find(self, query: Ids, document: Ids) -> Vector:
        """Return the value of each of the wanted pairs."""
        at = match_pairs((self.query, self.document), (query, document))
        return np.where(at >= 0, self.value[at], self.default) if len(self.value) else np.full(len(at), self.default)

    def of_log(self, log: ClickLog) -> Vector:
        """Return the value of each pair of a log's catalogue."""
        if self.query is log.pair_query and self.document is log.pair_document:
            return self.value
        return self.find(log.pair_query, log.pair_document)

    def to_series(self) -> pd.Series:
        """Return the values by query and document."""
        import pandas as pd

        return pd.Series(
            self.value, pd.MultiIndex.from_arrays([self.query, self.document], names=["query", "document"])
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain content, for JSON."""
        names = ("query", "document", "value")
        return {"default": self.default, **{name: getattr(self, name).tolist() for name in names}}

    @classmethod
    def from_dict(cls, content: Any) -> PairTable:
        """Return the table of what `to_dict` gave."""
        if not isinstance(content, dict) or set(content) != {"query", "document", "value", "default"}:
            raise DataError("a table of pairs has query, document, value and default; give these four.")
        return cls(**content)

    def __repr__(self) -> str:
        return f"PairTable({len(self.value):,} pairs, default {self.default:.4g})"


def as_probabilities(name: str, values: npt.ArrayLike) -> Vector:
    """Return `values` as a vector of numbers from 0 to 1."""
    vector = as_vector(name, values)
    bad = (vector < 0) | (vector > 1)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"{name}: row {row} is {vector[row]:g}; a probability is from 0 to 1.")
    return vector
