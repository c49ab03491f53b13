"""The published tables of four LETOR 4.0 baselines, recomputed under the `letor` preset."""

import importlib.util
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "bench_letor_tables.py"


@pytest.fixture(scope="module")
def rows(real_data):
    spec = importlib.util.spec_from_file_location("bench_letor_tables", BENCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GBRANK_TEST_DATA", str(real_data))
        return module.rows()


def test_all_numbers_of_all_tables_agree(rows):
    assert [row["method"] for row in rows] == ["ListNet", "RankBoost", "RankNet", "svm_rank"]
    for row in rows:
        assert row["numbers"] == 3 * 5 * 21
        assert row["max_abs_difference_of_six_digits"] <= 5e-5 + 1e-12, row
        assert row["max_abs_difference"] <= 5e-5 + 5e-7, row  # the tables were rounded twice: to six, then four digits
        assert row["beyond_5e-5"] <= 3, row
