"""Data on which a known loss wins, small enough to search on: those of the bench."""

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCH)
    bench = importlib.import_module("planted")
PLANTED = bench.PLANTED


@pytest.fixture(scope="session")
def planted():
    return bench.planted_data()


@pytest.fixture(scope="session")
def ranker():
    return bench.planted_ranker()
