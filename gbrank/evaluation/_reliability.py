"""`calibration`: whether the probabilities of grades that a ranker states are those that new queries show."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from .._checks import DataError, IntArray, ParameterError, check_confidence
from ..data import RankingData
from ._calibration import Scored, brier_score, expected_calibration_error, log_loss, reliability_curve
from ._means import records

Vector = npt.NDArray[np.float64]
ROUNDING = 1e-9  # by which sums of probabilities may miss 0 or 1
HISTOGRAM = 25


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """How well probabilities hold; made by `calibration`.

    Attributes
    ----------
    table : DataFrame
        One row for each event, "label >= 1" and so on.  Columns: share (of documents with the event), mean (of their
        probabilities), ece, ece_by_chance (the ECE to be expected of right probabilities on as many documents, whose
        labels hang together within queries as they do here), brier = miscalibration - resolution + uncertainty +
        within, log_loss (natural logarithm; infinite where what was given probability 0 did happen).
    curves : dict of str to DataFrame
        For each event the bins: as `reliability_curve`, and target_low and target_high, the ends of the interval of
        the target.
    histograms : dict of str to DataFrame
        For each event the number of documents in 25 bins of equal width, from 0 to the highest probability: low, high,
        documents.
    n_documents, n_queries : int
    n_bins, bins, confidence
        The arguments of `calibration`.

    Notes
    -----
    The three terms after Murphy (Journal of Applied Meteorology 12, 1973) are, over bins b of weight w, mean
    probability p and mean target t: miscalibration sum w (p - t)^2, resolution sum w (t - mean)^2 and uncertainty
    mean (target - mean)^2, the Brier score of the mean itself.  ``within`` is what they leave, for probabilities differ
    within a bin (Stephenson, Coelho and Jolliffe, Weather and Forecasting 23, 2008).
    """

    table: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    histograms: dict[str, pd.DataFrame]
    n_documents: int
    n_queries: int
    n_bins: int
    bins: str
    confidence: float

    @property
    def events(self) -> tuple[str, ...]:
        """What the probabilities are of."""
        return tuple(self.table.index)

    @property
    def note(self) -> str:
        """The sentence that says what the numbers are of."""
        kind = "equal weight" if self.bins == "mass" else "equal width"
        return (
            f"{self.n_documents:,} documents of {self.n_queries:,} queries, each document counting once unless it is "
            f"weighted; ECE and the terms of the Brier score over {self.n_bins} bins of {kind}; intervals of "
            f"{self.confidence:.0%} take documents of a query for dependent."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; None for NaN and infinity."""
        return {
            "note": self.note,
            "events": _finite(self.table.reset_index()),
            "curves": {event: _finite(curve) for event, curve in self.curves.items()},
            "histograms": {event: _finite(counts) for event, counts in self.histograms.items()},
        }

    def to_html(self) -> str:
        """Return what `str` says, in HTML."""
        return f"{self.table.to_html(float_format='{:.4f}'.format)}<p>{html.escape(self.note)}</p>"

    def __str__(self) -> str:
        return f"{self.table.to_string(float_format='{:.4f}'.format)}\n{self.note}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()


def calibration(
    data: RankingData,
    p: Any,
    *,
    relevant_from: float | None = None,
    n_bins: int = 10,
    bins: str = "mass",
    sample_weight: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Calibration:
    """Hold probabilities of grades against the labels of queries that the ranker has not seen.

    Parameters
    ----------
    data : RankingData
        With one label column.
    p : fitted ranker, or array-like of shape (n_documents,) or (n_documents, n_grades)
        A ranker with `predict_above`; or P(label >= relevant_from) of each document; or the probability of each grade,
        as `predict_proba` gives it for several grades.
    relevant_from : float, optional
        The label that the event begins with.  By default all grades of the ranker or array from 1 up, an event each;
        for a ranker that tells relevant documents only, the one it was trained for; 1 for one probability a document.
    n_bins, bins
        As in `reliability_curve`; "mass" by default, since most probabilities of high grades are small.
    sample_weight : array-like of shape (n_documents,), optional
        What each document counts, 1 by default.  The data's own weights are not read.
    confidence : float
        Of the intervals of the bins' targets.

    Returns
    -------
    Calibration

    Raises
    ------
    DataError
        Several label columns, other than one row for each document, or a number that is no probability.
    ParameterError
        A ranker without probabilities, or a grade that it does not know.

    Notes
    -----
    Documents of a query rise and fall together, so the interval of a bin is Wilson's for the *effective* number of
    documents (Korn and Graubard, Survey Methodology 24, 1998): that at which independent documents would vary as much
    as the bin's mean does over queries; at most the number of documents, and where all or none have the event, the
    number of queries.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.RankingData([[0.0]] * 8, [0, 0, 0, 1, 1, 1, 1, 0], qid=[1, 1, 2, 2, 3, 3, 4, 4])
    >>> found = calibration(data, [0.25] * 4 + [0.75] * 4, n_bins=2)
    >>> found.table[["share", "ece", "brier", "resolution", "uncertainty"]].round(4).values.tolist()
    [[0.5, 0.0, 0.1875, 0.0625, 0.25]]
    """
    if data.y.ndim != 1:
        raise DataError(
            f"y: there are {data.y.shape[1]} label columns; choose one, as in data.with_labels(data.y[:, 0])."
        )
    check_confidence(confidence)
    options = {"n_bins": n_bins, "bins": bins, "sample_weight": sample_weight}
    rows, curves, histograms = {}, {}, {}
    for level, column in _columns(data, p, relevant_from):
        event = "label" if level is None else f"label >= {level:g}"
        rows[event], curves[event] = _event(data, column, level, confidence, options)
        counts, edges = np.histogram(column, HISTOGRAM, (0.0, column.max() or 1.0))
        histograms[event] = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "documents": counts})
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("event")
    return Calibration(table, curves, histograms, data.n_documents, data.n_queries, n_bins, bins, confidence)


def _columns(data: RankingData, p: Any, relevant_from: float | None) -> list[tuple[float | None, Vector]]:
    """Return the label that each event begins with, None where labels are probabilities, and its probabilities."""
    levels: list[float | None]
    if hasattr(p, "predict"):
        above, levels = _of_ranker(p, data)
    else:
        above, levels = _of_array(p, relevant_from)
    if len(above) != data.n_documents:
        raise DataError(f"p: has {len(above)} rows for {data.n_documents} documents; give one for each.")
    cut = np.clip(above, 0.0, 1.0)
    above = np.where(np.abs(above - cut) < ROUNDING, cut, above)
    columns = list(zip(levels, above.T, strict=True))
    if relevant_from is not None and relevant_from not in levels:
        known = ", ".join(f"{level:g}" for level in levels if level is not None) or "none"
        raise ParameterError(f"relevant_from={relevant_from!r}: the events known begin with the label {known}.")
    return [(level, column) for level, column in columns if relevant_from in (None, level)]


def _of_ranker(ranker: Any, data: RankingData) -> tuple[Vector, list[float | None]]:
    if not hasattr(ranker, "predict_above"):
        raise ParameterError(
            f"p: {type(ranker).__name__} gives scores, which order documents and are no probabilities; calibrate them "
            "with gbrank.CalibratedRanker, or choose an objective with predict_proba, such as 'cross_entropy'."
        )
    above = np.asarray(ranker.predict_above(data), dtype=np.float64)
    levels: list[float | None] = [float(grade) for grade in range(1, above.shape[1] + 1)]
    if hasattr(ranker, "objective_"):
        objective, _ = ranker.objective_.alone(ranker.state_)
        levels = [objective.relevant_from] if hasattr(objective, "relevant_from") else levels
    return above, levels


def _of_array(p: npt.ArrayLike, relevant_from: float | None) -> tuple[Vector, list[float | None]]:
    given = np.asarray(p, dtype=np.float64)
    if given.ndim == 1:
        return given[:, None], [1.0 if relevant_from is None else relevant_from]
    if given.ndim != 2 or given.shape[1] < 2:
        raise DataError(f"p: has the shape {given.shape}; give one column, or the probability of each grade.")
    off = np.abs(given.sum(axis=1) - 1)
    if off.max(initial=0.0) > 1e-6:
        row = int(np.argmax(off))
        raise DataError(
            f"p: row {row} sums to {given[row].sum():g}; give the probability of each grade, which sum to 1."
        )
    return np.cumsum(given[:, :0:-1], axis=1)[:, ::-1], [float(grade) for grade in range(1, given.shape[1])]


def _event(
    data: RankingData, p: Vector, level: float | None, confidence: float, options: dict[str, Any]
) -> tuple[dict[str, float], pd.DataFrame]:
    weight = options["sample_weight"]
    loss = log_loss(data.y, p, relevant_from=level, sample_weight=weight)  # first: it checks the most
    curve = reliability_curve(data.y, p, relevant_from=level, **options)
    scored = Scored.read(data.y, p, level, weight)
    place = scored.places(options["n_bins"], options["bins"])
    curve["target_low"], curve["target_high"] = _interval(data, scored, place, curve, confidence)
    weights, scores, targets = curve.loc[curve["weight"] > 0, ["weight", "score", "target"]].to_numpy().T
    mean = float(np.average(targets, weights=weights))
    brier = brier_score(data.y, p, relevant_from=level, sample_weight=weight)
    row = {
        "share": mean,
        "mean": float(np.average(scores, weights=weights)),
        "ece": expected_calibration_error(data.y, p, relevant_from=level, **options),
        "ece_by_chance": _chance(data, scored, place, len(curve)),
        "brier": brier,
        "miscalibration": float(np.average(np.square(scores - targets), weights=weights)),
        "resolution": float(np.average(np.square(targets - mean), weights=weights)),
        "uncertainty": float(np.average(np.square(scored.target - mean), weights=scored.weight)),
    }
    row["within"] = brier - (row["miscalibration"] - row["resolution"] + row["uncertainty"])
    return row | {"log_loss": loss}, curve


def _chance(data: RankingData, scored: Scored, place: IntArray, n_bins: int) -> float:
    """Return the mean of sum_b |gap_b| where the gaps of target and probability are normal around 0."""
    variance, _ = _variance(data, scored.weight, scored.target - scored.score, place, n_bins)
    if scored.binary:  # at least that of independent documents, also in bins that show few events
        alone = np.square(scored.weight) * scored.score * (1 - scored.score)
        variance = np.fmax(variance, np.bincount(place, alone, n_bins))
    return float(np.sqrt(2 / np.pi * np.nan_to_num(variance)).sum() / scored.weight.sum())


def _interval(
    data: RankingData, scored: Scored, place: IntArray, curve: pd.DataFrame, confidence: float
) -> tuple[Vector, Vector]:
    """Return the ends of each bin's interval, see `calibration`."""
    target, total = curve["target"].to_numpy(), curve["weight"].to_numpy()
    variance, queries = _variance(data, scored.weight, scored.target, place, len(curve))
    squares = np.bincount(place, np.square(scored.weight), len(curve))
    z = float(ndtri(0.5 + confidence / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        n = np.fmin(target * (1 - target) / (variance / total**2), total**2 / squares)
        n = np.where(variance > 0, n, queries)
        middle, half = target + z**2 / (2 * n), z * np.sqrt(target * (1 - target) / n + z**2 / (4 * n**2))
        low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    return np.asarray(low), np.asarray(high)


def _variance(
    data: RankingData, weight: Vector, values: Vector, place: IntArray, n_bins: int
) -> tuple[Vector, IntArray]:
    """Return for each bin the variance of the weighted sum of values, over samples of queries, and its queries.

    The variance is NaN in a bin of one query.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(place, weight * values, n_bins) / np.bincount(place, weight, n_bins)
        cell = np.repeat(np.arange(data.n_queries), data.query_sizes) * n_bins + place
        off = np.bincount(cell, weight * (values - mean[place]), data.n_queries * n_bins).reshape(-1, n_bins)
        queries = (np.bincount(cell, weight, data.n_queries * n_bins) > 0).reshape(-1, n_bins).sum(axis=0)
        return np.asarray(np.square(off).sum(axis=0) * queries / (queries - 1)), queries


def _finite(table: pd.DataFrame) -> list[dict[str, Any]]:
    return records(table.replace([np.inf, -np.inf], np.nan))
