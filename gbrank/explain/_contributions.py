"""`contributions`: what each feature adds to the score of each document, and why one stands above another."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from .._checks import DataError, ParameterError
from .._compile import thread_count
from ..data import RankingData
from ..rankers import CalibratedRanker, GBRanker

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Contributions:
    """What each feature adds to the scores of documents; made by `contributions`.

    Attributes
    ----------
    values : array of shape (n_documents, n_features + 1), or (n_documents, n_features + 1, n_outputs)
        Last comes what all documents start from: the mean score of the training data, as the trees remember it.  The
        sums over the second axis are the scores.
    feature_names : tuple of str
    X : array or CSR array of shape (n_documents, n_features)
        The documents' features.
    data : RankingData or None
        Where the documents came with queries.
    categories : mapping of str to array
        Of a column of categories, what its codes in `X` stand for.
    """

    values: Matrix
    feature_names: tuple[str, ...]
    X: Any
    data: RankingData | None = None
    categories: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def scores(self) -> Matrix:
        """The scores that the contributions sum to, before any transformation by the objective."""
        return np.asarray(self.values.sum(axis=1))

    def output(self, number: int) -> Contributions:
        """Return the contributions to one of several outputs, from 0."""
        outputs = 1 if self.values.ndim == 2 else self.values.shape[2]
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < outputs:
            raise ParameterError(f"output={number!r}: there are {outputs}, from 0 to {outputs - 1}.")
        return self if self.values.ndim == 2 else dataclasses.replace(self, values=self.values[:, :, number])

    def difference(self, a: int, b: int) -> pd.DataFrame:
        """Return why document a has another score than document b: feature by feature, the largest difference first.

        Parameters
        ----------
        a, b : int
            Rows, from 0, in the order of the data given.

        Returns
        -------
        DataFrame of shape (n_features, 5)
            Indexed by feature: value_a, value_b (of the feature), contribution_a, contribution_b and difference, whose
            sum is the difference of the scores.
        """
        values = self._of_one_output()
        for row in (a, b):
            if isinstance(row, bool) or not isinstance(row, int | np.integer) or not 0 <= row < len(values):
                raise ParameterError(f"row {row!r}: there are {len(values)} documents, from row 0.")
        x = self.X[[a, b]].toarray() if sp.issparse(self.X) else self.X[[a, b]]
        named = [self._named(row) for row in x]
        table = pd.DataFrame(
            {
                "value_a": named[0],
                "value_b": named[1],
                "contribution_a": values[a, :-1],
                "contribution_b": values[b, :-1],
            },
            index=pd.Index(self.feature_names, name="feature", dtype=object),
        )
        table["difference"] = table["contribution_a"] - table["contribution_b"]
        return table.iloc[np.argsort(-table["difference"].abs().to_numpy(), kind="stable")]

    def ranks(self, query: Any) -> pd.DataFrame:
        """Return the documents of a query, highest score first: row, doc_id (where there are any), label and score.

        The index is the rank, from 1; documents of equal score stand in row order.

        Raises
        ------
        DataError
            No such query, or features without queries.
        """
        data, rows = self._query(query)
        score = self._of_one_output()[rows].sum(axis=1)
        order = np.argsort(-score, kind="stable")
        columns: dict[str, Any] = {"row": rows[order]}
        if data.doc_id is not None:
            columns["doc_id"] = data.doc_id[rows[order]]
        if data.y.ndim == 1:
            columns["label"] = data.y[rows[order]]
        index = pd.RangeIndex(1, len(rows) + 1, name="rank")
        return pd.DataFrame(columns | {"score": score[order]}, index=index)

    def why(self, query: Any, rank: int = 1, above: int = 2) -> pd.DataFrame:
        """Return why the document at one rank of a query stands above the one at another, see `difference`."""
        rows = self.ranks(query)["row"]
        for each in (rank, above):
            if each not in rows.index:
                raise ParameterError(f"rank {each!r}: query {query!r} has the ranks 1 to {len(rows)}.")
        return self.difference(int(rows[rank]), int(rows[above]))

    def per_query(self, query: Any) -> pd.DataFrame:
        """Return what places the documents of a query: contributions less their mean over the query.

        What a feature adds to all documents of a query alike moves none of them.

        Returns
        -------
        DataFrame of shape (n_documents_of_query, n_features)
            Indexed by rank, see `ranks`.  The sum of a row is the document's score less the query's mean score.
        """
        ranked = self.ranks(query)
        own = self._of_one_output()[ranked["row"].to_numpy(), :-1]
        return pd.DataFrame(own - own.mean(axis=0), index=ranked.index, columns=list(self.feature_names))

    def summary(self) -> pd.DataFrame:
        """Return how much each feature moves scores, and how much it moves documents within their queries.

        Returns
        -------
        DataFrame of shape (n_features, 2)
            Indexed by feature, highest first.  ``overall``: the mean size of the contribution over documents.
            ``within``, for documents with queries: the mean size of the contribution less its mean over the query, over
            the documents of each query and then over queries; 0 for a feature that has one value in each query.
        """
        values = self._of_one_output()[:, :-1]
        columns = {"overall": np.abs(values).mean(axis=0)}
        if self.data is not None:
            starts, sizes = self.data.query_ptr[:-1], self.data.query_sizes
            means = np.add.reduceat(values, starts) / sizes[:, None]
            apart = np.abs(values - np.repeat(means, sizes, axis=0))
            columns["within"] = (np.add.reduceat(apart, starts) / sizes[:, None]).mean(axis=0)
        table = pd.DataFrame(columns, index=pd.Index(self.feature_names, name="feature", dtype=object))
        return table.iloc[np.argsort(-table.iloc[:, -1].to_numpy(), kind="stable")]

    def __repr__(self) -> str:
        return f"Contributions of {len(self.feature_names)} features to the scores of {len(self.values)} documents"

    def _named(self, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the features of a document, categories by name."""
        if not self.categories:
            return x
        named = x.astype(object)
        for name, categories in self.categories.items():
            column = self.feature_names.index(name)
            if not np.isnan(x[column]):
                named[column] = categories[int(x[column])]
        return named

    def _of_one_output(self) -> Matrix:
        if self.values.ndim == 3:
            raise ParameterError(
                f"the model has {self.values.shape[2]} outputs; choose one, as with contributions(...).output(0)."
            )
        return self.values

    def _query(self, query: Any) -> tuple[RankingData, npt.NDArray[np.int64]]:
        if self.data is None:
            raise DataError("X: came without queries; give contributions() a RankingData.")
        number = np.flatnonzero(self.data.query_ids == query)
        if len(number) != 1:
            raise DataError(
                f"query {query!r}: there is none of that id; the first is {self.data.query_ids[:1].tolist()[0]!r}."
            )
        first, last = self.data.query_ptr[number[0]], self.data.query_ptr[number[0] + 1]
        return self.data, np.arange(first, last)


def contributions(ranker: GBRanker | CalibratedRanker, X: Any, *, rows: npt.ArrayLike | None = None) -> Contributions:
    r"""Return what each feature adds to the score of each document, as the Shapley values of TreeSHAP.

    The score is the sum :math:`s(x) = \phi_0 + \sum_j \phi_j(x)`.  The libraries compute the values over the paths
    of their own trees, weighted by how the training data fell; so :math:`\phi` shares out what the model does, and
    claims nothing about the world: features that say the same share by chance of which one the trees split on.

    Parameters
    ----------
    ranker : GBRanker or CalibratedRanker
        Fitted.  Only the trees that `predict` uses count.  Of a calibrated ranker, its ranker's score is explained.
    X : RankingData, or array-like of shape (n_documents, n_features)
    rows : array-like of int, optional
        Which rows of `X` to explain, in this order, without their queries; all by default.

    Returns
    -------
    Contributions

    Raises
    ------
    NotFittedError
        The ranker is not fitted.
    DataError
        Features that are not those of the training.
    ParameterError
        Another kind of ranker, or trees that the library cannot explain (LightGBM's with linear leaves).

    Notes
    -----
    XGBoost computes in single precision: there the sums are the scores to about six digits.

    References
    ----------
    Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature Machine
    Intelligence 2, 2020.

    Examples
    --------
    >>> import gbrank
    >>> data = gbrank.RankingData([[0.1, 3.0], [0.9, 3.0]] * 40, [0, 1] * 40, [i // 4 for i in range(80)])
    >>> ranker = gbrank.GBRanker("mse", n_estimators=1, learning_rate=1.0).fit(data)
    >>> found = contributions(ranker, data)
    >>> found.values[:2].round(3).tolist()  # the mean label is 0.5
    [[-0.5, 0.0, 0.5], [0.5, 0.0, 0.5]]
    >>> found.why(0, rank=1, above=3)["difference"].round(3).to_dict()
    {'f1': 1.0, 'f2': 0.0}
    """
    if isinstance(ranker, CalibratedRanker):
        ranker._require_fitted()
        ranker = ranker.ranker_
    if not isinstance(ranker, GBRanker):
        raise ParameterError(f"ranker: a {type(ranker).__name__} has no trees of its own; give a GBRanker.")
    features, data = ranker._features(X), X if isinstance(X, RankingData) else None
    if rows is not None:
        features, data = features[_rows(rows, features.shape[0])], None
    values = ranker.model_.contributions(
        features, n_rounds=ranker.best_iteration_, n_threads=thread_count(ranker.n_jobs)
    )
    values[:, -1] += ranker.init_score_ if values.ndim == 3 else ranker.init_score_[0]
    return Contributions(values, ranker.feature_names_, features, data, ranker.categories_)


def _rows(rows: npt.ArrayLike, n: int) -> npt.NDArray[np.int64]:
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise ParameterError(f"rows: give a list of whole numbers, not {rows!r}.")
    for row in chosen.tolist():
        if not 0 <= row < n:
            raise ParameterError(f"rows: {row} is none; there are {n}, from row 0.")
    return chosen.astype(np.int64)
