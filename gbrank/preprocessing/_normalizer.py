"""`QueryNormalizer`: features made comparable between queries."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from sklearn.base import OneToOneFeatureMixin

from .._checks import check_choice
from ._base import Kind, WithinQuery
from ._columns import KINDS


class QueryNormalizer(OneToOneFeatureMixin, WithinQuery):  # type: ignore[misc]
    """Normalise each feature within each query, as LETOR's "QueryLevelNorm" sets are.

    Parameters
    ----------
    method : {"minmax", "zscore", "rank"}
        What becomes of a value x: ``minmax`` (x - lowest) / (highest - lowest); ``zscore`` (x - mean) / std, of the
        query's n values with the divisor n; ``rank`` the share of values below x and half of those equal to it.  Equal
        values all become 0, by rank 1/2.  Missing values (NaN) stay missing and do not count.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : array of str of shape (n_features_in_,)
        Where `X` had names.
    training_values_ : list of float64 arrays
        The known values of each feature in the training data, sorted, among which rows of no query stand.

    Notes
    -----
    Nothing is learnt from the training data but what rows without `qid` are compared with.

    References
    ----------
    Qin and Liu, "Introducing LETOR 4.0 Datasets", arXiv 1306.2597, section 3: normalisation within queries.

    Examples
    --------
    >>> from gbrank.preprocessing import QueryNormalizer
    >>> X, qid = [[1.0], [3.0], [2.0], [80.0], [70.0]], ["a", "a", "a", "b", "b"]
    >>> QueryNormalizer().fit_transform(X, qid=qid).ravel().tolist()
    [0.0, 1.0, 0.5, 1.0, 0.0]
    >>> QueryNormalizer("rank").fit_transform(X, qid=qid).ravel().round(2).tolist()
    [0.17, 0.83, 0.5, 0.75, 0.25]
    """

    def __init__(self, method: str = "minmax") -> None:
        self.method = method

    def _plan(self, columns: npt.NDArray[np.int64]) -> Iterable[tuple[int, Kind | None]]:
        check_choice("method", self.method, ("minmax", "zscore", "rank"))
        return [(int(j), KINDS[self.method]) for j in columns]
