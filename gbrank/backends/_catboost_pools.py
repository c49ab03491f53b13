"""Data in CatBoost's form."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from .._checks import DataError
from ..data import RankingData
from ..objectives._base import row_weights
from ._base import Binned
from ._constraints import categorical_columns

BIN_PARAMS = (
    *("feature_border_type", "nan_mode", "per_float_feature_quantization", "ignored_features"),
    *("sparse_features_conflict_fraction", "dev_efb_max_buckets", "dev_max_subset_size_for_build_borders"),
)


def csr_matrix(X: Any) -> Any:
    """Return what CatBoost understands: scipy's older sparse class instead of the newer, with indices of 32 bits."""
    if not sp.issparse(X):
        return X
    X = sp.csr_matrix(X)
    if X.nnz > np.iinfo(np.int32).max:
        raise DataError(f"X: {X.nnz} values are stored; CatBoost counts those of a sparse matrix in 32 bits.")
    return sp.csr_matrix((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), shape=X.shape)


def library_features(X: Any, categorical: Sequence[int]) -> Any:
    """Return features as CatBoost takes them: categorical columns as whole numbers, -1 where missing."""
    if not len(categorical):
        return csr_matrix(X)
    return pd.DataFrame(
        {j: np.nan_to_num(X[:, j], nan=-1.0).astype(np.int32) if j in set(categorical) else X[:, j]
         for j in range(X.shape[1])}
    )  # fmt: skip


def pool_of(data: RankingData, *, pairs: bool = False) -> Any:
    """Return the data as CatBoost takes them: with weights of documents, or of queries, and on demand with pairs."""
    import catboost  # that it is missing is told before, where the backend is made

    weights: dict[str, Any] = {}
    y: npt.NDArray[Any] = data.y if data.y.ndim == 1 else data.y[:, 0]
    if data.sample_weight is not None:
        weights["weight"] = row_weights(data)
    elif data.query_weight is not None:
        weights["group_weight"] = np.repeat(data.query_weight, data.query_sizes)
    if pairs:
        weights |= {"pairs": data.pairs, "pairs_weight": data.pair_weight}
        y = np.arange(data.n_documents) % 2.0  # not read beside pairs, but refused where all are equal
    columns = categorical_columns(data)
    return catboost.Pool(
        library_features(data.X, columns),
        y + 0.0,  # to CatBoost -0 is another class than 0
        cat_features=columns or None,
        group_id=np.repeat(np.arange(data.n_queries), data.query_sizes),
        baseline=None if data.init_score is None else data.init_score.reshape(data.n_documents, -1),
        **weights,
    )


def quantized(pool: Any, settings: Mapping[str, Any], reference: Binned | None) -> Any:
    """Return the pool, binned in place; with the borders of `reference`, if there is one.

    CatBoost numbers categories anew in every pool that it bins, and then takes one category for another: a pool with a
    reference is left to be binned while training, with the borders of the training data.
    """
    if reference is not None and pool.get_cat_feature_indices():
        return pool
    if reference is None:
        borders = {name: value for name, value in settings.items() if name != "categorical_features"}
        pool.quantize(task_type="CPU", **borders)
        return pool
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "borders")
        reference.handle.save_quantization_borders(path)
        pool.quantize(task_type="CPU", input_borders=path)
    return pool
