"""What a booster can be told, told from job files and on the command line."""

import json
import tomllib

import numpy as np
import pytest

import gbrank
from gbrank import ParameterError
from gbrank.cli import main
from gbrank.jobs import make_ranker, ranker_table, run, to_toml

TOLD = """
n_estimators = 4
n_jobs = 1
categorical_features = ["f4", 4]
interaction_constraints = [["f1", "f2"], [3, 4]]
boosting = "dart"
device = "cpu"
monotone_constraints = {f1 = 1, f2 = -1}
"""
PATHS = [{0, 1}, {3, 4}, {2}, {5}]


def features_of(path):
    tree = gbrank.load(path).model_.booster.dump_model()["tree_info"]

    def walk(node, seen):
        if "split_feature" not in node:
            return [seen]
        seen = seen | {node["split_feature"]}
        return walk(node["left_child"], seen) + walk(node["right_child"], seen)

    return [seen for each in tree for seen in walk(each["tree_structure"], set())]


def test_a_table_says_all():
    ranker = make_ranker(tomllib.loads(TOLD))
    assert ranker.monotone_constraints == {"f1": 1, "f2": -1}
    assert ranker.interaction_constraints == [["f1", "f2"], [3, 4]]
    assert (ranker.categorical_features, ranker.boosting, ranker.device) == (["f4", 4], "dart", "cpu")
    # Written out and read back; also where arrays and tuples were given.
    ranker.set_params(categorical_features=np.array([3, 4]), interaction_constraints=((0, np.int64(1)),))
    back = make_ranker(tomllib.loads(to_toml(ranker_table(ranker))))
    assert (back.categorical_features, back.interaction_constraints) == ([3, 4], [[0, 1]])
    with pytest.raises(ParameterError, match="column 0 is a number, and a file names features"):
        ranker_table(ranker.set_params(monotone_constraints={0: 1}))


def test_everything_wrong_is_told():
    wrong = {"monotone_constraints": {"f1": 2}, "interaction_constraints": ["f1"], "boosting": "goss", "device": "gpu"}
    with pytest.raises(ParameterError) as refused:
        make_ranker(wrong | {"categorical_features": "all"})
    told = str(refused.value).splitlines()
    assert [any(name in line for line in told) for name in wrong] == [True] * 4
    assert len(told) == 5


def whole(path):
    """Make the fourth and fifth feature of a LETOR file whole numbers."""
    data = gbrank.read_letor(path)
    X = np.asarray(data.X, dtype=np.float64).copy()
    X[:, 3:5] = np.abs(np.floor(X[:, 3:5])) % 7
    gbrank.write_letor(gbrank.RankingData(X, data.y, data.qid), path)


def test_a_job_and_a_command_obey(fold):
    for part in ("train", "vali", "test"):
        whole(fold / f"{part}.txt")
    table = {"output": str(fold.parent / "out"), "data": {"folder": str(fold)}}
    run(table | {"ranker": tomllib.loads(TOLD) | {"early_stopping_rounds": 0}})
    models = list((fold.parent / "out").rglob("*.gbrank"))
    model = fold.parent / "m.gbrank"
    params = [line.replace(" = ", "=", 1) for line in TOLD.split("\n") if line and line[0] not in "n"]
    line = ["train", fold / "train.txt", "--model", model, "--n-estimators", 4, "--n-jobs", 1]
    assert main([str(each) for each in [*line, *(word for param in params for word in ("-p", param))]]) == 0
    assert models
    for path in (*models, model):
        found = features_of(path)
        assert all(any(seen <= group for group in PATHS) for seen in found)
        manifest = gbrank.load(path)
        assert sorted(manifest.categories_) == ["f4", "f5"]
        assert json.loads(json.dumps(manifest.get_params(deep=False)["categorical_features"])) == ["f4", 4]
