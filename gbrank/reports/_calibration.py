"""What scores mean: whether the probabilities that a ranker states hold, or that its scores are none."""

from __future__ import annotations

from functools import partial

from ..evaluation import Calibration
from . import _plots as plots
from ._document import Block, Plot, Section, Table, Text, fixed
from ._material import Material

TITLE = "Meaning of scores"
MOST_EVENTS = 6
COLUMNS = {
    "share": "share",
    "mean": "stated",
    "ece": "ECE",
    "ece_by_chance": "by chance",
    "brier": "Brier",
    "miscalibration": "miscalibration",
    "resolution": "resolution",
    "log_loss": "log loss",
}


def meaning(material: Material) -> Section:
    """Return the section that says what scores mean."""
    if not material.calibrations:
        return Section(TITLE, ((Text(without_probabilities(material)),),))
    events = material.calibrations[material.last].events
    drawn = tuple(diagram(material.calibrations, event) for event in events[:MOST_EVENTS])
    rows: list[tuple[Block, ...]] = [(terms(material),), drawn[:2], drawn[2:4], drawn[4:]]
    if len(events) > MOST_EVENTS:
        rows.append((Text(f"Drawn are the first {MOST_EVENTS} of {len(events)} events; the table has all."),))
    return Section(TITLE, tuple(row for row in rows if row))


def without_probabilities(material: Material) -> str:
    """Return why there is nothing to hold against labels."""
    if hasattr(material.predictor, "predict_choice"):
        return (
            f"Divided by the temperature {material.predictor.temperature_:.4g}, the scores state within each query the "
            "probability of a choice, not of grades, so there is no share of documents to hold them against."
        )
    return (
        f"Scores of the objective {material.ranker.objective_.name} order the documents of a query and are no "
        "probabilities: how large they are, and how they compare between queries, says nothing. Where that matters, "
        "calibrate them with gbrank.CalibratedRanker, or choose an objective with predict_proba."
    )


def terms(material: Material) -> Table:
    """Return how well the probability of each event holds on each data set."""
    last = material.calibrations[material.last]
    named = {name: each.table.T.to_dict() for name, each in material.calibrations.items()}
    rows = [
        (event, name, *(fixed(float(figures[event][column])) for column in COLUMNS))
        for event in last.events
        for name, figures in named.items()
    ]
    marked = [number for number, row in enumerate(rows) if row[1] == material.last]
    kind = "weight" if last.bins == "mass" else "width"
    return Table(
        "How well stated probabilities hold",
        ("event", "data", *COLUMNS.values()),
        tuple(rows),
        frozenset(marked) if len(material.sets) > 1 else frozenset(),
        "Documents count the same, whatever their query. Share: of documents with the event. Stated: their mean "
        "probability. ECE, the expected calibration error: the mean distance between the two over "
        f"{last.n_bins} bins of equal {kind}; by chance it would be what stands beside it if every probability were "
        "right. The Brier score is miscalibration less resolution plus share (1 - share), up to what probabilities "
        "differ within bins. Log loss, in natural logarithms, is infinite where what had probability 0 did happen. The "
        f"plots' intervals are of {last.confidence:.0%}, and take the documents of a query for dependent.",
    )


def diagram(calibrations: dict[str, Calibration], event: str) -> Plot:
    """Return the reliability diagram of an event."""
    last = list(calibrations)[-1]
    curve = calibrations[last].curves[event].dropna()
    points = "; ".join(
        f"{score:.3f}: {target:.3f} ({low:.3f} to {high:.3f}) of {documents:,}"
        for score, target, low, high, documents in curve[
            ["score", "target", "target_low", "target_high", "documents"]
        ].itertuples(index=False)
    )
    alt = (
        f"Share of the documents of {last} with {event} at each stated probability, with its "
        f"{calibrations[last].confidence:.0%} interval: {points}."
    )
    return Plot(f"Reliability of P({event})", alt, partial(plots.reliability_diagram, calibrations, event))
