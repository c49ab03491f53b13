"""Query-document pairs: numbering and finding them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray
from ..data import RankingData

Ids = npt.NDArray[Any]
Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def document_ids(data: RankingData) -> Ids:
    """Return the document id of each row of `data`, or its row number as given where there are none."""
    return data.order if data.doc_id is None else data.doc_id


def pairs_of(data: RankingData) -> tuple[Ids, Ids]:
    """Return the query id and the document id of each row of `data`, see `document_ids`.

    Raises
    ------
    DataError
        A document stands twice in a query.
    """
    query, document = data.qid, document_ids(data)
    code, firsts = number_pairs(query, document)
    if len(firsts) < len(code):
        row = int(np.setdiff1d(np.arange(len(code)), firsts)[0])
        raise DataError(
            f"doc_id: query {query[row]!s} has the document {document[row]!s} twice; keep one, so that clicks "
            "belong to it."
        )
    return query, document


def number_pairs(query: Ids, document: Ids) -> tuple[IntArray, IntArray]:
    """Return the number of each row's pair, in order of first appearance, and the first row of each pair."""
    import pandas as pd

    codes = [pd.factorize(ids if ids.dtype.kind == "i" else ids.astype(object))[0] for ids in (query, document)]
    both = codes[0].astype(np.int64) * (int(codes[1].max(initial=0)) + 1) + codes[1]
    pair, _ = pd.factorize(both)
    number = pair.astype(np.int64)
    firsts = np.empty(int(number.max(initial=-1)) + 1, np.int64)
    firsts[number[::-1]] = np.arange(len(number))[::-1]
    return number, firsts


def match_pairs(known: tuple[Ids, Ids], wanted: tuple[Ids, Ids]) -> IntArray:
    """Return the row of `known`, pairs that are distinct, where each of `wanted` stands, -1 where none does.

    Ids of two kinds are compared as strings.
    """
    sides = [_alike(a, b) for a, b in zip(known, wanted, strict=True)]
    number, firsts = number_pairs(*(np.concatenate(side) for side in sides))
    n = len(known[0])
    return np.where(firsts < n, firsts, -1)[number[n:]]


def _alike(one: Ids, other: Ids) -> tuple[Ids, Ids]:
    if one.dtype.kind == other.dtype.kind:
        return one, other
    return one.astype(str), other.astype(str)
