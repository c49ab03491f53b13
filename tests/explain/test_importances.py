"""Importances against the boosters' own tree tables."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

import gbrank

NAMES = ("title", "body", "constant", "noise")


def data(seed, form=np.asarray):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(400, 4))
    X[:, 2] = 1
    y = np.clip(np.round(X[:, 0] + 0.5 * X[:, 1] + generator.normal(size=400)), 0, 3)
    return gbrank.RankingData(form(X), y, np.arange(400) // 10, feature_names=NAMES)


def splits_and_gain(ranker):
    """Return what the first `best_iteration_` rounds hold, read from the trees themselves."""
    n_trees = ranker.best_iteration_ * ranker.model_.n_outputs
    trees = ranker.model_.booster.trees_to_dataframe()
    if ranker.backend == "lightgbm":
        trees = trees[(trees["tree_index"] < n_trees) & trees["split_feature"].notna()]
        feature, gain = trees["split_feature"], trees["split_gain"]
        number = {name: i for i, name in enumerate(ranker.model_.booster.feature_name())}
    else:
        trees = trees[(trees["Tree"] < n_trees) & (trees["Feature"] != "Leaf")]
        feature, gain = trees["Feature"], trees["Gain"]
        number = {f"f{i}": i for i in range(ranker.n_features_in_)}
    column = feature.map(number).astype(int).to_numpy()
    return np.bincount(column, minlength=4), np.bincount(column, gain.to_numpy(), minlength=4)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("objective", ["lambdarank", "mcrank", "quantile"])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_of_best_rounds_only(backend, objective, form):
    ranker = gbrank.GBRanker(objective, backend=backend, n_estimators=25, early_stopping_rounds=3, n_jobs=1)
    ranker.fit(data(0, form), eval_set=data(1, form))
    trained = ranker.model_.n_trees() // ranker.model_.n_outputs
    assert 0 < ranker.best_iteration_ < trained, "the case tests nothing unless training went on after the best round"
    table = gbrank.importances(ranker)
    splits, gain = splits_and_gain(ranker)
    aligned = table.loc[list(NAMES)]
    assert aligned["split"].tolist() == splits.tolist()
    np.testing.assert_allclose(aligned["gain"], gain, rtol=1e-4)
    np.testing.assert_allclose(aligned["gain_share"], ranker.feature_importances_)
    assert table["gain_share"].sum() == pytest.approx(1)
    assert table["gain"].is_monotonic_decreasing
    assert table.loc["constant"].tolist() == [0, 0, 0]
    assert table.index.name == "feature"
    assert table["split"].dtype == np.int64


def test_after_loading(tmp_path):
    ranker = gbrank.LambdaMART(n_estimators=5, n_jobs=1).fit(data(0))
    ranker.save(tmp_path / "model.gbrank")
    gbrank_table = gbrank.importances(gbrank.load(tmp_path / "model.gbrank"))
    # LightGBM writes gains with six digits.
    np.testing.assert_allclose(gbrank_table, gbrank.importances(ranker), rtol=1e-4)


@pytest.mark.filterwarnings("ignore::gbrank.GbrankWarning")
def test_trees_without_splits():
    ranker = gbrank.LambdaMART(n_estimators=3, min_docs_in_leaf=10_000, n_jobs=1).fit(data(0))
    table = gbrank.importances(ranker)
    assert table.index.tolist() == list(NAMES), "equal ones stand in column order"
    assert not table.to_numpy().any()


def test_not_fitted():
    with pytest.raises(NotFittedError):
        gbrank.importances(gbrank.LambdaMART())


def test_what_has_no_trees_of_its_own_is_refused():
    with pytest.raises(gbrank.ParameterError, match=r"ranker: StackedRanker has no trees of its own; give a GBRanker"):
        gbrank.importances(gbrank.StackedRanker([("one", gbrank.GBRanker())]))
