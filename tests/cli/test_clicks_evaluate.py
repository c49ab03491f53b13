"""``gbrank clicks evaluate``."""

import json

import numpy as np
import pytest

from gbrank import Run, make_letor, write_letor, write_run
from gbrank.clicks import PlackettLuce, PositionBased, estimate, simulate_clicks, write_click_log

PBM = PositionBased.power(1, 10)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    data = make_letor(6, n_features=4, max_documents=12, random_state=0)
    log = simulate_clicks(data, PlackettLuce(data.X[:, 1], 1.0), PBM, 3000, 0, top_k=5)
    write_click_log(log, folder / "log.csv")
    write_letor(data, folder / "data.txt")
    np.savetxt(folder / "scores.txt", data.X[:, 0])
    write_run(Run(data.qid, data.order, data.X[:, 0]), folder / "new.trec")
    PBM.save(folder / "pbm.json")
    found = estimate(log, data.X[:, 0], data=data, propensity=PBM, reward="dcg@5")
    return folder, found


def test_a_run_and_scores_of_data_are_evaluated_as_by_the_library(gbrank, world):
    folder, found = world
    common = ["clicks", "evaluate", folder / "log.csv", "--reward", "dcg@5", "--json", "--n-jobs", 1]
    propensity = ",".join(f"{each:.17g}" for each in PBM.examination)
    for given in (
        ["--run", folder / "new.trec", "--model", folder / "pbm.json"],
        ["--data", folder / "data.txt", "--scores", folder / "scores.txt", "--propensity", propensity],
    ):
        told = json.loads(gbrank(*common, *given).out)
        assert [row["method"] for row in told["methods"]] == ["logged", "ips", "snips", "clipped"]
        assert [row["estimate"] for row in told["methods"]] == pytest.approx(found.table["estimate"].tolist(), rel=1e-5)


def test_doubts_are_told_on_both_streams(gbrank, world):
    folder, _ = world
    ended = gbrank(
        "clicks", "evaluate", folder / "log.csv", "--run", folder / "new.trec", "--propensity", ",".join(["1"] * 10)
    )
    assert "propensities do not fit" in ended.out
    assert "propensities do not fit" in ended.err


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (["--propensity", "1,0.5"], 2, "either --run or --data"),
        (["--run", "new.trec"], 2, "either --propensity or --model"),
        (["--data", "data.txt", "--propensity", "1"], 2, "either --ranker or --scores"),
        (["--run", "new.trec", "--scores", "scores.txt", "--propensity", "1"], 2, "the documents of --data"),
        (["--run", "new.trec", "--propensity", "1,half"], 1, "give a number for each rank"),
        (["--run", "new.trec", "--propensity", "1,0.5"], 1, "the log shows rank 5"),
        (["--run", "new.trec", "--model", "pbm.json", "--reward", "ndcg@5"], 1, "unknown reward"),
    ],
)
def test_what_cannot_be_is_refused(gbrank, world, monkeypatch, given, code, message):
    monkeypatch.chdir(world[0])
    ended = gbrank("clicks", "evaluate", "log.csv", *given, code=code)
    assert message in " ".join(ended.err.replace("│", " ").split())
