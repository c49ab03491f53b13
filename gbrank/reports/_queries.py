"""Best and worst queries, with what the ranker put first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..data import RankingData
from ._document import Block, Document, Section, Table, Text, fixed
from ._material import Material, document_name
from ._reasons import reasons

WORST, BEST, TOP = 10, 5, 5

Vector = npt.NDArray[np.float64]


def queries(material: Material) -> Section:
    """Return the section of best and worst queries of the last data set."""
    data, score = material.sets[material.last], material.scores[material.last]
    values: Vector = np.asarray(material.evaluations[material.last].values(material.measure), dtype=np.float64)
    name, measure = material.last, material.measure
    worst, best = worst_and_best(data, values if measure.higher_is_better else -values)
    if not worst:
        return Section("Queries", ((Text(f"No query of {name} has several labels and a value of {measure}."),),))
    unnamed = (
        ""
        if data.doc_id is not None
        else (" Documents have no ids and are called by their row in the data given; the first is row 0.")
    )
    tables = [
        Table(
            f"Worst queries of {name} by {measure}",
            (
                "query",
                str(measure),
                "documents",
                "documents of each label",
                "best at rank",
                f"first {TOP} documents (label, id)",
            ),
            tuple(row(data, score, values, query, rank=True) for query in worst),
            note="Best at rank: where the first document of the "
            "query's highest label stands; a span where equal scores leave it open. Of queries of equal value the "
            "larger stands first." + unnamed,
        ),
        Table(
            f"Best queries of {name} by {measure}",
            ("query", str(measure), "documents", "documents of each label", f"first {TOP} documents (label, id)"),
            tuple(row(data, score, values, query, rank=False) for query in best),
            note="Queries whose documents all have one label are in neither table: any order of them is right.",
        ),
    ]
    blocks = [tables[0], reasons(material, worst), tables[1]]
    return Section("Queries", tuple((block,) for block in blocks if block is not None and shown(block)))


def shown(block: Block) -> bool:
    """Tell whether a block has anything to show."""
    return not isinstance(block, Table) or bool(block.rows)


def worst_and_best(data: RankingData, values: Vector) -> tuple[list[int], list[int]]:
    """Return the queries of lowest value, lowest first, and those of highest, highest first; of equal ones the larger.

    A query of which all documents have one label is not eligible, nor is one in both lists.
    """
    starts = data.query_ptr[:-1]
    several = np.maximum.reduceat(data.y, starts) > np.minimum.reduceat(data.y, starts)
    chosen = np.flatnonzero(several & ~np.isnan(values))
    size, value, half = -data.query_sizes[chosen], values[chosen], len(chosen) // 2
    worst = chosen[np.lexsort((size, value))][: min(WORST, len(chosen) - half)].tolist()
    best = [query for query in chosen[np.lexsort((size, -value))].tolist() if query not in worst]
    return worst, best[: min(BEST, half)]


def row(
    data: RankingData, score: Vector, values: Vector, query: int, *, rank: bool
) -> tuple[str | tuple[Document, ...], ...]:
    """Return the row of a query."""
    rows = np.arange(data.query_ptr[query], data.query_ptr[query + 1])
    y = data.y[rows] + 0.0  # no "-0"
    labels, counts = np.unique(y, return_counts=True)
    parts = [
        f"{count} × label {label:g}" for label, count in zip(labels[::-1].tolist(), counts[::-1].tolist(), strict=True)
    ]
    text = ", ".join(parts[:6]) + (", …" if len(parts) > 6 else "")
    first = np.argsort(-score[rows], kind="stable")[:TOP].tolist()
    documents = tuple(Document(f"{y[place]:g}", document_name(data, int(rows[place]))) for place in first)
    head = (str(data.query_ids[query]), fixed(values[query]), f"{len(rows):,}", text)
    return (*head, rank_of_best(y, score[rows]), documents) if rank else (*head, documents)


def rank_of_best(y: Vector, score: Vector) -> str:
    """Return the rank of the first document of the highest label; a span where tied documents leave it open.

    Examples
    --------
    >>> rank_of_best(np.array([0, 2, 1]), np.array([0.9, 0.1, 0.5]))
    '3'
    >>> rank_of_best(np.array([0, 0, 2, 2]), np.array([0.9, 0.5, 0.5, 0.5]))
    '2–3'
    """
    best = y == y.max()
    reached = score[best].max()
    above, tied = int((score > reached).sum()), int((score == reached).sum())
    last = above + tied - int((best & (score == reached)).sum()) + 1
    return f"{above + 1}" if last == above + 1 else f"{above + 1}–{last}"
