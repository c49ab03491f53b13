"""`run`: read, tune, train, evaluate, explain, report; then write the output folder."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sklearn.base import clone

from .._files import atomic_write
from .._progress import Progress, silent
from .._version import __version__
from ..data import RankingData
from ..evaluation import calibration, evaluate
from ..explain import importances
from ..rankers import CalibratedRanker, GBRanker, RoundInfo
from ._data import Fold, fold_names, naming_parts, read_folds
from ._folder import RECORD, files_of, new_folder
from ._job import Job, read_job
from ._result import JobResult, Run
from ._toml import to_toml

DISTRIBUTIONS = ("numpy", "scipy", "pandas", "scikit-learn", "numba", "lightgbm", "xgboost", "optuna")


def run(
    job: str | os.PathLike[str] | Mapping[str, Any],
    output: str | os.PathLike[str] | None = None,
    *,
    progress: Progress | None = None,
) -> JobResult:
    """Do a job and write its output folder.

    Parameters
    ----------
    job : path or mapping
        A TOML file or its table; see `read_job`, and the documentation of jobs for every key.
    output : path, optional
        The output folder, in place of the job's own.  It is written beside and renamed, so an interrupted job leaves
        an earlier output as it was.
    progress : callable, optional
        Called as ``progress(done, total, message)``, anew for each stage.

    Returns
    -------
    JobResult

    Raises
    ------
    ParameterError
        Everything that is wrong with the job, one problem a line; nothing has been read or written then.
    DataError
        Data that cannot be used, or an output folder that holds what no job wrote.
    """
    checked = read_job(job, output)
    tell = progress or silent
    started, clock = datetime.now(UTC), time.perf_counter()
    with new_folder(checked.output) as folder:
        runs = []
        for number, fold in enumerate(read_folds(checked)):
            for seed in checked.seeds:
                title = _title(checked, fold.name, seed)
                tell(number, len(fold_names(checked)), f"{title}: start")
                runs.append(_one(checked, fold, seed, _place(checked, folder, fold.name, seed), title, tell))
        result = JobResult(checked.output, checked.measures, tuple(runs))
        _write(checked, result, folder)
        record = _versions(checked) | {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - clock, 3),
        }
        record["files"] = sorted([*files_of(folder), RECORD])
        _write_json(folder / RECORD, record)
    return result


def follow(tell: Progress, title: str) -> Callable[[RoundInfo], None]:
    """Return a callback for `GBRanker` that tells of each round, with the measure on the (first) evaluation set."""

    def callback(info: RoundInfo) -> None:
        values = next(iter(info.history.values()), [])
        tell(info.round, info.n_rounds, f"{title}, validation {values[-1]:.4f}" if values else title)

    return callback


def _title(job: Job, fold: str, seed: int) -> str:
    names = [fold] if job.data["folds"] is not None else []
    return ", ".join([*names, f"seed {seed}"] if len(job.seeds) > 1 else names) or "job"


def _place(job: Job, folder: Path, fold: str, seed: int) -> Path:
    """Return the folder of a run's own files, with one for each fold and seed where there are several."""
    place = folder if job.data["folds"] is None else folder / fold
    place = place / f"seed-{seed}" if len(job.seeds) > 1 else place
    place.mkdir(parents=True, exist_ok=True)
    return place


def _one(job: Job, fold: Fold, seed: int, place: Path, title: str, tell: Progress) -> Run:
    ranker: GBRanker = clone(job.ranker).set_params(random_state=seed)
    ranker.set_params(callbacks=[follow(tell, f"{title}: training")])
    tuning = None
    at = "" if fold.name == "all" else f"{fold.name}, "
    with naming_parts(f"{at}train part", f"{at}vali part"):
        if job.tuning is None:
            ranker.fit(fold.train, eval_set=fold.vali)
        else:
            tuning = _tune(job, ranker, fold, seed, title, tell)
    if tuning is not None:
        tuning.table.to_csv(place / "tuning.csv", index=False)
        ranker = tuning.ranker
    ranker.set_params(callbacks=None)
    predictor: GBRanker | CalibratedRanker = ranker
    if job.calibration is not None:
        tell(0, 1, f"{title}: calibration")
        with naming_parts(f"{at}train part", ""):
            predictor = _calibrated(ranker, fold.train, **job.calibration)
    predictor.save(place / "model.gbrank")
    with naming_parts(f"{at}test part", ""):
        evaluation = evaluate(fold.test, predictor, job.measures)
    tell(1, 1, f"{title}: report")
    _report(job, predictor, fold, place, title, tuning)
    facts: dict[str, Any] = {"best_iteration": ranker.best_iteration_}
    if ranker.history_:
        facts["validation"] = {"measure": str(ranker.measure_), "mean": ranker.best_score_}
    if tuning is not None:
        facts["tuning"] = {"measure": tuning.measure, "mean": tuning.best_value, "params": dict(tuning.best_params)}
    if hasattr(predictor, "predict_above"):
        facts["calibration"] = calibration(fold.test, predictor).to_dict()["events"]
    return Run(fold.name, seed, evaluation, importances(ranker), facts)


def _calibrated(ranker: GBRanker, train: RankingData, method: str, folds: int) -> CalibratedRanker:
    """Return the ranker trained on all of `train`, to the rounds that were found, with curves of query folds."""
    alone: GBRanker = clone(ranker).set_params(
        n_estimators=max(1, ranker.best_iteration_), early_stopping_rounds=None, validation_fraction=None
    )
    return CalibratedRanker(alone, method=method, cv=folds).fit(train)


def _tune(job: Job, ranker: GBRanker, fold: Fold, seed: int, title: str, tell: Progress) -> Any:
    from ..tuning import tune

    assert job.tuning is not None
    options = {key: value for key, value in job.tuning.items() if key != "folds"}
    folds = job.tuning["folds"]
    if options["storage"] is not None:
        options["study_name"] = f"{fold.name}, seed {seed}"
    return tune(
        ranker,
        fold.train,
        valid=None if folds else fold.vali,
        cv=folds,
        progress=lambda done, total, message: tell(done, total, f"{title}: tuning, {message}"),
        **options,
    )


def _report(job: Job, ranker: GBRanker | CalibratedRanker, fold: Fold, place: Path, title: str, tuning: Any) -> None:
    from ..reports import report

    name = job.title or "gbrank job"
    report(
        place / "report.html",
        ranker,
        fold.parts(),
        measures=job.measures,
        title=name if title == "job" else f"{name}: {title}",
        tuning=tuning,
    )


def _write(job: Job, result: JobResult, folder: Path) -> None:
    if len(result.runs) > 1:
        from ._summary import summary_report

        summary_report(result, job.title or "gbrank job").save(folder / "report.html")
    _write_json(folder / "metrics.json", result.to_dict())
    result.per_query().to_csv(folder / "per_query.csv", index=False)
    result.importances().to_csv(folder / "importances.csv", index=False)
    with atomic_write(folder / "job.toml") as file:
        file.write(to_toml(job.table()))


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def _versions(job: Job) -> dict[str, Any]:
    """Return what the numbers may depend on beside the job."""
    # CatBoost is named where the job uses it; it may not be there.
    used = dict.fromkeys([*DISTRIBUTIONS, job.ranker.backend])
    versions = {name: importlib.metadata.version(name) for name in used}
    return {
        "gbrank": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "libraries": versions,
        "sha256": {str(path): _digest(path) for path in job.files()},
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
