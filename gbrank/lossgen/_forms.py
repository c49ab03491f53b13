"""Losses as they are trained in a test: an objective, with the learning rate and scale that belong to it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from .._checks import GbrankError, ParameterError
from .._registry import unknown
from ..data import LetorFold
from ..objectives import OBJECTIVES, ExpressionLoss, Objective
from ..objectives import objective as find_objective
from ..objectives._expressions import Expression, parse
from ..rankers import GBRanker
from ..rankers._changed import with_params
from ._constants import with_slope
from ._proxy import of_formula

SCALED = ("sigmoid", "temperature", "margin")
"""Fields of objectives that say in what unit scores are."""


class Form(NamedTuple):
    """An objective, and how it is trained."""

    objective: Objective
    learning_rate: float
    scale: float


def as_objectives(losses: Any, params: Mapping[str, Any] | None) -> dict[str, Objective]:
    """Return losses by name; formulas become objectives with `params`.

    Several without names are called by their objective's name, or "found", "found 2", ....

    Raises
    ------
    ParameterError
        No losses, none of the forms known, or two of the same name.
    """
    if isinstance(losses, Mapping):
        made = {str(name): as_objective(loss, params) for name, loss in losses.items()}
    else:
        several = [losses] if isinstance(losses, str | Expression | Objective) else list(losses)
        made = {}
        formulas = 0
        for loss in several:
            one = as_objective(loss, params)
            formula = one.name == "expression"
            formulas += formula
            name = (f"found {formulas}" if formulas > 1 else "found") if formula else one.name
            if name in made:
                raise ParameterError(f"losses: {name!r} is given twice; give a mapping from names to losses.")
            made[name] = one
    if not made:
        raise ParameterError("losses: give at least one.")
    return made


def as_objective(loss: Any, params: Mapping[str, Any] | None) -> Objective:
    """Return an objective as it is, one by its name, or that of a formula."""
    if isinstance(loss, Objective):
        return loss
    if isinstance(loss, str) and loss in OBJECTIVES:
        return find_objective(loss)
    if not isinstance(loss, str | Expression):
        raise ParameterError(f"losses: {loss!r} is no loss; give a formula or an objective.")
    if isinstance(loss, str) and loss.isidentifier() and len(loss) > 4:
        raise unknown("objective", loss, OBJECTIVES)
    return of_formula(loss, params)


def formula_in(text: str) -> Expression | None:
    """Return the formula that a text is, or None for that of another objective."""
    try:
        return parse(text)
    except ParameterError:
        return None


def readable(text: str) -> str:
    """Return a formula with constants of six digits; the text of another objective as it is.

    Examples
    --------
    >>> readable("0.12345678 * exp(-d)"), readable("LambdaRank()")
    ('0.123457 * exp(-d)', 'LambdaRank()')
    """
    formula = formula_in(text)
    return text if formula is None else str(formula.rounded())


def scaled(objective: Objective, scale: float) -> Objective | None:
    """Return the objective in another unit of the score, or None where it has none.

    Examples
    --------
    >>> scaled(find_objective("lambdarank"), 2.0).sigmoid
    2.0
    """
    if scale == 1.0:
        return objective
    if isinstance(objective, ExpressionLoss):
        return replace(objective, formula=str(with_slope(parse(str(objective.formula)), scale)))
    own = {each.name for each in fields(objective)}
    name = next((each for each in SCALED if each in own), None)
    return None if name is None else replace(objective, **{name: getattr(objective, name) * scale})


def trained(ranker: GBRanker, form: Form, fold: LetorFold, seed: int) -> GBRanker:
    """Return a ranker trained on a fold from scratch; its validation part may stop it."""
    fresh = with_params(ranker, {}, objective=form.objective, learning_rate=form.learning_rate, random_state=int(seed))
    return fresh.fit(fold.train, eval_set=fold.vali)


def chosen_form(
    ranker: GBRanker,
    objective: Objective,
    fold: LetorFold,
    seed: int,
    learning_rates: Sequence[float],
    scales: Sequence[float],
) -> tuple[Form, float, int]:
    """Return the form that is best on the validation part, its measure there and its number of rounds.

    Raises
    ------
    ParameterError
        No form could be trained.
    """
    sign = 1.0 if ranker.measure.higher_is_better else -1.0  # type: ignore[union-attr]  # `fixed_ranker` made it a Measure
    best: tuple[float, Form, float, int] | None = None
    for rate, scale in itertools.product(learning_rates, scales):
        other = scaled(objective, scale)
        if other is None:
            continue
        form = Form(other, rate, scale)
        try:
            fitted = trained(ranker, form, fold, seed)
        except GbrankError:  # a scale at which nothing is learnt
            continue
        value = fitted.score(fold.vali)
        if not np.isnan(value) and (best is None or sign * value > best[0]):
            best = sign * value, form, value, fitted.best_iteration_
    if best is None:
        raise ParameterError(
            f"{objective}: could not be trained with any learning rate of {list(learning_rates)} and scale of "
            f"{list(scales)}; give others."
        )
    return best[1], best[2], best[3]
