"""Several measures of the same lists: each query is ranked once for all measures that agree about ties."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError, as_vector
from .._compile import list_pointer
from .._groups import check_query_ptr
from ._convention import Vector
from ._definitions import Definition
from ._ranking import ALL, SIGNATURE, each_list
from ._values import is_unjudged
from ._walk import NONE, Ranking, Step, in_float32, placed_scores, tied_rows, walk
from ._yours import own_pointer, plain_form

T = TypeVar("T")

GROUPED = ("expected", "sampled")
VALUED = ("gain", "relevant_from", "max_grade", "unjudged", "alpha")  # the rules on which values depend


class Task(NamedTuple):
    """A measure, its rules as far as it uses them, and the name by which errors call it."""

    definition: Definition
    rules: Any
    ties: str
    k: int
    name: str

    @property
    def depth(self) -> int:
        """How many places must be ranked."""
        return ALL if self.definition.whole else self.k

    @property
    def order(self) -> tuple[str, bool]:
        """What the order depends on: rule of ties, and whether unjudged documents leave the list."""
        grouped = self.ties in GROUPED or "ties" not in self.definition.uses
        return "grouped" if grouped else self.ties, self.removes

    @property
    def removes(self) -> bool:
        """Whether unjudged documents leave the list."""
        return "unjudged" in self.definition.uses and self.rules.unjudged == "removed"


@dataclass(frozen=True)
class Prepared:
    """A task with all that is known before anything is ranked: the values of `columns` will stand in `found`."""

    task: Task
    key: Any
    columns: Any
    steps: list[Step]
    found: Any


class Batch:
    """Labels and scores on which measures are computed, sharing ranks and values."""

    def __init__(
        self, y: npt.ArrayLike, score: npt.ArrayLike, query_ptr: npt.ArrayLike, doc_id: npt.ArrayLike | None,
        aspects: npt.ArrayLike | None, n_jobs: int | None,
    ) -> None:  # fmt: skip
        self.n_jobs = n_jobs
        self.y = _own(as_vector("y", y))
        self.score = _own(placed_scores(score, len(self.y)))
        self.query_ptr = _own(check_query_ptr(query_ptr, len(self.y)))
        self.sizes = np.diff(self.query_ptr)
        self.doc_id = None if doc_id is None else np.asarray(doc_id)
        if self.doc_id is not None and self.doc_id.shape != self.y.shape:
            raise DataError(f"doc_id: shape {self.doc_id.shape} for {len(self.y)} documents; give one id for each.")
        self.aspects = None if aspects is None else _table(aspects, len(self.y))
        self.unjudged = is_unjudged(self.y) if len(self.y) and self.y.min() < 0 else np.zeros(0, np.bool_)
        if not self.unjudged.any():
            self.unjudged = np.zeros(0, np.bool_)
        self._kept: dict[Any, Any] = {}

    def values(self, tasks: list[Task]) -> Any:
        """Return one number for each query and task, NaN where the query is skipped."""
        if len(self.sizes) == 0:
            return np.empty((0, len(tasks)))
        prepared = [self._prepared(task) for task in tasks]
        together: dict[Any, list[Prepared]] = {}
        for each in prepared:
            together.setdefault((each.task.order, each.key if each.task.order[0] == "worst" else None), []).append(each)
        for group in together.values():
            depth = max(each.task.depth for each in group)
            steps = [step for each in group for step in each.steps]
            walk(self.query_ptr, self._ranking(group[0], depth), depth, steps, self.n_jobs)
        return np.column_stack([self._finished(each) for each in prepared])

    def _finished(self, prepared: Prepared) -> Vector:
        """Return the values with the rules applied that concern whole queries."""
        definition, rules, found = prepared.task.definition, prepared.task.rules, prepared.found
        values = np.asarray(found.sum(axis=0) if definition.combine is None else definition.combine(found))
        values[self.missing] = np.nan if rules.missing_queries == "skip" else 0
        if "no_relevant" in definition.uses:
            empty = np.isnan(values) & ~self.missing
            if definition.graded:
                empty |= self._kept_as(("empty", prepared.key), lambda: self._empty(prepared.columns))
            values[empty] = np.nan if rules.no_relevant == "skip" else rules.no_relevant
        if rules.single_document == "skip":
            values[self.sizes == 1] = np.nan
        return values

    def _empty(self, columns: Any) -> Any:
        """Tell which queries have nothing relevant."""
        highest = columns[0] if len(columns) == 1 else columns.max(axis=0)
        return np.maximum.reduceat(highest, self.query_ptr[:-1]) <= 0

    @functools.cached_property
    def missing(self) -> Any:
        """Queries of which no document was retrieved."""
        if not np.isneginf(self.score.min()):
            return np.zeros(len(self.sizes), np.bool_)
        return np.isneginf(np.maximum.reduceat(self.score, self.query_ptr[:-1]))

    def _check_single(self, task: Task) -> None:
        if task.rules.single_document == "refuse" and (self.sizes == 1).any():
            query = int(np.argmax(self.sizes == 1))
            raise DataError(
                f"query {query} has one document, which {task.name} refuses; leave it out, or give "
                "single_document='as_is' or 'skip'."
            )

    def _value(self, task: Task) -> tuple[Any, Vector]:
        """Return what each document is worth, kept for measures of the same values, and the key by which it is kept."""
        definition = task.definition
        used = tuple(getattr(task.rules, field) for field in VALUED if field in definition.uses)
        key = (definition.value, *used)
        make = self._value_of_aspects if definition.aspects else self._judged_value
        return key, self._kept_as(key, lambda: make(task))

    def _value_of_aspects(self, task: Task) -> Vector:
        if self.aspects is None:
            needed = task.definition.aspects
            raise ParameterError(f"{task.name} needs aspects: an array (n_documents, n_aspects), each entry {needed}.")
        return task.definition.value(self.aspects, task.rules, task.name)

    def _judged_value(self, task: Task) -> Vector:
        if "unjudged" not in task.definition.uses or not len(self.unjudged):
            return task.definition.value(self.y, task.rules, task.name)
        if task.rules.unjudged == "refuse":
            row = int(np.argmax(self.unjudged))
            raise DataError(
                f"y: row {row} is {self.y[row]:g}, which means unjudged, and {task.name} refuses it; judge the "
                "document, or give unjudged='not_relevant' or 'removed'."
            )
        value = np.zeros(len(self.y))
        known = ~self.unjudged
        if known.any():  # of the others, any label that is there stands in, so that errors name the right row
            value = task.definition.value(np.where(known, self.y, self.y[known][0]), task.rules, task.name)
            value = np.where(known, value, 0.0)
        return value

    def _norm(self, task: Task, value_key: Any, value: Vector) -> Vector:
        norm = task.definition.norm
        if norm is None:
            return self._kept_as("no norm", lambda: np.ones(len(self.sizes)))
        key = (norm, value_key, task.k, task.rules.discount, task.rules.short_list, task.rules.beta)
        return self._kept_as(key, lambda: norm(value, self.query_ptr, task.rules, task.k, self.n_jobs))

    def _prepared(self, task: Task) -> Prepared:
        definition, rules = task.definition, task.rules
        self._check_single(task)
        key, value = self._value(task)
        norm = self._norm(task, key, value)
        columns = np.atleast_2d(value)
        found = np.empty((len(columns), len(self.sizes)))
        run, of_list = compiled(definition)
        table = definition.table(rules, min(task.k, int(self.sizes.max()))) if definition.table else NONE
        samples = rules.tie_samples if task.ties == "sampled" else 0
        after = (definition.whole, task.k, norm, table, samples, rules.tie_seed % 2**63)
        steps = [Step(run, (of_list,), (column, *after, out)) for column, out in zip(columns, found, strict=True)]
        return Prepared(task, key, columns, steps, found)

    def _ranking(self, prepared: Prepared, depth: int) -> Ranking:
        task, score = prepared.task, self.score
        rule = task.order[0]
        if rule == "trec":
            score = in_float32(score)
        ranking = Ranking(score, split=rule != "grouped")
        if task.removes and len(self.unjudged):
            ranking = ranking._replace(score=np.where(self.unjudged, -np.inf, score), known=~self.unjudged)
        if rule == "worst":
            return ranking._replace(key=prepared.columns[0])
        if rule == "reversed":
            return ranking._replace(key=-np.arange(len(score), dtype=np.float64))
        return ranking._replace(key=self._by_id(ranking, depth)) if rule == "trec" else ranking

    def _by_id(self, ranking: Ranking, depth: int) -> Vector:
        """Return numbers by which tied documents stand by their ids, descending; only theirs are compared."""
        rows = tied_rows(self.query_ptr, ranking._replace(split=False), depth, self.n_jobs)
        ids = rows.astype(str) if self.doc_id is None else self.doc_id[rows].astype(str)
        key = np.zeros(len(self.y))
        key[rows] = -np.unique(ids, return_inverse=True)[1]
        return key

    def _kept_as(self, key: Any, make: Callable[[], T]) -> T:
        if key not in self._kept:
            self._kept[key] = make()
        kept: T = self._kept[key]
        return kept


def _table(aspects: npt.ArrayLike, length: int) -> Any:
    """Return the table of aspects with a row for each document, after checking it; a vector is one column."""
    try:
        table = np.asarray(aspects, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"aspects: every entry must be a number ({error}).") from None
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != length or table.shape[1] == 0:
        raise DataError(
            f"aspects: shape {table.shape} for {length} documents; give a row for each, a column an aspect."
        )
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise DataError(f"aspects: row {row}, column {column} is {table[row, column]}; give a finite number.")
    return table


def _own(array: Any) -> Any:
    """Return a writeable array: kernels are compiled once more for read-only ones, which pandas likes to give."""
    return np.require(array, requirements=["W"])


def compiled(definition: Definition) -> tuple[Any, Any]:
    """Return the kernel that goes through the lists, and the list function that it calls."""
    if definition.own is None:
        return each_list, pointer(definition.of_list)
    made = own_pointer(definition.of_list, definition.own)
    if made is not None:
        return each_list, made
    return each_list.py_func, plain_form(definition.of_list, definition.own)  # type: ignore[attr-defined]


@functools.cache
def pointer(of_list: Any) -> Any:
    """Return a list function as machine code."""
    return list_pointer(of_list, SIGNATURE)
