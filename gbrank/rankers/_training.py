"""One training of a `GBRanker`: what it is trained on, and the boosting from its parameters to trees."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._checks import GbrankWarning, ParameterError, check_whole
from ..backends import Binned, Model, Trainer, TreeParams
from ..backends._constraints import require_monotone
from ..data import RankingData
from ..data._categories import Categories
from ..metrics import Measure
from ..objectives import Bound, Objective
from ._boosting import Boosting, Outcome
from ._continued import Earlier
from ._diagnosis import why_constant
from ._init_score import first_score, require_init_scores
from ._inputs import data_of, hold_out, require_same_features, require_several, with_bins
from ._measuring import measured_labels
from ._parts import weighty_part
from ._sampling import drawn_rows

if TYPE_CHECKING:
    from ._ranker import GBRanker

Data = RankingData | Binned
Sets = Mapping[str, Data]


class Trained(NamedTuple):
    """What a training leaves: the booster, the categories of its features, and all else."""

    model: Model
    categories: Categories
    outcome: Outcome


def prepared(ranker: GBRanker, train: Data, evaluated: Sets, objective: Objective) -> tuple[Data, Sets]:
    """Return training data and evaluation sets, held out where the ranker says so, as far as they have any weight.

    Raises
    ------
    DataError
        Nothing to learn from; an evaluation set with other features.
    ParameterError
        A share or patience that is none; early stopping without an evaluation set.
    """
    train, evaluated = _with_held_out(ranker, train, evaluated)
    data = data_of(train)
    require_several(data)
    if data.pairs is not None and not objective.reads_pairs:
        text = (
            f"the data hold {len(data.pairs)} pairs, which {objective} does not read: choose a pairwise objective "
            "with pairs='given', as in gbrank.objective('pairwise_logistic', pairs='given')."
        )
        warnings.warn(text, GbrankWarning, stacklevel=3)
    for name, one in evaluated.items():
        require_same_features(data, data_of(one), name)
    part = weighty_part(data, objective)
    if part is data:
        return train, evaluated
    return part, {name: data_of(one) for name, one in evaluated.items()}  # bins made of all documents do not fit it


def _with_held_out(ranker: GBRanker, train: Data, evaluated: Sets) -> tuple[Data, Sets]:
    share, patience = ranker.validation_fraction, ranker.early_stopping_rounds
    if share is not None and not (isinstance(share, float | np.floating) and 0 < share < 1):
        raise ParameterError(f"validation_fraction={share!r}: a share lies between 0 and 1.")
    if share is not None and not evaluated:
        train, held = hold_out(train, share, ranker.random_state)
        evaluated = {"valid": held}
    if patience is not None:
        check_whole("early_stopping_rounds", patience)
        if not evaluated:
            raise ParameterError("early_stopping_rounds: give fit an eval_set, or set validation_fraction.")
    return train, evaluated


def boosted(
    ranker: GBRanker, train: Data, evaluated: Sets, objective: Objective, measure: Measure, before: Earlier | None
) -> Trained:
    """Return the trees that a ranker's parameters give on prepared data, after those of an earlier ranker if any."""
    backend, params, native = ranker._backend(), ranker._tree_params(), ranker.engine == "native"
    train_data, plain = data_of(train), {name: data_of(one) for name, one in evaluated.items()}
    labels = {
        name: measured_labels(one, objective, ranker.measure_label, f"evaluation set {name!r}")
        for name, one in plain.items()
    }
    # Binding comes first: it refuses what cannot be learnt before time is spent on bins.
    bound = objective.bind(train_data, engine="numpy" if native else ranker.engine, n_jobs=ranker.n_jobs)
    require_init_scores(train_data, plain, bound.n_outputs)
    if before is None:
        start = first_score(ranker.base_score, bound, train_data, native=native)
        outcome = Outcome(history={name: [] for name in plain}, init_score=start)
    else:
        before.resume(bound)
        outcome = before.outcome(plain, labels, measure)
        train, evaluated = before.going_on(train, evaluated, backend)
    binned, sets = with_bins(train, evaluated, backend, params)
    trainer = backend.trainer(
        binned,
        [one for one in sets.values() if one is not binned],
        params,
        n_outputs=bound.n_outputs,
        native=objective if native else None,
        start=None if before is None else before.start(),
    )
    if before is not None:
        before.require_fit(binned.data, trainer)
    _require_possible(ranker, params, objective, bound, trainer, binned)
    explain = functools.partial(why_constant, train_data, ranker, objective)
    drawn = None
    if params.query_subsample < 1 and not native:
        drawn = functools.partial(drawn_rows, train_data.query_ptr, params.query_subsample, params.seed)
    own = None if native else bound
    boosting = Boosting(trainer, binned, sets, labels, objective, own, measure, params.learning_rate, explain, drawn)
    boosting.run(ranker.n_estimators, ranker.early_stopping_rounds, list(ranker.callbacks or ()), outcome)
    return Trained(trainer.finish(), dict(binned.data.categories), outcome)


def _require_possible(
    ranker: GBRanker, params: TreeParams, objective: Objective, bound: Bound, trainer: Trainer, binned: Binned
) -> None:
    """Raise a `ParameterError` where parameters do not go together, as far as only the library could tell."""
    if ranker.early_stopping_rounds is not None and trainer.rescales_trees():
        raise ParameterError(
            "early_stopping_rounds: DART changes earlier trees in every round, so the best round's model is lost "
            "when training goes on; leave early stopping out."
        )
    if params.monotone_constraints is not None:
        require_monotone(objective, bound, binned.backend)
    if bound.renews_leaves and ranker.engine != "native" and trainer.rescales_trees():
        raise ParameterError(
            f"objective={objective}: renews the leaves of each tree, which DART then scales; leave DART out."
        )
