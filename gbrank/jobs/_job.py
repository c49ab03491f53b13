"""`Job`: what a job file says, checked and with every default filled in."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._checks import DataError, check_choice
from ..data._beside import files_beside
from ..metrics import Measure, measure
from ..rankers import GBRanker
from ..rankers._calibrators import METHODS
from ._checks import Key, Problems, place, read_table
from ._rankers import checked_ranker, ranker_table, with_stopping
from ._together import check_together

TOP = {
    "output": Key((str,)),
    "title": Key((str,)),
    "measures": Key((list,), ("ndcg@1", "ndcg@5", "ndcg@10", "ap"), str),
    "preset": Key((str,)),
    "seeds": Key((list,), None, int),
    "data": Key((dict,), {}),
    "split": Key((dict,)),
    "ranker": Key((dict,), {}),
    "tuning": Key((dict,)),
    "calibration": Key((dict,)),
}
DATA = {
    "train": Key((str,)),
    "vali": Key((str,)),
    "test": Key((str,)),
    "folder": Key((str,)),
    "folds": Key((list,), None, str),
    "file": Key((str,)),
    "n_features": Key((int,)),
    "zero_based": Key((bool,), False),
    "scattered": Key((str,), "refuse"),
}
SPLIT = {
    "test_size": Key((float,), 0.2),
    "validation_size": Key((float,), 0.2),
    "random_state": Key((int,), 0),
}
TUNING = {
    "n_trials": Key((int,), 50),
    "timeout": Key((float,)),
    "folds": Key((int,)),
    "space": Key((dict,)),
    "storage": Key((str,)),
    "random_state": Key((int,), 0),
    "n_jobs": Key((int,), 1),
}
CALIBRATION = {
    "method": Key((str,), "platt"),
    "folds": Key((int,), 5),
}
FORMS = ("folds", "folder", "file", "train")
PARTS = ("train", "vali", "test")


@dataclass(frozen=True, eq=False)
class Job:
    """A checked job; made by `read_job`.

    Attributes
    ----------
    data : dict
        The table ``[data]`` with absolute paths.
    split, tuning, calibration : dict or None
        The tables of these names.
    ranker : GBRanker
        Not fitted.
    measures : tuple of Measure
    seeds : tuple of int
        The `random_state` of each run over a fold.
    output : Path
        The folder to be written.
    title : str or None
    """

    data: dict[str, Any]
    split: dict[str, Any] | None
    ranker: GBRanker
    tuning: dict[str, Any] | None
    calibration: dict[str, Any] | None
    measures: tuple[Measure, ...]
    seeds: tuple[int, ...]
    output: Path
    title: str | None = None

    def table(self) -> dict[str, Any]:
        """Return the whole job as a table that `read_job` reads back as the same job."""
        ranker = ranker_table(self.ranker)
        del ranker["random_state"]
        if ranker["early_stopping_rounds"] is None:
            ranker["early_stopping_rounds"] = 0  # left out, it would be the default
        return {
            "output": str(self.output),
            "title": self.title,
            "measures": [str(m) for m in self.measures],
            "seeds": list(self.seeds),
            "data": self.data,
            "split": self.split,
            "ranker": ranker,
            "tuning": self.tuning,
            "calibration": self.calibration,
        }

    @property
    def has_validation(self) -> bool:
        """Whether there are documents set apart from training and test."""
        return has_validation(self.data, self.split)

    def files(self) -> list[Path]:
        """Return all files that are read, those beside texts included."""
        data = self.data
        folders = [Path(each) for each in data["folds"] or ([data["folder"]] if data["folder"] else [])]
        texts = [folder / f"{part}.txt" for folder in folders for part in PARTS]
        texts += [Path(data[key]) for key in ("file", *PARTS) if data[key]]
        model = [] if self.ranker.init_model is None else [Path(self.ranker.init_model)]
        return [file for text in texts for file in (text, *files_beside(text))] + model


def has_validation(data: Mapping[str, Any], split: Mapping[str, Any] | None) -> bool:
    """Tell whether there are documents set apart from training and test."""
    cut = split is not None and bool(split["validation_size"])
    return cut or any(data[key] is not None for key in ("folds", "folder", "vali"))


def read_job(job: str | os.PathLike[str] | Mapping[str, Any], output: str | os.PathLike[str] | None = None) -> Job:
    """Return a job after every check that needs no data to be read.

    Parameters
    ----------
    job : path or mapping
        A TOML file, whose paths are relative to its folder, or its table, whose paths are relative to the working
        folder.
    output : path, optional
        The output folder, in place of the job's own; relative to the working folder.

    Raises
    ------
    DataError
        There is no such file, or it is not TOML.
    ParameterError
        Everything that is wrong with the job, one problem a line.
    """
    if isinstance(job, Mapping):
        return _check(job, "job", Path.cwd(), output)
    path = Path(job)
    return _check(_parse(path), path.name, path.absolute().parent, output)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; give the path of a job in TOML.") from None
    except (IsADirectoryError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: is not TOML ({error}).") from None


def _check(table: Mapping[str, Any], source: str, base: Path, output: Any) -> Job:
    problems = Problems(source)
    top = read_table(table, TOP, "", problems)
    data = _data(top["data"], base, problems)
    split = _split(top["split"], data, problems)
    ranker, seeds = _ranker(top, base, has_validation(data, split), problems)
    measures = _measures(top, problems)
    tuning = _tuning(top["tuning"], ranker, base, problems)
    calibration = _calibration(top["calibration"], ranker, problems)
    folder = Path(output).absolute() if output is not None else _resolved(top["output"], base)
    if folder is None:
        problems.add("output", "name the output folder here, or give it beside the job")
    problems.raise_any()
    assert folder is not None
    assert ranker is not None
    checked = Job(data, split, ranker, tuning, calibration, measures, seeds, Path(folder), top["title"])
    check_together(checked, problems)
    problems.raise_any()
    return checked


def _data(table: Mapping[str, Any], base: Path, problems: Problems) -> dict[str, Any]:
    data = read_table(table, DATA, "data", problems)
    forms = [form for form in FORMS if form in table]
    if len(forms) != 1:
        problems.add(
            "[data]", f"give one of {', '.join(FORMS)}; there {'are ' + ', '.join(forms) if forms else 'is none'}"
        )
    if "train" in forms and "test" not in table:
        problems.add("[data]", "train needs test beside it; or give file, of which a test part is cut")
    for part in PARTS[1:]:
        if part in table and "train" not in forms:
            problems.add(place("data", part), "goes with train only")
    for key in ("folder", "file", *PARTS):
        data[key] = _existing(data[key], base, place("data", key), problems, folder=key == "folder")
    if data["folds"] is not None:
        if not data["folds"]:
            problems.add("[data] folds", "name at least one folder")
        data["folds"] = [
            _existing(each, base, f"[data] folds, item {number}", problems, folder=True)
            for number, each in enumerate(data["folds"], 1)
        ]
        real = [os.path.realpath(each) for each in data["folds"]]
        for number, each in enumerate(real, 1):
            if each in real[: number - 1]:
                first = real.index(each) + 1
                problems.add(f"[data] folds, item {number}", f"is the same folder as item {first}; name each fold once")
    return data


def _existing(path: str | None, base: Path, where: str, problems: Problems, *, folder: bool) -> str | None:
    """Return the absolute path, after noting what is not there."""
    found = _resolved(path, base)
    if found is None:
        return None
    wanted = [found / f"{part}.txt" for part in PARTS] if folder and found.is_dir() else [found]
    for each in wanted:
        if not (each.is_dir() if folder and each == found else each.is_file()):
            problems.add(where, f"there is no {'folder' if folder and each == found else 'file'} {each}")
    return str(found)


def _resolved(path: str | None, base: Path) -> Path | None:
    return None if path is None else Path(os.path.abspath(base / Path(path).expanduser()))


def _split(table: Mapping[str, Any] | None, data: Mapping[str, Any], problems: Problems) -> dict[str, Any] | None:
    if data["file"] is None:
        if table is not None:
            problems.add("[split]", "goes with [data] file only; the other forms name their parts")
        return None
    split = read_table(table or {}, SPLIT, "split", problems)
    for key, lowest in (("test_size", "above 0"), ("validation_size", "0 or more")):
        value = split[key]
        if value < 0 or (key == "test_size" and value == 0) or (isinstance(value, float) and value >= 1):
            problems.add(
                place("split", key), f"must be a share below 1 or a number of queries, {lowest}, not {value!r}"
            )
    return split


def _ranker(
    top: Mapping[str, Any], base: Path, validated: bool, problems: Problems
) -> tuple[GBRanker | None, tuple[int, ...]]:
    table = dict(top["ranker"])
    if isinstance(table.get("init_model"), str):
        table["init_model"] = _existing(table["init_model"], base, "[ranker] init_model", problems, folder=False)
    seeds = top["seeds"]
    if seeds is not None and "random_state" in table:
        problems.add("[ranker] random_state", "seeds says it already; give one of the two")
    if seeds is not None and (not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0):
        problems.add("seeds", f"must be different whole numbers of 0 or more, at least one, not {list(seeds)!r}")
    validated = validated or top["tuning"] is not None or "validation_fraction" in table
    ranker = checked_ranker(with_stopping(table, validated=validated), "ranker", problems)
    return ranker, tuple(seeds or (table.get("random_state", 0),))


def _measures(top: Mapping[str, Any], problems: Problems) -> tuple[Measure, ...]:
    if not top["measures"]:
        problems.add("measures", "name at least one")
    found = [
        problems.attempt(f"measures, item {number}", measure, text, preset=top["preset"])
        for number, text in enumerate(top["measures"], 1)
    ]
    names = [str(m) for m in found if m is not None]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add("measures", f"{name} is given twice")
    return tuple(m for m in found if m is not None)


def _tuning(
    table: Mapping[str, Any] | None, ranker: GBRanker | None, base: Path, problems: Problems
) -> dict[str, Any] | None:
    if table is None:
        return None
    tuning = read_table(table, TUNING, "tuning", problems)
    if ranker is not None and tuning["space"] is not None:
        from ..tuning._space import read_space  # Optuna is loaded only for jobs that tune

        for name, form in tuning["space"].items():
            problems.attempt("[tuning]", read_space, {name: form}, ranker)
    for key, lowest in (("n_trials", 1), ("folds", 2), ("n_jobs", 1), ("random_state", 0)):
        if tuning[key] is not None and tuning[key] < lowest:
            problems.add(place("tuning", key), f"must be at least {lowest}, not {tuning[key]!r}")
    if tuning["timeout"] is not None and tuning["timeout"] <= 0:
        problems.add("[tuning] timeout", f"must be a number of seconds above 0, not {tuning['timeout']!r}")
    if tuning["storage"] is not None and "://" not in tuning["storage"]:
        tuning["storage"] = str(_resolved(tuning["storage"], base))
    return tuning


def _calibration(table: Mapping[str, Any] | None, ranker: GBRanker | None, problems: Problems) -> dict[str, Any] | None:
    if table is None:
        return None
    calibration = read_table(table, CALIBRATION, "calibration", problems)
    problems.attempt("[calibration]", check_choice, "method", calibration["method"], tuple(METHODS))
    if calibration["folds"] < 2:
        problems.add("[calibration] folds", f"must be at least 2, not {calibration['folds']!r}")
    if ranker is not None and ranker.init_model is not None:
        problems.add(
            "[calibration]",
            "needs queries that the ranker has not seen, and the earlier training of [ranker] init_model may have seen "
            "all of them; leave one of the two out",
        )
    return calibration
