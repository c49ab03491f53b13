"""``gbrank compare``: it tells what the library finds."""

import json

import numpy as np
import pytest

import gbrank as library


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    for q in range(30):
        for d in range(8):
            lines.append((f"q{q}", f"d{d}", int(rng.integers(0, 3))))
    (tmp_path / "qrels.txt").write_text("".join(f"{q} 0 {d} {y}\n" for q, d, y in lines))
    for j, name in enumerate(("bm25", "dense", "gbdt")):
        rows = [
            f"{q} Q0 {d} 0 {y * 0.2 * j + rng.random()} {name}\n" for q, d, y in lines if (name, q) != ("dense", "q3")
        ]
        (tmp_path / f"{name}.trec").write_text("".join(rows))
    return tmp_path


def runs(folder):
    return [folder / f"{name}.trec" for name in ("bm25", "dense", "gbdt")]


def expected(folder, measures, **options):
    read = {path.stem: library.read_run(path) for path in runs(folder)}
    return library.compare(library.evaluate(library.read_qrels(folder / "qrels.txt"), read, measures), **options)


def test_it_tells_what_the_library_finds(gbrank, folder):
    ended = gbrank("compare", *runs(folder), "--qrels", folder / "qrels.txt", "--n-jobs", 1)
    assert ended.out == f"{expected(folder, 'ndcg@10')}\n"
    assert "dense: ndcg@10" in ended.err
    assert "1 missing from the run counts as 0" in ended.err


def test_options_and_json(gbrank, folder):
    told = gbrank(
        "compare", *runs(folder), "--qrels", folder / "qrels.txt", "-m", "ap", "-m", "ndcg@3", "--preset", "trec",
        "--baseline", folder / "bm25.trec", "--test", "t", "--correction", "none", "--confidence", "0.9",
        "--resamples", 500, "--seed", 3, "--json", "--n-jobs", 1,
    )  # fmt: skip
    found = json.loads(told.out)
    measures = [library.measure(name, preset="trec") for name in ("ap", "ndcg@3")]
    options = {"test": "t", "correction": "none", "confidence": 0.9, "n_resamples": 500, "random_state": 3}
    truth = expected(folder, measures, baseline="bm25", **options).to_dict()
    assert found.pop("coverage")[1]["missing"] == 1
    assert found == json.loads(json.dumps(truth))


def test_files(gbrank, folder):
    arguments = ["compare", *runs(folder)[:2], "--qrels", folder / "qrels.txt", "--n-jobs", 1]
    made = [folder / f"table.{ending}" for ending in ("tex", "md", "html")]
    gbrank(*arguments, "--latex", made[0], "--markdown", made[1], "--html", made[2])
    marks = [r"\toprule", "| ndcg@10 |", "<table>"]
    for path, mark in zip(made, marks, strict=True):
        assert mark in path.read_text()
    assert "would be overwritten" in gbrank(*arguments, "--html", folder / "bm25.trec", code=1).err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["bm25.trec"], 2, "give at least two runs"),
        (["bm25.trec", "bm25.trec"], 2, "is given twice"),
        (["bm25.trec", "dense.trec", "--baseline", "bm26"], 1, "Did you mean 'bm25'"),
        (["bm25.trec", "dense.trec", "--test", "z"], 1, "choose one of 'randomisation', 't', 'wilcoxon'"),
        (["bm25.trec", "nowhere.trec"], 1, "nowhere.trec"),
        (["bm25.trec", "dense.trec", "-m", "ndgc"], 1, "Did you mean 'ndcg'"),
    ],
)
def test_refusals(gbrank, folder, monkeypatch, arguments, code, told):
    monkeypatch.chdir(folder)
    assert told in gbrank("compare", *arguments, "--qrels", "qrels.txt", code=code).err
