"""`make_scorer`: a measure as scikit-learn's searches and cross-validation take it."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRequest

from .._checks import DataError, as_vector
from .._groups import group_rows
from ..data import RankingData
from ..metrics import Measure
from ..metrics import measure as find_measure


class MeasureScorer:
    """A scorer ``scorer(estimator, X, y, qid=qid)``: the mean of a measure over queries; made by `make_scorer`.

    Attributes
    ----------
    measure : Measure
    """

    def __init__(self, measure: Measure) -> None:
        self.measure = measure

    def __call__(
        self, estimator: Any, X: Any, y: npt.ArrayLike | None = None, qid: npt.ArrayLike | None = None, **unused: None
    ) -> float:
        """Return the mean over the queries that the measure does not skip, negated where less is better.

        Raises
        ------
        DataError
            There are no query ids, or no labels, or every query is skipped.
        """
        if isinstance(X, RankingData):
            y, qid = X.y, X.qid
        if qid is None or y is None:
            raise DataError(
                "qid: a measure of ranked lists needs the query id and the label of each row; in a scikit-learn search "
                "switch on metadata routing and pass qid."
            )
        groups = group_rows(qid)
        score = as_vector("the prediction", _predict(estimator, X, qid), length=len(groups.order))
        labels = as_vector("y", y, length=len(groups.order))
        values = self.measure(labels[groups.order], score[groups.order], groups.query_ptr)
        mean = self.measure.mean(values, groups.query_ptr)
        if mean != mean:
            raise DataError(f"{self.measure}: skips all {len(values)} queries: none has a relevant document.")
        return mean if self.measure.higher_is_better else -mean

    def get_metadata_routing(self) -> MetadataRequest:
        """Return what scikit-learn is to hand on: the query ids."""
        request = MetadataRequest(owner=self)
        request.score.add_request(param="qid", alias=True)
        return request

    def __repr__(self) -> str:
        return f"make_scorer({str(self.measure)!r})"


def make_scorer(measure: str | Measure, *, preset: str | None = None, **rules: Any) -> MeasureScorer:
    """Return a scorer for ``scoring=`` of scikit-learn's searches, `cross_validate`, `permutation_importance`, ...

    Parameters
    ----------
    measure, preset, **rules
        As `gbrank.measure` reads them.

    Examples
    --------
    >>> import gbrank
    >>> import sklearn
    >>> from sklearn.model_selection import cross_validate
    >>> data = gbrank.make_letor(60, random_state=0)
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     found = cross_validate(
    ...         gbrank.GBRanker(n_estimators=5, n_jobs=1), data.X, data.y, cv=gbrank.QueryKFold(3),
    ...         scoring={"ndcg": make_scorer("ndcg@5"), "rr": make_scorer("rr")},
    ...         params={"qid": data.qid, "groups": data.qid},
    ...     )
    >>> found["test_ndcg"].shape, bool((found["test_rr"] > 0.5).all())
    ((3,), True)
    """
    return MeasureScorer(find_measure(measure, preset=preset, **rules))


def _predict(estimator: Any, X: Any, qid: npt.ArrayLike) -> Any:
    """Return predictions; a pipeline that looks within queries is given their ids."""
    if get_config()["enable_metadata_routing"] and hasattr(estimator, "get_metadata_routing"):
        wants = estimator.get_metadata_routing().consumes(method="predict", params=["qid"])
        return estimator.predict(X, **({"qid": qid} if wants else {}))
    return estimator.predict(X)
