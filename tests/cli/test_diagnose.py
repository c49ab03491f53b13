"""``gbrank diagnose``."""

import json

import pytest

import gbrank as library


def test_of_data_alone(gbrank, files):
    found = library.diagnose(library.read_letor(files / "train.txt"))
    assert gbrank("diagnose", files / "train.txt").out == f"{found}\n"


def test_of_an_objective_and_parameters(gbrank, files):
    limits = ["-p", "min_docs_in_leaf=5000", "--objective-param", "truncation=1"]
    told = gbrank("diagnose", files / "train.txt", *limits).out
    assert "\nerror: min_docs_in_leaf\n" in told
    assert "\nwarning: truncation\n" in told
    assert "Remedy: Lower min_docs_in_leaf (5,000)" in told
    told = gbrank(
        "diagnose", files / "train.txt", "--backend", "xgboost", "--backend-param", "min_child_weight=1e6"
    ).out
    assert "error: hessian_scale" in told


def test_of_a_model(gbrank, files, model):
    found = json.loads(gbrank("diagnose", files / "train.txt", "--model", model, "--json", "--n-jobs", 1).out)
    assert found == library.diagnose(library.read_letor(files / "train.txt"), library.load(model)).to_dict()
    assert found["facts"]["effective_pairs"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--model", "m.gbrank", "--objective", "mse"], 2, "goes without an objective"),
        (["--objective", "lambdarnk"], 1, "Did you mean 'lambdarank'"),
        (["-p", "max_leaves"], 2, "write it as name=value"),
    ],
)
def test_refused(gbrank, files, arguments, code, told):
    assert told in gbrank("diagnose", files / "train.txt", *arguments, code=code).err


def test_a_file_of_other_features(gbrank, files, model, tmp_path):
    path = tmp_path / "wide.txt"
    path.write_text("1 qid:1 9:1\n0 qid:1 1:1\n")
    assert "the model" in gbrank("diagnose", path, "--model", model, code=1).err
