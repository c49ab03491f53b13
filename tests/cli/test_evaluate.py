"""``gbrank predict``, ``evaluate``, ``inspect`` and ``report``."""

import json

import numpy as np
import pandas as pd
import pytest

import gbrank as library
from gbrank.data import read_letor


@pytest.fixture
def scores(gbrank, files, model, tmp_path):
    path = tmp_path / "scores.txt"
    gbrank("predict", model, files / "test.txt", "--output", path)
    return path


def test_predict_writes_every_digit(gbrank, files, model, scores):
    expected = library.load(model).predict(read_letor(files / "test.txt", n_features=6))
    assert np.array_equal([float(line) for line in scores.read_text().splitlines()], expected)
    assert gbrank("predict", model, files / "test.txt").out == scores.read_text()


def test_scattered_queries_keep_the_order_of_lines(gbrank, files, model, scores, tmp_path):
    lines = (files / "test.txt").read_text().splitlines()
    shuffled = np.random.default_rng(0).permutation(len(lines))
    path = tmp_path / "scattered.txt"
    path.write_text("\n".join(lines[i] for i in shuffled) + "\n")
    assert "give --scattered regroup" in gbrank("predict", model, path, code=1).err
    found = gbrank("predict", model, path, "--scattered", "regroup").out.splitlines()
    assert found == [scores.read_text().splitlines()[i] for i in shuffled]
    (tmp_path / "found.txt").write_text("\n".join(found))
    of_scores = gbrank("evaluate", path, "--scattered", "regroup", "--scores", tmp_path / "found.txt", "--json").out
    assert json.loads(of_scores) == json.loads(
        gbrank("evaluate", path, "--scattered", "regroup", "--model", model, "--json").out
    )


def test_evaluate_tells_what_the_library_finds(gbrank, files, model, scores, tmp_path):
    test = read_letor(files / "test.txt", n_features=6)
    expected = library.evaluate(test, library.load(model), ["ndcg@3", "ap"])
    options = ["-m", "ndcg@3", "-m", "ap"]
    assert gbrank("evaluate", files / "test.txt", "--model", model, *options).out == f"{expected}\n"
    told = json.loads(gbrank("evaluate", files / "test.txt", "--scores", scores, *options, "--json").out)
    assert told == expected.to_dict()
    ended = gbrank("evaluate", files / "test.txt", "--model", model, *options, "--per-query", tmp_path / "q.csv")
    table = pd.read_csv(tmp_path / "q.csv", index_col="qid")
    assert list(table) == ["documents", "ndcg@3", "ap"]
    np.testing.assert_allclose(table["ndcg@3"], expected.values("ndcg@3"), rtol=1e-15)
    assert ended.out == f"{expected}\n"


def test_evaluate_tells_how_probabilities_hold(gbrank, files, model, scores, tmp_path):
    train, test = (read_letor(files / f"{name}.txt", n_features=6) for name in ("train", "test"))
    calibrated = library.CalibratedRanker(library.GBRanker(n_estimators=5, n_jobs=1), cv=3).fit(train)
    calibrated.save(tmp_path / "c.gbrank")
    given = "evaluate", files / "test.txt", "--model", tmp_path / "c.gbrank", "-m", "ap", "--calibration"
    held = library.calibration(test, calibrated)
    assert gbrank(*given).out == f"{library.evaluate(test, calibrated, 'ap')}\n\nc\n{held}\n"
    told = json.loads(gbrank(*given, "--scores", scores, "--json").out)
    assert told["calibration"] == {"c": held.to_dict()}
    assert "order documents and are no probabilities" in gbrank(*given, "--model", model, code=1).err
    wrong = gbrank("evaluate", files / "test.txt", "--scores", scores, "--calibration", code=2).err
    assert "is of models" in wrong
    gbrank("report", tmp_path / "c.gbrank", files / "test.txt", "--output", tmp_path / "c.html")
    assert "Reliability of P(label" in (tmp_path / "c.html").read_text(encoding="utf-8")


def test_evaluate_several_runs(gbrank, files, model, scores, tmp_path):
    ended = gbrank(
        "evaluate", files / "test.txt", "--model", model, "--scores", scores, "-m", "p@5", "--preset", "letor",
        "--per-query", tmp_path / "q.csv",
    )  # fmt: skip
    lines = ended.out.splitlines()
    assert lines[0].startswith("m: p@5")
    assert lines[1] == lines[0].replace("m: ", "scores: ")
    assert "skipped" not in lines[0]
    table = pd.read_csv(tmp_path / "q.csv")
    assert list(table) == ["qid", "documents", "m: p@5(preset=letor)", "scores: p@5(preset=letor)"]


def test_two_runs_of_one_name(gbrank, files, scores, tmp_path):
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / "scores.txt"
    other.write_text(scores.read_text())
    told = gbrank("evaluate", files / "test.txt", "--scores", scores, "--scores", other, "-m", "ap").out
    assert f"{scores}: ap" in told
    assert f"{other}: ap" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"0.5\n", "1 scores for "),
        (b"x\n", "x"),
        (b"\xff\xfe\x00", "byte order mark"),
        (b"\x00\x01\n", "is not text"),
    ],
)
def test_bad_scores(gbrank, files, scores, content, told):
    lines = scores.read_bytes().splitlines(keepends=True)
    scores.write_bytes(content if told != "x" else b"".join([*lines[:2], content, *lines[3:]]))
    error = gbrank("evaluate", files / "test.txt", "--scores", scores, code=1).err
    assert ("scores.txt:3: 'x' is no number" if told == "x" else told) in error


def test_a_score_that_only_python_reads(gbrank, files, scores):
    lines = scores.read_text().splitlines()
    for strange in ("1_0", "\u0661"):
        scores.write_text("\n".join([lines[0], strange, *lines[2:]]) + "\n", encoding="utf-8")
        error = gbrank("evaluate", files / "test.txt", "--scores", scores, code=1).err
        assert f"scores.txt:2: {strange!r} is no number" in error


def test_a_score_that_is_not_finite(gbrank, files, scores):
    scores.write_text(scores.read_text().replace(scores.read_text().split("\n")[4], "nan", 1))
    assert "is not finite" in gbrank("evaluate", files / "test.txt", "--scores", scores, code=1).err


@pytest.fixture
def judged(tmp_path):
    """Judgments, and two runs of which one lacks query b, has a document that is not judged, and query z."""
    (tmp_path / "q.txt").write_text("a 0 x 1\na 0 y 0\nb 0 x 2\n")
    (tmp_path / "one.trec").write_text("a Q0 new 1 3 one\na Q0 x 2 2 one\nz Q0 x 1 1 one\n")
    (tmp_path / "two.json").write_text('{"a": {"x": 2, "y": 1}, "b": {"x": 1.5}}')
    return tmp_path


def test_evaluate_runs_against_judgments(gbrank, judged):
    runs = ["--run", judged / "one.trec", "--run", judged / "two.json"]
    expected = library.evaluate(
        library.read_qrels(judged / "q.txt"),
        {"one": library.read_run(judged / "one.trec"), "two": library.read_run(judged / "two.json")},
        ["rr", "ndcg@3"],
    )
    ended = gbrank("evaluate", "--qrels", judged / "q.txt", *runs, "-m", "rr", "-m", "ndcg@3")
    assert ended.out == f"{expected}\n"
    assert "one: rr = 0.2500 (mean of 2 queries; 1 missing from the run counts as 0; 1 unjudged document" in ended.out
    assert "one: 1 query (1 document) not judged, left out" in ended.out
    assert "two: rr = 1.0000" in ended.out
    told = json.loads(gbrank("evaluate", "--qrels", judged / "q.txt", *runs, "-m", "rr", "-m", "ndcg@3", "--json").out)
    assert told == expected.to_dict()


def test_evaluate_a_run_beside_a_model(gbrank, files, model, tmp_path):
    data = read_letor(files / "test.txt", n_features=6)
    named = library.RankingData(data.X, data.y, data.qid, doc_id=[f"d{i}" for i in range(len(data))])
    library.write_letor(named, tmp_path / "named.txt")
    run = library.Run.from_data(named, library.load(model).predict(named), name="m")
    library.write_run(run, tmp_path / "dense.trec.gz")
    options = ["--model", model, "--run", tmp_path / "dense.trec.gz", "-m", "ndcg@5"]
    lines = gbrank("evaluate", tmp_path / "named.txt", "--n-features", 6, *options).out.splitlines()
    assert lines[1].replace("dense.trec: ", "m: ") == lines[0]
    error = gbrank("evaluate", files / "test.txt", "--run", tmp_path / "dense.trec.gz", code=1).err
    assert "the data have no document ids" in error


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--qrels", "q.txt"], "at least one --model, --scores or --run"),
        (["--run", "one.trec"], "either FILE, a LETOR file, or --qrels"),
        (["q.txt", "--qrels", "q.txt", "--run", "one.trec"], "either FILE, a LETOR file, or --qrels"),
        (["--qrels", "q.txt", "--scores", "one.trec"], "--model and --scores need FILE"),
    ],
)
def test_a_wrong_line_with_runs(gbrank, judged, monkeypatch, arguments, told):
    monkeypatch.chdir(judged)
    assert told in " ".join(gbrank("evaluate", *arguments, code=2).err.split())


def test_a_run_given_as_judgments(gbrank, judged):
    error = gbrank("evaluate", "--qrels", judged / "one.trec", "--run", judged / "one.trec", code=1).err
    assert "one.trec:1: " in error
    assert "it looks like a run, which read_run reads" in error


def test_unknown_measure_and_preset(gbrank, files, model):
    assert (
        "Did you mean 'ndcg'?" in gbrank("evaluate", files / "test.txt", "--model", model, "-m", "ndgc@3", code=1).err
    )
    assert "'letor'" in gbrank("evaluate", files / "test.txt", "--model", model, "--preset", "leto", code=1).err


def test_a_file_that_is_no_model(gbrank, files, model, tmp_path):
    for command in (["predict", files / "test.txt"], ["report", files / "test.txt"]):
        ended = gbrank(*command, files / "test.txt", code=1)
        assert "damaged, or no ranker that gbrank saved" in ended.err
    damaged = tmp_path / "damaged.gbrank"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    assert "damaged" in gbrank("evaluate", files / "test.txt", "--model", damaged, code=1).err
    assert "there is no such file" in gbrank("predict", tmp_path / "nowhere", files / "test.txt", code=1).err


def test_documents_with_other_columns_than_the_model(gbrank, model, tmp_path):
    (tmp_path / "wide.txt").write_text("0 qid:1 1:1 7:1\n")
    for command in (
        ["predict", model, tmp_path / "wide.txt"],
        ["report", model, tmp_path / "wide.txt", "--output", tmp_path / "r.html"],
        ["evaluate", tmp_path / "wide.txt", "--model", model],
    ):
        error = gbrank(*command, code=1).err
        assert "wide.txt:1: " in error
        assert "the model " in error
        assert "has 6 features and the file more" in error
    arguments = ["evaluate", tmp_path / "wide.txt", "--model", model, "--n-features", 9]
    assert f"{model}: the model has 6 features" in gbrank(*arguments, code=1).err


def test_inspect(gbrank, files, tmp_path):
    told = gbrank("inspect", files / "train.txt").out
    assert told.startswith(str(files / "train.txt"))
    assert "queries" in told
    data = read_letor(files / "train.txt")
    (tmp_path / "bad.txt").write_text("0 1:1\n")
    arguments = ["inspect", tmp_path / "bad.txt", files / "train.txt", tmp_path / "nowhere.txt", "--json"]
    ended = gbrank(*arguments, code=1)
    found = json.loads(ended.out)
    assert found["files"][str(files / "train.txt")]["documents"] == data.n_documents
    assert len(found["errors"]) == len(ended.err.splitlines()) == 2


def test_inspect_compares_columns(gbrank, files, tmp_path):
    (tmp_path / "wide.txt").write_text("0 qid:1 1:1 7:1\n1 qid:1 1:2\n")
    assert "--n-features 7" in gbrank("inspect", files / "train.txt", tmp_path / "wide.txt").err


def test_report(gbrank, files, model, tmp_path):
    page = tmp_path / "r.html"
    ended = gbrank("report", model, files / "train.txt", files / "test.txt", "--output", page, "--title", "A & B")
    assert ended.out == f"{page}\n"
    assert "A &amp; B" in page.read_text()
