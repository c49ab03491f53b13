"""``gbrank value tune``."""

import json

import numpy as np
import pandas as pd
import pytest

from gbrank import ValueModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("value")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.beta(2, 5, (1500, 3)), columns=["click", "like", "dwell"])
    frame["dwell"] *= 60
    frame.insert(0, "query", np.arange(1500) // 15)
    frame.insert(1, "document", np.arange(1500))
    frame.to_csv(path / "scores.csv", index=False)
    return path


def config(folder, **target):
    content = {"weights": {"click": 1, "like": 1, "dwell": 1}, "transforms": {"dwell": "log1p"}}
    target = {"desired": {"click": 0.5, "like": 0.3, "dwell": 0.2}, **target}
    path = folder / "config.json"
    path.write_text(json.dumps({**content, "target": target}))
    return path


def test_tunes_and_writes_a_model(gbrank, folder):
    ended = gbrank(
        "value", "tune", config(folder), "--scores", folder / "scores.csv", "--model", folder / "tuned.json",
        "--resamples", 50, "--json", "--n-jobs", 1,
    )  # fmt: skip
    told = json.loads(ended.out)
    assert told["reached"]
    assert told["tasks"]["click"]["fraction"] == pytest.approx(0.5, abs=0.005)
    assert set(told["intervals"]) == {"click", "like", "dwell"}
    assert ValueModel.load(folder / "tuned.json").to_dict() == told["model"]


def test_says_what_cannot_be_reached(gbrank, folder):
    ended = gbrank(
        "value", "tune", config(folder, constraints={"upper": {"click": 0.1}}), "--scores", folder / "scores.csv"
    )
    assert "not reached: the nearest found is" in ended.err
    assert "at a bound: click" in ended.out


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"desirred": {}}, "Did you mean 'desired'"),
        ({"desired": {"click": 1}}, "nothing for the task 'like'"),
        ({"constraints": {"uper": {}}}, "Did you mean 'upper'"),
        ({"by": "gaps"}, "by='gaps'"),
    ],
)
def test_refuses_wrong_targets(gbrank, folder, target, told):
    ended = gbrank("value", "tune", config(folder, **target), "--scores", folder / "scores.csv", code=1)
    assert told in ended.err
    assert ended.out == ""


def test_help(gbrank):
    assert "gbrank value tune config.json" in gbrank("value", "tune", "--help").out
    assert "value" in gbrank("--help").out
