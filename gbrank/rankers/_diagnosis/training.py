"""Findings about a ranker: the scale of its hessians, and how its training went."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..._checks import DataError
from ...objectives._base import HESSIAN_FLOOR
from .._measuring import mean_measure
from .result import Finding
from .subject import Subject

LEAST_SUMS = {
    "lightgbm": (
        "min_sum_hessian_in_leaf",
        1e-3,
        ("min_sum_hessian_per_leaf", "min_sum_hessian", "min_hessian", "min_child_weight"),
    ),
    "xgboost": ("min_child_weight", 1.0, ()),
}
"""Each library's name, default and aliases for the least sum of hessians in a leaf."""

EARLY = 0.05  # share of the rounds in which a best round is early
FEWEST_ROUNDS = 20


def hessian_scale(subject: Subject) -> Iterator[Finding]:
    """Yield that hessians are small against the least sum that a leaf needs."""
    ranker, data = subject.ranker, subject.data
    if ranker is None or subject.gradient is None or subject.hessian is None or ranker.backend not in LEAST_SUMS:
        return
    name, default, aliases = LEAST_SUMS[ranker.backend]
    params = ranker.backend_params or {}
    least = float(next((params[each] for each in (name, *aliases) if each in params), default))
    share = ranker.subsample * ranker.query_subsample
    sum_all = float(np.maximum(subject.hessian, HESSIAN_FLOOR * subject.gradient).sum()) * share
    if not np.isfinite(sum_all) or least <= 0 or sum_all == 0:
        return
    leaves = sum_all / least
    needed = least / (sum_all / (data.n_documents * share))
    if leaves >= ranker.max_leaves or (leaves >= 2 and needed <= ranker.min_docs_in_leaf):
        return
    so = f"about {needed:,.0f} documents, so that a tree has {leaves:,.0f} leaves at most, not {ranker.max_leaves}."
    yield Finding(
        "hessian_scale",
        "error" if leaves < 2 else "warning",
        f"The hessians of all documents sum to {sum_all:.3g} at the start, and a leaf needs {least:g} ({name} of "
        f"{ranker.backend}): {so if leaves >= 2 else 'no split is possible.'}",
        f"Set backend_params={{{name!r}: {sum_all / data.n_documents:.1g}}}, the hessian of one document, or lower; or "
        "scale the loss up.",
        {"sum_of_hessians": sum_all, "least_sum": least, "leaves": leaves, "documents_a_leaf": needed},
    )


def constant_model(subject: Subject) -> Iterator[Finding]:
    """Yield that a fitted model has no split, or ranks the data no better than a constant."""
    ranker, data = subject.ranker, subject.data
    if ranker is None:
        return
    if ranker.best_iteration_ == 0 or not ranker.model_.importances("split", n_rounds=ranker.best_iteration_).any():
        yield Finding(
            "constant_model",
            "error",
            "No tree of the model has a split: all documents get the same score.",
            "See the other findings; diagnose the training data with a ranker that is not fitted.",
        )
        return
    score, higher = ranker.predict(data), 1 if ranker.measure_.higher_is_better else -1
    try:
        constant = mean_measure(ranker.measure_, subject.y, np.zeros(data.n_documents), data, "the data")
        reached = mean_measure(ranker.measure_, subject.y, score, data, "the data")
    except DataError:
        return  # told by another finding
    if higher * reached <= higher * constant:
        yield Finding(
            "no_better_than_constant",
            "error",
            f"{ranker.measure_} of the model is {reached:.4f} on these data, and {constant:.4f} with all scores equal.",
            "Check that labels rise with what is wanted (grades, not ranks), and that these data have the features "
            "that the model was trained with.",
            {"model": reached, "constant": constant},
        )


def learning_curve(subject: Subject) -> Iterator[Finding]:
    """Yield what the measure on the first evaluation set says."""
    ranker = subject.ranker
    name = None if ranker is None else next(iter(ranker.history_), None)
    if ranker is None or name is None or len(ranker.history_[name]) < 2:
        return
    values = np.array(ranker.history_[name])
    values = values if ranker.measure_.higher_is_better else -values
    rounds, best = len(values), int(np.argmax(values)) + 1
    numbers = {"rounds": rounds, "best_round": best, "best": float(ranker.history_[name][best - 1])}
    where = f"{ranker.measure_} on {name} is best ({numbers['best']:.4f}) after round {best} of {rounds}"
    if best > (1 - EARLY) * rounds and rounds >= ranker.n_estimators:
        yield Finding(
            "still_improving", "warning", f"{where}: training ended before the curve did.",
            "Raise n_estimators (with early_stopping_rounds), or the learning rate.", numbers,
        )  # fmt: skip
    elif best <= max(1, EARLY * rounds) and (rounds >= FEWEST_ROUNDS or rounds < ranker.n_estimators):
        numbers["last"] = float(ranker.history_[name][-1])
        yield Finding(
            "overfits_early", "warning", f"{where}, and falls to {numbers['last']:.4f} in the last.",
            "Lower learning_rate or max_leaves, raise min_docs_in_leaf, and check that the evaluation set is of the "
            "kind of the training data.", numbers,
        )  # fmt: skip
