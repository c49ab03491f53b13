"""`worst_losses`: the queries on which one run loses most to another, with their documents side by side."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import ParameterError, check_whole
from .._registry import unknown
from ..data import Qrels, RankingData, labels_of
from ..data._categories import decoded
from ..metrics import Measure
from ..metrics import measure as find_measure
from ._cuts import told_apart
from ._means import records
from ._measured import ROUNDING
from ._systems import Lists, as_lists

SHOWN = 10  # documents of each ranking that text and HTML show where the measure has no cutoff

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class WorstLosses:
    """The queries on which run `a` loses most to run `b`; made by `gbrank.worst_losses`.

    Attributes
    ----------
    a, b : str
        Names of the runs.
    measure : Measure
    queries : DataFrame of shape (n_shown, 4)
        Indexed by query id ("qid"), the greatest loss first: "value_a", "value_b", "loss" (above 0) and "documents",
        their number.
    documents : DataFrame
        All documents of these queries, those of a query by their rank in `b`: "qid", "doc_id" (or "row", as given,
        where there are no ids), "label", "rank_a", "rank_b", "score_a", "score_b", and the chosen features.  Documents
        of equal score share the better rank; what a run did not retrieve has none, and what the data do not have has
        no label.
    wins, ties, losses, skipped : int
        Number of all queries on which `a` is better, equal or worse, and of those that have no value.
    """

    a: str
    b: str
    measure: Measure
    queries: pd.DataFrame
    documents: pd.DataFrame
    wins: int
    ties: int
    losses: int
    skipped: int

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, `queries` and `documents` as plain values for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "measure": str(self.measure),
            "convention": self.measure.describe(),
            **{name: getattr(self, name) for name in ("wins", "ties", "losses", "skipped")},
            "queries": records(self.queries.reset_index()),
            "documents": records(self.documents),
        }

    def _head(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return (
            f"{self.measure}: {self.a} is better than {self.b} on {self.wins} queries, equal on {self.ties}, worse on "
            f"{self.losses}{skipped}."
        )

    def _pages(self) -> Iterator[tuple[str, pd.DataFrame, str]]:
        """Yield of each query what it is, its documents that matter, and how many others there are."""
        top = self.measure.k or SHOWN
        for qid, row in self.queries.iterrows():
            documents = self.documents[self.documents["qid"] == qid].drop(columns="qid")
            shown = documents[(documents[["rank_a", "rank_b"]] <= top).any(axis=1)]
            title = f"query {qid}: {self.a} {row['value_a']:.4f}, {self.b} {row['value_b']:.4f}, loss {row['loss']:.4f}"
            others = len(documents) - len(shown)
            ranked = f"{others} other documents that neither has in its first {top}" if others else ""
            yield title, _readable(shown, documents, self.a, self.b), ranked

    def to_html(self) -> str:
        """Return what `str` says, in HTML."""
        parts = [f"<p>{html.escape(self._head())}</p>"]
        for title, documents, others in self._pages():
            parts += [f"<h4>{html.escape(title)}</h4>", documents.to_html(index=False), f"<p>{others}</p>"]
        return "".join(parts)

    def __str__(self) -> str:
        lines = [self._head()]
        for title, documents, others in self._pages():
            lines += ["", title, documents.to_string(index=False), *([others] if others else [])]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def worst_losses(
    data: RankingData | Qrels,
    scores: Mapping[str, Any],
    a: str,
    b: str,
    measure: str | Measure = "ndcg@10",
    *,
    n: int = 10,
    features: Sequence[str] = (),
) -> WorstLosses:
    """Return the queries on which run `a` loses most to run `b`, with their documents side by side.

    Parameters
    ----------
    data : RankingData or Qrels
        With one label column.
    scores : mapping from run name to what `gbrank.evaluate` takes
    a, b : str
        Two of the names.
    measure : str or Measure
    n : int
        How many queries at most.
    features : sequence of str
        Names of features to show with each document.

    Raises
    ------
    DataError
        Scores that `gbrank.evaluate` would refuse.
    ParameterError
        An unknown run, measure or feature.

    Examples
    --------
    >>> data = RankingData([[0.0]] * 5, [0, 1, 1, 0, 0], qid=[1, 1, 2, 2, 2], doc_id=list("uvxyz"))
    >>> print(worst_losses(data, {"old": [1, 2, 3, 2, 1], "new": [1, 2, 1, 2, 3]}, "new", "old", "rr"))
    rr: new is better than old on 0 queries, equal on 1, worse on 1.
    <BLANKLINE>
    query 2: new 0.3333, old 1.0000, loss 0.6667
    rank in new rank in old doc_id label score of new score of old
              3           1      x     1            1            3
              2           2      y     0            2            2
              1           3      z     0            3            1
    """
    m = find_measure(measure)
    check_whole("n", n)
    for name in (a, b):
        if name not in scores:
            raise unknown("run", name, map(str, scores))
    if a == b:
        raise ParameterError(f"a, b: both are {a!r}; name two runs.")
    known = () if isinstance(data, Qrels) else data.feature_names
    for feature in features:
        if feature not in known:
            raise unknown("feature", feature, known)
    lists = [as_lists(data, scores[name], None, f"scores of run {name!r}", None) for name in (a, b)]
    value_a, value_b = (m(*each[:4]) for each in lists)
    loss = value_b - value_a if m.higher_is_better else value_a - value_b
    rounding = ROUNDING * np.nanmax(np.abs([value_a, value_b]), initial=0.0)
    worst = np.argsort(-loss, kind="stable")[: min(n, int((loss > rounding).sum()))]
    columns = {"value_a": value_a, "value_b": value_b, "loss": loss, "documents": data.query_sizes}
    queries = pd.DataFrame(columns, index=pd.Index(data.query_ids, name="qid")).iloc[worst]
    parts = [_documents(data, int(query), lists, features) for query in worst]
    documents = pd.concat(parts, ignore_index=True) if parts else _documents(data, 0, lists, features)[:0]
    masks = (loss < -rounding, np.abs(loss) <= rounding, loss > rounding, np.isnan(loss))
    return WorstLosses(a, b, m, queries, documents, *(int(mask.sum()) for mask in masks))


def _documents(data: RankingData | Qrels, query: int, lists: Sequence[Lists], features: Sequence[str]) -> pd.DataFrame:
    """Return the documents of a query: those of the data, then those that only a run has."""
    rows = np.arange(data.query_ptr[query], data.query_ptr[query + 1])
    scores = [_scores(data, query, each) for each in lists]
    others = [key for key in dict.fromkeys(key for each in scores for key in each) if isinstance(key, str)]
    keys = [*range(len(rows)), *others]
    unknown = np.full(len(others), np.nan)
    column: dict[str, Any] = {"qid": data.query_ids[query]}
    if data.doc_id is None:
        column["row"] = data.order[rows]
    else:
        column["doc_id"] = [*data.doc_id[rows].tolist(), *others]
    y = data.label if isinstance(data, Qrels) else labels_of(data)
    column["label"] = np.append(y[rows], unknown)
    found = [np.array([each.get(key, np.nan) for key in keys]) for each in scores]
    column |= {"rank_a": _ranks(found[0]), "rank_b": _ranks(found[1]), "score_a": found[0], "score_b": found[1]}
    for feature in features:
        assert isinstance(data, RankingData)
        values = data.X[rows][:, [data.feature_names.index(feature)]]
        values = np.asarray(values.toarray() if hasattr(values, "toarray") else values)[:, 0]
        if feature in data.categories:
            values = decoded(values, data.categories[feature])
        column[feature] = np.append(values, unknown) if others else values
    return pd.DataFrame(column).sort_values(["rank_b", "rank_a"], kind="stable")


def _scores(data: RankingData | Qrels, query: int, lists: Lists) -> dict[int | str, float]:
    """Return the score of each retrieved document, by its place in the query of the data, or else its id."""
    rows = slice(lists.query_ptr[query], lists.query_ptr[query + 1])
    start, scores, places = int(data.query_ptr[query]), lists.score[rows].tolist(), lists.row[rows].tolist()
    names = places if lists.doc_id is None else lists.doc_id[rows].tolist()
    keys = [place - start if place >= 0 else str(name) for place, name in zip(places, names, strict=True)]
    return {key: score for key, score in zip(keys, scores, strict=True) if score > -np.inf}


def _ranks(score: Vector) -> Any:
    """Return ranks from 1, of which documents of equal score share the better one; missing where there is no score."""
    there = ~np.isnan(score)
    rising = np.sort(score[there])
    rank = pd.array(1 + len(rising) - np.searchsorted(rising, score, side="right"), dtype="Int64")
    rank[~there] = pd.NA
    return rank


def _readable(shown: pd.DataFrame, documents: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Return the documents with the runs' names in the columns, and ``=`` after a rank that documents share."""
    page = pd.DataFrame(index=shown.index)
    for column, run in (("rank_a", a), ("rank_b", b)):
        marks = np.where(documents[column].duplicated(keep=False), "=", "")
        page[f"rank in {run}"] = (documents[column].astype(str) + marks).where(documents[column].notna(), "")[
            shown.index
        ]
    rest = shown.drop(columns=["rank_a", "rank_b"]).rename(
        columns={"score_a": f"score of {a}", "score_b": f"score of {b}"}
    )
    for name, values in rest.items():
        text = told_apart(values.dropna().tolist(), digits=4) if values.dtype.kind == "f" else {}
        page[str(name)] = values.map(text).fillna("") if text else values
    return page
