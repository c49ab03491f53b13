"""``gbrank clicks propensity``."""

import json

import numpy as np
import pytest

from gbrank.clicks import concat_click_logs, estimate_propensities, load_propensities, read_click_log
from gbrank.data import read_letor, write_scores


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    path = tmp_path_factory.mktemp("propensity")
    for j in range(2):
        write_scores(read_letor(files / "train.txt").X[:, j], path / f"scores{j}.txt")
    return path


def simulate(gbrank, files, folder, name, *options, scores="scores0.txt"):
    gbrank(
        "clicks", "simulate", files / "train.txt", "--scores", folder / scores, "--model", "pbm", "-p", "eta=1",
        "--sessions", 4000, "--top-k", 3, "--output", folder / name, *options,
    )  # fmt: skip
    return folder / name


def test_of_swaps(gbrank, files, folder):
    log = simulate(gbrank, files, folder, "swaps.csv", "--swaps", "first")
    ended = gbrank(
        "clicks", "propensity", log, "--method", "swaps", "--bootstrap", 20, "--output", folder / "p.json",
        "--plot", folder / "p.svg", "--seed", 2,
    )  # fmt: skip
    wanted = estimate_propensities(read_click_log(log), "swaps", n_resamples=20, random_state=2)
    assert ended.out == f"{wanted}\n"
    assert load_propensities(folder / "p.json").to_dict() == wanted.to_dict()
    assert "<svg" in (folder / "p.svg").read_text()
    run = gbrank(
        "clicks", "evaluate", log, "--data", files / "train.txt", "--scores", folder / "scores0.txt",
        "--propensity", folder / "p.json", "--reward", "ctr", "--json",
    )  # fmt: skip
    assert json.loads(run.out)["methods"]


def test_of_several_logs(gbrank, files, folder):
    logs = [simulate(gbrank, files, folder, f"{j}.csv", "--seed", j, scores=f"scores{j}.txt") for j in range(2)]
    told = json.loads(gbrank("clicks", "propensity", *logs, "--bootstrap", 0, "--json").out)
    both = concat_click_logs([read_click_log(log) for log in logs])
    assert told == estimate_propensities(both, n_resamples=0).to_dict()
    assert "(1 policy)" in gbrank("clicks", "propensity", logs[0], code=1).err


def test_by_regression(gbrank, files, folder):
    log = simulate(gbrank, files, folder, "drawn.csv", "--temperature", 1, "--policy", "drawn")
    assert set(read_click_log(log).policy) == {"drawn"}
    told = json.loads(
        gbrank(
            "clicks",
            "propensity",
            log,
            "--method",
            "regression",
            "--data",
            files / "train.txt",
            "--n-jobs",
            1,
            "--json",
        ).out
    )
    np.testing.assert_allclose(told["propensities"], [1, 1 / 2, 1 / 3], rtol=0.3)
    assert "low" not in told


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (["--method", "regression"], "--method regression, which needs it", 2),
        (["--data", "x"], "--method regression, which needs it", 2),
        (["--plot", "p.gif"], "--plot p.gif: a figure ends in .svg", 1),
        (["--method", "ips"], "method='ips': choose one of", 1),
        (["--method", "swaps"], "policy: the log has none", 1),
        (["--n-ranks", "4"], "the log shows 3 ranks", 1),
    ],
)
def test_refuses(gbrank, files, folder, arguments, told, code):
    log = simulate(gbrank, files, folder, "log.csv", "--sessions", 50)
    assert told in gbrank("clicks", "propensity", log, *arguments, code=code).err
