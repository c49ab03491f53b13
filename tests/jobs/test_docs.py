"""The documentation names every key, and the example is a job."""

import shutil
from pathlib import Path

import pytest

from gbrank.jobs import read_job
from gbrank.jobs._job import CALIBRATION, DATA, SPLIT, TOP, TUNING

HERE = Path(__file__).parents[2]


TABLES = {"top": TOP, "data": DATA, "split": SPLIT, "tuning": TUNING, "calibration": CALIBRATION}


@pytest.mark.parametrize("keys", TABLES.values(), ids=list(TABLES))
def test_every_key_is_documented(keys):
    text = (HERE / "docs" / "jobs.rst").read_text()
    tables = ("data", "split", "ranker", "tuning", "calibration")
    assert [key for key in keys if f"``[{key}]``" not in text and f"``{key}``" not in text] == []
    assert all(f"``[{table}]``" in text for table in tables)


@pytest.mark.parametrize("tuned", [False, True])
def test_the_example(tmp_path, fold, tuned):
    text = (HERE / "examples" / "job.toml").read_text()
    if tuned:  # its comments hold a search
        text = text[: text.index("# [tuning]")] + text[text.index("# [tuning]") :].replace("# ", "")
    (tmp_path / "job.toml").write_text(text)
    for number in range(1, 6):
        shutil.copytree(fold, tmp_path / "MQ2008" / f"Fold{number}")
    job = read_job(tmp_path / "job.toml")
    assert len(job.data["folds"]) == 5
    assert (job.tuning is not None) == tuned
