"""`LambdaMART`: the ranker with its objective fixed."""

from __future__ import annotations

import os
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
    sigmoid, weight, truncation, ...
        See `gbrank.objectives.LambdaRank`; `random_state` seeds its draws too.
    backend, engine, n_estimators, ...
        See `GBRanker`.
    """

    def __init__(
        self,
        *,
        sigmoid: float = 1.0,
        weight: str = "ndcg",
        truncation: int | None = 30,
        gain: str = "exp",
        relevant_from: float = 1.0,
        max_grade: int = 4,
        score_norm: bool = True,
        query_norm: bool = True,
        rerank_every: int = 1,
        rank_smoothing: float = 0.0,
        ties: str = "stable",
        hessian_factor: float = 1.0,
        backend: str = "lightgbm",
        engine: str = "compiled",
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        max_leaves: int = 31,
        max_depth: int | None = None,
        min_docs_in_leaf: int = 20,
        subsample: float = 1.0,
        query_subsample: float = 1.0,
        colsample: float = 1.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 0.0,
        max_bins: int = 255,
        monotone_constraints: Mapping[str | int, int] | Sequence[int] | None = None,
        interaction_constraints: Sequence[Sequence[str | int]] | None = None,
        categorical_features: Sequence[str | int] | str | None = None,
        boosting: str = "gbdt",
        device: str = "cpu",
        base_score: float | None = None,
        init_model: GBRanker | str | os.PathLike[str] | None = None,
        early_stopping_rounds: int | None = None,
        validation_fraction: float | None = None,
        measure: str | Measure = "ndcg@10",
        measure_label: int | None = None,
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
        own = {name: getattr(self, name) for name in self.get_params(deep=False) if name in LambdaRank().params()}
        seed = own.pop("random_state")
        return LambdaRank(**own, random_state=seed if isinstance(seed, int) else 0)
