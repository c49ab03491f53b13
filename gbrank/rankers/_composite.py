"""What rankers made of other rankers share: how they are trained, measured and saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .._checks import IntArray, ParameterError
from ..backends import Binned
from ..data import RankingData
from ..metrics import Measure
from ..metrics import measure as find_measure
from ._inputs import as_data, require_several
from ._ranks import RankerMixin

Arrays = dict[str, npt.NDArray[Any]]


class RankerOfRankers(RankerMixin):
    """A ranker made of others: what files, measures and diagnoses have to know of it."""

    def _parts(self) -> dict[str, Any]:
        """Return the fitted rankers within, each with the folder of a saved file that it goes to; the last decides."""
        raise NotImplementedError

    def _told(self) -> dict[str, Any]:
        """Return parameters, and what was learnt, as plain values for JSON; all but `_arrays`."""
        raise NotImplementedError

    def _arrays(self) -> Arrays:
        """Return what was learnt as arrays, by name."""
        return {}

    @classmethod
    def _retold(cls, told: Mapping[str, Any], arrays: Arrays, parts: Mapping[str, Any]) -> Self:
        """Return the fitted ranker of what `_told`, `_arrays` and `_parts` gave."""
        raise NotImplementedError

    def _boosted(self) -> Iterator[Any]:
        for part in self._parts().values():
            yield from part._boosted() if isinstance(part, RankerMixin) else ()

    def _measured(self, data: RankingData) -> tuple[Measure, npt.NDArray[np.float64]]:
        deciding = list(self._parts().values())[-1]
        if isinstance(deciding, RankerMixin):
            return deciding._measured(data)
        return find_measure(deciding.measure), data.y


class CompositeRanker(RankerOfRankers):
    """A ranker made of others, trained with the help of folds; a subclass says how in `_train`."""

    cv: Any

    def fit(
        self,
        X: Any,
        y: npt.ArrayLike | None = None,
        *,
        qid: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        query_weight: npt.ArrayLike | Mapping[Any, float] | None = None,
        position: npt.ArrayLike | None = None,
    ) -> Self:
        """Train on folds of queries, and then on all; arguments as in `GBRanker.fit`.

        Where all documents are one query, as they are without `qid`, its documents are divided, with a warning: each
        is then scored by rankers that saw others of its query.

        Raises
        ------
        DataError
            Data or labels that cannot be used.
        ParameterError
            A parameter that is wrong; folds that cut a query.
        """
        data = as_data(X, y, qid, sample_weight=sample_weight, query_weight=query_weight, position=position)
        if isinstance(data, Binned):
            raise ParameterError(f"X: {type(self).__name__} trains on parts of the data, so give it a RankingData.")
        if data.init_score is not None:
            raise ParameterError(
                f"init_score: {type(self).__name__} learns from what its rankers predict, which is without it; leave "
                "it out, or make it a feature."
            )
        require_several(data)
        self._train(data, None if data is X else np.argsort(data.order))
        self.n_features_in_, self.feature_names_ = data.n_features, data.feature_names
        return self

    def _train(self, data: RankingData, given: IntArray | None) -> None:
        """Train on the data; `given` is the row at which each row as given stands, None where it is the same."""
        raise NotImplementedError

    def _told_cv(self) -> Any:
        """Return the folds as a file holds them.

        Raises
        ------
        ParameterError
            They are no plain value.
        """
        if isinstance(self.cv, int | np.integer | str):
            return self.cv if isinstance(self.cv, str) else int(self.cv)
        raise ParameterError(
            f"cv={self.cv!r}: a file holds a number of folds only; set_params(cv=5), say, before saving: that changes "
            "nothing of what was learnt, only how the loaded ranker would be trained again."
        )


def require_takes_data(name: str, ranker: Any) -> None:
    """Refuse a pipeline in which a transformer of scikit-learn's would be given a `RankingData`."""
    for step, transformer in getattr(ranker, "steps", [])[:-1]:
        if type(transformer).__module__.startswith("sklearn."):
            raise ParameterError(
                f"{name}: is trained on parts of a RankingData, which step {step!r} of the pipeline, "
                f"{type(transformer).__name__}, does not take; put such steps before the whole, as in "
                "make_pipeline(transformer, StackedRanker(...))."
            )
