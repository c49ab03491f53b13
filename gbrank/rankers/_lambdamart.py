"""`LambdaMART`: the ranker with its objective fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..metrics import Measure
from ..objectives import LambdaRank, Objective
from ._boosting import Callback
from ._ranker import GBRanker


class LambdaMART(GBRanker):
    """`GBRanker` with the objective LambdaRank, whose parameters are the estimator's own.

    Parameters
    ----------
    sigmoid, truncation, norm, gain, hessian_factor
        See `gbrank.objectives.LambdaRank`.
    backend, engine, n_estimators, ...
        See `GBRanker`.
    """

    def __init__(
        self,
        *,
        sigmoid: float = 1.0,
        truncation: int = 30,
        norm: bool = True,
        gain: str = "exp",
        hessian_factor: float = 1.0,
        backend: str = "lightgbm",
        engine: str = "compiled",
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        max_leaves: int = 31,
        max_depth: int | None = None,
        min_docs_in_leaf: int = 20,
        subsample: float = 1.0,
        colsample: float = 1.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 0.0,
        max_bins: int = 255,
        early_stopping_rounds: int | None = None,
        validation_fraction: float | None = None,
        measure: str | Measure = "ndcg@10",
        backend_params: Mapping[str, Any] | None = None,
        callbacks: Sequence[Callback] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        for name, value in given.items():
            setattr(self, name, value)

    def _objective(self) -> Objective:
        return LambdaRank(self.sigmoid, self.truncation, self.norm, self.gain, self.hessian_factor)
