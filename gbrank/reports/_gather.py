"""`gather`: a ranker and its data to a `Report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..data import LetorFold, RankingData
from ..metrics import Measure
from ..rankers import CalibratedRanker, GBRanker
from ._calibration import meaning
from ._cautions import cautions
from ._content import block
from ._data import data_section
from ._document import Section
from ._material import Material, collect
from ._model import features, parameters, subject, training, versions
from ._position_bias import bias_sections
from ._queries import queries
from ._report import Report
from ._results import headlines, results
from ._tuning import tuning_section


def gather(
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
    """Return the report of a ranker without writing it; see `gbrank.report` for the parameters."""
    # What cannot be shown is refused before time is spent on scores.
    others = [] if tuning is None else [tuning_section(tuning)]
    others += [Section(str(name), ((block(str(name), content),),)) for name, content in (extra or {}).items()]
    material = collect(ranker, data, measures, runs, n_jobs, tuning)
    sections = [section(material) for section in (results, meaning, training)]
    sections += bias_sections(material)
    sections += [section(material) for section in (queries, features, data_section, parameters)]
    return Report(
        title=title or f"Ranking report: {type(ranker).__name__}",
        subject=f"{subject(material)}. {seen(material)}.",
        date=date or datetime.now().astimezone(),
        headlines=headlines(material),
        cautions=cautions(material),
        sections=(*sections, *others, versions(material)),
        evaluations=material.evaluations,
        comparison=material.comparison,
        importances=material.importances,
        calibrations=material.calibrations,
    )


def seen(material: Material) -> str:
    """Return the data sets in a line."""
    return "; ".join(
        f"{name}: {data.n_queries:,} queries, {data.n_documents:,} documents" for name, data in material.sets.items()
    )
