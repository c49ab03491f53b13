"""``gbrank value``: tune, pareto and learn."""

import json

import numpy as np
import pandas as pd
import pytest

from gbrank import ValueModel
from gbrank.fusion import SegmentedValueModel, pareto_front, read_task_scores, shares


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("value")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.beta(2, 5, (1500, 3)), columns=["click", "like", "dwell"])
    frame["dwell"] *= 60
    frame.insert(0, "query", np.arange(1500) // 15)
    frame.insert(1, "document", np.arange(1500))
    frame.insert(2, "market", np.where(frame["query"] % 2, "de", "fr"))
    frame["paid"] = frame["dwell"] + 0.1 * rng.normal(size=1500)
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
        "--resamples", 50, "--intervals", "step", "--json", "--n-jobs", 1,
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


def test_segments_are_tuned_each(gbrank, folder):
    desired = {"de": {"click": 0.5, "like": 0.3, "dwell": 0.2}, "fr": {"click": 0.2, "like": 0.3, "dwell": 0.5}}
    ended = gbrank(
        "value", "tune", config(folder, desired=desired), "--scores", folder / "scores.csv", "--segment", "market",
        "--model", folder / "segments.json", "--json", "--n-jobs", 1,
    )  # fmt: skip
    told = json.loads(ended.out)
    models = SegmentedValueModel.load(folder / "segments.json")
    assert models.to_dict() == told["model"]
    data = read_task_scores(folder / "scores.csv", tasks=["click", "like", "dwell"])
    for number, name in enumerate(("fr", "de")):  # query 0 is of "fr"
        part = data.take(np.arange(data.n_queries) % 2 == number)
        found = shares(models.models[name], part, n_jobs=1)["fraction"]
        np.testing.assert_allclose(found, list(desired[name].values()), atol=0.005)
        assert told["segments"][name]["reached"]
    text = gbrank("value", "tune", config(folder), "--scores", folder / "scores.csv", "--segment", "market").out
    assert text.index("market fr\n") < text.index("market de\n")


def test_segments_are_refused(gbrank, folder):
    desired = {"de": {"click": 0.5, "like": 0.3, "dwell": 0.2}, "it": {"click": 0.2, "like": 0.3, "dwell": 0.5}}
    for segment, target, told in (
        ("country", {}, "no column 'country'"),
        ("document", {}, "has the 'document' 1, but an earlier one has another"),
        ("market", {"desired": desired}, "no query is of the segment 'it'"),
    ):
        ended = gbrank(
            "value", "tune", config(folder, **target), "--scores", folder / "scores.csv", "--segment", segment, code=1
        )
        assert told in ended.err


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_front_is_told_and_drawn(gbrank, folder, ending):
    ended = gbrank(
        "value", "pareto", config(folder), "click", "dwell", "--scores", folder / "scores.csv", "--points", 5,
        "--plot", folder / f"front.{ending}", "--json", "--n-jobs", 1,
    )  # fmt: skip
    told = json.loads(ended.out)
    model = ValueModel({"click": 1, "like": 1, "dwell": 1}, {"dwell": "log1p"})
    data = read_task_scores(folder / "scores.csv", tasks=model.tasks)
    expected = pareto_front(model, data, "click", "dwell", n_points=5, n_jobs=1)
    assert told["front"] == expected.table.to_dict("records")
    assert told["current"] == expected.current
    assert (folder / f"front.{ending}").stat().st_size > 1000
    text = gbrank("value", "pareto", config(folder), "click", "dwell", "--scores", folder / "scores.csv").out
    assert "the model as it is: share" in text


def test_fronts_are_refused(gbrank, folder):
    for tasks, more, told in (
        (("click", "dwel"), (), "Did you mean 'dwell'"),
        (("click", "click"), (), "give two tasks"),
        (("click", "like"), ("--plot", folder / "front.bmp"), "a figure ends in .svg"),
    ):
        ended = gbrank("value", "pareto", config(folder), *tasks, "--scores", folder / "scores.csv", *more, code=1)
        assert told in ended.err


def test_weights_are_learnt_from_a_reward(gbrank, folder):
    arguments = ("--scores", folder / "scores.csv", "--reward", "paid", "--trials", 15, "--n-jobs", 1)
    ended = gbrank("value", "learn", config(folder), *arguments, "--model", folder / "learnt.json", "--json")
    told = json.loads(ended.out)
    assert told["value"] > told["start_value"]
    assert told["trials"] == 15
    learnt = ValueModel.load(folder / "learnt.json")
    assert learnt.to_dict() == told["model"]
    assert learnt.weights["dwell"] > 1 / 3
    kept = gbrank("value", "learn", config(folder, constraints={"fixed": {"like": 0.5}}), *arguments).out
    assert "like   0.5000" in kept
    ended = gbrank("value", "learn", config(folder, constraints={"ndcg_floor": {"like": 0.5}}), *arguments, code=1)
    assert "ndcg_floor has no place in a reward" in ended.err


def test_help(gbrank):
    for command in ("tune", "pareto", "learn"):
        assert f"gbrank value {command} " in gbrank("value", command, "--help").out
    assert "value" in gbrank("--help").out
