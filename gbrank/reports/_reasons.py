"""Why, in the worst queries, the document ranked first stands above a better one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._checks import ParameterError
from ..explain import contributions
from ._document import Block, Document, Table, Text, fixed
from ._material import Material, document_name

MOST, FEATURES = 5, 3
Wrong = tuple[int, int, int]


def reasons(material: Material, queries: list[int]) -> Block | None:
    """Return what put the first documents of some queries there, or None if all are right.

    A model of several outputs has none, either: the score is no sum of contributions there.
    """
    wrong = [found for query in queries if (found := misplaced(material, query))][:MOST]
    if not wrong or material.ranker.model_.n_outputs > 1:
        return None
    data = material.sets[material.last]
    rows = [row for first, better, _ in wrong for row in (first, better)]
    try:
        explained = contributions(material.ranker, data, rows=rows)
    except ParameterError as error:
        return Text(f"Why the first documents of these queries stand there is not known: {error}")
    lines = []
    for number, (first, better, rank) in enumerate(wrong):
        query = int(np.searchsorted(data.query_ptr, first, side="right")) - 1
        table = explained.difference(2 * number, 2 * number + 1)
        gap = fixed(float(table["difference"].sum()), 3, sign=True)
        both = tuple(Document(f"{data.y[row]:g}", document_name(data, row)) for row in (first, better))
        lines.append((str(data.query_ids[query]), both, f"{rank:,}", gap, told(table)))
    return Table(
        f"Why the first is first, in the worst queries of {material.last}",
        ("query", "first, and a better one", "which is at rank", "score between", "what put the first above"),
        tuple(lines),
        note=f"The better one is the highest of the query's highest label. Of each, the {FEATURES} features that add "
        "most to the score of the first beyond that of the better one (Shapley values of the trees), with what they "
        "add and, in brackets, their values in the first and in the better one.",
    )


def misplaced(material: Material, query: int) -> Wrong | None:
    """Return the row ranked first, the highest row of the highest label and its rank, where that is another label."""
    data, score = material.sets[material.last], material.scores[material.last]
    start, end = data.query_ptr[query], data.query_ptr[query + 1]
    order = start + np.argsort(-score[start:end], kind="stable")
    rank = int(np.argmax(data.y[order]))
    return None if data.y[order[rank]] == data.y[order[0]] else (int(order[0]), int(order[rank]), rank + 1)


def told(table: pd.DataFrame) -> str:
    """Return the features that count most for the first document, in words."""
    head = table[table["difference"] > 0].head(FEATURES)
    return "; ".join(
        f"{name} {row.difference:+.3f} ({value(row.value_a)}, {value(row.value_b)})"
        for name, row in zip(head.index, head.itertuples(index=False), strict=True)
    ) or "no feature: they are tied"  # fmt: skip


def value(given: Any) -> str:
    """Return the value of a feature as text: a category as it is."""
    return f"{given:.4g}" if isinstance(given, float) else str(given)
