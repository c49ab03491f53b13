"""Categorical features: what is learnt from them, and that a category is the same one everywhere."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV

import gbrank
from gbrank import DataError, GBRanker, ParameterError, RankingData
from gbrank.data._categories import code_columns
from gbrank.preprocessing import QueryNormalizer

BACKENDS = ("lightgbm", "xgboost", "catboost")
N_QUERIES, SIZE = 60, 12
BRANDS = np.array(["ash", "birch", "cedar", "elm", "fir", "larch", "oak", "pine", "yew"])
GOOD = {"birch", "elm", "larch", "pine"}  # every other one: no few thresholds on sorted codes tell them apart


def frame(seed=0, n=N_QUERIES * SIZE):
    rng = np.random.default_rng(seed)
    brand = pd.Series(BRANDS[rng.integers(0, len(BRANDS), n)])
    return pd.DataFrame({"price": rng.normal(size=n), "brand": brand, "age": rng.integers(0, 5, n)})


def labels(X):
    return X["brand"].isin(GOOD).to_numpy() * 2.0 + (X["price"] > 0)


QID = np.repeat(np.arange(N_QUERIES), SIZE)
X, NEW = frame(), frame(seed=1)
Y = labels(X)


def ranker_of(backend, objective="lambdarank", **params):
    pytest.importorskip(backend)
    given = {"n_estimators": 12, "learning_rate": 0.3, "n_jobs": 1, "categorical_features": "auto"}
    if backend == "catboost":
        given |= {"engine": "native"}
        objective = "mse" if objective == "lambdarank" else objective
    if backend == "lightgbm":  # whose defaults keep it from categories of few documents
        given |= {"min_docs_in_leaf": 2, "max_leaves": 6, "backend_params": {"cat_smooth": 1, "min_data_per_group": 5}}
    if backend == "xgboost":
        given |= {"max_leaves": 6}
    return GBRanker(objective, backend=backend, **given | params)


@pytest.mark.parametrize("backend", BACKENDS)
def test_trees_split_on_sets_of_categories(backend):
    """Two trees of two leaves are too few for thresholds on codes, and enough for the set of good brands."""
    few = {"n_estimators": 2, "learning_rate": 1.0, "objective": "mse"}
    few |= {"max_leaves": 2} if backend != "catboost" else {"max_depth": 1, "backend_params": {"one_hot_max_size": 1}}
    ranker = ranker_of(backend, **few).fit(X, Y, qid=QID)
    codes = X.assign(brand=X["brand"].map({name: code for code, name in enumerate(BRANDS)}))
    plain = ranker_of(backend, **few).set_params(categorical_features=None).fit(codes, Y, qid=QID)
    apart = [one.predict(data)[X["brand"].isin(GOOD)].mean() - one.predict(data)[~X["brand"].isin(GOOD)].mean()
             for one, data in ((ranker, X), (plain, codes))]  # fmt: skip
    assert apart[0] > 1.5 > 1.0 > apart[1]


def as_text(column):
    return column.astype("str")


def as_objects(column):
    return pd.Series(column.to_list(), dtype=object)


def as_category(column):
    return column.astype("category")


def reversed_category(column):
    return pd.Categorical(column, categories=BRANDS[::-1], ordered=True)


def unused_category(column):
    return pd.Categorical(column, categories=["aaa", *BRANDS, "zzz"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_category_is_the_same_however_it_is_given(backend, tmp_path):
    ranker = ranker_of(backend).fit(X, Y, qid=QID)
    expected = ranker.predict(NEW)
    ranker.save(tmp_path / "m")
    loaded = gbrank.load(tmp_path / "m")
    assert loaded.categories_["brand"].tolist() == BRANDS.tolist()
    for change in (as_text, as_objects, as_category, reversed_category, unused_category):
        np.testing.assert_array_equal(ranker.predict(NEW.assign(brand=change(NEW["brand"]))), expected)
        again = ranker_of(backend).fit(X.assign(brand=change(X["brand"])), Y, qid=QID)
        np.testing.assert_array_equal(again.predict(NEW), expected)
        np.testing.assert_array_equal(loaded.predict(NEW.assign(brand=change(NEW["brand"]))), expected)
    # Rows of which each has some of the categories only.
    pieces = [ranker.predict(NEW.iloc[rows : rows + 3]) for rows in range(0, 30, 3)]
    np.testing.assert_array_equal(np.concatenate(pieces), expected[:30])


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_unseen_category_is_missing(backend):
    some = X.assign(brand=X["brand"].where(X["price"] < 1.2))  # with missing ones to learn from
    ranker = ranker_of(backend).fit(some, Y, qid=QID)
    for unseen in (np.full(len(NEW), "zelkova"), np.full(len(NEW), None, dtype=object)):
        missing = NEW.assign(brand=np.nan).astype({"brand": "category"})
        np.testing.assert_array_equal(ranker.predict(NEW.assign(brand=unseen)), ranker.predict(missing))
    assert not np.array_equal(ranker.predict(missing), ranker.predict(NEW))


@pytest.mark.parametrize("backend", BACKENDS)
def test_whole_numbers_are_categories_too(backend):
    """The same model from text, from numbers that sort like it, and from far larger numbers."""
    number = {name: 7 * code for code, name in enumerate(BRANDS)}
    expected = ranker_of(backend).fit(X, Y, qid=QID).predict(NEW)
    for factor, dtype in ((1, float), (10**9, float), (1, "int64"), (1, "category")):
        train, new = (
            one.assign(brand=(one["brand"].map(number) * factor).astype(dtype)).rename(columns={"brand": "maker"})
            for one in (X, NEW)
        )
        ranker = ranker_of(backend, categorical_features=["maker"]).fit(train, Y, qid=QID)
        np.testing.assert_array_equal(ranker.predict(new), expected)
    plain, plain_new = train.astype(float).to_numpy(), new.astype(float).to_numpy()
    by_number = ranker_of(backend, categorical_features=np.array([1])).fit(plain, Y, qid=QID)
    np.testing.assert_array_equal(by_number.predict(plain_new), expected)
    # An array and a frame agree, whichever the model was trained on.
    np.testing.assert_array_equal(by_number.predict(RankingData(plain_new, Y, QID)), expected)
    np.testing.assert_array_equal(ranker.predict(plain_new), expected)


@pytest.mark.parametrize("objective", ["lambdarank", "mae", gbrank.objective("quantile", alpha=(0.2, 0.8)), "mcrank"])
@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_scores_while_training_are_those_of_predict(backend, objective):
    """Leaves that are renewed are those into which documents fall: with rare categories and missing ones, too."""
    train, held = X.copy(), NEW.copy()
    train.loc[:4, "brand"] = ["box", "yucca", "zelkova", None, None]
    held.loc[:2, "brand"] = [None, "box", "unheard"]
    train, held = RankingData(train, Y, QID), RankingData(held, labels(NEW), QID)
    ranker = ranker_of(backend, objective)
    ranker.fit(train, eval_set={"held": held, "train": train})
    for name, data in (("train", train), ("held", held)):
        assert ranker.history_[name][-1] == pytest.approx(ranker.score(data), abs=1e-6)
    if objective == "mae":
        free = ranker_of(backend, objective, categorical_features=["brand"], n_estimators=60).fit(train)
        assert np.mean(np.abs(free.predict(train) - Y)) < 0.25


def test_catboost_follows_the_scores_of_the_model():
    """While it trains, its own scores of training documents leave their labels out of the statistics."""
    data = RankingData(X, Y, QID)
    held = RankingData(NEW, labels(NEW), QID)
    ranker = ranker_of("catboost").fit(data, eval_set={"held": held, "train": data})
    assert ranker.history_["train"][-1] == pytest.approx(ranker.score(data), abs=1e-6)
    assert ranker.history_["held"][-1] == pytest.approx(ranker.score(held), abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_importances_count_for_the_column(backend):
    wide = X.assign(constant=1.0)[["constant", "brand", "price", "age"]]
    only = labels(X) >= 2
    ranker = ranker_of(backend).fit(wide, only.astype(float), qid=QID)
    for kind in ("gain", "split"):
        found = dict(zip(wide.columns, ranker.model_.importances(kind), strict=True))
        assert found["constant"] == 0
        assert found["brand"] > found["age"]
    assert ranker.feature_importances_[1] == ranker.feature_importances_.max()


@pytest.mark.parametrize("backend", BACKENDS)
def test_contributions_sum_to_the_score(backend):
    data = RankingData(X, Y, QID)
    ranker = ranker_of(backend).fit(data)
    codes = ranker._features(data)
    values = ranker.model_.contributions(codes)
    np.testing.assert_allclose(values.sum(axis=1), ranker.model_.raw(codes), atol=1e-4)
    good = X["brand"].isin(GOOD)
    assert values[good, 1].min() > values[~good, 1].max()


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_training_goes_on_with_the_same_categories(backend):
    data = RankingData(X, Y, QID)
    first = ranker_of(backend, n_estimators=6).fit(data)
    more = ranker_of(backend, init_model=first, n_estimators=6).fit(RankingData(NEW, labels(NEW), QID))
    assert more.score(data) >= first.score(data) - 0.01
    few = NEW.assign(brand="oak")
    with pytest.raises(DataError, match="init_model: the categories of feature 'brand'"):
        ranker_of(backend, init_model=first).fit(RankingData(few, Y, QID))


@pytest.mark.parametrize("backend", BACKENDS)
def test_binned_once_trains_the_same(backend):
    data, held = RankingData(X, Y, QID), RankingData(NEW, labels(NEW), QID)
    ranker = ranker_of(backend)
    binned = ranker.bin(data)
    valid = ranker.bin(held, reference=binned)
    expected = ranker_of(backend).fit(data, eval_set=held)
    ranker.fit(binned, eval_set=valid)
    np.testing.assert_array_equal(ranker.predict(held), expected.predict(held))
    assert ranker.history_ == expected.history_
    apart = ranker.bin(RankingData(NEW[NEW["brand"] != "ash"], *(one[NEW["brand"] != "ash"] for one in (Y, QID))))
    with pytest.raises(DataError, match="was binned with other categories of 'brand'"):
        ranker.fit(binned, eval_set=apart)
    with pytest.raises(ParameterError, match="binned with categorical_features='auto'"):
        ranker.set_params(categorical_features=["brand"]).fit(binned)


CODES = X.assign(brand=np.arange(len(X)) % 9.0)
REFUSED = [
    (X, {"categorical_features": None}, DataError, "'brand' holds categories; name it in categorical_features"),
    (X, {"categorical_features": ["age"]}, DataError, "'brand' holds categories; name it"),
    (CODES.assign(brand=CODES["brand"] - 1), {"categorical_features": ["brand"]}, DataError, "row 0 is -1 there"),
    (CODES.assign(brand=CODES["brand"] / 2), {"categorical_features": ["brand"]}, DataError, "row 1 is 0.5 there"),
    (X, {"categorical_features": ["brnd"]}, ParameterError, "unknown feature in categorical_features: 'brnd'. Did"),
    (X, {"categorical_features": "brand"}, ParameterError, "give a list of features, or 'auto'"),
    (X, {"monotone_constraints": {"brand": 1}}, ParameterError, "categories have no order"),
    (sp.csr_array(CODES.to_numpy()), {"categorical_features": [1]}, DataError, "X: is sparse"),
    (X.assign(brand=pd.Categorical(X["price"])), {}, DataError, "give text or whole numbers"),
    (X.assign(brand=pd.date_range("2026", periods=len(X))), {}, DataError, "'brand' is of type datetime"),
]


@pytest.mark.parametrize(("given", "params", "kind", "words"), REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_refused(backend, given, params, kind, words):
    with pytest.raises(kind, match=words):
        ranker_of(backend, **params).fit(given, Y, qid=QID)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_column_keeps_its_kind(backend):
    ranker = ranker_of(backend).fit(X, Y, qid=QID)
    for other, words in (
        (CODES, "'brand' holds whole numbers, and held text in training"),
        (NEW.assign(price=NEW["price"].astype(str)), "'price' holds categories, and held numbers in training"),
        (CODES.to_numpy(), "'f2' holds whole numbers, and held text"),
    ):
        with pytest.raises(DataError, match=words):
            ranker.predict(other)
    with pytest.raises(DataError, match="held text in training"):
        ranker.fit(X, Y, qid=QID, eval_set=(CODES, Y, QID))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.sampled_from("abcdefg")), min_size=1, max_size=12),
    st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh")), min_size=1, max_size=12),
    st.permutations("abcdefgh"),
)
def test_codes_stand_for_the_same_categories(first, second, order):
    """Brute force: decoded, the codes are the categories, and missing where the first data had none such."""

    def data_of(values, **kind):
        column = pd.Series(pd.Categorical(values, **kind))
        return RankingData(pd.DataFrame({"c": column}), np.zeros(len(values)), np.zeros(len(values), int))

    a, b = data_of(first), data_of(second, categories=order)
    X, categories = code_columns(a.X, a.feature_names, a.categories, [0])
    assert categories["c"].tolist() == sorted({value for value in first if value})
    for codes, values in ((X, first), (code_columns(b.X, b.feature_names, b.categories, [0], categories)[0], second)):
        decoded = [None if np.isnan(code) else str(categories["c"][int(code)]) for code in codes[:, 0]]
        assert decoded == [value if value in first else None for value in values]


def test_data_keep_their_categories():
    data = RankingData(X, Y, QID[::-1])
    assert data.categories["brand"].tolist() == BRANDS.tolist()
    part = data.take([3, 0])
    names = data.categories["brand"][part.X[:, 1].astype(int)]
    assert names.tolist() == X["brand"].to_numpy()[part.order].tolist()
    # Put together, each part's own codes mean the same as before.
    few = RankingData(X[:24].assign(brand=["yew", "ash"] * 12), Y[:24], QID[:24])
    both = gbrank.concat([few, RankingData(X, Y, QID + 100)])
    names = both.categories["brand"][both.X[:, 1].astype(int)]
    assert names.tolist() == ["yew", "ash"] * 12 + X["brand"].tolist()
    with pytest.raises(DataError, match="'brand' holds categories in one of"):
        gbrank.concat([few, RankingData(CODES, Y, QID + 100)])


def test_a_search_takes_frames_as_they_are():
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            ranker_of("lightgbm"), {"max_leaves": [3, 6]}, cv=gbrank.QueryKFold(3),
            scoring=gbrank.make_scorer("ndcg@5"), error_score="raise",
        ).fit(X, Y, qid=QID, groups=QID)  # fmt: skip
    assert search.best_estimator_.categories_["brand"].tolist() == BRANDS.tolist()
    assert search.best_score_ > 0.95


def test_a_table_of_documents_names_categories():
    data = RankingData(X.assign(brand=X["brand"].where(X["age"] > 0)), Y, QID)
    rng = np.random.default_rng(0)
    worst = gbrank.worst_losses(data, {"a": rng.random(len(Y)), "b": Y}, "a", "b", n=1, features=["brand"])
    shown = {name if isinstance(name, str) else None for name in worst.documents["brand"]}
    assert shown <= {None, *BRANDS}
    assert len(shown) > 1


def test_what_reads_numbers_refuses_categories(tmp_path):
    data = RankingData(X, Y, QID)
    with pytest.raises(DataError, match="'brand' holds categories, which preprocessing"):
        QueryNormalizer().fit(data)
    with pytest.raises(DataError, match="'brand' holds categories, which readers of LETOR text"):
        gbrank.write_letor(data, tmp_path / "x.txt")


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_a_query_weight_of_2_is_the_query_twice_where_nothing_counts_rows(backend):
    """LightGBM counts the rows of a set of categories, and none where a split sets one category apart."""
    rng = np.random.default_rng(0)
    brand, times = rng.integers(0, 12, len(QID)), rng.integers(1, 3, N_QUERIES)
    y = np.clip(np.round(1.5 * np.sin(brand) + rng.normal(scale=0.5, size=len(QID)) + 1), 0, 3)
    rows = np.concatenate([np.flatnonzero(q == QID) for q in range(N_QUERIES) for _ in range(times[q])])
    few = {"n_estimators": 5, "max_leaves": 8, "categorical_features": [0]}

    def difference(**library):
        ranker = GBRanker("pairwise_logistic", backend=backend, n_jobs=1, **few, backend_params=library)
        weighted = ranker.fit(brand[:, None], y, qid=QID, query_weight=times).predict(brand[:, None])
        assert np.ptp(weighted) > 0.5
        repeated = ranker.fit(brand[rows, None], y[rows], qid=np.repeat(np.arange(times.sum()), SIZE))
        return np.abs(weighted - repeated.predict(brand[:, None])).max()

    if backend == "xgboost":
        assert difference() < 1e-5
        return
    few["min_docs_in_leaf"] = 0
    finest = {"min_data_in_bin": 1, "min_sum_hessian_in_leaf": 0.1}
    assert difference(**finest, max_cat_to_onehot=256) < 1e-5
    assert difference(**finest) > 1e-3
