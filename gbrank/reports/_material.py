"""What a report is written from: a ranker, its data sets, and everything computed from them, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError, ParameterError, as_vector
from ..data import Description, LetorFold, RankingData, describe
from ..evaluation import Calibration, Evaluation, calibration, evaluate
from ..explain import importances
from ..metrics import Measure, measure
from ..rankers import CalibratedRanker, GBRanker

THIS = "this ranker"

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Material:
    """A ranker and what it does on each data set; made by `collect`.

    Attributes
    ----------
    ranker : GBRanker
        That of the trees.
    predictor : GBRanker or CalibratedRanker
        What was given: the ranker, or its calibration.
    sets : dict of str to RankingData
        The last is the one that queries are shown of and that runs are compared on.
    descriptions : dict of str to Description
    scores : dict of str to float64 array
        The ranker's, for each data set.
    evaluations : dict of str to Evaluation
        Of the ranker, for each data set.
    runs : dict of str to float64 array
        Scores of other runs on the last data set.
    comparison : Evaluation or None
        Of `THIS` and the runs, on the last data set.
    importances : DataFrame
        As `gbrank.importances`.
    calibrations : dict of str to Calibration
        Of each data set; empty where the predictor states no probabilities of grades.
    tuning : TuneResult or None
        That of the ranker, where it is known.
    """

    ranker: GBRanker
    predictor: Any
    sets: dict[str, RankingData]
    descriptions: dict[str, Description]
    scores: dict[str, Scores]
    evaluations: dict[str, Evaluation]
    runs: dict[str, Scores]
    comparison: Evaluation | None
    importances: pd.DataFrame
    calibrations: dict[str, Calibration]
    tuning: Any = None

    @property
    def last(self) -> str:
        """Name of the last data set."""
        return list(self.sets)[-1]

    @cached_property
    def summaries(self) -> dict[str, dict[str, dict[str, float]]]:
        """Data set, measure and column of `Evaluation.summary` to the figure."""
        return {name: each.summary().T.to_dict() for name, each in self.evaluations.items()}  # type: ignore[misc]

    @property
    def measure(self) -> Measure:
        """The measure that the ranker was trained by."""
        return self.ranker.measure_

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All measures reported."""
        return self.evaluations[self.last].measures


def collect(
    predictor: GBRanker | CalibratedRanker,
    data: RankingData | LetorFold | Mapping[str, RankingData],
    measures: str | Measure | Sequence[str | Measure],
    runs: Mapping[str, Any] | None,
    n_jobs: int | None,
    tuning: Any = None,
) -> Material:
    """Return the material of a report; see `gbrank.report` for the parameters and errors."""
    ranker = ranker_of(predictor)
    sets = named_sets(data)
    chosen = with_own_measure(measures, ranker.measure_)
    scores = {name: predictor.predict(each) for name, each in sets.items()}
    evaluations = {name: evaluate(each, scores[name], chosen, n_jobs=n_jobs) for name, each in sets.items()}
    last = list(sets)[-1]
    others = other_runs(runs or {}, sets[last])
    both = {THIS: scores[last], **others}
    return Material(
        ranker=ranker,
        predictor=predictor,
        sets=sets,
        descriptions={name: describe(each) for name, each in sets.items()},
        scores=scores,
        evaluations=evaluations,
        runs=others,
        comparison=evaluate(sets[last], both, chosen, n_jobs=n_jobs) if others else None,
        importances=importances(ranker),
        calibrations=calibrations(predictor, sets),
        tuning=tuning if is_of(tuning, ranker) else None,
    )


def ranker_of(predictor: Any) -> GBRanker:
    """Return the ranker whose trees a predictor uses, fitted."""
    if not isinstance(predictor, GBRanker | CalibratedRanker):
        raise ParameterError(
            f"ranker: a {type(predictor).__name__} has no report; give a GBRanker or a CalibratedRanker of one."
        )
    predictor._require_fitted()
    ranker = predictor.ranker_ if isinstance(predictor, CalibratedRanker) else predictor
    return ranker_of(ranker) if ranker is not predictor else ranker


def calibrations(predictor: Any, sets: Mapping[str, RankingData]) -> dict[str, Calibration]:
    """Return how well probabilities hold on each data set, if the predictor states any."""
    if not hasattr(predictor, "predict_above"):
        return {}
    return {name: calibration(each, predictor) for name, each in sets.items()}


def is_of(tuning: Any, ranker: GBRanker) -> bool:
    """Tell whether a `TuneResult` is how the ranker was found: the rounds of the best trial are its own."""
    best = getattr(tuning, "best_rounds", None)
    return best is not None and ranker.early_stopping_rounds is None and ranker.n_estimators == best


def named_sets(data: RankingData | LetorFold | Mapping[str, RankingData]) -> dict[str, RankingData]:
    """Return data sets by name; a single one is called "data"."""
    data = data._asdict() if isinstance(data, LetorFold) else data
    sets = {"data": data} if isinstance(data, RankingData) else {str(name): each for name, each in data.items()}
    if not sets:
        raise DataError("data: the mapping is empty; give at least one RankingData.")
    for name, each in sets.items():
        if not isinstance(each, RankingData):
            raise DataError(f"data[{name!r}]: give a RankingData, not {type(each).__name__}.")
    return sets


def with_own_measure(measures: str | Measure | Sequence[str | Measure], own: Measure) -> list[Measure]:
    """Return the measures, and the ranker's own after them where it is not among them."""
    chosen = [measure(each) for each in ([measures] if isinstance(measures, str | Measure) else measures)]
    return chosen if own in chosen else [*chosen, own]


def other_runs(runs: Mapping[str, Any], data: RankingData) -> dict[str, Scores]:
    """Return the scores of each run."""
    scores = {}
    for name, given in runs.items():
        if str(name) == THIS:
            raise ParameterError(f"runs: {THIS!r} is the name of the ranker itself; choose another.")
        score = given.predict(data) if callable(getattr(given, "predict", None)) else given
        scores[str(name)] = as_vector(f"scores of run {name!r}", score, length=data.n_documents)
    return scores


def document_name(data: RankingData, row: int) -> str:
    """Return a document's id, or its row as it was given."""
    return f"row {data.order[row]}" if data.doc_id is None else str(data.doc_id[row])
