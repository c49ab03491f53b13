"""`importances`: how much of a ranker's splits each feature has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .._checks import ParameterError
from ..rankers import GBRanker

if TYPE_CHECKING:
    import numpy.typing as npt


def importances(ranker: GBRanker) -> pd.DataFrame:
    """Return the gain and the number of splits of each feature.

    They tell what the trees used in training, not what a feature is worth on other data: of two features that say the
    same, either may get all, and features of many distinct values get more than their due.

    Parameters
    ----------
    ranker : GBRanker
        Fitted.  Only the trees that `predict` uses are counted, which are those of the first `best_iteration_` rounds.

    Returns
    -------
    DataFrame of shape (n_features, 3)
        Indexed by feature name ("feature"), highest gain first, equal ones in column order; unused features have 0.

        - ``gain``: what the feature's splits took off the loss, as the booster counts it, summed; not comparable
          between boosters or objectives.
        - ``gain_share``: the same as a share of all features' gain.
        - ``split``: number of splits.

    Raises
    ------
    NotFittedError
        The ranker is not fitted.
    ParameterError
        Another estimator, which has no trees of its own.

    Examples
    --------
    >>> import gbrank
    >>> X = [[0.1, 3.0], [0.9, 3.0], [0.4, 3.0], [0.8, 3.0]] * 20
    >>> qid = [i // 4 for i in range(80)]
    >>> data = gbrank.RankingData(X, [0, 1, 0, 1] * 20, qid, feature_names=["bm25", "length"])
    >>> table = importances(gbrank.GBRanker(n_estimators=2, max_leaves=2).fit(data))
    >>> table[["gain_share", "split"]].reset_index().values.tolist()
    [['bm25', 1.0, 2], ['length', 0.0, 0]]
    """
    if not isinstance(ranker, GBRanker):
        raise ParameterError(
            f"ranker: {type(ranker).__name__} has no trees of its own; give a GBRanker, such as one that it is made of."
        )
    ranker._require_fitted()
    gain = _of_rounds(ranker, "gain")
    split = _of_rounds(ranker, "split").astype(np.int64)
    table = pd.DataFrame(
        {"gain": gain, "gain_share": gain / (gain.sum() or 1.0), "split": split},
        index=pd.Index(ranker.feature_names_, name="feature", dtype=object),
    )
    return table.iloc[np.argsort(-gain, kind="stable")]


def _of_rounds(ranker: GBRanker, kind: str) -> npt.NDArray[np.float64]:
    if ranker.best_iteration_ == 0:
        return np.zeros(ranker.n_features_in_)
    return ranker.model_.importances(kind, n_rounds=ranker.best_iteration_)
