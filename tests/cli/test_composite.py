"""Saved rankers that are made of others, on the command line."""

import numpy as np
import pytest

import gbrank as library
from gbrank.data import read_letor


@pytest.fixture(scope="module")
def model(files, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "calibrated.gbrank"
    ranker = library.GBRanker(n_estimators=3, n_jobs=1)
    train = read_letor(files / "train.txt")
    library.CalibratedRanker(ranker, cv=2, values=[0, 1, 3, 7, 15]).fit(train).save(path)
    return path


def test_predict_and_evaluate(gbrank, files, model):
    test = read_letor(files / "test.txt", n_features=6)
    found = gbrank("predict", model, files / "test.txt", "--n-jobs", 1).out.split()
    np.testing.assert_array_equal(np.array(found, float), library.load(model).predict(test))
    told = gbrank("evaluate", files / "test.txt", "--model", model, "-m", "ndcg@10").out
    assert f"{library.load(model).score(test):.4f}" in told


def test_a_command_that_looks_into_trees_refuses_them(gbrank, files, model):
    refused = gbrank("diagnose", files / "train.txt", "--model", model, code=1).err
    assert "holds a CalibratedRanker, which is made of several rankers" in refused
