"""Checks of a job that need several of its tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ._checks import Problems

if TYPE_CHECKING:
    from ._job import Job


def check_together(job: Job, problems: Problems) -> None:
    """Note what only shows where tables are seen together."""
    validated = job.has_validation
    ranker = job.ranker
    unseen = not validated and ranker.validation_fraction is None
    if ranker.early_stopping_rounds is not None and unseen and job.tuning is None:
        problems.add(
            "[ranker] early_stopping_rounds", "needs validation data: [data] vali, or validation_fraction in [ranker]"
        )
    if ranker.validation_fraction is not None and (validated or job.tuning is not None):
        why = "there are validation data" if validated else "tuning has folds"
        problems.add("[ranker] validation_fraction", f"has no effect, for {why}; leave it out")
    if job.tuning is not None and job.tuning["folds"] is None and not validated:
        problems.add("[tuning] folds", "give the number of folds, for there are no validation data")
    _check_outputs(job, problems)


def _check_outputs(job: Job, problems: Problems) -> None:
    """Note where writing would destroy what is read or kept."""
    folder = os.path.realpath(job.output)
    inputs = [os.path.realpath(path) for path in job.files()]
    inside = next((path for path in inputs if Path(path).is_relative_to(folder)), None)
    if inside is not None:
        problems.add("output", f"{job.output} is replaced whole, and the data {inside} lie in it; name another folder")
    storage = None if job.tuning is None else job.tuning["storage"]
    if storage is None or "://" in storage:
        return
    real = os.path.realpath(storage)
    if Path(real).is_relative_to(folder):
        problems.add(
            "[tuning] storage", f"lies in the output folder {job.output}, which is replaced whole; put it beside"
        )
    if real in inputs:
        problems.add("[tuning] storage", f"{storage} is a file of the data; give another file")
    if not Path(storage).parent.is_dir():
        problems.add("[tuning] storage", f"the folder {Path(storage).parent} does not exist; create it first")
