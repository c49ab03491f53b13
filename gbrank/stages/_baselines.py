"""What full-stage learning is compared with, as rankers of the same family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from .._checks import DataError, IntArray, ParameterError, check_whole
from .._registry import unknown
from ..data import RankingData
from ..data._ranking_data import replace_fields
from ..objectives import CrossEntropy, PairwiseLogistic
from ..rankers import GBRanker
from ..rankers._composite import Arrays
from ..rankers._files import COMPOSITES
from ._full_stage import Features, FullStageRanker, base_ranker, sampled
from ._log import StageLog
from ._stage_ranker import StageRanker

Vector = npt.NDArray[np.float64]

OBJECTIVE = {
    "bpr": "pairwise_logistic",
    "ssm": "softmax",
    "bce": "cross_entropy",
    "prp": "cross_entropy",
    "fs_rn": "pairwise_logistic",
    "fs_lr": "lambdarank",
}
FULL_STAGE = ("fs_rn", "fs_lr")
METHODS = (*OBJECTIVE, "rankflow", "product")


def stage_method(
    name: str,
    ranker: GBRanker | None = None,
    *,
    n_stages: int = 3,
    stage: int = 1,
    negatives: int = 5,
    counts: Sequence[int | None] | None = None,
    random_state: Any = None,
) -> Any:
    """Return a method of Zheng et al., arXiv 2405.04844, section 8.2.2, for one stage of a system: an estimator.

    All of them are fitted by ``fit(log, features=...)`` and rank by ``predict(X)``; `negatives` is the same for all, so
    that none learns from more.

    Parameters
    ----------
    name : str
        - "bpr": each exposed positive against random items in pairs (Rendle et al., UAI 2009);
        - "ssm": against all of its random items at once, by softmax;
        - "bce": each exposed positive and negatives of all stages, which count alike, by cross-entropy;
        - "prp": what was exposed, liked or not, by cross-entropy: a model of the interest r alone, by which the
          probability ranking principle ranks in every stage;
        - "product": the chance to pass each later stage and the interest, learnt separately and multiplied
          (`StageProductRanker`);
        - "rankflow": `RankFlowRanker`;
        - "fs_rn", "fs_lr": full-stage learning by RankNet's and by LambdaRank's loss.
    ranker : GBRanker, optional
        What learns, whose objective the method sets.
    n_stages : int
    stage : int
        The stage to be trained, from 1.  Items that do not reach the stage before it take no part.
    negatives : int
        How many items accompany each positive.
    counts : sequence of length n_stages + 1, optional
        How many of each stage these are in full-stage learning; by default one that was exposed and the rest in even
        shares, the lowest stages first ("1, 1, 2" and one exposed, of 5, for three stages).
    random_state : int or None

    Raises
    ------
    ParameterError
        No such method, or a stage outside the system.
    """
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    check_whole("n_stages", n_stages)
    check_whole("negatives", negatives)
    check_stage(stage, n_stages)
    base = base_ranker(ranker)
    lowest = stage - 1
    if name == "rankflow":
        return RankFlowRanker(base, stage=stage, negatives=negatives, random_state=random_state)
    if name == "product":
        return StageProductRanker(base, stage=stage)
    every = even_counts(n_stages, lowest, negatives) if counts is None else counts
    of_name: dict[str, tuple[Sequence[int | None], str]] = {
        "bpr": (one_of(n_stages, lowest, negatives), "positive"),
        "ssm": (one_of(n_stages, lowest, negatives), "positive"),
        "prp": ((*(0,) * n_stages, None), "request"),
    }
    taken, per = of_name.get(name, (every, "positive"))
    liked = None if name in FULL_STAGE else (*(0,) * (n_stages + 1), 1)
    return FullStageRanker(
        clone(base).set_params(objective=OBJECTIVE[name]), counts=taken, per=per, z=liked, random_state=random_state
    )


def one_of(n_stages: int, stage: int, negatives: int) -> tuple[int, ...]:
    """Return counts of negatives that are all of one stage."""
    return tuple(negatives if number == stage else 0 for number in range(n_stages + 1))


def even_counts(n_stages: int, lowest: int, negatives: int) -> tuple[int, ...]:
    """Return counts of negatives: one that was exposed, the others evenly, the lowest stages first."""
    stages = range(lowest, n_stages)
    each, more = divmod(negatives - 1, len(stages))
    return (*(0,) * lowest, *(each + (number < more) for number in range(len(stages))), 1)


class StageProductRanker(StageRanker):
    """The generalised ranking principle with a model for each factor: p(passes the later stages) x r.

    A model of cross-entropy for each later stage, of who passes among those that reached it, and one of the feedback
    on what was exposed.  `predict` multiplies their probabilities, section 4 of the paper.

    Parameters
    ----------
    ranker : GBRanker, optional
        What learns each factor.
    stage : int
        The stage to be trained, from 1: the factors are those of the stages after it.
    """

    def __init__(self, ranker: GBRanker | None = None, *, stage: int = 1) -> None:
        self.ranker = ranker
        self.stage = stage

    def fit(self, log: StageLog, *, features: Features | None = None) -> Self:
        """Train a model for each factor on all rows of the log; see `FullStageRanker.fit`."""
        whole = sampled(log, features, None, "request", None)
        check_stage(self.stage, log.n_stages)
        self.factors_: list[GBRanker] = []
        for later in range(self.stage + 1, log.n_stages + 1):
            reached = whole.stage >= later - 1
            if not (whole.stage == later - 1).any():
                raise DataError(f"the log has nothing that stopped before stage {later}; p cannot be learnt there.")
            seen = whole.rows(reached)
            self.factors_.append(self._model().fit(seen.to_data(seen.stage >= later)))
        answered = whole.rows(whole.exposed)
        self.factors_.append(self._model().fit(answered.to_data(answered.feedback > 0)))
        self.n_features_in_, self.feature_names_ = whole.features.shape[1], self.factors_[0].feature_names_
        return self

    def _model(self) -> GBRanker:
        return base_ranker(self.ranker).set_params(objective="cross_entropy")

    def predict(self, X: Any) -> Vector:
        """Return the logarithm of the product of all probabilities."""
        self._require_fitted()
        return np.asarray(-sum(np.logaddexp(0, -factor.predict(X)) for factor in self.factors_))

    def _parts(self) -> dict[str, Any]:
        return {f"factors/{number}": each for number, each in enumerate(self.factors_)}

    @classmethod
    def _retold(cls, told: Mapping[str, Any], arrays: Arrays, parts: Mapping[str, Any]) -> Self:
        base = None if told["default_ranker"] else clone(parts["factors/0"])
        ranker = cls(base, **told["params"])
        ranker.factors_ = [parts[f"factors/{number}"] for number in range(len(parts))]
        return ranker


class RankFlowRanker(StageRanker):
    """RankFlow: each stage learns from feedback and from the next stage (Qin et al., SIGIR 2022).

    From the last stage to the first: a model learns the feedback by cross-entropy, with items that the stage did not
    let through as further negatives (self-learning); and, of items that it did, the order in which the model of the
    next stage puts them, by pairwise logistic loss (tutor-learning).  The paper's squared error to the tutor's scores
    is left out, as in Zheng et al., section 8.2.2.

    Parameters
    ----------
    ranker : GBRanker, optional
        What learns in each stage.
    stage : int
        The stage whose model `predict` uses, from 1.
    negatives : int
        How many items accompany each positive: one that was exposed, one that got as far as the tutor, where there is
        a tutor, and for the rest items of the stage before.
    tutor_weight : float
        The weight of tutor-learning; that of self-learning is 1.
    random_state : int or None
    """

    def __init__(
        self,
        ranker: GBRanker | None = None,
        *,
        stage: int = 1,
        negatives: int = 5,
        tutor_weight: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.ranker = ranker
        self.stage = stage
        self.negatives = negatives
        self.tutor_weight = tutor_weight
        self.random_state = random_state

    def fit(self, log: StageLog, *, features: Features | None = None) -> Self:
        """Train all stages from the last to this one; see `FullStageRanker.fit`."""
        check_whole("negatives", self.negatives, lowest=3)
        check_stage(self.stage, log.n_stages)
        tutor: GBRanker | None = None
        for number in range(log.n_stages, self.stage - 1, -1):
            counts = [0] * (log.n_stages + 1)
            counts[-1] = 1
            counts[number - 1] = self.negatives - 1
            if tutor is not None:
                counts[number], counts[number - 1] = 1, self.negatives - 2
            sample = sampled(log, features, counts, "positive", self.random_state)
            data = sample.to_data(sample.positive)
            model = base_ranker(self.ranker)
            objective: Any = CrossEntropy()
            if tutor is not None:
                objective = objective + self.tutor_weight * PairwiseLogistic(pairs="given")
                pairs = preferred(tutor.predict(data), data, sample.stage >= number)
                paired = RankingData(data.X, data.y, data.qid, pairs=pairs, feature_names=data.feature_names)
                data = replace_fields(paired, categories=data.categories)
            tutor = model.set_params(objective=objective).fit(data)
        assert tutor is not None
        self.ranker_, self.n_features_in_, self.feature_names_ = tutor, tutor.n_features_in_, tutor.feature_names_
        return self

    def predict(self, X: Any) -> Vector:
        """Return the score of each row by the model of the stage."""
        self._require_fitted()
        return self.ranker_.predict(X)


COMPOSITES |= {each.__name__: each for each in (StageProductRanker, RankFlowRanker)}


def check_stage(stage: int, n_stages: int) -> None:
    """Raise a `ParameterError` unless a system of so many stages has this one."""
    check_whole("stage", stage)
    if stage > n_stages:
        raise ParameterError(f"stage={stage}: the system has {n_stages}.")


def preferred(score: Vector, data: RankingData, taking_part: npt.NDArray[np.bool_]) -> IntArray:
    """Return all pairs of rows of one query that take part, the one with the higher score first; none of ties."""
    rows = np.flatnonzero(taking_part)
    query = np.repeat(np.arange(data.n_queries), data.query_sizes)[rows]
    most = int(np.bincount(query, minlength=1).max(initial=0))
    found = []
    for distance in range(1, most):
        same = query[distance:] == query[:-distance]
        a, b = rows[:-distance][same], rows[distance:][same]
        found.append(np.where((score[a] > score[b])[:, None], np.column_stack([a, b]), np.column_stack([b, a])))
    pairs = np.concatenate(found) if found else np.empty((0, 2), np.int64)
    return np.asarray(pairs[score[pairs[:, 0]] > score[pairs[:, 1]]])
