"""The published tables of four LETOR 4.0 baselines, recomputed under the `letor` preset."""

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def rows(real_data):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCH)
        patch.setenv("GBRANK_TEST_DATA", str(real_data))
        return importlib.import_module("bench_letor_tables").rows()


def test_all_numbers_of_all_tables_agree(rows):
    assert [row["method"] for row in rows] == ["ListNet", "RankBoost", "RankNet", "svm_rank"]
    for row in rows:
        assert row["numbers"] == 3 * 5 * 21
        assert row["max_abs_difference_of_six_digits"] <= 5e-5 + 1e-12, row
        assert row["max_abs_difference"] <= 5e-5 + 5e-7, row  # the tables were rounded twice: to six, then four digits
        assert row["beyond_5e-5"] <= 3, row
