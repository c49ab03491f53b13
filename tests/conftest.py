"""Fixtures that several rooms share."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Two workers share the cores: threads that spin while they wait hold up those that work.  gbrank sees to that itself,
# unless a library was imported before it, as tests with peers do.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Bytecode is kept between processes, even where the environment says not to: else each worker compiles all tests anew,
# and each process that a test starts all of gbrank.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Where a run must be repeatable, examples are the same each time; elsewhere each run looks further.
settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, named by $GBRANK_TEST_DATA; tests that need it skip without it."""
    folder = os.environ.get("GBRANK_TEST_DATA")
    if not folder:
        pytest.skip("real data: set GBRANK_TEST_DATA to the folder that holds mq2008, letor40-baselines, ...")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"GBRANK_TEST_DATA={folder!r} is not a folder")
    return path
