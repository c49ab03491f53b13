"""The `letor` preset against the published tables of the LETOR 4.0 baselines on MQ2008.

The tables were printed by LETOR's own script, test, validation and training parts of five folds.  Facts of the files:

* Numbers have four digits, so 5e-5 should be the most that remains.  Five of 1,260 differ by up to 5.05e-5, and by at
  most 5e-5 once our mean is rounded to six digits: the script's own numbers passed through six digits first.
* Scores of the training parts of folds 4 and 5 stand in the order S1, S4, S5 and S1, S2, S5, while the files of the
  data set hold S4, S5, S1 and S5, S1, S2.  In the file's order they rank at random (MAP .29); in theirs all agree.
* Each method has one table for models chosen by NDCG and one for MAP.  The scores are of the former; svm_rank's MAP
  table has other models in folds 1 and 3, the other methods' two tables are equal.

Real data are looked for in the folder named by $GBRANK_TEST_DATA.
"""

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
from real_data import real_data

from gbrank._groups import group_rows
from gbrank.data import read_letor
from gbrank.metrics import measure

METHODS = ("ListNet", "RankBoost", "RankNet", "svm_rank")
PARTS = {"testing": "test", "validation": "vali", "training": "train"}
NAMES = (*(f"ndcg@{k}" for k in range(1, 11)), *(f"p@{k}" for k in range(1, 11)), "ap")


def labels_and_queries(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels and query ids of a LETOR file."""
    data = read_letor(path)
    return data.y, data.qid


def published(path: Path) -> dict[tuple[str, str, str], float]:
    """Return part, fold and measure of each number in a table file; the script's MeanNDCG is left out."""
    table: dict[tuple[str, str, str], float] = {}
    part, names = "", []
    for line in path.read_text().splitlines():
        found = re.match(r"performance on (\w+) set", line, re.IGNORECASE)
        if found:
            part = PARTS[found[1].lower()]
        elif line.startswith("Folds"):
            names = ["ap" if name == "MAP" else name.lower() for name in line.split()[1:]]
        elif line.startswith("Fold"):
            fold, *numbers = line.split()
            table |= {(part, fold, name): float(x) for name, x in zip(names, numbers, strict=True)}
    return {key: value for key, value in table.items() if key[2] in NAMES}


def in_order_of_scores(folder: Path, fold: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and query ids in the order of the score file: the five parts S1, ..., S5 by number."""
    y, qid = labels_and_queries(folder / fold / f"{part}.txt")
    tests = {5 if k == 1 else k - 1: labels_and_queries(folder / f"Fold{k}" / "test.txt")[1] for k in range(1, 6)}
    number = sum(s * np.isin(qid, members) for s, members in tests.items())
    order = np.argsort(number, kind="stable")
    return y[order], qid[order]


def means(folder: Path, method: str) -> dict[tuple[str, str, str], float]:
    """Return the mean of each measure, recomputed from the scores of each part of each fold."""
    result = {}
    for part, k in itertools.product(PARTS.values(), range(1, 6)):
        (file,) = (folder / "letor40-baselines" / method / "scores" / f"Fold{k}").glob(f"{part}?score")
        y, qid = in_order_of_scores(folder / "mq2008", f"Fold{k}", part)
        groups = group_rows(qid)
        assert groups.contiguous
        score = np.loadtxt(file)
        for name in NAMES:
            values = measure(name, preset="letor")(y, score, groups.query_ptr)
            result[part, f"Fold{k}", name] = float(values.mean())
    return result


def rows() -> list[dict[str, Any]]:
    """Return the greatest difference of each method from its table."""
    folder = real_data()
    result = []
    for method in METHODS:
        table = published(folder / "letor40-baselines" / method / "tables" / f"NDCG_Mq2008_{method}")
        ours = means(folder, method)
        assert ours.keys() == table.keys()
        worst = max(table, key=lambda key: abs(ours[key] - table[key]))
        row = {
            "method": method,
            "numbers": len(table),
            "max_abs_difference": abs(ours[worst] - table[worst]),
            "where": " ".join(worst),
            "beyond_5e-5": sum(abs(ours[key] - table[key]) > 5e-5 for key in table),
            "max_abs_difference_of_six_digits": max(abs(round(ours[key], 6) - table[key]) for key in table),
        }
        result.append(row)
    return result


if __name__ == "__main__":
    for row in rows():
        print(row)
