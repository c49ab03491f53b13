"""Checks of the numbers that an objective returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..objectives import Bound
from ._case import Case, numbers
from ._compare import (
    EQUAL_BOUND,
    NOTHING,
    FailedError,
    Numbers,
    Quotients,
    SkippedError,
    Where,
    largest,
    quotients,
    require,
    require_equal,
    require_slopes,
)
from ._data import Data, by_row, reordered

SLOPE_BOUND = 1e-5  # of a gradient, relative to the largest of its query
BEND_BOUND = 1e-4  # of a hessian
FLOOR = 4e-6  # up to which, relative to 1 and to its gradient, a hessian may stand for a smaller or a negative one


def _labels_are_taken(case: Case) -> None:
    try:
        bound = case.bound()
    except Exception as error:
        raise FailedError(
            f"bind raised {type(error).__name__}: {error} Give labels that it can use as y= and query_ptr=."
        ) from error
    wanted = (len(case.targets.y),) if bound.n_outputs == 1 else (len(case.targets.y), bound.n_outputs)
    if case.score.shape != wanted:
        raise FailedError(f"score= has the shape {case.score.shape} instead of {wanted}.")


def _shapes(case: Case) -> None:
    for engine in case.engines:
        bound = case.bound(engine=engine)
        pair = bound.gradient_hessian(case.score.copy(), 0)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise FailedError(f"{engine} engine: gradient_hessian returned {type(pair).__name__}, not two arrays.")
        for what, array, wanted in (
            ("gradient", pair[0], case.score.shape),
            ("hessian", pair[1], case.score.shape),
            ("loss", bound.loss(case.score.copy()), (len(case.targets.query_ptr) - 1,)),
            ("init_score", bound.init_score(), (bound.n_outputs,)),
        ):
            _require_floats(f"{engine} engine: {what}", array, wanted)


def _require_floats(what: str, array: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.floating):
        kind = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        raise FailedError(f"{what} is {kind}, not an array of floats.")
    if array.shape != shape:
        raise FailedError(f"{what} has the shape {array.shape} instead of {shape}.")


def _finite(case: Case) -> None:
    _require_finite(case, case.targets)
    _require_finite(case, case.weighted)


def _odd_lists(case: Case) -> None:
    _require_finite(case, case.odd)


def _require_finite(case: Case, targets: Data) -> None:
    for engine, kind, score, found in case.trials(targets):
        where = Where(targets, score, f"{engine} engine, {kind}: ")
        require(np.isfinite(found.gradient), where, "gradient {}", found.gradient)
        require(np.isfinite(found.hessian), where, "hessian {}", found.hessian)
        require(~np.isnan(found.loss), where, "loss {}", found.loss)  # an infinite one may be true


def _hessian_not_negative(case: Case) -> None:
    for targets in (case.targets, case.odd):
        for engine, kind, score, found in case.trials(targets):
            where = Where(targets, score, f"{engine} engine, {kind}: ")
            require(~(found.hessian < 0), where, "hessian {}; floor it at 0 or more", found.hessian)


def _gradient(case: Case) -> None:
    if not case.objective.gradient_of_loss:
        raise SkippedError("no loss of its own (gradient_of_loss is False)")
    targets, score, bound = case.weighted, case.score, case.bound(case.weighted)
    ptr, found = targets.query_ptr, numbers(bound, score)
    slopes = quotients(lambda s: by_row(bound.loss(s), ptr, score), ptr, score, case.rng())
    slack = SLOPE_BOUND * largest(found.gradient, ptr) + NOTHING * by_row(np.abs(found.loss), ptr, score)
    require_slopes("gradient", found.gradient, slopes, slack, Where(targets, score))


def _hessian(case: Case) -> None:
    if not case.objective.exact_hessian:
        raise SkippedError("a surrogate (exact_hessian is False)")
    targets, score, bound = case.weighted, case.score, case.bound(case.weighted)
    ptr, found = targets.query_ptr, numbers(bound, score)
    bends = quotients(lambda s: np.array(bound.gradient_hessian(s, 0)[0]), ptr, score, case.rng())
    slack = BEND_BOUND * largest(found.hessian, ptr) + 10 * NOTHING * largest(found.gradient, ptr)
    slack = slack + FLOOR * (1 + np.abs(found.gradient))
    expected = getattr(case.objective, "hessian_factor", 1.0) * bends.values
    floored = (expected < 0) & (found.hessian <= slack)
    expected = Quotients(np.where(floored, found.hessian, expected), bends.taken)
    require_slopes("hessian", found.hessian, expected, slack, Where(targets, score))


def _shift(case: Case) -> None:
    if not case.objective.shift_invariant:
        raise SkippedError("not declared (shift_invariant is False)")
    targets, score = case.weighted, case.score
    ptr, where = targets.query_ptr, Where(targets, score)
    shift = 16.0 * (np.arange(len(ptr) - 1) % 7 - 3)
    plain, moved = (numbers(case.bound(targets), s) for s in (score, score + by_row(shift, ptr, score)))
    require_equal(moved, plain, where, "{} after adding a constant to the query's scores, {} before")
    per_row = plain.gradient.reshape(len(score), -1)
    total, size = (np.add.reduceat(each.sum(axis=1), ptr[:-1]) for each in (per_row, np.abs(per_row)))
    good = np.abs(total) <= EQUAL_BOUND * size + NOTHING * size.max()
    require(good, where, "gradients sum to {}, not to 0", total)


def _engines(case: Case) -> None:
    if len(case.engines) < 2:
        raise SkippedError(f"only the {case.engines[0]} engine was asked for")
    for targets in (case.targets, case.weighted, case.odd):
        wanted: dict[str, Numbers] = {}
        for engine, kind, score, found in case.trials(targets):
            first = wanted.setdefault(kind, found)
            words = f"{{}} on the {engine} engine, {{}} on the {case.engines[0]} one"
            require_equal(found, first, Where(targets, score, f"{kind}: "), words)


def _query_order(case: Case) -> None:
    if case.draws:
        raise SkippedError("draws for each query by its number")
    targets, found = case.targets, numbers(case.bound(), case.score)
    order = case.rng().permutation(len(targets.query_ptr) - 1)
    moved, rows = reordered(targets, order)
    before = Numbers(found.gradient[rows], found.hessian[rows], found.loss[order])
    after = numbers(case.bound(moved), case.score[rows])
    words = "{} after the queries were put in another order, {} before"
    require_equal(after, before, Where(moved, case.score[rows]), words)


def _query_weights(case: Case) -> None:
    targets, score, ptr = case.targets, case.score, case.targets.query_ptr
    n_queries, where, plain = len(ptr) - 1, Where(targets, score), case.bound()
    without = numbers(plain, score)
    ones = numbers(case.bound(targets._replace(query_weight=np.ones(n_queries))), score)
    require_equal(ones, without, where, "{} with query weights of 1, {} without")
    weight = np.where(np.arange(n_queries) % 2, 1.0, 2.0)
    weighted = case.bound(targets._replace(query_weight=weight))
    if not _same_state(plain, weighted):  # such as thresholds, which depend on the weights: give all the same
        weight = np.full(n_queries, 2.0)
        weighted = case.bound(targets._replace(query_weight=weight))
    factor = by_row(weight, ptr, score)
    expected = Numbers(without.gradient * factor, without.hessian * factor, without.loss * weight)
    words = "{} with query weights of 1 and 2; the weight times that without is {}"
    require_equal(numbers(weighted, score), expected, where, words)
    silent = targets._replace(query_weight=(np.arange(n_queries) % 3 > 0) * 1.0)
    _require_silent("query weight", case, silent)


def _same_state(one: Bound, other: Bound) -> bool:
    a, b = one.state(), other.state()
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def _document_weights(case: Case) -> None:
    if not case.objective.document_weights:
        raise SkippedError("takes none (document_weights is False)")
    targets, score = case.targets, case.score
    ones = numbers(case.bound(targets._replace(sample_weight=np.ones(len(targets.y)))), score)
    require_equal(ones, numbers(case.bound(), score), Where(targets, score), "{} with weights of 1, {} without")
    weight = (np.arange(len(targets.query_ptr) - 1) % 3 > 0) * 1.0
    silent = targets._replace(sample_weight=np.repeat(weight, np.diff(targets.query_ptr)))
    _require_silent("weight of all documents of the query", case, silent)


def _require_silent(what: str, case: Case, targets: Data) -> None:
    """Require that every third query, whose weight is 0, has gradients and hessians of 0."""
    n_queries = len(targets.query_ptr) - 1
    if n_queries == 1:  # all weights would be 0
        return
    silent = by_row(np.arange(n_queries) % 3 == 0, targets.query_ptr, case.score)
    found = numbers(case.bound(targets), case.score)
    for name, values in (("gradient", found.gradient), ("hessian", found.hessian)):
        good = np.where(silent, values == 0, np.isfinite(values))
        require(good, Where(targets, case.score, f"{what} 0 in every third query: "), f"{name} {{}}", values)


def _repeatable(case: Case) -> None:
    for engine in case.engines:
        bound, score = case.bound(engine=engine), case.score.copy()
        first = [np.array(each) for each in bound.gradient_hessian(score, 3)]
        bound.loss(score)
        if not np.array_equal(score, case.score):
            raise FailedError(f"{engine} engine: the scores given were changed in place.")
        again = bound.gradient_hessian(score, 3)
        afresh = case.bound(engine=engine).gradient_hessian(score, 3)
        where = Where(case.targets, score, f"{engine} engine: ")
        for words, others in (("in a second call", again), ("after binding again", afresh)):
            for what, a, b in zip(("gradient", "hessian"), first, others, strict=True):
                require(a == b, where, f"{what} {{}}, but {{}} {words} for the same round", a, b)


def _after_a_round(case: Case) -> None:
    bound = case.bound()
    if bound.renews_leaves:
        values = np.asarray(bound.leaf_values(case.score, np.arange(len(case.targets.y)) % 3))
        if values.shape != (3,) or not np.isfinite(values).all():
            raise FailedError(f"leaf_values of 3 leaves are {values}, not 3 finite numbers.")
    bound.end_round(case.score.copy())
    found, where = numbers(bound, case.score, 1), Where(case.targets, case.score)
    good = np.isfinite(found.gradient) & np.isfinite(found.hessian)
    require(good, where, "gradient {}, hessian {}", found.gradient, found.hessian)
    ranking = np.asarray(case.objective.transform(case.score, bound.state()))
    if ranking.shape != (len(case.targets.y),):
        raise FailedError(f"transform returned the shape {ranking.shape}, not a score for each document.")
    require(np.isfinite(ranking), where, "score {} to rank by", ranking)


OF_NUMBERS: dict[str, Callable[[Case], None]] = {
    "labels are taken": _labels_are_taken,
    "shapes": _shapes,
    "finite at extreme scores": _finite,
    "one document, equal labels, 1,000 documents": _odd_lists,
    "hessian not negative": _hessian_not_negative,
    "gradient is the slope of the loss": _gradient,
    "hessian is the slope of the gradient": _hessian,
    "shift invariance": _shift,
    "engines agree": _engines,
    "query order": _query_order,
    "query weights": _query_weights,
    "document weights": _document_weights,
    "same round, same numbers": _repeatable,
    "after a round": _after_a_round,
}
GATES = (_labels_are_taken, _shapes)
