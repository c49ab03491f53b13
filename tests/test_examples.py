"""The examples run as their reader runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gbrank

EXAMPLES = Path(__file__).parent.parent / "examples"


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
