"""``gbrank losses``."""

import json

import pytest

SMALL = ["--n-estimators", 4, "--n-jobs", 1, "-p", "max_leaves=4"]


@pytest.fixture(scope="module")
def searched(files, tmp_path_factory):
    from gbrank.cli import main

    folder = tmp_path_factory.mktemp("losses")
    arguments = ["losses", "search", files / "train.txt", "--trained", 6, "--folds", 2, "--storage", folder / "s.db"]
    assert main([str(each) for each in [*arguments, *SMALL, "--output", folder / "out"]]) == 0
    return folder


def test_search_writes_what_show_tells(gbrank, searched):
    shown = json.loads(gbrank("losses", "show", searched / "s.db", "--json").out)
    assert shown["counts"]["short"] == 6
    assert shown["top"][0]["loss"] == shown["best"]
    rewards = [row["reward"] for row in shown["top"]]
    assert rewards == sorted(rewards, reverse=True)
    assert shown["best"] in (searched / "out" / "candidates.csv").read_text(encoding="utf-8")
    assert "Search progress" in (searched / "out" / "report.html").read_text(encoding="utf-8")
    told = gbrank("losses", "show", searched / "s.db", "--top", 1, "--output", searched / "again").out
    assert f"best: {shown['best']}" in told
    assert (searched / "again" / "report.html").is_file()


def test_search_goes_on(gbrank, searched, files):
    ended = gbrank(
        "losses", "search", files / "train.txt", "--trained", 7, "--folds", 2, "--storage", searched / "s.db", *SMALL,
        "--json",
    )  # fmt: skip
    assert json.loads(ended.out)["counts"]["short"] == 7


def test_test_of_a_search_and_of_a_formula(gbrank, searched, files):
    few = ["--against", "lambdarank", "--seeds", 1, "--no-tuned", *SMALL]
    ended = gbrank("losses", "test", searched / "s.db", "--data", files / "vali.txt", *few, "--json")
    found = json.loads(ended.out)
    assert [row["other"] for row in found["pairs"]] == ["lambdarank"]
    assert found["selection"]["n_folds"] == 2
    told = gbrank("losses", "test", "softplus(-d)", "--data", files, *few, "--output", searched / "test").out
    assert "found: softplus(-d)" in told
    assert "lambdarank" in (searched / "test" / "report.html").read_text(encoding="utf-8")


def test_test_of_an_alternating_search(gbrank, files, tmp_path):
    alternating = ["--trained", 2, "--schedule", "alternating", "--storage", tmp_path / "s.db", *SMALL]
    gbrank("losses", "search", files / "train.txt", *alternating)
    few = ["--against", "lambdarank", "--seeds", 1, "--no-tuned", *SMALL]
    ended = gbrank("losses", "test", tmp_path / "s.db", "--data", files / "vali.txt", *few, "--json")
    assert json.loads(ended.out)["selection"] is None
    assert "effect of selection cannot be told" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["search", "train.txt"], 2, "--timeout"),
        (["search", "train.txt", "--trained", "2", "--searcher", "evolutoin"], 1, "Did you mean 'evolution'"),
        (["search", "train.txt", "--trained", "2", "--objective-param", "formula=d"], 1, "leave 'formula' out"),
        (["show", "none.db"], 1, "no such file"),
        (["test", "none.db", "--data", "vali.txt"], 1, "no such file"),
        (["test", "sofplus(-d)", "--data", "vali.txt"], 1, "softplus"),
        (["test", "softplus(-d)", "--data", "vali.txt", "--transfer", "web"], 2, "name=path"),
        (["test", "softplus(-d)", "--data", "vali.txt", "--data", "test.txt"], 2, "one file, or folders"),
    ],
)
def test_refuses(gbrank, files, monkeypatch, arguments, code, told):
    monkeypatch.chdir(files)
    assert told in gbrank("losses", *arguments, code=code).err
