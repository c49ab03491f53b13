"""Bad input ends in an error that says why, in a warning, or as stated: nothing aborts, hangs or passes in silence."""

import json
import re
import runpy
import select
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = runpy.run_path(str(HERE / "bad_input.py"))["CASES"]
PATIENCE = 60.0  # seconds: the first case of a process may compile


class Worker:
    """A process that runs one case after another; a new one is started where it died or hung."""

    def __init__(self):
        self.process = None

    def ask(self, name, backend, engine, patience=PATIENCE):
        """Return how a case ended."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        self.process.stdin.write(f"{name} {backend} {engine}\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], patience)[0]:
            self.process.kill()
            self.stop()
            return {"outcome": "hung", "message": f"no answer in {patience} s"}
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        return {"outcome": "died", "message": f"exit code {self.stop()}"}

    def stop(self):
        """End the process and return its exit code."""
        process, self.process = self.process, None
        if process is None:
            return None
        try:
            process.stdin.close()
            return process.wait(timeout=2)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            process.kill()
            return process.wait()
        finally:
            process.stdout.close()


@pytest.fixture(scope="module")
def worker():
    """A process of its own."""
    one = Worker()
    yield one
    one.stop()


@pytest.mark.parametrize(
    ("name", "backend", "engine"),
    [(name, *setting) for name, case in CASES.items() for setting in case.settings],
)
def test_bad_input_ends_as_stated(worker, name, backend, engine):
    outcome, pattern = CASES[name].expected(backend, engine)
    got = worker.ask(name, backend, engine)
    assert got["outcome"] == outcome, got["message"]
    assert re.search(pattern, got["message"], re.DOTALL), got["message"]


@pytest.mark.parametrize(
    ("probe", "outcome", "message"),
    [
        ("probe-abort", "died", "exit code -6"),
        ("probe-hang", "hung", "no answer"),
        ("probe-fault", "fault", "ZeroDivisionError"),
        ("probe-done", "done", ""),
    ],
)
def test_the_worker_tells_how_a_case_ended(worker, probe, outcome, message):
    worker.ask("probe-done", "none", "none")
    got = worker.ask(probe, "none", "none", patience=5.0 if probe != "probe-hang" else 0.2)
    assert got["outcome"] == outcome
    assert message in got["message"]
