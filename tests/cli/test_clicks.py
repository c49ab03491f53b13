"""``gbrank clicks simulate`` and ``gbrank clicks fit``."""

import json

import numpy as np
import pytest

from gbrank.clicks import PositionBased, load_click_model, read_click_log, simulate_clicks
from gbrank.data import read_letor, write_scores


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    path = tmp_path_factory.mktemp("clicks")
    write_scores(read_letor(files / "train.txt").X[:, 0], path / "scores.txt")
    return path


@pytest.fixture
def log(gbrank, files, folder):
    gbrank(
        "clicks", "simulate", files / "train.txt", "--scores", folder / "scores.txt", "--model", "pbm", "-p", "eta=1",
        "--sessions", 3000, "--top-k", 5, "--output", folder / "log.csv", "--seed", 3,
    )  # fmt: skip
    return folder / "log.csv"


def test_simulates_as_the_library_does(log, files):
    data = read_letor(files / "train.txt")
    wanted = simulate_clicks(data, data.X[:, 0], PositionBased.power(1, 5), 3000, 3, top_k=5)
    found = read_click_log(log)
    assert found.click.tolist() == wanted.click.tolist()
    assert found.document.astype(str).tolist() == wanted.document.astype(str).tolist()


def test_simulates_rankings_of_a_model(gbrank, files, folder, model):
    ended = gbrank(
        "clicks", "simulate", files / "test.txt", "--ranker", model, "--model", "dbn", "-p", "persistence=0.9",
        "--sessions", 50, "--temperature", 0.5, "--output", folder / "dbn.csv", "--n-jobs", 1,
    )  # fmt: skip
    assert "50 sessions" in ended.err
    assert ended.out == ""
    assert read_click_log(folder / "dbn.csv").n_sessions == 50


def test_fits_and_compares(gbrank, log, folder):
    told = json.loads(gbrank("clicks", "fit", log, "--model", "pbm", "--model", "cascade", "--json").out)
    assert told["sessions"]["fitted"] + told["sessions"]["scored"] == 3000
    assert told["models"]["cascade"]["log_likelihood"] is None
    assert 1 < told["models"]["pbm"]["perplexity"] < 2
    ended = gbrank("clicks", "fit", log, "--model", "pbm", "--output", folder / "pbm.json", "--holdout", 0)
    assert "scored on the same" in ended.err
    assert len(ended.out.splitlines()) == 2
    fitted = load_click_model(folder / "pbm.json")
    again = gbrank("clicks", "fit", log, "--model", "pbm", "--holdout", 0, "--json").out
    overall = json.loads(again)["models"]["pbm"]["perplexity"]
    assert fitted.perplexity(read_click_log(log)).overall == pytest.approx(overall)


def test_other_column_names(gbrank, log, folder):
    frame = read_click_log(log).to_frame().rename(columns={"document": "url"})
    frame.to_csv(folder / "other.csv", index=False)
    assert "ubm" in gbrank("clicks", "fit", folder / "other.csv", "--column", "document=url").out
    assert "no column 'document'" in gbrank("clicks", "fit", folder / "other.csv", code=1).err


def test_yandex_text(gbrank, tmp_path):
    rng = np.random.default_rng(0)
    text = ";".join(f"q\t1,2,3 : {','.join(map(str, 1 + np.flatnonzero(rng.random(3) < 0.4)))}" for _ in range(40))
    (tmp_path / "s.txt").write_text(text + ";q\t1,2,3 : 9\n")
    refused = gbrank("clicks", "fit", tmp_path / "s.txt", "--yandex", code=1).err
    assert "document '9' is clicked but not shown; give --ignore-unlisted" in refused
    ended = gbrank("clicks", "fit", tmp_path / "s.txt", "--yandex", "--ignore-unlisted", "--model", "dcm")
    assert "1 clicks on documents" in ended.err


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (["--model", "pbn", "-p", "eta=1"], "Did you mean 'pbm'", 1),
        (["--model", "pbm"], "needs examination", 1),
        (["--model", "dcm", "-p", "continuaton=[1]"], "Did you mean 'continuation'", 1),
        (["--model", "pbm", "-p", "examination=[2]"], "a probability is from 0 to 1", 1),
        (["--model", "cascade", "--ranker", "m"], "either --ranker or --scores", 2),
    ],
)
def test_refuses(gbrank, files, folder, arguments, told, code):
    ended = gbrank(
        "clicks", "simulate", files / "train.txt", "--scores", folder / "scores.txt", "--output", folder / "no.csv",
        *arguments, code=code,
    )  # fmt: skip
    assert told in ended.err
    assert not (folder / "no.csv").exists()
