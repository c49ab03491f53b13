"""Findings about queries, labels and weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import gammaln

from ..._checks import DataError
from ...data._describe import falls_only
from ...metrics import measure
from .._measuring import mean_measure
from .result import MOST_NAMED, Finding, counted, named
from .subject import Subject

MOST_SILENT = 0.5  # share of the queries that may be without signal before it is more than a note
FEW_PAIRS = 0.1  # share of the pairs that truncation should leave at least
MOSTLY = 0.9
DOMINANT = 0.5  # share of all gain that a hundredth of the documents may hold, of gradients that of the queries
FEWEST_SORTED = 5


def refused(subject: Subject) -> Iterator[Finding]:
    """Yield that the objective, or the measure, cannot use these labels."""
    if subject.refused:
        yield Finding(
            "labels_refused",
            "error",
            f"The objective {subject.objective} refuses these data: {subject.refused}",
            "Correct the data as the message says, or choose an objective for such labels.",
        )
    if subject.ranker is not None:
        followed = measure(subject.ranker.measure)
        try:
            mean_measure(followed, subject.y, np.zeros(len(subject.y)), subject.data, "the data")
        except DataError as error:
            yield Finding(
                "measure_refused",
                "warning",
                f"The measure {followed} cannot be computed: {error}",
                "Choose a measure for such labels, or give it a gain: early stopping and score use it.",
            )


def gradients(subject: Subject) -> Iterator[Finding]:
    """Yield that the objective's gradients at the start are no numbers."""
    if subject.gradient is not None and subject.hessian is not None:
        bad = ~(np.isfinite(subject.gradient) & np.isfinite(subject.hessian))
        if bad.any():
            queries = np.logical_or.reduceat(bad, subject.data.query_ptr[:-1])
            yield Finding(
                "gradient_not_finite",
                "error",
                f"The gradient or hessian of {subject.objective} is no finite number for "
                f"{counted(bad.sum(), len(bad), 'documents')} before the first round.",
                "Check the loss at equal scores and extreme labels; fit refuses such gradients.",
                {"documents": int(bad.sum())},
                subject.ids(queries),
            )


def grouping(subject: Subject) -> Iterator[Finding]:
    """Yield query ids that look like something else: one for each document, or one for all."""
    data = subject.data
    if data.n_queries == data.n_documents:
        relative = subject.objective is None or subject.objective.shift_invariant
        yield Finding(
            "one_document_queries",
            "error" if relative else "warning",
            f"Each of the {data.n_queries:,} queries has one document only, so there is nothing to put in order; every "
            "ranking measure is perfect, or counts nothing, whatever the model.",
            "Check that qid names queries, not documents.",
            {"queries": data.n_queries},
        )
    elif data.n_queries == 1 and data.n_documents > 1:
        yield Finding(
            "one_query",
            "warning",
            f"All {data.n_documents:,} documents are one query, so they are all compared with one another.",
            "Check that qid was passed on: scikit-learn's searches and pipelines do so with metadata routing only.",
            {"documents": data.n_documents},
            subject.ids(np.ones(1, bool)),
        )


def silent(subject: Subject) -> Iterator[Finding]:
    """Yield the queries without signal, and why they have none."""
    if subject.refused:
        return
    data, single = subject.data, subject.data.query_sizes == 1
    without = ~subject.signal & np.logical_or.reduceat(subject.weighty, data.query_ptr[:-1])
    count = int(without.sum())
    if not count:
        return
    one_label = (subject.pairs == 0) & ~single
    cut = (subject.pairs > 0) & (subject.effective_pairs == 0)
    reasons = {"one_document": single, "one_label": one_label, "no_pair_of_the_objective": cut}
    reasons["no_gradient"] = ~(single | one_label | cut)
    numbers = {name: int((chosen & without).sum()) for name, chosen in reasons.items()}
    why = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in numbers.items() if number)
    share = count / data.n_queries
    yield Finding(
        "queries_without_signal",
        "error" if share == 1 else "warning" if share > MOST_SILENT else "note",
        f"{counted(count, data.n_queries, 'queries')} give no signal at the start: {why}.",
        _remedy(numbers),
        {"queries": count, "share": share, **numbers},
        subject.ids(without),
    )


def _remedy(numbers: dict[str, int]) -> str:
    if numbers["no_pair_of_the_objective"] > max(numbers["one_label"], numbers["one_document"]):
        return (
            "Raise the objective's truncation, or shuffle ties (ties='shuffled'); where gains make labels alike, "
            "change gain or relevant_from."
        )
    return (
        "Collect documents of other labels for these queries, or leave them out: they cost time and teach nothing. An "
        "objective of single documents (such as 'mse' or 'cross_entropy') does learn from them."
    )


def weights(subject: Subject) -> Iterator[Finding]:
    """Yield the queries whose weights are all zero."""
    zero = ~np.logical_or.reduceat(subject.weighty, subject.data.query_ptr[:-1])
    if zero.any():
        yield Finding(
            "queries_of_weight_zero",
            "warning" if zero.mean() > 1 - MOSTLY else "note",
            f"{counted(zero.sum(), len(zero), 'queries')} have the weight 0 and do not count.",
            "Leave them out of the data, or check sample_weight and query_weight.",
            {"queries": int(zero.sum())},
            subject.ids(zero),
        )


def sorted_rows(subject: Subject) -> Iterator[Finding]:
    """Yield that rows stand by label, so that ties in row order look like a good ranking."""
    data, y = subject.data, subject.y
    several = np.maximum.reduceat(y, data.query_ptr[:-1]) > np.minimum.reduceat(y, data.query_ptr[:-1])
    ordered = falls_only(y, data.query_ptr) & several
    n, found = int(several.sum()), int(ordered.sum())
    if found < FEWEST_SORTED or found < MOSTLY * n or found < 2 * _sorted_by_chance(subject)[several].sum():
        return
    numbers: dict[str, float] = {"queries": found}
    said = ""
    if y.min() >= 0:
        gain = "exp" if (y == np.floor(y)).all() and y.max() <= 1000 else "linear"
        ndcg = [measure("ndcg@10", gain=gain, ties=ties) for ties in ("stable", "expected")]
        stable, expected = (float(np.nanmean(each(y, np.zeros(len(y)), data.query_ptr))) for each in ndcg)
        numbers |= {"ndcg_of_a_constant_ties_stable": stable, "ndcg_of_a_constant_ties_expected": expected}
        said = f" A constant model has ndcg@10 {stable:.4f} with ties in row order, {expected:.4f} with ties by chance."
    yield Finding(
        "label_sorted_rows",
        "warning",
        f"Rows stand sorted by label, best first, in {counted(found, n, 'queries of several labels')}.{said}",
        "Shuffle the rows of each query before training; read no measure that leaves ties in row order (the boosters' "
        "own do), and train with ties='shuffled'.",
        numbers,
        subject.ids(ordered),
    )


def _sorted_by_chance(subject: Subject) -> np.ndarray:
    """Return the probability that shuffled rows of a query are sorted: the product of c_v! over labels, by n!."""
    order = np.lexsort((subject.y, subject.query))
    y, query = subject.y[order], subject.query[order]
    first = np.flatnonzero(np.concatenate(([True], (y[1:] != y[:-1]) | (query[1:] != query[:-1]))))
    alike = gammaln(np.diff(np.append(first, len(y))) + 1)
    return np.asarray(np.exp(np.bincount(query[first], weights=alike) - gammaln(subject.data.query_sizes + 1)))


def skew(subject: Subject) -> Iterator[Finding]:
    """Yield that few documents hold most of the gain, or few queries most of the gradient."""
    y, worth = subject.y, subject.worth
    if subject.ranker is None and y.min() >= 0 and y.max() <= 1000 and (y == np.floor(y)).all():
        worth = np.exp2(y) - 1  # the gain of most objectives and measures, where none is said
    top = worth == worth.max()
    share = float(worth[top].sum() / worth.sum()) if worth.min() >= 0 and worth.any() else 0.0
    if share > DOMINANT and top.mean() <= 0.01:
        yield Finding(
            "gain_skew",
            "warning",
            f"{counted(top.sum(), len(top), 'documents')} (label {y[top].max():g}) hold {share:.0%} of all gain.",
            "Let gains rise more slowly (gain='linear', or labels of fewer grades), unless these documents are worth "
            "that much.",
            {"documents": int(top.sum()), "share": share, "label": float(y[top].max())},
            subject.ids(np.logical_or.reduceat(top, subject.data.query_ptr[:-1])),
        )
    if subject.gradient is None or subject.data.n_queries < 100 or not subject.gradient.any():
        return
    by_query = np.add.reduceat(subject.gradient, subject.data.query_ptr[:-1])
    few = max(1, subject.data.n_queries // 100)
    largest = np.argsort(-by_query, kind="stable")[:few]
    share = float(by_query[largest].sum() / by_query.sum())
    if share > DOMINANT:
        ids = subject.data.query_ids[largest].tolist()
        yield Finding(
            "few_queries_dominate",
            "warning",
            f"1% of the queries ({named(ids)}) have {share:.0%} of all gradients at the start.",
            "Weigh queries alike: query_norm=True of the pairwise objectives, or query_weight (such as 1 by the number "
            "of pairs).",
            {"queries": few, "share": share},
            tuple(ids[:MOST_NAMED]),
        )


def truncation(subject: Subject) -> Iterator[Finding]:
    """Yield that truncation leaves few pairs, or less than what is measured."""
    cut, ranker = subject.truncation, subject.ranker
    if cut is None or ranker is None or subject.refused:
        return
    pairs, left = float(subject.pairs.sum()), float(subject.effective_pairs.sum())
    longer = int((subject.data.query_sizes > cut).sum())
    numbers = {"truncation": cut, "longer_queries": longer, "pairs": pairs, "effective_pairs": left}
    k = measure(ranker.measure).k
    remedy = f"Raise truncation: to a little above the cutoff that is measured ({ranker.measure}), or to None for all."
    if longer and left < FEW_PAIRS * pairs:
        text = f"truncation={cut} leaves {counted(left, pairs, 'pairs')}; the median query has "
        text += f"{np.median(subject.data.query_sizes):,.0f} documents."
        yield Finding("truncation", "warning", text, remedy, numbers)
    elif longer and k is not None and cut < k:
        text = f"truncation={cut} trains the first {cut} places, and {ranker.measure} looks at {k}."
        yield Finding("truncation", "warning", text, remedy, numbers)


CHECKS = (refused, gradients, grouping, silent, weights, sorted_rows, skew, truncation)
