"""What a careful reader should know before believing the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ..data import RankingData
from ._document import fixed
from ._material import THIS, Material
from ._overlap import shared_ids, shared_sessions
from ._results import rounds_trained

FEW_QUERIES = 100
MANY_SKIPPED = 0.2
MANY_TIED = 0.05
MOSTLY_SORTED = 0.9
MISCALIBRATED = 0.05


def cautions(material: Material) -> tuple[str, ...]:
    """Return a sentence for each reason to be careful; none where there is none."""
    checks = (of_few_queries, of_skipped, of_rows, of_shared_queries, of_ties, of_probabilities, of_training)
    return tuple(sentence for check in checks for sentence in check(material))


def of_few_queries(material: Material) -> Iterator[str]:
    """Yield the data sets of which a mean rests on few queries."""
    for name, figures in material.summaries.items():
        row = figures[str(material.measure)]
        evaluated = int(row["queries"])
        if evaluated < FEW_QUERIES:
            yield (
                f"{name}: the mean of {material.measure} rests on {evaluated} "
                f"{'query' if evaluated == 1 else 'queries'}; its standard error is {fixed(row['standard_error'])}, so "
                "differences below about twice that may be chance."
            )


def of_skipped(material: Material) -> Iterator[str]:
    """Yield the data sets of which a measure skips many queries."""
    rows = {name: figures[str(material.measure)] for name, figures in material.summaries.items()}
    counts = {name: (int(row["skipped"]), int(row["skipped"] + row["queries"])) for name, row in rows.items()}
    many = [
        f"{skipped:,} of {of:,} queries of {name} ({skipped / of:.0%})"
        for name, (skipped, of) in counts.items()
        if skipped > MANY_SKIPPED * of
    ]
    if many:
        yield (
            f"{'; '.join(many)} have nothing relevant and are skipped by {material.measure}: its mean speaks only for "
            "the others."
        )


def of_rows(material: Material) -> Iterator[str]:
    """Yield what the rows of the data sets themselves say."""
    for name, facts in material.descriptions.items():
        if facts.several_grades and facts.label_sorted > MOSTLY_SORTED * facts.several_grades:
            yield (
                f"{name}: rows stand sorted by label in {facts.label_sorted:,} queries, so a model that ties documents "
                "would look good wherever ties are left in the order of rows (ties stable)."
            )
        if facts.duplicate_documents:
            yield f"{name}: {facts.duplicate_documents:,} documents repeat an id of their own query."


def of_shared_queries(material: Material) -> Iterator[str]:
    """Yield the pairs of data sets that share queries: by id; of sessions, so of positions, by their documents."""
    for one, other in combinations(material.sets, 2):
        first, second = material.sets[one], material.sets[other]
        if first is second:
            continue
        if first.position is None and second.position is None:
            shared = shared_ids(first, second)
            if shared:
                yield (
                    f"{shared:,} query {'id is' if shared == 1 else 'ids are'} in both {one} and {other}; if they are "
                    "the same queries, results on one flatter a model trained on the other."
                )
            continue
        if first.position is None:
            one, other, first, second = other, one, second, first
        shared = shared_sessions(first, second)
        if shared:
            yield (
                f"{shared:,} of {first.n_queries:,} queries of {one}, which has positions as sessions have, show "
                f"documents that are mostly in {other}, too; results on one flatter a model trained on the other."
            )


def of_ties(material: Material) -> Iterator[str]:
    """Yield where scores are equal for whole queries."""
    scored = [(THIS, name, material.sets[name], score) for name, score in material.scores.items()]
    scored += [(run, material.last, material.sets[material.last], score) for run, score in material.runs.items()]
    for run, name, data, score in scored:
        tied, several = tied_queries(data, score)
        if tied > MANY_TIED * several:
            yield (
                f"{name}: in {tied:,} of {several:,} queries with several documents {run} gives all the same score; "
                "their value depends on the rule for ties alone."
            )


def of_probabilities(material: Material) -> Iterator[str]:
    """Yield the probabilities that the last data set does not bear out."""
    if not material.calibrations:
        return
    for event, row in material.calibrations[material.last].table.iterrows():
        if row["ece"] > MISCALIBRATED and row["ece"] > 2 * row["ece_by_chance"]:
            yield (
                f"{material.last}: the stated probability of {event} misses the share of documents by "
                f"{fixed(row['ece'], 3)} on average (by chance it would be {fixed(row['ece_by_chance'], 3)}); "
                "calibrate it on other queries before it is used as a probability."
            )


def tied_queries(data: RankingData, score: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return how many queries of several documents have one score throughout, and how many there are."""
    starts, several = data.query_ptr[:-1], data.query_sizes > 1
    same = np.maximum.reduceat(score, starts) == np.minimum.reduceat(score, starts)
    return int((same & several).sum()), int(several.sum())


def of_training(material: Material) -> Iterator[str]:
    """Yield what the course of training says."""
    ranker, rounds = material.ranker, rounds_trained(material)
    first = next(iter(ranker.history_), None)
    if ranker.best_iteration_ == 0 or not material.importances["split"].any():
        yield "The trees have no split: all documents get the same score."
    if first is None:
        return
    chose = "the number of rounds and the parameters" if material.tuning is not None else "the number of rounds"
    if ranker.early_stopping_rounds is not None or material.tuning is not None:
        for name, evaluation in material.evaluations.items():
            if np.isclose(evaluation.mean(material.measure), ranker.best_score_, rtol=0, atol=1e-9):
                yield (f"{name}: these queries chose {chose}, so the results on them are better than on new ones.")
    if material.tuning is not None:
        return  # which found the number of rounds by trying more
    values = ranker.history_[first]
    if len(values) == ranker.n_estimators and len(values) > 1 and int(np.argmax(values)) == len(values) - 1:
        yield (
            f"{ranker.measure_} on {first} was still at its best in the last of {rounds:,} rounds; "
            "unless tuning chose that number, more may help."
        )
