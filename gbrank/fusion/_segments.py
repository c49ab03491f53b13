"""Weights of their own for each segment of the queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import DataError, IntArray, ParameterError
from ..data import RankingData
from ..rankers._ranks import ranks_in_queries
from ._json import JsonFile
from ._target import TargetResult, target_weights
from ._value_model import ValueModel


@dataclass(frozen=True)
class SegmentedValueModel(JsonFile):
    """A value model for each segment of the queries.

    Parameters
    ----------
    models : mapping of segment to ValueModel
    default : ValueModel, optional
        For queries of other segments, which are refused without it.

    Examples
    --------
    >>> from gbrank import RankingData
    >>> scores = RankingData([[1.0, 0.0], [0.0, 2.0]], [0, 0], qid=["a", "b"], feature_names=["x", "y"])
    >>> models = SegmentedValueModel({"new": ValueModel({"x": 1.0}), "old": ValueModel({"y": 1.0})})
    >>> models.score(scores, ["new", "old"]).tolist()
    [1.0, 2.0]
    """

    models: Mapping[str, ValueModel]
    default: ValueModel | None = None

    def score(self, scores: RankingData, segments: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the score of each document, by the model of its query's segment; `segments` has one for each query.

        Raises
        ------
        DataError
            A segment without a model, or not one segment for each query.
        """
        labels = query_segments(scores, segments)
        out = np.empty(scores.n_documents)
        for label in dict.fromkeys(labels.tolist()):
            model = self.models.get(label, self.default)
            if model is None:
                raise DataError(f"segments: no model for {label!r}; there are {', '.join(self.models)}, no default.")
            chosen = labels == label
            out[np.repeat(chosen, scores.query_sizes)] = model.score(scores.take(chosen))
        return out

    def rank(self, scores: RankingData, segments: npt.ArrayLike) -> IntArray:
        """Return the rank of each document in its query, from 1; ties share the better rank."""
        return ranks_in_queries(self.score(scores, segments), scores.qid)

    def to_dict(self) -> dict[str, Any]:
        """Return the models as plain content; `from_dict` reads them back."""
        models = {segment: model.to_dict() for segment, model in self.models.items()}
        return {"segments": models, "default": None if self.default is None else self.default.to_dict()}

    @classmethod
    def from_dict(cls, content: Any) -> SegmentedValueModel:
        """Return the models that `to_dict` describes.

        Raises
        ------
        ParameterError
            Content of something else.
        """
        if not isinstance(content, Mapping) or not isinstance(content.get("segments"), Mapping):
            raise ParameterError("value models: give {'segments': {segment: value model}, 'default': .. or null}.")
        default = content.get("default")
        models = {segment: ValueModel.from_dict(each) for segment, each in content["segments"].items()}
        return cls(models, None if default is None else ValueModel.from_dict(default))


def target_weights_by_segment(
    model: ValueModel, scores: RankingData, desired: Mapping[str, Any], segments: npt.ArrayLike, **options: Any
) -> tuple[SegmentedValueModel, dict[str, TargetResult]]:
    """Search weights for each segment of the queries on its own.

    Parameters
    ----------
    desired : mapping of task to float, or of segment to such a mapping
        Fractions for all segments, or for each.
    segments : array-like of shape (n_queries,)
        What each query belongs to; compared as strings.
    **options
        Those of `gbrank.target_weights`, as are the other parameters.

    Returns
    -------
    models : SegmentedValueModel
        With the model given as the default.
    results : dict of segment to TargetResult
    """
    if not isinstance(desired, Mapping):
        raise ParameterError(f"desired: {desired!r} is no mapping; give fractions, or {{segment: fractions}}.")
    labels, results = query_segments(scores, segments), {}
    of_each = any(isinstance(each, Mapping) for each in desired.values())
    for label in desired if of_each else ():
        if label not in labels:
            raise ParameterError(f"desired: no query is of the segment {label!r}; leave it out, or correct its name.")
    for label in dict.fromkeys(labels.tolist()):
        wanted = desired
        if of_each:
            if label not in desired:
                raise ParameterError(f"desired: nothing for the segment {label!r}; give fractions for each segment.")
            wanted = desired[label]
        try:
            results[label] = target_weights(model, scores.take(labels == label), wanted, **options)
        except (DataError, ParameterError) as error:
            raise type(error)(f"segment {label!r}: {error}") from None
    return SegmentedValueModel({label: each.model for label, each in results.items()}, model), results


def query_segments(scores: RankingData, segments: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the segment of each query as a string."""
    if not isinstance(scores, RankingData):
        raise DataError(f"scores: give a RankingData with a feature for each task, not {type(scores).__name__}.")
    labels = np.asarray(segments).astype(str)
    if labels.shape != (scores.n_queries,):
        raise DataError(f"segments: shape {labels.shape} for {scores.n_queries} queries; give one for each query.")
    return labels
