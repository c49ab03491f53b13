"""Reading dense MSLR-like text (136 features), against scikit-learn's loader and XGBoost's text reader.

Files of 60 and 150 MB are written from `make_letor`.  Asserted first: arrays equal scikit-learn's, rounded to float32;
XGBoost's matrix has equal shape, labels and group offsets, and equal values up to its own rounding (its parser is not
exact in the last place).  Then all three run in turn; XGBoost's reader makes a DMatrix, its only result.

Peak memory is that of a fresh process: the highest resident size while it reads (VmHWM, set back before), less the
resident size after the kernels have run on a tiny file, less the file, whose mapped pages count as resident and which
is mapped whole by the end of the first pass.  The arrays returned are X, y, query_ptr, query_ids and order.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import xgboost
from sklearn.datasets import load_svmlight_file
from timing import interleaved, ratios

from gbrank.data import make_letor, read_letor, write_letor

SIZES_MB, REPEATS, SEED = (60, 150), 5, 0

MEASURE_MEMORY = """
import json, sys
from gbrank.data import read_letor

def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name + ":"))

read_letor(sys.argv[1])
before = status("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
data = read_letor(sys.argv[2])
returned = sum(a.nbytes for a in (data.X, data.y, data.query_ptr, data.query_ids, data.order))
print(json.dumps([status("VmHWM") - before, returned]))
"""


def write_file(path: Path, megabytes: int) -> None:
    """Write text of about that size."""
    sample = make_letor(40, random_state=SEED)
    write_letor(sample, path)
    write_letor(make_letor(round(40 * megabytes * 1e6 / path.stat().st_size), random_state=SEED), path)


def read_by_xgboost(path: Path) -> xgboost.DMatrix:
    """Return XGBoost's matrix of a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return xgboost.DMatrix(f"{path}?format=libsvm", silent=True)


def assert_equal(path: Path) -> None:
    """Assert that all three readers read the same."""
    data = read_letor(path)
    X, y, qid = load_svmlight_file(str(path), query_id=True, zero_based=False)
    np.testing.assert_array_equal(data.X, X.toarray().astype(np.float32))
    np.testing.assert_array_equal(data.y, y)
    np.testing.assert_array_equal(data.qid, qid)
    matrix = read_by_xgboost(path)
    np.testing.assert_array_equal(matrix.get_label(), data.y)
    np.testing.assert_array_equal(matrix.get_uint_info("group_ptr"), data.query_ptr)
    values = matrix.get_data().toarray()[:, 1:]  # it counts columns from 0
    np.testing.assert_allclose(values, data.X, rtol=3e-7)


def peak_memory(path: Path, tiny: Path) -> tuple[int, int]:
    """Return peak memory without the mapped file, and the size of the arrays returned, in bytes."""
    done = subprocess.run([sys.executable, "-c", MEASURE_MEMORY, tiny, path], check=True, capture_output=True)
    peak, returned = json.loads(done.stdout)
    return peak - path.stat().st_size, returned


def rows(sizes_mb: tuple[int, ...] = SIZES_MB) -> list[dict[str, Any]]:
    """Return speeds with their ratios to gbrank's, and gbrank's peak memory relative to the arrays returned."""
    table = []
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder, "tiny.txt")
        write_letor(make_letor(2, random_state=SEED), tiny)
        for megabytes in sizes_mb:
            path = Path(folder, f"{megabytes}.txt")
            write_file(path, megabytes)
            assert_equal(path)
            table += _speed_rows(path)
            peak, returned = peak_memory(path, tiny)
            size = path.stat().st_size / 1e6
            table.append(
                {
                    "what": "peak memory",
                    "MB": size,
                    "ours": peak / 1e6,
                    "peer": returned / 1e6,
                    "ratio": peak / returned,
                }
            )
    return table


def _speed_rows(path: Path) -> list[dict[str, Any]]:
    size = path.stat().st_size / 1e6
    peers = {
        "scikit-learn": lambda: load_svmlight_file(str(path), query_id=True, zero_based=False),
        "xgboost": lambda: read_by_xgboost(path),
    }
    seconds = interleaved({"gbrank": lambda: read_letor(path), **peers}, REPEATS)
    ours = seconds["gbrank"]
    return [
        {
            "what": f"speed against {peer}",
            "MB": size,
            "ours": size / statistics.median(ours),
            "peer": size / statistics.median(seconds[peer]),
            **ratios(seconds[peer], ours),
        }
        for peer in peers
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES_MB, help="sizes of the files in MB")
    sizes = tuple(parser.parse_args().sizes)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"scikit-learn {sklearn.__version__}, xgboost {xgboost.__version__}, seed {SEED}; "
        f"speeds in MB/s (medians of {REPEATS}, interleaved), memory in MB against the arrays returned"
    )
    print(f"{'':30}{'file MB':>9}{'gbrank':>9}{'peer':>9}{'ratio':>9}{'min':>8}{'max':>8}")
    for row in rows(sizes):
        spread = "".join(f"{row[key]:8.2f}" for key in ("least", "greatest") if key in row)
        print(f"{row['what']:30}{row['MB']:9.1f}{row['ours']:9.1f}{row['peer']:9.1f}{row['ratio']:9.2f}{spread}")


if __name__ == "__main__":
    main()
