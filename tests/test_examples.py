"""The examples run as their reader runs them."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import gbrank
from gbrank.clicks import load_propensities

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def once_more(tmp_path, monkeypatch, capsys):
    """Run an example that has run as a program again, in this process, and return what it prints."""

    def run(name, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        capsys.readouterr()
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_from_file_to_report(tmp_path):
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / "from_file_to_report.py"), "--trials", "2"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "trials: 2" in run.stdout
    output = tmp_path / "example-output"
    assert {"model.gbrank", "report.html", "train.txt"} <= {path.name for path in output.iterdir()}
    test = gbrank.read_letor(output / "test.txt")
    value = gbrank.load(output / "model.gbrank").score(test)
    assert f"tuned: ndcg@10 = {value:.4f}" in run.stdout


def test_baseline_against_neural(tmp_path, once_more):
    command = [sys.executable, str(EXAMPLES / "baseline_against_neural.py")]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    output = tmp_path / "example-output"
    test = gbrank.read_letor(output / "test.txt", n_features=30)
    neural = gbrank.read_run(output / "neural.trec")
    value = gbrank.evaluate(test, neural, "ndcg@10").mean("ndcg@10")
    assert f"neural      {value:.4f}" in told
    assert "ndcg@10 by query size" in told
    assert "query" in (output / "evidence.html").read_text(encoding="utf-8")
    assert "tabular" in (output / "table.tex").read_text(encoding="utf-8")
    assert (output / "slices.svg").is_file()

    # The same from files of one's own, with scores by line: only the made-up data are not made again.
    found = neural.to_dict()
    lines = [repr(found[str(qid)][doc_id]) for qid, doc_id in zip(test.qid, test.doc_id, strict=True)]
    (tmp_path / "scores.txt").write_text("\n".join(lines) + "\n")
    arguments = ("example-output", "--neural", "scores.txt", "--scores", "--output", "again")
    again = once_more("baseline_against_neural.py", *arguments)
    assert again.replace("again/", "example-output/") == told


def test_utility(tmp_path, once_more):
    command = [sys.executable, str(EXAMPLES / "utility.py"), "--seeds", "2", "--queries", "90"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "60 test queries, 2 seeds" in told
    assert told.count("grades, adjusted") == 3
    # The same from files: as many systems, and the same measures.
    data = gbrank.make_letor(60, n_features=5, max_documents=20, random_state=1)
    for part, name in zip(gbrank.train_test_split(data, test_size=0.5, random_state=0), ("a", "b"), strict=True):
        gbrank.write_letor(part, tmp_path / name)
    again = once_more("utility.py", "a", "b", "--seeds", "1")
    assert again.count("worth at the first 5 places") == told.count("worth at the first 5 places") == 6


def test_value_model(tmp_path):
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / "value_model.py")], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "\nreached: " in run.stdout
    assert "\nnot reached: " in run.stdout
    output = tmp_path / "example-output"
    assert {"value_model.json", "pareto.svg", "shares.svg"} <= {path.name for path in output.iterdir()}
    model = gbrank.ValueModel.load(output / "value_model.json")
    assert sum(model.weights.values()) == pytest.approx(1)


def test_full_stage(tmp_path):
    command = [sys.executable, str(EXAMPLES / "full_stage.py"), "--users", "40", "--items", "700"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "StageLog(80 requests, 6,400 rows, 3 stages)" in told
    rows = [line.split() for line in told.splitlines() if line.startswith(("interest learnt", "full stage", "the int"))]
    present, ours, best = ([float(value) for value in row[-4:]] for row in rows)
    assert present[1:] == [0, 0, 0]
    assert 0 < ours[0] < best[0] <= 10
    assert ours[2] < ours[1] < ours[3]
    assert ours[1] == pytest.approx(ours[0] - present[0], abs=0.011)


def test_find_a_loss(tmp_path):
    command = [sys.executable, str(EXAMPLES / "find_a_loss.py"), "--losses", "4", "--queries", "60"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "4 short" in told
    assert "found: " in told
    assert "lambdarank" in told
    assert "losses gained" in told  # the effect of selection
    assert {"losses.db", "losses.html"} <= set(os.listdir(tmp_path / "example-output"))


def test_from_clicks(tmp_path):
    command = [sys.executable, str(EXAMPLES / "from_clicks.py"), "--queries", "100", "--sessions", "8000"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "ClickLog(8,000 sessions" in told
    output = tmp_path / "example-output"
    assert {"log.csv", "propensities.json", "propensities.svg", "unbiased.html"} <= set(os.listdir(output))
    value = {name.strip(): float(number) for name, number in re.findall(r"^  (\D+?) +(0\.\d+)$", told, re.MULTILINE)}
    assert value["old ranker"] < value["the truth"]
    assert gbrank.load(output / "unbiased.gbrank").position_bias_["term"][1] == 0
    found = load_propensities(output / "propensities.json")
    assert found.n_ranks == 10
    assert found.values[1] == pytest.approx(0.5, abs=0.15)


def test_quickstart_notebook(tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    notebook = nbformat.read(EXAMPLES / "quickstart.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # no figures that could grow old
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert "report.html" in os.listdir(tmp_path)
    shown = [str(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("preset=letor" in text for text in shown)
