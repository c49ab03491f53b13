"""Reading a TREC run of a million lines, against pytrec_eval's parser.

1,000 queries of 1,000 documents with distinct ids, scores of six decimals and of all digits.  Asserted first: both read
the same queries, documents and scores, bit by bit.  pytrec_eval makes nested dictionaries, gbrank arrays of ids and
scores in whole queries; the third row adds gbrank's dictionaries.  Runs are interleaved.
"""

import platform
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytrec_eval
from timing import interleaved, ratios

from gbrank import read_run

N_QUERIES, N_DOCUMENTS, REPEATS, SEED = 1000, 1000, 7, 0


def write_run_file(path: Path, digits: str) -> None:
    """Write a run whose scores are formatted by `digits`."""
    rng = np.random.default_rng(SEED)
    with open(path, "w", encoding="utf-8") as file:
        for query in range(N_QUERIES):
            scores = np.sort(12 + 3 * rng.normal(size=N_DOCUMENTS))[::-1].tolist()
            documents = rng.choice(8_841_823, N_DOCUMENTS, replace=False).tolist()
            file.writelines(
                f"{query + 100_000} Q0 doc{document} {rank} {score:{digits}} bm25\n"
                for rank, (document, score) in enumerate(zip(documents, scores, strict=True), 1)
            )


def read_by_pytrec_eval(path: Path) -> Any:
    """Return the dictionaries of pytrec_eval's parser."""
    with open(path, encoding="utf-8") as file:
        return pytrec_eval.parse_run(file)


def rows() -> list[dict[str, Any]]:
    """Return seconds, and how many times those of gbrank pytrec_eval takes."""
    table = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.trec")
        for scores, digits in (("six decimals", ".6f"), ("all digits", ".17g")):
            write_run_file(path, digits)
            assert read_run(path).to_dict() == dict(read_by_pytrec_eval(path))
            functions: dict[str, Callable[[], Any]] = {
                "gbrank": lambda: read_run(path),
                "gbrank, one thread": lambda: read_run(path, n_jobs=1),
                "gbrank, to dictionaries": lambda: read_run(path).to_dict(),
                "pytrec_eval": lambda: read_by_pytrec_eval(path),
            }
            seconds = interleaved(functions, REPEATS)
            table += [
                {
                    "scores": scores,
                    "reader": name,
                    "lines": N_QUERIES * N_DOCUMENTS,
                    "median_s": statistics.median(seconds[name]),
                    "min_s": min(seconds[name]),
                    **(ratios(seconds["pytrec_eval"], seconds[name]) if name != "pytrec_eval" else {}),
                }
                for name in functions
            ]
    return table


if __name__ == "__main__":
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, seed {SEED}")
    for row in rows():
        print(row)
