"""An output folder is replaced whole, or not at all."""

import json

import pytest

from gbrank import DataError
from gbrank.jobs._folder import RECORD, files_of, new_folder


def write_output(output, text):
    with new_folder(output) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text(text)
        (folder / RECORD).write_text(json.dumps({"files": ["sub/a.txt", RECORD]}))


def interrupted(output):
    with new_folder(output) as folder:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt


def overtaken(output):
    with new_folder(output):
        output.mkdir()
        (output / "notes.txt").write_text("mine")


def test_written_and_replaced(tmp_path):
    output = tmp_path / "deep" / "out"
    write_output(output, "old")
    write_output(output, "new")
    assert (output / "sub" / "a.txt").read_text() == "new"
    assert [path.name for path in output.parent.iterdir()] == ["out"]


def test_an_interrupted_job_leaves_the_old_output(tmp_path):
    write_output(tmp_path / "out", "old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "out")
    assert files_of(tmp_path) == ["out/sub/a.txt", f"out/{RECORD}"]
    assert (tmp_path / "out" / "sub" / "a.txt").read_text() == "old"


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    write_output(tmp_path / "out", "new")
    assert (tmp_path / "out" / RECORD).exists()


def test_what_no_job_wrote_is_never_replaced(tmp_path):
    write_output(tmp_path / "out", "old")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"out: holds notes\.txt, which no earlier job wrote"):
        write_output(tmp_path / "out", "new")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("mine")
    with pytest.raises(DataError, match=r"mine: holds thesis\.tex"):
        write_output(tmp_path / "mine", "new")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="file: is a file"):
        write_output(tmp_path / "file", "new")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_what_appears_while_the_job_runs_is_not_replaced(tmp_path):
    with pytest.raises(DataError, match=r"notes\.txt"):
        overtaken(tmp_path / "out")
    assert files_of(tmp_path) == ["out/notes.txt"]
