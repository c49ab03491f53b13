"""A small fold of LETOR files."""

from pathlib import Path

import pytest

from gbrank.data import make_letor, write_letor


@pytest.fixture
def fold(tmp_path) -> Path:
    """A folder with train.txt, vali.txt and test.txt of 6 features."""
    folder = tmp_path / "Fold1"
    write_fold(folder, 0)
    return folder


@pytest.fixture
def two_folds(fold) -> Path:
    """A folder that holds Fold1 and Fold2."""
    write_fold(fold.parent / "Fold2", 10)
    return fold.parent


def write_fold(folder: Path, seed: int) -> None:
    folder.mkdir()
    for number, (part, queries) in enumerate({"train": 40, "vali": 15, "test": 15}.items()):
        write_letor(
            make_letor(queries, n_features=6, max_documents=15, random_state=seed + number), folder / f"{part}.txt"
        )
