"""Why a ranker does not learn: `diagnose` looks at the data, the objective at the start, and the course of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ..._checks import DataError, ParameterError
from ...data import RankingData
from ...objectives import Objective
from . import labels, training
from .features import check_features
from .result import Diagnosis, Finding
from .subject import Subject

if TYPE_CHECKING:
    from .._ranker import GBRanker

__all__ = ["Diagnosis", "Finding", "diagnose", "why_constant"]

Check = Callable[[Subject], Iterator[Finding]]

OF_DATA: tuple[Check, ...] = (*labels.CHECKS, check_features, training.hessian_scale)
OF_TRAINING: tuple[Check, ...] = (training.constant_model, training.learning_curve)


def diagnose(data: RankingData, ranker: GBRanker | None = None) -> Diagnosis:
    """Find out why a ranker does not learn, or might not.

    Parameters
    ----------
    data : RankingData
        The training data; with a fitted ranker also others, to see what it makes of them.
    ranker : GBRanker, optional
        Not fitted, its objective is tied to the data, and its gradients at the start and its limits are looked at;
        fitted, also how its training went.  Without one only the data are.

    Returns
    -------
    Diagnosis
        Findings, each with its numbers, its place and its remedy.

    Raises
    ------
    DataError
        `data` is no `RankingData`, or has other features than a fitted ranker.
    ParameterError
        `ranker` is no `GBRanker`, or has a parameter that is wrong.

    Notes
    -----
    A few passes over the data: the gradients of one round, and each feature once.  No tree is grown.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.RankingData([[i % 4, 7] for i in range(24)], [1, 0, 2, 0] * 6, qid=[i // 4 for i in range(24)])
    >>> found = gbrank.diagnose(data, gbrank.GBRanker())
    >>> bool(found), [finding.name for finding in found.findings]
    (True, ['min_docs_in_leaf', 'constant_features'])
    >>> found["min_docs_in_leaf"].remedy
    'Lower min_docs_in_leaf (20), or train on more documents.'
    """
    from .._ranker import GBRanker

    if not isinstance(data, RankingData):
        raise DataError(f"data: give a RankingData, not {type(data).__name__}.")
    if ranker is not None and not isinstance(ranker, GBRanker):
        raise ParameterError(f"ranker: give a GBRanker or None, not {type(ranker).__name__}.")
    if ranker is None:
        return _found(Subject.of(data, None, None), OF_DATA)
    if hasattr(ranker, "model_"):
        return _found(Subject.of(data, ranker, ranker.objective_), (*OF_DATA, *OF_TRAINING))
    return _found(Subject.of(data, ranker, ranker._objective()), OF_DATA)


def _found(subject: Subject, checks: Iterable[Check]) -> Diagnosis:
    return Diagnosis.of((finding for check in checks for finding in check(subject)), subject.facts())


def why_constant(data: RankingData, ranker: GBRanker, objective: Objective) -> str:
    """Return what may be the reason that no tree could be grown, with its remedy; "" where none is found."""
    found = _found(Subject.of(data, ranker, objective), OF_DATA).findings
    worst = [each for each in found if each.severity == found[0].severity != "note"]
    return " ".join(f"{each.text} {each.remedy}" for each in worst[:2])
