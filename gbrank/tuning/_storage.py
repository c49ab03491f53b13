"""Where a study is kept, what its values are values of, and what becomes of trials that were killed."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from .._checks import DataError, ParameterError
from ..data._digest import digest
from ..rankers import GBRanker
from ..rankers._changed import quiet_trees
from ._folds import Fold

ATTEMPTS = 3  # of a trial during which the process was killed each time
MADE_FOR = "gbrank"  # the study's user attribute that says what its values are values of


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from printing, and from warning of what is experimental; put its settings back afterwards.

    Warnings that a single training gives of its trees are dropped too.
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with quiet_trees():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def open_study(storage: Any, name: str | None, *, higher_is_better: bool) -> optuna.Study:
    """Return the study of that name, new or as it is stored.

    Raises
    ------
    ParameterError
        `storage` is no path, URL or storage of Optuna.
    DataError
        It cannot be opened.
    """
    try:
        return optuna.create_study(
            storage=open_storage(storage),
            study_name=name or (None if storage is None else "gbrank"),
            direction="maximize" if higher_is_better else "minimize",
            load_if_exists=True,
        )
    except (DataError, ParameterError):
        raise
    except Exception as error:  # what a database raises depends on which it is
        where = storage if isinstance(storage, str | os.PathLike) else type(storage).__name__
        raise DataError(f"storage {where}: cannot be opened as a study of Optuna ({error}).") from error


def open_storage(storage: Any) -> BaseStorage | None:
    """Return the storage that a path or URL names; a storage as it is."""
    if storage is None or isinstance(storage, BaseStorage):
        return storage
    if not isinstance(storage, str | os.PathLike):
        raise ParameterError(f"storage={storage!r}: give a path, a URL or a storage of Optuna.")
    url = os.fspath(storage)
    if "://" not in url:
        path = Path(url)
        if path.is_dir():
            raise DataError(f"storage {path}: is a folder; give the path of a file.")
        if not path.absolute().parent.is_dir():
            raise DataError(f"storage {path}: the folder {path.parent} does not exist; create it first.")
        url = f"sqlite:///{path.absolute()}"
    patient = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    return optuna.storages.RDBStorage(url, engine_kwargs=patient)


def describe(start: GBRanker, folds: list[Fold], patience: int) -> dict[str, str]:
    """Return what the values of a study depend on; parameters without influence on the model are left out."""
    params = start.get_params(deep=False)
    kept = {name: params[name] for name in sorted(params) if name not in ("callbacks", "measure", "n_jobs", "verbose")}
    text = json.dumps({name: _text(value) for name, value in kept.items()})
    return {
        "data or folds": digest(folds),
        "measure": _text(start.measure),
        "ranker": f"{type(start).__name__} {text}, {patience} rounds of patience",
    }


def _text(value: Any) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def claim(study: optuna.Study, description: dict[str, str]) -> None:
    """Write into a new study what it is for; refuse one that was for something else."""
    stored = study.user_attrs.get(MADE_FOR)
    if stored is None:
        if study.get_trials(deepcopy=False):
            raise ParameterError(f"study {study.study_name!r}: was not made by gbrank.tune; give another study_name.")
        study.set_user_attr(MADE_FOR, description)
        return
    for what, here in description.items():
        if stored.get(what) != here:
            raise ParameterError(
                f"study {study.study_name!r}: was made with another {what} ({stored.get(what)}, not {here}), so its "
                "values cannot be compared; give another study_name or storage."
            )


def recover(study: optuna.Study) -> None:
    """Mark trials whose process was killed as failed, and queue their parameters again."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        attempt = trial.user_attrs.get("attempt", 1)
        if attempt < ATTEMPTS:
            kept = {name: value for name, value in trial.user_attrs.items() if name in ("start", "admitted")}
            study.enqueue_trial(trial.params, user_attrs=kept | {"attempt": attempt + 1})
