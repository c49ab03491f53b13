"""The command line in this process, and small LETOR files."""

from pathlib import Path
from typing import NamedTuple

import pytest

from gbrank.cli import main
from gbrank.data import make_letor, write_letor

QUICK = ["--n-jobs", "1", "-p", "max_leaves=5", "-p", "min_docs_in_leaf=5"]


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def gbrank(capsys):
    """Run a command line; every argument is made a string."""

    def run(*arguments, code=0):
        ended = Ended(main([str(argument) for argument in arguments]), *capsys.readouterr())
        assert ended.code == code, ended
        return ended

    return run


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    """A folder with train.txt, vali.txt and test.txt of 6 features."""
    folder = tmp_path_factory.mktemp("letor")
    for seed, (part, queries) in enumerate({"train": 40, "vali": 15, "test": 15}.items()):
        write_letor(make_letor(queries, n_features=6, max_documents=15, random_state=seed), folder / f"{part}.txt")
    return folder


@pytest.fixture(scope="session")
def model(files, tmp_path_factory) -> Path:
    """A model trained on train.txt."""
    path = tmp_path_factory.mktemp("model") / "m.gbrank"
    assert main(["train", str(files / "train.txt"), "--model", str(path), "--n-estimators", "8", *QUICK]) == 0
    return path
