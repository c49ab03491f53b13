"""`report`: everything about a ranker in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..data import LetorFold, RankingData
from ..metrics import Measure
from ..rankers import CalibratedRanker, GBRanker
from ._gather import gather
from ._report import Report


def report(
    path: str | os.PathLike[str],
    ranker: GBRanker | CalibratedRanker,
    data: RankingData | LetorFold | Mapping[str, RankingData],
    *,
    measures: str | Measure | Sequence[str | Measure] = ("ndcg@1", "ndcg@5", "ndcg@10"),
    runs: Mapping[str, Any] | None = None,
    title: str | None = None,
    tuning: Any = None,
    extra: Mapping[str, Any] | None = None,
    date: datetime | None = None,
    n_jobs: int | None = None,
) -> Report:
    """Write an HTML page about a ranker: results, meaning of scores, training, queries, features, data, parameters.

    The page is one file that refers to nothing outside itself.

    Parameters
    ----------
    path : str or path
        The file to write; an existing one is replaced only when the new one is whole.
    ranker : GBRanker or CalibratedRanker
        Fitted.  Where it states probabilities of grades, they are held against the labels.
    data : RankingData, LetorFold, or mapping from name to RankingData
        What to evaluate on, as ``{"train": ..., "vali": ..., "test": ...}``.  The last is the one that queries are
        shown of.
    measures : str, Measure, or sequence of them
        As `gbrank.measure` reads them.  The ranker's own measure is added where it is missing.
    runs : mapping from name to scores or fitted ranker, optional
        What to compare with on the last data set: scores in its row order, or rankers.
    title : str, optional
    tuning : TuneResult, optional
        How the parameters were found, by `gbrank.tune`; or anything that `extra` takes.
    extra : mapping from title to content, optional
        Further sections: a text, a list of texts, a mapping, a DataFrame or a matplotlib Figure each.
    date : datetime, optional
        The date that the page states; now by default.
    n_jobs : int, optional
        Threads of evaluation; all cores by default.

    Returns
    -------
    Report
        Prints as text; `to_html` is the page.

    Raises
    ------
    NotFittedError
        The ranker is not fitted.
    DataError
        Data that the ranker or a measure cannot use, or a folder that does not exist.
    ParameterError
        Another kind of ranker, an unknown measure, a run with the ranker's name, or content that cannot be shown.
    """
    made = gather(
        ranker,
        data,
        measures=measures,
        runs=runs,
        title=title,
        tuning=tuning,
        extra=extra,
        date=date,
        n_jobs=n_jobs,
    )
    made.save(path)
    return made
