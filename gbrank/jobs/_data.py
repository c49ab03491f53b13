"""The data of a job, one fold after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._checks import DataError
from ..data import RankingData, read_letor, read_letor_fold
from ..splits import train_test_split
from ._job import Job


@dataclass(frozen=True, eq=False)
class Fold:
    """Training, validation (None where there is none) and test data."""

    name: str
    train: RankingData
    vali: RankingData | None
    test: RankingData

    def parts(self) -> dict[str, RankingData]:
        """Return the parts by name, without an absent one."""
        parts = {"train": self.train, "vali": self.vali, "test": self.test}
        return {name: data for name, data in parts.items() if data is not None}


@contextmanager
def naming_parts(train: str, vali: str) -> Iterator[None]:
    """Put the part of the data that it is about in front of an error of labels in training or evaluation.

    Parameters
    ----------
    train : str
        What is trained or evaluated on.
    vali : str
        The evaluation set of a training.
    """
    try:
        yield
    except DataError as error:
        text = str(error)
        about_vali = text.removeprefix("evaluation set 'valid': ")
        if about_vali != text:
            raise DataError(f"{vali}: {about_vali}") from error
        if text.startswith("label"):
            raise DataError(f"{train}: {text}") from error
        raise


def fold_names(job: Job) -> list[str]:
    """Return the name of each fold: that of its folder, numbered where two are the same."""
    if job.data["folds"] is None:
        return ["all"]
    names = [Path(path).name for path in job.data["folds"]]
    return names if len(set(names)) == len(names) else [f"{n}-{name}" for n, name in enumerate(names, 1)]


def read_folds(job: Job) -> Iterator[Fold]:
    """Read and yield each fold; only one is held at a time."""
    data = job.data
    options = {key: data[key] for key in ("n_features", "zero_based", "scattered")}
    if data["folds"] is not None or data["folder"] is not None:
        folders = data["folds"] or [data["folder"]]
        for name, folder in zip(fold_names(job), folders, strict=True):
            yield Fold(name, *read_letor_fold(folder, **options))
    elif data["file"] is not None:
        assert job.split is not None
        yield cut(read_letor(data["file"], **options), job.split)
    else:
        yield _read_parts(data, options)


def _read_parts(data: Mapping[str, Any], options: dict[str, Any]) -> Fold:
    train = read_letor(data["train"], **options)
    options["n_features"] = train.n_features  # an index beyond it is refused with file and line
    vali = None if data["vali"] is None else read_letor(data["vali"], **options)
    return Fold("all", train, vali, read_letor(data["test"], **options))


def cut(data: RankingData, split: Mapping[str, Any]) -> Fold:
    """Cut whole queries: the test part first, then the validation part, both as shares of all queries."""
    seed = split["random_state"]
    rest, test = train_test_split(data, test_size=_count(split["test_size"], data), random_state=seed)
    if not split["validation_size"]:
        return Fold("all", rest, None, test)
    train, vali = train_test_split(rest, test_size=_count(split["validation_size"], data), random_state=seed)
    return Fold("all", train, vali, test)


def _count(size: float, data: RankingData) -> int:
    """Return the number of queries that a share of `data` is, at least one."""
    return size if isinstance(size, int) else max(1, round(size * data.n_queries))
