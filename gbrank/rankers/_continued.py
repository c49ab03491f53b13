"""Training that goes on from an earlier ranker: whose trees come first, and what has to agree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, ParameterError
from .._compile import thread_count
from ..backends import Backend, Binned, Start, Trainer
from ..data import RankingData
from ..data._features import numbered
from ..metrics import Measure
from ..objectives import Bound, Objective
from ..objectives._combined import Combined
from ._boosting import Outcome
from ._measuring import mean_measure

if TYPE_CHECKING:
    from ._ranker import GBRanker

REMEDY = "train anew, or give the old model's scores as init_score"


@dataclass(frozen=True)
class Earlier:
    """A fitted ranker whose trees a training goes on from: those that its `predict` uses."""

    ranker: GBRanker

    @property
    def rounds(self) -> int:
        """Number of rounds that are kept."""
        return self.ranker.best_iteration_

    def start(self) -> Start | None:
        """Return the trees that are kept, or None if there are none."""
        return Start(self.ranker.model_.head(self.rounds), self.rounds) if self.rounds else None

    def going_on(
        self, train: Any, evaluated: Mapping[str, Any], backend: Backend
    ) -> tuple[RankingData, dict[str, RankingData]]:
        """Return training data and evaluation sets whose scores begin where the earlier ranker ends."""
        moved = {id(one): self._going_on(one, backend) for one in (train, *evaluated.values())}
        return moved[id(train)], {name: moved[id(one)] for name, one in evaluated.items()}

    def _going_on(self, data: Any, backend: Backend) -> RankingData:
        if isinstance(data, Binned):
            raise ParameterError(
                "init_model: the data are binned already, without the scores of the earlier trees; give the data "
                "themselves, which are in the attribute `data`."
            )
        ranker = self.ranker
        raw = ranker.model_.raw(ranker._features(data), n_rounds=self.rounds, n_threads=thread_count(ranker.n_jobs))
        return backend.going_on(data, raw)

    def outcome(self, evaluated: Mapping[str, RankingData], labels: Mapping[str, Any], measure: Measure) -> Outcome:
        """Return what the training begins with: that the earlier ranker ended with, measured on these data."""
        ranker = self.ranker
        history = {name: self._history(name, data, labels[name], measure) for name, data in evaluated.items()}
        return Outcome(
            self.rounds, self.rounds, history=history, init_score=ranker.init_score_, state=dict(ranker.state_)
        )

    def _history(self, name: str, data: RankingData, labels: npt.NDArray[Any], measure: Measure) -> list[float]:
        """Return the measure after each round that is kept, with the state that the last one left."""
        ranker, values = self.ranker, []
        for raw in ranker.model_.staged(ranker._features(data), self.rounds, thread_count(ranker.n_jobs)):
            score = raw + (ranker.init_score_ if raw.ndim == 2 else ranker.init_score_[0])
            score = score if data.init_score is None else score + data.init_score
            score = ranker.objective_.transform(score, ranker.state_)
            values.append(mean_measure(measure, labels, score, data, f"evaluation set {name!r}"))
        return values

    def resume(self, bound: Bound) -> None:
        """Have the objective take up the earlier state.

        Raises
        ------
        ParameterError
            It has other outputs, or a state of another shape.
        """
        before, now = self.ranker.model_.n_outputs, bound.n_outputs
        if before != now:
            raise ParameterError(
                f"init_model: has {before} outputs a document, and {self.ranker.objective_.name!r} on these data has "
                f"{now}; give data with the grades of the first training, or {REMEDY}."
            )
        if self.ranker.engine != "native":
            bound.resume(self.ranker.state_, self.rounds)

    def require_fit(self, data: RankingData, trainer: Trainer) -> None:
        """Check what is known once data are binned: that codes of categories mean the same, and that trees stay.

        Raises
        ------
        DataError
            The categories are not those of the earlier training.
        ParameterError
            New trees would change the earlier ones (DART).
        """
        if trainer.rescales_trees():
            raise ParameterError(
                "init_model: DART, and whatever else scales the trees grown before, would have to change the earlier "
                "model; leave it out."
            )
        before, now = self.ranker.categories_, data.categories
        for name in {*before, *now}:
            if name not in before or name not in now or not np.array_equal(before[name], now[name]):
                raise DataError(
                    f"init_model: the categories of feature {name!r} are not those that it was trained on; give data "
                    f"in which the same ones occur, or {REMEDY}."
                )


def earlier(given: Any, ranker: GBRanker, objective: Objective, data: RankingData) -> Earlier | None:
    """Return what `init_model` is, after checking that `ranker` can go on from it with these data.

    Raises
    ------
    ParameterError
        It is no fitted `GBRanker`, or one of another backend, engine or kind of objective.
    DataError
        A file that is none of a ranker; other features.
    """
    if given is None:
        return None
    found = fitted(given)
    if ranker.base_score is not None:
        raise ParameterError("base_score: training starts where init_model ends; leave one of them out.")
    if found.model_.backend != ranker.backend:
        raise ParameterError(
            f"init_model: was trained with backend={found.model_.backend!r}, not {ranker.backend!r}; {REMEDY}."
        )
    if (found.engine == "native") != (ranker.engine == "native"):
        raise ParameterError(
            f"init_model: was trained with engine={found.engine!r}, and the library starts from other scores with its "
            f"own objectives than with gbrank's; go on with the same, or {REMEDY}."
        )
    if family(found.objective_) != family(objective):
        raise ParameterError(
            f"init_model: was trained with the objective {found.objective_}, whose scores mean something else than "
            f"those of {objective}; give the same kind of objective, or {REMEDY}."
        )
    require_features(found, data)
    return Earlier(found)


def fitted(given: Any) -> GBRanker:
    """Return the fitted ranker that is given, or saved in a file."""
    from ._files import load
    from ._ranker import GBRanker

    found = load(given) if isinstance(given, str | os.PathLike) else given
    if not isinstance(found, GBRanker):
        raise ParameterError(
            f"init_model: give a fitted GBRanker, or the path of a saved one, not {type(found).__name__}."
        )
    if not hasattr(found, "model_"):
        raise ParameterError("init_model: is not fitted; call its fit first.")
    return found


def family(objective: Objective) -> Any:
    """Return what two objectives share whose scores mean the same: their kind, and that of all parts of a sum."""
    if isinstance(objective, Combined):
        return [(family(part.objective), part.label) for part in objective.terms]
    return type(objective), str(objective.name).partition(":")[0]


def require_features(found: GBRanker, data: RankingData) -> None:
    """Raise a `DataError` where data have other columns than a ranker was trained on."""
    if data.n_features != found.n_features_in_:
        raise DataError(
            f"init_model: was trained on {found.n_features_in_} features, and X has {data.n_features}; give the same."
        )
    # Data without names of their own have numbered ones: their columns go by position.
    if data.feature_names not in (found.feature_names_, numbered(data.n_features)):
        pairs = zip(data.feature_names, found.feature_names_, strict=True)
        at, (here, there) = next((at, pair) for at, pair in enumerate(pairs) if pair[0] != pair[1])
        raise DataError(
            f"init_model: column {at} of X is {here!r}, and was {there!r} in its training; give the columns the names "
            "and the order that they had."
        )
