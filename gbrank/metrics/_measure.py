"""`Measure`: a measure of ranked lists as a value, and `measure`, which reads one from its name."""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError, as_vector, check_whole
from .._compile import list_pointer, over_queries
from .._groups import check_query_ptr
from .._registry import unknown
from ._convention import PRESETS, Convention, Vector, discounts
from ._definitions import ALIASES, MEASURES, Definition
from ._ranking import ALL, SIGNATURE, each_list

_SPELLING = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9]*)\s*(?:@\s*([0-9]{1,18}))?\s*(?:\((.*)\))?\s*", re.DOTALL)
_FIELDS = tuple(field.name for field in dataclasses.fields(Convention))


@dataclass(frozen=True)
class Measure:
    """A measure of ranked lists: one number for each query.  Made by `gbrank.measure`.

    Parameters
    ----------
    name : str
        A known measure: "ndcg", "dcg", "ap", "rr", "p", "r", "err", "hit".
    k : int, optional
        Cutoff: only the first `k` places count.  P, R and hit need one.
    convention : Convention
        What the name does not state.  Fields on which the measure does not depend are at their default, except in a
        named preset.

    Examples
    --------
    >>> ndcg = measure("ndcg@2")
    >>> ndcg([0, 1, 1], [0.9, 0.5, 0.1], [0, 2, 3]).round(4).tolist()  # 1 / log2(3), and a list of one
    [0.6309, 1.0]
    >>> ndcg([0, 1], [0.5, 0.5], [0, 2]).round(4).tolist()  # tied: the mean of 1 and 0.6309
    [0.8155]
    """

    name: str
    k: int | None = None
    convention: Convention = dataclasses.field(default_factory=Convention)

    def __post_init__(self) -> None:
        if self.k is not None:
            check_whole("k", self.k)
            object.__setattr__(self, "k", int(self.k))
        elif self._definition.needs_k:
            raise ParameterError(f"{self.name} needs a cutoff, as in '{self.name}@10'.")
        if self.convention not in PRESETS.values():
            used = {field: getattr(self.convention, field) for field in self._definition.uses}
            object.__setattr__(self, "convention", Convention(**used))

    @property
    def _definition(self) -> Definition:
        return MEASURES[self.name]

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better."""
        return self._definition.higher_is_better

    def __call__(
        self,
        y: npt.ArrayLike,
        score: npt.ArrayLike,
        query_ptr: npt.ArrayLike,
        doc_id: npt.ArrayLike | None = None,
        *,
        n_jobs: int | None = None,
    ) -> Vector:
        """Return the value of each query.

        Parameters
        ----------
        y, score : array-like of shape (n_documents,)
            Labels, and scores of which a higher one ranks first; finite.
        query_ptr : array-like of int of shape (n_queries + 1,)
            Query q holds the rows ``query_ptr[q]:query_ptr[q + 1]``.
        doc_id : array-like of str of shape (n_documents,), optional
            Document ids, by which ``ties="trec"`` orders tied documents.
        n_jobs : int, optional
            Number of threads; all cores by default.  The values do not depend on it.

        Returns
        -------
        float64 array of shape (n_queries,)
            NaN where the convention skips a query.

        Raises
        ------
        DataError
            Lengths differ, a number is not finite, or a label is one that the convention cannot use.
        """
        labels = _own(as_vector("y", y))
        scores = _own(as_vector("score", score, length=len(labels)))
        ptr = _own(check_query_ptr(query_ptr, len(labels)))
        if len(ptr) == 1:
            return np.empty(0)
        value = self._definition.value(labels, self.convention, str(self))
        values = self._of_lists(value, scores, ptr, doc_id, n_jobs)
        empty = np.maximum.reduceat(value, ptr[:-1]) == 0
        values[empty] = np.nan if self.convention.no_relevant == "skip" else self.convention.no_relevant
        return values

    def _of_lists(
        self, value: Vector, score: Vector, query_ptr: IntArray, doc_id: npt.ArrayLike | None, n_jobs: int | None
    ) -> Vector:
        definition, ties = self._definition, self.convention.ties
        k = ALL if self.k is None else min(self.k, ALL)
        n_queries = len(query_ptr) - 1
        norm = np.ones(n_queries)
        if definition.norm is not None:
            norm = definition.norm(value, query_ptr, self.convention, k, n_jobs)
        if ties == "trec":
            score = _in_float32(score)
        table = discounts(self.convention, min(k, int(np.diff(query_ptr).max())))
        pointer, key = _pointer(definition.of_list), _tie_key(ties, value, doc_id)
        out = np.empty(n_queries)
        over_queries(
            each_list, query_ptr, pointer, score, value, key, ties != "expected", k, norm, table, out, n_jobs=n_jobs
        )
        return out

    def describe(self) -> str:
        """Return a sentence that states the measure and its convention.

        Examples
        --------
        >>> print(measure("ndcg@10").describe())
        ndcg@10: discounted gain divided by its highest value, over the first 10 places; gain exp, discount log2,
        ties expected; queries with nothing relevant are skipped.
        """
        places = "first place" if self.k == 1 else f"first {self.k} places"
        over = "" if self.k is None else f", over the {places}"
        skipped = "; queries with nothing relevant are skipped" if self.convention.no_relevant == "skip" else ""
        return f"{self._head}: {self._definition.words}{over}; {self.rules()}{skipped}."

    def rules(self) -> str:
        """Return the fields of the convention on which the measure depends: ``gain exp, discount log2, ...``."""
        text = self.convention.items()
        silent = {"no_relevant": "skip", "short_list": "as_is"}  # nothing is changed, and skipped queries are counted
        return ", ".join(
            f"{field} {text[field]}" for field in self._definition.uses if silent.get(field) != text[field]
        )

    @property
    def _head(self) -> str:
        return self.name if self.k is None else f"{self.name}@{self.k}"

    def __str__(self) -> str:
        names = [name for name, preset in PRESETS.items() if preset == self.convention]
        if names:
            rules = "" if names[0] == "default" else f"preset={names[0]}"
        else:
            usual, here = PRESETS["default"].items(), self.convention.items()
            rules = ", ".join(f"{field}={here[field]}" for field in _FIELDS if here[field] != usual[field])
        return f"{self._head}({rules})" if rules else self._head


def measure(name: str | Measure, *, preset: str | None = None, **rules: Any) -> Measure:
    """Return the measure that `name` spells, such as ``"ndcg@10"`` or ``"ndcg@10(gain=linear, ties=stable)"``.

    Parameters
    ----------
    name : str or Measure
        NDCG, DCG, AP, RR, P, R, ERR or hit, in any case; ``@k`` for a cutoff; rules in brackets as keywords.  What
        ``str`` of a measure gives reads back as the same measure.  A measure is returned with its rules changed.
    preset : {"default", "letor"}, optional
        The convention to start from: gbrank's own, or that of the LETOR 4.0 evaluation script.
    **rules : optional
        Fields of `gbrank.Convention` that differ from the preset: `gain`, `discount`, `ties`, `no_relevant`,
        `short_list`, `relevant_from`, `max_grade`.

    Raises
    ------
    ParameterError
        An unknown name, preset, field or value, or a field on which the measure does not depend.

    Notes
    -----
    P, R, AP and RR take labels from `relevant_from` up as relevant.  P@k divides by k however few documents a query
    has, R@k and AP@k by all of its relevant documents.  ERR is by Chapelle et al. (CIKM 2009).  Exact expectations
    over ties are by McSherry and Najork (ECIR 2008), for ERR by the recursion in this package's source.

    Examples
    --------
    >>> print(measure("NDCG@10", ties="stable"))
    ndcg@10(ties=stable)
    >>> measure("ndcg@10(preset=letor)") == measure("ndcg@10", preset="letor")
    True
    """
    if isinstance(name, Measure):
        return _changed(name, preset, rules)
    found = _SPELLING.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        raise ParameterError(f"measure {name!r}: write it as 'ndcg@10' or 'ndcg@10(gain=linear, ties=stable)'.")
    head, k, inside = found.groups()
    head = ALIASES.get(head.lower(), head.lower())
    if head not in MEASURES:
        raise unknown("measure", head, [*MEASURES, *ALIASES])
    rules = _joined(_read_rules(inside, name), {"preset": preset, **rules} if preset is not None else rules, name)
    start = _preset(rules.pop("preset", "default"))
    _check_fields(head, rules)
    return Measure(head, int(k) if k else None, dataclasses.replace(start, **rules))


def _changed(old: Measure, preset: str | None, rules: dict[str, Any]) -> Measure:
    _check_fields(old.name, rules)
    start = old.convention if preset is None else _preset(preset)
    return dataclasses.replace(old, convention=dataclasses.replace(start, **rules))


def _preset(name: Any) -> Convention:
    if not isinstance(name, str) or name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name]


def _read_rules(inside: str | None, name: str) -> dict[str, Any]:
    """Return the rules written in brackets: bare words as strings, numbers and mappings as in Python."""
    if not inside or not inside.strip():
        return {}
    try:
        call = ast.parse(f"f({inside})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or not all(word.arg for word in call.keywords):
            raise ValueError
        return {
            str(word.arg): word.value.id if isinstance(word.value, ast.Name) else ast.literal_eval(word.value)
            for word in call.keywords
        }
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ParameterError(f"measure {name!r}: write rules as 'ndcg@10(gain=linear, ties=stable)'.") from None


def _joined(written: dict[str, Any], given: dict[str, Any], name: str) -> dict[str, Any]:
    for field in written.keys() & given.keys():
        if written[field] != given[field]:
            raise ParameterError(f"measure {name!r} says {field}={written[field]}, the argument {given[field]!r}.")
    return written | given


def _check_fields(head: str, rules: dict[str, Any]) -> None:
    for field in rules:
        if field not in _FIELDS:
            raise unknown("rule of a measure", field, [*_FIELDS, "preset"])
        if field not in MEASURES[head].uses:
            uses = ", ".join(MEASURES[head].uses)
            raise ParameterError(f"{field}={rules[field]!r}: {head} does not depend on {field}, but on {uses}.")


def _own(array: Any) -> Any:
    """Return a writeable array: kernels are compiled once more for read-only ones, which pandas likes to give."""
    return np.require(array, requirements=["W"])


@functools.cache
def _pointer(of_list: Any) -> Any:
    return list_pointer(of_list, SIGNATURE)


def _in_float32(score: Vector) -> Vector:
    with np.errstate(over="ignore", under="ignore"):
        return score.astype(np.float32).astype(np.float64)


def _tie_key(ties: str, value: Vector, doc_id: npt.ArrayLike | None) -> Vector:
    """Return the numbers by which tied documents stand, lowest first; none where rows or groups stay as they are."""
    if ties == "worst":
        return value
    if ties != "trec":
        return np.empty(0)
    ids = np.arange(len(value)).astype(str) if doc_id is None else np.asarray(doc_id).astype(str)
    if ids.shape != value.shape:
        raise DataError(f"doc_id: shape {ids.shape} for {len(value)} documents; give one id for each.")
    return -np.unique(ids, return_inverse=True)[1].astype(np.float64)
