"""Values within a query: by brute force, in scikit-learn's company, and never across queries."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from gbrank import DataError, GBRanker, GbrankWarning, ParameterError, QueryKFold, RankingData, make_letor
from gbrank.preprocessing import QueryFeatures, QueryNormalizer

ALL = ("minmax", "zscore", "rank", "gap_to_best", "gap_to_mean", "gap_to_next")


def by_hand(kind, x, i):
    """One value, from the definition."""
    known = [v for v in x if not np.isnan(v)]
    if np.isnan(x[i]):
        return np.nan
    mean = sum(known) / len(known)
    std = (sum((v - mean) ** 2 for v in known) / len(known)) ** 0.5
    flat = max(known) == min(known)
    return {
        "minmax": 0.0 if flat else (x[i] - min(known)) / (max(known) - min(known)),
        "zscore": 0.0 if flat else (x[i] - mean) / std,
        "rank": (sum(v < x[i] for v in known) + sum(v == x[i] for v in known) / 2) / len(known),
        "gap_to_best": max(known) - x[i],
        "gap_to_mean": x[i] - mean,
        "gap_to_next": min([v for v in known if v > x[i]], default=x[i]) - x[i],
    }[kind]


values = st.one_of(st.sampled_from([0.0, 1.0, 1.5, -2.0, np.nan, 1e6]), st.floats(-100, 100, width=32))


@given(st.lists(st.tuples(st.sampled_from("abc"), values, values), min_size=1, max_size=25))
@settings(max_examples=150, deadline=None)
def test_every_kind_is_its_definition_whatever_the_order_of_rows(rows):
    qid = [q for q, *_ in rows]
    X = np.array([x for _, *x in rows])
    got = QueryFeatures(ALL, keep=False).fit_transform(X, qid=qid)
    for i, q in enumerate(qid):
        mine = [k for k, other in enumerate(qid) if other == q]
        expected = [by_hand(kind, X[mine, j], mine.index(i)) for j in range(2) for kind in ALL]
        np.testing.assert_allclose(got[i], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", ["minmax", "zscore", "rank"])
def test_rows_of_no_query_stand_among_the_training_rows(method):
    X = np.random.default_rng(0).normal(size=(30, 3)).round(1)
    X[4, 1] = np.nan
    new = QueryNormalizer(method).fit(X)
    with pytest.warns(GbrankWarning, match="among all training rows"):
        alone = new.transform(X)
    np.testing.assert_allclose(alone, new.transform(X, qid=np.zeros(30, int)), rtol=1e-12)
    with pytest.warns(GbrankWarning):
        np.testing.assert_array_equal(new.transform(X[7:9]), alone[7:9])


@parametrize_with_checks(
    [
        QueryNormalizer(),
        QueryNormalizer("zscore"),
        QueryNormalizer("rank"),
        QueryFeatures(),
        QueryFeatures(ALL, keep=False),
    ]
)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GbrankWarning)
        check(estimator)


def test_a_letor_set_normalised_by_its_makers(real_data):
    from gbrank import read_letor

    data = read_letor(real_data / "mq2008" / "Fold1" / "test.txt")  # normalised within queries, to six digits
    np.testing.assert_allclose(QueryNormalizer().fit_transform(data).X, data.X, atol=2e-6)


def test_huge_values_and_single_precision():
    X = np.array([[-1.7e308], [1.7e308], [0.0]])
    assert QueryNormalizer().fit_transform(X, qid=[0, 0, 0]).ravel().tolist() == [0.0, 1.0, 0.5]
    root = 1.5**0.5
    zscores = QueryNormalizer("zscore").fit_transform(X, qid=[0, 0, 0]).ravel()
    np.testing.assert_allclose(zscores, [-root, root, 0], atol=1e-12)
    far = np.array([[1e8 + 1], [1e8 + 2], [1e8 + 3]])
    np.testing.assert_allclose(QueryNormalizer("zscore").fit_transform(far, qid=[0, 0, 0])[2], root)
    for dtype in (np.float32, np.float64):
        assert QueryNormalizer("rank").fit_transform(X.clip(-1, 1).astype(dtype), qid=[0, 0, 0]).dtype == dtype


def test_ranking_data_keeps_all_else():
    data = make_letor(12, random_state=0)
    named = RankingData(data.X, data.y, data.qid, feature_names=[f"x{j}" for j in range(data.n_features)])
    got = QueryFeatures("rank", columns=["x2", 0]).fit_transform(named)
    assert got.feature_names == (*named.feature_names, "x2_rank", "x0_rank")
    np.testing.assert_array_equal(got.X[:, :-2], named.X)
    np.testing.assert_array_equal(got.y, named.y)
    np.testing.assert_array_equal(got.query_ptr, named.query_ptr)
    np.testing.assert_array_equal(
        got.X[:, -2:], QueryFeatures("rank", columns=[2, 0], keep=False).fit_transform(data).X
    )


def test_frames_in_and_out():
    frame = pd.DataFrame({"price": [1.0, 2.0, 5.0], "age": [3.0, 3.0, 4.0]}, index=[7, 8, 9])
    made = QueryFeatures("gap_to_best", columns=["price"]).set_output(transform="pandas")
    got = made.fit_transform(frame, qid=["a", "a", "b"])
    assert got.columns.tolist() == ["price", "age", "price_gap_to_best"]
    assert got.index.tolist() == [7, 8, 9]
    assert got["price_gap_to_best"].tolist() == [1.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="feature names"):
        made.transform(frame[["age", "price"]], qid=["a", "a", "b"])


def test_a_pipeline_routes_query_ids_and_normalises_within_them():
    data = make_letor(40, random_state=1)
    ranker = GBRanker("mse", n_estimators=5, min_docs_in_leaf=5, n_jobs=1)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = Pipeline([("within", QueryNormalizer("rank")), ("rank", ranker)])
        pipe.fit(data.X, data.y, qid=data.qid)
        direct = sklearn.clone(ranker).fit(
            QueryNormalizer("rank").fit_transform(data.X, qid=data.qid), data.y, qid=data.qid
        )
        np.testing.assert_array_equal(
            pipe.predict(data.X, qid=data.qid),
            direct.predict(QueryNormalizer("rank").fit_transform(data.X, qid=data.qid)),
        )
        cuts = cross_validate(pipe, data.X, data.y, cv=QueryKFold(3), params={"qid": data.qid, "groups": data.qid})
        assert cuts["test_score"].min() > 0.3
        search = GridSearchCV(pipe, {"within__method": ["minmax", "rank"]}, cv=QueryKFold(3))
        search.fit(data.X, data.y, qid=data.qid, groups=data.qid)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    carried = Pipeline([("within", QueryNormalizer("rank")), ("rank", ranker)]).fit(data)
    np.testing.assert_array_equal(carried.predict(data), direct.predict(QueryNormalizer("rank").fit_transform(data)))


def test_a_column_transformer_routes_query_ids():
    data = make_letor(10, random_state=2)
    with sklearn.config_context(enable_metadata_routing=True):
        some = ColumnTransformer([("within", QueryNormalizer(), [0, 3])], remainder="passthrough")
        got = some.fit_transform(data.X, qid=data.qid)
    np.testing.assert_array_equal(got[:, :2], QueryNormalizer().fit_transform(data.X[:, [0, 3]], qid=data.qid))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda X: QueryNormalizer("max").fit(X), ParameterError, "method='max'"),
        (lambda X: QueryFeatures("rnk").fit(X), ParameterError, "Did you mean 'rank'"),
        (lambda X: QueryFeatures([]).fit(X), ParameterError, "at least one kind"),
        (lambda X: QueryFeatures(["rank", "rank"]).fit(X), ParameterError, "each once"),
        (lambda X: QueryFeatures(columns=[5]).fit(X), ParameterError, "5 is no column; give numbers from 0 to 1"),
        (lambda X: QueryFeatures(columns=["a"]).fit(X), ParameterError, "X has none"),
        (lambda X: QueryFeatures(columns=[True]).fit(X), ParameterError, "True is no column"),
        (lambda X: QueryNormalizer().fit_transform(X, qid=[1, 2]), DataError, "2 ids for 3 rows"),
        (lambda X: QueryNormalizer().fit_transform(X, qid=[1, 2, None]), DataError, "qid: row 2"),
        (
            lambda X: QueryNormalizer().fit_transform(RankingData(sp.csr_array(X), [0] * 3, [0] * 3)),
            DataError,
            "sparse",
        ),
        (
            lambda X: QueryNormalizer().fit(X).transform(RankingData(X, [0] * 3, [0] * 3), qid=[0] * 3),
            ParameterError,
            "qid",
        ),
        (lambda X: QueryNormalizer().fit(X * np.inf), ValueError, "infinity"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error) as caught:
        call(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert message in str(caught.value)
