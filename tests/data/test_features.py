"""Feature matrices: types, names, missing values."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from gbrank import RankingData

QID = ["b", "a", "b", "c", "a", "b"]


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        (np.ones((6, 2), np.float32), np.float32),
        (np.ones((6, 2)), np.float64),
        (np.ones((6, 2), np.int8), np.float64),
        (np.ones((6, 2), bool), np.float64),
        (sp.csr_array(np.ones((6, 2), np.int32)), np.float64),
        (sp.csr_array(np.ones((6, 2), np.float32)), np.float32),
        (pd.DataFrame(np.ones((6, 2), np.float32)), np.float32),
        (pd.DataFrame({"a": [1] * 6, "b": [True] * 6}), np.float64),
    ],
)
def test_types_of_features(X, dtype):
    data = RankingData(X, np.zeros(6), QID)
    assert data.X.dtype == dtype
    assert data.feature_names == (("0", "1") if isinstance(X, pd.DataFrame) and 0 in X else data.feature_names)


def test_names_and_missing_values_of_a_frame():
    frame = pd.DataFrame({"a": [1.5, None], "b": pd.array([1, None], dtype="Int64")})
    data = RankingData(frame, [0, 1], [1, 1])
    assert data.feature_names == ("a", "b")
    assert np.isnan(data.X[1]).all()
    assert RankingData(frame, [0, 1], [1, 1], feature_names=["x", "y"]).feature_names == ("x", "y")
    assert RankingData([[1, 2]], [0], [1]).feature_names == ("f1", "f2")
