"""``gbrank losses tune``."""

import json

import pytest

from gbrank.objectives import Expression

from .test_losses import SMALL

FEW = ["--trials", 2, "--json"]


def test_tunes_a_formula(gbrank, files, tmp_path):
    ended = gbrank("losses", "tune", "(-log(sigmoid(d)))", files / "train.txt", "--folds", 2, *SMALL, "--trials", 2,
                   "--output", tmp_path / "out")  # fmt: skip
    last = ended.out.splitlines()[-1]
    assert str(Expression.parse(last)) == last  # what is to be copied
    assert "best:" in ended.out
    assert last in (tmp_path / "out" / "trials.csv").read_text(encoding="utf-8")
    assert "constants tuned" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_tunes_on_what_a_search_had(gbrank, files, tmp_path):
    storage = tmp_path / "s.db"
    search = ["--trained", 3, "--folds", 2, "--seed", 3, "--measure", "ndcg@5", "--objective-param", "truncation=5"]
    gbrank("losses", "search", files / "train.txt", *search, "--storage", storage, *SMALL)
    best = json.loads(gbrank("losses", "show", storage, "--json").out)
    ended = gbrank("losses", "tune", storage, files / "train.txt", "--n-jobs", 1, *FEW)
    tuned = json.loads(ended.out)
    assert tuned["start_reward"] == pytest.approx(best["reward"], abs=1e-12)
    assert len(tuned["trials"]) == 2
    assert "--objective-param truncation=5" in ended.err
    assert "is not what" not in ended.err
    other = gbrank("losses", "tune", storage, files / "vali.txt", "--n-jobs", 1, *FEW)
    assert "is not what" in other.err
    few = ["--against", "lambdarank", "--seeds", 1, "--no-tuned", *SMALL]
    assert "has seen these queries" in gbrank("losses", "test", storage, "--data", files / "train.txt", *few).err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["tune", "exp(-d)", "train.txt", "-p", "early_stopping_rounds=5"], 2, "early_stopping_rounds=5 is not used"),
        (["search", "train.txt", "--trained", "2", "-p", "objective=mse"], 2, "objective=mse is not used"),
        (["test", "exp(-d)", "--data", "vali.txt", "-p", "validation_fraction=0.2"], 2, "leave it out"),
        (["tune", "none.db", "train.txt"], 1, "no such file"),
        (["tune", "exp(d)", "train.txt"], 1, "turn its sign round"),
        (["tune", "exp(-d)" + " + 0 * d" * 40, "train.txt", "-p", "max_leavs=3"], 1, "max_leaves"),
    ],
)  # fmt: skip
def test_refuses(gbrank, files, monkeypatch, arguments, code, told):
    monkeypatch.chdir(files)
    assert told in " ".join(gbrank("losses", *arguments, code=code).err.split())
