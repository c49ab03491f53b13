"""``gbrank explain-difference``."""

import json

import numpy as np
import pytest

import gbrank as library
from gbrank.data import read_letor


@pytest.fixture
def scores(gbrank, files, model, tmp_path):
    path = tmp_path / "scores.txt"
    gbrank("predict", model, files / "test.txt", "--output", path)
    return path


def test_tells_what_the_library_finds(gbrank, files, model, scores):
    test = read_letor(files / "test.txt", n_features=6)
    expected = library.explain_difference(test, library.load(model), "lightgbm", "letor", measure="ndcg@3")
    command = ["explain-difference", files / "test.txt", "--from", "lightgbm", "--to", "letor", "-m", "ndcg@3"]
    assert gbrank(*command, "--scores", scores).out == f"{expected}\n"
    assert gbrank(*command, "--model", model).out == f"{expected}\n"
    assert json.loads(gbrank(*command, "--scores", scores, "--json").out) == expected.to_dict()


def test_of_a_run(gbrank, tmp_path):
    (tmp_path / "test.txt").write_text("1 qid:1 1:1 # docid = a\n0 qid:1 1:2 # docid = b\n2 qid:2 1:3 # docid = a\n")
    (tmp_path / "run.trec").write_text("1 Q0 b 1 2.0 x\n1 Q0 a 2 1.0 x\n")
    (tmp_path / "qrels.txt").write_text("1 0 a 1\n1 0 b 0\n2 0 a 2\n")
    for judgments in ([tmp_path / "test.txt"], ["--qrels", tmp_path / "qrels.txt"]):
        command = ["explain-difference", *judgments, "--run", tmp_path / "run.trec", "--from", "rr"]
        told = gbrank(*command, "--to", "rr(missing_queries=skip)").out
        assert told.startswith("rr: 0.2500 by rr, 0.5000 by rr(missing_queries=skip), difference +0.2500\n")
        assert "2 (1 document): 0.0000 -> skipped" in told


def test_scores_of_scattered_queries_go_by_line(gbrank, tmp_path):
    (tmp_path / "test.txt").write_text("1 qid:1 1:1\n1 qid:2 1:1\n0 qid:1 1:2\n0 qid:2 1:2\n")
    (tmp_path / "s.txt").write_text("2\n1\n1\n2\n")
    command = ["explain-difference", tmp_path / "test.txt", "--scores", tmp_path / "s.txt", "--from", "p@1"]
    told = gbrank(*command, "--to", "p@1(relevant_from=0)", "--scattered", "regroup", "--json").out
    assert [query["qid"] for query in json.loads(told)["queries"]] == [2]


def test_refusals(gbrank, files, model, scores, tmp_path):
    command = ["explain-difference", files / "test.txt", "--from", "lightgbm", "--to", "letor"]
    assert "give one of --scores" in gbrank(*command, code=2).err
    assert "give one of --scores" in gbrank(*command, "--scores", scores, "--model", model, code=2).err
    assert "--to" in gbrank("explain-difference", files / "test.txt", "--from", "letor", code=2).err
    assert "Did you mean 'letor'" in gbrank(*command[:-1], "letro", "--scores", scores, code=1).err
    bad = tmp_path / "bad.txt"
    bad.write_text("\n".join(["nan", *map(str, np.arange(5))]))
    assert "bad.txt" in gbrank(*command, "--scores", bad, code=1).err
