"""Help, exit codes, and who hears what."""

import os
import subprocess
import sys
import warnings

import pytest

import gbrank as library
from gbrank import cli


def test_help_names_every_command(gbrank):
    told = gbrank("--help").out
    for name in cli.COMMANDS:
        assert f"\n  {name} " in told
    assert gbrank("-h").out == told


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_each_help_teaches(gbrank, name):
    told = gbrank(name, "--help").out
    assert "For example:" in told
    assert f"\n      gbrank {name} " in told  # on a line of its own, as it is to be typed
    assert "..." not in told.split("For example:")[0].split("\n\n")[1]


def test_version(gbrank):
    assert gbrank("--version").out == f"gbrank {library.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trian"], "No such command 'trian'"),
        (["train"], "Missing"),
        (["train", "a", "--model", "m", "--n-estimators", "many"], "--n-estimators"),
        (["train", "a", "--model", "m", "--mdel", "n"], "--mdel"),
        (["train", "a", "--model", "m", "-p", "learning_rate"], "write it as name=value"),
        (["train", "a", "--model", "m", "-p", "max_leaves=3", "-p", "max_leaves=4"], "max_leaves is given twice"),
        (["train", "a", "--model", "m", "-p", "learning_rate=3", "--learning-rate", "0.1"], "option of its own"),
        (["train", "a", "--model", "m", "-p", "measure=ap"], "measure has an option of its own; write --measure ap"),
        (["train", "a", "--model", "m", "-p", "objective=mse"], "write --objective mse"),
        (["train", "a", "--model", "m", "-p", "random_state=1", "--seed", "2"], "--seed, which is given too"),
        (["train", "a", "--model", "m", "--vali", "v", "--validation-fraction", "0.1"], "goes without --vali"),
        (["tune", "a", "--model", "m", "--vali", "v", "--folds", "3"], "goes without --vali"),
        (["evaluate", "a"], "give at least one --model, --scores or --run"),
        (["demo", "--queries", "3"], "50"),
    ],
)
def test_a_wrong_command_line_is_code_2(gbrank, arguments, told):
    ended = gbrank(*arguments, code=2)
    assert ended.out == ""
    assert told in ended.err
    assert "Traceback" not in ended.err


def test_nothing_is_a_wrong_command_line(gbrank):
    assert "Commands:" in "".join(gbrank(code=2)[1:])


def guarded(monkeypatch, function):
    monkeypatch.setitem(cli.COMMANDS, "inspect", lambda: function())


def test_interrupted_is_code_130(gbrank, monkeypatch):
    def stopped():
        raise KeyboardInterrupt

    guarded(monkeypatch, stopped)
    assert gbrank("inspect", code=130).err == "gbrank: interrupted\n"


def test_faults_keep_their_traceback(monkeypatch):
    def faulty():
        raise ZeroDivisionError("a bug")

    guarded(monkeypatch, faulty)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli.main(["inspect"])


def test_every_line_of_a_refusal_is_marked(gbrank, monkeypatch):
    def refused():
        raise library.DataError("one\ntwo")

    guarded(monkeypatch, refused)
    assert gbrank("inspect", code=1).err == "gbrank: error: one\ngbrank: error: two\n"


def test_files_that_the_system_refuses(gbrank, monkeypatch):
    guarded(monkeypatch, lambda: open("/no/such/folder/x"))  # noqa: SIM115
    assert gbrank("inspect", code=1).err == "gbrank: error: /no/such/folder/x: No such file or directory.\n"


def test_warnings_are_a_line(gbrank, monkeypatch):
    usual = warnings.showwarning
    guarded(monkeypatch, lambda: warnings.warn("look here", library.GbrankWarning, stacklevel=1))
    ended = gbrank("inspect")
    assert ended.out == ""
    assert ended.err == "gbrank: warning: look here\n"
    assert warnings.showwarning is usual


def test_as_a_program(files):
    """Started as `python -m gbrank`, with a reader that goes away at once."""
    command = [sys.executable, "-m", "gbrank", "inspect", *[str(files / "train.txt")] * 3]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert ended.returncode == 141
    assert ended.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_a_line(files):
    command = [sys.executable, "-m", "gbrank", "inspect", str(files / "train.txt")]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "gbrank: error: standard output: No space left on device.\n"


def test_a_file_that_may_not_be_read(gbrank, monkeypatch):
    def unreadable():
        raise PermissionError(13, "Permission denied", "train.txt")

    guarded(monkeypatch, unreadable)
    assert gbrank("inspect", code=1).err == "gbrank: error: train.txt: Permission denied.\n"


def test_help_tells_every_exit_code(gbrank):
    told = gbrank("--help").out
    assert "130 interrupted" in told
    assert "141" in told


def test_messages_name_what_the_user_can_write():
    from gbrank.cli._talk import spoken

    assert spoken("x; pass zero_based=True if") == "x; give --zero-based if"
    assert spoken("pass scattered='regroup'", of_job=True) == 'set scattered = "regroup" in [data]'
    assert spoken("beyond n_features=6; y") == "beyond --n-features 6; y"


def test_help_imports_nothing_heavy():
    code = "import sys; from gbrank.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ended.stderr.split())
    assert "typer" in loaded
    assert not loaded & {"scipy", "pandas", "sklearn", "numba", "lightgbm", "xgboost", "optuna", "matplotlib"}


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(capsys, monkeypatch):
    from gbrank.cli import _talk

    with _talk.progress() as tell:
        tell(1, 9, "too soon")
        monkeypatch.setattr(_talk, "PATIENCE", 0.0)
        tell(2, 9, "training")
    assert capsys.readouterr().err == "training (2 of 9)\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with _talk.progress() as tell:
        tell(3, 9, "training [bold]")
    assert "training [bold]" in capsys.readouterr().err
