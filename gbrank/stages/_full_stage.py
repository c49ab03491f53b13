"""`FullStageRanker`: a ranker for one stage that learns what the later stages let through (arXiv 2405.04844)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from .._checks import DataError, IntArray, ParameterError, check_positive, check_whole
from ..data import RankingData
from ..rankers import GBRanker
from ..rankers._files import COMPOSITES
from ._cascade import top
from ._log import StageLog, require_log
from ._relabel import relabel
from ._requests import sample_requests
from ._stage_ranker import StageRanker

Features = Callable[[npt.NDArray[Any], npt.NDArray[Any]], Any]
"""Called with request ids and item ids of pairs; returns their features, one row for each."""


class FullStageRanker(StageRanker):
    """A ranker trained on how far each item of a request came in a system of several stages.

    Algorithm 1 of the paper: items are sampled from every stage of a request, labelled by the stage that they reached
    and by their feedback (`relabel`), and ranked by any objective.  With "pairwise_logistic" this is FS-RN, with
    "lambdarank" FS-LR; "pairwise_hinge" puts a margin loss in its place and "listnet" a softmax with soft labels.

    Parameters
    ----------
    ranker : GBRanker, optional
        What learns; by default ``GBRanker("lambdarank")``.
    z : sequence of float of length n_stages + 2, optional
        The labels of stages, see `relabel`; 0, 1, 2, ... by default.
    from_stage : int
        The paper's j: items that did not reach this stage are left out.
    counts : sequence of length n_stages + 1, optional
        At most how many negatives of each stage take part, see `sample_requests`; all by default.
    per : {"request", "positive"}
        Whether these are drawn once for each request, or for each of its positives.
    exploration : float
        Standard deviation of the noise that `serve` adds to scores, in standard deviations of a request's scores.
    random_state : int, numpy.random.Generator or None
        Seed of the sample.

    Attributes
    ----------
    ranker_ : GBRanker
        Fitted.
    n_features_in_ : int
    feature_names_ : tuple of str

    Examples
    --------
    >>> from gbrank.stages import RequestSizes, make_platform
    >>> platform = make_platform(20, 300, random_state=0, n_jobs=1)
    >>> log = platform.requests(2, sizes=RequestSizes(60, 20, 20, 8, 8), random_state=0)
    >>> ranker = FullStageRanker(GBRanker("pairwise_logistic", n_estimators=5, n_jobs=1), counts=(0, 2, 2, 1),
    ...     per="positive", random_state=0)
    >>> ranker.fit(log, features=lambda request, item: platform.features(request // 2, item)).n_features_in_
    27
    """

    def __init__(
        self,
        ranker: GBRanker | None = None,
        *,
        z: Sequence[float] | None = None,
        from_stage: int = 0,
        counts: Sequence[int | None] | None = None,
        per: str = "request",
        exploration: float = 0.0,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.ranker = ranker
        self.z = z
        self.from_stage = from_stage
        self.counts = counts
        self.per = per
        self.exploration = exploration
        self.random_state = random_state

    def fit(self, log: StageLog, *, features: Features | None = None, eval_set: Any = None) -> Self:
        """Train.

        Parameters
        ----------
        log : StageLog
            With features, or without if `features` gives them.
        features : callable, optional
            ``features(request, item)`` returns the features of pairs, given request ids of the log and item ids: so
            they are looked up for what was sampled only.
        eval_set : optional
            As in `GBRanker.fit`; `relabel` of another log has the same labels.

        Raises
        ------
        ParameterError, DataError
            What `sample_requests`, `relabel` and `GBRanker.fit` refuse.
        """
        check_positive("exploration", self.exploration, zero=True)
        sample = sampled(log, features, self.counts, self.per, self.random_state)
        data = relabel(sample, self.z, from_stage=self.from_stage)
        self.ranker_ = base_ranker(self.ranker).fit(data, eval_set=eval_set)
        self.n_features_in_, self.feature_names_ = data.n_features, data.feature_names
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the score of each row of `X`: the higher, the further the item is expected to come."""
        self._require_fitted()
        return self.ranker_.predict(X)

    def serve(self, data: RankingData, keep: int, *, random_state: Any = None) -> IntArray:
        """Return the rows that the stage lets through: of each request the `keep` with the highest scores.

        With `exploration`, normal noise is added to the scores first.

        Parameters
        ----------
        data : RankingData
            The candidates of each request.
        keep : int
        random_state : int, numpy.random.Generator or None
            Seed of the noise.

        Raises
        ------
        DataError
            `data` is no `RankingData`, or what `GBRanker.predict` refuses.
        ParameterError
            `keep` is below 1, or `exploration` below 0.
        """
        check_whole("keep", keep)
        check_positive("exploration", self.exploration, zero=True)
        if not isinstance(data, RankingData):
            raise DataError(
                f"data: {type(data).__name__} does not tell which rows are one request; give a RankingData."
            )
        score = self.predict(data)
        query = np.repeat(np.arange(data.n_queries), data.query_sizes)
        if self.exploration:
            starts, sizes = data.query_ptr[:-1], data.query_sizes
            mean = np.add.reduceat(score, starts) / sizes
            spread = np.sqrt(np.add.reduceat((score - mean[query]) ** 2, starts) / sizes)
            noise = np.random.default_rng(random_state).standard_normal(len(score))
            score = score + self.exploration * spread[query] * noise
        return top(np.arange(len(score)), score, query, keep)


COMPOSITES["FullStageRanker"] = FullStageRanker


def base_ranker(ranker: GBRanker | None) -> GBRanker:
    """Return an unfitted copy of what learns."""
    if ranker is not None and not isinstance(ranker, GBRanker):
        raise ParameterError(f"ranker={ranker!r}: give a GBRanker, or None.")
    return GBRanker() if ranker is None else clone(ranker)


def sampled(
    log: StageLog, features: Features | None, counts: Sequence[int | None] | None, per: str, seed: Any
) -> StageLog:
    """Return some items of every stage, with their features."""
    require_log(log)
    if counts is None and per == "positive":
        raise ParameterError("per='positive': say by `counts` how many negatives each positive gets.")
    log = log._with(order=np.arange(log.n_rows))  # so that the sample tells which rows of this log it holds
    sample = log if counts is None else sample_requests(log, counts, per=per, random_state=seed)
    if features is None:
        return sample
    if not callable(features):
        raise ParameterError("features: is no function; give features(request, item), or a log that has features.")
    return sample.with_features(features(log.request[sample.order], sample.item))
