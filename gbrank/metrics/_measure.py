"""`Measure`: a measure of ranked lists as a value, and `measure`, which reads one from its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import ParameterError, as_vector, as_weights, check_whole
from .._groups import check_query_ptr
from .._registry import unknown
from . import _spelling
from ._batch import Batch, Task
from ._convention import PRESETS, Convention, Vector
from ._definitions import MEASURES, Definition
from ._ranking import ALL

SILENT = {
    "no_relevant": "skip", "short_list": "as_is", "single_document": "as_is", "missing_queries": "zero",
    "unjudged": "not_relevant", "average": "queries",
}  # fmt: skip
"""Rules that change nothing, or that are told otherwise: skipped queries are counted."""


@dataclass(frozen=True)
class Measure:
    """A measure of ranked lists: one number for each query.  Made by `gbrank.measure`.

    Parameters
    ----------
    name : str
        A known measure, as `gbrank measures` lists them.
    k : int, optional
        Cutoff: only the first `k` places count.  Some measures need one, some have none.
    convention : Convention
        What the name does not state.  Fields on which the measure does not depend are at their default, except in a
        named preset.
    preset : str
        Name of the preset that `convention` is, where two are the same; it is no part of the value.

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
    preset: str = dataclasses.field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        definition = self._definition
        if self.k is not None:
            check_whole("k", self.k)
            object.__setattr__(self, "k", int(self.k))
        if self.k is None and definition.cutoff == "needed":
            raise ParameterError(f"{self.name} needs a cutoff, as in '{self.name}@10'.")
        if self.k is not None and definition.cutoff == "none":
            raise ParameterError(f"{self.name} is of whole lists and takes no cutoff; write '{self.name}'.")
        if "ties" in definition.uses and self.ties not in (*definition.closed_forms, "sampled"):
            raise _no_such_ties(self.name, self.convention.ties)
        if self.convention not in PRESETS.values():
            fitted, usual = (_fitted(each, definition) for each in (self.convention, PRESETS["default"]))
            object.__setattr__(self, "convention", PRESETS["default"] if fitted == usual else fitted)

    @property
    def _definition(self) -> Definition:
        return MEASURES[self.name]

    @property
    def uses(self) -> tuple[str, ...]:
        """The fields of the convention on which the measure depends."""
        return self._definition.uses

    @property
    def graded(self) -> bool:
        """Whether labels say how relevant documents are; otherwise it only compares them."""
        return self._definition.graded

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better."""
        return self._definition.higher_is_better

    @property
    def ties(self) -> str:
        """The rule of ties in force: that of the convention, or ``sampled`` where there is no exact mean."""
        return _ties(self.convention, self._definition)

    @property
    def closed_forms(self) -> tuple[str, ...]:
        """The rules of ties under which nothing is sampled; none where tied scores have a meaning of their own."""
        return self._definition.closed_forms

    def __call__(
        self,
        y: npt.ArrayLike,
        score: npt.ArrayLike,
        query_ptr: npt.ArrayLike,
        doc_id: npt.ArrayLike | None = None,
        *,
        aspects: npt.ArrayLike | None = None,
        n_jobs: int | None = None,
    ) -> Vector:
        """Return the value of each query.

        Parameters
        ----------
        y : array-like of shape (n_documents,)
            Labels; -1 is a document of the judged pool that has no judgment, -2 one that judgments do not mention.
        score : array-like of shape (n_documents,)
            A higher score ranks first.  A document of score -inf was not retrieved: it has no place in the list, but
            counts among those that should have one.
        query_ptr : array-like of int of shape (n_queries + 1,)
            Query q holds the rows ``query_ptr[q]:query_ptr[q + 1]``.
        doc_id : array-like of str of shape (n_documents,), optional
            Document ids, by which ``ties="trec"`` orders tied documents.
        aspects : array-like of shape (n_documents, n_aspects), optional
            What documents are about, for the measures of that; see ``gbrank measures NAME``.
        n_jobs : int, optional
            Number of threads; all cores by default.  The values do not depend on it.

        Returns
        -------
        float64 array of shape (n_queries,)
            NaN where the convention skips a query.

        Raises
        ------
        DataError
            Lengths differ, a number is NaN or infinite, or a label is one that the convention cannot use.
        ParameterError
            The measure needs `aspects`.
        """
        return all_values([self], y, score, query_ptr, doc_id, aspects=aspects, n_jobs=n_jobs)[:, 0]

    def mean(self, values: npt.ArrayLike, query_ptr: npt.ArrayLike, query_weight: npt.ArrayLike | None = None) -> float:
        """Return the mean of one value per query over those that are not NaN, weighed as `average` says.

        Parameters
        ----------
        values : array-like of shape (n_queries,)
        query_ptr : array-like of int of shape (n_queries + 1,)
        query_weight : array-like of shape (n_queries,), optional
            Multiplies the weight of each query: one of weight 2 counts as the query twice.

        Examples
        --------
        >>> gauc = measure("gauc")
        >>> gauc.mean([1.0, 0.5, np.nan], [0, 3, 4, 9])
        0.875
        """
        value = np.asarray(values, dtype=np.float64)
        ptr = np.asarray(query_ptr)
        sizes = np.diff(check_query_ptr(ptr, int(ptr[-1]) if ptr.size else 0))
        skipped = np.isnan(value)
        value = as_vector("values", np.where(skipped, 0, value), length=len(sizes), of="queries")
        weight = np.where(skipped, 0, sizes if self.convention.average == "documents" else 1)
        if query_weight is not None:
            weight = weight * as_weights("query_weight", query_weight, len(sizes), of="queries")
        return float(value @ weight / weight.sum()) if weight.any() else float("nan")

    def _task(self) -> Task:
        k = ALL if self.k is None else min(self.k, ALL)
        return Task(self._definition, self.convention, self.ties, k, str(self))

    def describe(self) -> str:
        """Return a sentence that states the measure and its convention.

        Examples
        --------
        >>> print(measure("ndcg@10").describe())
        ndcg@10: discounted gain divided by its highest value, over the first 10 places; gain exp, discount log2,
        ties expected; queries with nothing relevant are skipped.
        """
        definition = self._definition
        places = "first place" if self.k == 1 else f"first {self.k} places"
        over = "" if self.k is None else f", over the {places}"
        skips = "no_relevant" in definition.uses and self.convention.no_relevant == "skip"
        nothing = "relevant" if definition.graded else "to tell apart"
        skipped = f"queries with nothing {nothing} are skipped" if skips else ""
        parts = [f"{definition.words}{over}", self.rules(), skipped]
        return f"{self._head}: {'; '.join(part for part in parts if part)}."

    def rules(self) -> str:
        """Return the fields of the convention on which the measure depends: ``gain exp, discount log2, ...``."""
        text = self.convention.items() | {"ties": self.ties}
        unused = () if self.ties == "sampled" else ("tie_samples", "tie_seed")
        used = [each for each in self._definition.uses if each not in unused and SILENT.get(each) != text[each]]
        return ", ".join(f"{field} {text[field]}" for field in used)

    @property
    def _head(self) -> str:
        return self.name if self.k is None else f"{self.name}@{self.k}"

    def __str__(self) -> str:
        names = [each for each in (self.preset, *PRESETS) if PRESETS.get(each) == self.convention]
        if names:
            quoted = names[0] if names[0].isidentifier() else repr(names[0])
            rules = "" if names[0] == "default" else f"preset={quoted}"
        else:
            usual, here = (_fitted(each, self._definition).items() for each in (PRESETS["default"], self.convention))
            rules = ", ".join(f"{field}={here[field]}" for field in _spelling.FIELDS if here[field] != usual[field])
        return f"{self._head}({rules})" if rules else self._head


def all_values(
    measures: Sequence[str | Measure],
    y: npt.ArrayLike,
    score: npt.ArrayLike,
    query_ptr: npt.ArrayLike,
    doc_id: npt.ArrayLike | None = None,
    *,
    aspects: npt.ArrayLike | None = None,
    n_jobs: int | None = None,
) -> npt.NDArray[np.float64]:
    """Return the values of several measures, for which each query is ranked once.

    Parameters
    ----------
    measures : sequence of str or Measure
        As `gbrank.measure` reads them.
    y, score, query_ptr, doc_id, aspects, n_jobs
        See `Measure.__call__`.

    Returns
    -------
    float64 array of shape (n_queries, n_measures)
        Column j is what ``measures[j]`` gives alone.

    Examples
    --------
    >>> all_values(["rr", "p@1"], [0, 1, 1], [0.9, 0.5, 0.1], [0, 2, 3]).tolist()
    [[0.5, 0.0], [1.0, 1.0]]
    """
    tasks = [measure(each)._task() for each in measures]
    values: npt.NDArray[np.float64] = Batch(y, score, query_ptr, doc_id, aspects, n_jobs).values(tasks)
    return values


def measure(name: str | Measure, *, preset: str | None = None, **rules: Any) -> Measure:
    """Return the measure that `name` spells, such as ``"ndcg@10"`` or ``"ndcg@10(gain=linear, ties=stable)"``.

    Parameters
    ----------
    name : str or Measure
        A measure that ``gbrank measures`` lists, in any case; ``@k`` for a cutoff; rules in brackets as keywords.
        What ``str`` of a measure gives reads back as the same measure.  The names of trec_eval (``ndcg_cut_10``,
        ``P_5``, ``recip_rank``) and the spelling of ir_measures (``nDCG(dcg='exp-log2')@10``, ``AP(rel=2)``) are read
        as the measure of that name; what they leave open is said by `preset`.  A measure is returned with its rules
        changed.
    preset : str, optional
        The convention to start from: "default", or that of "letor", "mslr", "lightgbm", "xgboost", "xgboost-",
        "catboost", "sklearn", "trec", "ranx", "ir_measures".
    **rules : optional
        Fields of `gbrank.Convention` that differ from the preset.

    Raises
    ------
    ParameterError
        An unknown name, preset, field or value, a field on which the measure does not depend, or a rule of ties that
        it does not have.

    Notes
    -----
    P, R, AP and RR take labels from `relevant_from` up as relevant.  P@k divides by k however few documents a query
    has, R@k and AP@k by all of its relevant documents.  Exact expectations over ties are by McSherry and Najork
    (ECIR 2008), for others by the recursions in this package's source.

    Examples
    --------
    >>> print(measure("NDCG@10", ties="stable"))
    ndcg@10(ties=stable)
    >>> measure("ndcg@10(preset=letor)") == measure("ndcg@10", preset="letor")
    True
    """
    if isinstance(name, Measure):
        return _changed(name, preset, rules)
    spelt = _spelling.read(name)
    given = {"preset": preset, **rules} if preset is not None else rules
    wanted = _spelling.joined(spelt.rules, given, name)
    chosen = wanted.pop("preset", "default")
    start = _preset(chosen)
    _check_rules(spelt.head, wanted)
    return Measure(spelt.head, spelt.k, dataclasses.replace(start, **wanted), chosen)


def _changed(old: Measure, preset: str | None, rules: dict[str, Any]) -> Measure:
    _check_rules(old.name, rules)
    start = old.convention if preset is None else _preset(preset)
    chosen = old.preset if preset is None else preset
    return dataclasses.replace(old, convention=dataclasses.replace(start, **rules), preset=chosen)


def _preset(name: Any) -> Convention:
    if not isinstance(name, str) or name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name]


def _check_rules(head: str, rules: dict[str, Any]) -> None:
    definition = MEASURES[head]
    for field in rules:
        if field not in _spelling.FIELDS:
            raise unknown("rule of a measure", field, [*_spelling.FIELDS, "preset"])
        if field not in definition.uses:
            uses = ", ".join(definition.uses)
            raise ParameterError(f"{field}={rules[field]!r}: {head} does not depend on {field}, but on {uses}.")
    if rules.get("ties") == "expected" and "expected" not in definition.closed_forms:
        raise _no_such_ties(head, "expected")


def _no_such_ties(head: str, ties: str) -> ParameterError:
    closed = ", ".join(map(repr, MEASURES[head].closed_forms))
    why = "the mean over all orders of tied documents has no closed form" if ties == "expected" else "it has no meaning"
    return ParameterError(f"ties={ties!r}: {why} in {head}; choose one of {closed}, 'sampled'.")


def _ties(convention: Convention, definition: Definition) -> str:
    exact = convention.ties != "expected" or "expected" in definition.closed_forms or "ties" not in definition.uses
    return convention.ties if exact else "sampled"


def _fitted(convention: Convention, definition: Definition) -> Convention:
    """Return the convention with what the measure does not use at its default."""
    used = {field: getattr(convention, field) for field in definition.uses}
    return Convention(**used | ({"ties": _ties(convention, definition)} if "ties" in used else {}))
